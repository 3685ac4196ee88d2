"""The queries of the store: write one version, find panels again. It knows tables and times, no medicine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, exists, func, insert, select
from sqlalchemy.exc import DBAPIError

from csfinterp.errors import ConflictError
from csfinterp.store import engine as database
from csfinterp.store.filters import PanelFilter, cursor_of, seq_of
from csfinterp.store.records import (
    Basis,
    CardFeedback,
    Collected,
    EarlierPanel,
    MessageRecord,
    Page,
    PanelHead,
    PanelKey,
    PanelSummary,
    RaceError,
    Received,
    SearchTables,
    VersionInfo,
    VersionRecord,
)
from csfinterp.store.schema import (
    card_feedback,
    held_messages,
    messages,
    panel_findings,
    panel_flags,
    panel_versions,
    panels,
)

_successor = panel_versions.alias("successor")
# There are no gaps in the numbers, so the newest version is the one without a next.
_NEWEST = ~exists().where(
    _successor.c.panel_id == panel_versions.c.panel_id, _successor.c.version == panel_versions.c.version + 1
)
_JOINED = panels.join(panel_versions, panels.c.id == panel_versions.c.panel_id)
_CANCELLED = "cancelled"
# PostgreSQL: unique violation, serialization failure, deadlock; then SQLite's words for the first.
_RACES = ("23505", "40001", "40P01", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
_COLLECTED = {"at": "text", "on": "on", "utc": "utc"}
_HELD_KEY = ("source_system", "message_id", "content_digest")


class Store:
    """The panels of one database. Thread-safe; every method is its own transaction, durable when it returns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        self.engine.dispose()

    # --- reading ---

    def message(self, source_system: str, message_id: str) -> MessageRecord | None:
        """What the message was answered with, or None if it was never accepted."""
        table = messages.c
        query = select(table.content_digest, table.panel_id, table.version).where(
            table.source_system == source_system, table.message_id == message_id
        )
        row = self._first(query)
        return None if row is None else MessageRecord(*row)

    def head(self, key: PanelKey) -> PanelHead | None:
        """The panel of this specimen with its newest version, whoever the patient is; None if not stored."""
        same = and_(panels.c.source_system == key.source_system, panels.c.specimen_id == key.specimen_id)
        return self._head(same)

    def head_of(self, panel_id: str) -> PanelHead | None:
        """The same by panel id."""
        return self._head(panels.c.id == panel_id)

    def version(self, panel_id: str, version: int | None = None) -> VersionRecord | None:
        """One version as stored, the newest for None; None if there is no such panel or version."""
        which = _NEWEST if version is None else panel_versions.c.version == version
        with self.engine.connect() as connection:
            query = select(panel_versions).where(panel_versions.c.panel_id == panel_id, which)
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        values: dict[str, Any] = dict(row)
        collected = Collected(*(values.pop(name) for name in ("collected_at", "collected_on", "collected_utc")))
        return VersionRecord(**values, collected=collected)

    def versions(self, panel_id: str) -> tuple[VersionInfo, ...]:
        """All versions, oldest first; empty if there is no such panel."""
        table = panel_versions.c
        query = (
            select(table.panel_id, table.version, table.reason, table.status, table.edition_id, table.edition_digest,
                   table.site_rules_digest, table.certainty, table.type, table.created_at)
            .where(table.panel_id == panel_id).order_by(table.version)
        )  # fmt: skip
        with self.engine.connect() as connection:
            return tuple(VersionInfo(*tuple(row)) for row in connection.execute(query))

    def earlier(
        self, patient_id: str | None, collected: Collected, episode: str | None, panel_id: str | None, seq: int | None
    ) -> Basis:
        """The earlier panels of a patient, in the order of collection, for a panel collected then.

        Earlier: collected before or at the same time if both times are known, else arrived earlier (`seq`; None: this
        panel is not stored yet). Not counted: this panel itself, cancelled ones, other episodes if `episode` is given.
        """
        with self.engine.connect() as connection:
            rows = _earlier(connection, patient_id, collected, episode, panel_id, seq)
        return Basis(patient_id, panel_id, seq, collected, episode, rows)

    def search(self, filters: PanelFilter, limit: int, after: str | None = None) -> Page:
        """The newest versions that pass the filters, latest arrival first, at most `limit`, behind the cursor `after`.

        Pages stay complete while others insert: what was stored before the first page appears on exactly one page.
        """
        versions = panel_versions.c
        query = (
            select(panels.c.seq, panels.c.id, versions.version, versions.status, panels.c.source_system,
                   panels.c.specimen_id, panels.c.patient_id, versions.collected_at, versions.created_at,
                   versions.edition_id, versions.certainty, versions.type, versions.critical_open, versions.headline)
            .select_from(_JOINED).where(_NEWEST, *filters.conditions())
            .order_by(panels.c.seq.desc()).limit(limit + 1)
        )  # fmt: skip
        if after is not None:
            query = query.where(panels.c.seq < seq_of(after))
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        more = cursor_of(rows[limit - 1][0]) if len(rows) > limit else None
        return Page(tuple(PanelSummary(*tuple(row)[1:]) for row in rows[:limit]), more)

    # --- writing ---

    def add(
        self, key: PanelKey, record: VersionRecord, tables: SearchTables, basis: Basis | None, received: Received | None
    ) -> None:
        """Stores one version whole, and with version 1 its panel. `basis` None: not checked (nothing was looked up).

        Raises RaceError, nothing stored, if the version, specimen or message exists by now, or if the earlier panels
        of the patient are no longer those of `basis`.
        """
        with self._writing(key.patient_id) as connection:
            if basis is not None and _earlier_of(connection, basis) != basis.earlier:
                raise RaceError("an earlier panel of the patient came or changed meanwhile")
            if record.version == 1:
                this = {"id": record.panel_id, "created_at": record.created_at}
                connection.execute(insert(panels).values(**this, **asdict(key)))
            connection.execute(insert(panel_versions).values(_columns(record)))
            _add_rows(connection, record, tables)
            if received is not None and received.message_id is not None:
                connection.execute(insert(messages).values(
                    panel_id=record.panel_id, version=record.version, **asdict(received)))  # fmt: skip

    def remember(self, received: Received, panel_id: str, version: int) -> None:
        """Notes that a message was answered with a version that another message had made. Raises RaceError as `add`."""
        with self._writing(None) as connection:
            connection.execute(insert(messages).values(panel_id=panel_id, version=version, **asdict(received)))

    def hold(self, why: str, received: Received, document: str) -> None:
        """Keeps a message that must not be joined to a case. The same one again, for the same reason, is kept once."""
        values = {**asdict(received), "message_id": received.message_id or ""}
        table = held_messages.c
        same = and_(table.why == why, *(table[name] == values[name] for name in _HELD_KEY))
        try:
            with self._writing(None) as connection:
                if connection.execute(select(table.seq).where(same)).first() is None:
                    connection.execute(insert(held_messages).values(why=why, document=document, **values))
        except RaceError:
            return  # another writer has kept the very same message in this moment

    def keep_feedback(self, feedback: Iterable[CardFeedback]) -> None:
        """Stores answers to cards, all or none."""
        with self._writing(None) as connection:
            connection.execute(insert(card_feedback), [asdict(one) for one in feedback])

    # --- inside ---

    def _first(self, query: Select[Any]) -> tuple[Any, ...] | None:
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else tuple(row)

    def _head(self, which: ColumnElement[bool]) -> PanelHead | None:
        versions = panel_versions.c
        query = select(
            panels.c.id, panels.c.seq, panels.c.patient_id, versions.version, versions.content_digest,
            versions.panel_document, versions.amended_context, versions.status,
        ).select_from(_JOINED).where(which, _NEWEST)  # fmt: skip
        row = self._first(query)
        return None if row is None else PanelHead(*row)

    @contextmanager
    def _writing(self, patient_id: str | None) -> Iterator[Connection]:
        """One write transaction; writers for one patient go one after the other, so that `basis` can be trusted."""
        try:
            with database.writing(self.engine) as connection, connection.begin():
                if patient_id is not None and connection.dialect.name == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_lock_number(patient_id))))
                yield connection
        except DBAPIError as error:
            # `from None`: a database's own message may quote the row.
            code = _code(error)
            if code in _RACES:
                raise RaceError("the row exists by now") from None
            if code.startswith("SQLITE_BUSY"):
                raise busy() from None
            raise database.StoreError(f"The database did not store the message ({code}); nothing is stored.") from None


def busy() -> ConflictError:
    """What a sender is told when too many others write at the same time."""
    return ConflictError("The store is busy with other messages; nothing is stored. Send this message again.", "busy")


def _code(error: DBAPIError) -> str:
    """The database's own name of what went wrong; unlike its message it never quotes a row."""
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return name or type(error.orig).__name__


def _lock_number(patient_id: str) -> int:
    return int.from_bytes(hashlib.sha256(patient_id.encode()).digest()[:8], "big", signed=True)


def _columns(record: VersionRecord) -> dict[str, object]:
    values = asdict(record)
    collected = values.pop("collected")
    return {**values, **{f"collected_{part}": collected[name] for part, name in _COLLECTED.items()}}


def _add_rows(connection: Connection, record: VersionRecord, tables: SearchTables) -> None:
    this = {"panel_id": record.panel_id, "version": record.version}
    flags = [{**this, "analyte": analyte, "flag": flag} for analyte, flag in sorted(tables.flags)]
    findings = [{**this, "finding": finding, "truth": truth} for finding, truth in tables.findings.items()]
    if flags:
        connection.execute(insert(panel_flags), flags)
    if findings:
        connection.execute(insert(panel_findings), findings)


def _earlier_of(connection: Connection, basis: Basis) -> tuple[EarlierPanel, ...]:
    return _earlier(connection, basis.patient_id, basis.collected, basis.episode, basis.panel_id, basis.seq)


def _earlier(
    connection: Connection, patient_id: str | None, collected: Collected, episode: str | None,
    panel_id: str | None, seq: int | None,
) -> tuple[EarlierPanel, ...]:  # fmt: skip
    if patient_id is None:
        return ()
    versions = panel_versions.c
    query = select(
        panels.c.id, versions.version, panels.c.seq, versions.collected_at, versions.collected_on,
        versions.collected_utc, panels.c.created_at, versions.contributes,
    ).select_from(_JOINED).where(panels.c.patient_id == patient_id, _NEWEST, versions.status != _CANCELLED)  # fmt: skip
    if panel_id is not None:
        query = query.where(panels.c.id != panel_id)
    if episode is not None:
        query = query.where(versions.episode == episode)
    rows = connection.execute(query)
    others = (EarlierPanel(row[0], row[1], row[2], Collected(row[3], row[4], row[5]), row[6], row[7]) for row in rows)
    return tuple(sorted((other for other in others if _is_earlier(other, collected, seq)), key=lambda row: row.order))


def _is_earlier(other: EarlierPanel, collected: Collected, seq: int | None) -> bool:
    by_collection = other.collected.not_after(collected)
    return (seq is None or other.seq < seq) if by_collection is None else by_collection
