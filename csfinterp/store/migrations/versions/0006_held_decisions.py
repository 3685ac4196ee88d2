"""What became of held messages, and the searches that page links stand for.

Revision 0006. There is no way back: what was received is never removed (SL71); restore a backup instead.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("partial", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("met_panel_id", sa.String()),
        sa.Column("met_version", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False, server_default="waiting"),
        *(sa.Column(name, sa.String()) for name in ("decided_at", "decided_by")),
        sa.Column("note", sa.Text()),
        sa.Column("panel_id", sa.String()),
        sa.Column("version", sa.Integer()),
    )
    for column in columns:
        op.add_column("held_messages", column)
    op.create_index(op.f("ix_held_messages_state"), "held_messages", ["state"])
    op.create_table(
        "searches",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_searches")),
    )
    op.create_index(op.f("ix_searches_created_at"), "searches", ["created_at"])
