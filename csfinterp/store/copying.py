"""A whole store into an empty one, SQLite to PostgreSQL or any other way: all rows or none, counted and verified."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, Table, func, insert, select, text

from csfinterp.store import engine as database
from csfinterp.store.audit import Audit
from csfinterp.store.engine import StoreError, revisions, upgrade
from csfinterp.store.security_schema import audit_head, metadata

ROWS = 500


def copy(source: Engine, target: Engine) -> Mapping[str, int]:
    """Rows by table, the same in both; the audit of the copy is verified. Stop the service first.

    Raises StoreError: the source has other tables than this software, the target is not empty, a row was refused, or
    the source changed meanwhile. The target is then as it was before.
    """
    now, newest = revisions(source)
    if now != newest:
        raise StoreError(f"The source is at revision {now}, not {newest}. Run csfinterp db upgrade on it first.")
    upgrade(target)
    tables = metadata.sorted_tables
    with source.connect() as reading, database.transaction(target) as writing:
        found = _counts(writing, tables)
        if sum(found.values()) > 1:  # a new store has one row: the head of its audit
            raise StoreError("The target holds data already. Name an empty database; nothing was copied.")
        writing.execute(audit_head.delete())
        for table in tables:
            _copy(reading, writing, table)
        expected, copied = _counts(reading, tables), _counts(writing, tables)
        wrong = [name for name, count in expected.items() if copied[name] != count]
        if wrong:
            raise StoreError(
                f"The counts of {', '.join(wrong)} differ; nothing was copied. Stop the service and retry."
            )
        if writing.dialect.name == "postgresql":
            _continue_numbers(writing, tables)
    slips = Audit(target).verify([Audit(source).head()])
    if slips:
        raise StoreError(f"The audit of the copy is not whole: {slips[0]} Do not use the copy.")
    return copied


def _counts(connection: Connection, tables: list[Table]) -> dict[str, int]:
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for table in tables
    }


def _copy(reading: Connection, writing: Connection, table: Table) -> None:
    rows = reading.execution_options(yield_per=ROWS).execute(select(table).order_by(*table.primary_key))
    for part in rows.mappings().partitions(ROWS):
        writing.execute(insert(table), [dict(row) for row in part])


def _continue_numbers(connection: Connection, tables: list[Table]) -> None:
    """PostgreSQL counts by itself; it must go on behind the numbers that were copied."""
    for table in tables:
        column = table.autoincrement_column
        if column is not None:
            names = {"table": table.name, "column": column.name}
            query = text(
                f"SELECT setval(pg_get_serial_sequence(:table, :column),"
                f" GREATEST((SELECT max({column.name}) FROM {table.name}), 1),"
                f" (SELECT max({column.name}) FROM {table.name}) IS NOT NULL)"
            )
            connection.execute(query, names)
