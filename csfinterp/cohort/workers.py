"""Who answers the blocks: this process, several of this machine, or a Dask cluster; the same bytes."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from csfinterp.cohort import forms
from csfinterp.cohort.arrow import MissingExtraError
from csfinterp.cohort.chunk import ChunkReader
from csfinterp.cohort.journal import CohortError
from csfinterp.cohort.report import Report
from csfinterp.errors import DocumentError
from csfinterp.formats import ReadLimits
from csfinterp.formats.csv_blocks import Block
from csfinterp.formats.csv_header import Header
from csfinterp.library import Known
from csfinterp.model.edition import Edition
from csfinterp.steps.pipeline import Core

AHEAD = 2  # blocks on their way for each worker


@dataclass(frozen=True)
class Task:
    """What every worker needs: the edition with the site's rules, and the form of input and output.

    `source`: the sender of rows that name none (its code map is read).
    """

    edition: Edition
    header: Header
    limits: ReadLimits
    form: str
    source: str | None


@dataclass(frozen=True)
class Answer:
    """The part of the table of one block and what it could not use, or why the file cannot be read on."""

    part: bytes
    report: Report
    error: DocumentError | None = None


class Worker:
    """Answers the blocks of one task."""

    def __init__(self, task: Task, known: Known | None = None) -> None:
        known = Known(task.edition, Core(task.edition)) if known is None else known
        self._form, self._chunks = task.form, ChunkReader(known, task.header, task.limits, task.source)

    def answer(self, block: Block) -> Answer:
        """Never raises for what a file holds: errors travel as answers."""
        try:
            chunk = self._chunks.read(block.rows())
        except DocumentError as error:
            return Answer(b"", Report(), error)
        return Answer(forms.part(self._form, self._chunks.table.columns, chunk.cells), chunk.report)


Answers = Callable[[Iterable[Block]], Iterator[Answer]]


@contextlib.contextmanager
def here(task: Task, known: Known) -> Iterator[Answers]:
    """This process answers, one block after the other."""
    worker = Worker(task, known)
    yield lambda blocks: map(worker.answer, blocks)


@contextlib.contextmanager
def processes(task: Task, count: int) -> Iterator[Answers]:
    """`count` processes of this machine. Raises CohortError if one of them dies."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, _start, (pickle.dumps(task),)) as pool:

        def answers(blocks: Iterable[Block]) -> Iterator[Answer]:
            try:
                yield from _in_order(blocks, lambda block: pool.submit(_answer, block), count * AHEAD)
            except BrokenProcessPool:
                raise CohortError(
                    "A worker process died (out of memory?). Run it again with fewer --workers."
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

        yield answers


@contextlib.contextmanager
def cluster(task: Task, address: str) -> Iterator[Answers]:
    """The workers of a Dask cluster, which need this software installed. Raises CohortError, MissingExtraError."""
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("A cluster needs Dask: pip install 'csfinterp[cluster]'.") from None
    data = pickle.dumps(task)
    name = hashlib.sha256(data).hexdigest()
    try:
        client = Client(address)
    except (OSError, ValueError) as error:
        raise CohortError(f"There is no Dask scheduler at {address} ({type(error).__name__}).") from None
    with client:
        count = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        shared = client.scatter(data, broadcast=True, hash=False)

        def send(block: Block) -> Any:
            return client.submit(_answer_there, name, shared, block, pure=False)

        yield lambda blocks: _in_order(blocks, send, count * AHEAD)


def _in_order(blocks: Iterable[Block], send: Callable[[Block], Any], ahead: int) -> Iterator[Answer]:
    """Answers in the order of the blocks, `ahead` of them on their way at a time."""
    waiting: deque[Any] = deque()
    for block in blocks:
        waiting.append(send(block))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


_WORKERS: dict[str, Worker] = {}  # of this process; only workers have any


def _start(data: bytes) -> None:
    _WORKERS[""] = Worker(pickle.loads(data))


def _answer(block: Block) -> Answer:
    return _WORKERS[""].answer(block)


def _answer_there(name: str, data: bytes, block: Block) -> Answer:
    if name not in _WORKERS:
        _WORKERS.clear()
        _WORKERS[name] = Worker(pickle.loads(data))
    return _WORKERS[name].answer(block)
