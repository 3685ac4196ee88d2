"""A cohort file in blocks of whole panels: always the same blocks for the same bytes, so that a run can go on."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO

from csfinterp.formats.cohort_csv import groups
from csfinterp.formats.csv_cells import Record, records, refused_row, texts
from csfinterp.formats.csv_header import Header, no_header, read_header


@dataclass(frozen=True)
class Block:
    """Rows that hold whole panels: the bytes of their lines, or rows that were read already.

    `before`: how many rows stand before them.
    """

    before: int
    data: bytes = b""
    read: tuple[Record, ...] = ()

    def rows(self) -> list[Record]:
        """Raises DocumentError where a row cannot be read."""
        return list(self.read) if self.read else list(records(io.BytesIO(self.data), self.before))

    def digest(self) -> str:
        """Names the content of the block."""
        found = blake2b(self.data, digest_size=16)
        for row in self.read:
            found.update(repr(row).encode("utf-8", "surrogatepass"))
        return found.hexdigest()


def open_csv(stream: BinaryIO, size: int) -> tuple[Header, Iterator[Block]]:
    """The header of a CSV file and its blocks of about `size` panels. Raises DocumentError."""
    lines = iter(stream.readline, b"")  # iterating over the stream itself would read ahead
    first = next(records(lines), None)
    if first is None:
        raise no_header()
    header = read_header(*first)
    if header.code is None:
        return header, _wide(lines, first.number, size)
    return header, _long(header, records(lines, first.number), size)


def read_blocks(header: Header, rows: Iterator[Record], size: int) -> Iterator[Block]:
    """Blocks of rows that were read already (a table that is no CSV file)."""
    if header.code is not None:
        yield from _long(header, rows, size)
        return
    while chunk := tuple(itertools.islice(rows, size)):
        yield Block(chunk[0].number - 1, read=chunk)


def _wide(lines: Iterator[bytes], before: int, size: int) -> Iterator[Block]:
    """`size` lines and those that the last of their rows needs; without a quote a line is a row."""
    while block := list(itertools.islice(lines, size)):
        count = len(block)
        if any(b'"' in line for line in block):
            count = _whole_rows(block, lines, before)
        yield Block(before, b"".join(block))
        before += count


def _whole_rows(block: list[bytes], lines: Iterator[bytes], before: int) -> int:
    """Adds lines until the last row is whole; how many rows there are."""
    size, count = len(block), 0

    def more() -> Iterator[bytes]:
        yield from tuple(block)
        for line in lines:
            block.append(line)
            yield line

    reader = csv.reader(texts(more(), first=False), strict=True)
    while reader.line_num < size:
        count += 1
        try:
            next(reader)
        except (UnicodeDecodeError, csv.Error) as error:
            raise refused_row(before + count, error) from None
    return count


def _long(header: Header, rows: Iterator[Record], size: int) -> Iterator[Block]:
    """Panels stand together; the rows of one are never parted."""
    panels = groups(header, rows)
    while chunk := list(itertools.islice(panels, size)):
        yield Block(chunk[0][0].number - 1, read=tuple(itertools.chain.from_iterable(chunk)))
