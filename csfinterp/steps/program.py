"""Named predicates of an edition, compiled once into a plan of array operations that truth.py runs.

Other steps may use this module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from csfinterp.model.cohort import Bytes, Ints
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
from csfinterp.steps.truth import FALSE, TRUE, UNKNOWN, Comparisons, Facts, Lookups, Operation, OtherLimits, Plan


@dataclass
class _Leaves:
    """Leaves `quantity above limit` (or below), one entry per leaf; `other`: place, kind and row of a limit that is no
    constant."""

    quantity: list[int] = field(default_factory=list)
    constant: list[float] = field(default_factory=list)
    inclusive: list[bool] = field(default_factory=list)
    other: list[tuple[int, str, int]] = field(default_factory=list)


class _Op(NamedTuple):
    """A node that is no leaf. `k`: of "least" how many, of "veto" the node that it may make UNKNOWN."""

    kind: str
    node: int
    children: tuple[int, ...]
    k: int

    def decided_by(self, nodes: set[int]) -> bool:
        """All that this node needs is among `nodes`; what was decided earlier (given, veto) always is."""
        if self.kind == "given":
            return True
        return self.k in nodes if self.kind == "veto" else nodes.issuperset(self.children)


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
        self._above, self._below = _Leaves(), _Leaves()
        self._words: list[tuple[int, NDArray[np.int8]]] = []
        self._flags: list[tuple[int, NDArray[np.int8]]] = []
        self._known: list[int] = []
        self._leaf: dict[Predicate, tuple[str, int]] = {}
        self._collect(statements)
        self._offset = self._offsets()
        self._nodes = self._leaf_count()
        self._ops: list[_Op] = []
        self._node: dict[Predicate, int] = {}
        self.nodes: dict[int, int] = {}
        self.rows: dict[str, int] = {}
        for name, predicate in statements.items():
            self.rows[name] = self._statement(name, predicate)
        self._plan = self._compiled()

    @property
    def size(self) -> int:
        """Number of nodes: rows of the array that `run` returns."""
        return self._plan.size

    def run(self, facts: Facts) -> Bytes:
        """Truth of every node, shape (nodes, panels); read it through `rows`."""
        return self._plan.run(facts)

    # leaves ----------------------------------------------------------------------------------------------------------

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

    def _compare(self, group: _Leaves, quantity: str, limit: Limit, inclusive: bool) -> int:
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

    # nodes -----------------------------------------------------------------------------------------------------------

    def _statement(self, name: str, predicate: Predicate) -> int:
        node = self._visit(predicate)
        if name in self._veto:
            # The children of a veto are rows of `given`; its own statement stands in `k`.
            node = self._add("veto", tuple(self._veto[name]), node)
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
                node = self._add("and", tuple(self._visit(item) for item in items))
            case Any(items):
                node = self._add("or", tuple(self._visit(item) for item in items))
            case AtLeast(k, items):
                node = self._add("least", tuple(self._visit(item) for item in items), k)
            case FirstKnown(items):
                node = self._add("first", tuple(self._visit(item) for item in items))
            case Not(item):
                node = self._add("not", (self._visit(item),))
            case Between(quantity, low, high, inclusive):
                pair = (Above(quantity, low, inclusive), Below(quantity, high, inclusive))
                node = self._add("and", tuple(self._visit(item) for item in pair))
            case Holds(name, least):
                named = name if least is None else f"{name}>={least}"
                node = self.rows[named] if named in self.rows else self._add("given", (self._given[named],))
            case _:
                kind, place = self._leaf[predicate]
                node = self._offset[kind] + place
        return node

    def _add(self, kind: str, children: tuple[int, ...], k: int = 0) -> int:
        node = self._nodes
        self._nodes += 1
        self._ops.append(_Op(kind, node, children, k))
        return node

    # the plan ------------------------------------------------------------------------------------------------------

    def _compiled(self) -> Plan:
        groups = (self._comparisons(True, self._above), self._comparisons(False, self._below))
        return Plan(
            size=self._nodes,
            comparisons=tuple(group for group in groups if len(group.rows)),
            words=_lookups(self._offset["word"], self._words, 1),
            flags=_lookups(self._offset["flag"], self._flags, 0),
            known=np.array(self._known, np.int64),
            known_start=self._offset["known"],
            operations=tuple(_operation(ops) for ops in _batches(self._ops, self._leaf_count())),
        )

    def _comparisons(self, upward: bool, group: _Leaves) -> Comparisons:
        return Comparisons(
            upward,
            self._offset["above" if upward else "below"],
            np.array(group.quantity, np.int64),
            np.array(group.constant, np.float64)[:, None],
            np.array(group.inclusive, np.bool_)[:, None],
            ~np.array(group.inclusive, np.bool_)[:, None],
            _other(group.other),
        )


def _other(other: list[tuple[int, str, int]]) -> OtherLimits:
    def column(kind: str, part: int) -> Ints:
        return np.array([entry[part] for entry in other if entry[1] == kind], np.int64)

    return OtherLimits(
        np.array([place for place, _, _ in other], np.int64),
        *(column(kind, part) for kind in ("quantity", "low", "high") for part in (0, 2)),
    )


def _lookups(start: int, leaves: list[tuple[int, NDArray[np.int8]]], first: int) -> Lookups:
    """`first`: the place in each leaf's table that belongs to number 0."""
    rows = np.array([row for row, _ in leaves], np.int64)
    tables = [table for _, table in leaves]
    ends = np.cumsum([len(table) for table in tables], dtype=np.int64)
    zero = np.array([end - len(table) + first for end, table in zip(ends, tables, strict=True)], np.int64)
    return Lookups(start, rows, np.concatenate(tables) if tables else np.empty(0, np.int8), zero[:, None])


def _batches(ops: list[_Op], leaves: int) -> Iterator[list[_Op]]:
    """The operations in runs of one kind, children first. For few runs: next the kind with the largest share ready."""
    waiting, decided = ops, set(range(leaves))
    while waiting:
        ready = [op for op in waiting if op.decided_by(decided)]
        count, left = Counter(op.kind for op in ready), Counter(op.kind for op in waiting)
        kind = max(count, key=lambda kind: (count[kind] / left[kind], count[kind]))
        run = [op for op in ready if op.kind == kind]
        decided |= {op.node for op in run}
        waiting = [op for op in waiting if op.node not in decided]
        yield run


def _operation(ops: list[_Op]) -> Operation:
    starts = np.cumsum([0, *(len(op.children) for op in ops[:-1])], dtype=np.int64)
    longest = max(len(op.children) for op in ops) if ops[0].kind == "first" else 0
    return Operation(
        ops[0].kind,
        np.array([op.node for op in ops], np.int64),
        np.array([child for op in ops for child in op.children], np.int64),
        starts,
        np.array([[op.k] for op in ops], np.int64),
        tuple(
            np.array(
                [start + (place if place < len(op.children) else 0) for start, op in zip(starts, ops, strict=True)]
            )
            for place in range(1, longest)
        ),
    )
