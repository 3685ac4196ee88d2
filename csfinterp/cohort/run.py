"""A cohort from file to file: blocks of panels, constant memory, a journal to go on from, a manifest."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import orjson

from csfinterp import __version__
from csfinterp.cohort import forms, workers
from csfinterp.cohort.columns import Column, columns, frictionless
from csfinterp.cohort.columns import rows as dictionary_rows
from csfinterp.cohort.journal import CohortError, Journal, journal, partial_of
from csfinterp.cohort.report import Report
from csfinterp.cohort.sources import Source, opened
from csfinterp.formats import ReadLimits
from csfinterp.formats.csv_blocks import Block
from csfinterp.formats.csv_cells import write
from csfinterp.library import Known, Library, Mapped
from csfinterp.settings import Settings

__all__ = ["CHUNK", "CohortError", "How", "run_cohort"]

CHUNK = 8192  # panels; other chunks give the same rows, but a run goes on only with its own
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class How:
    """How a run is done; nothing of it changes a byte of the table.

    `code_map`: file of a sender's local codes, for all rows that name no source_system (or this one).
    `cluster`: address of a Dask scheduler.
    """

    edition: str | None = None
    code_map: Path | None = None
    workers: int = 1
    cluster: str | None = None


def run_cohort(
    settings: Settings,
    source: Path,
    target: Path,
    how: How | None = None,
    progress: Progress = lambda size, panels: None,
) -> Report:
    """Reads CSV or Parquet and writes the table as `target`, with `.manifest.json`, `.dictionary.csv`, `.schema.json`.

    Names that end in .gz are compressed, in .parquet are Parquet. The same input, edition and software give the same
    bytes, whoever answers. A panel that is refused keeps its row, with its ids and nothing else. The table appears when
    all is done; then it replaces an older one. A run that was killed goes on where it stood. `progress` gets bytes read
    and panels answered. Raises CohortError, DocumentError (a file that cannot be read on), NotFoundError, EditionError,
    MissingExtraError.
    """
    how = how or How()
    if target.exists() and source.samefile(target):
        raise CohortError("The output would overwrite the input. Name another file.")
    library = Library(settings)
    known = library.known(how.edition)
    mapped = library.with_code_map(known, how.code_map) if how.code_map else None
    known, sender = (mapped.known, mapped.source) if mapped else (known, None)
    limits = ReadLimits(settings.max_body_bytes, settings.max_observations, settings.max_depth)
    form, table = forms.form_of(target), columns(known.edition)
    try:
        with opened(source, CHUNK) as read, journal(target, _task(known, form, sender)) as log:
            task = workers.Task(known.edition, read.header, limits, form, sender)
            report = _answer(read, _who(task, known, how), log, forms.head(form, table), progress)
            made = forms.whole(form, table, partial_of(target))
            about = _manifest(known, read, made, len(table), mapped)
            _write_beside(target, table, {**about, **report.data()})
            os.replace(made, target)
            partial_of(target).unlink(missing_ok=True)
    except (OSError, EOFError, zlib.error) as error:
        raise CohortError(f"{_reason(error)} ({source.name} -> {target.name}). Nothing was written.") from None
    return report


def _who(task: workers.Task, known: Known, how: How) -> AbstractContextManager[workers.Answers]:
    if how.cluster is not None:
        return workers.cluster(task, how.cluster)
    return workers.processes(task, how.workers) if how.workers > 1 else workers.here(task, known)


def _answer(
    read: Source, who: AbstractContextManager[workers.Answers], log: Journal, head: bytes, progress: Progress
) -> Report:
    """Writes the parts of all blocks; those that an earlier run answered are read again but not asked again."""
    report, digests = Report(), list[str]()
    blocks = iter(read.blocks)
    first = _not_done(blocks, log)
    log.begin(head)
    for done in log.done:
        report.add(done.report)

    def noted() -> Iterator[Block]:
        for block in itertools.chain(first, blocks):
            digests.append(block.digest())
            yield block

    with who as answers:
        for number, answer in enumerate(answers(noted())):
            if answer.error is not None:
                raise answer.error
            log.add(digests[number], answer.part, answer.report)
            report.add(answer.report)
            progress(read.passed.size(), report.panels)
    return report


def _not_done(blocks: Iterator[Block], log: Journal) -> list[Block]:
    """Passes over the blocks that are done; one that is another now is given back, and what came after is dropped."""
    for number, done in enumerate(log.done):
        block = next(blocks, None)
        if block is None or block.digest() != done.block:
            log.keep(number)
            return [] if block is None else [block]
    return []


def _task(known: Known, form: str, sender: str | None) -> dict[str, object]:
    """What an earlier run must have done as well, so that this one may go on behind it."""
    rules = known.edition.site_rules
    edition = {"edition": known.edition.digest, "site_rules": rules.digest if rules else None}
    return {"csfinterp": __version__, **edition, "form": form, "chunk": CHUNK, "source": sender}


def _manifest(known: Known, read: Source, made: Path, width: int, mapped: Mapped | None) -> dict[str, object]:
    edition, rules = known.edition, known.edition.site_rules
    with made.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    return {
        "software": {"name": "csfinterp", "version": __version__},
        "edition": {"id": edition.id, "digest": edition.digest, "status": edition.status},
        "site_rules": {"id": rules.id, "digest": rules.digest, "options": list(rules.options)} if rules else None,
        "code_map": {"id": mapped.id, "source": mapped.source, "digest": mapped.digest} if mapped else None,
        "input": {"digest": read.passed.digest(), "bytes": read.passed.size()},
        "output": {"digest": digest, "bytes": made.stat().st_size, "columns": width},
    }


def _write_beside(target: Path, table: tuple[Column, ...], about: dict[str, object]) -> None:
    """Dictionary, Table Schema and manifest."""
    dictionary = io.StringIO(newline="")
    write(dictionary, dictionary_rows(table))
    schema = orjson.dumps(frictionless(table), option=orjson.OPT_INDENT_2).decode() + "\n"
    manifest = orjson.dumps(about, option=orjson.OPT_INDENT_2).decode() + "\n"
    made = {".dictionary.csv": dictionary.getvalue(), ".schema.json": schema, ".manifest.json": manifest}
    for ending, text in made.items():
        forms.replace(target.with_name(target.name + ending), text)


def _reason(error: Exception) -> str:
    if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
        return "The input is no whole gzip file"
    return (error.strerror if isinstance(error, OSError) else None) or "The file cannot be used"
