"""Energy, carbon, time and cost until a logged metric reaches a value; nothing is said beyond the curve."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sootprint.core import units, utc
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import CurvePoint, Footprint
from sootprint.estimator.advice.stopping import falls


class Target(NamedTuple):
    """Value of a metric that is to be reached."""

    metric: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Where a run's curve reaches a target.

    Args:
        low_kwh: Energy at the last point before it; 0 where the first point is there already [kWh].
        energy_kwh: Energy at the first point that is there [kWh].
        best: Best value of the whole curve.
        whole_kwh: Energy at the end of the curve [kWh].
    """

    low_kwh: float
    energy_kwh: float
    best: float
    whole_kwh: float


def target_of(text: str) -> Target:
    """Target of a text such as "accuracy=0.97".

    Raises:
        InputError: It is not METRIC=VALUE.
    """
    metric, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not metric.strip() or not math.isfinite(number):
        raise InputError(
            f"target is {text!r}: give METRIC=VALUE, e.g. accuracy=0.97, with a metric of run.log"
        )
    return Target(metric.strip(), number)


def check(target: Target, runs: list[Footprint]) -> None:
    """Nothing where a run has logged the target's metric.

    Raises:
        InputError: No run has; the message has the metrics that were logged.
    """
    logged = list(dict.fromkeys(point.metric for run in runs for point in run.curve))
    if target.metric not in logged:
        known = (
            f"logged are {', '.join(logged)}"
            if logged
            else "no run has logged any: call run.log(metric, value)"
        )
        raise InputError(f"target {target.metric!r} was logged by no run: {known}")


def reached(run: Footprint, target: Target) -> Reached | None:
    """Where a run reaches a target, or None where its curve does not; a curve is never prolonged."""
    points = sorted((one for one in run.curve if one.metric == target.metric), key=lambda one: one.energy_kwh)
    if not points:
        return None
    index = next((number for number, one in enumerate(points) if _is_there(one.value, target)), None)
    if index is None:
        return None
    return Reached(
        low_kwh=points[index - 1].energy_kwh if index else 0.0,
        energy_kwh=points[index].energy_kwh,
        best=best_of(points, target),
        whole_kwh=points[-1].energy_kwh,
    )


def best_of(points: list[CurvePoint], target: Target) -> float:
    """Best value that a metric had."""
    values = [one.value for one in points if one.metric == target.metric]
    return min(values) if falls(target.metric) else max(values)


def _is_there(value: float, target: Target) -> bool:
    return value <= target.value if falls(target.metric) else value >= target.value


def at_target(name: str, target: Target) -> Callable[[Footprint], Quantity | float | None]:
    """Function that gives a quantity of a run up to its target, or None where it was not reached.

    Energy is that of the first logged point that is there, with a low bound at the point before it; emissions and
    cost go with the energy; time is that of the energy intervals of the record.

    Args:
        name: energy_kwh, emissions_kg, duration_s or cost.
        target: Target.
    """

    def take(run: Footprint) -> Quantity | float | None:
        found = reached(run, target)
        if found is None or run.energy_kwh is None or run.energy_kwh.value <= 0.0 or found.energy_kwh <= 0.0:
            return None
        if name == "duration_s":
            return _time(run, found)
        whole = {"energy_kwh": run.energy_kwh, "emissions_kg": run.emissions_kg, "cost": run.cost}[name]
        return None if whole is None else _share(whole, run.energy_kwh.value, found)

    return take


def _share(whole: Quantity, energy_kwh: float, found: Reached) -> Quantity:
    """Part of a quantity up to a target, whose interval also spans the step from the point before it."""
    part = min(1.0, found.energy_kwh / energy_kwh)
    before = min(1.0, found.low_kwh / energy_kwh)
    low = None if whole.low is None else whole.low * math.sqrt(part * max(before, part / 4.0))
    return replace(
        whole, value=whole.value * part, low=low, high=None if whole.high is None else whole.high * part
    )


def _time(run: Footprint, found: Reached) -> Quantity | None:
    """Time until the energy of a target was spent, from the intervals, whose length bounds it [s]."""
    ends: dict[datetime, float] = {}
    try:
        start = utc.instant(run.started or "")
        for one in run.intervals:
            end = utc.instant(one.end)
            ends[end] = ends.get(end, 0.0) + one.energy_j
    except ValueError:  # a record of others may tell no time, or what is none
        return None
    spent = 0.0
    total = math.fsum(ends.values())
    scale = units.energy_j(run.energy_kwh.value) / total if run.energy_kwh and total else 1.0
    before_s = 0.0
    for end in sorted(ends):
        spent += ends[end] * scale
        at_s = (end - start).total_seconds()
        if spent >= units.energy_j(found.energy_kwh) * (1.0 - 1e-9):
            return Quantity(value=at_s, low=max(before_s, at_s / 2.0), high=at_s)
        before_s = at_s
    return None
