"""Cleaner hours of the run's own grid, tried on a year of its own trace with the run's own length and slack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sootprint.core.errors import InputError, IntensityError
from sootprint.core.quantity import Quantity
from sootprint.core.units import hours

if TYPE_CHECKING:
    from sootprint.estimator.advice.baseline import Baseline
    from sootprint.planner.trial import Trial
    from sootprint.settings import Settings

SLACK = timedelta(hours=24)  # of a run that stated no deadline
EVERY = timedelta(hours=5)  # between two starts that are tried: coprime with the day and the week
RESUME = timedelta(minutes=15)  # of running that each resume costs
LONGEST = timedelta(days=7)
PLAN = "waiting"  # in `plan` of a record that waited


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What pausing would have saved runs of one length on one grid.

    Args:
        share: Saved of the emissions of running at once, resumes subtracted, with its 90 % interval [1].
        slack: Time that each might wait in all.
        jobs: Runs that were tried.
        source: Trace, its zone and its time, in words.
    """

    share: Quantity
    slack: timedelta
    jobs: int
    source: str


def tried(base: Baseline, settings: Settings) -> Tried | str:
    """What pausing would have saved the run on a configured trace of its zone, or why that is not known.

    Args:
        base: The run.
        settings: Settings with the trace of `[grid]` and those of the targets.
    """
    path = next(_traces(base, settings), None)
    if path is None:
        return "no trace of its grid is configured ([grid.trace] in sootprint.toml)"
    if base.facts.hours is None or base.facts.hours <= 0.0:
        return "the length of the run is not known"
    expect, slack = timedelta(hours=base.facts.hours), _slack(base)
    if expect + slack > LONGEST:
        return f"a run of {base.facts.hours:,.0f} h and its slack are longer than the week that is tried"
    from sootprint.planner.history import from_trace
    from sootprint.planner.trial import try_evenly

    try:
        found = try_evenly(from_trace(path), expect, slack, EVERY)
    except (InputError, IntensityError) as err:
        return str(err)
    return _told(found, path, slack)


def _traces(base: Baseline, settings: Settings) -> Iterator[Path]:
    """Traces of the run's own zone: of the settings of the grid, then of the targets."""
    place = base.footprint.place
    keys = {place.zone, place.subdivision, base.facts.zone} - {None}
    if settings.grid is not None:
        stated = settings.grid.provider("trace")
        if stated.file is not None and stated.zone in keys:
            yield Path(stated.file).expanduser()
    for target in settings.targets.values():
        if target.trace is not None and target.zone in keys:
            yield Path(target.trace).expanduser()


def _slack(base: Baseline) -> timedelta:
    """Time that the run might wait: as its own plan said, else a day."""
    told: dict[str, Any] = (base.footprint.plan or {}).get(PLAN) or {}
    try:
        made, deadline = (datetime.fromisoformat(told[name]) for name in ("made", "deadline"))
        slack = deadline - made - timedelta(seconds=float(told["expect_s"]))
    except (KeyError, TypeError, ValueError):
        return SLACK
    return slack if slack > timedelta(0) else SLACK


def _told(found: Trial, path: Path, slack: timedelta) -> Tried:
    """Saving of the trial with what its resumes cost subtracted."""
    score, history = found.scores()["pause"], found.history
    spent, now = 0.0, 0.0
    for cohort, _ in found.cohorts:
        flags = cohort.runs["pause"]
        begun = np.cumsum(flags, axis=1) > 0
        resumed = flags[:, 1:] & ~flags[:, :-1] & begun[:, :-1]
        rows, steps = np.nonzero(resumed)
        spent += float(np.nan_to_num(history.values)[cohort.arrivals[rows] + steps + 1].sum())
        now += float(cohort.costs["now"].sum())
    share = score.saving_vs_now - spent * (RESUME / history.step) / now
    half = 1.645 * score.error
    span = f"{history.start:%Y-%m-%d} to {history.end:%Y-%m-%d}"
    return Tried(
        share=Quantity(value=share, low=share - half, high=share + half, basis="modelled"),
        slack=slack,
        jobs=found.n_jobs,
        source=f"{path.name}, {span}, {history.method}",
    )


def in_hours(time: timedelta) -> float:
    """A time in hours [h]."""
    return hours(time / timedelta(seconds=1))
