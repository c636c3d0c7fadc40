"""Narrow indexes: the costs of records by number, and what the way to a target is read off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "narrow"
down_revision = "walks"
branch_labels = None
depends_on = None

ENERGY = ("board", "kind", "energy_kwh", "value", "evidence", "marked", "emissions_kg")
LOGGED = sa.text("curve IS NOT NULL")


def upgrade() -> None:
    """Make them; that of energies is made again with the number of the record."""
    op.create_index("ix_footprint_costs", "footprint", ["seq", "state", "emissions_kg", "energy_kwh"])
    op.drop_index("ix_result_energy", table_name="result")
    op.create_index("ix_result_energy", "result", [*ENERGY, "seq"])
    op.create_index(
        "ix_result_logged",
        "result",
        ["board", "kind", "energy_kwh"],
        sqlite_where=LOGGED,
        postgresql_where=LOGGED,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_result_logged", table_name="result")
    op.drop_index("ix_result_energy", table_name="result")
    op.create_index("ix_result_energy", "result", list(ENERGY))
    op.drop_index("ix_footprint_costs", table_name="footprint")
