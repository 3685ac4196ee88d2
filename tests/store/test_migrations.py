"""What a migration makes of rows that are there: panels stored before revision 0005 can be searched like new ones."""

from __future__ import annotations

import json
from typing import Any

from alembic import command
from sqlalchemy import Engine, insert, text

from csfinterp.store import PanelFilter, Store, open_engine, upgrade
from csfinterp.store.engine import _alembic
from csfinterp.store.schema import panels

OLD = ("posted", "d", "{}", "{}", "{}", "2026.1", "sha256:e", "possible", "H", "2026-03-01T08:00:00.000000Z")
INSERT = """INSERT INTO panel_versions (panel_id, version, status, interpretation, critical_open, reason,
  content_digest, panel_document, history, contributes, edition_id, edition_digest, certainty, headline, created_at)
  VALUES (:panel_id, :version, :status, :interpretation, :critical_open,
  :o0, :o1, :o2, :o3, :o4, :o5, :o6, :o7, :o8, :o9)"""


def to_revision(engine: Engine, revision: str) -> None:
    config = _alembic()
    with engine.connect().execution_options(csfinterp_write=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def add(engine: Engine, panel_id: str, versions: list[dict[str, Any]]) -> None:
    about = {"source_system": "", "specimen_id": panel_id, "patient_id": None, "created_at": OLD[-1]}
    with engine.connect().execution_options(csfinterp_write=True) as connection, connection.begin():
        connection.execute(insert(panels), {"id": panel_id, **about})
        for number, version in enumerate(versions, 1):
            rest = {f"o{place}": value for place, value in enumerate(OLD)}
            connection.execute(text(INSERT), {"panel_id": panel_id, "version": number, **rest, **version})


def test_old_panels_are_found_as_provisional_and_cancelled_ones_wait_for_no_call(database_url: str) -> None:
    engine = open_engine(database_url)
    to_revision(engine, "0004")
    open_answer, settled = (json.dumps({"lm": {"provisional": value}}) for value in (True, False))
    row = {"status": "final", "critical_open": 0}
    add(engine, "settled since", [{**row, "interpretation": open_answer}, {**row, "interpretation": settled}])
    add(engine, "provisional", [{**row, "interpretation": open_answer, "critical_open": 2}])
    add(engine, "cancelled", [{"status": "cancelled", "interpretation": settled, "critical_open": 3}])
    add(engine, "without lm", [{**row, "interpretation": "{}"}])
    upgrade(engine)
    store = Store(engine)
    assert [item.panel_id for item in store.search(PanelFilter(provisional="true"), 50).items] == ["provisional"]
    assert store.open_calls() == (1, 2)
    store.close()
