"""For notebooks: one panel document, or a DataFrame of panels, read with an edition. Nothing is stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd

from csfinterp.cohort.chunk import ChunkReader
from csfinterp.cohort.columns import BOOLEAN, COUNT, NUMBER
from csfinterp.cohort.plain import text_of
from csfinterp.cohort.report import Report
from csfinterp.cohort.run import CHUNK
from csfinterp.formats import ReadLimits, panel_json
from csfinterp.formats.csv_blocks import read_blocks
from csfinterp.formats.csv_cells import Record
from csfinterp.formats.csv_header import read_header
from csfinterp.operations import stateless_service
from csfinterp.service import Service
from csfinterp.settings import Settings

DTYPES = {NUMBER: "float64", COUNT: "Int64", BOOLEAN: "boolean"}


def interpret(panel: Mapping[str, Any], edition: str | None = None) -> dict[str, object]:
    """The interpretation document of a panel document (both as the HTTP door has them).

    `edition`: its id; None: the one in force. Editions and site rules are read once for each process.
    Raises DocumentError for a panel that cannot be read or names no test of CSF, NotFoundError, EditionError.
    """
    settings = _settings(edition)
    return _service(settings).interpret(panel_json.read_document(dict(panel), _limits(settings)))


def interpret_frame(frame: pd.DataFrame, edition: str | None = None) -> pd.DataFrame:
    """The researcher's table of a DataFrame whose columns are those of the wide or long CSV; the index is not read.

    The columns are those of `csfinterp cohort`, with the same values: float64, Int64, boolean, and text; NA is missing.
    A wide frame keeps its index. A panel that is refused keeps its row with its ids alone, and a warning counts them.
    Raises DocumentError for columns that cannot be read, else as `interpret`.
    """
    settings = _settings(edition)
    service = _service(settings)
    rows = _records(frame)
    header = read_header(*next(rows))
    reader, report = ChunkReader(service.known(), header, _limits(settings)), Report()
    parts = []
    for block in read_blocks(header, rows, CHUNK):
        chunk = reader.read(block.rows())
        report.add(chunk.report)
        parts.append(chunk.cells)
    index = frame.index if "code" not in frame.columns else None
    if report.refusals:
        lines = "; ".join(line for line in report.lines() if line.startswith("refused"))
        warnings.warn(f"{report.refusals} of {report.panels} panels were refused: {lines}", stacklevel=2)
    data = {
        column.name: pd.Series(
            [value for part in parts for value in part[column.name].plain()], index, DTYPES.get(column.type, "object")
        )
        for column in reader.table.columns
    }
    return pd.DataFrame(data, index)


def _settings(edition: str | None) -> Settings:
    settings = Settings.load()
    return replace(settings, edition=edition) if edition else settings


@lru_cache(maxsize=4)
def _service(settings: Settings) -> Service:
    return stateless_service(settings)


def _limits(settings: Settings) -> ReadLimits:
    return ReadLimits(settings.max_body_bytes, settings.max_observations, settings.max_depth)


def _records(frame: pd.DataFrame) -> Iterator[Record]:
    """The frame as rows of text, counted as its CSV file would be: the names are row 1."""
    yield Record(1, [str(name) for name in frame.columns])
    columns = [[text_of(value) for value in frame.iloc[:, place].tolist()] for place in range(frame.shape[1])]
    for number, cells in enumerate(zip(*columns, strict=True), 2):
        yield Record(number, list(cells))
