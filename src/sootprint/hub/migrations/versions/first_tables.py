"""The first tables: footprints and their versions, what is searched of them, accounts, tokens, the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (
    "account",
    "token",
    "audit_entry",
    "footprint_version",
    "recomputation",
    "footprint",
    "result",
    "tally",
    "answered",
)

CODES = ("state", "origin", "stage", "boundary")
LABELS = ("name", "project", "run_group", "parent", "model", "paper", "hardware", "task", "dataset")
MEASURES = (
    "device_hours",
    "energy_kwh",
    "energy_low_kwh",
    "energy_high_kwh",
    "emissions_kg",
    "emissions_low_kg",
    "emissions_high_kg",
    "emissions_ratio",
)


def upgrade() -> None:
    """Make the tables, and the index of words."""
    _accounts()
    _versions()
    _footprint()
    _footprint_indexes()
    _results()
    if op.get_bind().dialect.name == "sqlite":
        _words_of_sqlite()
    else:
        op.execute("CREATE INDEX ix_footprint_words ON footprint USING gin (to_tsvector('simple', words))")


def downgrade() -> None:
    """Drop them all."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE footprint_words")
    for name in reversed(TABLES):
        op.drop_table(name)


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("closed_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "token",
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column("account_id", SERIAL, nullable=False),
        sa.Column("scopes", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=True),
        sa.Column("revoked_at", sa.String(length=24), nullable=True),
        sa.Column("used_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("prefix"),
    )
    op.create_index("ix_token_account_id", "token", ["account_id"])
    op.create_table(
        "audit_entry",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _versions() -> None:
    op.create_table(
        "footprint_version",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("account_id", SERIAL, nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("audit_seq", SERIAL, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id", "version"),
        sa.UniqueConstraint("id", "sha256", name="uq_footprint_version_content"),
    )
    op.create_index("ix_footprint_version_audit_seq", "footprint_version", ["audit_seq"])
    op.create_table(
        "recomputation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("energy_low_kwh", sa.Double(), nullable=True),
        sa.Column("energy_high_kwh", sa.Double(), nullable=True),
        sa.Column("emissions_kg", sa.Double(), nullable=True),
        sa.Column("emissions_low_kg", sa.Double(), nullable=True),
        sa.Column("emissions_high_kg", sa.Double(), nullable=True),
        sa.Column("energy_ratio", sa.Double(), nullable=True),
        sa.Column("emissions_ratio", sa.Double(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", "engine"),
    )


def _footprint() -> None:
    op.create_table(
        "footprint",
        sa.Column("seq", SERIAL, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account_id", SERIAL, sa.ForeignKey("account.id")),
        sa.Column("first_at", sa.String(length=24), nullable=False),
        sa.Column("last_at", sa.String(length=24), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("started", sa.String(length=40), nullable=True),
        sa.Column("zone", sa.String(length=60), nullable=True),
        sa.Column("country", sa.String(length=60), nullable=True),
        sa.Column("devices", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.String(length=12), nullable=True),
        sa.Column("grade", sa.String(length=1), nullable=True),
        sa.Column("evidence", sa.String(length=1), nullable=False),
        sa.Column("verification", sa.String(length=16), nullable=False),
        sa.Column("marked", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        *_columns(CODES, sa.String(length=12), nullable=False),
        *_columns(LABELS, sa.String(length=200)),
        *_columns(MEASURES, sa.Double()),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )


def _columns(names: Iterable[str], kind: Any, *, nullable: bool = True) -> Iterator[sa.Column[Any]]:
    return (sa.Column(name, kind, nullable=nullable) for name in names)


def _footprint_indexes() -> None:
    op.create_index("ix_footprint_country", "footprint", ["country", "seq"])
    op.create_index("ix_footprint_emissions", "footprint", ["emissions_kg", "seq"])
    op.create_index("ix_footprint_energy", "footprint", ["energy_kwh", "seq"])
    op.create_index("ix_footprint_evidence", "footprint", ["evidence", "seq"])
    op.create_index("ix_footprint_group", "footprint", ["run_group"])
    op.create_index("ix_footprint_hardware", "footprint", ["hardware", "seq"])
    op.create_index("ix_footprint_marked", "footprint", ["marked", "seq"])
    op.create_index("ix_footprint_origin", "footprint", ["origin", "seq"])
    op.create_index("ix_footprint_project", "footprint", ["project", "seq"])
    op.create_index("ix_footprint_stage", "footprint", ["stage", "seq"])
    op.create_index("ix_footprint_task", "footprint", ["task", "seq"])
    op.create_index("ix_footprint_year", "footprint", ["year", "seq"])


def _results() -> None:
    op.create_table(
        "result",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("board", sa.String(length=64), nullable=False),
        sa.Column("task", sa.String(length=200), nullable=False),
        sa.Column("dataset", sa.String(length=200), nullable=False),
        sa.Column("metric", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("emissions_kg", sa.Double(), nullable=True),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("evidence", sa.String(length=1), nullable=False),
        sa.ForeignKeyConstraint(
            ["seq"],
            ["footprint.seq"],
        ),
        sa.PrimaryKeyConstraint("seq", "position"),
    )
    op.create_index("ix_result_board", "result", ["board", "emissions_kg"])
    op.create_table(
        "tally",
        sa.Column("facet", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=640), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("facet", "value"),
    )
    op.create_table(
        "answered",
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key"),
    )
    op.create_index("ix_answered_at", "answered", ["at"])


def _words_of_sqlite() -> None:
    """Full-text index whose text stays in the table of footprints, kept by triggers."""
    op.execute(
        "CREATE VIRTUAL TABLE footprint_words USING fts5"
        " (words, content='footprint', content_rowid='seq', tokenize='unicode61')"
    )
    new, old = (
        f"INSERT INTO footprint_words ({columns}) VALUES ({values});"
        for columns, values in (
            ("rowid, words", "new.seq, new.words"),
            ("footprint_words, rowid, words", "'delete', old.seq, old.words"),
        )
    )
    for event, actions in (("INSERT", new), ("DELETE", old), ("UPDATE OF words", f"{old} {new}")):
        name = f"footprint_words_{event.partition(' ')[0].lower()}"
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON footprint BEGIN {actions} END")
