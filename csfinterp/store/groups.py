"""Group commit: writers of one process that wait for each other share one transaction and one flush to the disk.

SQLite takes one writer at a time, and what takes long is the flush of its commit. While it goes on, others prepare
their rows; the next commit takes all of them. Each is answered after the commit that holds its own rows, and stands
alone: what one of them may not write is undone (savepoint) without the others. PostgreSQL does this by itself.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from csfinterp.errors import CsfinterpError
from csfinterp.store import engine as database
from csfinterp.store.engine import StoreError

Work = Callable[[Connection], None]


class _Job:
    """One writer that waits. `error` None and `done`: its rows are durable."""

    def __init__(self, work: Work) -> None:
        self._work, self._context = work, contextvars.copy_context()
        self.done = False
        self.error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        """The work as its own thread would do it: who acts stands in a context variable."""
        self._context.run(self._work, connection)


class Groups:
    """The writers of one engine in this process. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.Condition()
        self._waiting: list[_Job] = []
        self._busy = False

    def write(self, work: Work) -> None:
        """Runs `work` in a write transaction, perhaps with that of others, and returns when it is durable.

        Raises what `work` raises, nothing of it stored; RaceError, ConflictError `busy` or StoreError as
        `engine.transaction` does.
        """
        job = _Job(work)
        with self._turn:
            self._waiting.append(job)
            while self._busy and not job.done:
                self._turn.wait()
            if not job.done:
                self._busy = True
                group, self._waiting = self._waiting, []
        if not job.done:
            self._commit(group)
        if job.error is not None:
            raise job.error

    def _commit(self, group: Sequence[_Job]) -> None:
        """The writer whose turn it is commits for all that wait."""
        try:
            with database.transaction(self._engine) as connection:
                for job in group:
                    _run(connection, job, alone=len(group) == 1)
        except BaseException as error:
            for job in group:  # nothing of the transaction is stored
                job.error = job.error or _broken_off(error, len(group))
        finally:
            with self._turn:
                for job in group:
                    job.done = True
                self._busy = False
                self._turn.notify_all()


def _run(connection: Connection, job: _Job, *, alone: bool) -> None:
    if alone:
        job.run(connection)
        return
    try:
        with connection.begin_nested():
            job.run(connection)
    except DBAPIError as error:
        job.error = database.refused(error)
    except CsfinterpError as error:
        job.error = error


def _broken_off(error: BaseException, writers: int) -> BaseException:
    """A fault of ours as it is to the one writer; several are told to send again."""
    if writers == 1 or isinstance(error, CsfinterpError):
        return error
    return StoreError(f"The database did not store the message ({type(error).__name__}); nothing is stored.")
