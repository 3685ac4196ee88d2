"""The tables of trust: accounts, tokens, browser sessions, limits of attempts, and the audit."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from csfinterp.store.schema import metadata

# Who may sign in or hold tokens. `roles` are words with spaces between. Times are stamps (records.stamp).
#   password_hash  argon2id, or null for a service          demo       1: made by csfinterp demo, loopback only
#   failures       wrong passwords since the last right one  locked_until  no password is looked at before
accounts = Table(
    "accounts",
    metadata,
    Column("name", String, primary_key=True),
    Column("roles", String, nullable=False),
    Column("password_hash", String),
    Column("demo", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", String),
    Column("disabled_at", String),
    Column("created_at", String, nullable=False),
)

# API tokens. `digest`: SHA-256 of the secret, which is shown once and never stored; `roles`: what the token may use of
# the roles of its account.
tokens = Table(
    "tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("label", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("revoked_at", String),
    Index(None, "account"),
)

# Browser sessions live here, so that signing out, a new password or a disabled account ends them on every worker.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("created_at", String, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Index(None, "account"),
)

# Counters of Flask-Limiter, shared by all workers and hosts. `expires_at`: seconds since 1970.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("name", String, primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("expires_at", Float, nullable=False),
)

# Append-only: triggers refuse UPDATE and DELETE. `seq` has no gaps; `hash` is SHA-256 over the row and the hash before.
#   who, roles, origin   account or service, its roles, address      what, outcome   operation, and how it ended
#   panel_id, version    what it was done to                         details         JSON: ids only, no patient data
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("what", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("panel_id", String),
    Column("version", Integer),
    Column("request_id", String),
    Column("details", Text, nullable=False),
    Column("hash", String, nullable=False),
    Index(None, "panel_id"),
    Index(None, "who"),
)

# The end of the chain, one row: a last row that was removed is missed by it.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
