"""Messages that could not be joined to a case: kept as received until somebody decides, and after that, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, bindparam, insert, select, update

from csfinterp.store import engine as database
from csfinterp.store.audit import Deed, append
from csfinterp.store.records import RaceError, Received
from csfinterp.store.schema import held_messages

WAITING, RELEASED, DISCARDED = "waiting", "released", "discarded"
STATES = (WAITING, RELEASED, DISCARDED)
_KEY = ("why", "source_system", "message_id", "content_digest")
_COLUMNS = held_messages.c
_INSERT = insert(held_messages)
_SAME = select(held_messages).where(*(_COLUMNS[name] == bindparam(name) for name in _KEY))


@dataclass(frozen=True)
class HeldMessage:
    """One row of held_messages; the columns are explained in schema.py. `document` is JSON text as received."""

    seq: int
    why: str
    source_system: str
    message_id: str
    content_digest: str
    document: str
    received_at: str
    partial: int
    met_panel_id: str | None
    met_version: int | None
    state: str
    decided_at: str | None
    decided_by: str | None
    note: str | None
    panel_id: str | None
    version: int | None


@dataclass(frozen=True)
class Decision:
    """What somebody decided: `state` released or discarded, by whom, why; the version that a release made."""

    state: str
    decided_at: str
    decided_by: str
    note: str
    panel_id: str | None = None
    version: int | None = None


class Held:
    """The held messages of one database. Nothing is ever removed: a decision is written beside the message."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def listed(self, state: str | None, limit: int, after: int | None = None) -> Sequence[HeldMessage]:
        """The oldest first, behind the number `after`; `state` None: all."""
        query = select(held_messages).order_by(_COLUMNS.seq).limit(limit)
        if state is not None:
            query = query.where(_COLUMNS.state == state)
        if after is not None:
            query = query.where(_COLUMNS.seq > after)
        with self._engine.connect() as connection:
            return [_held(row) for row in connection.execute(query).mappings()]

    def one(self, seq: int) -> HeldMessage | None:
        """One of them by its number."""
        with self._engine.connect() as connection:
            row = connection.execute(select(held_messages).where(_COLUMNS.seq == seq)).mappings().first()
        return None if row is None else _held(row)

    def same(self, why: str, received: Received) -> HeldMessage | None:
        """This very message, held before for the same reason."""
        with self._engine.connect() as connection:
            row = connection.execute(_SAME, _values(why, received)).mappings().first()
        return None if row is None else _held(row)

    def decide(self, seq: int, decision: Decision) -> None:
        """Writes a decision, once. Raises RaceError if there is one by now."""
        which = and_(_COLUMNS.seq == seq, _COLUMNS.state == WAITING)
        with database.transaction(self._engine) as connection:
            done = connection.execute(update(held_messages).where(which).values(vars(decision)))
            if done.rowcount != 1:
                raise RaceError("somebody has decided by now")
            deed = Deed(decision.state, decision.panel_id, decision.version, {"held": seq})
            append(connection, [deed])


def write(
    connection: Connection, why: str, received: Received, document: str, met: tuple[str, int] | None, *, partial: bool
) -> bool:
    """Keeps a message; False if this very one is kept already. `met`: the panel and version that it met."""
    values = _values(why, received)
    if connection.execute(_SAME, values).first() is not None:
        return False
    panel_id, version = met or (None, None)
    connection.execute(_INSERT, {
        **values, "document": document, "received_at": received.received_at, "partial": int(partial),
        "met_panel_id": panel_id, "met_version": version, "state": WAITING,
    })  # fmt: skip
    return True


def _values(why: str, received: Received) -> dict[str, str]:
    return {
        "why": why, "source_system": received.source_system, "message_id": received.message_id or "",
        "content_digest": received.content_digest,
    }  # fmt: skip


def _held(row: Any) -> HeldMessage:
    return HeldMessage(**row)
