"""Against stampedes: a start drawn among near-equal ones by each job's name, and a cap on the jobs of a step."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats, Ints, jobs, series

NEAR = 0.01  # starts within 1 % of the best cost are equal for the grid: hourly figures are no more exact


class Fleet(NamedTuple):
    """First step of each job `(n_jobs,)`, jobs in each step `(n_steps,)`, and which jobs no free slot was left for."""

    starts: Ints
    load: Ints
    over: Ints


def jittered_start(intensity: npt.ArrayLike, length: int, slack: int, *, key: str, near: float = NEAR) -> int:
    """First step of one job, drawn by its name among the starts whose cost is near the best; the same each time.

    Args:
        intensity: Intensity of steps of equal length from the job's arrival on, `(n_steps,)`.
        length: Steps that it runs [step].
        slack: Steps that it may wait [step].
        key: Name of the job, e.g. its id.
        near: Cost over the best cost, less 1, up to which a start is as good [1].

    >>> sorted({jittered_start([100.0] * 8, 2, 3, key=str(job)) for job in range(40)})
    [0, 1, 2, 3]
    """
    values = series(intensity)
    jobs(values.size, 0, length, slack)
    return _drawn(_windows(values, length)[: slack + 1], key=key, near=near)


def plan_fleet(
    intensity: npt.ArrayLike,
    arrivals: npt.ArrayLike,
    lengths: npt.ArrayLike,
    slacks: npt.ArrayLike,
    *,
    capacity: int,
    near: float = NEAR,
) -> Fleet:
    """Starts of many jobs so that no step has more of them than a cap, in the order of their arrival.

    A job for which no start keeps the cap runs where it exceeds it in the fewest steps: its deadline comes first.

    Args:
        intensity: Intensity of steps of equal length, `(n_steps,)`.
        arrivals: First step in which each job may run, `(n_jobs,)` [step].
        lengths: Steps that it runs, `(n_jobs,)` [step].
        slacks: Steps that it may wait, `(n_jobs,)` [step].
        capacity: Most jobs in one step, at least 1.
        near: Cost over the best cost, less 1, up to which a start is as good [1].

    Raises:
        InputError: A job does not fit in the steps, or the cap is below 1.

    >>> plan_fleet([300.0, 100.0, 200.0], [0, 0, 0], [1, 1, 1], [2, 2, 2], capacity=2).load.tolist()
    [0, 2, 1]
    """
    if capacity < 1:
        raise InputError(f"capacity is {capacity} jobs in a step: it is at least 1")
    values = series(intensity)
    asked = jobs(values.size, arrivals, lengths, slacks)
    starts, load, over = np.empty_like(asked.arrivals), np.zeros(values.size, dtype=np.int64), []
    for job in np.argsort(asked.arrivals, kind="stable"):
        first, length, slack = (int(column[job]) for column in asked)
        window = slice(first, first + length + slack)
        excess = _windows((load[window] >= capacity).astype(np.float64), length)
        costs = np.where(excess == excess.min(), _windows(values[window], length), np.inf)
        start = first + _drawn(costs, key=str(job), near=near)
        starts[job] = start
        load[start : start + length] += 1
        if excess.min() > 0.0:
            over.append(job)
    return Fleet(starts, load, np.array(sorted(over), dtype=np.int64))


def _windows(values: Floats, length: int) -> Floats:
    """Sum of each run of `length` steps."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return sums[length:] - sums[:-length]


def _drawn(costs: Floats, *, key: str, near: float) -> int:
    """Index of a cost near the least, by the hash of a name."""
    least = float(costs.min())
    good = np.flatnonzero(costs <= least + near * abs(least))
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int(good[int.from_bytes(digest, "big") % good.size])
