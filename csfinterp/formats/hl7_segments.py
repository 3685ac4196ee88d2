"""Segments of an HL7 v2 message: fields, repetitions and components by their numbers, from 1 as in the standard.

What is not there is the empty text, and so is the HL7 null `""`: nobody who reads a message can stumble.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from csfinterp.formats.hl7_text import DEFAULT_CODEC, USUAL, Delimiters

HEADERS = ("MSH", "BHS", "FHS")
BATCH = ("FHS", "BHS", "BTS", "FTS")
NULL = '""'
MAX_REPETITIONS = 1_000  # of one field; further ones stay together in the last
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True)
class Element:
    """One repetition of a field, raw: its components and subcomponents are read on demand."""

    raw: str
    marks: Delimiters = USUAL
    codec: str = DEFAULT_CODEC

    def component(self, number: int, subcomponent: int = 1) -> str:
        """The text of one subcomponent, escapes resolved, blanks at its ends kept; "" if it is not there."""
        if not self.raw:
            return ""
        parts = self.raw.split(self.marks.component, number)
        if len(parts) < number:
            return ""
        inner = parts[number - 1].split(self.marks.subcomponent, subcomponent)
        return self._meant(inner[subcomponent - 1]) if len(inner) >= subcomponent else ""

    def words(self, number: int) -> str:
        """One component as a code or name: without blanks at its ends."""
        return self.component(number).strip()

    def whole(self) -> str:
        """The repetition as one text: component marks in it are characters (a stray `^` in a comment)."""
        return self._meant(self.raw)

    @property
    def size(self) -> int:
        """Number of components written."""
        return self.raw.count(self.marks.component) + 1

    def _meant(self, text: str) -> str:
        return "" if text == NULL else self.marks.unescape(text, self.codec)


@dataclass(frozen=True)
class Segment:
    """One segment. `place` counts from 1 among the segments of its name; field 0 is the name."""

    name: str
    place: int
    fields: Sequence[str]
    marks: Delimiters = USUAL
    codec: str = DEFAULT_CODEC

    def raw(self, number: int) -> str:
        """The field exactly as sent."""
        return self.fields[number] if number < len(self.fields) else ""

    def repetitions(self, number: int) -> list[Element]:
        """The repetitions that hold something."""
        parts = self.raw(number).split(self.marks.repetition, MAX_REPETITIONS)
        return [Element(part, self.marks, self.codec) for part in parts if part and part != NULL]

    def first(self, number: int) -> Element:
        """The first repetition that holds something; an empty one if there is none."""
        raw = self.raw(number)
        if self.marks.repetition not in raw:
            return Element("" if raw == NULL else raw, self.marks, self.codec)
        return next(iter(self.repetitions(number)), Element("", self.marks, self.codec))

    def words(self, number: int, component: int = 1) -> str:
        """A component of the first repetition, without blanks at its ends."""
        return self.first(number).words(component)

    def pointer(self, field: int, component: int | None = None) -> str:
        """Where a field stands, for a Fault: /OBX/3/5 is OBX-5 of the third OBX."""
        return f"/{self.name}/{self.place}/{field}" + (f"/{component}" if component else "")


def begins_message(line: str) -> bool:
    """True for an MSH, also a broken one; False for a line of text that begins with these letters."""
    return line.startswith("MSH") and not (line[3:4].isalnum() or line[3:4].isspace())


def header_marks(line: str) -> Delimiters | None:
    """The delimiters that a header segment (MSH, BHS, FHS) names; None if they cannot be used."""
    if line[:3] not in HEADERS or len(line) < 4:
        return None
    named = line[4:].split(line[3], 1)[0]
    usual = USUAL.encoding_characters
    marks = Delimiters(line[3], *(named[:4] + usual[len(named[:4]) :]))
    return marks if marks.usable else None


def split_fields(line: str, marks: Delimiters) -> list[str]:
    """Fields of one line; those of a header segment count the field separator as field 1."""
    fields = line.split(marks.field)
    return [fields[0], marks.field, *fields[1:]] if fields[0] in HEADERS else fields


def segments(found: Sequence[str], marks: Delimiters, codec: str) -> Iterator[Segment]:
    """Lines as segments. A line that begins no segment is the rest of the text before it (a line feed in a field)."""
    whole: list[list[str]] = []
    for line in found:
        name, following = line[:3], line[3:4]
        if not whole or (_NAME.fullmatch(name) and following in ("", marks.field)):
            whole.append([line])
        else:
            whole[-1].append(line)
    counted: dict[str, int] = {}
    for parts in whole:
        fields = split_fields("\n".join(parts), marks)
        name = fields[0].strip()
        counted[name] = counted.get(name, 0) + 1
        yield Segment(name, counted[name], fields, marks, codec)
