"""One block of a cohort file -> its part of the table and of the report. What every worker runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csfinterp.cohort.calls import Kinds
from csfinterp.cohort.cells import Cells, Coded, Words
from csfinterp.cohort.observations import ObservationReader
from csfinterp.cohort.people import People
from csfinterp.cohort.report import Report
from csfinterp.cohort.sheet import Reader, Sheet
from csfinterp.cohort.table import Table
from csfinterp.formats import ReadLimits
from csfinterp.formats.csv_cells import Record
from csfinterp.formats.csv_header import Header
from csfinterp.library import Known
from csfinterp.model.cohort import Ints

DATES = ("birth_date", "age_years", "collected_at", "received_at")


@dataclass(frozen=True)
class Chunk:
    """`cells`: column -> its cells for every panel of the block, in the order of the table."""

    cells: dict[str, Cells]
    report: Report


class ChunkReader:
    """Answers the blocks of one file with one edition. `source`: the sender of rows that name none."""

    def __init__(self, known: Known, header: Header, limits: ReadLimits, source: str | None = None) -> None:
        self.table = Table(known.core)
        self._analytes = frozenset(known.edition.analyte)
        self._reader = Reader(header, limits, source)
        self._observations = ObservationReader(known.core, known.refusal)
        self._people = People(known.core)

    def read(self, rows: Sequence[Record]) -> Chunk:
        """Rows that hold whole panels. Raises DocumentError where the file cannot be read on."""
        sheet = self._reader.read(rows)
        keys = self._observations.keys(sheet)
        refused = self._observations.without_csf(sheet, keys)
        if refused:
            sheet = sheet.without(refused)
            keys = self._observations.keys(sheet)
        report, ids = Report(), _ids(sheet)
        for place, error in sorted(sheet.refused.items()):
            report.refuse(sheet.first[place], error)
        if not len(sheet.good):
            nothing = Coded([], np.full(sheet.size, -1, np.int64))
            empty = {column.name: nothing for column in self.table.columns}
            return Chunk({**empty, **self.table.edition_cells(sheet.size), **ids}, report)
        observations, subjects = self._observations.read(sheet, keys), self._people.read(sheet)
        outcomes = self.table.core.run(observations, subjects)
        kinds = Kinds(sheet.results.slot, _dates(sheet))
        answered = self.table.rows(outcomes, sheet.panel, kinds, {**ids, "collected_at": _collected(sheet)})
        report.answered(sheet, answered.counted, self._analytes)
        return Chunk(self.table.spread(answered, sheet.good, sheet.size, ids), report)


def _ids(sheet: Sheet) -> dict[str, Cells]:
    return {name: Words([text or None for text in texts]) for name, texts in sheet.ids.items()}


def _collected(sheet: Sheet) -> Cells:
    column = sheet.facts.get("collected_at")
    if column is None:
        return Coded([], np.full(len(sheet.good), -1, np.int64))
    return Words([column.texts[at] or None for at in column.index.tolist()])


def _dates(sheet: Sheet) -> Ints:
    """Which of the dates and the age each panel states, as a number."""
    found = np.zeros(len(sheet.good), np.int64)
    for place, name in enumerate(DATES):
        if name in sheet.facts:
            found += sheet.facts[name].ask(bool).astype(np.int64) << place
    return found
