"""Opening a database: durable, guarded, private, and with exactly the tables that the code expects."""

from __future__ import annotations

import multiprocessing
import socket
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from csfinterp.store import Store, StoreError, open_engine, open_store, revisions, upgrade
from csfinterp.store.schema import held_messages, messages, metadata, panel_versions

NEWEST = "0007"
FORK = multiprocessing.get_context("fork")


def pragma(store: Store, name: str) -> object:
    with store.engine.connect() as connection:
        return connection.execute(text(f"PRAGMA {name}")).scalar()


def test_sqlite_writes_ahead_checks_foreign_keys_and_waits_for_other_writers(store: Store) -> None:
    found = {name: pragma(store, name) for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")}
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 10_000}


def test_foreign_keys_are_enforced(store: Store) -> None:
    row = {"source_system": "LIS-A", "message_id": "M1", "content_digest": "d", "received_at": "t"}
    with pytest.raises(IntegrityError), store.engine.begin() as connection:
        connection.execute(insert(messages).values(panel_id="nowhere", version=1, **row))


def test_the_database_file_and_its_companions_belong_to_the_service_alone(store: Store) -> None:
    folder = Path(str(store.engine.url.database)).parent
    columns = ("why", "source_system", "message_id", "content_digest", "document", "received_at")
    with store.engine.begin() as connection:
        connection.execute(insert(held_messages).values(dict.fromkeys(columns, "text")))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}
    assert {"csfinterp.sqlite", "csfinterp.sqlite-wal"} <= set(modes)


def test_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        checks = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'panel_versions'")).scalar()
    assert "ck_panel_versions_counts_from_1" in str(checks)


def test_upgrading_again_changes_nothing(store: Store) -> None:
    upgrade(store.engine)
    now, newest = revisions(store.engine)
    assert now == newest is not None


def test_revisions_of_an_empty_database(database_url: str) -> None:
    now, newest = revisions(open_engine(database_url))
    assert now is None
    assert newest == NEWEST


def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="another csfinterp"):
        upgrade(store.engine)


def test_a_failed_migration_leaves_nothing_behind(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(database_url)

    def break_off(*_: object) -> None:
        with engine.connect() as other:
            assert other.execute(text("SELECT count(*) FROM sqlite_master")).scalar() == 0
        raise KeyboardInterrupt

    monkeypatch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", break_off)
    with pytest.raises(KeyboardInterrupt):
        upgrade(engine)
    monkeypatch.undo()
    assert revisions(engine)[0] is None
    upgrade(engine)
    assert revisions(engine)[0] == NEWEST


def _open(url: str, start: Any, answers: Any) -> None:
    start.wait()
    try:
        opened = open_store(url)
        answers.put(revisions(opened.engine)[0])
    except Exception as error:
        answers.put(repr(error))
        raise


def test_processes_that_start_at_once_on_a_new_database_all_find_it_ready(database_url: str) -> None:
    start, answers = FORK.Barrier(6), FORK.Queue()
    workers = [FORK.Process(target=_open, args=(database_url, start, answers)) for _ in range(6)]
    for worker in workers:
        worker.start()
    found = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert found == [NEWEST] * 6


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no address",
        "mysql://host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file.db?mode=memory&uri=true",
    ],
)
def test_an_address_that_cannot_serve_is_refused_with_what_to_write(address: str) -> None:
    with pytest.raises(StoreError, match=r"sqlite:////folder/file\.sqlite"):
        open_engine(address)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("patients are not listed here\n" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="not a database"):
        open_engine(f"sqlite:///{path}")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'x.sqlite'}")


def test_postgresql_addresses_use_psycopg_3() -> None:
    assert open_engine("postgresql://user@localhost/name").driver == "psycopg"


@pytest.mark.parametrize("query", ["", "?password=hunter2", "?hunter2=hunter2"])
def test_a_server_that_cannot_be_reached_is_one_sentence_without_the_password(query: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    engine = open_engine(f"postgresql://user:hunter2@127.0.0.1:{port}/csf{query}")
    for ask in (upgrade, revisions):
        with pytest.raises(StoreError, match=r"csf at 127\.0\.0\.1 cannot be used .*CSFINTERP_DATABASE_URL") as caught:
            ask(engine)
        assert "hunter2" not in str(caught.value) and "\n" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_a_database_that_may_not_be_written_is_one_sentence(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StoreError, match="already exists"):
        upgrade(store.engine)


def test_errors_of_the_database_never_quote_a_row(store: Store) -> None:
    with pytest.raises(IntegrityError) as caught, store.engine.begin() as connection:
        connection.execute(insert(panel_versions).values(panel_id="p", version=1, headline="MRN-4711", status="x"))
    assert "MRN-4711" not in str(caught.value)


def test_a_forked_worker_does_not_talk_through_the_connections_of_its_parent(store: Store) -> None:
    pool, answers = store.engine.pool, FORK.Queue()
    worker = FORK.Process(target=lambda: answers.put(store.engine.pool is pool))
    worker.start()
    assert answers.get(timeout=30) is False
    worker.join()
    assert store.engine.pool is pool


def test_wal_is_kept_in_the_file(store: Store) -> None:
    path = str(store.engine.url.database)
    store.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
