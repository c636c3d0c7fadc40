"""Indexes of the sound results of each leaderboard, which hold no others: a front is read off fewer pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sound"
down_revision = "narrow"
branch_labels = None
depends_on = None

SOUND = sa.text("kind = 'quality' AND emissions_kg IS NOT NULL AND evidence <= 'C' AND marked = 0")
INDEXES = {"ix_result_sound_carbon": "emissions_kg", "ix_result_sound_energy": "energy_kwh"}


def upgrade() -> None:
    """Make them."""
    for name, cost in INDEXES.items():
        columns = ["board", cost, "value"]
        op.create_index(name, "result", columns, sqlite_where=SOUND, postgresql_where=SOUND)


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.drop_index(name, table_name="result")
