"""Accounts, tokens, sessions, limits of attempts, and the append-only audit.

Revision 0007. There is no way back: an audit is never dropped; restore a backup instead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSE = {
    "sqlite": (
        "CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    ),
    "postgresql": (
        "CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit FOR EACH ROW EXECUTE FUNCTION csfinterp_append_only()"
    ),
}
FUNCTION = """CREATE FUNCTION csfinterp_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"""


def upgrade() -> None:
    _accounts()
    _audit()
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute(FUNCTION)
    for verb in ("UPDATE", "DELETE"):
        op.execute(REFUSE[dialect].format(verb=verb))


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _accounts() -> None:
    op.create_table(
        "accounts",
        *_texts("name", "roles"),
        sa.Column("password_hash", sa.String()),
        sa.Column("demo", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        *_texts("locked_until", "disabled_at", nullable=True),
        *_texts("created_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )
    op.create_table(
        "tokens",
        *_texts("id", "account", "label", "roles", "digest", "created_at", "expires_at"),
        *_texts("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name=op.f("fk_tokens_account")),
    )
    op.create_index(op.f("ix_tokens_account"), "tokens", ["account"])
    op.create_table(
        "sessions",
        *_texts("digest", "account", "created_at", "seen_at", "expires_at"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name=op.f("fk_sessions_account")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"])
    op.create_table(
        "rate_limits",
        *_texts("name"),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rate_limits")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        *_texts("at", "who", "roles", "origin", "what", "outcome"),
        sa.Column("panel_id", sa.String()),
        sa.Column("version", sa.Integer()),
        sa.Column("request_id", sa.String()),
        sa.Column("details", sa.Text(), nullable=False),
        *_texts("hash"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_panel_id"), "audit", ["panel_id"])
    op.create_index(op.f("ix_audit_who"), "audit", ["who"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        *_texts("hash"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
    )
    op.execute("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '')")
