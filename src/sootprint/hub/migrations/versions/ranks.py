"""Indexes of the sound results of each leaderboard by rank, and of the results that stand beside quality."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "ranks"
down_revision = "sound"
branch_labels = None
depends_on = None

SOUND = sa.text("kind = 'quality' AND emissions_kg IS NOT NULL AND evidence <= 'C' AND marked = 0")
BESIDE = sa.text("kind <> 'quality'")


def upgrade() -> None:
    """Make them."""
    _create("ix_result_sound_rank", ["board", "value", "emissions_kg", "energy_kwh", "seq"], SOUND)
    _create("ix_result_beside", ["seq", "position"], BESIDE)


def _create(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "result", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_result_beside", table_name="result")
    op.drop_index("ix_result_sound_rank", table_name="result")
