"""CSV as text cells (RFC 4180, UTF-8): records in, with the row numbers that a spreadsheet shows; safe cells out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TextIO

from csfinterp.errors import DocumentError, Fault

BOM = b"\xef\xbb\xbf"
# A spreadsheet runs a cell that begins so: as a formula, or after it dropped the white space. The last four are the
# wide forms of the first four, which some language versions read alike.
RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


_QUOTED = re.compile('[,"\r\n]')


class Record(NamedTuple):
    """One row: `number` as a spreadsheet counts (the header is row 1), and its cells as text."""

    number: int
    cells: list[str]


def records(lines: Iterable[bytes], before: int = 0) -> Iterator[Record]:
    """The rows of a CSV file, empty lines left out, from its lines (any binary stream has them).

    `before`: how many rows stand before the first of these lines; with 0 a byte order mark is passed over. Raises
    DocumentError with the row where it cannot be read on.
    """
    number = before
    reader = csv.reader(texts(lines, first=before == 0), strict=True)
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (UnicodeDecodeError, csv.Error) as error:
            raise refused_row(number, error) from None
        if cells:
            yield Record(number, cells)


def refused_row(number: int, error: UnicodeDecodeError | csv.Error) -> DocumentError:
    """Why a file cannot be read on at this row, and what to do."""
    if isinstance(error, UnicodeDecodeError):
        return unreadable(number, "This is not UTF-8. Save the file as CSV UTF-8.")
    text = "The quotes do not match (RFC 4180): a cell with a quote, comma or line end stands in quotes,"
    return unreadable(number, f"{text} and a quote inside it is doubled.")


def texts(lines: Iterable[bytes], *, first: bool) -> Iterator[str]:
    """Lines as text; `first`: they begin with the first of the file, which may have a byte order mark."""
    for place, line in enumerate(lines):
        yield (line.removeprefix(BOM) if first and place == 0 else line).decode("utf-8")


def unreadable(row: int, text: str) -> DocumentError:
    """The error that refuses the whole file at this row."""
    message = f"Row {row}: {text}"
    return DocumentError(message, (Fault(f"/rows/{row}", message),))


def write(stream: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Writes rows: None is an empty cell, true and false are words, a text that would be run begins with '."""
    csv.writer(stream, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)


def cell(value: object) -> object:
    """A value as the cell that shows it. A number keeps its shortest exact form; only texts can be run."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(RUN) else value
    return ("true" if value else "false") if isinstance(value, bool) else value


def text_cell(text: str) -> str:
    """A text as it stands in a CSV file, with the quotes that it needs: what `write` writes."""
    safe = f"'{text}" if text.startswith(RUN) else text
    return '"' + safe.replace('"', '""') + '"' if _QUOTED.search(safe) else safe
