"""Plans that are made again each hour from the newest forecast: start or wait, run or pause.

Nothing here needs a network: a job whose remaining steps fill its window runs, whatever any forecast says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sootprint.planner.exact import Floats, Ints
from sootprint.planner.overheads import rest_costs

ADVANTAGE = 0.02  # a later start, and another place, must be better by that much
Flags = npt.NDArray[np.bool_]


def must_run(left: float, until_deadline: float, *, margin: float = 0.0) -> bool:
    """Whether a job must run now to end in time, forecast or none.

    Args:
        left: Time that it still runs, its resume included.
        until_deadline: Time until its deadline, in the same unit.
        margin: Share of `left` kept free for a run that lasts longer than expected [1].

    >>> must_run(5.0, 6.0), must_run(5.0, 6.0, margin=0.3)
    (False, True)
    """
    return until_deadline <= left * (1.0 + margin)


def start_now(expected: Floats, length: int, slack: int, *, advantage: float = 0.0) -> bool:
    """Whether to start in the first of the expected steps.

    Args:
        expected: Forecast of the next steps, at least `length + slack` of them.
        length: Steps that the job runs.
        slack: Steps that it may still wait.
        advantage: Share of the cost now by which a later start must be better [1].

    >>> start_now(np.array([200.0, 100.0, 100.0]), 1, 2), start_now(np.array([200.0, 199.0]), 1, 1, advantage=0.05)
    (False, True)
    """
    sums = np.concatenate(([0.0], np.cumsum(expected[: length + slack])))
    windows = sums[length:] - sums[:-length]
    return bool(windows.min() >= windows[0] - advantage * abs(windows[0]))


def run_now(
    expected: Floats,
    left: int,
    slack: int,
    *,
    resume_cost: float = 0.0,
    idle_share: float = 0.0,
    running: bool | None = None,
) -> bool:
    """Whether a job that may pause runs in the first of the expected steps.

    Args:
        expected: Forecast of the next steps, at least `left + slack` of them.
        left: Steps that the job still runs.
        slack: Steps that it may still wait.
        resume_cost: Energy of one resume, in steps of running [step].
        idle_share: Power in a pause over that of the run [0-1].
        running: Whether it ran in the last step; None before its first start.

    >>> run_now(np.array([120.0, 100.0]), 1, 1), run_now(np.array([120.0, 100.0]), 1, 1, running=True, resume_cost=0.5)
    (False, True)
    """
    runs, resumes, waits = rest_costs(expected[: left + slack], left, resume_cost, idle_share)
    if running is None:
        return int(runs[:, left].argmin()) == 0
    now = runs if running else resumes
    return bool(now[0, left] <= waits[0, left])


def replanned_starts(
    forecasts: Floats, arrivals: Ints, length: int, slack: int, *, every: int = 1, advantage: float = 0.0
) -> Ints:
    """First step of each job that is planned again every so many steps until it starts, `(n_jobs,)`.

    Args:
        forecasts: Forecast made at each step of that step and those after it, `(n_steps, horizon)`.
        arrivals: First step in which each job may run, `(n_jobs,)`.
        length: Steps that the jobs run; `length + slack` at most the horizon.
        slack: Steps that they may wait.
        every: Steps between two plans.
        advantage: Share of the cost now by which a later start must be better [1].
    """
    starts = np.full(arrivals.size, -1)
    for waited in range(0, slack + 1, every):
        open_jobs = np.flatnonzero(starts < 0)
        rows = forecasts[arrivals[open_jobs] + waited][:, : length + slack - waited]
        sums = np.cumsum(rows, axis=1)
        windows = sums[:, length - 1 :].copy()
        windows[:, 1:] -= sums[:, : windows.shape[1] - 1]
        windows[:, 0] -= advantage * np.abs(windows[:, 0])
        best = windows.argmin(axis=1)
        go = best < every
        starts[open_jobs[go]] = arrivals[open_jobs[go]] + waited + best[go]
    return starts


def replanned_pauses(forecasts: Floats, arrivals: Ints, length: int, slack: int, *, every: int = 1) -> Flags:
    """Whether each job runs in each step of its window, planned again every so many steps, `(n_jobs, window)`.

    Args:
        forecasts: Forecast made at each step of that step and those after it, `(n_steps, horizon)`.
        arrivals: First step in which each job may run, `(n_jobs,)`.
        length: Steps that the jobs run; `length + slack` at most the horizon.
        slack: Steps that they may wait in all.
        every: Steps between two plans.
    """
    window = length + slack
    runs = np.zeros((arrivals.size, window), dtype=np.bool_)
    left = np.full(arrivals.size, length)
    for at in range(0, window, every):
        rows = forecasts[arrivals + at][:, : window - at]
        for step in range(min(every, window - at)):
            own = rows[:, step, None]
            cleaner = (rows[:, step + 1 :] < own).sum(axis=1) + (rows[:, :step] <= own).sum(axis=1)
            runs[:, at + step] = cleaner < left
        left = left - runs[:, at : at + every].sum(axis=1)
    return runs


def no_harm(savings: Floats, first: Ints, ended: Ints, *, independent: Floats) -> Flags:
    """Whether to plan for each job at all: only where planning has lately saved more than its error bar.

    The jobs whose truth is known by then are looked at; their mean saving must be above its standard error.

    Args:
        savings: Share of its emissions that planning would have saved each job, by arrival, `(n_jobs,)`.
        first: For each job, the first of the jobs before it that still counts, `(n_jobs,)`.
        ended: For each job, how many jobs had ended when it arrived, `(n_jobs,)`.
        independent: How many of those jobs count as independent: windows that do not overlap, `(n_jobs,)`.

    Returns:
        True where planning has earned it, and where no job has ended yet, `(n_jobs,)`.
    """
    first = np.minimum(first, ended)
    known = np.maximum(1, ended - first)
    means, squares = (
        (sums[ended] - sums[first]) / known
        for sums in (np.concatenate(([0.0], np.cumsum(savings**power))) for power in (1, 2))
    )
    error = np.sqrt(np.maximum(0.0, squares - means**2) / np.clip(independent, 1.0, known))
    made: Flags = np.where(ended > first, means > error, True)
    return made


def clears(draws: Floats, length: int, steps: Ints, *, cost: float = 0.0) -> bool:
    """Whether running in some later steps is expected to save more than its standard error, against running at once.

    Args:
        draws: Equally likely courses of the next steps, `(n_draws, n_steps)`.
        length: Steps that the job runs.
        steps: Steps in which it would run.
        cost: Steps of energy that the wait adds, at the intensity of the last of the steps [step].

    >>> clears(np.array([[300.0, 100.0], [310.0, 120.0]]), 1, np.array([1]))
    True
    >>> clears(np.array([[300.0, 100.0], [100.0, 310.0]]), 1, np.array([1]))
    False
    """
    saved = draws[:, :length].sum(axis=1) - draws[:, steps].sum(axis=1) - cost * draws[:, steps[-1]]
    return bool(saved.mean() > saved.std() / np.sqrt(saved.size))
