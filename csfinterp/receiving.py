"""HL7 v2 messages in, acknowledgments out: what both doors, MLLP and HTTP, do with the bytes of a message.

A message is accepted (AA) when all of its panels are stored durably, and then its control id stands for its content:
the same again gets the stored answer, other content is kept as received and answered AE. A message with several panels
that are not all stored is answered AE, naming those; sent again (mended or not) it completes and doubles nothing,
because each panel is known by its specimen and content. Without a control id a message is known by its content alone.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from traceback import extract_tb

from csfinterp.errors import ConflictError, CsfinterpError, DocumentError, Fault
from csfinterp.formats import ReadLimits, panel_json
from csfinterp.formats.hl7_header import DATA_TYPE, DUPLICATE, INTERNAL, SEGMENT_SEQUENCE
from csfinterp.formats.hl7_v2 import (
    Header,
    Message,
    acknowledge,
    commit,
    read_header,
    read_message,
    split_batch,
    verdict,
)
from csfinterp.model.panel import Panel
from csfinterp.service import Heard, HeardBefore, Service, Transcript
from csfinterp.settings import Settings
from csfinterp.store import stamp
from csfinterp.store.engine import busy

log = logging.getLogger(__name__)
Answered = tuple[str, tuple[bytes, ...]]  # MSA-1 of original mode, and the answers
_ASKED = {"AL": ("AA", "AE", "AR"), "SU": ("AA",), "ER": ("AE", "AR")}
_REUSED = (
    "This control id (MSH-10) came before with other content. The message is kept as received, nothing was interpreted."
    " Send a correction under a new control id."
)


@dataclass(frozen=True)
class Verdict:
    """What a message is answered with: MSA-1, MSA-3, one ERR for each fault, ERR-3."""

    code: str
    text: str = ""
    faults: tuple[Fault, ...] = ()
    condition: str = "0"

    def and_also(self, faults: tuple[Fault, ...]) -> Verdict:
        """The same with further faults behind its own."""
        return replace(self, faults=self.faults + faults)

    @staticmethod
    def error(text: str, condition: str, code: str = "AE", pointer: str = "") -> Verdict:
        return Verdict(code, text, (Fault(pointer, text),), condition)


class Receiver:
    """The hall's side of the HL7 doors. Thread-safe; no method raises."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service, self._processing_ids = service, settings.hl7_processing_ids
        self._limits = ReadLimits(settings.max_body_bytes, settings.max_observations, settings.max_depth)

    def receive(self, data: bytes) -> tuple[bytes, ...]:
        """Stores the messages in `data` (one, or a batch) and answers each, in order; in enhanced mode up to twice."""
        try:
            items = split_batch(data)
        except Exception as error:
            _log_failure(error)
            items = [data]
        return tuple(answer for item in items for answer in self._receive(item))

    def too_large(self, head: bytes, size: int) -> tuple[bytes, ...]:
        """The answer to a message over the limit, of which only the head is known."""
        text = (
            f"The message has {size} bytes; at most {self._limits.max_bytes} are read. Send one specimen a message,"
            " without attachments."
        )
        return self._answers(read_header(head), Verdict.error(text, SEGMENT_SEQUENCE, "AR"))

    def unfinished(self, head: bytes, seconds: float) -> tuple[bytes, ...]:
        """The answer to a message whose end did not come in time."""
        text = f"The message did not end within {seconds:g} s; nothing was stored. End each with 0x1C 0x0D; send again."
        return self._answers(read_header(head), Verdict.error(text, SEGMENT_SEQUENCE))

    def unframed(self) -> tuple[bytes, ...]:
        """The answer to bytes without a frame."""
        text = "No MLLP frame was found. Send 0x0B, the message, 0x1C 0x0D."
        return self._answers(None, Verdict.error(text, SEGMENT_SEQUENCE, "AR"))

    # --- one message ---

    def _receive(self, data: bytes) -> tuple[bytes, ...]:
        header, began = None, time.perf_counter()
        try:
            header = read_header(data)
            code, answers = self._stored(data)
        except Exception as error:  # whatever happens, the sender is told, and never AA
            found = _verdict(error)
            code, answers = found.code, self._answers(header, found)
        duration = round((time.perf_counter() - began) * 1000, 1)
        log.info("HL7 message answered", extra={"code": code, "bytes": len(data), "duration_ms": duration})
        return answers

    def _stored(self, data: bytes) -> Answered:
        message = read_message(data, self._limits, self._processing_ids)
        this = _Arrival(data, message, stamp(self._service.now()))
        try:
            return self._one(this) if len(message.panels) == 1 else self._several(this)
        except HeardBefore as before:
            return self._again(this, before.found)

    def _one(self, this: _Arrival) -> Answered:
        """The panel, the message and its answer are stored in one transaction."""
        panel = this.message.panels[0]
        if isinstance(panel, DocumentError):
            raise panel
        answers = self._answers(this.header, this.accepted)
        try:
            self._submit(panel, this.transcript("accepted", answers))
        except ConflictError as error:
            if error.kind == "busy":
                raise
            return self._held(this, _verdict(error))
        return this.accepted.code, answers

    def _several(self, this: _Arrival) -> Answered:
        """Panel after panel, each durable by itself; the control id is taken before the first one."""
        found = self._service.heard(this.sender, this.header.control_id, this.digest)
        mine = ("open", this.digest)  # begun before, and broken off without an answer
        if any(message.occupies and (message.state, message.content_digest) != mine for message in found):
            raise HeardBefore(found)
        refused = [panel for panel in this.message.panels if isinstance(panel, DocumentError)]
        if len(refused) == len(this.message.panels):  # nothing is kept: as of one panel that cannot be read
            decided = _in_part(refused).and_also(this.message.warnings)
            return decided.code, self._answers(this.header, decided)
        self._service.keep(this.transcript("open"))
        outcomes = [self._outcome(panel) for panel in this.message.panels]
        decided = _in_part(outcomes).and_also(this.message.warnings) if any(outcomes) else this.accepted
        answers = self._answers(this.header, decided)
        self._service.keep(this.transcript("in_part" if any(outcomes) else "accepted", answers))
        return decided.code, answers

    def _held(self, this: _Arrival, decided: Verdict) -> Answered:
        """Keep a message that must not be joined to a case by itself."""
        if decided is not this.accepted:
            decided = decided.and_also(this.message.warnings)
        answers = self._answers(this.header, decided)
        self._service.keep(this.transcript("held", answers))
        if decided is this.accepted:
            return decided.code, answers
        log.error("HL7 message held: control id reused or specimen of another patient; somebody must look at it")
        return decided.code, answers

    def _outcome(self, panel: Panel | DocumentError) -> CsfinterpError | None:
        """Why one panel of several is not stored; None: it is. Raises what is our own failure."""
        if isinstance(panel, DocumentError):
            return panel
        try:
            self._submit(panel, None)
        except (DocumentError, ConflictError) as error:
            if isinstance(error, ConflictError) and error.kind == "busy":
                raise
            return error
        return None

    def _submit(self, panel: Panel, transcript: Transcript | None) -> None:
        self._service.submit(panel, partial=True, transcript=transcript)

    def _again(self, this: _Arrival, found: Sequence[Heard]) -> Answered:
        """The control id came before: the stored answer for the same content, for other content an error."""
        same = next((message for message in found if message.content_digest == this.digest), None)
        if same is not None and same.state == "accepted":
            return this.accepted.code, (same.answer, *self._answers(this.header, this.accepted)[1:])
        if same is not None and same.state == "open":  # the very same message is being stored for another connection
            raise busy()
        outcomes = [self._service.hold_reused(panel) for panel in this.message.panels if isinstance(panel, Panel)]
        if outcomes and all(outcomes):  # an administrator has released all of it
            return self._held(this, this.accepted)
        return self._held(this, Verdict.error(_REUSED, DUPLICATE, pointer="/MSH/1/10"))

    def _answers(self, header: Header | None, given: Verdict) -> tuple[bytes, ...]:
        """The acknowledgment; in enhanced mode that of the commit, and that of the application if MSH-16 asks."""
        return tuple(
            acknowledge(
                header, code, given.faults, given.text, control_id=secrets.token_hex(10), now=self._service.now(),
                condition=given.condition,
            )
            for code in _codes(header, given.code)
        )  # fmt: skip


class _Arrival:
    """A message that could be read, with what it is known by."""

    def __init__(self, raw: bytes, message: Message, received_at: str) -> None:
        self.raw, self.message, self.header, self.received_at = raw, message, message.header, received_at
        # As sent: MSH-3 and MSH-4.
        self.sender = f"{message.header.sending_application}|{message.header.sending_facility}"
        self.digest = _digest(message.panels)
        self.accepted = Verdict("AA", faults=message.warnings)

    def transcript(self, state: str, answers: Sequence[bytes] = (b"",)) -> Transcript:
        """What is kept of it; of several answers the first."""
        return Transcript(
            self.sender, self.header.control_id, self.digest, state, self.raw, answers[0], self.received_at
        )


def _digest(panels: Sequence[Panel | DocumentError]) -> str:
    """What the message says, panel by panel; of one that cannot be read, what is wrong with it."""
    parts = [item.message if isinstance(item, DocumentError) else panel_json.content_digest(item) for item in panels]
    return parts[0] if len(parts) == 1 else "sha256:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _codes(header: Header | None, code: str) -> tuple[str, ...]:
    """MSA-1 of each answer. The sender is never left without one, also where MSH-15 and MSH-16 want none."""
    if header is None or not (header.accept_ack or header.application_ack):
        return (code,)
    accept = (commit(code),) if code in _ASKED.get(header.accept_ack, ()) else ()
    application = (code,) if code in _ASKED.get(header.application_ack, ()) else ()
    return accept + application or (code,)


def _verdict(error: Exception) -> Verdict:
    code, condition, text, faults = verdict(error)
    if condition == INTERNAL:
        _log_failure(error)
    return Verdict(code, text, faults, condition)


def _in_part(outcomes: Sequence[CsfinterpError | None]) -> Verdict:
    """Which of several panels are not stored, and why."""
    faults: list[Fault] = []
    for place, error in enumerate(outcomes, 1):
        if error is not None:
            found = _verdict(error)
            of = f"Panel {place} of {len(outcomes)} is not stored: "
            faults += [Fault(fault.pointer, of + fault.message) for fault in found.faults or (Fault("", found.text),)]
    missing = [str(place) for place, error in enumerate(outcomes, 1) if error is not None]
    text = f"Not stored of {len(outcomes)} panels: {', '.join(missing)}; the others are."
    if len(missing) == len(outcomes):
        text = f"None of the {len(outcomes)} panels is stored."
    text += " Mend them and send the whole message again."
    return Verdict("AE", text, tuple(faults), DATA_TYPE)


def _log_failure(error: Exception) -> None:
    """The kind of error and the places in the code, not its message: it may hold values."""
    frames = extract_tb(error.__traceback__)[-8:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("message not stored: failure of the service", extra={"error": type(error).__name__, "where": where})
