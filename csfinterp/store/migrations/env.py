"""Runs the migrations on the connection that store.upgrade hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from csfinterp.store.security_schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
