"""The files that a run reads: CSV, gzip of it, Parquet; in blocks of whole panels, its bytes digested as they pass."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from csfinterp.cohort import arrow
from csfinterp.formats.csv_blocks import Block, open_csv, read_blocks
from csfinterp.formats.csv_header import Header, read_header

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Passed(Protocol):
    """How much of the file was read."""

    def size(self) -> int: ...

    def digest(self) -> str: ...


@dataclass(frozen=True)
class Source:
    """`passed`: bytes of the file so far, and their digest once all blocks were taken."""

    header: Header
    blocks: Iterator[Block]
    passed: Passed


@contextlib.contextmanager
def opened(file: Path, size: int) -> Iterator[Source]:
    """A file in blocks of `size` panels. Raises DocumentError, OSError, MissingExtraError."""
    if file.suffix == ".parquet":
        rows = arrow.rows(file, size)
        header = read_header(*next(rows))
        yield Source(header, read_blocks(header, rows, size), _Whole(file))
        return
    with file.open("rb") as raw, contextlib.ExitStack() as stack:
        counted = _Counted(raw)
        plain: BinaryIO = stack.enter_context(io.BufferedReader(counted, 1 << 20))
        if file.suffix == ".gz":
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=plain, mode="rb"))
            plain = stack.enter_context(io.BufferedReader(cast(io.RawIOBase, unpacked), 1 << 20))
        yield Source(*open_csv(plain, size), counted)


class _Counted(io.RawIOBase):
    """A file whose bytes are counted and digested as they pass."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash, self._size = file, hashlib.sha256(), 0

    def size(self) -> int:
        return self._size

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._hash.update(data)
        self._size += len(data)
        return len(data)


class _Whole:
    """A file that is not read from start to end: its digest is taken apart."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def size(self) -> int:
        return self._file.stat().st_size

    def digest(self) -> str:
        with self._file.open("rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
