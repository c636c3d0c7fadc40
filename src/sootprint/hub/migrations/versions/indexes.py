"""Indexes of every filter of a list, so that no value, least of all one that nobody has, reads the whole table."""

from __future__ import annotations

from alembic import op

revision = "indexes"
down_revision = "insight"
branch_labels = None
depends_on = None

NEW = ("zone", "dataset", "scope", "boundary")


def upgrade() -> None:
    """Make them; that of the groups is made again in the order of the lists."""
    for name in NEW:
        op.create_index(f"ix_footprint_{name}", "footprint", [name, "seq"])
    op.drop_index("ix_footprint_group", table_name="footprint")
    op.create_index("ix_footprint_group", "footprint", ["run_group", "seq"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_footprint_group", table_name="footprint")
    op.create_index("ix_footprint_group", "footprint", ["run_group"])
    for name in reversed(NEW):
        op.drop_index(f"ix_footprint_{name}", table_name="footprint")
