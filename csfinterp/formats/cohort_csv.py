"""The researchers' door: wide CSV (one row a panel) or long CSV (one row a result) -> panels (interfaces.md section 5).

Nothing is guessed: an empty cell is missing, a value without a unit stays without one, and the core says so. A row that
breaks the form is refused and the rest goes on; a file that cannot be read on is refused whole. Messages name rows and
columns, never what a cell holds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats.csv_cells import Record, records, unreadable
from csfinterp.formats.csv_header import COLUMN_AT, PANEL_COLUMNS, Header, no_header, read_header
from csfinterp.formats.csv_parts import REFUSED, number, sent
from csfinterp.formats.panel_json import read_document
from csfinterp.formats.strict_json import DEFAULT_LIMITS, ReadLimits
from csfinterp.model.panel import Panel

_OBSERVATION = re.compile(r"/observations/([0-9]+)(?:/(.*))?")


@dataclass(frozen=True)
class Entry:
    """One panel of a file, or why it was refused. `row`: its first row; `rows`: the row of each observation.

    `panel_id`, `patient_id`: as read, also of a refused panel; None where the row does not tell them.
    `columns`: the column of each observation as a report may show it.
    """

    row: int
    panel: Panel | DocumentError
    panel_id: str | None
    patient_id: str | None
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()


def read_many(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Iterator[Panel | DocumentError]:
    """The panels of a CSV file in order, a refused one as its DocumentError; a file that cannot be read is one."""
    try:
        found = list(entries(records(io.BytesIO(data)), limits))
    except DocumentError as error:
        yield error
        return
    yield from (one.panel for one in found)


def entries(rows: Iterator[Record], limits: ReadLimits = DEFAULT_LIMITS) -> Iterator[Entry]:
    """The panels of a file, one after the other, in constant memory (long: about 100 bytes for each panel id).

    Raises DocumentError where the file cannot be read on; what came before is then not to be used either.
    """
    first = next(rows, None)
    if first is None:
        raise no_header()
    header = read_header(*first)
    if header.code is None:
        yield from (entry(header, [row], limits) for row in rows)
        return
    yield from (entry(header, group, limits) for group in groups(header, rows))


def groups(header: Header, rows: Iterable[Record]) -> Iterator[list[Record]]:
    """Rows of one panel, which must stand together: a panel that comes in two parts would be answered twice, half."""
    place, seen, group, current = header.facts["panel_id"], set[bytes](), list[Record](), None
    for row in rows:
        if len(row.cells) != header.size:
            raise unreadable(row.number, _ragged(header))
        name = row.cells[place].strip()
        if group and (name != current or not name):
            yield group
            group = []
        if not group and name:
            mark = blake2b(name.encode(), digest_size=16).digest()
            if mark in seen:
                text = "The panel of this row came before, with other panels between. Sort the file by panel_id."
                raise unreadable(row.number, text)
            seen.add(mark)
        group.append(row)
        current = name
    if group:
        yield group


def _ragged(header: Header) -> str:
    return f"The header has {header.size} columns, this row has another number of cells. Quote cells with commas."


def entry(header: Header, rows: Sequence[Record], limits: ReadLimits) -> Entry:
    """One panel from its rows, which have as many cells as the header or are refused."""
    first = rows[0]
    if len(first.cells) != header.size:
        return Entry(first.number, unreadable(first.number, _ragged(header)), None, None)
    reading = _Reading(header, rows)
    names = reading.fact("panel_id"), reading.fact("patient_id")
    try:
        panel: Panel | DocumentError = reading.panel(limits)
    except DocumentError as error:
        panel = error
    return Entry(first.number, panel, *names, tuple(reading.rows), tuple(reading.columns))


class _Reading:
    """The panel document that rows of one panel make, and where each of its parts came from."""

    def __init__(self, header: Header, rows: Sequence[Record]) -> None:
        self.header, self._records = header, rows
        self.rows: list[int] = []
        self.columns: list[str] = []
        self.faults: list[Fault] = []

    def fact(self, name: str) -> str | None:
        """A fact of the panel: the first row that states it; None where no row does."""
        place = self.header.facts.get(name)
        cells = () if place is None else (row.cells[place].strip() for row in self._records)
        return next(filter(None, cells), None)

    def panel(self, limits: ReadLimits) -> Panel:
        """Raises DocumentError: one fault for each cell that breaks the form."""
        document = self._document()
        if self.faults:
            raise self._refused(self.faults)
        try:
            return read_document(document, limits)
        except DocumentError as error:
            raise self._refused([self._placed(fault) for fault in error.faults]) from None

    def _refused(self, faults: Sequence[Fault]) -> DocumentError:
        more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        return DocumentError(faults[0].message + more, tuple(faults))

    def _placed(self, fault: Fault) -> Fault:
        """The same fault with its row and column instead of the place in the panel document."""
        found = _OBSERVATION.fullmatch(fault.pointer)
        if found and int(found[1]) < len(self.rows):
            return _fault(self.rows[int(found[1])], self.columns[int(found[1])], fault.message)
        if fault.pointer == "/observations" and not self.rows:
            text = "There is no result in this panel: every cell is empty. Leave the row out."
            return Fault(f"/rows/{self._records[0].number}", f"Row {self._records[0].number}: {text}")
        near = (name for at, name in COLUMN_AT.items() if fault.pointer == at or fault.pointer.startswith(at + "/"))
        return _fault(self._records[0].number, next(near, "panel_id"), fault.message)

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"specimen": {}, "observations": list(self._observations())}
        for name in self.header.facts:
            text = self.fact(name)
            if text is not None:
                self._agree(name, text)
                *parents, key = PANEL_COLUMNS[name]
                part = document
                for parent in parents:
                    part = part.setdefault(parent, {})
                part[key] = self._value(name, text)
        return document

    def _agree(self, name: str, text: str) -> None:
        """A long file may repeat the facts of the panel in every row, but not contradict itself."""
        place = self.header.facts[name]
        for row in self._records:
            if row.cells[place].strip() not in ("", text):
                self.faults.append(_fault(row.number, name, "Differs from an earlier row of this panel. Send one."))
                return

    def _value(self, name: str, text: str) -> object:
        value = sent(name, text)
        if value is REFUSED:
            self.faults.append(_fault(self._records[0].number, name, "Send yes, no or unknown."))
            return None
        return value

    def _observations(self) -> Iterator[dict[str, object]]:
        for row in self._records:
            for test in self.header.tests:
                value = row.cells[test.value]
                if not value.strip():
                    continue
                self.rows.append(row.number)
                self.columns.append(self.header.names[test.value] if test.code else "value")
                code = test.code or row.cells[self.header.code or 0].strip()
                found: dict[str, object] = {"code": code, "value": value}
                if test.unit is not None:
                    found["unit"] = test.unit
                for part, place in test.parts.items():
                    text = row.cells[place].strip()
                    if text:
                        found[part] = number(text) if part == "tube" else text
                yield found


def _fault(row: int, column: str, text: str) -> Fault:
    return Fault(f"/rows/{row}/{column}", f"Row {row}, {column}: {text}")
