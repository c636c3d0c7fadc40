"""What planning would have saved on a trace: each job planned with what was known, and scored with what was true."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats, Ints
from sootprint.planner.forecast import DAYS_A_WEEK, FIRST_DAYS, filled, forecasts
from sootprint.planner.pauses import best_pauses
from sootprint.planner.replan import Flags, no_harm, replanned_pauses, replanned_starts
from sootprint.planner.starts import best_starts

FIRST_DAY = 60  # arrivals count from here on: a forecaster has two months to learn from
MEMORY_DAYS = 60
TRIAL_HOURS = 5  # coprime with 24 and 168: trials see every time of the week
POLICIES = ("start", "pause")


class Cohort(NamedTuple):
    """Jobs of one length and slack: their arrivals, and what each policy did, at unit power.

    Args:
        arrivals: First step in which each job may run, `(n_jobs,)`.
        runs: Steps in which it runs, from its arrival on, by policy, `(n_jobs, window)`.
        costs: True sums of intensity by policy, and of now, oracle_start, oracle_pause and random, `(n_jobs,)`.
        per_day: Steps in a day.
    """

    arrivals: Ints
    runs: dict[str, Flags]
    costs: dict[str, Floats]
    per_day: int


class Score(NamedTuple):
    """Shares of one policy: saved against run-now, of what the oracle saves, and of jobs that it made worse.

    The error is the standard error of the saving over the weeks of the trace [1].
    """

    saving_vs_now: float
    share_of_oracle: float | None
    worse_than_now: float
    error: float


def arrivals_every(n_steps: int, window: int, *, every: int, first: int) -> Ints:
    """Arrivals whose windows lie within the steps, from a first step on.

    Raises:
        InputError: There is none.
    """
    made = np.arange(first, n_steps - window + 1, every)
    if made.size == 0:
        raise InputError(
            f"the trace has {n_steps} steps, and jobs that arrive from step {first} on need {window} each: "
            "give a longer trace"
        )
    return made


def backtest(
    values: Floats,
    arrivals: Ints,
    length: int,
    slack: int,
    *,
    per_day: int,
    forecaster: str = "blend",
    guarded: bool = True,
) -> Cohort:
    """Jobs of one length and slack, each planned again every hour with what was known, scored with the truth.

    A job whose window has a hole is left out. A policy that has lately made jobs of this kind worse is not followed
    (`no_harm`): those jobs run at once.

    Args:
        values: Intensity of each step, nan for a hole, `(n_steps,)`.
        arrivals: First step in which each job may run, in order, `(n_jobs,)`.
        length: Steps that the jobs run.
        slack: Steps that they may wait in all.
        per_day: Steps in a day.
        forecaster: Name of the forecaster.
        guarded: Whether a policy that has lately not helped is left aside.
    """
    known = filled(values, per_day=per_day)
    made = forecasts(known, length + slack, per_day=per_day, name=forecaster)
    return plan_cohort(values, made, arrivals, length, slack, per_day=per_day, guarded=guarded)


def plan_cohort(
    values: Floats,
    made: Floats,
    arrivals: Ints,
    length: int,
    slack: int,
    *,
    per_day: int,
    guarded: bool = True,
) -> Cohort:
    """Jobs of one length and slack as `backtest` plans them, from forecasts made at each step."""
    every, window = max(1, per_day // 24), length + slack
    holes = np.concatenate(([0], np.cumsum(~np.isfinite(values))))
    arrivals = arrivals[holes[arrivals + window] == holes[arrivals]]
    truth = np.nan_to_num(values, nan=0.0)
    trials = _trials(arrivals, holes, window, per_day=per_day)
    everyone = np.concatenate((trials, arrivals))
    runs = _runs(made, everyone, length, slack, every=every)
    steps = truth[everyone[:, None] + np.arange(window)[None, :]]
    now = steps[:, :length].sum(axis=1)
    costs = {"now": now, **{policy: (steps * flags).sum(axis=1) for policy, flags in runs.items()}}
    ended = np.searchsorted(everyone, everyone - window, side="right")
    first = np.searchsorted(everyone, everyone - window - MEMORY_DAYS * per_day)
    span = everyone[np.maximum(0, ended - 1)] - everyone[np.minimum(first, everyone.size - 1)]
    independent = 1.0 + span / window
    for policy, flags in runs.items() if guarded else ():
        helps = no_harm(_saved(now, costs[policy]), first, ended, independent=independent)
        flags[~helps] = np.arange(window)[None, :] < length
        costs[policy] = np.where(helps, costs[policy], now)
    own = slice(trials.size, None)
    costs |= _oracles(truth, everyone, length, slack)
    return Cohort(
        arrivals,
        {policy: flags[own] for policy, flags in runs.items()},
        {name: column[own] for name, column in costs.items()},
        per_day,
    )


def score(cohorts: list[tuple[Cohort, Floats]], policy: str) -> Score:
    """Score of a policy over jobs: ratios of sums, each job by its weight.

    Args:
        cohorts: Jobs of one length each, with the weights of their jobs, e.g. powers [W].
        policy: start or pause.
    """
    now, then, best = (
        sum(float(weights @ cohort.costs[name]) for cohort, weights in cohorts)
        for name in ("now", policy, f"oracle_{policy}")
    )
    worse = sum(
        int((cohort.costs[policy] > cohort.costs["now"] * (1.0 + 1e-9)).sum()) for cohort, _ in cohorts
    )
    jobs = sum(cohort.arrivals.size for cohort, _ in cohorts)
    possible = now - best
    return Score(
        (now - then) / now if now > 0.0 else 0.0,
        (now - then) / possible if possible > 1e-9 * now else None,
        worse / jobs,
        _error(cohorts, policy),
    )


def _error(cohorts: list[tuple[Cohort, Floats]], policy: str) -> float:
    """Standard error of a ratio of sums, weeks as its blocks (Cochran, Sampling Techniques, 1977, ratio estimator)."""
    now = np.concatenate([weights * cohort.costs["now"] for cohort, weights in cohorts])
    then = np.concatenate([weights * cohort.costs[policy] for cohort, weights in cohorts])
    weeks = np.concatenate([cohort.arrivals // (DAYS_A_WEEK * cohort.per_day) for cohort, _ in cohorts])
    _, block = np.unique(weeks, return_inverse=True)
    blocks = int(block.max()) + 1
    if blocks < 2 or now.sum() <= 0.0:
        return float("nan")
    rest = np.bincount(block, then - now * (then.sum() / now.sum()))
    return float(np.sqrt((rest**2).sum() * blocks / (blocks - 1)) / now.sum())


def _trials(arrivals: Ints, holes: Ints, window: int, *, per_day: int) -> Ints:
    """Arrivals before the first, in which the policies are tried without effect, so that their worth is known."""
    if arrivals.size == 0:
        return arrivals
    step = max(1, TRIAL_HOURS * per_day // 24)
    made: Ints = np.arange(FIRST_DAYS * per_day, int(arrivals[0]), step)
    whole: Ints = made[holes[made + window] == holes[made]]
    return whole


def _runs(made: Floats, arrivals: Ints, length: int, slack: int, *, every: int) -> dict[str, Flags]:
    """Steps in which each job runs under each policy."""
    starts = replanned_starts(made, arrivals, length, slack, every=every) - arrivals
    at = np.arange(length + slack)[None, :]
    started = (at >= starts[:, None]) & (at < starts[:, None] + length)
    return {"start": started, "pause": replanned_pauses(made, arrivals, length, slack, every=every)}


def _oracles(truth: Floats, arrivals: Ints, length: int, slack: int) -> dict[str, Floats]:
    """Costs with perfect foresight, and the mean cost over all starts."""
    sums = np.concatenate(([0.0], np.cumsum(truth)))
    windows = np.concatenate(([0.0], np.cumsum(sums[length:] - sums[:-length])))
    return {
        "oracle_start": best_starts(truth, arrivals, length, slack)[1],
        "oracle_pause": best_pauses(truth, arrivals, length, slack)[0],
        "random": (windows[arrivals + slack + 1] - windows[arrivals]) / (slack + 1),
    }


def _saved(now: Floats, then: Floats) -> Floats:
    return (now - then) / np.where(now > 0.0, now, 1.0)
