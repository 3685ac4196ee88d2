"""Acknowledgments: MSH with the two sides swapped, MSA, one ERR for each fault. Answers anything, garbage too.

AA is the caller's promise that the content is stored durably; this file only writes it down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from csfinterp.errors import ConflictError, DocumentError, Fault
from csfinterp.formats.hl7_header import DATA_TYPE, DUPLICATE, INTERNAL, VERSIONS, Header, MessageError
from csfinterp.formats.hl7_text import DEFAULT_CODEC, USUAL, Delimiters

ACCEPTED = ("AA", "CA")
NEWEST = "2.5.1"
MAX_ERRORS = 20
MAX_TEXT = 250
_LOCATION = re.compile(r"/([A-Z][A-Z0-9]{2})/([0-9]{1,6})(?:/([0-9]{1,3}))?(?:/([0-9]{1,3}))?")
_EVENT = re.compile(r"[A-Z][A-Z0-9][0-9]")
_COMMIT = {"AA": "CA", "AE": "CE", "AR": "CR"}
_TABLE_0357 = {
    "100": "Segment sequence error", "101": "Required field missing", "102": "Data type error",
    "103": "Table value not found", "200": "Unsupported message type", "201": "Unsupported event code",
    "202": "Unsupported processing id", "203": "Unsupported version id", "204": "Unknown key identifier",
    "205": "Duplicate key identifier", "206": "Application record locked", "207": "Application internal error",
}  # fmt: skip


def commit(code: str) -> str:
    """The code of enhanced mode: AA, AE, AR -> CA, CE, CR."""
    return _COMMIT.get(code, code)


def verdict(error: Exception) -> tuple[str, str, str, tuple[Fault, ...]]:
    """(code, table 0357, text, faults) of an error of this service; a failure of ours is AE 207, to be sent again.

    The text of an unexpected error is never sent: it may hold values.
    """
    if isinstance(error, MessageError):
        return error.code, error.condition, error.message, error.faults
    if isinstance(error, DocumentError):
        return "AE", DATA_TYPE, error.message, error.faults
    if isinstance(error, ConflictError) and error.kind != "busy":
        return "AE", DUPLICATE, error.message, (Fault("", error.message),)
    text = "The service could not store the message. Nothing was lost: send the same message again."
    return "AE", INTERNAL, text, (Fault("", text),)


def acknowledge(
    header: Header | None,
    code: str,
    faults: Sequence[Fault] = (),
    text: str = "",
    *,
    control_id: str,
    now: datetime,
    condition: str = DATA_TYPE,
) -> bytes:
    """One acknowledgment, segments ended by CR, in the delimiters and the character set of the message.

    `header`: of the message, None if it was not readable (then MSA-2 is empty). `code`: AA AE AR CA CE CR. `faults`:
    one ERR each (at most 20), as warnings if the code accepts. `text`: MSA-3. `control_id`, `now`: MSH-10 and MSH-7 of
    the answer. `condition`: table 0357, for ERR-3. Never raises, whatever the header holds.
    """
    marks = header.marks if header else USUAL
    segments = [_msh(header, marks, control_id, now), ["MSA", code, marks.escaped(_id(header)), _text(text, marks)]]
    segments += list(_errors(faults, marks, condition, "W" if code in ACCEPTED else "E"))
    body = "".join(marks.field.join(segment).rstrip(marks.field) + "\r" for segment in segments)
    return body.encode(header.codec if header else DEFAULT_CODEC, "replace")


def _id(header: Header | None) -> str:
    return header.control_id if header else ""


def _msh(header: Header | None, marks: Delimiters, control_id: str, now: datetime) -> list[str]:
    stamp = now.strftime("%Y%m%d%H%M%S%z")
    version = header.version if header and header.version in VERSIONS else NEWEST
    event = header.event if header and _EVENT.fullmatch(header.event) else ""
    kind = marks.component.join(("ACK", event, "ACK")) if event else "ACK"
    processing = marks.escaped(header.processing_id) if header and header.processing_id else "P"
    sides = ["CSFINTERP", "", "", ""]
    if header is not None:
        sides = [
            header.receiving_application or "CSFINTERP", header.receiving_facility, header.sending_application,
            header.sending_facility,
        ]  # fmt: skip
    charset = [""] * 5 + [marks.escaped(header.charset)] if header and header.charset else []
    return [
        "MSH", marks.encoding_characters, *sides, stamp, "", kind, marks.escaped(control_id), processing, version,
        *charset,
    ]  # fmt: skip


def _errors(faults: Sequence[Fault], marks: Delimiters, condition: str, severity: str) -> Iterator[list[str]]:
    for fault in faults[:MAX_ERRORS]:
        name = _TABLE_0357.get(condition, "")
        coded = marks.component.join((condition, name, "HL70357")) if severity == "E" else ""
        coded = coded or marks.component.join(("0", "Message accepted", "HL70357"))
        yield ["ERR", "", _location(fault.pointer, marks), coded, severity, "", "", "", _text(fault.message, marks)]


def _location(pointer: str, marks: Delimiters) -> str:
    """ERR-2 (segment, its number, field, repetition, component) of a pointer into a message; else empty."""
    match = _LOCATION.fullmatch(pointer)
    if match is None:
        return ""
    segment, place, field, component = (part or "" for part in match.groups())
    parts = [segment, place, field, "1" if component else "", component]
    return marks.component.join(parts).rstrip(marks.component)


def _text(text: str, marks: Delimiters) -> str:
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."
    return marks.escaped(cut.replace("\n", " "))
