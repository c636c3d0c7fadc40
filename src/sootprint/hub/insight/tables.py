"""Tables of sums over records, of reviews, and of projects' budgets.

`rollup` is a projection that can be made again; `review` and `budget` are kept for ever.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from sootprint.hub.tables import ID, INSTANT, Base, Serial


class Rollup(Base):
    """Sums over the published, unmarked records of one group; kept with each batch, so that no page adds up rows.

    The numbers are the hub's own recomputations, all of one method; `n_` counts the records that have one, `bounded_`
    those of them with both bounds: where these are fewer, the sum has none, and its bounds here hold the values of the
    others. `ln_` and `ln2_` are sums of the logarithm and of its square.
    """

    __tablename__ = "rollup"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[str] = mapped_column(String(260), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
    n_energy: Mapped[int] = mapped_column(BigInteger)
    energy_kwh: Mapped[float]
    energy_low_kwh: Mapped[float]
    energy_high_kwh: Mapped[float]
    ln_energy: Mapped[float]
    ln2_energy: Mapped[float]
    bounded_energy: Mapped[int] = mapped_column(BigInteger)
    n_emissions: Mapped[int] = mapped_column(BigInteger)
    emissions_kg: Mapped[float]
    emissions_low_kg: Mapped[float]
    emissions_high_kg: Mapped[float]
    ln_emissions: Mapped[float]
    ln2_emissions: Mapped[float]
    bounded_emissions: Mapped[int] = mapped_column(BigInteger)
    emitting_kwh: Mapped[float]


class Review(Base):
    """What a person says of a version of a record; a later one counts."""

    __tablename__ = "review"

    seq: Mapped[int] = mapped_column(Serial, primary_key=True)
    footprint: Mapped[str] = mapped_column(ID, index=True)
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[str] = mapped_column(INSTANT)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    actor: Mapped[str] = mapped_column(String(80))
    verdict: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(String(400))


class Budget(Base):
    """Emissions that a project gives itself for a year."""

    __tablename__ = "budget"

    project: Mapped[str] = mapped_column(String(200), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    emissions_kg: Mapped[float]
    at: Mapped[str] = mapped_column(INSTANT)
    actor: Mapped[str] = mapped_column(String(80))
