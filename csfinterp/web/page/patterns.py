"""What the values fit: each pattern with support, counter-evidence and what is missing, criterion by criterion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from csfinterp.formats.report_patterns import grade_words, is_absent, is_bare, item_of, shown_patterns
from csfinterp.formats.report_words import NOT_SHOWN, Part, parts, text, texts
from csfinterp.web.page.tell import Said, statements
from csfinterp.web.page.voice import Voice, Why

_KINDS = {
    "decisive": "decisive", "core": "core", "support": "support", "alarm": "alarm", "counter": "against",
    "counter_major": "strongly against", "neutral": "remark",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Criterion:
    """One item of a pattern; `truth`: true, false or unknown."""

    text: str
    kind: str
    truth: str


@dataclass(frozen=True, slots=True)
class Pattern:
    name: str
    grade: str
    word: str
    emergency: bool
    discordant: bool
    text: str
    alarms: tuple[str, ...]
    support: tuple[Said, ...]
    against: tuple[Said, ...]
    missing: tuple[str, ...]
    lines: tuple[Said, ...]
    criteria: tuple[Criterion, ...]
    open: bool
    why: Why

    @property
    def speaks(self) -> bool:
        """It is graded, or stays open for a reason."""
        return self.grade != "not_evaluable" or self.open or bool(self.alarms)


@dataclass(frozen=True, slots=True)
class Patterns:
    """`told` in full; `bare` cannot be judged; `absent`: names of what the values do not show; `also`: what is to be
    said with one of these all the same."""

    told: tuple[Pattern, ...]
    bare: tuple[Pattern, ...]
    absent: tuple[str, ...]
    also: tuple[Said, ...]

    @property
    def speaking(self) -> list[Pattern]:
        """Those that say something of this patient; the others lack values."""
        return [pattern for pattern in self.told if pattern.speaks]

    @property
    def silent(self) -> list[Pattern]:
        return [pattern for pattern in self.told if not pattern.speaks]

    @property
    def emergencies(self) -> list[Pattern]:
        return [pattern for pattern in self.told if pattern.emergency]

    @property
    def any(self) -> bool:
        return bool(self.told or self.bare or self.absent or self.also)


def patterns(document: Part, voice: Voice) -> Patterns:
    """The patterns that are to be shown, emergencies first."""
    shown = shown_patterns(document)
    absent = [one for one in shown if is_absent(one)]
    bare = [one for one in shown if not is_absent(one) and is_bare(one)]
    told = [one for one in shown if not is_absent(one) and not is_bare(one)]
    return Patterns(
        tuple(_pattern(one, voice) for one in told),
        tuple(_pattern(one, voice) for one in bare),
        tuple(text(one, "name") for one in absent if text(one, "text") in ("", NOT_SHOWN)),
        tuple(_also(absent, voice)),
    )


def _pattern(one: Part, voice: Voice) -> Pattern:
    return Pattern(
        name=text(one, "name"),
        grade=text(one, "grade"),
        word=grade_words(one),
        emergency=one.get("emergency") is True,
        discordant=one.get("discordant") is True,
        text=voice.said(text(one, "text")),
        alarms=tuple(dict.fromkeys(map(voice.said, texts(one, "alarms")))),
        support=tuple(_evidence(one, "support", voice)),
        against=tuple(_evidence(one, "against", voice)),
        missing=voice.listed(texts(one, "missing")),
        lines=tuple(statements(parts(one, "lines"), voice)),
        criteria=tuple(
            Criterion(voice.said(text(item, "text")), _KINDS.get(text(item, "kind"), ""), text(item, "truth"))
            for item in parts(one, "items")
        ),
        open=bool(text(one, "reason")),
        why=voice.why({"citations": one.get("citations"), "status": one.get("status")}, text(one, "rule")),
    )


def _evidence(pattern: Part, side: str, voice: Voice) -> Iterator[Said]:
    for line in dict.fromkeys(texts(pattern, side)):
        item = item_of(pattern, line)
        criterion, facts = _apart(line, text(item, "text"))
        own = {"because": [facts], "citations": item.get("citations"), "status": item.get("status")}
        yield Said(voice.said(criterion), voice.why(own, text(item, "id")))


def _apart(line: str, criterion: str) -> tuple[str, str]:
    """A line of evidence as criterion and the facts that stand behind it in brackets."""
    head, found, facts = line.partition(f"{criterion} (")
    return (f"{head}{criterion}", facts.removesuffix(")")) if criterion and found else (line, "")


def _also(absent: Iterable[Part], voice: Voice) -> Iterator[Said]:
    for one in absent:
        name = text(one, "name")
        why = voice.why({"citations": one.get("citations"), "status": one.get("status")}, text(one, "rule"))
        if text(one, "text") not in ("", NOT_SHOWN):
            yield Said(f"{name}: {voice.said(text(one, 'text'))}", why)
        for alarm in texts(one, "alarms"):
            yield Said(f"{name}: alarm value {voice.said(alarm)}", why)
        for line in statements(parts(one, "lines"), voice):
            yield Said(f"{name}: {line.text}", line.why)
