"""Sums over records, reviews and budgets; what is searched and shown of a record beside them.

The new columns and the sums are projections: the program fills them after the migration.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "insight"
down_revision = "people"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MEASURES = (
    "our_energy_kwh",
    "our_energy_low_kwh",
    "our_energy_high_kwh",
    "our_emissions_kg",
    "our_emissions_low_kg",
    "our_emissions_high_kg",
    "idle_kwh",
)
SUMS = (
    "energy_kwh",
    "energy_low_kwh",
    "energy_high_kwh",
    "ln_energy",
    "ln2_energy",
    "emissions_kg",
    "emissions_low_kg",
    "emissions_high_kg",
    "ln_emissions",
    "ln2_emissions",
    "emitting_kwh",
)
COUNTS = ("n", "n_energy", "n_emissions")
INDEXED = ("model", "paper", "architecture")


def upgrade() -> None:
    """Make the tables, columns and indexes."""
    for name in MEASURES:
        op.add_column("footprint", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("footprint", sa.Column("architecture", sa.String(length=200), nullable=True))
    for name in INDEXED:
        op.create_index(f"ix_footprint_{name}", "footprint", [name, "seq"])
    op.add_column("result", sa.Column("year", sa.Integer(), nullable=True))
    op.add_column("result", sa.Column("marked", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("result", sa.Column("curve", sa.Text(), nullable=True))
    op.create_index(
        "ix_result_award", "result", ["board", "year", "evidence", "marked", "kind", "value", "emissions_kg"]
    )
    _rollup()
    _people()


def downgrade() -> None:
    """Drop them all."""
    for name in ("budget", "review", "rollup"):
        op.drop_table(name)
    op.drop_index("ix_result_award", table_name="result")
    for name in ("curve", "marked", "year"):
        op.drop_column("result", name)
    for name in INDEXED:
        op.drop_index(f"ix_footprint_{name}", table_name="footprint")
    for name in ("architecture", *reversed(MEASURES)):
        op.drop_column("footprint", name)


def _rollup() -> None:
    op.create_table(
        "rollup",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=260), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.Double(), nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("kind", "key"),
    )


def _people() -> None:
    op.create_table(
        "review",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("footprint", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("account_id", SERIAL, sa.ForeignKey("account.id"), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("verdict", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_review_footprint", "review", ["footprint"])
    op.create_table(
        "budget",
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("emissions_kg", sa.Double(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("project", "year"),
    )
