"""The choice of a place and a time for a job that may run in several, from what is known of the hours ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sootprint.core.units import hours
from sootprint.planner.places import next_start_zone, next_zone
from sootprint.runner import transfer

if TYPE_CHECKING:
    from sootprint.engines.book import Plan
    from sootprint.runner.outlook import Ahead
    from sootprint.settings.targets import Target

MARGIN = 0.3  # of the time that a job runs, kept free before its deadline: estimates are off by as much
ADVANTAGE = 0.02  # a later start, and a move, must be better by that much
USUAL_POWER_KW = 0.3  # of a job, against which a transfer is weighed
NOWHERE = 1e6  # intensity of a place where the job cannot go on [gCO2e/kWh]
Known = Sequence[tuple["Target", "Ahead"]]


def alike(known: Known) -> Known:
    """Places whose steps are those of the first: figures of different steps cannot be ranked step by step."""
    first = known[0][1] if known else None
    return [
        (target, ahead)
        for target, ahead in known
        if first is not None and (ahead.index, ahead.step_s) == (first.index, first.step_s)
    ]


def chosen(
    plan: Plan, known: Known, place: str, *, left_s: float, free_s: float, running: bool | None
) -> str | None:
    """Name of the place where the job runs now, or None where it waits.

    Args:
        plan: The plan.
        known: Places where it may go and what lies ahead there, at least one, with equal steps.
        place: Where it runs, or where what it needs lies.
        left_s: Time that it still runs [s].
        free_s: Time that it may still wait [s].
        running: Whether it runs; False in a pause, None before its first start.
    """
    names, step_s = [target.name for target, _ in known], known[0][1].step_s
    home = names.index(place) if place in names else len(names)
    left = max(1, math.ceil(left_s / step_s))
    ends = min(ahead.values.size for _, ahead in known)
    slack = max(0, min(math.floor(free_s / step_s), ends - left))
    rows = [_as_long(ahead.values, left + slack) for _, ahead in known]
    if home == len(names):
        rows.append(np.full(left + slack, NOWHERE))
    moves = _moves(known, len(rows), step_s)
    values = np.stack(rows)
    if plan.pausable:
        found = next_zone(
            values,
            left,
            slack,
            moves=moves,
            resume_cost=plan.resume_s / step_s,
            home=home,
            running=running,
            advantage=ADVANTAGE,
        )
    elif running:
        found = home  # what cannot save cannot leave
    else:
        found = next_start_zone(values, left, slack, moves=moves, home=home, advantage=ADVANTAGE)
    return None if found is None else [*names, place][found]


def _moves(known: Known, count: int, step_s: float) -> npt.NDArray[np.float64]:
    """Emissions of a move from each place to each, over the job's energy in a step [gCO2e/kWh]."""
    step_kwh = USUAL_POWER_KW * hours(step_s)
    now = np.array([float(ahead.values[0]) for _, ahead in known])
    made = np.zeros((count, count))
    for column, (target, _) in enumerate(known):
        sources = np.append(now, now[column])[:count]  # of a place that nobody tells of, the other end's
        carried_kwh = target.data_gb * (transfer.factor(target).value or 0.0)
        made[:, column] = carried_kwh * 0.5 * (sources + now[column]) / step_kwh
    np.fill_diagonal(made, 0.0)
    return made


def _as_long(values: npt.NDArray[np.float64], length: int) -> npt.NDArray[np.float64]:
    """Values of so many steps, the last one going on."""
    if values.size >= length:
        return values[:length]
    return np.append(values, np.full(length - values.size, values[-1]))
