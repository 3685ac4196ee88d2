"""The journal of a run: which blocks are done, so that a run that was broken off goes on behind them.

Beside OUT.partial stands OUT.journal: one line that says what the run was to do, then one for each block whose part is
whole. A line that is not whole counts for nothing, and what stands in OUT.partial behind the last whole one is cut off.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from csfinterp.cohort.report import Report
from csfinterp.errors import CsfinterpError


class CohortError(CsfinterpError):
    """A cohort file that cannot be read or written; the message says what to do."""


@dataclass(frozen=True)
class Done:
    """A block that is done: its digest, where its part ends in OUT.partial, what it could not use."""

    block: str
    end: int
    report: Report


@dataclass
class Journal:
    """`done`: the blocks that are done, from the first on; `digest` of the parts so far."""

    parts: BinaryIO
    log: BinaryIO
    done: list[Done]
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    @property
    def size(self) -> int:
        return self.parts.tell()

    def begin(self, head: bytes) -> None:
        """What stands before the first part; of a run that goes on, what is there is kept."""
        self.keep(len(self.done))
        if not self.done:
            self._write(head)

    def keep(self, count: int) -> None:
        """Only the first blocks count; the parts behind them are cut off."""
        del self.done[count:]
        end = self.done[-1].end if self.done else 0
        self.parts.seek(0)
        self._hash = hashlib.sha256()
        left = end
        while left and (data := self.parts.read(min(left, 1 << 20))):
            self._hash.update(data)
            left -= len(data)
        self.parts.seek(end)
        self.parts.truncate()

    def add(self, block: str, part: bytes, report: Report) -> None:
        """A block is done: first its part, then the line that says so."""
        self._write(part)
        self.log.write(orjson.dumps([block, self.size, report.plain()]) + b"\n")
        self.log.flush()

    def _write(self, data: bytes) -> None:
        self.parts.write(data)
        self.parts.flush()
        self._hash.update(data)


@contextlib.contextmanager
def journal(target: Path, task: Mapping[str, object]) -> Iterator[Journal]:
    """The journal of the run that writes `target`; what an earlier run of the same task did is kept.

    Raises CohortError if another process writes this file now. Both files go when the run ends or fails; they stay when
    the process is killed.
    """
    partial, log = partial_of(target), target.with_name(target.name + ".journal")
    with log.open("a+b") as lines:
        try:
            fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CohortError(f"Another run is writing {target.name} now. Wait for it, or name another file.") from None
        partial.touch()
        with partial.open("r+b") as parts:
            lines.seek(0)
            done, end = _done(lines.readlines(), task, partial.stat().st_size)
            lines.truncate(end)
            if not end:
                lines.write(orjson.dumps(task) + b"\n")
                lines.flush()
            try:
                yield Journal(parts, lines, done)
            except KeyboardInterrupt:
                raise  # a person stops the run and may go on later
            except BaseException:
                partial.unlink(missing_ok=True)
                log.unlink(missing_ok=True)
                raise
    log.unlink(missing_ok=True)


def partial_of(target: Path) -> Path:
    """Where the parts stand until the table is whole."""
    return target.with_name(target.name + ".partial")


def _done(lines: list[bytes], task: Mapping[str, object], size: int) -> tuple[list[Done], int]:
    """The blocks of an earlier run of the same task whose parts are whole, and where their last line ends."""
    if not lines or not lines[0].endswith(b"\n") or lines[0] != orjson.dumps(task) + b"\n":
        return [], 0
    found, end = [], len(lines[0])
    for line in lines[1:]:
        if not line.endswith(b"\n"):
            break
        block, stop, report = orjson.loads(line)
        if stop > size:
            break
        found.append(Done(block, stop, Report.of(report)))
        end += len(line)
    return found, end
