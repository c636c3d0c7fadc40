"""How many of the parts of each sum have an interval: a sum of which a part has none has none.

The counts are projections: the program fills them after the migration, and shows no interval until then.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "bounded"
down_revision = "within"
branch_labels = None
depends_on = None

COUNTS = ("bounded_energy", "bounded_emissions")


def upgrade() -> None:
    """Add the counts, 0 until the program has counted."""
    for name in COUNTS:
        op.add_column("rollup", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop them."""
    for name in reversed(COUNTS):
        op.drop_column("rollup", name)
