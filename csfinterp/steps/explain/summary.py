"""Headline and at most twelve sentences, composed only from statements that were made elsewhere in the document."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from csfinterp.model.context import ABNORMAL_FLAGS
from csfinterp.model.interpretation import (
    CautionResult,
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
    Summary,
)
from csfinterp.steps.explain import sentences, sentences_findings, sentences_levels
from csfinterp.steps.explain.phrases import OWN, Weighted, inside, level_words, listed
from csfinterp.steps.explain.row import Row

MOST_SENTENCES = 12
LEVELS = ("confirmed", "probable", "possible", "lack_of_evidence")
# Findings that stand in the headline beside a level that alone would sound harmless.
ALARMING_RANK = 3
HEADLINE_LENGTH = 4  # findings named where no conclusion stands in the headline


@dataclass(frozen=True)
class Told:
    """Everything that was stated about one panel, as the document prints it."""

    results: tuple[Result, ...]
    findings: tuple[FindingResult, ...]
    quality: tuple[QualityResult, ...]
    profiles: tuple[ProfileResult, ...]
    lm: LMResult
    hematologic: HematologicResult
    leukemia: LeukemiaResult
    patterns: tuple[PatternResult, ...]
    cautions: tuple[CautionResult, ...]
    advice: tuple[RecommendationResult, ...]
    scores: tuple[ScoreResult, ...]
    critical: tuple[CriticalResult, ...]
    issues: tuple[Issue, ...]


def summary(row: Row, told: Told) -> Summary:
    """What a reader needs first; every sentence names the statements that it rests on and its sources."""
    graded = told.lm.certainty in LEVELS or told.hematologic.status != "not_applicable"
    spoken = sentences.spoken(row, told.patterns, graded=graded)
    called = {call.analyte for call in told.critical}
    withheld = sentences.serious(row, told.quality, told.critical)
    found = [
        *sentences.critical(row, told.critical),
        *sentences.answer(row, told.patterns, told.scores),
        *sentences.patterns(row, spoken, first=True),
        *sentences_levels.lm(row, told.lm),
        *sentences_levels.hematologic(row, told.hematologic),
        *sentences_levels.leukemia(told.leukemia),
        *sentences.patterns(row, spoken, first=False),
        *sentences.cautions(row, told.cautions, spoken),
        *sentences_findings.findings(row, told.findings, told.results, spoken, called),
        *sentences_findings.also_flagged(row, told.findings, told.results, called),
        *sentences.quality(row, withheld),
        *sentences.corrected(told.results),
        *sentences_findings.normal(row, told.findings, told.patterns),
        *sentences.profile(told.profiles),
        *sentences.next_step(row, told.advice, sentences.said_by_patterns(row, spoken)),
        *sentences.not_judged(row, told.results, told.issues, withheld),
    ]
    return Summary(_headline(row, told, spoken, withheld), _shortened(found))


def _shortened(found: Iterable[Weighted]) -> tuple[Sentence, ...]:
    """Each text once; of more than twelve the weightiest, in their order, and one that says how many are left."""
    unique = list({weighted.sentence.text: weighted for weighted in found}.values())
    if len(unique) <= MOST_SENTENCES:
        return tuple(weighted.sentence for weighted in unique)
    order = sorted(range(len(unique)), key=lambda place: (-unique[place].weight, place))[: MOST_SENTENCES - 1]
    kept = [unique[place].sentence for place in sorted(order)]
    left = [unique[place].sentence for place in range(len(unique)) if place not in order]
    text = f"{len(left)} more statement{'s stand' if len(left) > 1 else ' stands'} in the other parts of this report."
    because = tuple(dict.fromkeys(name for sentence in left for name in sentence.because))
    return (*kept, Sentence(text, because, OWN, "ours"))


def _headline(row: Row, told: Told, spoken: list[PatternResult], withheld: list[QualityResult]) -> str:
    """Calls first, then what patterns and levels conclude; without a conclusion what is abnormal."""
    calls = _calls(row, told.critical)
    patterns = {pattern.id: pattern for pattern in row.parts.edition.patterns}
    differential = sentences.caution_headlines(row, told.cautions, spoken)
    named = [one for one in spoken if not (differential and sentences.is_weak(one, patterns[one.id].summary))]
    parts = [text for one in named if (text := patterns[one.id].headlines.get(one.grade))]
    parts = parts or sentences.open_answers(row, told.patterns)
    said = sentences.said_by_patterns(row, spoken)
    only_open = all(one.grade == "not_evaluable" for one in spoken if patterns[one.id].headlines.get(one.grade))
    if told.lm.certainty in LEVELS:
        first = told.lm.certainty == "confirmed" or row.word("question") == "lm"
        parts.insert(sum(pattern.emergency for pattern in spoken) if first else len(parts), _level(told.lm))
    parts += differential
    parts += sentences.quality_headlines(row, withheld)
    if told.lm.certainty in LEVELS:
        alarming = [] if told.lm.certainty == "confirmed" else _alarming(row, told.findings, said)
        parts += [name for name in alarming if name not in parts]
    elif told.hematologic.status != "not_applicable" and not _is_staged(told):
        place = (
            sum(pattern.emergency for pattern in spoken) if told.hematologic.status.startswith("shown") else len(parts)
        )
        parts.insert(place, inside(told.hematologic.text.split(". ")[0].split(" (")[0].strip().rstrip(".")))
    shown = told.lm.certainty in LEVELS or told.hematologic.status.startswith("shown")
    if only_open and parts and not differential and not shown:  # what stays open is no picture: what is abnormal does
        parts += _abnormal(row, told, said)
    if told.leukemia.status.startswith("CNS"):
        parts.append(
            f"leukemia CNS status {told.leukemia.status}{' (provisional)' if told.leukemia.provisional else ''}"
        )
    if not parts:
        parts = _plain(row, told, called=bool(calls))
    text = "; ".join((*calls, *parts))
    return text[0].upper() + text[1:] + "."


def _is_staged(told: Told) -> bool:
    """The CNS status of leukemia says what cytology showed, and how far blood may explain it."""
    return told.leukemia.status.startswith("CNS") and told.hematologic.status == "shown_by_cytology"


def _level(lm: LMResult) -> str:
    return f"leptomeningeal metastasis (EANO-ESMO): {level_words(lm)}{', needs review' if lm.review else ''}"


def _calls(row: Row, critical: tuple[CriticalResult, ...]) -> list[str]:
    """One phrase for the service's own calls and one for those that only the laboratory holds critical."""
    names, critical = row.parts.edition.analyte, tuple(sentences.once(row, critical))
    own_critical = {entry.analyte for entry in critical if entry.source == "service" and entry.level == "critical"}
    others = [entry for entry in critical if entry.source != "service" and entry.analyte not in own_critical]
    more = {entry.analyte for entry in others}
    own = [entry for entry in critical if entry.source == "service" and entry.analyte not in more]
    found = []
    for level in ("critical", "urgent"):
        mine = list(dict.fromkeys(names[entry.analyte].name for entry in own if entry.level == level))
        if mine:
            found.append(f"{level} result to be called: {listed(mine)}")
    if others:
        called = listed(dict.fromkeys(names[entry.analyte].name for entry in others))
        found.append(f"critical result to be called (flagged by the laboratory): {called}")
    return found


def _alarming(row: Row, findings: tuple[FindingResult, ...], said: Collection[str]) -> list[str]:
    ranks = {finding.id: finding.rank for finding in row.parts.edition.findings}
    true = [found for found in findings if found.truth == "true" and found.id not in said]
    return [inside(found.name) for found in true if ranks[found.id] <= ALARMING_RANK][:2]


def _abnormal(row: Row, told: Told, said: Collection[str] = ()) -> list[str]:
    """The weightiest abnormal findings that nothing else in the headline says."""
    holding = [found for found in sentences_findings.holding(row, told.findings) if found.id not in said]
    names = [inside(found.name) for found in holding[:HEADLINE_LENGTH]]
    return ["abnormal CSF findings: " + listed(names)] if names else []


def _plain(row: Row, told: Told, *, called: bool) -> list[str]:
    """Without a conclusion: the abnormal findings, or how much could be judged; beside calls nothing that calms."""
    judged = [result for result in told.results if result.flag is not None]
    abnormal = [result for result in judged if result.flag in ABNORMAL_FLAGS]
    if names := _abnormal(row, told):
        return names
    if called:
        return []
    if abnormal:
        return ["flagged: " + listed(dict.fromkeys(result.name for result in abnormal[:HEADLINE_LENGTH]))]
    quiet = (None, *sentences.QUIET)
    open_ = sum(result.flag is None and result.not_judged not in quiet for result in told.results)
    tail = f"; {open_} not judged" if open_ else ""
    if not judged:
        return ["no result could be judged" + tail]
    return [f"no abnormal value among the {len(judged)} results that were judged{tail}; this does not exclude disease"]
