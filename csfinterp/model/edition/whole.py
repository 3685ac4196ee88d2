"""The edition itself: everything the service knows, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from csfinterp.model.edition.advice import Recommendation, Score
from csfinterp.model.edition.analytes import Analyte, Derived
from csfinterp.model.edition.citations import Citation
from csfinterp.model.edition.evidence import EvidenceTable, Profile
from csfinterp.model.edition.limits import CriticalRule, DecisionLimit, NamedOption, Tolerance
from csfinterp.model.edition.patterns import Differential, Pattern, Statement
from csfinterp.model.edition.rules import Finding, GradeScale, QualityRule
from csfinterp.model.edition.site import SiteRules
from csfinterp.model.edition.units import UnitTable
from csfinterp.model.predicate import Holds, Predicate, leaves


@dataclass(frozen=True)
class Edition:
    """Everything the service knows, as one immutable value."""

    id: str
    digest: str
    status: str
    title: str
    disclaimer: str
    units: UnitTable
    analytes: tuple[Analyte, ...]
    derived: tuple[Derived, ...]
    limits: tuple[DecisionLimit, ...]
    critical: tuple[CriticalRule, ...]
    quality: tuple[QualityRule, ...]
    findings: tuple[Finding, ...]
    grade_scales: tuple[GradeScale, ...]
    profiles: tuple[Profile, ...]
    evidence: tuple[EvidenceTable, ...]
    options: tuple[NamedOption, ...]
    citations: tuple[Citation, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[Pattern, ...] = ()
    cautions: tuple[Statement, ...] = ()
    differential: Differential | None = None
    statements: tuple[Statement, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    scores: tuple[Score, ...] = ()
    codes_info: Mapping[str, str] = field(default_factory=dict)
    not_sent_words: tuple[str, ...] = ()
    organism_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    routine_tests: tuple[str, ...] = ()
    next_steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    released_on: str | None = None
    note: str | None = None
    site_rules: SiteRules | None = None

    @cached_property
    def analyte(self) -> Mapping[str, Analyte]:
        return {analyte.id: analyte for analyte in self.analytes}

    @cached_property
    def citation(self) -> Mapping[str, Citation]:
        return {citation.id: citation for citation in self.citations}

    @cached_property
    def derived_by_id(self) -> Mapping[str, Derived]:
        return {derived.id: derived for derived in self.derived}

    @cached_property
    def limit(self) -> Mapping[str, DecisionLimit]:
        return {limit.id: limit for limit in self.limits}

    @cached_property
    def first_program(self) -> Mapping[str, Predicate]:
        """Rules decided after quality and flags, by name: findings, and of each pattern its items, raises, `<id>.when`
        and `<id>.open_if.<number>`. Each stands behind what it names with `holds`."""
        found = {finding.id: finding.when for finding in self.findings}
        for pattern in self.patterns:
            found |= {item.id: item.when for item in pattern.items}
            found |= {short.id: short.when for short in pattern.raises}
            found |= {f"{pattern.id}.open_if.{number}": part.when for number, part in enumerate(pattern.open_if)}
            if pattern.rule is not None:
                found[f"{pattern.id}.when"] = pattern.rule
        return _in_order(found)

    @cached_property
    def second_program(self) -> Mapping[str, Predicate]:
        """Rules decided after the grades, by name: cautions, `differential`, liquid biopsy statements, recommendations
        (see `program_name`), and of each pattern `<id>.shown_if` and its lines. Each stands behind what it names with
        `holds`."""
        found = {entry.id: entry.when for entry in (*self.cautions, *self.statements)}
        found |= {self.program_name(entry): entry.when for entry in self.recommendations}
        if self.differential is not None:
            found["differential"] = self.differential.when
        for pattern in self.patterns:
            found |= {line.id: line.when for line in pattern.lines}
            if pattern.shown_if is not None:
                found[f"{pattern.id}.shown_if"] = pattern.shown_if
        return _in_order(found)

    @cached_property
    def shared_names(self) -> frozenset[str]:
        """Ids that a recommendation shares with a quality rule or finding; in a rule they mean the latter."""
        decided = {entry.id for entry in self.findings} | {entry.id for entry in self.quality}
        return frozenset(decided & {entry.id for entry in self.recommendations})

    def program_name(self, entry: Recommendation) -> str:
        """The name of a recommendation's rule in `second_program`: its id, or `<id>.recommendation` where shared."""
        return f"{entry.id}.recommendation" if entry.id in self.shared_names else entry.id


def _in_order(rules: Mapping[str, Predicate]) -> dict[str, Predicate]:
    """The same rules, each behind those that it names."""
    ordered: dict[str, Predicate] = {}
    begun: set[str] = set()

    def place(name: str) -> None:
        if name not in rules or name in begun:
            return
        begun.add(name)
        for leaf in leaves(rules[name]):
            if isinstance(leaf, Holds) and leaf.at_least is None:
                place(leaf.id)
        ordered[name] = rules[name]

    for name in rules:
        place(name)
    return ordered
