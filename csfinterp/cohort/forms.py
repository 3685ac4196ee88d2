"""The forms of the table that a run writes: CSV, gzip, Parquet. A chunk gives a part; parts make the file.

Parts stand one behind the other in OUT.partial, so that a run that was broken off goes on behind the last whole one.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from csfinterp.cohort import arrow
from csfinterp.cohort.cells import Cells, lines
from csfinterp.cohort.columns import Column

CSV, PACKED, PARQUET = "csv", "csv.gz", "parquet"
LEVEL = 6  # of gzip


def form_of(target: Path) -> str:
    """The form that a file name asks for."""
    if target.suffix == ".parquet":
        return PARQUET
    return PACKED if target.suffix == ".gz" else CSV


def head(form: str, columns: Sequence[Column]) -> bytes:
    """What stands before the first part."""
    return b"" if form == PARQUET else _packed(form, ",".join(column.name for column in columns) + "\r\n")


def part(form: str, columns: Sequence[Column], cells: Mapping[str, Cells]) -> bytes:
    """The rows of one chunk. The same rows give the same bytes."""
    if form == PARQUET:
        return arrow.part(columns, cells)
    return _packed(form, lines([cells[column.name] for column in columns]))


def whole(form: str, columns: Sequence[Column], parts: Path) -> Path:
    """The whole file of head and parts, beside them (or the very same)."""
    if form != PARQUET:
        return parts
    made = parts.with_name(parts.name + ".parquet")
    arrow.write(columns, parts, made)
    return made


def replace(target: Path, text: str) -> None:
    """A small file beside the table, whole or not at all."""
    partial = target.with_name(target.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="")
    os.replace(partial, target)


def _packed(form: str, text: str) -> bytes:
    """gzip members may stand one behind the other; without a time, so that the bytes repeat."""
    data = text.encode("utf-8")
    return gzip.compress(data, LEVEL, mtime=0) if form == PACKED else data
