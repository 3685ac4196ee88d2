"""Who was told of critical calls, and which answers are provisional.

Revision 0005. There is no way back: call-backs are kept; restore a backup instead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = ("panel_id", "version", "analyte", "rule", "source")
PROVISIONAL = {
    "sqlite": "coalesce(json_extract(interpretation, '$.lm.provisional'), 0) = 1",
    "postgresql": "coalesce((interpretation::json #>> '{lm,provisional}') = 'true', false)",
}


def upgrade() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("analyte", "rule", "source", "told", "by", "at")),
        sa.Column("read_back", sa.Boolean(), nullable=False),
        sa.Column("given_for", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String()),
        sa.PrimaryKeyConstraint(*KEY, name=op.f("pk_acknowledgements")),
        sa.ForeignKeyConstraint(
            ["panel_id", "version"],
            ["panel_versions.panel_id", "panel_versions.version"],
            name=op.f("fk_acknowledgements_panel_id_version_panel_versions"),
        ),
    )
    op.add_column("panel_versions", sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.false()))
    condition = PROVISIONAL[op.get_bind().dialect.name]
    op.execute(sa.text(f"UPDATE panel_versions SET provisional = true WHERE {condition}"))
    # No call of a cancelled panel holds.
    op.execute(sa.text("UPDATE panel_versions SET critical_open = 0 WHERE status = 'cancelled'"))
