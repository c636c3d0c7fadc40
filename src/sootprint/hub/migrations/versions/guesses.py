"""Wrong passwords by account and source, so that guessing is slow whatever the number of addresses and workers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "guesses"
down_revision = "splits"
branch_labels = None
depends_on = None

HASH = sa.String(length=64)


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "login_failure",
        sa.Column("account", HASH, nullable=False),
        sa.Column("source", HASH, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("account", "source"),
    )
    op.create_index("ix_login_failure_at", "login_failure", ["at"])


def downgrade() -> None:
    """Drop it: nobody waits for what was typed before."""
    op.drop_table("login_failure")
