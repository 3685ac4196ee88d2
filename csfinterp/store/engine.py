"""The database behind the store: how SQLite and PostgreSQL are opened, and brought to the newest tables."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import Pool

from csfinterp.errors import ConflictError, CsfinterpError
from csfinterp.store.records import RaceError

BUSY_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 10
# Any constant will do; it keeps two processes from migrating one PostgreSQL database at the same time.
_MIGRATION_LOCK = 0x637366
# PostgreSQL: unique violation, serialization failure, deadlock; then SQLite's words for the first.
_RACES = ("23505", "40001", "40P01", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
# Kept until the process ends, so that nothing closes them.
_inherited: list[Pool] = []


class StoreError(CsfinterpError):
    """The database cannot be used as it is set; the message says what to change."""


def open_engine(database_url: str) -> Engine:
    """An engine for the service. Creates the SQLite file (readable by its owner only) but no tables: see `upgrade`.

    Raises StoreError for an address that cannot be used. Error messages never hold the parameters of a statement.
    """
    url = _checked(database_url)
    engine = create_engine(
        url, hide_parameters=True, pool_size=8, max_overflow=24, pool_pre_ping=_is_server(url),
        connect_args=_server_arguments(url) if _is_server(url) else {},
    )  # fmt: skip
    if not _is_server(url):
        _create_file(Path(str(url.database)))
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        _write_ahead(engine)
    _forget_connections_after_fork(engine)
    return engine


def upgrade(engine: Engine) -> None:
    """Brings the tables to the newest revision, in one transaction; safe when several processes start at once.

    Raises StoreError, also if the database cannot be reached.
    """
    with _in_a_sentence(engine), writing(engine) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config = _alembic()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise StoreError(
                "The database was made by another csfinterp than this one (newer?); install that version again."
            ) from None


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """(the database's revision or None if it has no tables, the newest revision this software knows).

    Raises StoreError if the database cannot be reached.
    """
    with _in_a_sentence(engine), engine.connect() as connection:
        now = MigrationContext.configure(connection).get_current_revision()
    return now, ScriptDirectory.from_config(_alembic()).get_current_head()


def writing(engine: Engine) -> Connection:
    """A connection whose transactions take SQLite's write lock at their start, so that reads inside stay true."""
    return engine.connect().execution_options(csfinterp_write=True)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction. Raises RaceError if a row exists by now, ConflictError `busy`, else StoreError."""
    try:
        with writing(engine) as connection, connection.begin():
            yield connection
    except DBAPIError as error:
        raise refused(error) from None  # a database's own message may quote the row


def refused(error: DBAPIError) -> CsfinterpError:
    """What the database said, in words of ours."""
    code = _code(error)
    if code in _RACES:
        return RaceError("the row exists by now")
    if code.startswith("SQLITE_BUSY"):
        return busy()
    return StoreError(f"The database did not store the message ({code}); nothing is stored.")


def busy() -> ConflictError:
    """What a sender is told when too many others write at the same time."""
    return ConflictError("The store is busy with other messages; nothing is stored. Send this message again.", "busy")


def _code(error: DBAPIError) -> str:
    """The database's own name of what went wrong; unlike its message it never quotes a row."""
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return name or type(error.orig).__name__


@contextmanager
def _in_a_sentence(engine: Engine) -> Iterator[None]:
    """What the database refuses (no server, wrong password, no right to make tables) as StoreError, without secrets."""
    try:
        yield
    except DBAPIError as error:
        url, reason = engine.url, (str(error.orig).splitlines() or [""])[0]
        secrets = [url.password, *(str(value) for value in url.query.values())]
        if any(secret and str(secret) in reason for secret in secrets):
            reason = type(error.orig).__name__
        place = f"{url.database} at {url.host or 'this machine'}" if _is_server(url) else url.database
        raise StoreError(
            f"The database {place} cannot be used ({reason}); check CSFINTERP_DATABASE_URL, that the database runs"
            " and that its user may make tables."
        ) from None


def _server_arguments(url: URL) -> dict[str, object]:
    """Without a limit of its own libpq waits minutes for a host that does not answer."""
    return {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S}


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _checked(database_url: str) -> URL:
    help_text = "Set CSFINTERP_DATABASE_URL to sqlite:////folder/file.sqlite or postgresql+psycopg://user@host/name."
    try:
        url = make_url(database_url)
    except ArgumentError:
        raise StoreError(f"The database address is not readable. {help_text}") from None
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise StoreError(f"The database kind {url.drivername!r} is not supported. {help_text}")
    if not _is_server(url) and (not url.database or url.database == ":memory:" or url.query):
        raise StoreError(f"SQLite needs a plain file: every connection must see the same rows. {help_text}")
    return url


def _is_server(url: URL) -> bool:
    return url.get_backend_name() != "sqlite"


def _create_file(path: Path) -> None:
    """Patient data: the file (and the -wal and -shm files, which copy its mode) belong to the service's user alone."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"The database file {path} cannot be opened: {error.strerror}; name a writable one.") from None


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # sqlite3 would open transactions by its own rules; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in (f"busy_timeout = {BUSY_TIMEOUT_MS}", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("csfinterp_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _write_ahead(engine: Engine) -> None:
    """WAL is a property of the file; outside of a transaction, once. Readers then never wait for a writer."""
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while (mode := _ask_for_wal(engine)) is None:
        if time.monotonic() > until:
            raise StoreError("The database file is locked by another program. Close it, then start again.")
        time.sleep(0.01)
    if mode != "wal":
        raise StoreError("This folder cannot hold an SQLite database in WAL mode (network folder?). Use a local disk.")


def _ask_for_wal(engine: Engine) -> str | None:
    """The mode of the file now; None while another process switches it (SQLite does not wait by itself there)."""
    try:
        with closing(engine.raw_connection()) as raw:
            return str(raw.cursor().execute("PRAGMA journal_mode = WAL").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            return None
        raise StoreError(f"The database file cannot be used: {error}. Name an SQLite file or a new file.") from None


def _forget_connections_after_fork(engine: Engine) -> None:
    """A forked child must not talk through its parent's connections, nor close them: SQLite forbids both."""
    reference = weakref.ref(engine)

    def forget() -> None:
        if (mine := reference()) is not None:
            _inherited.append(mine.pool)
            mine.dispose(close=False)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)
