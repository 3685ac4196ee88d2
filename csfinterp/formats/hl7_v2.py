"""HL7 v2: ORU^R01 of versions 2.3 to 2.8 in, panels out; acknowledgments and the interpretation as ORU^R01 2.5.1 back.

A door does, for each item of `split_batch(data)`: `read_message`; every panel to the service; then `acknowledge`. A
MessageError carries what the acknowledgment needs: `code` (AR or AE), `condition`, `faults`, `header`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats.hl7_ack import acknowledge, commit, verdict
from csfinterp.formats.hl7_groups import patient_results
from csfinterp.formats.hl7_header import (
    PRODUCTION,
    REQUIRED_FIELD,
    Header,
    MessageError,
    MessageFaulty,
    MessageRefused,
    open_message,
    read_header,
    split_batch,
)
from csfinterp.formats.hl7_panel import read_sample
from csfinterp.formats.hl7_specimens import samples
from csfinterp.formats.hl7_text import DEFAULT_CODEC
from csfinterp.formats.hl7_times import zone_of
from csfinterp.formats.hl7_write import write
from csfinterp.formats.strict_json import DEFAULT_LIMITS, ReadLimits
from csfinterp.model.panel import Panel

__all__ = [
    "Header", "Message", "MessageError", "MessageFaulty", "MessageRefused", "acknowledge", "commit", "read",
    "read_header", "read_many", "read_message", "split_batch", "verdict", "write",
]  # fmt: skip

ANY_PROCESSING = ("P", "T", "D")


@dataclass(frozen=True)
class Message:
    """One message read. `panels`: one for each specimen of CSF, or the MessageError that refuses just this one.

    `warnings`: what was read with a remark or left out; they go into the acknowledgment, whatever its code.
    """

    header: Header
    panels: tuple[Panel | DocumentError, ...]
    warnings: tuple[Fault, ...] = ()


def read_message(
    data: bytes, limits: ReadLimits = DEFAULT_LIMITS, processing_ids: Sequence[str] = (PRODUCTION,)
) -> Message:
    """The panels of one message. Raises MessageRefused (AR) or MessageFaulty (AE), never anything else.

    `processing_ids`: accepted in MSH-11; only production is stored as patient data. Panels of one message have message
    ids of their own: MSH-10, then MSH-10#2, MSH-10#3 ...
    """
    message = open_message(data, limits, processing_ids)
    header = message.header
    zone = zone_of(header.sent_at)
    panels: list[Panel | DocumentError] = []
    warnings: list[Fault] = []
    if not header.charset and header.codec == DEFAULT_CODEC and not data.isascii():
        warnings.append(Fault("/MSH/1/18", "MSH-18 is empty: read as UTF-8. State UNICODE UTF-8."))
    for patient in patient_results(message.segments):
        for sample in samples(patient, zone):
            number = len(panels) + 1
            name = header.control_id if number == 1 or not header.control_id else f"{header.control_id}#{number}"
            panel, remarks = read_sample(header, patient, sample, name or None, limits)
            panels.append(panel)
            warnings += remarks
    if not panels:
        text = "The message holds no result (OBX). Send at least one OBX below its OBR."
        raise MessageFaulty(text, (Fault("/OBX/1", text),), condition=REQUIRED_FIELD, header=header)
    return Message(header, tuple(panels), tuple(dict.fromkeys(warnings)))


def read_many(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> Iterator[Panel | DocumentError]:
    """Panels of a file for an answer that nobody stores: one message or a batch, test messages (MSH-11 T, D) too."""
    for item in split_batch(data):
        try:
            yield from read_message(item, limits, ANY_PROCESSING).panels
        except DocumentError as error:
            yield error


def read(data: bytes, limits: ReadLimits = DEFAULT_LIMITS) -> list[Panel]:
    """The panels of one message. Raises the DocumentError of the message, or of the first panel that is refused."""
    panels = []
    for panel in read_message(data, limits).panels:
        if isinstance(panel, DocumentError):
            raise panel
        panels.append(panel)
    return panels
