"""The first ten seconds: what is abnormal, what it means and how sure, what is missing, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from csfinterp.formats.report_words import CERTAINTY, Part, part, parts, text, texts, words
from csfinterp.web.page.patterns import Pattern, Patterns
from csfinterp.web.page.results import Results, Row
from csfinterp.web.page.tell import Advice, Said
from csfinterp.web.page.voice import Voice

MOST_ABNORMAL, MOST_ADVICE, MOST_MISSING = 8, 3, 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of "what it means": `word` says how sure; `strong`: established or confirmed; `tags` beside it."""

    name: str
    word: str
    tags: tuple[str, ...]
    place: str
    strong: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A critical call; `acknowledged` as the document has it, None: nobody is noted as told."""

    level: str
    reason: str
    rule: str
    source: str
    acknowledged: object


@dataclass(frozen=True, slots=True)
class Glance:
    headline: tuple[str, ...]
    calls: tuple[Call, ...]
    abnormal: tuple[Row, ...]
    more_abnormal: int
    judged: int
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    more_missing: int
    unjudged_patterns: int
    advice: tuple[Said, ...]
    more_advice: int

    @property
    def open_calls(self) -> int:
        return sum(call.acknowledged is None for call in self.calls)


def glance(document: Part, voice: Voice, results: Results, patterns: Patterns, advice: Advice) -> Glance:
    abnormal = results.abnormal
    missing = list(dict.fromkeys(_missing(document, voice, results)))
    headline = voice.said(text(part(document, "summary"), "headline"))
    return Glance(
        headline=tuple(_clauses(headline)),
        calls=tuple(_call(one, voice) for one in parts(document, "critical")),
        abnormal=tuple(abnormal[:MOST_ABNORMAL]),
        more_abnormal=max(0, len(abnormal) - MOST_ABNORMAL),
        judged=results.judged,
        verdicts=(*_paths(document), *map(_fit, patterns.speaking)),
        missing=tuple(missing[:MOST_MISSING]),
        more_missing=max(0, len(missing) - MOST_MISSING),
        unjudged_patterns=len(patterns.bare) + len(patterns.silent),
        advice=advice.first[:MOST_ADVICE],
        more_advice=max(0, len(advice.first) - MOST_ADVICE),
    )


def _clauses(headline: str) -> Iterator[str]:
    """The headline in its clauses, each on a line of its own; joined by "; " they are the sentence again."""
    return iter(headline.split("; ")) if headline else iter(())


def _call(one: Part, voice: Voice) -> Call:
    return Call(
        text(one, "level"),
        voice.said(text(one, "reason")),
        text(one, "rule"),
        "flagged by the laboratory" if text(one, "source") == "laboratory" else "",
        one.get("acknowledged"),
    )


def _paths(document: Part) -> Iterator[Verdict]:
    """LM certainty, the hematologic path, leukemia: where they are a question of this panel."""
    lm = part(document, "lm")
    level = text(lm, "certainty")
    if level not in ("", "not_applicable"):
        kind = f", type {text(lm, 'type')}" if text(lm, "type") else ""
        tags = ["provisional"] if lm.get("provisional") is True else []
        tags += ["needs review"] if lm.get("review") is True else []
        word = CERTAINTY.get(level, words(level)) + kind
        yield Verdict("Leptomeningeal metastasis (EANO-ESMO)", word, tuple(tags), "lm", level == "confirmed")
    for key, name in (("hematologic_cns", "Hematologic path"), ("leukemia_cns", "Leukemia CNS status")):
        path = part(document, key)
        if text(path, "status") not in ("", "not_applicable"):
            tags = ["provisional"] if path.get("provisional") is True else []
            yield Verdict(name, words(text(path, "status")), tuple(tags), key.partition("_")[0], False)


def _fit(pattern: Pattern) -> Verdict:
    tags = (("emergency",) if pattern.emergency else ()) + (("discordant",) if pattern.discordant else ())
    return Verdict(pattern.name, pattern.word, tags, "patterns", pattern.grade == "established")


def _missing(document: Part, voice: Voice, results: Results) -> Iterator[str]:
    """What would settle an open path, then what was sent and cannot be judged."""
    for key in ("lm", "hematologic_cns", "leukemia_cns"):
        path = part(document, key)
        applies = text(path, "certainty") != "not_applicable" and text(path, "status") != "not_applicable"
        names = texts(path, "would_settle") or texts(path, "missing")
        if names and applies:
            yield f"To settle {_QUESTIONS[key]}: {'; '.join(voice.listed(names))}"
    for row in results.withheld:
        yield f"{row.name}: {row.open}"


_QUESTIONS = {"lm": "the LM certainty", "hematologic_cns": "the hematologic path", "leukemia_cns": "the CNS status"}
