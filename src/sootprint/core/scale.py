"""Units that fit, one for all numbers of a chart or table, and numbers with the digits that their interval supports."""

from __future__ import annotations

import math
from typing import NamedTuple

from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, J_PER_KWH, SECONDS_PER_HOUR, SECONDS_PER_MINUTE, W_PER_KW

_K = W_PER_KW  # one step between units with the prefixes of the SI
WIDE = 0.05  # half an interval over its value, above which a third digit says nothing
_PLAIN = (1e-6, 1e9)  # numbers outside are written with a power of ten
_PERCENT = 100.0
_HOURS_PER_DAY = 24
_MINUTES_PER_HOUR = int(SECONDS_PER_HOUR / SECONDS_PER_MINUTE)
NOT_KNOWN = "not known"
EXACT = "taken as exact"
OVER = "over 1e308"


class Unit(NamedTuple):
    """A unit, its size in the base unit, and the least number of base units for which it is used."""

    name: str
    size: float
    least: float


ENERGY = (
    Unit("TWh", _K**3, _K**3),
    Unit("GWh", _K**2, _K**2),
    Unit("MWh", _K, _K),
    Unit("kWh", 1.0, 1.0),
    Unit("Wh", 1 / _K, 0.01 / _K),
    Unit("J", 1 / J_PER_KWH, 0.1 / J_PER_KWH),
    Unit("mJ", 1 / J_PER_KWH / _K, 0.0),
)  # in kWh
MASS = (
    Unit("Mt", G_PER_KG**3, G_PER_KG**3),
    Unit("kt", G_PER_KG**2, G_PER_KG**2),
    Unit("t", G_PER_KG, G_PER_KG),
    Unit("kg", 1.0, 1.0),
    Unit("g", 1 / G_PER_KG, 0.01 / G_PER_KG),
    Unit("mg", 1 / G_PER_KG**2, 0.1 / G_PER_KG**2),
    Unit("µg", 1 / G_PER_KG**3, 0.0),
)  # in kg
DEVICE_TIME = (
    Unit("h", 1.0, 1.0),
    Unit("min", SECONDS_PER_MINUTE / SECONDS_PER_HOUR, 3 * SECONDS_PER_MINUTE / SECONDS_PER_HOUR),
    Unit("s", 1 / SECONDS_PER_HOUR, 0.0),
)  # in h
POWER = (Unit("MW", _K**2, _K**2), Unit("kW", _K, _K), Unit("W", 1.0, 0.0))  # in W
TIME = (
    Unit("d", 24 * SECONDS_PER_HOUR, 72 * SECONDS_PER_HOUR),
    Unit("h", SECONDS_PER_HOUR, 2 * SECONDS_PER_HOUR),
    Unit("min", SECONDS_PER_MINUTE, 3 * SECONDS_PER_MINUTE),
    Unit("s", 1.0, 0.0),
)  # in s
VOLUME = (Unit("m³", _K, _K), Unit("L", 1.0, 0.1), Unit("mL", 1 / _K, 0.0))  # in L


def fitting(units: tuple[Unit, ...], amount: float) -> Unit:
    """Largest unit in which an amount is no small fraction; the base unit for 0 and for what is no number."""
    if amount == 0.0 or not math.isfinite(amount):
        return next(unit for unit in units if unit.size == 1.0)
    return next(unit for unit in units if abs(amount) >= unit.least)


def number(value: float, digits: int = 3) -> str:
    """A number with a count of significant digits.

    >>> number(0.12345, 2), number(1234.5), number(0.0), number(5.5e-5, 2)
    ('0.12', '1,230', '0', '0.000055')
    """
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else str(value)
    if not _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return f"{value:.{digits - 1}e}"
    rounded = float(f"{value:.{digits - 1}e}")  # 0.9996 is 1.00, not 1.000
    place = digits - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(0, place)}f}"


def percent(share: float) -> str:
    """A share in percent with two significant digits.

    >>> percent(0.0112), percent(0.997), percent(-0.25), percent(1.0)
    ('1.1 %', '100 %', '-25 %', '100 %')
    """
    return f"{number(_PERCENT * share, 2)} %"


def digits_of(quantity: Quantity) -> int:
    """Significant digits that the interval of a quantity supports: 2 where it is wide, else 3."""
    return digits(quantity.value, quantity.low, quantity.high)


def digits(value: float, low: float | None, high: float | None) -> int:
    """Significant digits that an interval supports: 2 where it is wide, else 3."""
    if low is None or high is None or value == 0.0:
        return 3
    return 2 if 0.5 * (high - low) > WIDE * abs(value) else 3


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


def amount(quantity: Quantity | float | None, units: tuple[Unit, ...]) -> str:
    """Best estimate with its unit, of a quantity or of a plain number of base units."""
    if quantity is None:
        return NOT_KNOWN
    if not isinstance(quantity, Quantity):
        quantity = Quantity(value=quantity)
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
