"""The queries on HL7 messages as received; every one inside a transaction of the caller."""

from __future__ import annotations

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from csfinterp.store.records import Heard, Transcript
from csfinterp.store.schema import hl7_messages

_KEY = ("sender", "control_id", "content_digest")
_INSERT = insert(hl7_messages)
_HEARD = (
    select(hl7_messages.c.content_digest, hl7_messages.c.state, hl7_messages.c.answer)
    .where(hl7_messages.c.sender == bindparam("sender"), hl7_messages.c.control_id == bindparam("control_id"))
    .order_by(hl7_messages.c.seq)
)


def heard(connection: Connection, sender: str, control_id: str) -> tuple[Heard, ...]:
    """The messages kept under this sender and control id, oldest first."""
    rows = connection.execute(_HEARD, {"sender": sender, "control_id": control_id})
    return tuple(Heard(*tuple(row)) for row in rows)


def write(connection: Connection, transcript: Transcript, *, kept: bool) -> None:
    """Writes a message, or (`kept`) the new state and answer of one that is there. The database refuses a race."""
    if not kept:
        connection.execute(_INSERT, vars(transcript))
        return
    same = and_(*(hl7_messages.c[name] == getattr(transcript, name) for name in _KEY))
    connection.execute(update(hl7_messages).where(same).values(state=transcript.state, answer=transcript.answer))


def is_kept(connection: Connection, transcript: Transcript) -> bool:
    """True if this very content is there under its sender and control id."""
    found = heard(connection, transcript.sender, transcript.control_id)
    return any(message.content_digest == transcript.content_digest for message in found)
