"""From the points that a provider gives to intensities in order: pure, and strict about what a point may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from sootprint.core import utc
from sootprint.core.errors import IntensityError
from sootprint.core.intervals import Z90
from sootprint.core.quantity import Factor

HIGHEST_G_PER_KWH = 3000.0
LEAST_MEDIAN_G, MOST_MEDIAN_G = 1.0, 2000.0  # of a series; outside it is in another unit
# Assumed: what a provider's forecast of hours ahead adds to the width of its figures, a standard deviation of the
# logarithm. Ridge forecasts of 24 h have a mean error of 11 % over 119 grids.
OF_FORECAST = 0.12


class Point(NamedTuple):
    """One figure of a provider for `[start, end)` in UTC [gCO2e/kWh]; None is a gap, never 0."""

    start: datetime
    end: datetime
    value: float | None
    forecast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a provider's figures are, and how its data may be kept.

    Args:
        name: Name of the source in the settings.
        title: Name of the provider, for records and people.
        licence: Licence or terms of the data.
        method: Average or marginal, life-cycle or direct, location-based, as in `Factor.method`.
        step: Usual length of a step.
        settles: Time after which a figure of the past is no longer revised.
        fresh: Time for which an answer about the future or the recent past is not asked again.
        keep: Longest time for which an answer stays on the disk.
        window: Longest span of one request.
        sigma: Standard deviation of the logarithm of a figure around the truth [1].
    """

    name: str
    title: str
    licence: str
    method: str
    step: timedelta
    settles: timedelta
    fresh: timedelta
    keep: timedelta
    window: timedelta
    sigma: float


def instant(text: object, *, where: str) -> datetime:
    """Instant in UTC that a provider's text means; one without a time zone is UTC.

    Raises:
        IntensityError: It is no instant.
    """
    try:
        return utc.instant(str(text))
    except ValueError:
        raise IntensityError(f"{where}: {str(text)[:40]!r} is no time") from None


def figure(value: object, *, where: str) -> float | None:
    """Carbon intensity of a provider's value [gCO2e/kWh]; None stays None.

    Raises:
        IntensityError: It is no number, or outside what a grid can be.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntensityError(f"{where}: {str(value)[:40]!r} is no number of g/kWh")
    try:
        number = float(value)
    except OverflowError:  # JSON knows no largest number
        number = math.inf
    if not (math.isfinite(number) and 0.0 <= number <= HIGHEST_G_PER_KWH):
        raise IntensityError(
            f"{where}: {number:g} is not from 0 to {HIGHEST_G_PER_KWH:g} g/kWh: its unit is another one, or it is wrong"
        )
    return number


def require_unit(values: Sequence[float], *, where: str) -> None:
    """Nothing where a series can be gCO2e/kWh of a grid, or is empty.

    Raises:
        IntensityError: Its median is no grid's.
    """
    middle = median(values) if values else LEAST_MEDIAN_G
    if not LEAST_MEDIAN_G <= middle <= MOST_MEDIAN_G:
        raise IntensityError(
            f"{where}: the median figure is {middle:.3g}, which no grid has in gCO2e/kWh: is it kg, lb or per MWh? "
            "convert it"
        )


def in_order(points: Iterable[Point]) -> list[Point]:
    """Points with a figure, by start, each instant once.

    Of two points with one start a measured one counts before a forecast, then the later one in the answer; where
    steps of two lengths overlap, the later start counts from then on.
    """
    best: dict[datetime, Point] = {}
    for point in points:
        before = best.get(point.start)
        if point.value is None or point.end <= point.start:
            continue
        if before is None or before.forecast >= point.forecast:
            best[point.start] = point
    listed = [best[start] for start in sorted(best)]
    ends = [min(before.end, after.start) for before, after in pairwise(listed)]
    return [point._replace(end=end) for point, end in zip(listed[:-1], ends, strict=True)] + listed[-1:]


def cut(points: Sequence[Point], start: datetime, end: datetime) -> list[Point]:
    """Parts of points within `[start, end)`."""
    return [
        point._replace(start=max(point.start, start), end=min(point.end, end))
        for point in points
        if point.start < end and point.end > start
    ]


def factor(point: Point, zone: str, terms: Terms) -> Factor:
    """Factor of one point, with its bounds."""
    spread = math.hypot(terms.sigma, OF_FORECAST) if point.forecast else terms.sigma
    ratio, value = math.exp(Z90 * spread), point.value or 0.0
    return Factor(
        kind="intensity",
        key=zone,
        value=value,
        low=value / ratio,
        high=value * ratio,
        unit="gCO2e/kWh",
        period=point.start.isoformat(),
        method=terms.method,
        source=terms.title,
        licence=terms.licence,
    )
