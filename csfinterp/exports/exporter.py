"""Exports from the store: the same bytes by HTTP and by `csfinterp export`, a page of panels at a time."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from csfinterp import __version__
from csfinterp.cohort.arrow import library, schema
from csfinterp.cohort.columns import BOOLEAN, COUNT, TEXT, Column, columns, frictionless
from csfinterp.cohort.columns import rows as dictionary_rows
from csfinterp.errors import CsfinterpError, DocumentError, Fault
from csfinterp.exports.flat import Document, panel_row, result_rows, years
from csfinterp.exports.privacy import FEW, LEFT_OUT, Pseudonyms, age
from csfinterp.formats.csv_cells import text_cell, write
from csfinterp.model.edition import Edition
from csfinterp.store import PanelFilter, Store
from csfinterp.store.exported import Exported, pages

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PAGE = 200
PANELS, OBSERVATIONS = "panels", "observations"
FREE_TEXT = ("organism", "reported_code", "reported_value", "reported_unit")
ONE_PERSON = ("patient", "specimen", "panel_id", "source")
Row = dict[str, object]
ROW_GROUPS = 20  # pages in a row group of Parquet


class IdentifiedError(CsfinterpError):
    """An identified export that this reader may not have."""


@dataclass(frozen=True)
class Wanted:
    """What is asked for. `columns` empty: all. `project`: whose pseudonyms. `identified`: ids and dates as stored."""

    table: str = PANELS
    filters: PanelFilter = field(default_factory=PanelFilter)
    columns: tuple[str, ...] = ()
    identified: bool = False
    project: str = "default"


def check_identified(wanted: Wanted, may_identify: bool) -> None:
    """The one place that decides who may have what: raises IdentifiedError for more than the reader's role allows.

    A de-identified export must not be asked for one person either: the filter would tell who it is (DocumentError).
    """
    if wanted.identified:
        if not may_identify:
            raise IdentifiedError("Your role allows de-identified exports only. Leave identified out.")
        return
    for name in ONE_PERSON:
        if getattr(wanted.filters, name) is not None:
            text = f"A de-identified export cannot be asked by {name}: that would tell who it is. Leave it out."
            raise DocumentError(text, (Fault(f"/{name}", text),))


class Exporter:
    """Exports of one store with the columns of one edition. `secret`: of the site, from which project keys are made."""

    def __init__(self, store: Store, edition: Edition, secret: Callable[[], bytes]) -> None:
        self._engine, self._edition, self._secret = store.engine, edition, secret

    def columns(self, wanted: Wanted) -> tuple[Column, ...]:
        """The columns of the file, in order. Raises DocumentError for one that is not there."""
        every = _panel_columns(self._edition) if wanted.table == PANELS else _result_columns(self._edition)
        if not wanted.identified:
            every = tuple(column for column in every if column.name not in FREE_TEXT)
        known = {column.name: column for column in every}
        for name in wanted.columns:
            if name not in known:
                text = "One of the columns is not in this table. The dictionary names them all."
                raise DocumentError(text, (Fault("/columns", text),))
        return tuple(known[name] for name in dict.fromkeys(wanted.columns)) or every

    def csv(self, wanted: Wanted) -> Iterator[bytes]:
        """The CSV file in pieces. What is wrong with the wish is raised before the first."""
        names = [column.name for column in self.columns(wanted)]
        found = self._pages(wanted)
        first = next(found, [])  # a filter that is wrong is told before anything is answered
        yield (",".join(names) + "\r\n").encode()
        for rows in itertools.chain([first], found):
            yield "".join([",".join([_cell(row.get(name)) for name in names]) + "\r\n" for row in rows]).encode()

    def parquet(self, wanted: Wanted) -> Iterator[bytes]:
        """The Parquet file in pieces. Raises MissingExtraError."""
        arrow, form, sink = library(), schema(self.columns(wanted)), _Pieces()
        with arrow.parquet.ParquetWriter(sink, form, compression="zstd") as writer:
            waiting: list[Row] = []
            for number, rows in enumerate(self._pages(wanted), 1):
                waiting += rows
                if number % ROW_GROUPS == 0:
                    writer.write_table(_table(arrow, waiting, form))
                    waiting.clear()
                    yield sink.taken()
            if waiting:
                writer.write_table(_table(arrow, waiting, form))
        yield sink.taken()

    def dictionary(self, wanted: Wanted) -> str:
        """What every column means, as CSV."""
        stream = io.StringIO(newline="")
        write(stream, dictionary_rows(self.columns(wanted)))
        return stream.getvalue()

    def table_schema(self, wanted: Wanted) -> str:
        """The same as a Frictionless Table Schema."""
        return orjson.dumps(frictionless(self.columns(wanted)), option=orjson.OPT_INDENT_2).decode() + "\n"

    def manifest(self, wanted: Wanted) -> dict[str, object]:
        """Edition, software, filters, counts, what was left out, and which groups are small."""
        editions, groups, people = Counter[str](), dict[tuple[str, ...], set[object]](), set[object]()
        panels = 0
        for page in pages(self._engine, wanted.filters, PAGE):
            for stored in page:
                answer = orjson.loads(stored.interpretation)
                shown, owner = age(years(answer)), _owner(stored)
                decade = "unknown" if shown is None else f"{shown // 10 * 10}"
                group = (str(answer["patient"]["sex"]), decade, str(answer["specimen"].get("site")))
                groups.setdefault(group, set()).add(owner)
                people.add(owner)
                editions[f"{answer['edition']['id']} {answer['edition']['digest']}"] += 1
                panels += 1
        small = [combination for combination, owners in groups.items() if len(owners) < FEW]
        asked = {name: value for name, value in asdict(wanted.filters).items() if value is not None}
        return {
            "software": {"name": "csfinterp", "version": __version__},
            "edition": {"id": self._edition.id, "digest": self._edition.digest, "status": self._edition.status},
            "answered_by": dict(sorted(editions.items())),
            "filters": asked,
            "columns": len(self.columns(wanted)),
            "counts": {"panels": panels, "patients": len(people)},
            "identified": wanted.identified,
            "project": None if wanted.identified else wanted.project,
            "left_out": [] if wanted.identified else list(LEFT_OUT),
            "small_cells": {
                "fewer_than": FEW, "of": "patients that share sex, decade of age and site", "groups": len(small),
                "warning": f"{len(small)} groups have fewer than {FEW} patients: do not publish them one by one."
                if small else None,
            },
        }  # fmt: skip

    def _pages(self, wanted: Wanted) -> Iterator[list[Row]]:
        names = None if wanted.identified else Pseudonyms.of(self._secret(), wanted.project)
        for page in pages(self._engine, wanted.filters, PAGE):
            yield [row for stored in page for row in _rows(stored, wanted, names)]


def _rows(stored: Exported, wanted: Wanted, names: Pseudonyms | None) -> Iterator[Row]:
    answer: Document = orjson.loads(stored.interpretation)
    about = _about(stored, answer, names)
    if wanted.table == OBSERVATIONS:
        yield from ({**row, **about} for row in result_rows(answer))
        return
    sent = orjson.loads(stored.panel_document) if answer["issues"] else {}
    row = {**panel_row(answer, sent), **about}
    yield {**row, "age_years": age(_whole(row["age_years"]))} if names is not None else row


def _about(stored: Exported, answer: Document, names: Pseudonyms | None) -> Row:
    """Who and when: as stored, or what stands for it."""
    collected = answer["specimen"].get("collected_at")
    if names is None:
        return {"panel_id": stored.specimen_id, "patient_id": stored.patient_id, "collected_at": collected}
    return {
        "panel_id": names.name("sample", stored.source_system, stored.specimen_id),
        "patient_id": None if stored.patient_id is None else names.name("patient", stored.patient_id),
        "collected_at": names.day(collected, *_owner(stored)),
    }


def _owner(stored: Exported) -> tuple[str, ...]:
    """Whose dates move together: the patient's, or the specimen's where no patient was sent."""
    if stored.patient_id is not None:
        return ("patient", stored.patient_id)
    return ("specimen", stored.source_system, stored.specimen_id)


def _panel_columns(edition: Edition) -> tuple[Column, ...]:
    """Those of a cohort table; behind them what a cohort's own input holds."""
    return (
        *columns(edition),
        Column(
            "age_years", COUNT, "", "Age at collection in completed years; de-identified: 90 is 90 or more", "panel"
        ),
        Column("sex", TEXT, "", "female, male, other, unknown", "panel"),
        Column("site", TEXT, "", "Site of the puncture: lumbar, ventricular, cisternal, unknown", "panel"),
    )


def _result_columns(edition: Edition) -> tuple[Column, ...]:
    of_panel = [column for column in columns(edition) if column.source == "panel" or column.name.startswith("edition")]
    return (
        *of_panel,
        Column("code", TEXT, "", "The analyte or derived quantity", "result"),
        Column("value", TEXT, "", "In the canonical unit, or the coded word; empty: could not be read", "result"),
        Column("comparator", TEXT, "", "< <= > >=: the value is only known as this bound", "result"),
        Column("unit", TEXT, "", "Canonical unit (UCUM)", "result"),
        Column("flag", TEXT, "", "N L H LL HH A AA (HL7); empty: not judged", "result"),
        Column("critical", BOOLEAN, "", "Somebody must be told", "result"),
        Column("not_judged", TEXT, "", "Why there is no flag", "result"),
        Column("derived", BOOLEAN, "", "Computed from other results of the panel", "result"),
        Column("organism_class", TEXT, "", "Class of the organism that was found or sought", "result"),
        Column("organism", TEXT, "", "The organism, as sent (identified exports only)", "result"),
        Column("reported_code", TEXT, "", "The code, as sent (identified exports only)", "result"),
        Column("reported_value", TEXT, "", "The value, as sent (identified exports only)", "result"),
        Column("reported_unit", TEXT, "", "The unit, as sent (identified exports only)", "result"),
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return text_cell(value)
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


class _Pieces(io.RawIOBase):
    """A file that is handed on piece by piece."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        self._waiting.append(bytes(data))
        self._size += len(self._waiting[-1])
        return len(self._waiting[-1])

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        found = b"".join(self._waiting)
        self._waiting.clear()
        return found


def _table(arrow: Any, rows: Sequence[Row], form: Any) -> Any:
    return arrow.Table.from_pylist([{name: row.get(name) for name in form.names} for row in rows], schema=form)
