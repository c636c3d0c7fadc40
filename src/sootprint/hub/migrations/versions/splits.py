"""Split of each result, by which leaderboards are kept apart; the program fills it from the records afterwards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "splits"
down_revision = "bounded"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it, empty until the program has read the records again."""
    op.add_column("result", sa.Column("split", sa.String(length=200), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it; an earlier program puts all splits of a data set into one leaderboard again."""
    op.drop_column("result", "split")
