"""Index of the runs that name another as their parent, so that the page of that one lists them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "inside"
down_revision = "ranks"
branch_labels = None
depends_on = None

NAMED = sa.text("parent IS NOT NULL")


def upgrade() -> None:
    """Make it; runs without a parent are not in it."""
    op.create_index(
        "ix_footprint_parent", "footprint", ["parent", "seq"], sqlite_where=NAMED, postgresql_where=NAMED
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_footprint_parent", table_name="footprint")
