"""The queries on HL7 messages as received; every one inside a transaction of the caller."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, insert, select, text, union, update

from csfinterp.store.records import Heard, Transcript
from csfinterp.store.schema import OCCUPIED, hl7_messages

_KEY = ("sender", "control_id", "content_digest")
_INSERT = insert(hl7_messages)
_UNDER_ID = select(hl7_messages.c.content_digest, hl7_messages.c.state, hl7_messages.c.answer).where(
    hl7_messages.c.sender == bindparam("sender"), hl7_messages.c.control_id == bindparam("control_id")
)
# Two looks into two unique indexes: a sender may put the same control id on thousands of messages.
_HEARD = union(
    _UNDER_ID.where(hl7_messages.c.content_digest == bindparam("content_digest")), _UNDER_ID.where(text(OCCUPIED))
)


def heard(connection: Connection, sender: str, control_id: str, content_digest: str) -> tuple[Heard, ...]:
    """Of the messages kept under this sender and control id: that of this content, and that which occupies the id."""
    values = {"sender": sender, "control_id": control_id, "content_digest": content_digest}
    return tuple(Heard(*tuple(row)) for row in connection.execute(_HEARD, values))


def write(connection: Connection, transcript: Transcript, *, kept: bool) -> None:
    """Writes a message, or (`kept`) the new state and answer of one that is there. The database refuses a race."""
    if not kept:
        connection.execute(_INSERT, vars(transcript))
        return
    same = and_(*(hl7_messages.c[name] == getattr(transcript, name) for name in _KEY))
    connection.execute(update(hl7_messages).where(same).values(state=transcript.state, answer=transcript.answer))


def is_kept(connection: Connection, transcript: Transcript) -> bool:
    """True if this very content is there under its sender and control id."""
    found = heard(connection, transcript.sender, transcript.control_id, transcript.content_digest)
    return any(message.content_digest == transcript.content_digest for message in found)
