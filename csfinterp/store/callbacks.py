"""The queries of critical call-backs: note once who was told, carry it to a version that repeats the call, count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from sqlalchemy import Connection, func, insert, select, update

from csfinterp.store.records import Acknowledgement, Written
from csfinterp.store.schema import acknowledgements, panel_versions, panels

_TABLE = acknowledgements.c


def of_version(connection: Connection, panel_id: str, version: int) -> tuple[Acknowledgement, ...]:
    """What is noted for the calls of one version."""
    query = select(acknowledgements).where(_TABLE.panel_id == panel_id, _TABLE.version == version)
    return tuple(Acknowledgement(**row) for row in connection.execute(query).mappings())


def newest_locked(connection: Connection, panel_id: str) -> int:
    """The newest version of a panel; until the end of the transaction none is added (0: no such panel)."""
    connection.execute(select(panels.c.seq).where(panels.c.id == panel_id).with_for_update())
    newest = select(func.max(panel_versions.c.version)).where(panel_versions.c.panel_id == panel_id)
    return connection.execute(newest).scalar() or 0


def add(connection: Connection, rows: Sequence[Acknowledgement]) -> None:
    """Notes calls, each with its version, and counts them as no longer open. A row that exists breaks the whole."""
    if not rows:
        return
    connection.execute(insert(acknowledgements), [asdict(row) for row in rows])
    versions = panel_versions.c
    for panel_id, version in sorted({(row.panel_id, row.version) for row in rows}):
        made = sum((row.panel_id, row.version) == (panel_id, version) for row in rows)
        connection.execute(
            update(panel_versions)
            .where(versions.panel_id == panel_id, versions.version == version)
            .values(critical_open=versions.critical_open - made)
        )


def carry(connection: Connection, rows: Iterable[Written]) -> None:
    """To new versions, what is noted for the version before of calls that they repeat."""
    for row in rows:
        if row.repeated:
            record = row.record
            told = of_version(connection, record.panel_id, record.version - 1)
            add(connection, [replace(one, version=record.version) for one in told if one.call in row.repeated])
