"""The queries of the store: write one version, find panels again. It knows tables and times, no medicine."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Select,
    Table,
    bindparam,
    exists,
    func,
    insert,
    select,
)

from csfinterp.acting import current
from csfinterp.store import callbacks, held, transcripts
from csfinterp.store import course as courses
from csfinterp.store import engine as database
from csfinterp.store.accounts import AccountStore
from csfinterp.store.audit import Audit, Deed, append
from csfinterp.store.filters import PanelFilter, cursor_of, seq_of
from csfinterp.store.groups import Groups
from csfinterp.store.outbox import Outbox
from csfinterp.store.records import (
    Acknowledgement,
    Basis,
    CardFeedback,
    Collected,
    EarlierPanel,
    EventRecord,
    Heard,
    MessageRecord,
    Page,
    PanelHead,
    PanelKey,
    PanelSummary,
    RaceError,
    Received,
    Transcript,
    VersionInfo,
    VersionRecord,
    Written,
)
from csfinterp.store.schema import (
    card_feedback,
    messages,
    panel_findings,
    panel_flags,
    panel_versions,
    panels,
)
from csfinterp.store.searches import Searches

_successor = panel_versions.alias("successor")
# There are no gaps in the numbers, so the newest version is the one without a next.
_NEWEST = ~exists().where(
    _successor.c.panel_id == panel_versions.c.panel_id, _successor.c.version == panel_versions.c.version + 1
)
_JOINED = panels.join(panel_versions, panels.c.id == panel_versions.c.panel_id)
_CANCELLED = "cancelled"
_IDS_PER_QUERY = 500
_COLLECTED = {"at": "text", "on": "on", "utc": "utc"}
# Built once: building a statement costs more than running it.
_INSERT = {
    table: insert(table)
    for table in (panels, panel_versions, panel_flags, panel_findings, messages)
}  # fmt: skip
_MESSAGE = select(messages.c.content_digest, messages.c.panel_id, messages.c.version).where(
    messages.c.source_system == bindparam("source_system"), messages.c.message_id == bindparam("message_id")
)
_HEAD = select(
    panels.c.id, panels.c.seq, panels.c.patient_id, panel_versions.c.version, panel_versions.c.content_digest,
    panel_versions.c.panel_document, panel_versions.c.amended_context, panel_versions.c.status,
).select_from(_JOINED).where(_NEWEST)  # fmt: skip
_HEAD_OF_PANEL = _HEAD.where(panels.c.id == bindparam("panel_id"))
_HEAD_OF_SPECIMEN = _HEAD.where(
    panels.c.source_system == bindparam("source_system"), panels.c.specimen_id == bindparam("specimen_id")
)
_OTHERS = select(
    panels.c.patient_id, panels.c.id, panel_versions.c.version, panels.c.seq, panel_versions.c.collected_at,
    panel_versions.c.collected_on, panel_versions.c.collected_utc, panels.c.created_at, panel_versions.c.contributes,
    panel_versions.c.episode,
).select_from(_JOINED).where(
    panels.c.patient_id.in_(bindparam("patient_ids", expanding=True)), _NEWEST, panel_versions.c.status != _CANCELLED
)  # fmt: skip


class _Other(NamedTuple):
    panel: EarlierPanel
    episode: str | None


class Store:
    """The panels of one database. Thread-safe; every method is its own transaction, durable when it returns."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.outbox = Outbox(engine)
        self.accounts = AccountStore(engine)
        self.audit = Audit(engine)
        self.held = held.Held(engine)
        self.searches = Searches(engine)
        self._groups = Groups(engine)

    def close(self) -> None:
        self.engine.dispose()

    # --- reading ---

    def message(self, source_system: str, message_id: str) -> MessageRecord | None:
        """What the message was answered with, or None if it was never accepted."""
        row = self._first(_MESSAGE, source_system=source_system, message_id=message_id)
        return None if row is None else MessageRecord(*row)

    def heard(self, sender: str, control_id: str, content_digest: str) -> tuple[Heard, ...]:
        """Of the HL7 messages under this sender and control id: that of this content, and that which occupies it."""
        with self.engine.connect() as connection:
            return transcripts.heard(connection, sender, control_id, content_digest)

    def head(self, key: PanelKey) -> PanelHead | None:
        """The panel of this specimen with its newest version, whoever the patient is; None if not stored."""
        row = self._first(_HEAD_OF_SPECIMEN, source_system=key.source_system, specimen_id=key.specimen_id)
        return None if row is None else PanelHead(*row)

    def head_of(self, panel_id: str) -> PanelHead | None:
        """The same by panel id."""
        row = self._first(_HEAD_OF_PANEL, panel_id=panel_id)
        return None if row is None else PanelHead(*row)

    def version(self, panel_id: str, version: int | None = None) -> VersionRecord | None:
        """One version as stored, the newest for None; None if there is no such panel or version."""
        which = _NEWEST if version is None else panel_versions.c.version == version
        with self.engine.connect() as connection:
            query = select(panel_versions).where(panel_versions.c.panel_id == panel_id, which)
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        current().saw(panel_id)
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
            found = tuple(VersionInfo(*tuple(row)) for row in connection.execute(query))
        if found:
            current().saw(panel_id)
        return found

    def interpretations(self, panel_id: str) -> tuple[str, ...]:
        """The interpretation documents of all versions as JSON text, oldest first."""
        table = panel_versions.c
        query = select(table.interpretation).where(table.panel_id == panel_id).order_by(table.version)
        with self.engine.connect() as connection:
            found = tuple(connection.execute(query).scalars())
        if found:
            current().saw(panel_id)
        return found

    def earlier(
        self, patient_id: str | None, collected: Collected, episode: str | None, panel_id: str | None, seq: int | None
    ) -> Basis:
        """The earlier panels of a patient, in the order of collection, for a panel collected then.

        Earlier: collected before or at the same time if both times are known, else arrived earlier (`seq`; None: this
        panel is not stored yet). Not counted: this panel itself, cancelled ones, other episodes if `episode` is given.
        """
        return self.earlier_many([Basis(patient_id, panel_id, seq, collected, episode, ())])[0]

    def earlier_many(self, bases: Sequence[Basis]) -> list[Basis]:
        """The same bases with their `earlier` looked up."""
        with self.engine.connect() as connection:
            found = _earlier_of(connection, bases)
        return [replace(basis, earlier=earlier) for basis, earlier in zip(bases, found, strict=True)]

    def known(self, keys: Iterable[PanelKey], received: Iterable[Received]) -> tuple[set[PanelKey], set[Received]]:
        """Those specimens and those messages of which something is stored."""
        specimens = {(key.source_system, key.specimen_id): key for key in keys}
        sent = {(one.source_system, one.message_id): one for one in received if one.message_id is not None}
        with self.engine.connect() as connection:
            stored = _present(connection, panels.c.source_system, panels.c.specimen_id, specimens)
            seen = _present(connection, messages.c.source_system, messages.c.message_id, sent)
        return {specimens[pair] for pair in stored}, {sent[pair] for pair in seen}

    def search(self, filters: PanelFilter, limit: int, after: str | None = None) -> Page:
        """The newest versions that pass the filters, latest arrival first, at most `limit`, behind the cursor `after`.

        Pages stay complete while others insert: what was stored before the first page appears on exactly one page.
        """
        versions = panel_versions.c
        query = (
            select(panels.c.seq, panels.c.id, versions.version, versions.status, panels.c.source_system,
                   panels.c.specimen_id, panels.c.patient_id, versions.collected_at, versions.created_at,
                   versions.edition_id, versions.certainty, versions.type, versions.critical_open, versions.headline,
                   versions.provisional)
            .select_from(_JOINED).where(_NEWEST, *filters.conditions())
            .order_by(panels.c.seq.desc()).limit(limit + 1)
        )  # fmt: skip
        if after is not None:
            query = query.where(panels.c.seq < seq_of(after))
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        act = current()
        for row in rows[:limit]:
            act.saw(row[1])
        more = cursor_of(rows[limit - 1][0]) if len(rows) > limit else None
        return Page(tuple(PanelSummary(*tuple(row)[1:]) for row in rows[:limit]), more)

    def course(self, patient_id: str, most: int) -> tuple[courses.CourseRow, ...]:
        """All panels of a patient, cancelled ones too, oldest collection first; of more than `most` the latest."""
        with self.engine.connect() as connection:
            return courses.of_patient(connection, patient_id, most)

    def before(self, panel_id: str, most: int) -> tuple[courses.CourseRow, ...]:
        """The panels of the same patient that were collected before this one, oldest first, without cancelled ones."""
        with self.engine.connect() as connection:
            return courses.before(connection, panel_id, most)

    def acknowledgements(self, panel_id: str, version: int) -> tuple[Acknowledgement, ...]:
        """Who was told of the critical calls of one version."""
        with self.engine.connect() as connection:
            return callbacks.of_version(connection, panel_id, version)

    def open_calls(self) -> tuple[int, int]:
        """(panels whose newest version has calls that nobody noted, the number of those calls)."""
        table = panel_versions.c
        query = select(func.count(), func.coalesce(func.sum(table.critical_open), 0))
        with self.engine.connect() as connection:
            count, calls = connection.execute(query.where(table.critical_open > 0, _NEWEST)).one()
        return int(count), int(calls)

    # --- writing ---

    def add_many(self, rows: Sequence[Written]) -> None:
        """Stores versions whole, all or none, each with its events; with version 1 its panel.

        No two of them may be of one patient, specimen or message: they were computed without each other.
        Raises RaceError, nothing stored, if a version, specimen or message exists by now, or if the earlier panels
        of a patient are no longer those of the `basis`.
        """
        if self.engine.dialect.name == "sqlite":
            self._groups.write(lambda connection: self._add(connection, rows))
            return
        patients = sorted({row.key.patient_id for row in rows if row.key.patient_id is not None})
        with self._writing(patients, ()) as connection:
            self._add(connection, rows)

    def _add(self, connection: Connection, rows: Sequence[Written]) -> None:
        bases = [row.basis for row in rows if row.basis is not None]
        if _earlier_of(connection, bases) != [basis.earlier for basis in bases]:
            raise RaceError("an earlier panel of the patient came or changed meanwhile")
        _insert(connection, panels, [
            {"id": row.record.panel_id, "created_at": row.record.created_at, **vars(row.key)}
            for row in rows if row.record.version == 1
        ])  # fmt: skip
        _insert(connection, panel_versions, [_columns(row.record) for row in rows])
        _insert(connection, panel_flags, list(_flag_rows(rows)))
        _insert(connection, panel_findings, list(_finding_rows(rows)))
        _insert(connection, messages, list(_message_rows(rows)))
        callbacks.carry(connection, rows)
        for row in rows:
            _keep_transcript(connection, row.received)
        self.outbox.write(connection, [event for row in rows for event in row.events])
        append(connection, [Deed(row.record.reason, row.record.panel_id, row.record.version) for row in rows])

    def remember(self, received: Received, panel_id: str, version: int) -> None:
        """Notes that a message was answered with a version that another message had made. Raises RaceError as `add`."""
        with self._writing((), [Deed("came before", panel_id, version)]) as connection:
            if received.message_id is not None:
                _insert(connection, messages, [{"panel_id": panel_id, "version": version, **received.row()}])
            _keep_transcript(connection, received)

    def hold(
        self, why: str, received: Received, document: str, met: tuple[str, int] | None, event: EventRecord | None,
        *, partial: bool,
    ) -> None:  # fmt: skip
        """Keeps a message that must not be joined to a case, with the event that tells of it.

        `met`: the panel and version that it met. The same one again, for the same reason, is kept and told once.
        """
        try:
            deed = Deed(f"held: {why}", *(met or ()))
            with self._writing((), [deed]) as connection:
                if held.write(connection, why, received, document, met, partial=partial) and event is not None:
                    self.outbox.write(connection, [event])
        except RaceError:
            return  # another writer has kept the very same message in this moment

    def acknowledge(self, panel_id: str, newest: int, rows: Sequence[Acknowledgement]) -> None:
        """Notes calls, all or none. Raises RaceError if `newest` is not the newest version or a row exists by now."""
        deeds = [Deed("acknowledged", panel_id, version) for version in sorted({row.version for row in rows})]
        with self._writing((), deeds) as connection:
            if callbacks.newest_locked(connection, panel_id) != newest:
                raise RaceError("a version came meanwhile")
            callbacks.add(connection, rows)

    def keep(self, transcript: Transcript) -> None:
        """Keeps an HL7 message with its answer; of one that is kept already, the new state and answer.

        Raises RaceError if another message took the control id meanwhile.
        """
        with self._writing() as connection:
            transcripts.write(connection, transcript, kept=transcripts.is_kept(connection, transcript))

    def keep_feedback(self, feedback: Iterable[CardFeedback]) -> None:
        """Stores answers to cards, all or none."""
        with self._writing() as connection:
            connection.execute(insert(card_feedback), [asdict(one) for one in feedback])

    # --- inside ---

    def _first(self, query: Select[Any], **values: str) -> tuple[Any, ...] | None:
        with self.engine.connect() as connection:
            row = connection.execute(query, values).first()
        return None if row is None else tuple(row)

    @contextmanager
    def _writing(
        self, patient_ids: Iterable[str] = (), deeds: Sequence[Deed] = (Deed("stored"),)
    ) -> Iterator[Connection]:
        """One write transaction; writers for one patient go one after the other, so that `basis` can be trusted.

        The patients must be sorted: everybody locks in one order. `deeds` are audited in the same transaction.
        """
        with database.transaction(self.engine) as connection:
            if connection.dialect.name == "postgresql":
                for patient_id in patient_ids:
                    connection.execute(select(func.pg_advisory_xact_lock(_lock_number(patient_id))))
            yield connection
            if deeds:
                append(connection, deeds)


def _lock_number(patient_id: str) -> int:
    return int.from_bytes(hashlib.sha256(patient_id.encode()).digest()[:8], "big", signed=True)


def _columns(record: VersionRecord) -> dict[str, object]:
    values = dict(vars(record))
    collected = values.pop("collected")
    return {**values, **{f"collected_{part}": getattr(collected, name) for part, name in _COLLECTED.items()}}


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Many small rows go past SQLAlchemy's reading of each row's parameters, which costs more than their insert."""
    if not rows:
        return
    if len(rows) == 1:
        connection.execute(_INSERT[table], rows[0])
        return
    text, names = _bulk(table, connection.dialect)
    values: Any = rows if names is None else [tuple(row.get(name) for name in names) for row in rows]
    connection.exec_driver_sql(text, values)


@cache
def _bulk(table: Table, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """The statement in the words of the driver, with the order of its parameters (None: they go by name)."""
    names = [column.name for column in table.columns if not column.autoincrement or column.name != "seq"]
    compiled = insert(table).compile(dialect=dialect, column_keys=names)
    return str(compiled), tuple(compiled.positiontup) if compiled.positiontup else None


def _present(
    connection: Connection, source: ColumnElement[str], name: ColumnElement[str], pairs: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Those of the pairs (source system, name) that a table holds."""
    by_source: dict[str, list[str]] = {}
    for system, text in pairs:
        by_source.setdefault(system, []).append(text)
    found: set[tuple[str, str]] = set()
    for system, texts in by_source.items():
        for start in range(0, len(texts), _IDS_PER_QUERY):
            query = select(name).where(source == system, name.in_(texts[start : start + _IDS_PER_QUERY]))
            found |= {(system, text) for text in connection.execute(query).scalars()}
    return found


def _flag_rows(rows: Iterable[Written]) -> Iterator[dict[str, Any]]:
    for row in rows:
        this = {"panel_id": row.record.panel_id, "version": row.record.version}
        yield from ({**this, "analyte": analyte, "flag": flag} for analyte, flag in sorted(row.tables.flags))


def _finding_rows(rows: Iterable[Written]) -> Iterator[dict[str, Any]]:
    for row in rows:
        this = {"panel_id": row.record.panel_id, "version": row.record.version}
        yield from ({**this, "finding": finding, "truth": truth} for finding, truth in row.tables.findings.items())


def _message_rows(rows: Iterable[Written]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row.received is not None and row.received.message_id is not None:
            yield {"panel_id": row.record.panel_id, "version": row.record.version, **row.received.row()}


def _keep_transcript(connection: Connection, received: Received | None) -> None:
    if received is not None and received.transcript is not None:
        transcripts.write(connection, received.transcript, kept=received.kept)


def _earlier_of(connection: Connection, bases: Sequence[Basis]) -> list[tuple[EarlierPanel, ...]]:
    """`Basis.earlier` as it is now, for each of the bases."""
    found = _others(connection, {basis.patient_id for basis in bases if basis.patient_id is not None})
    return [_earlier(found.get(basis.patient_id or "", []), basis) for basis in bases]


def _others(connection: Connection, patient_ids: Collection[str]) -> dict[str, list[_Other]]:
    """The newest versions of all panels of these patients, by patient."""
    found: dict[str, list[_Other]] = {}
    ids = sorted(patient_ids)
    for start in range(0, len(ids), _IDS_PER_QUERY):
        for row in connection.execute(_OTHERS, {"patient_ids": ids[start : start + _IDS_PER_QUERY]}):
            other = EarlierPanel(row[1], row[2], row[3], Collected(row[4], row[5], row[6]), row[7], row[8])
            found.setdefault(row[0], []).append(_Other(other, row[9]))
    return found


def _earlier(others: Iterable[_Other], basis: Basis) -> tuple[EarlierPanel, ...]:
    """Those of a patient's panels that count as earlier, in the order of collection."""
    chosen = [
        other
        for other, episode in others
        if other.panel_id != basis.panel_id
        and basis.episode in (None, episode)
        and _is_earlier(other, basis.collected, basis.seq)
    ]
    return tuple(sorted(chosen, key=lambda row: row.order))


def _is_earlier(other: EarlierPanel, collected: Collected, seq: int | None) -> bool:
    by_collection = other.collected.not_after(collected)
    return (seq is None or other.seq < seq) if by_collection is None else by_collection
