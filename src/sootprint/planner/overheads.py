"""Pausing with its price: resume energy and idle draw, by an exact dynamic programme over steps and work left."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError
from sootprint.planner.exact import ROUNDING, Floats, Ints, jobs, series


def plan_with_overheads(
    intensity: npt.ArrayLike, length: int, slack: int, resume_cost: float, idle_share: float
) -> tuple[float, Ints]:
    """Least cost of one job whose pauses cost something, and the steps in which it runs; ties go to the earliest.

    Each resume after the first start adds `resume_cost` steps of energy at the intensity of the step resumed in;
    each paused step between the first and the last run step costs `idle_share` of its intensity.

    Args:
        intensity: Intensity of steps of equal length, from the job's arrival on, at least `length + slack` of them.
        length: Steps that the job runs, at least 1 [step].
        slack: Steps that it may wait in all, at least 0 [step].
        resume_cost: Energy of one resume, in steps of running [step].
        idle_share: Power of the held node in a pause over that of the run [0-1].

    Returns:
        Sum of intensities at unit power, overheads in it; and the steps run, `(length,)`.

    Raises:
        InputError: A step has no figure, the job does not fit, or an overhead is outside its range.

    Source:
        Bellman, Dynamic Programming (1957): the least cost of what is left, for each step and count of steps left.

    >>> cost, steps = plan_with_overheads([200.0, 300.0, 100.0, 100.0], 3, 1, 0.25, 0.0)
    >>> cost, steps.tolist()
    (425.0, [0, 2, 3])
    """
    for name, value, most in (("resume_cost", resume_cost, math.inf), ("idle_share", idle_share, 1.0)):
        if not (0.0 <= value <= most and math.isfinite(value)):
            raise InputError(f"{name} is {value}: it is at least 0" + (", at most 1" if most == 1.0 else ""))
    given = np.asarray(intensity, dtype=np.float64)
    asked = jobs(given.size, 0, length, slack)
    needed, window = int(asked.lengths[0]), series(given[: int(asked.lengths[0] + asked.slacks[0])])
    runs, resumes, waits = rest_costs(window, needed, resume_cost, idle_share)
    steps = _followed(window, runs, resumes, waits)
    return plan_cost(window, steps, resume_cost, idle_share), steps


def rest_costs(
    window: Floats, length: int, resume_cost: float, idle_share: float
) -> tuple[Floats, Floats, Floats]:
    """Least cost from each step on with so many steps left, for each of three things done in the step.

    Args:
        window: Intensity of each step, `(n_steps,)`.
        length: Most steps left.
        resume_cost: Energy of one resume, in steps of running [step].
        idle_share: Power in a pause over that of the run [0-1].

    Returns:
        Costs of going on running, of resuming, and of a pause, each `(n_steps, length + 1)`; infinite where the
        steps left do not suffice.
    """
    n_steps = window.size
    runs, resumes, waits = (np.full((n_steps, length + 1), math.inf) for _ in range(3))
    after_run, after_wait = np.full(length + 1, math.inf), np.full(length + 1, math.inf)
    after_run[0] = after_wait[0] = 0.0
    for step in range(n_steps - 1, -1, -1):
        cost = float(window[step])
        runs[step, 1:] = after_run[:-1] + cost
        resumes[step, 1:] = runs[step, 1:] + resume_cost * cost
        waits[step] = after_wait + idle_share * cost
        after_run = np.minimum(runs[step], waits[step])
        after_wait = np.minimum(resumes[step], waits[step])
        after_run[0] = after_wait[0] = 0.0
    return runs, resumes, waits


def plan_cost(intensity: Floats, steps: Ints, resume_cost: float, idle_share: float) -> float:
    """Cost of running in given steps, overheads in it: the sum of intensities at unit power."""
    gaps = np.flatnonzero(np.diff(steps) > 1)
    held = math.fsum(intensity[steps[0] : steps[-1] + 1]) - math.fsum(intensity[steps])
    resumed = math.fsum(intensity[steps[gaps + 1]])
    return math.fsum(intensity[steps]) + resume_cost * resumed + idle_share * held


def _followed(window: Floats, runs: Floats, resumes: Floats, waits: Floats) -> Ints:
    """Steps of the least cost, the earliest where costs are equal."""
    left = runs.shape[1] - 1
    tolerance = ROUNDING * float(np.abs(window).sum())
    firsts = runs[:, left]
    at = int(np.flatnonzero(firsts <= firsts.min() + tolerance)[0])
    steps: list[int] = []
    running = True
    while left:
        run = runs[at, left] if running else resumes[at, left]
        running = bool(run <= waits[at, left] + tolerance) or not steps
        if running:
            steps.append(at)
            left -= 1
        at += 1
    return np.array(steps, dtype=np.int64)
