"""A cohort from file to file: chunks of rows, constant memory, a manifest and a dictionary beside the table."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import itertools
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

import orjson

from csfinterp import __version__
from csfinterp.cohort.columns import rows as dictionary_rows
from csfinterp.cohort.report import Report
from csfinterp.cohort.table import Table
from csfinterp.errors import CsfinterpError, DocumentError
from csfinterp.formats import ReadLimits
from csfinterp.formats.cohort_csv import Entry, entries
from csfinterp.formats.csv_cells import records, write
from csfinterp.library import Known, Library
from csfinterp.model.panel import Panel
from csfinterp.settings import Settings

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CHUNK = 4096
Refusal = Callable[[Panel], DocumentError | None]
Progress = Callable[[int, int], object]


class CohortError(CsfinterpError):
    """A cohort file that cannot be read or written; the message says what to do."""


def run_cohort(
    settings: Settings,
    source: Path,
    target: Path,
    edition: str | None = None,
    progress: Progress = lambda size, panels: None,
) -> Report:
    """Reads CSV (`.gz`: compressed) and writes the table as `target`, with `.manifest.json` and `.dictionary.csv`.

    The same input, edition and software give the same bytes. A panel that is refused keeps its row, with its ids and
    nothing else. The files appear when all is done; then they replace older ones. `progress` gets bytes read and panels
    answered. Raises CohortError, DocumentError (a file that cannot be read on), NotFoundError, EditionError.
    """
    if target.exists() and source.samefile(target):
        raise CohortError("The output would overwrite the input. Name another file.")
    known = Library(settings).known(edition)
    table, report = Table(known.core), Report(frozenset(known.edition.analyte))
    limits = ReadLimits(settings.max_body_bytes, settings.max_observations, settings.max_depth)
    parts = [target.with_name(target.name + ending) for ending in (".partial", ".manifest.json", ".dictionary.csv")]
    partial, manifest, dictionary = parts
    try:
        with source.open("rb") as raw, partial.open("wb") as out:
            read, written = _Digested(raw), _Digested(out)
            names = [column.name for column in table.columns]
            with _reading(read, source) as stream, _writing(written, target) as text:
                write(text, [names])
                for rows in chunks(entries(records(stream), limits), known.refusal, table, report):
                    write(text, ([row[name] for name in names] for row in rows))
                    progress(raw.tell(), report.panels)
        about = _manifest(known, read, written, report, len(names))
        with dictionary.open("w", encoding="utf-8", newline="") as stream_out:
            write(stream_out, dictionary_rows(table.columns))
        manifest.write_bytes(orjson.dumps(about, option=orjson.OPT_INDENT_2) + b"\n")
        os.replace(partial, target)
    except (OSError, EOFError, zlib.error) as error:
        raise CohortError(f"{_reason(error)} ({source.name} -> {target.name}). Nothing was written.") from None
    finally:
        partial.unlink(missing_ok=True)
    return report


def chunks(found: Iterable[Entry], refusal: Refusal, table: Table, report: Report) -> Iterator[list[dict[str, object]]]:
    """The rows of the table, chunk by chunk, in the order of the entries; a refused panel has its ids alone."""
    remaining = iter(found)
    while chunk := list(itertools.islice(remaining, CHUNK)):
        yield _rows(chunk, refusal, table, report)


def _rows(chunk: list[Entry], refusal: Refusal, table: Table, report: Report) -> list[dict[str, object]]:
    errors = [refusal(entry.panel) if isinstance(entry.panel, Panel) else entry.panel for entry in chunk]
    read = [(entry.panel, error) for entry, error in zip(chunk, errors, strict=True)]
    answers = iter(table.read([panel for panel, error in read if error is None and isinstance(panel, Panel)]))
    rows = []
    for entry, error in zip(chunk, errors, strict=True):
        if error is not None:
            report.refuse(entry, error)
            rows.append({**table.empty(), "panel_id": entry.panel_id, "patient_id": entry.patient_id})
        else:
            answer = next(answers)
            report.answered(entry, answer)
            rows.append(answer.cells)
    return rows


def _manifest(known: Known, read: _Digested, written: _Digested, report: Report, width: int) -> dict[str, object]:
    edition, rules = known.edition, known.edition.site_rules
    return {
        "software": {"name": "csfinterp", "version": __version__},
        "edition": {"id": edition.id, "digest": edition.digest, "status": edition.status},
        "site_rules": {"id": rules.id, "digest": rules.digest, "options": list(rules.options)} if rules else None,
        "input": {"digest": read.digest, "bytes": read.size},
        "output": {"digest": written.digest, "bytes": written.size, "columns": width},
        **report.data(),
    }


class _Digested(io.RawIOBase):
    """A file whose bytes are counted and digested as they pass."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash, self.size = file, hashlib.sha256(), 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        return self._passed(data)

    def write(self, data: ReadableBuffer, /) -> int:
        self._file.write(data)
        return self._passed(data)

    def _passed(self, data: ReadableBuffer) -> int:
        self._hash.update(data)
        size = memoryview(data).nbytes
        self.size += size
        return size


@contextlib.contextmanager
def _reading(raw: _Digested, name: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed if its name ends in .gz."""
    with io.BufferedReader(raw) as plain:
        if name.suffix == ".gz":
            with gzip.GzipFile(fileobj=plain, mode="rb") as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield plain


@contextlib.contextmanager
def _writing(raw: _Digested, name: Path) -> Iterator[TextIO]:
    """UTF-8 text into a file, compressed if its name ends in .gz (without a time, so that the bytes repeat)."""
    with contextlib.ExitStack() as stack:
        binary: BinaryIO = stack.enter_context(io.BufferedWriter(raw))
        if name.suffix == ".gz":
            packed = gzip.GzipFile(filename="", fileobj=binary, mode="wb", compresslevel=6, mtime=0)
            binary = cast(BinaryIO, stack.enter_context(packed))
        yield stack.enter_context(io.TextIOWrapper(binary, "utf-8", newline=""))


def _reason(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
        return "The input is no whole gzip file"
    return (error.strerror if isinstance(error, OSError) else None) or "The file cannot be used"
