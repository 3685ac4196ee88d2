"""Named predicates of an edition, compiled once into a plan of array operations that truth.py runs.

Other steps may use this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
        self._level: dict[int, int] = {}
        self._ops: dict[tuple[int, str], list[tuple[int, tuple[int, ...], int]]] = {}
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
            operations=tuple(
                _operation(kind, self._ops[level, kind]) for level, kind in sorted(self._ops, key=lambda pair: pair[0])
            ),
        )

    def _comparisons(self, upward: bool, group: _Leaves) -> Comparisons:
        return Comparisons(
            upward,
            self._offset["above" if upward else "below"],
            np.array(group.quantity, np.int64),
            np.array(group.constant, np.float64)[:, None],
            np.array(group.inclusive, np.bool_)[:, None],
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
    """Tables of different length, filled up to one width."""
    width = max((len(table) for _, table in leaves), default=0)
    tables = [np.pad(table, (0, width - len(table))) for _, table in leaves]
    rows = np.array([row for row, _ in leaves], np.int64)
    return Lookups(start, rows, np.array(tables, np.int8).reshape(len(leaves), width), first)


def _operation(kind: str, ops: list[tuple[int, tuple[int, ...], int]]) -> Operation:
    nodes = np.array([node for node, _, _ in ops], np.int64)
    flat = np.array([child for _, children, _ in ops for child in children], np.int64)
    sizes = [len(children) for _, children, _ in ops]
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    return Operation(kind, nodes, flat, starts, np.array([k for _, _, k in ops], np.int64))
