"""Indexes of the runs that name a parent, by what sums are made of, in which each joule counts once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "within"
down_revision = "inside"
branch_labels = None
depends_on = None

NAMED = sa.text("parent IS NOT NULL")
COLUMNS = {
    "ix_footprint_model_inside": "model",
    "ix_footprint_architecture_inside": "architecture",
    "ix_footprint_project_inside": "project",
    "ix_footprint_paper_inside": "paper",
    "ix_footprint_group_inside": "run_group",
}


def upgrade() -> None:
    """Make them; runs without a parent are in none."""
    for name, column in COLUMNS.items():
        op.create_index(name, "footprint", [column, "seq"], sqlite_where=NAMED, postgresql_where=NAMED)


def downgrade() -> None:
    """Drop them."""
    for name in COLUMNS:
        op.drop_index(name, table_name="footprint")
