"""What explaining needs of a compiled edition, as plain data:
no step is called from here but the look-ups named below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from csfinterp.model.cohort import Floats, Observations, Verdict
from csfinterp.model.edition import Edition, EvidenceTable, Finding, Pattern, PatternItem, Recommendation, Statement
from csfinterp.model.interpretation import ItemResult, Reference
from csfinterp.model.panel import Panel
from csfinterp.model.predicate import Flagged, Predicate, Truth, leaves
from csfinterp.steps.identify import Identifier
from csfinterp.steps.intervals import IntervalTable
from csfinterp.steps.layout import Layout
from csfinterp.steps.score import Scores


class Evidence(Protocol):
    """An evidence table decided for every combination of its inputs."""

    table: EvidenceTable

    def verdict(self, number: int) -> Verdict: ...

    def at(self, number: int, **words: str) -> Verdict: ...


class Compiled(Protocol):
    """A compiled program; see steps/program.py."""

    rows: dict[str, int]
    nodes: dict[int, int]


class Program(Compiled, Protocol):
    """One that also says how many nodes it has."""

    @property
    def size(self) -> int: ...


class ColumnEvidence(Protocol):
    """A table decided per panel; see steps/classify.py."""

    table: EvidenceTable


class PlannedItem(NamedTuple):
    """An item of a pattern, the row of its truth in the first program, whether the grade needs it, and what is printed
    for each truth."""

    item: PatternItem
    row: int
    needed: bool
    told: tuple[ItemResult, ...]


@dataclass(frozen=True)
class Parts:
    """What the words of one panel are made from.

    `read_value`: canonical value and comparator of one observation row. `not_sent`: words for "no result yet".
    `from_receipt`: times to analysis that count to the receipt. `critical_numbers`: critical rules (counted from 1)
    that an interval low..high of a quantity meets. `quality`: rule -> row of its truth; `checks`: nodes of the
    program of the quality rules; `first`, `advice`: the two further programs; `grades`: pattern -> row. `vetoes`:
    id -> rows of the quality rules that withhold it. `profile_start`: first row of a profile.
    """

    edition: Edition
    layout: Layout
    intervals: IntervalTable
    identifier: Identifier
    read_value: Callable[[Observations, int, int], tuple[float | None, str | None]]
    not_sent: frozenset[str]
    from_receipt: Callable[[Panel], frozenset[str]]
    critical_numbers: Callable[[int, float, float, Floats], list[int]]
    quality: Mapping[str, int]
    vetoes: Mapping[str, Sequence[int]]
    checks: Mapping[int, int]
    first: Program
    advice: Compiled
    grades: Mapping[str, int]
    profile_start: Mapping[str, int]
    evidence: Mapping[str, Evidence]
    column_evidence: Mapping[str, ColumnEvidence]
    scores: Scores

    @cached_property
    def rules(self) -> Mapping[str, Predicate]:
        """Quality rules by id."""
        return {rule.id: rule.when for rule in self.edition.quality}

    @cached_property
    def nodes(self) -> Mapping[int, int]:
        """id(predicate) -> place of its truth among the nodes of `first`, followed by those of `advice`."""
        return {key: self.first.size + node for key, node in self.advice.nodes.items()} | self.first.nodes

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        """Findings by id."""
        return {finding.id: finding for finding in self.edition.findings}

    @cached_property
    def items(self) -> Mapping[str, tuple[PlannedItem, ...]]:
        """The items of every pattern, ready for each truth."""
        patterns = self.edition.patterns
        return {found.id: tuple(self._planned(item, found) for item in found.items) for found in patterns}

    def _planned(self, item: PatternItem, pattern: Pattern) -> PlannedItem:
        told = [ItemResult(item.id, item.kind, truth.word, item.text, item.citations, item.status) for truth in Truth]
        needed = item.kind == "core" or item.id in pattern.required
        return PlannedItem(item, self.first.rows[item.id], needed, tuple(told))

    @cached_property
    def cautions(self) -> Sequence[tuple[Statement, int]]:
        """The cautions of the edition, each with the row of its truth in the second program."""
        return [(entry, self.advice.rows[entry.id]) for entry in self.edition.cautions]

    @cached_property
    def statements(self) -> Sequence[tuple[Statement, int]]:
        """The statements on tumor DNA and markers likewise."""
        return [(entry, self.advice.rows[entry.id]) for entry in self.edition.statements]

    @cached_property
    def recommendations(self) -> Sequence[tuple[Recommendation, int]]:
        """The recommendations likewise."""
        edition = self.edition
        return [(entry, self.advice.rows[edition.program_name(entry)]) for entry in edition.recommendations]

    @cached_property
    def judging(self) -> Mapping[str, tuple[int, ...]]:
        """The quantities whose flags a finding reads, by the finding's id."""
        return {
            finding.id: tuple(
                self.layout.quantity[leaf.analyte]
                for leaf in leaves(finding.when)
                if isinstance(leaf, Flagged) and leaf.analyte in self.layout.quantity
            )
            for finding in self.edition.findings
        }

    @cached_property
    def references(self) -> dict[int, Reference]:
        """Interval rows whose limits are plain numbers, as results print them, by number; filled as they are asked."""
        return {}

    @cached_property
    def marks(self) -> Mapping[str, Sequence[int]]:
        """Quality rules that set a mark beside a value, by the value's id."""
        found: dict[str, list[int]] = {}
        for number, rule in enumerate(self.edition.quality):
            for name in rule.marks:
                found.setdefault(name, []).append(number)
        return found

    @cached_property
    def remarks(self) -> Mapping[str, Sequence[int]]:
        """Quality rules that qualify a value which keeps its flag (a mark, a lower bound, not read), by its id."""
        found: dict[str, list[int]] = {}
        for number, rule in enumerate(self.edition.quality):
            for name in dict.fromkeys((*rule.marks, *rule.lower_bound, *rule.unread)):
                found.setdefault(name, []).append(number)
        return found

    @cached_property
    def timed(self) -> frozenset[str]:
        """Ids of the times to analysis."""
        return frozenset(entry.id for entry in self.edition.derived if entry.function == "time_to_analysis")
