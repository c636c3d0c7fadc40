"""Figures in the cells of a table: as the reports write them, value and interval apart so that both line up."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sootprint.charts.scale import Unit
    from sootprint.core.quantity import Quantity

DASH = "–"
_UTC = " UTC"


class Words(NamedTuple):
    """A quantity in words: value with unit, and the interval in the same unit, empty where it is not known."""

    value: str
    interval: str

    def __str__(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value


def energy(energy_kwh: Quantity | None) -> Words:
    """Energy in words.

    >>> from sootprint.core.quantity import Quantity
    >>> str(energy(Quantity(value=0.0123, low=0.01, high=0.02)))
    '12 Wh (10 to 20)'
    """
    from sootprint.charts.scale import ENERGY

    return _words(energy_kwh, ENERGY)


def emissions(emissions_kg: Quantity | None) -> Words:
    """Emissions in words.

    >>> from sootprint.core.quantity import Quantity
    >>> emissions(Quantity(value=1131.3, low=523.2, high=1777.6))
    Words(value='1.1 t', interval='0.52 to 1.8')
    """
    from sootprint.charts.scale import MASS

    return _words(emissions_kg, MASS)


def in_unit(quantity: Quantity | None, unit: str) -> Words:
    """Quantity in a unit that is not scaled.

    >>> from sootprint.core.quantity import Quantity
    >>> str(in_unit(Quantity(value=50.0, low=40.0, high=62.5), "g/kWh"))
    '50 g/kWh (40 to 62)'
    """
    from sootprint.report import figures

    return _words(quantity, figures.plain_unit(unit))


def percent(share: float) -> str:
    """Share in percent, in two digits.

    >>> percent(0.0112), percent(0.997)
    ('1.1 %', '100 %')
    """
    from sootprint.charts import scale

    return scale.percent(share)


def duration(duration_s: float | None) -> str:
    """Duration in its two largest units.

    >>> duration(75.0), duration(None)
    ('1 min 15 s', '–')
    """
    from sootprint.report import figures

    return DASH if duration_s is None else figures.duration(duration_s)


def instant(stamp: str | None) -> str:
    """Instant of a record in UTC, to the minute, for a column that says so.

    >>> instant("2026-11-22T05:18:13.086Z"), instant(None)
    ('2026-11-22 05:18', '–')
    """
    from sootprint.report import figures

    return DASH if stamp is None else figures.moment(stamp).removesuffix(_UTC)


def _words(quantity: Quantity | None, units: tuple[Unit, ...]) -> Words:
    from sootprint.report import figures

    if quantity is None:
        return Words(DASH, "")
    interval = figures.interval(quantity, figures.unit_of(quantity, units))
    shown = {figures.NOT_KNOWN: "", figures.EXACT: "exact"}.get(interval, interval)
    return Words(figures.amount(quantity, units).rstrip(), shown)
