"""The sentences of the summary: each from one kind of statement, with a weight that says what must not be cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from csfinterp.model.edition import PatternSummary
from csfinterp.model.interpretation import (
    CautionResult,
    CriticalResult,
    Issue,
    PatternResult,
    ProfileResult,
    QualityResult,
    RecommendationResult,
    Result,
    ScoreResult,
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
QUIET = ("info_only", "blood_trace", "no_interval")
CORRECTED = ("csf_leukocytes_corrected", "csf_protein_corrected")
MOST_REASONS, MOST_NAMES = 5, 4
MOST_CALLS, MOST_RULES, MOST_PATTERNS = 4, 3, 3


def spoken(row: Row, patterns: tuple[PatternResult, ...], *, graded: bool) -> list[PatternResult]:
    """Patterns that a summary names: emergencies, what is shown, what answers the question, then the others in print
    order. A mere likeness is not named beside an infection that is shown; what a level or path says is not repeated
    where there is one (`graded`)."""
    known = {pattern.id: pattern for pattern in row.parts.edition.patterns}
    found = [pattern for pattern in patterns if _is_spoken(row, pattern, known[pattern.id].summary, graded=graded)]
    if infection_shown(row, found):
        found = [p for p in found if p.grade == "established" or p.emergency or known[p.id].summary.stays_open]
    return sorted(
        found,
        key=lambda p: (
            not p.emergency,
            p.grade != "established",
            known[p.id].question != row.word("question"),
            is_weak(p, known[p.id].summary),
        ),
    )


def infection_shown(row: Row, found: Iterable[PatternResult]) -> bool:
    """A pattern of infection is established: it explains the values, so that mere likenesses need no sentence. Tumor
    cells explain nothing away (SL44)."""
    infections = {pattern.id for pattern in row.parts.edition.patterns if pattern.question == "infection"}
    return any(pattern.grade == "established" and pattern.id in infections for pattern in found)


def _is_spoken(row: Row, pattern: PatternResult, how: PatternSummary, *, graded: bool) -> bool:
    """At least partly there, or open for a reason where the edition names it then too."""
    established = pattern.grade == "established"
    if not pattern.shown or how.never or (graded and how.by_level and established):
        return False
    if how.when is not None and not established and not pattern.emergency and row.truth(how.when) is not TRUE:
        return False
    return pattern.truth == "true" or (how.stays_open and pattern.reason is not None)


def is_weak(pattern: PatternResult, how: PatternSummary) -> bool:
    """Compatible only: named behind every other pattern."""
    return how.last and pattern.grade == "fits"


def said_by_patterns(row: Row, named: Iterable[PatternResult]) -> set[str]:
    """Findings that the sentences of these patterns say already."""
    known = {pattern.id: pattern for pattern in row.parts.edition.patterns}
    return {name for pattern in named for name in known[pattern.id].summary.says.get(pattern.grade, ())}


def once(row: Row, entries: tuple[CriticalResult, ...]) -> list[CriticalResult]:
    """The calls without those of a count that another one leads, where the same rule calls that one."""
    unread = {
        name
        for number, rule in enumerate(row.parts.edition.quality)
        if row.quality[number] == TRUE
        for name in rule.unread
    }
    led = {entry.rule for entry in entries if entry.analyte not in unread}
    return [entry for entry in entries if entry.analyte not in unread or entry.rule not in led]


def critical(row: Row, entries: tuple[CriticalResult, ...]) -> Iterator[Weighted]:
    """One sentence per analyte that is to be called; the service's own before the laboratory's."""
    rules = row.parts.edition.critical
    seen: set[str] = set()
    for entry in once(row, entries):
        if entry.analyte in seen or len(seen) >= MOST_CALLS:
            continue
        seen.add(entry.analyte)
        rule = next((found for found in rules if found.rule == entry.rule and entry.analyte in found.analytes), None)
        citations, status = (rule.citations, rule.status) if rule else (OWN, "ours")
        word = "Critical" if entry.level == "critical" else "Urgent"
        yield said(9, f"{word}: {entry.reason}", (entry.rule, entry.analyte), citations, status)


def serious(row: Row, rules: tuple[QualityResult, ...], calls: tuple[CriticalResult, ...]) -> list[QualityResult]:
    """Rules that touch something which was sent, those that withhold conclusions first; of steps the last, and none
    that a call tells already."""
    holding = {rule.id for rule in rules if rule.truth == "true"}
    silent = {rule.id for rule in row.parts.edition.quality if holding.intersection(rule.silent_if)}
    found = [
        rule
        for rule in rules
        if rule.id not in silent
        and not any(rule.text in call.reason for call in calls)
        and (rule.severity == "warning" or (rule.severity == "suppresses" and _felt(row, rule)))
    ]
    return sorted(found, key=lambda rule: rule.severity != "suppresses")


def quality(row: Row, rules: list[QualityResult]) -> Iterator[Weighted]:
    """The first of the serious rules, in their own words."""
    for rule in rules[:MOST_RULES]:
        yield said(_weight(row, rule), rule.text, (rule.id,), rule.citations, rule.status)


def quality_headlines(row: Row, rules: list[QualityResult]) -> list[str]:
    """What the headline says of serious rules, each phrase once."""
    phrases = {rule.id: rule.headline for rule in row.parts.edition.quality if rule.headline}
    return list(dict.fromkeys(phrases[rule.id] for rule in rules if rule.id in phrases))


def _weight(row: Row, rule: QualityResult) -> int:
    """Withheld values weigh more than a warning, a conclusion drawn another way as well less."""
    if rule.severity != "suppresses":
        return 6
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


def patterns(row: Row, named: list[PatternResult], *, first: bool) -> Iterator[Weighted]:
    """The first patterns in print order, in their own words: what is shown and emergencies, then (not `first`) what
    the values only resemble or leave open."""
    obligatory = {line.id for pattern in row.parts.edition.patterns for line in pattern.lines if line.spoken}
    for pattern in named[:MOST_PATTERNS]:
        shown = pattern.emergency or pattern.grade == "established"
        if shown is not first:
            continue
        held = tuple(item.id for item in pattern.items if item.truth == "true" and item.kind != "neutral")
        yield said(9 if shown else 6, pattern.text, (pattern.rule, *held), pattern.citations, pattern.status)
        for line in pattern.lines:
            if pattern.emergency or line.id in obligatory:
                yield said(6, line.text, (pattern.rule, line.id), line.citations, line.status)


def answer(row: Row, shapes: tuple[PatternResult, ...], points: tuple[ScoreResult, ...]) -> Iterator[Weighted]:
    """What is said to the question of a pattern that has a score of its own, where the values do not show it."""
    for shape, how in _asked(row, shapes):
        if shape.truth == "unknown" and how.cannot_be_judged:
            yield said(8, how.cannot_be_judged, (shape.rule, *shape.missing), shape.citations, shape.status)
        for line in shape.lines:
            yield said(9, line.text, (shape.rule, line.id), line.citations, line.status)
        for score in points:
            if score.id == how.score:
                told = score.text if score.status == "computed" else "not computable; what is missing stands with it."
                yield said(8, f"{score.name}: {told}", (score.id,), score.citations, score.source_status)


def open_answers(row: Row, shapes: tuple[PatternResult, ...]) -> list[str]:
    """What the headline says where the pattern that was asked for is not shown, but stays open; the first such line."""
    headlines = {line.id: line.headline for pattern in row.parts.edition.patterns for line in pattern.lines}
    lines = [line for shape, _ in _asked(row, shapes) for line in shape.lines]
    return [told for line in lines if (told := headlines[line.id])][:1]


def _asked(row: Row, shapes: tuple[PatternResult, ...]) -> Iterator[tuple[PatternResult, PatternSummary]]:
    known = {pattern.id: pattern for pattern in row.parts.edition.patterns}
    for shape in shapes:
        pattern = known[shape.id]
        if pattern.summary.score and pattern.question == row.word("question") and shape.truth != "true":
            yield shape, pattern.summary  # a shown pattern says it itself, with its lines


def cautions(row: Row, found: tuple[CautionResult, ...], named: list[PatternResult]) -> Iterator[Weighted]:
    """The cautions that belong into a summary; where an infection is shown they stand with the others."""
    for caution in _spoken_cautions(row, found, named):
        yield said(8, caution.text, (caution.id,), caution.citations, caution.status)


def caution_headlines(row: Row, found: tuple[CautionResult, ...], named: list[PatternResult]) -> list[str]:
    known = {caution.id: caution for caution in row.parts.edition.cautions}
    spoken_ = [known[caution.id] for caution in _spoken_cautions(row, found, named)]
    return [
        caution.headline
        for caution in spoken_
        if caution.headline and (caution.headline_if is None or row.truth(caution.headline_if) is TRUE)
    ]


def _spoken_cautions(row: Row, found: tuple[CautionResult, ...], named: list[PatternResult]) -> list[CautionResult]:
    wanted = {caution.id for caution in row.parts.edition.cautions if caution.spoken}
    return [] if infection_shown(row, named) else [caution for caution in found if caution.id in wanted]


def profile(profiles: tuple[ProfileResult, ...]) -> Iterator[Weighted]:
    """Agreement with the profile that applies; its obligatory caution stands under the profile itself."""
    for found in profiles:
        if found.applicability == "applies":
            text = f'Against the published profile "{inside(found.name)}": {inside(found.text)}'
            text += " This comparison does not change the LM certainty."
            yield said(4, text, (f"profile:{found.id}",), found.citations, found.status)


def next_step(row: Row, advice: tuple[RecommendationResult, ...], told: set[str]) -> Iterator[Weighted]:
    """The most urgent advice for the treating team that is no call (calls stand with the critical results) and that no
    pattern has `told`, whatever else there is to say; then what answers the question."""
    quiet = told | {
        entry.id
        for entry in row.parts.edition.recommendations
        if entry.quiet_if is not None and row.truth(entry.quiet_if) is TRUE
    }
    starts = row.parts.edition.next_steps.get(row.word("question") or "", ())
    wanted = [
        entry
        for entry in advice
        if entry.audience == "treating_team"
        and not entry.context_only
        and entry.priority in (2, 3)
        and entry.id not in quiet
    ]
    answers = {entry.id: bool(starts) and entry.rule.startswith(starts) for entry in wanted}
    wanted.sort(key=lambda entry: (entry.priority, not answers[entry.id]))
    others = sorted(wanted[1:], key=lambda entry: not answers[entry.id])
    for entry in wanted[:1]:
        yield _advice(entry, 7)
    for entry in others[:1]:
        yield _advice(entry, 7 if answers[entry.id] else 3)


def _advice(entry: RecommendationResult, weight: int) -> Weighted:
    text = entry.text if entry.text.startswith("Consider") else f"Advice: {entry.text}"
    return said(weight, text, (entry.rule,), entry.citations, entry.status)


def corrected(results: tuple[Result, ...]) -> Iterator[Weighted]:
    """The counts less what came with the blood, as estimates beside the measured ones."""
    found = [result for result in results if result.analyte.endswith("_corrected") and isinstance(result.value, float)]
    if found:
        told = [
            f"{inside(one.name)} {with_unit(decimal(float(one.value or 0), one.decimals), one.unit)}" for one in found
        ]
        citations = dict.fromkeys(name for one in found for name in one.citations)
        text = f"Estimated beside the measured values: {listed(told)}."
        yield said(5, text, [one.analyte for one in found], citations, found[0].status)


def not_judged(
    row: Row, results: tuple[Result, ...], issues: tuple[Issue, ...], withheld: list[QualityResult]
) -> Iterator[Weighted]:
    """What was sent and could not be judged, by reason, said plainly; not what a rule of the summary withholds."""
    told = {name for rule in withheld[:MOST_RULES] for name in rule.suppresses}
    open_ = [result for result in results if result.flag is None and result.not_judged not in (None, *QUIET)]
    open_ = [result for result in open_ if result.analyte not in told]
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
