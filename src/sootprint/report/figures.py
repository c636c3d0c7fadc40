"""Numbers as a person reads them: as many digits as their interval supports, in a unit that fits."""

from __future__ import annotations

import math

from sootprint.charts import scale
from sootprint.charts.power import instant
from sootprint.charts.scale import Unit, fitting
from sootprint.core.quantity import Quantity
from sootprint.core.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

number, digits_of = scale.number, scale.digits_of  # charts tell the same numbers in words
NOT_KNOWN = "not known"
EXACT = "taken as exact"
OVER = "over 1e308"
_PERCENT = 100.0
_HOURS_PER_DAY = 24
_MINUTES_PER_HOUR = int(SECONDS_PER_HOUR / SECONDS_PER_MINUTE)


def unit_of(quantity: Quantity, units: tuple[Unit, ...]) -> Unit:
    """Unit that fits a quantity, by its value, or by its upper bound where the value is 0."""
    return fitting(units, quantity.value or quantity.high or 0.0)


def value(quantity: Quantity, unit: Unit) -> str:
    """Best estimate in a unit, without the unit's name."""
    return _in(unit, quantity.value, digits_of(quantity))


def _in(unit: Unit, amount: float, digits: int) -> str:
    """A number of base units in a unit, also where it is beyond what a number holds there."""
    found = amount / unit.size
    return number(found, digits) if math.isfinite(found) else OVER


def interval(quantity: Quantity, unit: Unit) -> str:
    """90 % interval in a unit, without the unit's name."""
    low, high, digits = quantity.low, quantity.high, digits_of(quantity)
    if low is None:
        return NOT_KNOWN if high is None else f"up to {_in(unit, high, digits)}"
    if high is None:
        return f"{_in(unit, low, digits)} or more"
    if low == high:
        return EXACT if low else "0"
    return f"{_in(unit, low, digits)} to {_in(unit, high, digits)}"


def amount(quantity: Quantity, units: tuple[Unit, ...]) -> str:
    """Best estimate with its unit."""
    unit = unit_of(quantity, units)
    return f"{value(quantity, unit)} {unit.name}"


def spread(quantity: Quantity, units: tuple[Unit, ...]) -> str:
    """90 % interval with its unit, or why there is none."""
    unit = unit_of(quantity, units)
    shown = interval(quantity, unit)
    return shown if shown in (NOT_KNOWN, EXACT) else f"{shown} {unit.name}"


def plain_unit(name: str) -> tuple[Unit, ...]:
    """One unit, whatever the size of the number."""
    return (Unit(name, 1.0, 0.0),)


def share(part: float | None) -> str:
    """Share in percent.

    >>> share(0.754), share(0.002), share(None)
    ('75 %', '<1 %', 'not known')
    """
    if part is None or not math.isfinite(part):
        return NOT_KNOWN
    if 0.0 < part < 0.005:
        return "<1 %"
    return f"{part * _PERCENT:.0f} %"


def duration(duration_s: float) -> str:
    """Duration in its two largest units, of which a second one that is none is left out.

    >>> duration(31.24), duration(252.0), duration(36180.0), duration(200000.0)
    ('31.2 s', '4 min 12 s', '10 h 3 min', '2 d 8 h')
    >>> duration(1800.0), duration(3599.7), duration(28800.0), duration(172800.0)
    ('30 min', '1 h', '8 h', '2 d')
    """
    if duration_s < SECONDS_PER_MINUTE:
        return f"{number(duration_s)} s"
    minutes, seconds = divmod(round(duration_s), int(SECONDS_PER_MINUTE))
    if minutes < _MINUTES_PER_HOUR:
        return _two(minutes, "min", seconds, "s")
    hours, minutes = divmod(round(duration_s / SECONDS_PER_MINUTE), _MINUTES_PER_HOUR)
    if hours < 2 * _HOURS_PER_DAY:
        return _two(hours, "h", minutes, "min")
    days, hours = divmod(round(duration_s / SECONDS_PER_HOUR), _HOURS_PER_DAY)
    return _two(days, "d", hours, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large:,} {large_unit} {small} {small_unit}" if small else f"{large:,} {large_unit}"


def moment(text: str | None) -> str:
    """Instant of a record in UTC, to the minute; as it stands where it is no ISO 8601."""
    found = instant(text)
    if found is None:
        return text or NOT_KNOWN
    return found.strftime("%Y-%m-%d %H:%M UTC") if found.year >= 1000 else text or NOT_KNOWN
