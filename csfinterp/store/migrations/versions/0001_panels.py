"""Panels, their versions, what searches read, messages seen and messages held.

Revision 0001, the first. There is no way back: stored reports are never removed (SL71); restore a backup instead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _panels()
    _panel_versions()
    _panel_flags()
    _panel_findings()
    _messages()
    _held_messages()


def _panels() -> None:
    op.create_table(
        "panels",
        sa.Column("seq", COUNTER, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("specimen_id", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String()),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_panels")),
        sa.UniqueConstraint("id", name=op.f("uq_panels_id")),
        sa.UniqueConstraint("source_system", "specimen_id", name=op.f("uq_panels_source_system_specimen_id")),
    )
    _index("panels", "patient_id")
    _index("panels", "specimen_id")


def _panel_versions() -> None:
    op.create_table(
        "panel_versions",
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("panel_document", sa.Text(), nullable=False),
        sa.Column("amended_context", sa.Text()),
        sa.Column("history", sa.Text(), nullable=False),
        sa.Column("interpretation", sa.Text(), nullable=False),
        sa.Column("contributes", sa.Text(), nullable=False),
        sa.Column("edition_id", sa.String(), nullable=False),
        sa.Column("edition_digest", sa.String(), nullable=False),
        sa.Column("site_rules_digest", sa.String()),
        sa.Column("certainty", sa.String(), nullable=False),
        sa.Column("type", sa.String()),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("critical_open", sa.Integer(), nullable=False),
        sa.Column("episode", sa.String()),
        sa.Column("collected_at", sa.String()),
        sa.Column("collected_on", sa.String()),
        sa.Column("collected_utc", sa.String()),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_panel_versions_counts_from_1")),
        sa.ForeignKeyConstraint(["panel_id"], ["panels.id"], name=op.f("fk_panel_versions_panel_id")),
        sa.PrimaryKeyConstraint("panel_id", "version", name=op.f("pk_panel_versions")),
    )
    for column in ("certainty", "collected_on", "critical_open"):
        _index("panel_versions", column)


def _panel_flags() -> None:
    op.create_table(
        "panel_flags",
        *_version_columns(),
        sa.Column("analyte", sa.String(), nullable=False),
        sa.Column("flag", sa.String(), nullable=False),
        _to_version("panel_flags"),
        sa.PrimaryKeyConstraint("panel_id", "version", "analyte", "flag", name=op.f("pk_panel_flags")),
    )
    _index("panel_flags", "flag", "analyte")


def _panel_findings() -> None:
    op.create_table(
        "panel_findings",
        *_version_columns(),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("truth", sa.String(), nullable=False),
        _to_version("panel_findings"),
        sa.PrimaryKeyConstraint("panel_id", "version", "finding", name=op.f("pk_panel_findings")),
    )
    _index("panel_findings", "finding", "truth")


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("source_system", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        *_version_columns(),
        sa.Column("received_at", sa.String(), nullable=False),
        _to_version("messages"),
        sa.PrimaryKeyConstraint("source_system", "message_id", name=op.f("pk_messages")),
    )
    _index("messages", "panel_id", "version")


def _held_messages() -> None:
    key = ("why", "source_system", "message_id", "content_digest")
    op.create_table(
        "held_messages",
        sa.Column("seq", COUNTER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in key),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_held_messages")),
        sa.UniqueConstraint(*key, name=op.f("uq_held_messages_" + "_".join(key))),
    )


def _version_columns() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
    )


def _to_version(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["panel_id", "version"],
        ["panel_versions.panel_id", "panel_versions.version"],
        name=op.f(f"fk_{table}_panel_id_version"),
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
