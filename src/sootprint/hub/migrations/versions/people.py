"""People: passwords and sessions, claims, live runs, campaigns with their invitations, venues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "people"
down_revision = "0001"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.String(length=24)
ID = sa.String(length=36)
TABLES = ("login_session", "claim", "live_run", "live_minute", "campaign", "invitation", "venue")


def upgrade() -> None:
    """Make the tables, and the column of passwords."""
    op.add_column("account", sa.Column("password", sa.String(length=200), nullable=True))
    _people()
    _live()
    _campaigns()


def downgrade() -> None:
    """Drop them all."""
    for name in reversed(TABLES):
        op.drop_table(name)
    op.drop_column("account", "password")


def _people() -> None:
    op.create_table(
        "login_session",
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column("account_id", SERIAL, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("mac"),
    )
    op.create_index("ix_login_session_account_id", "login_session", ["account_id"])
    op.create_table(
        "claim",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("footprint_id", ID, nullable=False),
        sa.Column("account_id", SERIAL, sa.ForeignKey("account.id"), nullable=True),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("proof", sa.String(length=400), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("note", sa.String(length=400), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_claim_footprint_id", "claim", ["footprint_id"])
    op.create_index("ix_claim_state", "claim", ["state"])


def _live() -> None:
    op.create_table(
        "live_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", SERIAL, sa.ForeignKey("account.id"), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("project", sa.String(length=200), nullable=True),
        sa.Column("zone", sa.String(length=60), nullable=True),
        sa.Column("started", sa.String(length=40), nullable=True),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("emissions_kg", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_live_run_last_at", "live_run", ["last_at"])
    op.create_table(
        "live_minute",
        sa.Column("run_id", ID, sa.ForeignKey("live_run.id"), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("emissions_kg", sa.Double(), nullable=True),
        sa.Column("power_w", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "minute"),
    )


def _campaigns() -> None:
    op.create_table(
        "campaign",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("campaign", sa.String(length=80), sa.ForeignKey("campaign.name"), nullable=False),
        sa.Column("stratum", sa.String(length=200), nullable=False),
        sa.Column("paper", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", INSTANT, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("footprint_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_invitation_campaign", "invitation", ["campaign", "stratum"])
    op.create_table(
        "venue",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
