"""Intensity of a zone as one figure for each step of equal length, from a trace file or from any source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sootprint.core.errors import IntensityError
from sootprint.core.protocols import Intensity
from sootprint.intensity.points import require_unit
from sootprint.intensity.trace import TraceSource
from sootprint.planner.exact import Floats

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FINEST = timedelta(minutes=30)  # finer steps are averaged: no job is planned to the minute
_EVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class History(NamedTuple):
    """Intensity of a zone by steps of equal length.

    Args:
        zone: Name of the zone.
        start: Start of the first step, aware.
        step: Length of a step.
        values: Intensity of each step, nan for a hole, `(n_steps,)` [gCO2e/kWh].
        method: Average or marginal, life-cycle or direct.
        source: Where the figures are from.
    """

    zone: str
    start: datetime
    step: timedelta
    values: Floats
    method: str
    source: str

    @property
    def per_day(self) -> int:
        """Steps in a day."""
        return DAY // self.step

    @property
    def per_hour(self) -> int:
        """Steps in an hour."""
        return HOUR // self.step

    @property
    def end(self) -> datetime:
        """End of the last step."""
        return self.time(self.values.size)

    def time(self, step: int) -> datetime:
        """Start of a step."""
        return self.start + int(step) * self.step

    def step_at(self, instant: datetime) -> int:
        """Number of the step that an instant lies in; below 0 before the first."""
        return (instant - self.start) // self.step


def from_trace(path: Path, *, zone: str | None = None) -> History:
    """Intensity of a trace file, whose name stands for its zone where none is stated.

    Raises:
        IntensityError: The file cannot be read, its steps are not of equal length, or its unit is another one.
    """
    name = zone or path.name.removesuffix(".gz").removesuffix(".csv")
    try:
        return from_intensities(name, TraceSource(path).between(name, *_EVER))
    except IntensityError as err:
        raise IntensityError(str(err) if path.name in str(err) else f"{path.name}: {err}") from None


def from_intensities(zone: str, listed: Sequence[Intensity]) -> History:
    """Intensity of steps that any source gave, in order; times without a figure are holes.

    Raises:
        IntensityError: The steps are not of equal length or longer than an hour, or the unit is another one.
    """
    known = [one for one in listed if one.factor.value is not None]
    if not known:
        raise IntensityError(f"no figure is known for {zone}")
    lengths = sorted(one.end - one.start for one in known)
    step = lengths[len(lengths) // 2]
    if not timedelta(minutes=1) <= step <= HOUR or HOUR % step:
        raise IntensityError(
            f"steps of {step / HOUR:g} h do not divide an hour: give a trace of hours, half-hours or finer"
        )
    start = known[0].start.astimezone(UTC)
    values = np.full((known[-1].start - start) // step + 1, np.nan)
    for one in known:
        at, off = divmod(one.start - start, step)
        if off:
            raise IntensityError(
                f"the step at {one.start.isoformat()} is not a whole number of {step / HOUR:g} h after {start}"
            )
        values[at] = one.factor.value
    require_unit([one.factor.value for one in known if one.factor.value is not None], where=zone)
    factor = known[0].factor
    made = History(zone, start, step, values, factor.method or "unstated", factor.source or "unstated")
    return made if step >= FINEST else _hourly(made)


def _hourly(history: History) -> History:
    """Means of hours; an hour with a hole is one."""
    first = -history.start.minute // (history.step // timedelta(minutes=1)) % history.per_hour
    whole = (history.values.size - first) // history.per_hour * history.per_hour
    if not whole:
        raise IntensityError("the trace is shorter than an hour: give a longer one")
    values = history.values[first : first + whole].reshape(-1, history.per_hour).mean(axis=1)
    return history._replace(start=history.time(first), step=HOUR, values=values)
