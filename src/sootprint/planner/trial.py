"""A year tried again: jobs at even distances, or those of a log, on the intensity of one grid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from sootprint.core.errors import InputError
from sootprint.core.units import W_PER_KW, hours
from sootprint.planner.backtest import FIRST_DAY, POLICIES, Cohort, Score, arrivals_every, plan_cohort, score
from sootprint.planner.exact import Floats
from sootprint.planner.forecast import filled, forecasts
from sootprint.planner.history import History
from sootprint.planner.joblog import JobLog, LoggedJob

LONGEST_DAYS = 14  # a window beyond is not forecast: a fortnight ahead only the usual course is left
LIKELY = 1.645  # standard errors on each side of a 90 % interval


class Trial(NamedTuple):
    """What planning would have done to some jobs on one grid.

    Args:
        history: Intensity of the grid.
        cohorts: Jobs of each length, and their power over that of the first kind of job, or in kW where known.
        left_out: Why jobs were not counted, each reason with its count.
        in_kw: Whether the weights are powers in kW, so that sums are emissions.
    """

    history: History
    cohorts: list[tuple[Cohort, Floats]]
    left_out: dict[str, int]
    in_kw: bool

    @property
    def n_jobs(self) -> int:
        """Jobs that were counted."""
        return sum(cohort.arrivals.size for cohort, _ in self.cohorts)

    def scores(self) -> dict[str, Score]:
        """Score of each policy."""
        return {policy: score(self.cohorts, policy) for policy in POLICIES}

    def total(self, name: str) -> float:
        """Sum of a cost over the jobs: intensity times power times time [g where powers are in kW]."""
        per_step_h = hours(self.history.step.total_seconds())
        return per_step_h * sum(float(weights @ cohort.costs[name]) for cohort, weights in self.cohorts)

    def steps(self) -> Iterator[tuple[str, datetime, datetime]]:
        """Policy, arrival and step of each step that a job ran in, for anyone to count again."""
        for cohort, _ in self.cohorts:
            for policy in POLICIES:
                for arrival, flags in zip(cohort.arrivals, cohort.runs[policy], strict=True):
                    came = self.history.time(arrival)
                    for step in np.flatnonzero(flags):
                        yield policy, came, self.history.time(arrival + step)


def measurable(found: Score) -> bool:
    """Whether a saving is outside its 90 % error bar."""
    return abs(found.saving_vs_now) > LIKELY * found.error


def try_evenly(
    history: History, expect: timedelta, slack: timedelta, every: timedelta, *, forecaster: str = "blend"
) -> Trial:
    """Jobs of one length that arrive at even distances from day 60 on.

    Args:
        history: Intensity of the grid.
        expect: Time that each job runs.
        slack: Time that it may wait in all.
        every: Time between two arrivals.
        forecaster: Name of the forecaster.

    Raises:
        InputError: The trace is too short, or the jobs are longer than what is forecast.
    """
    length, wait = max(1, _ceil(expect, history.step)), slack // history.step
    if length + wait > LONGEST_DAYS * history.per_day:
        raise InputError(
            f"a job with its slack takes more than {LONGEST_DAYS} days, beyond any forecast: shorten it"
        )
    arrivals = arrivals_every(
        history.values.size,
        length + wait,
        every=max(1, every // history.step),
        first=FIRST_DAY * history.per_day,
    )
    known = filled(history.values, per_day=history.per_day)
    made = forecasts(known, length + wait, per_day=history.per_day, name=forecaster)
    cohort = plan_cohort(history.values, made, arrivals, length, wait, per_day=history.per_day)
    holes = arrivals.size - cohort.arrivals.size
    if not cohort.arrivals.size:
        raise InputError(
            f"each of the {holes} jobs has a hole of the trace in its window: give a trace without"
        )
    left_out = {"a hole of the trace in the window": holes} if holes else {}
    return Trial(history, [(cohort, np.ones(cohort.arrivals.size))], left_out, in_kw=False)


def try_log(
    history: History,
    log: JobLog,
    slack: timedelta,
    *,
    power_w: float | None = None,
    forecaster: str = "blend",
) -> Trial:
    """Jobs of a log, each of which might have waited from its real start on.

    Emissions are known where each job's energy is, or where a power is given for the rest.

    Args:
        history: Intensity of the grid.
        log: Jobs that ran.
        slack: Time that each might wait in all.
        power_w: Mean power of a job whose energy the log does not state [W].
        forecaster: Name of the forecaster.

    Raises:
        InputError: No job lies within the trace after its first 60 days.
    """
    step, wait = history.step, slack // history.step
    left_out, found = dict(log.left_out), []
    for job in log.jobs:
        arrival, length = history.step_at(job.start), max(1, _ceil(timedelta(seconds=job.length_s), step))
        reason = _unfit(history, arrival, length, wait)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            found.append((arrival, length, _power_kw(job, length * hours(step.total_seconds()), power_w)))
    if not found:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "the log has no job"
        raise InputError(
            f"no job can be tried on {history.zone} ({reasons}): give a trace of the time of the log"
        )
    in_kw = all(power is not None for _, _, power in found)
    known = filled(history.values, per_day=history.per_day)
    longest = max(length for _, length, _ in found)
    made = forecasts(known, longest + wait, per_day=history.per_day, name=forecaster)
    cohorts = []
    by_length: dict[int, list[tuple[int, float]]] = {}
    for arrival, length, power in found:
        weight = power if in_kw and power is not None else 1.0
        by_length.setdefault(length, []).append((arrival, weight))
    for length, own in sorted(by_length.items()):
        own.sort()
        arrivals = np.array([arrival for arrival, _ in own], dtype=np.int64)
        cohort = plan_cohort(history.values, made, arrivals, length, wait, per_day=history.per_day)
        cohorts.append((cohort, np.array([power for _, power in own])))
    return Trial(history, cohorts, left_out, in_kw=in_kw)


def _unfit(history: History, arrival: int, length: int, wait: int) -> str:
    """Why a job cannot be tried, or an empty text."""
    if arrival < FIRST_DAY * history.per_day:
        return f"before day {FIRST_DAY} of the trace"
    if length + wait > LONGEST_DAYS * history.per_day:
        return f"longer than {LONGEST_DAYS} days with the slack"
    window = history.values[arrival : arrival + length + wait]
    if window.size < length + wait:
        return "after the end of the trace"
    return "" if np.isfinite(window).all() else "a hole of the trace in the window"


def _power_kw(job: LoggedJob, run_h: float, power_w: float | None) -> float | None:
    """Mean power over the whole steps of a job [kW], so that its energy is kept; None where unknown."""
    if job.energy_kwh is not None:
        return job.energy_kwh / run_h
    return None if power_w is None else power_w / W_PER_KW * hours(job.length_s) / run_h


def _ceil(time: timedelta, step: timedelta) -> int:
    return -(-time // step)
