"""The same on SQLite and on a real PostgreSQL: tables made in parallel, panels, accounts, the audit; and the copy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from csfinterp.accounts import Accounts
from csfinterp.cli import main
from csfinterp.formats import panel_json
from csfinterp.service import Service
from csfinterp.settings import Settings
from csfinterp.store import PanelFilter, Store, StoreError, open_engine, open_store, upgrade
from csfinterp.store.security_schema import metadata
from tests.databases import KINDS, new_database
from tests.making import Document, sample_panel

WORDS = "correct horse battery staple"


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return new_database(tmp_path, request.param)


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    opened = open_store(address)
    yield opened
    opened.close()


def settings_of(address: str, folder: Path) -> Settings:
    values = {"DATABASE_URL": address, "DATA_FOLDER": str(folder), "ALLOW_DRAFT": "true"}
    return Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()})


@pytest.fixture
def service(address: str, store: Store, tmp_path: Path) -> Service:
    return Service(settings_of(address, tmp_path), store)


def read(document: Document) -> panel_json.Panel:
    return panel_json.read(json.dumps(document).encode())


def migrate(address: str) -> str:
    engine = open_engine(address)
    upgrade(engine)
    upgrade(engine)
    engine.dispose()
    return "done"


def test_the_tables_are_those_of_the_schema_also_when_processes_make_them_at_once(address: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(migrate, [address] * 4)) == ["done"] * 4
    with open_engine(address).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_panels_are_stored_corrected_and_found_and_each_write_is_audited(service: Service, store: Store) -> None:
    document = sample_panel("solid_lm_positive_cytology")
    first = service.submit(read(document))
    assert service.submit(read(document)).created is False
    document["source"]["message_id"] += "-2"
    document["observations"][1]["value"] = 100
    assert service.submit(read(document)).version == 2
    found = service.search(PanelFilter(specimen=document["specimen"]["id"]), 5)
    assert [(item.panel_id, item.version) for item in found.items] == [(first.panel_id, 2)]
    rows = [(row["outcome"], row["panel_id"], row["version"]) for row in store.audit.rows()]
    assert rows == [("posted", first.panel_id, 1), ("corrected", first.panel_id, 2)]
    assert store.audit.verify() == []


def test_writers_in_parallel_lose_nothing_and_leave_one_chain(service: Service, store: Store) -> None:
    documents = [sample_panel("normal") for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda one: service.submit(read(one)).panel_id, documents))
    assert len(set(done)) == 24
    assert store.audit.head()[0] == 24
    assert store.audit.verify() == []
    assert {row["panel_id"] for row in store.audit.rows()} == set(done)


def test_a_write_that_fails_leaves_no_row_in_the_audit(service: Service, store: Store) -> None:
    document = sample_panel("normal")
    service.submit(read(document))
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO audit_gone"))
    with pytest.raises(StoreError):
        service.submit(read(sample_panel("normal")))
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_gone RENAME TO audit_head"))
        assert connection.execute(text("SELECT count(*) FROM panels")).scalar() == 1
    assert store.audit.verify() == []


def test_the_audit_cannot_be_changed_and_what_was_changed_is_found(store: Store, address: str, tmp_path: Path) -> None:
    accounts = Accounts(settings_of(address, tmp_path), store)
    for name in ("anna", "ben", "cleo", "dora"):
        accounts.add(name, ["clinician"], None)
    kept = store.audit.head()
    for change in ("UPDATE audit SET who = 'x' WHERE seq = 2", "DELETE FROM audit WHERE seq = 2"):
        with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
            connection.execute(text(change))
    assert store.audit.verify([kept]) == []
    table = " ON audit" if store.engine.dialect.name == "postgresql" else ""
    with store.engine.begin() as connection:
        for verb in ("UPDATE", "DELETE"):
            name = f'"audit_no_{verb}"' if not table else f"audit_no_{verb}"
            connection.execute(text(f"DROP TRIGGER {name}{table}"))
        connection.execute(text("DELETE FROM audit WHERE seq = 4"))
    assert "removed" in store.audit.verify()[0]
    with store.engine.begin() as connection:
        hash_of_3 = connection.execute(text("SELECT hash FROM audit WHERE seq = 3")).scalar()
        connection.execute(text("UPDATE audit_head SET seq = 3, hash = :hash"), {"hash": hash_of_3})
    assert store.audit.verify() == []  # a chain cut off together with its head: only a head kept elsewhere tells
    assert "missing" in store.audit.verify([kept])[0]
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE audit SET details = '{}' WHERE seq = 2"))
    assert "Row 2 does not fit" in store.audit.verify()[0]


def test_a_store_moves_to_postgresql_with_every_row(tmp_path: Path) -> None:
    source, target = (new_database(tmp_path, kind) for kind in KINDS)
    old = open_store(source)
    service = Service(settings_of(source, tmp_path), old)
    Accounts(settings_of(source, tmp_path), old).add("anna", ["clinician"], WORDS)
    ids = [service.submit(read(sample_panel(name))).panel_id for name in ("normal", "bacterial")]
    old.close()
    done = CliRunner().invoke(main, ["db", "copy", source, target])
    assert done.exit_code == 0, done.output
    assert "panel_versions       2" in done.stdout
    new = open_store(target)
    moved = Service(settings_of(target, tmp_path), new)
    assert [moved.panel(one).version for one in ids] == [1, 1]
    assert moved.accounts.sign_in("anna", WORDS) is not None
    assert new.audit.verify() == []
    assert moved.submit(read(sample_panel("normal"))).version == 1  # numbers go on behind those that came
    again = CliRunner().invoke(main, ["db", "copy", source, target])
    assert again.exit_code == 1
    assert "holds data already" in again.output
    new.close()
