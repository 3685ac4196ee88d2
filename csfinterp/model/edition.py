"""Knowledge as data: analytes, intervals, limits, rules, tables and citations of one edition.
No number lives in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from csfinterp.model.coefficients import Coefficients
from csfinterp.model.predicate import Holds, Predicate, leaves


@dataclass(frozen=True)
class Citation:
    """A source. `status` tells how the facts taken from it stand: primary, secondary, recalled, derived, ours."""

    id: str
    kind: str
    status: str
    authors: str | None = None
    year: int | None = None
    journal: str | None = None
    title: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    read: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Bound:
    """A number in the canonical unit; `inclusive`: the bound itself still lies inside."""

    value: float
    inclusive: bool = True


@dataclass(frozen=True)
class Bounds:
    """`hard`: outside cannot be true (not judged). `soft`: outside is judged, with a warning."""

    hard_low: Bound | None = None
    hard_high: Bound | None = None
    soft_low: Bound | None = None
    soft_high: Bound | None = None
    citations: tuple[str, ...] = ()
    status: str = "ours"


@dataclass(frozen=True)
class AgeEdge:
    """An edge of an age band in completed days (`unit` d) or completed years (`unit` a)."""

    value: float
    unit: str


@dataclass(frozen=True)
class IntervalLimit:
    """One end of a reference interval. Exactly one of `value` (canonical unit), `quantity`, or the age line is set.

    The age line is `intercept + completed years / divisor` (canonical unit). `inclusive`: the limit itself is normal.
    `text` is the limit as its source prints it (`source_value`, `source_unit` with the operator).
    """

    inclusive: bool
    text: str
    value: float | None = None
    quantity: str | None = None
    intercept: float | None = None
    divisor: float | None = None


@dataclass(frozen=True)
class Stratum:
    """The row holds for `low <= quantity < high`, canonical unit of that quantity; None = open end."""

    quantity: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ReferenceInterval:
    """One row of an analyte: for whom (site, age, context, stratum) and what is normal.

    `when`: the row needs this context predicate and then wins over plain rows. `gate`: without it TRUE the flag stays
    null (`info_only`). `rule` is the row id as the answer prints it, `csf_leukocytes/L5`.
    """

    rule: str
    sites: tuple[str, ...]
    age_from: AgeEdge
    age_to: AgeEdge | None
    low: IntervalLimit | None
    high: IntervalLimit | None
    citations: tuple[str, ...]
    status: str
    stratum: Stratum | None = None
    when: Predicate | None = None
    gate: Predicate | None = None
    note: str | None = None
    site_note: str | None = None


@dataclass(frozen=True)
class Band:
    """A graded reading without an interval: between `low` and `high` the flag, or the not-judged word."""

    rule: str
    low: Bound | None
    high: Bound | None
    flag: str | None
    not_judged: str | None
    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class CodedValue:
    """A word of a coded analyte; `unknown`: the word says that nothing was learned (nondiagnostic, failed)."""

    word: str
    flag: str | None
    not_judged: str | None = None
    unknown: bool = False
    note: str | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoincCode:
    """`csf_stated`: accepted only where the specimen is stated as CSF. `only_specimens`: accepted only there.

    `surrogate`: stands in only where the same panel has no other code of the analyte (polymorphonuclear cells).
    """

    code: str
    name: str | None
    use: str
    csf_stated: bool = False
    only_specimens: tuple[str, ...] = ()
    tube: int | None = None
    surrogate: bool = False
    note: str | None = None


@dataclass(frozen=True)
class WrongCode:
    """A code that senders use by mistake for this analyte; `right` is what to send."""

    code: str
    meaning: str
    right: str | None
    accept_as: str | None = None


@dataclass(frozen=True)
class InfoRow:
    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Analyte:
    """One quantity or coded result in one specimen; an id never changes its meaning.

    `kind`: quantity or coded. `specimen`: csf, serum, plasma, blood, csf_and_serum, patient. `unit`: canonical UCUM
    code. `counterpart`: the same test in the other specimen. `repeats`, what may tell two results apart: tube,
    organism, none; any_positive: nothing, but a positive one counts whatever the others say.
    """

    id: str
    name: str
    kind: str
    specimen: str
    citations: tuple[str, ...]
    status: str
    unit: str | None = None
    decimals: int = 0
    units: tuple[str, ...] = ()
    molar_mass: str | None = None
    molar_mass_assumed: bool = False
    bounds: Bounds = Bounds()
    loinc: tuple[LoincCode, ...] = ()
    wrong_codes: tuple[WrongCode, ...] = ()
    intervals: tuple[ReferenceInterval, ...] = ()
    bands: tuple[Band, ...] = ()
    info: tuple[InfoRow, ...] = ()
    values: tuple[CodedValue, ...] = ()
    needs_organism: bool = False
    counterpart: str | None = None
    repeats: str = "none"
    unit_required_explicit: bool = False
    traps: str | None = None
    file: str | None = None

    @property
    def preferred_loinc(self) -> str | None:
        """The first accepted code, or None where no LOINC is known to the edition."""
        return next((code.code for code in self.loinc if code.use == "accept" and not code.csf_stated), None)


@dataclass(frozen=True)
class Derived:
    """A calculated quantity. `function` names a function of steps/derive.py; `constants` are its numbers.

    `kind`: derived (listed among the results) or helper (for rules only). `pair`: the serum pair that it rests on
    ("protein", "glucose" or None). `report_if_missing`: listed with `pair_missing` where only one side was sent.
    """

    id: str
    name: str
    kind: str
    function: str
    inputs: tuple[str, ...]
    unit: str
    decimals: int
    constants: Mapping[str, float]
    formula: str
    citations: tuple[str, ...]
    status: str
    pair: str | None = None
    report_if_missing: bool = False
    intervals: tuple[ReferenceInterval, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class DecisionLimit:
    """A number of a disease study: moves findings, never a flag. `op` is one of >, >=, <, <=."""

    id: str
    quantity: str
    op: str
    value: float
    text: str
    says: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class CriticalRule:
    """Somebody must be told now. For quantities: `op` and `limit`, ages as bands, `age_unknown`: also without an age.

    For coded analytes: `words`. `flag`: HH, LL, AA or None (an urgent call item that keeps the flag). `level`: critical
    or urgent. `locked`: cannot be removed by a site.
    """

    id: str
    rule: str
    analytes: tuple[str, ...]
    level: str
    flag: str | None
    text: str
    citations: tuple[str, ...]
    status: str
    op: str | None = None
    limit: float | None = None
    limit_text: str | None = None
    words: tuple[str, ...] = ()
    age_from: AgeEdge = AgeEdge(0, "d")
    age_to: AgeEdge | None = None
    age_unknown: bool = False
    first_only: bool = False
    locked: bool = False


@dataclass(frozen=True)
class QualityRule:
    """A preanalytic or plausibility rule. Where `when` is TRUE its `suppresses` targets become UNKNOWN.

    Targets are ids of quantities (flag null with `not_judged`, rules read UNKNOWN) or of findings. Targets named in
    `marks` keep flag and value, with the rule's text beside them. Targets named in
    `lower_bound` are not withheld but read as "at least this value": a high one stands, a normal one is not judged.
    Quantities named in `unread` keep their flag, but rules read UNKNOWN. The summary leaves it to the rules named in
    `silent_if` to say it.
    Critical flags are never suppressed.
    """

    id: str
    rule: str
    name: str
    when: Predicate
    severity: str
    text: str
    citations: tuple[str, ...]
    status: str
    suppresses: tuple[str, ...] = ()
    not_judged: str = "suppressed"
    lower_bound: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    silent_if: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A named statement with three truth values. `rank`: place among the sentences (low first).

    `silent_if`: findings that already say it, so that the summary does not repeat it. `silent_unless`: findings without
    which the summary leaves it out (a share of few cells).
    """

    id: str
    name: str
    when: Predicate
    citations: tuple[str, ...]
    status: str
    texts: Mapping[str, str] = field(default_factory=dict)
    grades: str | None = None
    silent_if: tuple[str, ...] = ()
    silent_unless: tuple[str, ...] = ()
    rank: int = 5


@dataclass(frozen=True)
class Grade:
    """A word for how far `quantity` lies beyond its limit, tested in order;
    see barrier_and_intrathecal.md section 3."""

    word: str
    below: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class GradeScale:
    id: str
    quantity: str
    age_from: AgeEdge
    grades: tuple[Grade, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class ProfileMarker:
    """A published share: `share` of the cohort (0-1) was abnormal; `direction` high or low; glucose is `disputed`."""

    id: str
    direction: str
    scored: bool
    disputed: bool
    share: float | None
    cohort_n: int | None
    citations: tuple[str, ...]
    status: str
    note: str | None = None
    extra: str | None = None


@dataclass(frozen=True)
class Profile:
    id: str
    name: str
    tumor: str
    cohort: str
    entry_criterion: str
    caution: str
    normal_caution: str
    few_markers: str
    markers: tuple[ProfileMarker, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class EvidenceRow:
    """One K row: the first TRUE row wins; `answer` is its level or status word."""

    id: str
    when: Predicate
    answer: str
    reason: str | None = None
    type_prefix: str | None = None
    text: str | None = None
    citations: tuple[str, ...] = ()
    status: str = "ours"


@dataclass(frozen=True)
class EvidenceCell:
    """One R row of the expanded table: which cell of the printed grid was used, and how well it is supported."""

    id: str
    when: Predicate
    level: str
    status: str
    citations: tuple[str, ...]
    review: bool = False
    type_open: bool = False
    if_solid: bool = False
    caution_id: str | None = None
    caution: str | None = None


@dataclass(frozen=True)
class EvidenceTable:
    """Ordered rows over coded inputs. `completions`: per input, the words that a missing value could still take.

    `columns`: the inputs may be quantities too, so the rows are evaluated per panel instead of looked up.
    `open_rows`: what stands beside `otherwise` while the row of this id is the first one still open.
    """

    id: str
    name: str
    guideline: str
    inputs: tuple[str, ...]
    rows: tuple[EvidenceRow, ...]
    otherwise: str
    citations: tuple[str, ...]
    status: str
    cells: tuple[EvidenceCell, ...] = ()
    levels: tuple[str, ...] = ()
    letters: Mapping[str, str] = field(default_factory=dict)
    completions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing_texts: Mapping[str, str] = field(default_factory=dict)
    columns: bool = False
    open_rows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PatternItem:
    """One item of a pattern. `kind`: decisive, core, support, alarm, counter, counter_major, neutral.

    `id` is the printed number (B1), unique over all patterns. `text` says what the item asks.
    """

    id: str
    kind: str
    when: Predicate
    text: str
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class OpenReason:
    """Why a grade may not become does_not_fit: it stays not_evaluable, with this reason (ER12)."""

    reason: str
    when: Predicate


@dataclass(frozen=True)
class Raise:
    """A short rule: where it holds, the grade is at least `grade`."""

    id: str
    when: Predicate
    grade: str


@dataclass(frozen=True)
class Pattern:
    """A disease pattern of values, never a diagnosis. Order of the tuple of an edition is the print order of ER6.

    With core items: `k` TRUE ones give partly_fits, all give fits (`partly` False: no partly_fits). Without core,
    `rule` decides: TRUE fits, FALSE does_not_fit, UNKNOWN not_evaluable. `required`: item ids; FALSE gives
    does_not_fit, UNKNOWN not_evaluable. Applied as decisive (final), core, raises, counter_major, required, open_if.
    `emergency`: grades that are an emergency. `texts`: sentence per grade; `headlines`: what the headline says of a
    grade, where it says anything. `question`: the question that it answers. `shown_if`: else computed but not shown.
    """

    id: str
    rule_id: str
    name: str
    items: tuple[PatternItem, ...]
    texts: Mapping[str, str]
    citations: tuple[str, ...]
    status: str
    k: int | None = None
    partly: bool = True
    rule: Predicate | None = None
    required: tuple[str, ...] = ()
    raises: tuple[Raise, ...] = ()
    open_if: tuple[OpenReason, ...] = ()
    shown_if: Predicate | None = None
    emergency: tuple[str, ...] = ()
    lines: tuple[Statement, ...] = ()
    headlines: Mapping[str, str] = field(default_factory=dict)
    question: str = "not_stated"


@dataclass(frozen=True)
class Statement:
    """A sentence that is printed where `when` is TRUE and nothing of `silent_if` is. `group` sorts it (PC, EC, FP ...).

    `text` may hold {names} of quantities and coded inputs: filled with the patient's value and unit.
    """

    id: str
    when: Predicate
    text: str
    citations: tuple[str, ...]
    status: str
    group: str = ""
    name: str | None = None
    silent_if: tuple[str, ...] = ()
    audience: tuple[str, ...] = ("treating_team",)


@dataclass(frozen=True)
class DifferentialGroup:
    """One group of causes of leptomeningeal enhancement with the tests that look for them."""

    id: str
    leptomeningeal: tuple[str, ...]
    pachymeningeal: tuple[str, ...]
    tests: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Differential:
    """Printed where `when` is TRUE; `trigger` is the sentence that says why."""

    when: Predicate
    trigger: str
    groups: tuple[DifferentialGroup, ...]
    notes: tuple[str, ...]
    citations: tuple[str, ...]
    status: str


@dataclass(frozen=True)
class Recommendation:
    """Advice to consider, never an order; no doses. `rule` is the printed number (R-L01), `id` the readable id.

    `priority`: 1 critical, 2 urgent, 3 high, 4 routine, 5 context. `audiences`: laboratory, treating_team.
    `context_only`: only in the block "for the treating team, context only".
    """

    id: str
    rule: str
    when: Predicate
    text: str
    audiences: tuple[str, ...]
    priority: int
    citations: tuple[str, ...]
    status: str
    context_only: bool = False
    silent_if: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A population rule of a score: where `when` is TRUE the score is refused with this reason."""

    reason: str
    when: Predicate


@dataclass(frozen=True)
class Score:
    """A published score. `function` names a function of steps/score.py; `constants` are its numbers.

    `asked_if`: evaluated only where TRUE (else not listed). `gate`: each FALSE-making refusal; `needed`: inputs without
    which it is not computable. `default_on` False: off until a site switches it on.
    """

    id: str
    rule: str
    name: str
    function: str
    population: str
    citations: tuple[str, ...]
    status: str
    needed: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unknown_refusals: tuple[Refusal, ...] = ()
    constants: Mapping[str, object] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    asked_if: Predicate | None = None
    default_on: bool = True


@dataclass(frozen=True)
class NamedOption:
    """An alternative of the edition that a site may choose; it replaces the rows it states in full."""

    id: str
    analyte: str | None
    text: str
    citations: tuple[str, ...]
    status: str
    selectable: bool
    intervals: tuple[ReferenceInterval, ...] = ()
    replaces_critical: tuple[str, ...] = ()
    critical: tuple[CriticalRule, ...] = ()
    decision_limits: tuple[DecisionLimit, ...] = ()
    constants: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class UnitCode:
    """A UCUM code: `scale` in the base unit of its dimension (exact), `pint` the same unit as pint spells it."""

    code: str
    dimension: str
    scale: Fraction
    pint: str


@dataclass(frozen=True)
class UnitAlias:
    """A field spelling; `dimensions`: where it is read so. `ignore_case`: spelled in any case."""

    seen: str
    becomes: str
    dimensions: tuple[str, ...]
    ignore_case: bool = False


@dataclass(frozen=True)
class UnitTable:
    codes: Mapping[str, UnitCode]
    aliases: tuple[UnitAlias, ...]
    molar_masses: Mapping[str, Fraction]
    molar_dimensions: Mapping[str, str]
    thirds_dimension: str


@dataclass(frozen=True)
class CodeMap:
    """Local codes of one sender: code -> analyte id, words of coded results, decimal comma allowed or not."""

    id: str
    source: str
    codes: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]
    decimal_comma: bool = False
    default_units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteRules:
    """What a site chose: named options, code maps, limits of its own assays; `digest` names exactly this choice.

    `limit_texts`: analyte -> limit as the site wrote it, with unit; `platform_texts` likewise platform -> limit of
    csf_ctc. `assay_limits` and `ctc_platforms`: the same as numbers in the canonical unit, filled when the rules are
    put into an edition. `scores_on`: scores that are off by default. `assay_comparable`: its CXCL13 and IL-10 assays
    agree with the published ones (scores.md S8). `coefficients`: file name -> text of a coefficient file, those of
    former versions in `former_coefficients`; `models`: what those in force say, filled with the limits. `lines`: where
    each choice stands in `file`.
    """

    id: str
    digest: str
    options: tuple[str, ...] = ()
    code_maps: tuple[CodeMap, ...] = ()
    limit_texts: Mapping[str, str] = field(default_factory=dict)
    platform_texts: Mapping[str, str] = field(default_factory=dict)
    assay_limits: Mapping[str, float] = field(default_factory=dict)
    ctc_platforms: Mapping[str, float] = field(default_factory=dict)
    scores_on: tuple[str, ...] = ()
    assay_comparable: bool = False
    coefficients: Mapping[str, str] = field(default_factory=dict)
    former_coefficients: Mapping[str, str] = field(default_factory=dict)
    models: tuple[Coefficients, ...] = ()
    file: str | None = field(default=None, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)


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
