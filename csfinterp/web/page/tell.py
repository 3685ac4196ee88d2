"""The sentences of the page, each with what stands behind it: summary, findings, quality, cautions, advice, scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from csfinterp.formats.report_advice import AUDIENCES, score_lines
from csfinterp.formats.report_words import (
    PRIORITIES,
    SCORE_STATUS,
    Part,
    part,
    parts,
    plain,
    text,
    texts,
    words,
)
from csfinterp.web.page.voice import Voice, Why


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence. `label`: a word before it (severity, priority), `note`: a line below it; both may be empty."""

    text: str
    why: Why
    label: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    present: tuple[Said, ...]
    unknown: tuple[Said, ...]
    absent: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """`audiences`: (title, shown, folded); `context`: background for the treating team; `first`: most urgent."""

    audiences: tuple[tuple[str, tuple[Said, ...], tuple[Said, ...]], ...]
    context: tuple[Said, ...]
    first: tuple[Said, ...]


def summary(document: Part, voice: Voice) -> tuple[Said, ...]:
    """The sentences of the summary; what they rest on is named by finding, rule or analyte."""
    return tuple(
        Said(voice.said(text(one, "text")), _rests_on(one, voice))
        for one in parts(part(document, "summary"), "sentences")
    )


def _rests_on(one: Part, voice: Voice) -> Why:
    """`because` of a summary sentence holds ids: those with a name are spoken, the others are rules."""
    ids = texts(one, "because")
    named = tuple(dict.fromkeys(voice.names[name] for name in ids if name in voice.names))
    rules = ", ".join(name for name in ids if name not in voice.names and not name.islower())
    plain_why = voice.why({"citations": one.get("citations"), "status": one.get("status")}, rules)
    return Why(named, (), rules, plain_why.sources, plain_why.mark)


def findings(document: Part, voice: Voice) -> Findings:
    found = parts(document, "findings")

    def with_truth(truth: str) -> tuple[Said, ...]:
        return tuple(_finding(one, voice) for one in found if text(one, "truth") == truth)

    return Findings(with_truth("true"), with_truth("unknown"), with_truth("false"))


def _finding(one: Part, voice: Voice) -> Said:
    held = text(one, "suppressed_by")
    note = f"withheld by: {voice.name(held)}" if held else ""
    return Said(text(one, "name"), voice.why(one), label=text(one, "severity"), note=note)


def quality(document: Part, voice: Voice) -> tuple[Said, ...]:
    """The quality rules that hold, each with what it withholds."""
    return tuple(_quality(one, voice) for one in parts(document, "quality") if text(one, "truth") == "true")


def _quality(one: Part, voice: Voice) -> Said:
    withheld = "; ".join(voice.listed(texts(one, "suppresses")))
    said = voice.said(text(one, "text")) or words(text(one, "name"))
    return Said(said, voice.why(one), label=text(one, "severity"), note=f"withholds: {withheld}" if withheld else "")


def cautions(document: Part, voice: Voice) -> tuple[tuple[Said, ...], tuple[Said, ...]]:
    """Cautions to be read, and those that the edition folds behind "more"; each in the document's order."""
    found = parts(document, "cautions")
    shown = [one for one in found if one.get("folded") is not True]
    folded = [one for one in found if one.get("folded") is True]
    return tuple(statements(shown, voice)), tuple(statements(folded, voice))


def statements(entries: Iterable[Part], voice: Voice) -> Iterator[Said]:
    """Entries with text, because, citations, status; their id is the rule."""
    for one in entries:
        yield Said(voice.said(text(one, "text")), voice.why(one, text(one, "id").upper() if _is_code(one) else ""))


def _is_code(one: Part) -> bool:
    """PC05, EC02: printed; an id of words is not."""
    return "_" not in text(one, "id")


def advice(document: Part, voice: Voice) -> Advice:
    """Recommendations by audience; what is only context stands in a block of its own."""
    found = parts(document, "recommendations")
    open_ones = [one for one in found if one.get("context_only") is not True]
    audiences = []
    for audience, title in AUDIENCES:
        own = [one for one in open_ones if text(one, "audience") == audience]
        shown = tuple(_recommendation(one, voice) for one in own if one.get("folded") is not True)
        folded = tuple(_recommendation(one, voice) for one in own if one.get("folded") is True)
        if own:
            audiences.append((title, shown, folded))
    context = tuple(_recommendation(one, voice) for one in found if one.get("context_only") is True)
    return Advice(tuple(audiences), context, tuple(_first(open_ones, voice)))


def _first(entries: Iterable[Part], voice: Voice) -> Iterator[Said]:
    """What is not folded, once each, with everybody it is meant for; the order is that of the document: by priority."""
    readers: dict[str, list[str]] = {}
    chosen: dict[str, Part] = {}
    for one in entries:
        if one.get("folded") is not True:
            chosen.setdefault(text(one, "id"), one)
            readers.setdefault(text(one, "id"), []).append(words(text(one, "audience")))
    for name, one in chosen.items():
        said = _recommendation(one, voice)
        yield Said(said.text, said.why, said.label, tags=tuple(readers[name]))


def _recommendation(one: Part, voice: Voice) -> Said:
    return Said(voice.said(text(one, "text")), voice.why(one), label=PRIORITIES.get(text(one, "priority"), ""))


@dataclass(frozen=True, slots=True)
class Score:
    name: str
    status: str
    value: str
    kind: str
    lines: tuple[str, ...]
    why: Why


def scores(document: Part, voice: Voice) -> tuple[Score, ...]:
    return tuple(_score(one, voice) for one in parts(document, "scores"))


def _score(one: Part, voice: Voice) -> Score:
    limits = one.get("range")
    value = plain(one.get("value")) or (" to ".join(map(plain, limits)) if isinstance(limits, list) else "")
    status = text(one, "status")
    lines = tuple(voice.said(line) for line in score_lines(one))
    why = voice.why({"citations": one.get("citations"), "status": one.get("source_status")})
    return Score(
        text(one, "name"), SCORE_STATUS.get(status, words(status)), value, words(text(one, "class")), lines, why
    )
