"""The tables: footprints in immutable versions, what is searched of them, accounts, tokens, and the audit log.

`footprint_version` is append-only and holds the truth. `footprint`, `result` and `tally` are projections of it that
can be made again. Texts of instants are ISO 8601 UTC with milliseconds, which sort as they are.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ID = String(36)
INSTANT = String(24)
SHA256 = String(64)
# Results that count on a leaderboard unless all evidence is asked for, word by word as the indexes of them have it
SOUND_RESULTS = "kind = 'quality' AND emissions_kg IS NOT NULL AND evidence <= 'C' AND marked = 0"
_SOUND = text(SOUND_RESULTS)
INSIDE = "parent IS NOT NULL"  # runs that may be inside of another
BESIDE = "kind <> 'quality'"  # results that are shown beside quality, as their index has it
# Columns that a walk through an order looks at in its index, so that only rows that fit are read; together they keep
# within the 2,704 bytes that PostgreSQL allows an entry
WALKED = (
    "state", "stage", "evidence", "verification", "country", "year", "task", "hardware", "origin", "marked", "scope",
    "boundary", "zone",
)  # fmt: skip
Serial = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only an INTEGER primary key


class Base(DeclarativeBase):
    """Root of all tables."""


class Account(Base):
    """A person or machine that submits, with one role."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[str] = mapped_column(INSTANT)
    closed_at: Mapped[str | None] = mapped_column(INSTANT)
    password: Mapped[str | None] = mapped_column(String(200))  # argon2id, or None for tokens alone


class Token(Base):
    """An API token: its public prefix, and the keyed hash of its secret."""

    __tablename__ = "token"

    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    mac: Mapped[str] = mapped_column(SHA256)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    scopes: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[str] = mapped_column(INSTANT)
    expires_at: Mapped[str | None] = mapped_column(INSTANT)
    revoked_at: Mapped[str | None] = mapped_column(INSTANT)
    used_at: Mapped[str | None] = mapped_column(INSTANT)


class AuditEntry(Base):
    """One link of the audit log's chain of hashes."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(INSTANT)
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(24))
    detail: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(SHA256)
    chain: Mapped[str] = mapped_column(SHA256)


class FootprintVersion(Base):
    """One version of a record, never changed; a retraction is a version without a body."""

    __tablename__ = "footprint_version"
    __table_args__ = (UniqueConstraint("id", "sha256", name="uq_footprint_version_content"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[str] = mapped_column(INSTANT)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    reason: Mapped[str | None] = mapped_column(String(400))
    sha256: Mapped[str | None] = mapped_column(SHA256)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    audit_seq: Mapped[int] = mapped_column(Serial, index=True)


class Recomputation(Base):
    """What the hub made of a version with the factors of one release."""

    __tablename__ = "recomputation"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    engine: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[str] = mapped_column(INSTANT)
    energy_kwh: Mapped[float | None]
    energy_low_kwh: Mapped[float | None]
    energy_high_kwh: Mapped[float | None]
    emissions_kg: Mapped[float | None]
    emissions_low_kg: Mapped[float | None]
    emissions_high_kg: Mapped[float | None]
    energy_ratio: Mapped[float | None]
    emissions_ratio: Mapped[float | None]
    detail: Mapped[str] = mapped_column(Text)


class FootprintRow(Base):
    """The current version of a record as it is listed and searched; `seq` is the order of first acceptance."""

    __tablename__ = "footprint"
    __table_args__ = (
        Index("ix_footprint_country", "country", "seq"),
        Index("ix_footprint_evidence", "evidence", "seq"),
        Index("ix_footprint_stage", "stage", "seq"),
        Index("ix_footprint_year", "year", "seq"),
        Index("ix_footprint_task", "task", "seq"),
        Index("ix_footprint_hardware", "hardware", "seq"),
        Index("ix_footprint_origin", "origin", "seq"),
        Index("ix_footprint_verification", "verification", "seq"),
        Index("ix_footprint_newest", "seq", *WALKED),
        Index("ix_footprint_costs", "seq", "state", "emissions_kg", "energy_kwh"),
        Index("ix_footprint_emissions", "emissions_kg", "seq", *WALKED),
        Index("ix_footprint_energy", "energy_kwh", "seq", *WALKED),
        Index("ix_footprint_marked", "marked", "seq"),
        Index("ix_footprint_project", "project", "seq"),
        Index("ix_footprint_group", "run_group", "seq"),
        Index("ix_footprint_zone", "zone", "seq"),
        Index("ix_footprint_dataset", "dataset", "seq"),
        Index("ix_footprint_scope", "scope", "seq"),
        Index("ix_footprint_boundary", "boundary", "seq"),
        Index("ix_footprint_model", "model", "seq"),
        Index("ix_footprint_paper", "paper", "seq"),
        Index("ix_footprint_architecture", "architecture", "seq"),
        *(
            Index(name, column, "seq", sqlite_where=text(INSIDE), postgresql_where=text(INSIDE))
            for name, column in (
                ("ix_footprint_parent", "parent"),
                ("ix_footprint_model_inside", "model"),
                ("ix_footprint_architecture_inside", "architecture"),
                ("ix_footprint_project_inside", "project"),
                ("ix_footprint_paper_inside", "paper"),
                ("ix_footprint_group_inside", "run_group"),
            )
        ),
    )

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(ID, unique=True)
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(12))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    first_at: Mapped[str] = mapped_column(INSTANT)
    last_at: Mapped[str] = mapped_column(INSTANT)
    origin: Mapped[str] = mapped_column(String(12))
    name: Mapped[str | None] = mapped_column(String(200))
    project: Mapped[str | None] = mapped_column(String(200))
    run_group: Mapped[str | None] = mapped_column(String(200))
    parent: Mapped[str | None] = mapped_column(String(200))
    stage: Mapped[str] = mapped_column(String(12))
    scope: Mapped[str] = mapped_column(String(16))
    boundary: Mapped[str] = mapped_column(String(12))
    model: Mapped[str | None] = mapped_column(String(200))
    paper: Mapped[str | None] = mapped_column(String(200))
    year: Mapped[int | None]
    started: Mapped[str | None] = mapped_column(String(40))
    zone: Mapped[str | None] = mapped_column(String(60))
    country: Mapped[str | None] = mapped_column(String(60))
    hardware: Mapped[str | None] = mapped_column(String(200))
    devices: Mapped[int | None] = mapped_column(BigInteger)
    task: Mapped[str | None] = mapped_column(String(200))
    dataset: Mapped[str | None] = mapped_column(String(200))
    device_hours: Mapped[float | None]
    energy_kwh: Mapped[float | None]
    energy_low_kwh: Mapped[float | None]
    energy_high_kwh: Mapped[float | None]
    emissions_kg: Mapped[float | None]
    emissions_low_kg: Mapped[float | None]
    emissions_high_kg: Mapped[float | None]
    our_energy_kwh: Mapped[float | None]
    our_energy_low_kwh: Mapped[float | None]
    our_energy_high_kwh: Mapped[float | None]
    our_emissions_kg: Mapped[float | None]
    our_emissions_low_kg: Mapped[float | None]
    our_emissions_high_kg: Mapped[float | None]
    idle_kwh: Mapped[float | None]
    architecture: Mapped[str | None] = mapped_column(String(200))
    basis: Mapped[str | None] = mapped_column(String(12))
    grade: Mapped[str | None] = mapped_column(String(1))
    evidence: Mapped[str] = mapped_column(String(1))
    verification: Mapped[str] = mapped_column(String(16))
    marked: Mapped[int] = mapped_column(Integer)
    emissions_ratio: Mapped[float | None]
    words: Mapped[str] = mapped_column(Text)


class ResultRow(Base):
    """One result of a current record, with what a leaderboard needs beside it."""

    __tablename__ = "result"
    __table_args__ = (
        # A leaderboard's fronts and ranks are read off these in their order, without a look at the table
        Index("ix_result_carbon", "board", "kind", "emissions_kg", "value", "evidence", "marked"),
        Index(
            "ix_result_energy",
            "board",
            "kind",
            "energy_kwh",
            "value",
            "evidence",
            "marked",
            "emissions_kg",
            "seq",
        ),
        Index(
            "ix_result_logged",
            "board",
            "kind",
            "energy_kwh",
            sqlite_where=text("curve IS NOT NULL"),
            postgresql_where=text("curve IS NOT NULL"),
        ),
        *(
            Index(name, "board", *more, sqlite_where=_SOUND, postgresql_where=_SOUND)
            for name, more in (
                ("ix_result_sound_carbon", ("emissions_kg", "value")),
                ("ix_result_sound_energy", ("energy_kwh", "value")),
                ("ix_result_sound_rank", ("value", "emissions_kg", "energy_kwh", "seq")),
            )
        ),
        Index(
            "ix_result_beside", "seq", "position", sqlite_where=text(BESIDE), postgresql_where=text(BESIDE)
        ),
        Index(
            "ix_result_rank",
            "board",
            "kind",
            "value",
            "emissions_kg",
            "evidence",
            "marked",
            "energy_kwh",
            "seq",
        ),
        Index("ix_result_award", "board", "year", "evidence", "marked", "kind", "value", "emissions_kg"),
    )

    seq: Mapped[int] = mapped_column(ForeignKey("footprint.seq"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    board: Mapped[str] = mapped_column(SHA256)
    task: Mapped[str] = mapped_column(String(200))
    dataset: Mapped[str] = mapped_column(String(200))
    metric: Mapped[str] = mapped_column(String(200))
    split: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(12))
    value: Mapped[float]
    emissions_kg: Mapped[float | None]
    energy_kwh: Mapped[float | None]
    evidence: Mapped[str] = mapped_column(String(1))
    year: Mapped[int | None] = mapped_column(Integer)
    marked: Mapped[int] = mapped_column(Integer)
    curve: Mapped[str | None] = mapped_column(Text)


class Tally(Base):
    """How many published records have a value of a facet; kept with each batch, so that no page counts rows."""

    __tablename__ = "tally"

    facet: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(640), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)


class Answered(Base):
    """An Idempotency-Key with the request it came with and the answer that it got."""

    __tablename__ = "answered"

    actor: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    sha256: Mapped[str] = mapped_column(SHA256)
    answer: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(INSTANT, index=True)


def table_of(model: type[Base]) -> Table:
    """Table of a model, for statements over many rows."""
    return cast(Table, model.__table__)
