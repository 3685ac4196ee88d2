"""What clinicians answered to cards of CDS Hooks.

Revision 0004. There is no way back: feedback is kept; restore a backup instead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "card_feedback",
        sa.Column("seq", COUNTER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("service", "card", "outcome")),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_card_feedback")),
    )
    op.create_index(op.f("ix_card_feedback_card"), "card_feedback", ["card"])
