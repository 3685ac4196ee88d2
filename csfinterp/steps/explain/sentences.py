"""The sentences of the summary: each from one kind of statement, with a weight that says what must not be cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from csfinterp.model.context import ABNORMAL_FLAGS
from csfinterp.model.edition import Finding
from csfinterp.model.interpretation import (
    CriticalResult,
    FindingResult,
    HematologicResult,
    Issue,
    LeukemiaResult,
    LMResult,
    PatternResult,
    ProfileResult,
    QualityResult,
    RecommendationResult,
    Result,
    ScoreResult,
    Sentence,
    StatementResult,
)
from csfinterp.model.predicate import Above, Any, Below, Flagged, Predicate, Truth, inputs, leaves
from csfinterp.steps.explain.readings import fill
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import decimal, told_apart, with_unit

OWN = ("csfinterp_rule",)
WEAKEST_FIRST = ("recalled", "ours", "secondary", "derived", "primary")
LEVEL_WORDS = {
    "confirmed": "confirmed",
    "probable": "probable",
    "possible": "possible",
    "lack_of_evidence": "lack of evidence (not an exclusion)",
    "not_classifiable": "not classifiable",
}
INPUT_WORDS = {
    "tumor": "tumor",
    "biopsy": "biopsy",
    "csf_cytology": "cytology",
    "mri": "MRI",
    "clinical_signs": "clinical signs",
}
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
NORMAL = ("pleocytosis", "protein_raised", "glucose_low", "lactate_raised")
INFLAMMATION = ("barrier_dysfunction", "intrathecal_igg", "intrathecal_iga", "intrathecal_igm")
KAPPA = ("intrathecal_kappa", "kappa_index_above_ms_cut")
NO_SYNTHESIS = ("No intrathecal synthesis of ", " by the hyperbolic limit")
BLOOD_MARKS = ("R3", "AP1")
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
MOST_CALLS, MOST_RULES, MOST_PATTERNS, MOST_FINDINGS = 4, 3, 3, 6


@dataclass(frozen=True)
class Weighted:
    """A sentence and how much it matters that it stays (9 = a reader must see it)."""

    weight: int
    sentence: Sentence


def _said(weight: int, text: str, because: Iterable[str], citations: Iterable[str], status: str) -> Weighted:
    return Weighted(weight, Sentence(text, tuple(because), tuple(citations), status))


def listed(names: Iterable[str]) -> str:
    """ "a, b and c"."""
    found = list(names)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1]


def inside(name: str) -> str:
    """A name inside a sentence: lower case unless its first word is an abbreviation or a person."""
    first = name.split(" ")[0]
    keep = first in ("Gram", "India", "Froin") or not first[1:].islower()
    return name if keep else name[0].lower() + name[1:]


def level_words(lm: LMResult) -> str:
    """The certainty with its type, as a reader says it."""
    text = LEVEL_WORDS[lm.certainty]
    if lm.type:
        text += f", type {lm.type}" + (" (letter open)" if lm.type_open else "")
    return text + (", provisional" if lm.provisional else "")


def spoken(row: Row, patterns: tuple[PatternResult, ...], *, graded: bool) -> list[PatternResult]:
    """Patterns that a summary names: emergencies, what is shown, what answers the question, then the others in print
    order. A mere likeness is not named beside a disease that is shown; tumor cells not where a level says it
    (`graded`)."""
    found = [pattern for pattern in patterns if _is_spoken(row, pattern, graded=graded)]
    proved = [pattern for pattern in found if pattern.grade == "established"]
    if proved:
        found = [pattern for pattern in found if pattern in proved or pattern.emergency]
    asked = {pattern.id for pattern in row.parts.edition.patterns if pattern.question == row.word("question")}
    return sorted(found, key=lambda p: (not p.emergency, p.grade != "established", p.id not in asked))


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
        yield _said(9, f"{word}: {entry.reason}", (entry.rule, entry.analyte), citations, status)


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
        yield _said(7 if rule.severity == "suppresses" else 5, rule.text, (rule.id,), rule.citations, rule.status)


def _felt(row: Row, rule: QualityResult) -> bool:
    """The rule withholds a value or conclusion that would otherwise be there."""
    names = [name for name in rule.suppresses if name in row.layout.quantity]
    findings = [finding for finding in row.parts.edition.findings if finding.id in rule.suppresses]
    if names or not findings:
        return not names or any(row.exact(name) is not None for name in names)
    return any(row.before.truth(finding.when) is Truth.TRUE for finding in findings)


def patterns(named: list[PatternResult]) -> Iterator[Weighted]:
    """The first patterns in print order, in their own words."""
    for pattern in named[:MOST_PATTERNS]:
        held = tuple(item.id for item in pattern.items if item.truth == "true" and item.kind != "neutral")
        weight = 9 if pattern.emergency or pattern.grade == "established" else 6
        yield _said(weight, pattern.text, (pattern.rule, *held), pattern.citations, pattern.status)
        for line in pattern.lines if pattern.emergency else ():
            yield _said(6, line.text, (pattern.rule, line.id), line.citations, line.status)


# findings -----------------------------------------------------------------------------------------------------------


def holding(row: Row, states: tuple[FindingResult, ...]) -> list[FindingResult]:
    """Findings that hold and are spoken of, the weightiest first."""
    rules = {finding.id: finding for finding in row.parts.edition.findings}
    true = {state.id for state in states if state.truth == "true"}
    found = [
        state
        for state in states
        if state.id in true
        and not true.intersection(rules[state.id].silent_if)
        and true.issuperset(rules[state.id].silent_unless)
    ]
    return sorted(found, key=lambda state: rules[state.id].rank)


def findings(
    row: Row, states: tuple[FindingResult, ...], results: tuple[Result, ...], named: list[PatternResult]
) -> Iterator[Weighted]:
    """Sentences of the findings that hold and that no pattern has said already."""
    rules = {finding.id: finding for finding in row.parts.edition.findings}
    said = {"organism_found"} if any(pattern.grade == "established" for pattern in named) else set()
    said |= {"bacterial_alarm_value"} if any(p.emergency and p.id == FIRST_TO_SETTLE for p in named) else set()
    said |= {"xanthochromia"} if any(pattern.id == HEMORRHAGE for pattern in named) else set()
    told = [state for state in holding(row, states) if state.id not in said and rules[state.id].texts.get("true")]
    for state in told[:MOST_FINDINGS]:
        finding = rules[state.id]
        text = _finding_text(row, finding, state, results)
        yield _said(8 if finding.rank <= 3 else 6, text, (state.id,), state.citations, state.status)
    yield from _kappa(row, states)


def _kappa(row: Row, states: tuple[FindingResult, ...]) -> Iterator[Weighted]:
    """Both kappa verdicts where they disagree (barrier_and_intrathecal.md section 5)."""
    pair = [state for state in states if state.id in KAPPA]
    if {state.truth for state in pair} == {"true", "false"}:
        other = next(state for state in pair if state.truth == "false")
        texts = next(finding.texts for finding in row.parts.edition.findings if finding.id == other.id)
        if texts.get("false"):
            yield _said(6, texts["false"], (other.id,), other.citations, other.status)


def _finding_text(row: Row, finding: Finding, state: FindingResult, results: tuple[Result, ...]) -> str:
    """The finding's own sentence with its grade, the number that decided, and marks that belong to it."""
    text = fill(row, finding.texts["true"]).rstrip(".")
    if state.severity:
        text += f", grade {state.severity}"
    names = [name for name in inputs(finding.when) if name in row.layout.quantity]
    numbers: dict[str, str] = {}  # one per quantity; of alternatives all that hold
    for leaf in leaves(finding.when):
        if (found := _number(row, leaf, named=len(names) > 1)) and (isinstance(finding.when, Any) or not numbers):
            numbers.setdefault(inputs(leaf)[0], found)
    number = ", ".join(numbers.values())
    extra = [result.advisory for result in results if result.analyte in names and result.advisory]
    extra += ["blood may contribute"] if _blood(row, names) else []
    number = "; ".join([part for part in (number, *extra) if part])
    if not number:
        return f"{text}."
    if not any(mark in text for mark in ";:(") and len(text) <= 80:
        return f"{text}: {number}."
    return f"{text} ({number.replace(' (', ', ').replace(')', '')})."


def _blood(row: Row, names: list[str]) -> bool:
    rules = row.parts.edition.quality
    return any(
        rules[number].rule in BLOOD_MARKS and row.quality[number] == Truth.TRUE
        for name in names
        for number in row.parts.marks.get(name, ())
    )


def _number(row: Row, leaf: Predicate, *, named: bool) -> str:
    """ "812 mg/L (reference < 500 mg/L)" of a leaf that holds and compares a quantity; else nothing."""
    if not isinstance(leaf, (Flagged, Above, Below)) or row.truth(leaf) is not Truth.TRUE:
        return ""
    name = leaf.analyte if isinstance(leaf, Flagged) else leaf.quantity
    if name not in row.layout.quantity:
        return ""
    shown, entry = row.seen(name), row.layout.entry(name)
    start = f"{inside(entry.name)} " if named and entry else ""
    if isinstance(leaf, Flagged):
        reference = row.reference_text(name)
        return start + shown.text + (f" (reference {reference})" if reference else "")
    limit = row.limit(name, leaf.limit)
    if leaf.limit.quantity is None or limit is None or shown.value is None:
        return start + shown.text
    value, other = told_apart(shown.value, limit, shown.decimals)
    return f"{start}{with_unit(value, shown.unit)} (limit {with_unit(other, shown.unit)})"


def normal(row: Row, states: tuple[FindingResult, ...], shapes: tuple[PatternResult, ...]) -> Iterator[Weighted]:
    """What is not abnormal, in one sentence; never as an exclusion. A wholly normal panel has its own lines."""
    whole = next((p for p in shapes if p.id == "no_abnormality_measured" and p.truth == "true"), None)
    if whole is not None:
        yield _said(6, whole.text, (whole.rule,), whole.citations, whole.status)
        for line in whole.lines:
            yield _said(6, line.text, (whole.rule, line.id), line.citations, line.status)
    rules = {finding.id: finding for finding in row.parts.edition.findings}
    asked = INFLAMMATION if whole is not None else (*NORMAL, *INFLAMMATION)
    found = [state for state in states if state.id in asked and _is_plainly_normal(row, rules[state.id], state)]
    if not found:
        return
    parts = [rules[state.id].texts["false"].split(";")[0].strip().rstrip(".") for state in found]
    parts = _classes_joined(parts)
    text = "; ".join([parts[0], *(inside(part) for part in parts[1:])]) + "; normal values do not exclude disease."
    citations = dict.fromkeys(citation for state in found for citation in state.citations)
    status = next(word for word in WEAKEST_FIRST if word in {state.status for state in found})
    yield _said(4, text, (state.id for state in found), citations, status)


def _classes_joined(parts: list[str]) -> list[str]:
    """ "No intrathecal synthesis of IgG by ..." for each class as one phrase that names them all."""
    start, end = NO_SYNTHESIS
    classes = [part[len(start) : -len(end)] for part in parts if part.startswith(start) and part.endswith(end)]
    others = [part for part in parts if not (part.startswith(start) and part.endswith(end))]
    return [*others, *([start + listed(classes) + end] if classes else [])]


def _is_plainly_normal(row: Row, finding: Finding, state: FindingResult) -> bool:
    """FALSE, with a sentence for it, and no value behind it that is flagged or marked for another reason."""
    names = inputs(finding.when)
    marked = any(row.quality[number] == Truth.TRUE for name in names for number in row.parts.marks.get(name, ()))
    flagged = any(name in row.layout.statement and row.flag(name) in ABNORMAL_FLAGS for name in names)
    return state.truth == "false" and bool(finding.texts.get("false")) and not marked and not flagged


# levels -------------------------------------------------------------------------------------------------------------


def lm(row: Row, level: LMResult) -> Iterator[Weighted]:
    """The level with why and what would settle it; without a level only where the question is asked."""
    table, because = row.parts.evidence["eano_esmo"].table, ("lm", level.row)
    if level.certainty not in ("not_classifiable", "not_applicable"):
        why = f" ({', '.join(map(_plain, level.because))})" if level.because else ""
        text = f"Certainty of leptomeningeal metastasis by {level.guideline}: {level_words(level)}{why}."
        yield _said(9, text, because, level.citations, level.status)
    elif _asked(row):
        yield from _without_level(row, level)
    graded = level.certainty not in ("not_classifiable", "not_applicable")
    if level.would_settle and ((graded and level.provisional) or (not graded and _asked(row))):
        printed = {"csf_cytology": "csf_cytology_best"}
        texts = [table.missing_texts.get(printed.get(name, name), name) for name in level.would_settle[:2]]
        yield _said(8, "What would settle it: " + " ".join(texts), because, table.citations, "ours")
    for caution in level.cautions:
        if caution.id != "not_an_exclusion":  # the level itself says so
            yield _said(9, caution.text, ("lm", caution.id), level.citations, "ours")


def _without_level(row: Row, level: LMResult) -> Iterator[Weighted]:
    table = row.parts.evidence["eano_esmo"].table
    if level.certainty == "not_classifiable":
        missing = f": {listed(map(_plain, level.would_settle))} not known" if level.would_settle else ""
        text = f"The certainty of leptomeningeal metastasis cannot be classified{missing}."
        yield _said(8, text, ("lm", level.row), level.citations, level.status)
        return
    found = next((rule for rule in table.rows if rule.reason == level.reason and rule.text), None)
    if found is not None and found.text:
        yield _said(7, found.text, ("lm", level.row), found.citations, found.status)


def _plain(reason: str) -> str:
    """ "mri linear_nodular" -> "MRI linear nodular"."""
    name, _, rest = reason.partition(" ")
    return f"{INPUT_WORDS.get(name, name)} {rest.replace('_', ' ')}".strip()


def _asked(row: Row) -> bool:
    """The sender asks about LM, or sent part of its evidence."""
    words, empty = row.panel.context.words, (None, "not_done", "not_assessed")
    known = [name for name in ("mri", "clinical_signs", "biopsy") if words.get(name) not in empty]
    known = known if row.word("tumor") != "none" else []
    return words.get("question") == "lm" or bool(known) or row.word("tumor") in ("solid", "primary_cns")


def hematologic(row: Row, path: HematologicResult) -> Iterator[Weighted]:
    """The path of hematologic disease in its own words."""
    if path.status != "not_applicable" and path.text:
        rows = {found.id.split("-")[0]: found for found in row.parts.evidence["hematologic_cns"].table.rows}
        status = rows[path.row].status if path.row in rows else "ours"
        yield _said(9, path.text, ("hematologic_cns", path.row or ""), path.citations, status)


def leukemia(marks: LeukemiaResult) -> Iterator[Weighted]:
    """The CNS status of leukemia, where one is asked for."""
    if marks.status != "not_applicable" and marks.text:
        text = marks.text.rstrip(".") + (" (provisional)." if marks.provisional else ".")
        yield _said(8, text, ("leukemia_cns", str(marks.row or "")), marks.citations, marks.source_status)


# context ------------------------------------------------------------------------------------------------------------


def hemorrhage(row: Row, shapes: tuple[PatternResult, ...], points: tuple[ScoreResult, ...]) -> Iterator[Weighted]:
    """The answer to the question of subarachnoid hemorrhage: what bilirubin says stands before the rule-out score."""
    if row.word("question") != "sah":
        return
    for shape in shapes:
        if shape.id != HEMORRHAGE or shape.truth == "true":  # then the pattern itself says it, with its lines
            continue
        if shape.truth == "unknown":
            text = "Subarachnoid hemorrhage cannot be judged from the values sent."
            yield _said(8, text, (shape.rule, *shape.missing), shape.citations, shape.status)
        for line in shape.lines:
            yield _said(9, line.text, (shape.rule, line.id), line.citations, line.status)
        for score in points:
            if score.id == HEMORRHAGE_SCORE:
                told = score.text if score.status == "computed" else "not computable; what is missing stands with it."
                yield _said(8, f"{score.name}: {told}", (score.id,), score.citations, score.source_status)


def three_way(cautions: tuple[StatementResult, ...], named: list[PatternResult]) -> Iterator[Weighted]:
    """The one caution that belongs into a summary: three diseases that routine values do not separate. Where one
    disease is shown it stands with the cautions."""
    if any(pattern.grade == "established" for pattern in named):
        return
    for caution in cautions:
        if caution.id == "PC01":
            yield _said(8, caution.text, (caution.id,), caution.citations, caution.status)


def profile(profiles: tuple[ProfileResult, ...]) -> Iterator[Weighted]:
    """Agreement with the profile that applies; its obligatory caution stands under the profile itself."""
    for found in profiles:
        if found.applicability == "applies":
            text = f'Against the published profile "{inside(found.name)}": {inside(found.text)}'
            text += " This comparison does not change the LM certainty."
            yield _said(4, text, (f"profile:{found.id}",), found.citations, found.status)


def next_step(advice: tuple[RecommendationResult, ...]) -> Iterator[Weighted]:
    """The most urgent advice for the treating team that is no call (calls stand with the critical results)."""
    wanted = [entry for entry in advice if entry.audience == "treating_team" and not entry.context_only]
    for entry in [entry for entry in wanted if entry.priority in (2, 3) and not entry.folded][:2]:
        text = entry.text if entry.text.startswith("Consider") else f"Advice: {entry.text}"
        yield _said(3, text, (entry.rule,), entry.citations, entry.status)


def corrected(results: tuple[Result, ...]) -> Iterator[Weighted]:
    """The counts less what came with the blood, as estimates beside the measured ones."""
    found = [result for result in results if result.analyte in CORRECTED and isinstance(result.value, float)]
    if found:
        told = [
            f"{inside(one.name)} {with_unit(decimal(float(one.value or 0), one.decimals), one.unit)}" for one in found
        ]
        citations = dict.fromkeys(name for one in found for name in one.citations)
        text = f"Estimated beside the measured values: {listed(told)}."
        yield _said(5, text, [one.analyte for one in found], citations, found[0].status)


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
        yield _said(7, f"Not judged: {'; '.join(shown)}{more}.", names, OWN, "ours")


def _first(names: list[str]) -> str:
    return (
        listed(names)
        if len(names) <= MOST_NAMES + 1
        else f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    )


def _reason(word: str) -> str:
    return REASON_WORDS.get(word, word.replace("_", " "))
