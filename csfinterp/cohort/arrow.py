"""Parquet in and out (extra `research`): cells as Arrow columns, Parquet rows as the texts of a CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from csfinterp.cohort.cells import Cells, Coded, Counts, Numbers
from csfinterp.cohort.columns import BOOLEAN, COUNT, NUMBER, Column
from csfinterp.cohort.plain import text_of
from csfinterp.errors import CsfinterpError
from csfinterp.formats.csv_cells import Record

if TYPE_CHECKING:
    import pyarrow as pa


class MissingExtraError(CsfinterpError):
    """A part of the software that is not installed; the message says how to install it."""


def library() -> Any:
    """pyarrow. Raises MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'csfinterp[research]'.") from None
    return pyarrow


def schema(columns: Sequence[Column]) -> pa.Schema:
    """Numbers as double, counts as int64, truth values as bool, everything else as text; null is missing."""
    arrow = library()
    types = {NUMBER: arrow.float64(), COUNT: arrow.int64(), BOOLEAN: arrow.bool_()}
    return arrow.schema([(column.name, types.get(column.type, arrow.string())) for column in columns])


def part(columns: Sequence[Column], cells: Mapping[str, Cells]) -> bytes:
    """One chunk as an Arrow stream behind its length (8 bytes)."""
    arrow, form = library(), schema(columns)
    arrays = [_array(cells[field.name], field.type) for field in form]
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, form) as writer:
        writer.write_batch(arrow.record_batch(arrays, schema=form))
    data = bytes(sink.getvalue())
    return len(data).to_bytes(8, "big") + data


def _array(cells: Cells, kind: Any) -> Any:
    arrow = library()
    if isinstance(cells, Numbers):
        return arrow.array(cells.values, kind, from_pandas=True)
    if isinstance(cells, Counts):
        return arrow.array(cells.values, kind, mask=cells.values < 0)
    if isinstance(cells, Coded) and cells.words:
        index = arrow.array(np.maximum(cells.index, 0), mask=cells.index < 0)
        return arrow.array(list(cells.words), kind).take(index)
    return arrow.array(cells.plain(), kind)


def write(columns: Sequence[Column], partial: Path, target: Path) -> None:
    """The Parquet file of the parts in `partial`; each part is a row group."""
    arrow = library()
    with (
        partial.open("rb") as parts,
        arrow.parquet.ParquetWriter(target, schema(columns), compression="zstd") as writer,
    ):
        while length := parts.read(8):
            with arrow.ipc.open_stream(parts.read(int.from_bytes(length, "big"))) as stream:
                writer.write_table(stream.read_all())


def rows(source: Path, size: int) -> Iterator[Record]:
    """The rows of a Parquet file as those of its CSV file would be: the names are row 1. Raises MissingExtraError."""
    arrow = library()
    with arrow.parquet.ParquetFile(source) as file:
        yield Record(1, list(file.schema_arrow.names))
        number = 1
        for batch in file.iter_batches(batch_size=size):
            columns = [[text_of(value) for value in column.to_pylist()] for column in batch.columns]
            for cells in zip(*columns, strict=True):
                number += 1
                yield Record(number, list(cells))
