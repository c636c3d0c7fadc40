"""Logarithmic axes whose ticks can be read: whole powers of ten, written out or with a raised exponent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import altair as alt

from sootprint.charts.letters import raised

PLAIN = range(-2, 5)  # exponents of the powers that are written out: 0.01 to 10,000
MOST_TICKS = 9
ROOM = 0.06  # share of the decades that is left free at either end
NEAR = 0.5  # share of that room within which an end is moved onto a power of ten


class Span(NamedTuple):
    """Ends of an axis, and the powers of ten between them that are labelled."""

    low: float
    high: float
    powers: tuple[float, ...]


def span(values: Iterable[float | None], *, most: int = MOST_TICKS) -> Span:
    """Ends and at most about `most` ticks of an axis that holds all positive values; 1 to 10 where there is none.

    >>> span([3.0, 2000.0]).powers
    (10.0, 100.0, 1000.0)
    """
    known = [value for value in values if value is not None and 0.0 < value < math.inf]
    if not known:
        return Span(1.0, 10.0, (1.0, 10.0))
    low, high = math.log10(min(known)), math.log10(max(known))
    room = max(0.1, ROOM * (high - low))
    least, greatest = low - room, high + room
    if (
        math.floor(greatest) - math.ceil(least) < 1
    ):  # with one power of ten in sight nothing could be read off
        least, greatest = math.floor(least), math.ceil(greatest)
    least, greatest = _onto(least, log_room=room), _onto(greatest, log_room=room)
    whole = range(math.ceil(least), math.floor(greatest) + 1)
    step = 1 + (len(whole) - 1) // most
    return Span(10.0**least, 10.0**greatest, tuple(10.0**exponent for exponent in whole[::step]))


def _onto(end: float, *, log_room: float) -> float:
    """End of an axis, moved onto a power of ten close by: the lines of both would stand side by side."""
    return float(round(end)) if abs(end - round(end)) < NEAR * log_room else end


def label_of(power: float) -> str:
    """Power of ten as it stands at an axis.

    >>> [label_of(power) for power in (0.01, 1.0, 10000.0, 1e6, 1e-3)]
    ['0.01', '1', '10,000', '10⁶', '10⁻³']
    """
    exponent = round(math.log10(power))
    return f"{power:,.12g}" if exponent in PLAIN else f"10{raised(exponent)}"


def scale(held: Span) -> alt.Scale:
    """Scale of an axis."""
    return alt.Scale(type="log", domain=[held.low, held.high], nice=False)


def axis(held: Span, *, grid: bool = True) -> alt.Axis:
    """Ticks and labels of an axis."""
    labels = {f"{power:g}": label_of(power) for power in held.powers}
    chosen = "".join(f"abs(datum.value/{power}-1) < 1e-6 ? '{label}' : " for power, label in labels.items())
    return alt.Axis(values=list(held.powers), labelExpr=f"{chosen}''", grid=grid, tickSize=4)
