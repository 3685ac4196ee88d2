"""HL7 messages as received, with the answer that was sent.

Revision 0003. There is no way back: what was received is never removed (SL71); restore a backup instead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OCCUPIED = sa.text("state IN ('open', 'accepted') AND control_id <> ''")


def upgrade() -> None:
    key = ("sender", "control_id", "content_digest")
    op.create_table(
        "hl7_messages",
        sa.Column("seq", COUNTER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in (*key, "state")),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hl7_messages")),
        sa.UniqueConstraint(*key, name=op.f("uq_hl7_messages_" + "_".join(key))),
    )
    op.create_index(
        "uq_hl7_messages_occupied", "hl7_messages", ["sender", "control_id"], unique=True,
        sqlite_where=OCCUPIED, postgresql_where=OCCUPIED,
    )  # fmt: skip
