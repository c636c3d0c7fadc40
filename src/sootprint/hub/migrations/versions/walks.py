"""Indexes that answer each list and leaderboard in its order, and the counts of a leaderboard's entries."""

from __future__ import annotations

from alembic import op

revision = "walks"
down_revision = "indexes"
branch_labels = None
depends_on = None

WALKED = (
    "state", "stage", "evidence", "verification", "country", "year", "task", "hardware", "origin", "marked", "scope",
    "boundary", "zone",
)  # fmt: skip
ORDERS = {"emissions": "emissions_kg", "energy": "energy_kwh"}
RESULTS = {
    "carbon": ("emissions_kg", "value", "evidence", "marked"),
    "energy": ("energy_kwh", "value", "evidence", "marked", "emissions_kg"),
    "rank": ("value", "emissions_kg", "evidence", "marked", "energy_kwh", "seq"),
}
COUNTED = {
    "entries": "kind = 'quality'",
    "costed": "kind = 'quality' AND emissions_kg IS NOT NULL",
    "sound": "kind = 'quality' AND emissions_kg IS NOT NULL AND evidence <= 'C' AND marked = 0",
}


def upgrade() -> None:
    """Make the indexes, and count."""
    op.create_index("ix_footprint_verification", "footprint", ["verification", "seq"])
    op.create_index("ix_footprint_newest", "footprint", ["seq", *WALKED])
    for name, column in ORDERS.items():
        op.drop_index(f"ix_footprint_{name}", table_name="footprint")
        op.create_index(f"ix_footprint_{name}", "footprint", [column, "seq", *WALKED])
    for name, columns in RESULTS.items():
        op.create_index(f"ix_result_{name}", "result", ["board", "kind", *columns])
    op.drop_index("ix_result_board", table_name="result")
    for facet, where in COUNTED.items():
        op.execute(
            "INSERT INTO tally (facet, value, n)"
            f" SELECT '{facet}', board, count(*) FROM result WHERE {where} GROUP BY board"
        )


def downgrade() -> None:
    """Drop them."""
    op.execute("DELETE FROM tally WHERE facet IN ('entries', 'costed', 'sound')")
    op.create_index("ix_result_board", "result", ["board", "emissions_kg"])
    for name in reversed(RESULTS):
        op.drop_index(f"ix_result_{name}", table_name="result")
    for name, column in reversed(ORDERS.items()):
        op.drop_index(f"ix_footprint_{name}", table_name="footprint")
        op.create_index(f"ix_footprint_{name}", "footprint", [column, "seq"])
    op.drop_index("ix_footprint_newest", table_name="footprint")
    op.drop_index("ix_footprint_verification", table_name="footprint")
