"""Tables of people: sessions, claims, live runs, campaigns with their invitations, and venues."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sootprint.hub.tables import ID, INSTANT, SHA256, Base, Serial


class LoginSession(Base):
    """A browser in which somebody logged in: the keyed hash of its cookie."""

    __tablename__ = "login_session"

    mac: Mapped[str] = mapped_column(SHA256, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[str] = mapped_column(INSTANT)
    expires_at: Mapped[str] = mapped_column(INSTANT)


class Claim(Base):
    """Somebody says that an estimate of others is of their own work; a maintainer decides."""

    __tablename__ = "claim"

    id: Mapped[int] = mapped_column(Serial, primary_key=True)
    footprint_id: Mapped[str] = mapped_column(ID, index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    method: Mapped[str] = mapped_column(String(12))
    proof: Mapped[str] = mapped_column(String(400))
    at: Mapped[str] = mapped_column(INSTANT)
    state: Mapped[str] = mapped_column(String(12), index=True)
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[str | None] = mapped_column(INSTANT)
    note: Mapped[str | None] = mapped_column(String(400))


class LiveRun(Base):
    """A run that is being measured now, as of its last minute."""

    __tablename__ = "live_run"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str | None] = mapped_column(String(200))
    project: Mapped[str | None] = mapped_column(String(200))
    zone: Mapped[str | None] = mapped_column(String(60))
    started: Mapped[str | None] = mapped_column(String(40))
    first_at: Mapped[str] = mapped_column(INSTANT)
    last_at: Mapped[str] = mapped_column(INSTANT, index=True)
    ended_at: Mapped[str | None] = mapped_column(INSTANT)
    duration_s: Mapped[float | None]
    energy_kwh: Mapped[float | None]
    emissions_kg: Mapped[float | None]


class LiveMinute(Base):
    """One minute of a live run: its energy, emissions and power."""

    __tablename__ = "live_minute"

    run_id: Mapped[str] = mapped_column(ForeignKey("live_run.id"), primary_key=True)
    minute: Mapped[int] = mapped_column(Integer, primary_key=True)
    energy_kwh: Mapped[float | None]
    emissions_kg: Mapped[float | None]
    power_w: Mapped[float | None]


class Campaign(Base):
    """A campaign: how its sample was drawn."""

    __tablename__ = "campaign"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[str] = mapped_column(INSTANT)
    seed: Mapped[int] = mapped_column(BigInteger)
    listed: Mapped[int] = mapped_column(Integer)
    detail: Mapped[str] = mapped_column(Text)


class Invitation(Base):
    """A paper of a campaign's sample, and what became of the question; addresses of people are not kept."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_campaign", "campaign", "stratum"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    campaign: Mapped[str] = mapped_column(ForeignKey("campaign.name"))
    stratum: Mapped[str] = mapped_column(String(200))
    paper: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    sent_at: Mapped[str | None] = mapped_column(INSTANT)
    reminders: Mapped[int] = mapped_column(Integer)
    reminded_at: Mapped[str | None] = mapped_column(INSTANT)
    answered_at: Mapped[str | None] = mapped_column(INSTANT)
    footprint_id: Mapped[str | None] = mapped_column(ID)


class Venue(Base):
    """A venue's rules, as its file has them."""

    __tablename__ = "venue"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[str] = mapped_column(INSTANT)
    text: Mapped[str] = mapped_column(Text)


class LoginFailure(Base):
    """Wrong passwords of the last day for one account from one source: keyed hashes, of names that nobody has too."""

    __tablename__ = "login_failure"

    account: Mapped[str] = mapped_column(SHA256, primary_key=True)
    # Address or browser; empty for all together
    source: Mapped[str] = mapped_column(SHA256, primary_key=True)
    n: Mapped[int] = mapped_column(Integer)
    at: Mapped[str] = mapped_column(INSTANT, index=True)
