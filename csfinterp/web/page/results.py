"""The results in groups: value, flag, bar, reference, times the limit, earlier values of the same patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from markupsafe import Markup

from csfinterp.formats.report_groups import GROUPS, place_of
from csfinterp.formats.report_words import NOT_JUDGED, Part, as_sent, part, parts, plain, text, texts, value_text, words
from csfinterp.service import CoursePanel
from csfinterp.web.page.bars import bar
from csfinterp.web.page.voice import Voice, Why
from csfinterp.web.words import day, mark, unit

MOST_EARLIER = 3
SHORT_NOTE = 60  # characters; a longer one that several results have is printed once, above them
# Says why there is no interval at all; the same for every sample.
ORIENTATION = "orientation"
CRITICAL = ("LL", "HH", "AA")
ABNORMAL = ("L", "H", "A", *CRITICAL)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A value of an earlier panel; `unit` is printed where it is another one; `flag` empty: not judged there."""

    value: str
    unit: str
    flag: str


@dataclass(frozen=True, slots=True)
class Row:
    """One result as it is printed; `open` says why there is no flag, `notes` what must be said beside it.

    `shared`: numbers of the notes of `Results.notes` that hold for it, from 1.
    """

    analyte: str
    name: str
    value: str
    unit: str
    flag: str
    critical: bool
    open: str
    bar: Markup
    reference: str
    partition: str
    times: str
    earlier: tuple[tuple[Earlier, ...], ...]
    laboratory: str
    details: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    why: Why
    shared: tuple[int, ...] = ()

    @property
    def abnormal(self) -> bool:
        return self.flag in ABNORMAL

    @property
    def information(self) -> bool:
        """Shown for information: nothing is to be judged."""
        return self.open == NOT_JUDGED["info_only"]


@dataclass(frozen=True, slots=True)
class Before:
    """One earlier panel of the same patient, for the head of its column."""

    panel_id: str
    collected: str
    specimen: str


@dataclass(frozen=True, slots=True)
class Results:
    """`groups`: (title, rows); `extra`: calculated for information; `failed`: what could not be calculated.

    `notes`: what must be said beside several results.
    """

    groups: tuple[tuple[str, tuple[Row, ...]], ...]
    extra: tuple[Row, ...]
    failed: tuple[Row, ...]
    earlier: tuple[Before, ...]
    notes: tuple[str, ...]

    @property
    def rows(self) -> Iterator[Row]:
        """Every result of the groups."""
        for _, rows in self.groups:
            yield from rows

    @property
    def abnormal(self) -> list[Row]:
        """What is flagged, critical first, in the order of the groups."""
        return sorted((row for row in self.rows if row.abnormal), key=lambda row: not row.critical)

    @property
    def judged(self) -> int:
        return sum(bool(row.flag) for row in self.rows)

    @property
    def withheld(self) -> list[Row]:
        """Results that were sent and could not be judged, information left out."""
        return [row for row in self.rows if not row.flag and not row.information]


def results(document: Part, voice: Voice, before: Sequence[CoursePanel]) -> Results:
    """The results of a document; `before`: earlier panels of the patient, oldest first, of which the latest show."""
    shown = list(before)[: -MOST_EARLIER - 1 : -1]
    values = [_values(panel.document) for panel in shown]
    found = [(row, _row(row, voice, values)) for row in parts(document, "results")]
    listed = [(row, made) for row, made in found if not _is_information(row) and not _is_failed(row)]
    places = {id(made): place_of(made.analyte) for _, made in listed}
    ordered = sorted((made for _, made in listed), key=lambda made: _order(places[id(made)]))
    notes = _repeated(ordered)
    groups = groupby(ordered, key=lambda made: places[id(made)][0])
    return Results(
        tuple((title, tuple(_numbered(row, notes) for row in rows)) for title, rows in groups),
        tuple(made for row, made in found if _is_information(row)),
        tuple(made for row, made in found if _is_failed(row)),
        tuple(Before(panel.panel_id, day(panel.collected_at) or "no date", panel.specimen_id) for panel in shown),
        notes,
    )


def _repeated(rows: Iterable[Row]) -> tuple[str, ...]:
    """Long notes of more than one result, in the order of the results."""
    counted = Counter(note for row in rows for note in row.notes)
    return tuple(note for note, times in counted.items() if times > 1 and len(note) > SHORT_NOTE)


def _numbered(row: Row, shared: Sequence[str]) -> Row:
    """The row with numbers in place of the notes that it shares with others."""
    if not any(note in shared for note in row.notes):
        return row
    numbers = tuple(number for number, note in enumerate(shared, 1) if note in row.notes)
    return replace(row, notes=tuple(note for note in row.notes if note not in shared), shared=numbers)


def _order(place: tuple[str, int]) -> tuple[int, int]:
    return GROUPS.index(place[0]), place[1]


def _is_information(row: Part) -> bool:
    """Calculated, and neither judged nor meant to be: limits and the like."""
    return row.get("derived") is True and row.get("value") is not None and text(row, "not_judged") == "info_only"


def _is_failed(row: Part) -> bool:
    return row.get("derived") is True and row.get("value") is None


def _values(document: Part) -> dict[tuple[str, str], tuple[Earlier, ...]]:
    """(analyte, organism) -> values of an earlier panel."""
    found: dict[tuple[str, str], tuple[Earlier, ...]] = {}
    for row in parts(document, "results"):
        if row.get("value") is not None:
            printed = Earlier(value_text(row), unit(text(row, "unit")), text(row, "flag"))
            key = (text(row, "analyte"), text(row, "organism"))
            found[key] = (*found.get(key, ()), printed)
    return found


def _row(row: Part, voice: Voice, values: Iterable[Mapping[tuple[str, str], tuple[Earlier, ...]]]) -> Row:
    analyte, organism, reference, flag = (
        text(row, "analyte"),
        text(row, "organism"),
        part(row, "reference"),
        text(row, "flag"),
    )
    unjudged = text(row, "not_judged")
    unjudged_words = NOT_JUDGED.get(unjudged, words(unjudged))
    stated = text(row, "unit") if row.get("value") is not None else text(part(row, "reported"), "unit")
    limit = reference or row
    return Row(
        analyte=analyte,
        name=text(row, "name") + (f": {organism}" if organism else ""),
        value=value_text(row),
        unit=unit(stated),
        flag=flag,
        critical=row.get("critical") is True or flag in CRITICAL,
        open="" if flag else unjudged_words,
        bar=bar(row),
        reference=_reference(reference),
        partition=voice.said(text(reference, "partition")),
        times=plain(row.get("times_limit")),
        earlier=tuple(one.get((analyte, organism), ()) for one in values),
        laboratory=_laboratory(row),
        details=tuple(_details(row, voice)),
        notes=tuple(voice.said(note) for note in _notes(row) if note != unjudged_words),
        why=Why((), (), text(reference, "rule"), voice.cited(texts(limit, "citations")), mark(text(limit, "status"))),
    )


def _reference(reference: Part) -> str:
    """The interval with its unit, as the edition prints it."""
    said, printed = text(reference, "text"), unit(text(reference, "unit"))
    return said if not printed or printed in said else f"{said} {printed}"


def _details(row: Part, voice: Voice) -> Iterator[tuple[str, str]]:
    """(label, text): what was sent and from what it was calculated."""
    sent = as_sent(row)
    if sent:
        yield "As sent", sent.removeprefix("as sent: ")
    inputs = voice.listed(texts(row, "inputs"))
    if inputs:
        yield "Calculated from", "; ".join(inputs)
    for note in parts(row, "notes"):
        if text(note, "code") == ORIENTATION:
            yield "Note", text(note, "text")
    if text(row, "organism_class"):
        yield "Class", words(text(row, "organism_class"))
    if text(row, "loinc"):
        yield "LOINC", text(row, "loinc")


def _laboratory(row: Part) -> str:
    """The laboratory's own flag and range; they stand beside ours and never replace it."""
    own, limits = text(row, "laboratory_flag"), text(row, "laboratory_range")
    return ", ".join(filter(None, (own, limits and f"range {limits}")))


def _notes(row: Part) -> Iterator[str]:
    yield from (text(note, "text") for note in parts(row, "notes") if text(note, "code") != ORIENTATION)
    if text(row, "advisory"):
        yield text(row, "advisory")
