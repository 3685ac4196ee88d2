"""Three-valued logic over columns: FALSE 0, UNKNOWN 1, TRUE 2; AND is the minimum, OR the maximum, NOT 2 - x.

Predicates are compiled once per edition: all comparisons of a program are one array operation, then each level of
AND / OR is one reduceat. Other steps may use this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from csfinterp.model.cohort import Bools, Bytes, Cohort, Floats, Ints
from csfinterp.model.predicate import (
    Above,
    All,
    Any,
    AtLeast,
    Below,
    Between,
    FirstKnown,
    Flagged,
    Holds,
    Is,
    Known,
    Limit,
    Not,
    Predicate,
)
from csfinterp.steps.layout import FLAG, Layout

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


@dataclass
class _Comparisons:
    """Leaves `quantity above limit` (or below), one entry per leaf."""

    quantity: list[int] = field(default_factory=list)
    constant: list[float] = field(default_factory=list)
    inclusive: list[bool] = field(default_factory=list)
    other: list[tuple[int, str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class _Other:
    """Leaves whose limit is no constant: places among the leaves, and the rows that the limits stand in."""

    place: Ints
    quantity_place: Ints
    quantity: Ints
    low_place: Ints
    low: Ints
    high_place: Ints
    high: Ints

    @classmethod
    def of(cls, other: list[tuple[int, str, int]]) -> _Other:
        def column(kind: str, part: int) -> Ints:
            return np.array([entry[part] for entry in other if entry[1] == kind], np.int64)

        return cls(
            np.array([place for place, _, _ in other], np.int64),
            *(column(kind, part) for kind in ("quantity", "low", "high") for part in (0, 2)),
        )


class Program:
    """Named predicates compiled together. `rows[name]` is the row of its truth in the array that `run` returns;
    `nodes[id(predicate)]` that of any part of them (the edition keeps the predicates alive).

    `statements`: name -> predicate, in an order in which `Holds` only names earlier ones or `given` ones.
    `veto`: name -> rows of `given`; where one of them is TRUE the statement is UNKNOWN (a quality rule suppressed it).
    """

    def __init__(
        self,
        layout: Layout,
        statements: Mapping[str, Predicate],
        given: Mapping[str, int] | None = None,
        veto: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self._layout = layout
        self._given = given or {}
        self._veto = veto or {}
        self._above, self._below = _Comparisons(), _Comparisons()
        self._words: list[tuple[int, NDArray[np.int8]]] = []
        self._flags: list[tuple[int, NDArray[np.int8]]] = []
        self._known: list[int] = []
        self._leaf: dict[Predicate, tuple[str, int]] = {}
        self._collect(statements)
        self._offset = self._offsets()
        self._nodes = self._leaf_count()
        self._level: dict[int, int] = {}
        self._ops: dict[tuple[int, str], list[tuple[int, tuple[int, ...], int]]] = {}
        self._node: dict[Predicate, int] = {}
        self.nodes: dict[int, int] = {}
        self.rows: dict[str, int] = {}
        for name, predicate in statements.items():
            self.rows[name] = self._statement(name, predicate)
        self._compile()

    @property
    def size(self) -> int:
        """Number of nodes: rows of the array that `run` returns."""
        return self._nodes

    # compiling --------------------------------------------------------------------------------------------------

    def _collect(self, statements: Mapping[str, Predicate]) -> None:
        for predicate in statements.values():
            self._collect_leaves(predicate)

    def _collect_leaves(self, predicate: Predicate) -> None:
        match predicate:
            case All(items) | Any(items) | AtLeast(_, items) | FirstKnown(items):
                for item in items:
                    self._collect_leaves(item)
            case Not(item):
                self._collect_leaves(item)
            case Between(quantity, low, high, inclusive):
                self._collect_leaves(Above(quantity, low, inclusive))
                self._collect_leaves(Below(quantity, high, inclusive))
            case Holds():
                pass
            case _:
                if predicate not in self._leaf:
                    self._leaf[predicate] = self._new_leaf(predicate)

    def _new_leaf(self, leaf: Predicate) -> tuple[str, int]:
        layout = self._layout
        match leaf:
            case Above(quantity, limit, inclusive):
                return "above", self._compare(self._above, quantity, limit, inclusive)
            case Below(quantity, limit, inclusive):
                return "below", self._compare(self._below, quantity, limit, inclusive)
            case Is(name, values):
                self._words.append((layout.coded[name], self._word_table(name, values)))
                return "word", len(self._words) - 1
            case Flagged(analyte, flags):
                table = np.zeros(len(FLAG), np.int8)
                table[0] = UNKNOWN
                table[[FLAG[flag] for flag in flags]] = TRUE
                self._flags.append((layout.statement[analyte], table))
                return "flag", len(self._flags) - 1
            case Known(name) if name in layout.coded:
                self._words.append((layout.coded[name], self._known_table(name)))
                return "word", len(self._words) - 1
            case Known(name):
                self._known.append(layout.quantity[name])
                return "known", len(self._known) - 1
        raise TypeError(f"no leaf: {leaf!r}")

    def _compare(self, group: _Comparisons, quantity: str, limit: Limit, inclusive: bool) -> int:
        row = self._layout.quantity[quantity]
        place = len(group.quantity)
        group.quantity.append(row)
        group.inclusive.append(inclusive)
        group.constant.append(float("nan") if limit.value is None else limit.value)
        if limit.quantity is not None:
            group.other.append((place, "quantity", self._layout.quantity[limit.quantity]))
        elif limit.reference is not None:
            group.other.append((place, limit.reference, row))
        return place

    def _word_table(self, name: str, values: tuple[str, ...]) -> NDArray[np.int8]:
        """Truth by word number + 1; column 0: nothing known.
        Words that mean "not known" are UNKNOWN unless asked for."""
        unknown = self._layout.unknown_words.get(name, ())
        table = [UNKNOWN]
        for word in self._layout.words[name]:
            table.append(TRUE if word in values else UNKNOWN if word in unknown else FALSE)
        return np.array(table, np.int8)

    def _known_table(self, name: str) -> NDArray[np.int8]:
        unknown = self._layout.unknown_words.get(name, ())
        return np.array([FALSE] + [FALSE if word in unknown else TRUE for word in self._layout.words[name]], np.int8)

    def _offsets(self) -> dict[str, int]:
        offset, found = 0, {}
        for kind, size in self._sizes().items():
            found[kind] = offset
            offset += size
        return found

    def _sizes(self) -> dict[str, int]:
        return {
            "above": len(self._above.quantity),
            "below": len(self._below.quantity),
            "word": len(self._words),
            "flag": len(self._flags),
            "known": len(self._known),
        }

    def _leaf_count(self) -> int:
        return sum(self._sizes().values())

    def _statement(self, name: str, predicate: Predicate) -> int:
        node = self._visit(predicate)
        if name in self._veto:
            # The children of a veto are rows of `given`; its own statement stands in `k`.
            node = self._add("veto", tuple(self._veto[name]), node, self._level.get(node, 0) + 1)
        return node

    def _visit(self, predicate: Predicate) -> int:
        node = self._node.get(predicate)
        if node is None:
            node = self._node[predicate] = self._make(predicate)
        self.nodes[id(predicate)] = node
        return node

    def _make(self, predicate: Predicate) -> int:
        match predicate:
            case All(items):
                node = self._group("and", tuple(self._visit(item) for item in items))
            case Any(items):
                node = self._group("or", tuple(self._visit(item) for item in items))
            case AtLeast(k, items):
                node = self._group("least", tuple(self._visit(item) for item in items), k)
            case FirstKnown(items):
                node = self._group("first", tuple(self._visit(item) for item in items))
            case Not(item):
                node = self._group("not", (self._visit(item),))
            case Between(quantity, low, high, inclusive):
                pair = (Above(quantity, low, inclusive), Below(quantity, high, inclusive))
                node = self._group("and", tuple(self._visit(item) for item in pair))
            case Holds(name, least):
                named = name if least is None else f"{name}>={least}"
                node = self.rows[named] if named in self.rows else self._add("given", (self._given[named],), 0, 1)
            case _:
                kind, place = self._leaf[predicate]
                node = self._offset[kind] + place
        return node

    def _group(self, kind: str, nodes: tuple[int, ...], k: int = 0) -> int:
        return self._add(kind, nodes, k, 1 + max(self._level.get(node, 0) for node in nodes))

    def _add(self, kind: str, nodes: tuple[int, ...], k: int, level: int) -> int:
        node = self._nodes
        self._nodes += 1
        self._level[node] = level
        self._ops.setdefault((level, kind), []).append((node, nodes, k))
        return node

    def _compile(self) -> None:
        self._plan: list[tuple[str, slice | Ints, Ints, Ints, Ints]] = []
        for level, kind in sorted(self._ops, key=lambda pair: pair[0]):
            ops = self._ops[level, kind]
            nodes = np.array([node for node, _, _ in ops], np.int64)
            flat = np.array([child for _, children, _ in ops for child in children], np.int64)
            sizes = [len(children) for _, children, _ in ops]
            starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
            ks = np.array([k for _, _, k in ops], np.int64)
            self._plan.append((kind, nodes, flat, starts, ks))
        self._compiled = [self._arrays(group) for group in (self._above, self._below)]
        self._word_rows = np.array([row for row, _ in self._words], np.int64)
        self._word_tables = _stack([table for _, table in self._words])
        self._flag_rows = np.array([row for row, _ in self._flags], np.int64)
        self._flag_tables = _stack([table for _, table in self._flags])
        self._known_rows = np.array(self._known, np.int64)

    @staticmethod
    def _arrays(group: _Comparisons) -> tuple[Ints, Floats, Bools, _Other]:
        return (
            np.array(group.quantity, np.int64),
            np.array(group.constant, np.float64)[:, None],
            np.array(group.inclusive, np.bool_)[:, None],
            _Other.of(group.other),
        )

    # running ----------------------------------------------------------------------------------------------------

    def run(self, facts: Facts) -> Bytes:
        """Truth of every node, shape (nodes, panels); read it through `rows`."""
        truth = np.empty((self._nodes, facts.low.shape[1]), np.int8)
        self._run_comparisons(facts, truth)
        if len(self._word_rows):
            start = self._offset["word"]
            truth[start : start + len(self._word_rows)] = _look_up(
                self._word_tables, facts.code[self._word_rows].astype(np.int64) + 1
            )
        if len(self._flag_rows):
            assert facts.flag is not None
            start = self._offset["flag"]
            truth[start : start + len(self._flag_rows)] = _look_up(
                self._flag_tables, facts.flag[self._flag_rows].astype(np.int64)
            )
        if len(self._known_rows):
            start = self._offset["known"]
            truth[start : start + len(self._known_rows)] = np.where(np.isnan(facts.low[self._known_rows]), FALSE, TRUE)
        for kind, nodes, flat, starts, ks in self._plan:
            truth[nodes] = self._combine(kind, truth, flat, starts, ks, facts)
        return truth

    def _combine(self, kind: str, truth: Bytes, flat: Ints, starts: Ints, ks: Ints, facts: Facts) -> Bytes:
        if kind == "and":
            return np.minimum.reduceat(truth[flat], starts, axis=0)
        if kind == "or":
            return np.maximum.reduceat(truth[flat], starts, axis=0)
        if kind == "not":
            return TRUE - truth[flat]
        if kind == "least":
            certain = np.add.reduceat(truth[flat] == TRUE, starts, axis=0, dtype=np.int64)
            possible = np.add.reduceat(truth[flat] >= UNKNOWN, starts, axis=0, dtype=np.int64)
            return np.where(certain >= ks[:, None], TRUE, np.where(possible < ks[:, None], FALSE, UNKNOWN))
        if kind == "first":
            return _first_known(truth[flat], starts)
        assert facts.given is not None
        if kind == "given":
            return facts.given[flat]
        vetoed = np.logical_or.reduceat(facts.given[flat] == TRUE, starts, axis=0)
        return np.where(vetoed, UNKNOWN, truth[ks])

    def _run_comparisons(self, facts: Facts, truth: Bytes) -> None:
        for upward, (rows, constants, inclusive, other) in zip((True, False), self._compiled, strict=True):
            if not len(rows):
                continue
            limit = self._limits(other, constants, facts)
            start = self._offset["above" if upward else "below"]
            truth[start : start + len(rows)] = _compare(upward, _Ends.of(facts, rows), limit, inclusive)

    @staticmethod
    def _limits(group: _Other, constants: Floats, facts: Facts) -> _Ends:
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
        return cls(facts.low[rows], facts.high[rows], opened, closed)


def _compare(upward: bool, value: _Ends, limit: _Ends, inclusive: Bools) -> Bytes:
    """TRUE if every value lies beyond every possible limit, FALSE if none does beyond any, else UNKNOWN (also NaN)."""
    if not upward:
        value, limit = limit, value
    certain, impossible = value.low > limit.high, value.high < limit.low
    edge_certain = value.low == limit.high
    edge_impossible = value.high == limit.low
    certain |= edge_certain & _or_open(inclusive, value.open_low, limit.open_high)
    impossible |= edge_impossible & _or_open(~inclusive, value.open_high, limit.open_low)
    result: Bytes = UNKNOWN + certain.astype(np.int8) - impossible.astype(np.int8)
    return result


def _or_open(edge: Bools, first: Bools | None, second: Bools | None) -> Bools:
    """The edge counts if the rule says so, or if one of the two ends that meet there is open."""
    for opened in (first, second):
        if opened is not None:
            edge = edge | opened
    return edge


def _first_known(items: Bytes, starts: Ints) -> Bytes:
    """Per group the first item that is not UNKNOWN; groups are the runs from `starts` on."""
    sizes = np.diff(np.append(starts, len(items)))
    found = items[starts]
    for place in range(1, int(sizes.max())):
        longer = sizes > place
        later = items[np.where(longer, starts + place, starts)]
        found = np.where((found == UNKNOWN) & longer[:, None], later, found)
    return found


def _stack(tables: list[NDArray[np.int8]]) -> NDArray[np.int8]:
    width = max((len(table) for table in tables), default=0)
    return np.array([np.pad(table, (0, width - len(table))) for table in tables], np.int8).reshape(len(tables), width)


def _look_up(tables: NDArray[np.int8], column: Ints) -> Bytes:
    return np.take_along_axis(tables, column, axis=1)
