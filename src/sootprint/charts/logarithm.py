"""Logarithmic axes whose ticks can be read: powers of ten, all of an axis written out or all with raised exponents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import altair as alt

from sootprint.charts.letters import raised

PLAIN = range(-3, 5)  # exponents of powers that are written out where all of an axis are: 0.001 to 10,000
MOST_TICKS = 9
LEAST, MOST = 1e-300, 1e300  # that is drawn
MOST_DECADES = 307.0  # from 1, that an axis reaches to
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
    known = [min(max(value, LEAST), MOST) for value in values if value is not None and 0.0 < value < math.inf]
    if not known:
        return Span(1.0, 10.0, (1.0, 10.0))
    low, high = math.log10(min(known)), math.log10(max(known))
    room = max(0.1, ROOM * (high - low))
    least, greatest = max(low - room, -MOST_DECADES), min(high + room, MOST_DECADES)
    # With one power of ten in sight nothing could be read off
    if math.floor(greatest) - math.ceil(least) < 1:
        least, greatest = math.floor(least), math.ceil(greatest)
    least, greatest = _onto(least, log_room=room), _onto(greatest, log_room=room)
    whole = range(math.ceil(least), math.floor(greatest) + 1)
    step = 1 + (len(whole) - 1) // most
    return Span(10.0**least, 10.0**greatest, tuple(10.0**exponent for exponent in whole[::step]))


def decades(low: float, high: float) -> Span:
    """Axis between the whole powers of ten around two values above 0.

    >>> decades(0.02, 3.0).powers
    (0.01, 0.1, 1.0, 10.0)
    """
    least, greatest = math.floor(math.log10(low)), math.ceil(math.log10(high))
    whole = range(least, greatest + 1)
    ends = 10.0**least, 10.0**greatest
    return Span(*ends, tuple(10.0**exponent for exponent in whole[:: 1 + (len(whole) - 1) // MOST_TICKS]))


def _onto(end: float, *, log_room: float) -> float:
    """End of an axis, moved onto a power of ten close by: the lines of both would stand side by side."""
    return float(round(end)) if abs(end - round(end)) < NEAR * log_room else end


def labels(powers: Sequence[float]) -> list[str]:
    """Powers of ten as they stand at one axis: all written out, or all with a raised exponent where one is long.

    >>> labels([0.01, 1.0, 10_000.0])
    ['0.01', '1', '10,000']
    >>> labels([0.1, 1.0, 10.0, 1e6])
    ['10⁻¹', '10⁰', '10¹', '10⁶']
    """
    exponents = [round(math.log10(power)) for power in powers]
    if all(exponent in PLAIN for exponent in exponents):
        return [f"{power:,.12g}" for power in powers]
    return [f"10{raised(exponent)}" for exponent in exponents]


def scale(held: Span) -> alt.Scale:
    """Scale of an axis."""
    return alt.Scale(type="log", domain=[held.low, held.high], nice=False)


def axis(held: Span) -> alt.Axis:
    """Ticks and labels of an axis."""
    told = zip((f"{power:g}" for power in held.powers), labels(held.powers), strict=True)
    chosen = "".join(f"abs(datum.value/{power}-1) < 1e-6 ? '{label}' : " for power, label in told)
    return alt.Axis(values=list(held.powers), labelExpr=f"{chosen}''", grid=True, tickSize=4)
