"""A new version as HL7 v2: what the version before it had filed and this one no longer says is deleted (OBX-11 D).

Without that a laboratory system would keep a withdrawn result beside the corrected ones. The difference is also told in
words, as comments (NTE) of the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from csfinterp.formats.hl7_rows import Row, rows
from csfinterp.formats.hl7_text import USUAL
from csfinterp.formats.report_document import Report

DELETED = "D"


def with_changes(
    message: str, before: Mapping[str, object], after: Mapping[str, object], sentences: Iterable[str]
) -> str:
    """The message of `after` (as hl7_write makes it) with deletions of what only `before` filed, and the sentences.

    A row is known by its code and sub-id (OBX-3, OBX-4). Deletions stand before the rows that hold.
    """
    lines = [line for line in message.split("\r") if line]
    first = next((place for place, line in enumerate(lines) if line.startswith("OBX|")), len(lines))
    head = lines[:first]
    notes = sum(line.startswith("NTE|") for line in head)
    told = [f"NTE|{number}||{USUAL.escaped(text)}" for number, text in enumerate(sentences, notes + 1)]
    deleted = [_deletion(row) for row in _gone(before, after)]
    return "".join(f"{line}\r" for line in (*head, *told, *_numbered([*deleted, *lines[first:]])))


def _gone(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Row]:
    there = {_identity(row) for row in rows(Report(after))}
    return (row for row in rows(Report(before)) if _identity(row) not in there)


def _identity(row: Row) -> tuple[str, str]:
    return row.codes[-1][0], row.sub_id


def _deletion(row: Row) -> str:
    codes = "^".join("^".join(map(USUAL.escaped, coded)) for coded in row.codes)
    return f"OBX|0|{row.kind}|{codes}|{row.sub_id}|||||||{DELETED}"


def _numbered(lines: Iterable[str]) -> Iterator[str]:
    """OBX-1 counts from 1 again."""
    number = 0
    for line in lines:
        if line.startswith("OBX|"):
            number += 1
            yield f"OBX|{number}|{line.split('|', 2)[2]}"
        else:
            yield line
