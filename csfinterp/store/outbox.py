"""The outbox: events are written with their version, deliveries are claimed by workers and finished or tried again.

A delivery is due, leased by one worker, then sent, due again later, or dead. Deliveries of one panel to one
destination go out in the order of their events. A worker that died lets go of its lease by time, so everything is sent
at least once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from csfinterp.store import engine as database
from csfinterp.store.audit import Deed, append
from csfinterp.store.records import EventRecord
from csfinterp.store.schema import deliveries, events

WAITING, SENT, DEAD = "waiting", "sent", "dead"
_other = deliveries.alias("other")
_JOINED = deliveries.join(events, deliveries.c.event_id == events.c.id)


@dataclass(frozen=True)
class Subscription:
    """A destination and the types of events that it gets; empty: all."""

    destination: str
    event_types: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one destination; `tries` counts those that were made."""

    seq: int
    destination: str
    event: EventRecord
    state: str
    tries: int
    due_at: str
    last_error: str | None


class Outbox:
    """The events and deliveries of one database. Times are stamps (`records.stamp`). Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.subscriptions: tuple[Subscription, ...] = ()

    def write(self, connection: Connection, found: Sequence[EventRecord]) -> None:
        """Writes events and their deliveries in the transaction of the caller."""
        rows = [
            _delivery(event, one.destination, event.created_at)
            for event in found
            for one in self.subscriptions
            if not one.event_types or event.type in one.event_types
        ]
        for table, values in ((events, [dict(vars(event)) for event in found]), (deliveries, rows)):
            if values:
                connection.execute(insert(table), values)

    def claim(self, destinations: Iterable[str], worker: str, now: str, until: str, limit: int) -> list[Delivery]:
        """Leases at most `limit` due deliveries to `worker` until `until`; of each panel and destination the oldest."""
        table = deliveries.c
        free = or_(table.leased_until.is_(None), table.leased_until <= now)
        older = or_(_other.c.version < table.version, and_(_other.c.version == table.version, _other.c.seq < table.seq))
        earlier = exists().where(
            _other.c.panel_id == table.panel_id, _other.c.destination == table.destination,
            _other.c.state == WAITING, older,
        )  # fmt: skip
        due = (
            select(table.seq)
            .where(table.state == WAITING, table.destination.in_(list(destinations)), table.due_at <= now, free)
            .where(~earlier)
            .order_by(table.due_at, table.seq).limit(limit).with_for_update(skip_locked=True)
        )  # fmt: skip
        with database.transaction(self.engine) as connection:
            chosen = list(connection.execute(due).scalars())
            if not chosen:
                return []
            connection.execute(
                update(deliveries).where(table.seq.in_(chosen)).values(leased_by=worker, leased_until=until)
            )
            return _deliveries(connection, _wanted(table.seq.in_(chosen)))

    def newer_is_there(self, delivery: Delivery) -> bool:
        """True if a later version of the panel was sent to the destination."""
        table = deliveries.c
        newer = select(table.seq).where(
            table.panel_id == delivery.event.panel_id, table.destination == delivery.destination,
            table.state == SENT, table.version > delivery.event.version,
        )  # fmt: skip
        with self.engine.connect() as connection:
            return connection.execute(newer.limit(1)).first() is not None

    def sent(self, delivery: Delivery, worker: str, now: str) -> None:
        """The receiver has it."""
        self._finish(delivery, worker, state=SENT, finished_at=now, last_error=None)

    def failed(self, delivery: Delivery, worker: str, error: str, due_at: str) -> None:
        """To be tried again at `due_at`."""
        self._finish(delivery, worker, due_at=due_at, last_error=error)

    def give_up(self, delivery: Delivery, worker: str, error: str, now: str) -> None:
        """No further try; it stays listed as dead until it is replayed."""
        self._finish(delivery, worker, state=DEAD, finished_at=now, last_error=error)

    def release(self, worker: str) -> None:
        """Lets go of everything that a worker has leased and not begun."""
        with database.transaction(self.engine) as connection:
            mine = and_(deliveries.c.leased_by == worker, deliveries.c.state == WAITING)
            connection.execute(update(deliveries).where(mine).values(leased_by=None, leased_until=None))

    def replay(
        self,
        now: str,
        destination: str,
        state: str | None = DEAD,
        event_ids: Sequence[str] = (),
        since: str | None = None,
    ) -> int:
        """Makes deliveries of a destination wait again, with fresh tries; returns how many.

        By default those that are dead; `state` None also those that were sent, and events that the destination never
        had. Narrowed by event ids and by the time of the event.
        """
        with database.transaction(self.engine) as connection:
            added = self._add_missing(connection, now, destination, event_ids, since) if state is None else 0
            chosen = select(events.c.id).where(*_narrowed(event_ids, since))
            table = deliveries.c
            which = and_(table.destination == destination, table.event_id.in_(chosen),
                         table.state != WAITING if state is None else table.state == state)  # fmt: skip
            fresh = {"state": WAITING, "tries": 0, "due_at": now, "leased_by": None, "leased_until": None,
                     "finished_at": None}  # fmt: skip
            return added + int(connection.execute(update(deliveries).where(which).values(fresh)).rowcount)

    def prune(self, before: str, ordered: Iterable[str], limit: int = 1000) -> int:
        """Removes notes of what was delivered before this time; returns how many, at most `limit`.

        Never one that waits or is dead. `ordered`: destinations where an old version must not follow a new one; of
        each panel they keep the note of the newest version that was sent (`newer_is_there` reads it).
        """
        table = deliveries.c
        newer = exists().where(
            _other.c.panel_id == table.panel_id, _other.c.destination == table.destination, _other.c.state == SENT,
            or_(_other.c.version > table.version, and_(_other.c.version == table.version, _other.c.seq > table.seq)),
        )  # fmt: skip
        old = select(table.seq).where(
            table.state == SENT, table.finished_at < before, or_(table.destination.not_in(list(ordered)), newer)
        )
        with database.transaction(self.engine) as connection:
            chosen = list(connection.execute(old.order_by(table.seq).limit(limit)).scalars())
            if chosen:
                connection.execute(delete(deliveries).where(table.seq.in_(chosen), table.state == SENT))
        return len(chosen)

    def listed(self, destination: str | None, state: str | None, limit: int) -> list[Delivery]:
        """Deliveries, the newest first."""
        wanted = _wanted(
            *([deliveries.c.destination == destination] if destination else []),
            *([deliveries.c.state == state] if state else []),
        )
        with self.engine.connect() as connection:
            return _deliveries(connection, wanted.order_by(None).order_by(deliveries.c.seq.desc()).limit(limit))

    def counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries there are, by (destination, state)."""
        table = deliveries.c
        query = select(table.destination, table.state, func.count()).group_by(table.destination, table.state)
        with self.engine.connect() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def oldest_waiting(self) -> str | None:
        """Since when the oldest delivery that waits is due; None: nothing waits."""
        query = select(func.min(deliveries.c.due_at)).where(deliveries.c.state == WAITING)
        with self.engine.connect() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def _finish(self, delivery: Delivery, worker: str, **values: object) -> None:
        """Only while the lease is the worker's own: whoever took over decides."""
        table = deliveries.c
        mine = and_(table.seq == delivery.seq, table.leased_by == worker, table.state == WAITING)
        done = {"tries": delivery.tries + 1, "leased_by": None, "leased_until": None, **values}
        with database.transaction(self.engine) as connection:
            changed = connection.execute(update(deliveries).where(mine).values(done)).rowcount
            if changed and values.get("state") in (SENT, DEAD):
                told = {"destination": delivery.destination, "event": delivery.event.id}
                append(connection, [Deed(str(values["state"]), delivery.event.panel_id, delivery.event.version, told)])

    def _add_missing(
        self, connection: Connection, now: str, destination: str, event_ids: Sequence[str], since: str | None
    ) -> int:
        there = exists().where(deliveries.c.event_id == events.c.id, deliveries.c.destination == destination)
        query = select(events).where(~there, *_narrowed(event_ids, since)).order_by(events.c.seq)
        types = next((one.event_types for one in self.subscriptions if one.destination == destination), frozenset())
        found = [_event(row) for row in connection.execute(query).mappings()]
        rows = [_delivery(event, destination, now) for event in found if not types or event.type in types]
        if rows:
            connection.execute(insert(deliveries), rows)
        return len(rows)


def _delivery(event: EventRecord, destination: str, due_at: str) -> dict[str, object]:
    return {"event_id": event.id, "destination": destination, "panel_id": event.panel_id,
            "version": event.version, "state": WAITING, "tries": 0, "due_at": due_at}  # fmt: skip


def _narrowed(event_ids: Sequence[str], since: str | None) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = [events.c.id.in_(list(event_ids))] if event_ids else []
    return [*chosen, events.c.created_at >= since] if since else chosen


def _wanted(*conditions: ColumnElement[bool]) -> Select[Any]:
    table = deliveries.c
    about = (table.seq, table.destination, table.state, table.tries, table.due_at, table.last_error)
    event = (events.c.id, events.c.type, events.c.panel_id, events.c.version, events.c.created_at, events.c.data)
    return select(*about, *event).select_from(_JOINED).where(*conditions).order_by(table.seq)


def _deliveries(connection: Connection, query: Select[Any]) -> list[Delivery]:
    rows = [tuple(row) for row in connection.execute(query)]
    return [
        Delivery(row[0], row[1], EventRecord(*row[6:]), state=row[2], tries=row[3], due_at=row[4], last_error=row[5])
        for row in rows
    ]


def _event(row: Any) -> EventRecord:
    return EventRecord(**{name: row[name] for name in EventRecord.__dataclass_fields__})
