"""For notebooks: one panel document, or a DataFrame of panels, read with an edition. Nothing is stored."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd

from csfinterp.cohort.columns import BOOLEAN, COUNT, NUMBER
from csfinterp.cohort.report import Report
from csfinterp.cohort.run import chunks
from csfinterp.cohort.table import Table
from csfinterp.formats import ReadLimits, panel_json
from csfinterp.formats.cohort_csv import entries
from csfinterp.formats.csv_cells import Record
from csfinterp.operations import stateless_service
from csfinterp.service import Service
from csfinterp.settings import Settings

DTYPES = {NUMBER: "float64", COUNT: "Int64", BOOLEAN: "boolean"}
LARGEST_WHOLE = 2**53


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
    table = Table(service.core())
    report = Report(frozenset(service.core().edition.analyte))
    found = entries(_records(frame), _limits(settings))
    rows = [row for chunk in chunks(found, service.refusal, table, report) for row in chunk]
    index = frame.index if len(rows) == len(frame) and "code" not in frame.columns else None
    if report.refusals:
        lines = "; ".join(line for line in report.lines() if line.startswith("refused"))
        warnings.warn(f"{report.refusals} of {report.panels} panels were refused: {lines}", stacklevel=2)
    data = {
        column.name: pd.Series([row[column.name] for row in rows], index, DTYPES.get(column.type, "object"))
        for column in table.columns
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
    for number, row in enumerate(frame.itertuples(index=False, name=None), 2):
        yield Record(number, [_text(value) for value in row])


def _text(value: Any) -> str:
    """A cell as a CSV file would hold it; a whole number that a missing neighbor made a float is whole again."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, pd.Timestamp):
        day = value.tz is None and value == value.normalize()
        return str(value.date().isoformat()) if day else str(value.isoformat())
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        return str(int(value))
    return str(float(value)) if isinstance(value, float) else str(value).lower() if _is_bool(value) else str(value)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")
