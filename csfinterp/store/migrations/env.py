"""Runs the migrations on the connection that store.upgrade hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from csfinterp.store.engine import open_engine, writing
from csfinterp.store.schema import metadata


def _run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations()
        return
    # A developer's `alembic -c` with sqlalchemy.url, for example to draft the next revision.
    with writing(open_engine(context.config.get_main_option("sqlalchemy.url") or "")) as own, own.begin():
        context.configure(connection=own, target_metadata=metadata)
        context.run_migrations()


_run()
