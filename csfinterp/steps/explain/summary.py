"""Headline and at most twelve sentences, composed only from statements that were made elsewhere in the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    Sentence,
    StatementResult,
    Summary,
)
from csfinterp.model.predicate import Above, Below, Flagged, Predicate, Truth, inputs, leaves
from csfinterp.steps.explain.row import Row
from csfinterp.steps.explain.wording import told_apart, with_unit

MOST_SENTENCES, MOST_PATTERNS, MOST_FINDINGS = 12, 3, 5
# Said by findings and quality rules already, or by the sentence on what is normal.
UNSPOKEN = ("blood_contamination", "no_abnormality_measured")
FIRST_TO_SETTLE = "bacterial_meningitis"
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
NORMAL = ("pleocytosis", "protein_raised", "glucose_low", "lactate_raised")


def summary(
    row: Row,
    results: tuple[Result, ...],
    findings: tuple[FindingResult, ...],
    quality: tuple[QualityResult, ...],
    profiles: tuple[ProfileResult, ...],
    lm: LMResult,
    hematologic: HematologicResult,
    leukemia: LeukemiaResult,
    patterns: tuple[PatternResult, ...],
    cautions: tuple[StatementResult, ...],
    advice: tuple[RecommendationResult, ...],
    critical: tuple[CriticalResult, ...],
    issues: tuple[Issue, ...],
) -> Summary:
    """What a reader needs first; every sentence names the statements that it rests on and its sources."""
    spoken = [pattern for pattern in patterns if _is_spoken(pattern)]
    sentences = [
        *_critical(row, critical),
        *_quality(quality),
        *_patterns(spoken),
        *_true_findings(row, findings, spoken),
        *_lm(row, lm),
        *_hematologic(row, hematologic),
        *_leukemia(leukemia),
        *_three_way(cautions),
        *_normal(row, findings, patterns),
        *_profile(profiles),
        *_next(advice),
        *_not_judged(results, issues),
    ]
    headline = _headline(row, results, findings, lm, hematologic, critical, spoken)
    return Summary(headline, _shortened(sentences))


def _shortened(sentences: list[Sentence]) -> tuple[Sentence, ...]:
    """Each text once; beyond twelve, the last places keep what is missing or not judged."""
    unique = list({sentence.text: sentence for sentence in sentences}.values())
    if len(unique) <= MOST_SENTENCES:
        return tuple(unique)
    return (*unique[: MOST_SENTENCES - 1], unique[-1])


def _weakest(statuses: Iterable[str]) -> str:
    found = set(statuses)
    return next((status for status in WEAKEST_FIRST if status in found), "ours")


def _is_spoken(pattern: PatternResult) -> bool:
    """Patterns that a summary names: at least partly there, or bacterial meningitis that stays open for a reason."""
    if not pattern.shown or pattern.id in UNSPOKEN:
        return False
    return pattern.truth == "true" or (pattern.id == FIRST_TO_SETTLE and pattern.reason is not None)


# headline -----------------------------------------------------------------------------------------------------------


def _headline(
    row: Row,
    results: tuple[Result, ...],
    findings: tuple[FindingResult, ...],
    lm: LMResult,
    hematologic: HematologicResult,
    critical: tuple[CriticalResult, ...],
    spoken: list[PatternResult],
) -> str:
    parts = []
    urgent = [entry for entry in critical if entry.source == "service"]
    if urgent:
        names = _listed(dict.fromkeys(row.parts.edition.analyte[entry.analyte].name for entry in urgent))
        word = "Critical" if any(entry.level == "critical" for entry in urgent) else "Urgent"
        parts.append(f"{word} result to be called: {names}")
    parts += [f"{_inside(found.name)}: emergency" for found in spoken if found.emergency]
    if lm.certainty in ("confirmed", "probable", "possible", "lack_of_evidence"):
        parts.append(f"leptomeningeal metastasis (EANO-ESMO): {_level(lm)}")
    elif hematologic.status not in ("not_applicable", "incomplete"):
        parts.append(hematologic.text.split(";")[0].split("(")[0].split(". ")[0].strip().rstrip("."))
    if not parts:
        parts = _plain_headline(row, results, findings)
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


def _plain_headline(row: Row, results: tuple[Result, ...], findings: tuple[FindingResult, ...]) -> list[str]:
    """Without a critical result or a level: the abnormal findings, or how much could be judged."""
    ranks = {finding.id: finding.rank for finding in row.parts.edition.findings}
    holding = sorted((state for state in findings if state.truth == "true"), key=lambda state: ranks[state.id])
    names = [_inside(state.name) for state in holding]
    judged = [result for result in results if result.flag is not None]
    abnormal = [result for result in judged if result.flag in ABNORMAL_FLAGS]
    if names:
        return ["abnormal CSF findings: " + _listed(names[:4])]
    if abnormal:
        return ["flagged: " + _listed(dict.fromkeys(result.name for result in abnormal[:4]))]
    open_ = sum(result.flag is None and not result.derived for result in results)
    tail = f"; {open_} not judged" if open_ else ""
    if not judged:
        return ["no result could be judged" + tail]
    return [f"no abnormal value among the {len(judged)} results that were judged{tail}; this does not exclude disease"]


def _level(lm: LMResult) -> str:
    text = LEVEL_WORDS[lm.certainty]
    if lm.type:
        text += f", type {lm.type}" + (" (letter open)" if lm.type_open else "")
    return text + (", provisional" if lm.provisional else "")


def _inside(name: str) -> str:
    """A name inside a sentence: lower case unless it starts with an abbreviation."""
    return name[0].lower() + name[1:] if name[1:2].islower() or name[1:2] == " " else name


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else ", ".join(found[:-1]) + " and " + found[-1]


# sentences ----------------------------------------------------------------------------------------------------------


def _critical(row: Row, critical: tuple[CriticalResult, ...]) -> Iterator[Sentence]:
    rules = row.parts.edition.critical
    for entry in critical[:3]:
        rule = next((found for found in rules if found.rule == entry.rule and entry.analyte in found.analytes), None)
        citations, status = (rule.citations, rule.status) if rule else (OWN, "ours")
        word = "Critical" if entry.level == "critical" else "Urgent"
        yield Sentence(f"{word}: {entry.reason}", (entry.rule, entry.analyte), citations, status)


def _quality(quality: tuple[QualityResult, ...]) -> Iterator[Sentence]:
    serious = [rule for rule in quality if rule.severity in ("suppresses", "warning")]
    for rule in sorted(serious, key=lambda rule: rule.severity != "suppresses")[:2]:
        yield Sentence(rule.text, (rule.id,), rule.citations, rule.status)


def _patterns(spoken: list[PatternResult]) -> Iterator[Sentence]:
    """The first patterns in print order, in their own words, with the alarm values that a reader must see."""
    for pattern in sorted(spoken, key=lambda pattern: not pattern.emergency)[:MOST_PATTERNS]:
        held = tuple(item.id for item in pattern.items if item.truth == "true" and item.kind != "neutral")
        yield Sentence(pattern.text, (pattern.rule, *held), pattern.citations, pattern.status)


def _leukemia(leukemia: LeukemiaResult) -> Iterator[Sentence]:
    if leukemia.status != "not_applicable" and leukemia.text:
        text = leukemia.text.rstrip(".") + (" (provisional)." if leukemia.provisional else ".")
        because = ("leukemia_cns", leukemia.row or "")
        yield Sentence(text, because, leukemia.citations, leukemia.status_of_source)


def _three_way(cautions: tuple[StatementResult, ...]) -> Iterator[Sentence]:
    """The one caution that belongs into a summary: three diseases that routine values do not separate."""
    for caution in cautions:
        if caution.id == "PC01":
            yield Sentence(caution.text, (caution.id,), caution.citations, caution.status)


def _next(advice: tuple[RecommendationResult, ...]) -> Iterator[Sentence]:
    """The most urgent advice for the treating team that is no call (calls stand with the critical results)."""
    wanted = [entry for entry in advice if entry.audience == "treating_team" and not entry.context_only]
    for entry in [entry for entry in wanted if entry.priority in (2, 3) and not entry.folded][:2]:
        text = entry.text if entry.text.startswith("Consider") else f"To consider: {entry.text}"
        yield Sentence(text, (entry.rule,), entry.citations, entry.status)


def _true_findings(row: Row, findings: tuple[FindingResult, ...], spoken: list[PatternResult]) -> Iterator[Sentence]:
    """Sentences of the findings that hold and that no pattern has said already, the weightiest first."""
    texts = {finding.id: finding for finding in row.parts.edition.findings}
    true = {state.id for state in findings if state.truth == "true"}
    if any(pattern.grade == "established" for pattern in spoken):
        true.discard("organism_found")
    if any(pattern.emergency for pattern in spoken):
        true.discard("bacterial_alarm_value")
    holding = [
        state
        for state in findings
        if state.id in true and texts[state.id].texts.get("true") and not true.intersection(texts[state.id].silent_if)
    ]
    holding.sort(key=lambda state: texts[state.id].rank)
    for state in holding[:MOST_FINDINGS]:
        yield _sentence(row, texts[state.id], state)


def _sentence(row: Row, finding: Finding, state: FindingResult) -> Sentence:
    """The finding's own sentence with its grade and the number that decided."""
    text = finding.texts["true"].rstrip(".")
    if state.severity:
        text += f", grade {state.severity}"
    several = len([name for name in inputs(finding.when) if name in row.layout.quantity]) > 1
    number = next((found for leaf in leaves(finding.when) if (found := _number(row, leaf, named=several))), "")
    return Sentence(f"{text}{number}.", (state.id,), state.citations, state.status)


def _number(row: Row, leaf: Predicate, *, named: bool) -> str:
    """ ": 812 mg/L (reference < 500 mg/L)" of a leaf that holds and compares a quantity; else nothing."""
    if not isinstance(leaf, (Flagged, Above, Below)) or row.truth(leaf) is not Truth.TRUE:
        return ""
    name = leaf.analyte if isinstance(leaf, Flagged) else leaf.quantity
    if name not in row.layout.quantity:
        return ""
    shown, entry = row.seen(name), row.layout.entry(name)
    start = f": {_inside(entry.name)} " if named and entry else ": "
    if isinstance(leaf, Flagged):
        reference = row.reference_text(name)
        return start + shown.text + (f" (reference {reference})" if reference else "")
    limit = row.limit(name, leaf.limit)
    if leaf.limit.quantity is None or limit is None or shown.value is None:
        return start + shown.text
    value, other = told_apart(shown.value, limit, shown.decimals)
    return f"{start}{with_unit(value, shown.unit)} (limit {with_unit(other, shown.unit)})"


def _lm(row: Row, lm: LMResult) -> Iterator[Sentence]:
    """The level with why and what would settle it; without a level only where the question is asked."""
    table = row.parts.evidence["eano_esmo"].table
    if lm.certainty in ("confirmed", "probable", "possible", "lack_of_evidence"):
        because = f" ({', '.join(map(_plain, lm.because))})" if lm.because else ""
        text = f"Certainty of leptomeningeal metastasis by {lm.guideline}: {_level(lm)}{because}."
        yield Sentence(text, ("lm", lm.row), lm.citations, lm.status)
    elif lm.certainty == "not_classifiable" and _asked(row):
        missing = f": {_listed(map(_plain, lm.would_settle))} not known" if lm.would_settle else ""
        text = f"The certainty of leptomeningeal metastasis cannot be classified{missing}."
        yield Sentence(text, ("lm", lm.row), lm.citations, lm.status)
    if lm.would_settle and (lm.provisional or lm.certainty == "not_classifiable") and _asked(row):
        printed = {"csf_cytology": "csf_cytology_best"}
        texts = [table.missing_texts.get(printed.get(name, name), name) for name in lm.would_settle[:2]]
        yield Sentence("What would settle it: " + " ".join(texts), ("lm", lm.row), table.citations, "ours")
    for caution in lm.cautions:
        yield Sentence(caution.text, ("lm", caution.id), lm.citations, "ours")


def _plain(reason: str) -> str:
    """ "mri linear_nodular" -> "MRI linear nodular"."""
    name, _, rest = reason.partition(" ")
    return f"{INPUT_WORDS.get(name, name)} {rest.replace('_', ' ')}".strip()


def _asked(row: Row) -> bool:
    """The sender asks about LM, or sent part of its evidence."""
    words = row.panel.context.words
    known = [
        name
        for name in ("mri", "clinical_signs", "biopsy")
        if words.get(name) not in (None, "not_done", "not_assessed")
    ]
    return words.get("question") == "lm" or bool(known) or row.word("tumor") == "solid"


def _hematologic(row: Row, hematologic: HematologicResult) -> Iterator[Sentence]:
    if hematologic.status != "not_applicable" and hematologic.text:
        rows = {found.id: found for found in row.parts.evidence["hematologic_cns"].table.rows}
        status = rows[hematologic.row].status if hematologic.row in rows else "ours"
        yield Sentence(hematologic.text, ("hematologic_cns", hematologic.row or ""), hematologic.citations, status)


def _normal(row: Row, findings: tuple[FindingResult, ...], patterns: tuple[PatternResult, ...]) -> Iterator[Sentence]:
    """What is not abnormal, in one sentence; never as an exclusion. A wholly normal panel has its own lines."""
    whole = next((p for p in patterns if p.id == "no_abnormality_measured" and p.truth == "true"), None)
    if whole is not None:
        yield Sentence(whole.text, (whole.rule,), whole.citations, whole.status)
        for line in whole.lines:
            yield Sentence(line.text, (whole.rule, line.id), line.citations, line.status)
        return
    states = {state.id: state for state in findings}
    texts = {finding.id: finding.texts for finding in row.parts.edition.findings}
    normal = [
        states[name] for name in NORMAL if name in states and states[name].truth == "false" and texts[name].get("false")
    ]
    if not normal:
        return
    parts = [texts[state.id]["false"].split(";")[0].strip().rstrip(".") for state in normal]
    text = "; ".join([parts[0], *(part[0].lower() + part[1:] for part in parts[1:])])
    text += "; normal routine values do not exclude disease."
    citations = tuple(dict.fromkeys(citation for state in normal for citation in state.citations))
    yield Sentence(text, tuple(state.id for state in normal), citations, _weakest(state.status for state in normal))


def _profile(profiles: tuple[ProfileResult, ...]) -> Iterator[Sentence]:
    for profile in profiles:
        if profile.applicability == "applies":
            text = f"{profile.name}: {profile.text[0].lower()}{profile.text[1:]} {profile.caution}"
            yield Sentence(text, (f"profile:{profile.id}",), profile.citations, profile.status)


def _not_judged(results: tuple[Result, ...], issues: tuple[Issue, ...]) -> Iterator[Sentence]:
    """What was sent and could not be judged, said plainly."""
    quiet = ("info_only", "blood_trace", "no_interval")
    open_ = [result for result in results if result.flag is None and result.not_judged not in (None, *quiet)]
    parts = [f"{result.name} ({str(result.not_judged).replace('_', ' ')})" for result in open_]
    unread = sum(issue.severity == "error" and issue.code in ("code_unknown", "code_invalid") for issue in issues)
    if unread:
        parts.append(f"{unread} result{'s' if unread > 1 else ''} with a code that is not known")
    if parts:
        shown = list(dict.fromkeys(parts))
        more = f" and {len(shown) - 6} more" if len(shown) > 6 else ""
        yield Sentence(f"Not judged: {'; '.join(shown[:6])}{more}.", tuple(r.analyte for r in open_), OWN, "ours")
