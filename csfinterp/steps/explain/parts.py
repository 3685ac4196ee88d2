"""What explaining needs of a compiled edition, as plain data:
no step is called from here but the look-ups named below."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from csfinterp.model.cohort import Floats, Observations, Verdict
from csfinterp.model.edition import Edition, EvidenceTable
from csfinterp.model.panel import Panel
from csfinterp.model.predicate import Predicate
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


class ColumnEvidence(Protocol):
    """A table decided per panel; see steps/classify.py."""

    table: EvidenceTable


@dataclass(frozen=True)
class Parts:
    """What the words of one panel are made from.

    `read_value`: canonical value and comparator of one observation row. `not_sent`: words for "no result yet".
    `from_receipt`: times to analysis that count to the receipt. `critical_numbers`: critical rules (counted from 1)
    that an interval low..high of a quantity meets. `quality`: rule -> row of its truth; `first`, `advice`: the two
    programs; `grades`: pattern -> row. `vetoes`:
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
    first: Compiled
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
