"""The sentences of the summary: each from one kind of statement, with a weight that says what must not be cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from csfinterp.model.interpretation import (
    CriticalResult,
    Issue,
    PatternResult,
    ProfileResult,
    QualityResult,
    RecommendationResult,
    Result,
    ScoreResult,
    StatementResult,
)
from csfinterp.model.predicate import TRUE
from csfinterp.steps.explain.phrases import OWN, Weighted, inside, listed, said
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import decimal, with_unit

REASON_WORDS = {
    "comparator_undecided": "the range sent lies on both sides of the limit",
    "age_too_coarse": "the age is too coarse",
    "age_missing": "the age is missing",
    "no_interval_for_site": "no limits for this puncture site",
    "no_interval_for_age": "no limits for this age",
    "pair_missing": "the other side of the pair is missing",
    "pair_not_matched": "CSF and serum do not belong together",
    "suppressed": "withheld by a plausibility rule",
    "sample_too_old": "the sample was too old",
    "blood_contamination": "too much blood in the sample",
    "implausible": "not plausible",
    "duplicate_result": "sent more than once",
}
# Said by findings and quality rules already, or by the sentence on what is normal.
UNSPOKEN = ("blood_contamination", "no_abnormality_measured")
HEMORRHAGE_SCORE = "sah_ruleout"
FIRST_TO_SETTLE = "bacterial_meningitis"
ANTIGEN_DECIDES = "fungal_meningitis"
TUMOR_CELLS = ("leptomeningeal_metastasis_csf", "established")
HEMORRHAGE = "subarachnoid_blood"
QUIET = ("info_only", "blood_trace", "no_interval")
CORRECTED = ("csf_leukocytes_corrected", "csf_protein_corrected")
MOST_REASONS, MOST_NAMES = 5, 4
MOST_CALLS, MOST_RULES, MOST_PATTERNS = 4, 3, 3


def spoken(row: Row, patterns: tuple[PatternResult, ...], *, graded: bool) -> list[PatternResult]:
    """Patterns that a summary names: emergencies, what is shown, what answers the question, then the others in print
    order. A mere likeness is not named beside an infection that is shown; tumor cells not where a level says it
    (`graded`)."""
    found = [pattern for pattern in patterns if _is_spoken(row, pattern, graded=graded)]
    if infection_shown(row, found):
        found = [p for p in found if p.grade == "established" or p.emergency or p.id == FIRST_TO_SETTLE]
    asked = {pattern.id for pattern in row.parts.edition.patterns if pattern.question == row.word("question")}
    return sorted(
        found,
        key=lambda p: (not p.emergency, p.grade != "established", p.id not in asked, _is_weak(p)),
    )


def infection_shown(row: Row, found: Iterable[PatternResult]) -> bool:
    """A pattern of infection is established: it explains the values, so that mere likenesses need no sentence. Tumor
    cells explain nothing away (SL44)."""
    infections = {pattern.id for pattern in row.parts.edition.patterns if pattern.question == "infection"}
    return any(pattern.grade == "established" and pattern.id in infections for pattern in found)


def _is_weak(pattern: PatternResult) -> bool:
    """Compatible only: named behind every other pattern."""
    return pattern.id == ANTIGEN_DECIDES and pattern.grade == "fits"


def _is_spoken(row: Row, pattern: PatternResult, *, graded: bool) -> bool:
    """At least partly there, or bacterial meningitis that stays open for a reason."""
    if not pattern.shown or pattern.id in UNSPOKEN or (graded and (pattern.id, pattern.grade) == TUMOR_CELLS):
        return False
    if pattern.id == ANTIGEN_DECIDES and pattern.grade == "fits":  # compatible with much: named where it is asked for
        return row.word("question") == "infection" or row.word("immunosuppressed") == "yes"
    return pattern.truth == "true" or (pattern.id == FIRST_TO_SETTLE and pattern.reason is not None)


def once(entries: tuple[CriticalResult, ...]) -> list[CriticalResult]:
    """The calls without that of the nucleated cells where the leukocytes are called."""
    leukocytes = any(entry.analyte == "csf_leukocytes" for entry in entries)
    return [entry for entry in entries if not (leukocytes and entry.analyte == "csf_nucleated_cells")]


def critical(row: Row, entries: tuple[CriticalResult, ...]) -> Iterator[Weighted]:
    """One sentence per analyte that is to be called; the service's own before the laboratory's."""
    rules = row.parts.edition.critical
    seen: set[str] = set()
    for entry in once(entries):
        if entry.analyte in seen or len(seen) >= MOST_CALLS:
            continue
        seen.add(entry.analyte)
        rule = next((found for found in rules if found.rule == entry.rule and entry.analyte in found.analytes), None)
        citations, status = (rule.citations, rule.status) if rule else (OWN, "ours")
        word = "Critical" if entry.level == "critical" else "Urgent"
        yield said(9, f"{word}: {entry.reason}", (entry.rule, entry.analyte), citations, status)


def quality(row: Row, rules: tuple[QualityResult, ...], calls: tuple[CriticalResult, ...]) -> Iterator[Weighted]:
    """Serious rules that touch something which was sent, those that withhold conclusions first; of steps the last,
    and none that a call tells already."""
    holding = {rule.id for rule in rules if rule.truth == "true"}
    silent = {rule.id for rule in row.parts.edition.quality if holding.intersection(rule.silent_if)}
    serious = [
        rule
        for rule in rules
        if rule.id not in silent
        and not any(rule.text in call.reason for call in calls)
        and (rule.severity == "warning" or (rule.severity == "suppresses" and _felt(row, rule)))
    ]
    for rule in sorted(serious, key=lambda rule: rule.severity != "suppresses")[:MOST_RULES]:
        yield said(_weight(row, rule), rule.text, (rule.id,), rule.citations, rule.status)


def _weight(row: Row, rule: QualityResult) -> int:
    """Withheld values weigh more than a warning, a conclusion drawn another way as well less."""
    if rule.severity != "suppresses":
        return 5
    return 7 if any(name in row.layout.statement for name in rule.suppresses) or _unread(row, rule) else 4


def _unread(row: Row, rule: QualityResult) -> bool:
    """The rule keeps a value that was sent from all other rules."""
    names = next(found.unread for found in row.parts.edition.quality if found.id == rule.id)
    return any(row.exact(name) is not None for name in names)


def _felt(row: Row, rule: QualityResult) -> bool:
    """The rule withholds a value or conclusion that would otherwise be there."""
    if _unread(row, rule):
        return True
    names = [name for name in rule.suppresses if name in row.layout.quantity]
    findings = [finding for finding in row.parts.edition.findings if finding.id in rule.suppresses]
    if names or not findings:
        return not names or any(row.exact(name) is not None for name in names)
    return any(row.before.truth(finding.when) is TRUE for finding in findings)


def patterns(named: list[PatternResult]) -> Iterator[Weighted]:
    """The first patterns in print order, in their own words."""
    for pattern in named[:MOST_PATTERNS]:
        held = tuple(item.id for item in pattern.items if item.truth == "true" and item.kind != "neutral")
        weight = 9 if pattern.emergency or pattern.grade == "established" else 6
        yield said(weight, pattern.text, (pattern.rule, *held), pattern.citations, pattern.status)
        for line in pattern.lines if pattern.emergency else ():
            yield said(6, line.text, (pattern.rule, line.id), line.citations, line.status)


def hemorrhage(row: Row, shapes: tuple[PatternResult, ...], points: tuple[ScoreResult, ...]) -> Iterator[Weighted]:
    """The answer to the question of subarachnoid hemorrhage: what bilirubin says stands before the rule-out score."""
    if row.word("question") != "sah":
        return
    for shape in shapes:
        if shape.id != HEMORRHAGE or shape.truth == "true":  # then the pattern itself says it, with its lines
            continue
        if shape.truth == "unknown":
            text = "Subarachnoid hemorrhage cannot be judged from the values sent."
            yield said(8, text, (shape.rule, *shape.missing), shape.citations, shape.status)
        for line in shape.lines:
            yield said(9, line.text, (shape.rule, line.id), line.citations, line.status)
        for score in points:
            if score.id == HEMORRHAGE_SCORE:
                told = score.text if score.status == "computed" else "not computable; what is missing stands with it."
                yield said(8, f"{score.name}: {told}", (score.id,), score.citations, score.source_status)


def three_way(row: Row, cautions: tuple[StatementResult, ...], named: list[PatternResult]) -> Iterator[Weighted]:
    """The one caution that belongs into a summary: three diseases that routine values do not separate. Where an
    infection is shown it stands with the cautions."""
    if infection_shown(row, named):
        return
    for caution in cautions:
        if caution.id == "PC01":
            yield said(8, caution.text, (caution.id,), caution.citations, caution.status)


def profile(profiles: tuple[ProfileResult, ...]) -> Iterator[Weighted]:
    """Agreement with the profile that applies; its obligatory caution stands under the profile itself."""
    for found in profiles:
        if found.applicability == "applies":
            text = f'Against the published profile "{inside(found.name)}": {inside(found.text)}'
            text += " This comparison does not change the LM certainty."
            yield said(4, text, (f"profile:{found.id}",), found.citations, found.status)


def next_step(advice: tuple[RecommendationResult, ...]) -> Iterator[Weighted]:
    """The most urgent advice for the treating team that is no call (calls stand with the critical results)."""
    wanted = [entry for entry in advice if entry.audience == "treating_team" and not entry.context_only]
    for entry in [entry for entry in wanted if entry.priority in (2, 3) and not entry.folded][:2]:
        text = entry.text if entry.text.startswith("Consider") else f"Advice: {entry.text}"
        yield said(3, text, (entry.rule,), entry.citations, entry.status)


def corrected(results: tuple[Result, ...]) -> Iterator[Weighted]:
    """The counts less what came with the blood, as estimates beside the measured ones."""
    found = [result for result in results if result.analyte in CORRECTED and isinstance(result.value, float)]
    if found:
        told = [
            f"{inside(one.name)} {with_unit(decimal(float(one.value or 0), one.decimals), one.unit)}" for one in found
        ]
        citations = dict.fromkeys(name for one in found for name in one.citations)
        text = f"Estimated beside the measured values: {listed(told)}."
        yield said(5, text, [one.analyte for one in found], citations, found[0].status)


def not_judged(results: tuple[Result, ...], issues: tuple[Issue, ...]) -> Iterator[Weighted]:
    """What was sent and could not be judged, by reason, said plainly."""
    open_ = [result for result in results if result.flag is None and result.not_judged not in (None, *QUIET)]
    by_reason: dict[str, dict[str, None]] = {}
    for result in open_:
        by_reason.setdefault(_reason(str(result.not_judged)), {})[result.name] = None
    parts = [f"{_first(list(names))} ({reason})" for reason, names in by_reason.items()]
    unread = sum(issue.severity == "error" and issue.code in ("code_unknown", "code_invalid") for issue in issues)
    if unread:
        parts.append(f"{unread} result{'s' if unread > 1 else ''} with a code that is not known")
    if parts:
        more = f" and {len(parts) - MOST_REASONS} more reasons" if len(parts) > MOST_REASONS + 1 else ""
        shown = parts[:MOST_REASONS] if more else parts
        names = [result.analyte for result in open_] or ["issues"]
        yield said(7, f"Not judged: {'; '.join(shown)}{more}.", names, OWN, "ours")


def _first(names: list[str]) -> str:
    return (
        listed(names)
        if len(names) <= MOST_NAMES + 1
        else f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    )


def _reason(word: str) -> str:
    return REASON_WORDS.get(word, word.replace("_", " "))
