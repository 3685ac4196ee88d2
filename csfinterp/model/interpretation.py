"""The answer: one structured, explained, cited interpretation. Field names are those of the interpretation document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from csfinterp.model.panel import Variant


@dataclass(frozen=True)
class Note:
    code: str
    text: str


@dataclass(frozen=True)
class Reported:
    """The value as sent, verbatim."""

    value: str | None
    comparator: str | None
    unit: str | None
    code: str


@dataclass(frozen=True)
class Reference:
    """The interval row that was used; numbers in the result's canonical unit."""

    low: float | None
    high: float | None
    low_inclusive: bool | None
    high_inclusive: bool | None
    text: str
    unit: str
    partition: str
    citations: tuple[str, ...]
    status: str
    rule: str


@dataclass(frozen=True)
class Result:
    analyte: str
    name: str
    loinc: str | None
    kind: str
    reported: Reported | None
    value: float | str | None
    comparator: str | None
    unit: str | None
    derived: bool
    inputs: tuple[str, ...]
    flag: str | None
    critical: bool
    not_judged: str | None
    reference: Reference | None
    times_limit: float | None
    advisory: str | None
    notes: tuple[Note, ...]
    laboratory_flag: str | None
    laboratory_range: str | None
    organism: str | None
    organism_class: str | None
    decimals: int
    citations: tuple[str, ...]
    status: str
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Issue:
    """`observation` counts from 0; None for the whole panel. `severity`: error (not judged), warning, info."""

    code: str
    severity: str
    observation: int | None
    message: str


@dataclass(frozen=True)
class QualityResult:
    id: str
    rule: str
    name: str
    truth: str
    severity: str
    suppresses: tuple[str, ...]
    because: tuple[str, ...]
    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class FindingResult:
    id: str
    name: str
    truth: str
    severity: str | None
    because: tuple[str, ...]
    missing: tuple[str, ...]
    suppressed_by: str | None
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class MarkerResult:
    id: str
    direction: str
    scored: bool
    disputed: bool
    truth: str
    agreement: str
    flag: str | None
    cohort_share: float | None
    cohort_n: int | None
    entry_criterion: str
    note: str | None
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class ProfileResult:
    id: str
    name: str
    applicability: str
    reason: str | None
    abnormal: int
    evaluable: int
    text: str
    markers: tuple[MarkerResult, ...]
    caution: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class LMBounds:
    lowest: str
    highest: str


@dataclass(frozen=True)
class LMIfSolid:
    certainty: str
    type: str | None
    provisional: bool
    row: str


@dataclass(frozen=True)
class LMCaution:
    id: str
    text: str


@dataclass(frozen=True)
class LMResult:
    """EANO-ESMO certainty: a statement about evidence, never a probability."""

    certainty: str
    type: str | None
    type_open: bool
    provisional: bool
    row: str
    bounds: LMBounds | None
    if_solid: LMIfSolid | None
    review: bool
    because: tuple[str, ...]
    missing: tuple[str, ...]
    would_settle: tuple[str, ...]
    cautions: tuple[LMCaution, ...]
    guideline: str
    citations: tuple[str, ...]
    status: str
    reason: str | None


@dataclass(frozen=True)
class HematologicResult:
    status: str
    row: str | None
    text: str
    because: tuple[str, ...]
    missing: tuple[str, ...]
    would_settle: tuple[str, ...]
    citations: tuple[str, ...]


@dataclass(frozen=True)
class ScoreResult:
    """A published score. `status`: computed, not_computable or refused; one number is `value`, an open one `range`.

    `class_word` is printed as "class"; None where no class, or an undecided one, is given (then `text` says so).
    """

    id: str
    name: str
    status: str
    value: float | None
    range: tuple[float, float] | None
    class_word: str | None
    text: str
    reason: str | None
    missing: tuple[str, ...]
    population: str
    citations: tuple[str, ...]
    source_status: str


@dataclass(frozen=True)
class Sentence:
    text: str
    because: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Summary:
    headline: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class CriticalResult:
    analyte: str
    rule: str
    level: str
    source: str
    reason: str
    acknowledged: Mapping[str, object] | None


@dataclass(frozen=True)
class CitationEntry:
    id: str
    text: str
    doi: str | None
    pmid: str | None
    status: str


@dataclass(frozen=True)
class LeukemiaResult:
    status: str
    row: int | None
    provisional: bool
    reason: str | None
    because: tuple[str, ...]
    missing: tuple[str, ...]
    would_settle: tuple[str, ...]
    citations: tuple[str, ...]
    text: str
    source_status: str


@dataclass(frozen=True)
class StatementResult:
    """A printed sentence with its trigger: liquid biopsy statements and cautions."""

    id: str
    text: str
    because: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class CautionResult(StatementResult):
    """A caution; `folded`: behind "more"; `never_folded`: what a reader must not miss, however short the report."""

    folded: bool = False
    never_folded: bool = False


@dataclass(frozen=True)
class ItemResult:
    id: str
    kind: str
    truth: str
    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class PatternResult:
    """A pattern of values with its grade; never a diagnosis."""

    id: str
    rule: str
    name: str
    truth: str
    grade: str
    reason: str | None
    shown: bool
    emergency: bool
    discordant: bool
    alarms: tuple[str, ...]
    items: tuple[ItemResult, ...]
    support: tuple[str, ...]
    against: tuple[str, ...]
    missing: tuple[str, ...]
    text: str
    citations: tuple[str, ...]
    lines: tuple[StatementResult, ...]
    status: str


@dataclass(frozen=True)
class DifferentialGroupResult:
    id: str
    leptomeningeal: tuple[str, ...]
    pachymeningeal: tuple[str, ...]
    tests: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class DifferentialResult:
    trigger: str
    groups: tuple[DifferentialGroupResult, ...]
    notes: tuple[str, ...]
    citations: tuple[str, ...]


@dataclass(frozen=True)
class RecommendationResult:
    id: str
    rule: str
    text: str
    audience: str
    context_only: bool
    priority: int
    folded: bool
    because: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Interpretation:
    """One panel read whole. `patient`, `specimen`, `context` are plain mappings, as received or as used."""

    status: str
    edition: Mapping[str, object]
    site_rules: Mapping[str, object] | None
    software: Mapping[str, object]
    patient: Mapping[str, object]
    specimen: Mapping[str, object]
    context: Mapping[str, object]
    results: tuple[Result, ...]
    issues: tuple[Issue, ...]
    quality: tuple[QualityResult, ...]
    findings: tuple[FindingResult, ...]
    profiles: tuple[ProfileResult, ...]
    lm: LMResult
    hematologic_cns: HematologicResult
    leukemia_cns: LeukemiaResult
    liquid_biopsy: tuple[StatementResult, ...]
    patterns: tuple[PatternResult, ...]
    cautions: tuple[CautionResult, ...]
    differential: DifferentialResult | None
    scores: tuple[ScoreResult, ...]
    recommendations: tuple[RecommendationResult, ...]
    summary: Summary
    critical: tuple[CriticalResult, ...]
    citations: tuple[CitationEntry, ...]
    disclaimer: str
