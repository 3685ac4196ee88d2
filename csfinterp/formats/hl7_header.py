"""MSH of a message: who sent it, what it is, which answers are wanted; and the errors that tell AR from AE.

`open_message` settles everything that must be right before the first result is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats.hl7_segments import BATCH, Element, Segment, begins_message, header_marks, segments, split_fields
from csfinterp.formats.hl7_text import DEFAULT_CODEC, Delimiters, codec_of, lines, marked_codec
from csfinterp.formats.strict_json import ReadLimits

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")
PRODUCTION = "P"
MAX_ITEMS = 10_000  # messages of one batch
LINES_PER_RESULT = 50  # far more than a message with comments has
# Table 0357 (codes.md section 5: 207; the others as listed for 2.5.1 in hl7apy's tables).
SEGMENT_SEQUENCE, REQUIRED_FIELD, DATA_TYPE, TABLE_VALUE = "100", "101", "102", "103"
MESSAGE_TYPE, EVENT, PROCESSING_ID, VERSION, DUPLICATE, INTERNAL = "200", "201", "202", "203", "205", "207"


@dataclass(frozen=True)
class Header:
    """MSH as sent. The four names and the message type are raw fields, marks and escapes included, so that an answer
    can give them back unchanged; `codec` is the Python codec that the message was read with.
    """

    marks: Delimiters
    codec: str
    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    sent_at: str
    message_type: str
    event: str
    control_id: str
    processing_id: str
    version: str
    accept_ack: str
    application_ack: str
    charset: str

    @property
    def source_system(self) -> str | None:
        """`source.system` of the panel: MSH-3, or MSH-3/MSH-4 if the facility is named too; None without both."""
        names = (_name(self.sending_application, self), _name(self.sending_facility, self))
        return "/".join(filter(None, names)) or None


def _name(raw: str, header: Header) -> str:
    """An HD field as one name: its namespace id, else its universal id."""
    segment = Segment("MSH", 1, ("", raw), header.marks, header.codec)
    return segment.words(1) or segment.words(1, 2)


class MessageError(DocumentError):
    """A message that is answered with an error. `condition` is a code of table 0357; `header` None: not readable."""

    code = "AE"

    def __init__(
        self,
        message: str,
        faults: tuple[Fault, ...] = (),
        *,
        condition: str = DATA_TYPE,
        header: Header | None = None,
        too_large: bool = False,
    ) -> None:
        super().__init__(message, faults or (Fault("", message),), too_large=too_large)
        self.condition, self.header = condition, header


class MessageRefused(MessageError):
    """AR: not a message for this service (not readable, other type or version, processing id refused)."""

    code = "AR"


class MessageFaulty(MessageError):
    """AE: a message for this service whose content cannot be used; the sender may mend it and send it again."""


@dataclass(frozen=True)
class OpenMessage:
    """A message whose header holds: its segments in order, MSH first."""

    header: Header
    segments: Sequence[Segment]


def split_batch(data: bytes) -> list[bytes]:
    """The messages of a batch (FHS, BHS, BTS, FTS are left out), or the data itself if it holds just one.

    Each item goes to `read_message` by itself, so one bad message stops no other. Bytes before the first MSH come as
    an item of their own. More than 10,000 messages come as one item, which is refused.
    """
    body, codec = marked_codec(data)
    text = body.decode(codec or "latin-1", "replace")
    items: list[list[str]] = []
    for line in lines(text):
        if line[:3] in BATCH:
            continue
        if begins_message(line) or not items:
            items.append([])
        items[-1].append(line)
    if len(items) < 2:
        return [data] if not items or text[:3] not in BATCH else [_bytes(items[0], codec)]
    return [_bytes(item, codec) for item in items] if len(items) <= MAX_ITEMS else [data]


def _bytes(item: Iterable[str], codec: str | None) -> bytes:
    """The same bytes again (latin-1 keeps every byte); texts of a marked codec become UTF-8 with its mark."""
    text = "\r".join(item) + "\r"
    return text.encode("latin-1") if codec is None else text.encode("utf-8-sig", "replace")


def open_message(data: bytes, limits: ReadLimits, processing_ids: Sequence[str] = (PRODUCTION,)) -> OpenMessage:
    """Segments of one ORU^R01. Raises MessageRefused, or MessageFaulty for one that is continued elsewhere."""
    if len(data) > limits.max_bytes:
        text = f"The message is larger than {limits.max_bytes} bytes. Send one specimen a message, without attachments."
        raise MessageRefused(text, header=read_header(data[:8192]), too_large=True)
    found, header = _decoded(data)
    if sum(map(begins_message, found)) > 1:
        raise _refuse(header, "Several messages in one. Send a batch with BHS and BTS, or one message a frame.", "")
    _check(header, processing_ids)
    if len(found) > LINES_PER_RESULT * limits.max_observations:
        raise _refuse(header, "The message has too many segments. Send fewer results a message.", "")
    body = list(segments(found, header.marks, header.codec))
    for names in (("OBX",), ("OBR", "SPM"), ("PID",)):
        if sum(segment.name in names for segment in body) > limits.max_observations:
            text = f"More than {limits.max_observations} {' and '.join(names)}. Send one specimen a message."
            raise MessageFaulty(text, (Fault(f"/{names[0]}/{limits.max_observations + 1}/1", text),), header=header)
    if any(segment.name == "DSC" and segment.raw(1) for segment in body):
        text = "Messages that are continued in another one are not read. Send the whole result in one message."
        raise MessageFaulty(text, (Fault("/DSC/1/1", text),), condition=SEGMENT_SEQUENCE, header=header)
    return OpenMessage(header, body)


def read_header(data: bytes) -> Header | None:
    """The header as far as it can be read, for an answer to any bytes; None if there is none. Never raises."""
    body, codec = marked_codec(data)
    segment = _msh(body, codec or DEFAULT_CODEC)
    if segment is None:
        return None
    charset = segment.words(18)
    own = codec or codec_of(charset) or DEFAULT_CODEC
    if own != segment.codec:
        segment = _msh(body, own) or segment
    kind, event, fields = segment.words(9), segment.words(9, 2), segment.fields
    control_id = Element(segment.raw(10), segment.marks, segment.codec).whole().strip()
    return Header(
        segment.marks, segment.codec, fields[3], fields[4], fields[5], fields[6],
        segment.words(7), kind, event, control_id, segment.words(11), segment.words(12),
        segment.words(15), segment.words(16), charset,
    )  # fmt: skip


def _msh(body: bytes, codec: str) -> Segment | None:
    """The first line that is no batch header, if it is a usable MSH, with empty fields behind the last one."""
    found = lines(body.decode(codec, "replace"))
    line = next((line for line in found if line[:3] not in BATCH), "")
    marks = header_marks(line) if line.startswith("MSH") else None
    return None if marks is None else Segment("MSH", 1, [*split_fields(line, marks), *[""] * 20], marks, codec)


def _decoded(data: bytes) -> tuple[list[str], Header]:
    """Lines and header, read in the character set that the message states. Raises MessageRefused."""
    header = read_header(data)
    if header is None:
        text = "This is no HL7 v2 message: it does not begin with MSH and usable delimiters. Send ORU_R01."
        raise MessageRefused(text, condition=SEGMENT_SEQUENCE)
    body, marked = marked_codec(data)
    codec = marked or codec_of(header.charset)
    if codec is None:
        raise _refuse(header, "MSH-18 names a character set that is not read here. Send UNICODE UTF-8.", "/MSH/1/18")
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:
        advice = "The bytes are not in the character set of MSH-18 (empty: UNICODE UTF-8). State the right one there."
        raise _refuse(header, advice, "/MSH/1/18") from None
    return [line for line in lines(text) if line[:3] not in BATCH], header


def _check(header: Header, processing_ids: Sequence[str]) -> None:
    """Type, version and processing id. Raises MessageRefused."""
    if header.message_type != "ORU":
        raise _refuse(header, "Only results are read here. Send them as ORU_R01.", "/MSH/1/9", MESSAGE_TYPE)
    if header.event != "R01":
        raise _refuse(header, "Of ORU only the event R01 is read here. Send ORU_R01.", "/MSH/1/9/2", EVENT)
    if header.version not in VERSIONS:
        raise _refuse(header, "This version is not read here. Send HL7 2.3 to 2.8 in MSH-12.", "/MSH/1/12", VERSION)
    if header.processing_id not in processing_ids:
        wanted = " or ".join(processing_ids)
        advice = f"MSH-11 is not {wanted}: nothing was stored. Send {wanted} for results of patients."
        raise _refuse(header, advice, "/MSH/1/11", PROCESSING_ID)


def _refuse(header: Header, text: str, pointer: str, condition: str = DATA_TYPE) -> MessageRefused:
    return MessageRefused(text, (Fault(pointer, text),), condition=condition, header=header)
