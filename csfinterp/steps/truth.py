"""Three-valued logic over columns: FALSE 0, UNKNOWN 1, TRUE 2; AND is the minimum, OR the maximum, NOT 2 - x.

A plan (compiled by program.py) runs here: all comparisons are one array operation, then each level of AND / OR is one
reduceat. Other steps may use this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csfinterp.model.cohort import Bools, Bytes, Cohort, Floats, Ints

FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)


@dataclass(frozen=True)
class Facts:
    """What predicates read, shape (rows, panels) each: value intervals (NaN = unknown), words, flags, reference limits.

    `open_low`, `open_high` are None where nothing is censored. `given`: truth of statements decided by earlier
    programs.
    """

    low: Floats
    high: Floats
    open_low: Bools | None
    open_high: Bools | None
    code: Bytes
    flag: Bytes | None = None
    reference_low: Floats | None = None
    reference_high: Floats | None = None
    given: Bytes | None = None

    @classmethod
    def of(cls, cohort: Cohort) -> Facts:
        return cls(cohort.low, cohort.high, cohort.open_low, cohort.open_high, cohort.code)


@dataclass(frozen=True)
class OtherLimits:
    """Leaves whose limit is no constant: places among the leaves, and the rows that the limits stand in."""

    place: Ints
    quantity_place: Ints
    quantity: Ints
    low_place: Ints
    low: Ints
    high_place: Ints
    high: Ints


@dataclass(frozen=True)
class Comparisons:
    """Leaves `quantity above limit` (`upward`), or all below; their nodes begin at `start`.

    `rows`: rows of the quantities, shape (leaves,); `constants`, `inclusive` and its negation `exclusive`: shape
    (leaves, 1); NaN where `other` holds the limit.
    """

    upward: bool
    start: int
    rows: Ints
    constants: Floats
    inclusive: Bools
    exclusive: Bools
    other: OtherLimits


@dataclass(frozen=True)
class Lookups:
    """Leaves that read a word or flag: their tables one behind the other in `table`, each giving the truth by number.

    `zero`: place of number 0 of each leaf's table, shape (leaves, 1). Their nodes begin at `start`.
    """

    start: int
    rows: Ints
    table: NDArray[np.int8]
    zero: Ints


@dataclass(frozen=True)
class Operation:
    """Nodes of one kind whose children are decided. `children`: their nodes in runs that begin at `starts`; `ks`: a
    number per node, shape (nodes, 1). `later` (of first): places of the second children, of the third and so on, that
    of the first where there are not so many.

    Kinds: and, or, not, first; least (`ks` of the children are TRUE); given (children are rows of `Facts.given`); veto
    (children likewise, `ks` the node that they may make UNKNOWN).
    """

    kind: str
    nodes: Ints
    children: Ints
    starts: Ints
    ks: Ints
    later: tuple[Ints, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Compiled predicates: leaves, then operations, children first. `size`: number of nodes."""

    size: int
    comparisons: tuple[Comparisons, ...]
    words: Lookups
    flags: Lookups
    known: Ints
    known_start: int
    operations: tuple[Operation, ...]

    def run(self, facts: Facts) -> Bytes:
        """Truth of every node, shape (nodes, panels)."""
        truth = np.empty((self.size, facts.low.shape[1]), np.int8)
        for group in self.comparisons:
            limit = _limits(group.other, group.constants, facts)
            truth[group.start : group.start + len(group.rows)] = _compare(group, _Ends.of(facts, group.rows), limit)
        if len(self.words.rows):
            _look_up(self.words, facts.code, truth)
        if len(self.flags.rows):
            assert facts.flag is not None
            _look_up(self.flags, facts.flag, truth)
        if len(self.known):
            known = np.where(np.isnan(facts.low[self.known]), FALSE, TRUE)
            truth[self.known_start : self.known_start + len(self.known)] = known
        for operation in self.operations:
            truth[operation.nodes] = _combine(operation, truth, facts)
        return truth


def _look_up(group: Lookups, numbers: Bytes, truth: Bytes) -> None:
    """Writes the truth of the leaves."""
    truth[group.start : group.start + len(group.rows)] = group.table[numbers[group.rows] + group.zero]


def _combine(operation: Operation, truth: Bytes, facts: Facts) -> Bytes:
    """Truth of the nodes of one operation; their children are decided."""
    kind, flat, starts, ks = operation.kind, operation.children, operation.starts, operation.ks
    if kind == "and":
        return np.minimum.reduceat(truth[flat], starts, axis=0)
    if kind == "or":
        return np.maximum.reduceat(truth[flat], starts, axis=0)
    if kind == "not":
        return TRUE - truth[flat]
    if kind == "least":
        items = truth[flat]
        certain = np.add.reduceat(items == TRUE, starts, axis=0, dtype=np.int64) >= ks
        possible = np.add.reduceat(items >= UNKNOWN, starts, axis=0, dtype=np.int64) >= ks
        return np.add(certain, possible, dtype=np.int8)
    if kind == "first":
        return _first_known(truth[flat], starts, operation.later)
    assert facts.given is not None
    if kind == "given":
        return facts.given[flat]
    vetoed = np.logical_or.reduceat(facts.given[flat] == TRUE, starts, axis=0)
    return np.where(vetoed, UNKNOWN, truth[ks[:, 0]])


@dataclass(frozen=True)
class _Ends:
    """Intervals low..high; an open end is itself no possible value. None instead of open ends: all ends are closed."""

    low: Floats
    high: Floats
    open_low: Bools | None
    open_high: Bools | None

    @classmethod
    def of(cls, facts: Facts, rows: Ints) -> _Ends:
        opened = None if facts.open_low is None else facts.open_low[rows]
        closed = None if facts.open_high is None else facts.open_high[rows]
        low = facts.low[rows]
        return cls(low, low if facts.high is facts.low else facts.high[rows], opened, closed)


def _limits(group: OtherLimits, constants: Floats, facts: Facts) -> _Ends:
    """Limits of the leaves as intervals, shape (leaves, panels) or (leaves, 1); NaN where nothing is known."""
    if not len(group.place):
        return _Ends(constants, constants, None, None)
    low = np.repeat(constants, facts.low.shape[1], axis=1)
    for places, rows, source in (
        (group.low_place, group.low, facts.reference_low),
        (group.high_place, group.high, facts.reference_high),
    ):
        if len(rows):
            assert source is not None
            low[places] = source[rows]
    high = low if facts.high is facts.low else low.copy()
    low[group.quantity_place] = facts.low[group.quantity]
    high[group.quantity_place] = facts.high[group.quantity]
    if facts.open_low is None or facts.open_high is None:
        return _Ends(low, high, None, None)
    open_low, open_high = np.zeros(low.shape, np.bool_), np.zeros(low.shape, np.bool_)
    open_low[group.quantity_place] = facts.open_low[group.quantity]
    open_high[group.quantity_place] = facts.open_high[group.quantity]
    return _Ends(low, high, open_low, open_high)


def _compare(group: Comparisons, value: _Ends, limit: _Ends) -> Bytes:
    """TRUE if every value lies beyond every possible limit, FALSE if none does beyond any, else UNKNOWN (also NaN)."""
    if not group.upward:
        value, limit = limit, value
    certain, impossible = value.low > limit.high, value.high < limit.low
    edge_certain = value.low == limit.high
    edge_impossible = edge_certain if value.low is value.high and limit.low is limit.high else value.high == limit.low
    certain |= edge_certain & _or_open(group.inclusive, value.open_low, limit.open_high)
    impossible |= edge_impossible & _or_open(group.exclusive, value.open_high, limit.open_low)
    return np.subtract(certain, impossible, dtype=np.int8) + UNKNOWN


def _or_open(edge: Bools, first: Bools | None, second: Bools | None) -> Bools:
    """The edge counts if the rule says so, or if one of the two ends that meet there is open."""
    for opened in (first, second):
        if opened is not None:
            edge = edge | opened
    return edge


def _first_known(items: Bytes, starts: Ints, later: tuple[Ints, ...]) -> Bytes:
    """Per group the first item that is not UNKNOWN; groups are the runs from `starts` on."""
    found = items[starts]
    for places in later:
        found = np.where(found == UNKNOWN, items[places], found)
    return found
