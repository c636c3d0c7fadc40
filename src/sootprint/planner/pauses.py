"""Pausing: the cleanest steps of each job's window, for many jobs at once, exactly.

The sum of the k least values of any range comes from a wavelet matrix of the values' ranks (The Wavelet
Matrix, Information Systems 47, 2015): one bit of the rank is settled on each of about 14 levels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError
from sootprint.planner.exact import FLOAT_BITS, Floats, Ints, fixed, jobs, series

_AT_ONCE = 1 << 14  # jobs: their columns stay in the cache
_Narrow = npt.NDArray[np.int32]


class _Level(NamedTuple):
    zeros: _Narrow  # how many entries before each one have a 0 in this bit of their rank, (n + 1,)
    sums: Floats  # sums of the first so many of those, (n_zeros + 1,)
    n_zeros: int


def best_pauses(
    intensity: npt.ArrayLike, arrivals: npt.ArrayLike, lengths: npt.ArrayLike, slacks: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Least cost of each job that may pause at any step for free, and the highest intensity that it runs in.

    Args:
        intensity: Intensity of steps of equal length, `(n_steps,)`.
        arrivals: First step in which each job may run, `(n_jobs,)` [step].
        lengths: Steps that it runs, at least 1, `(n_jobs,)` [step].
        slacks: Steps that it may wait in all, at least 0, `(n_jobs,)` [step].

    Returns:
        Sums of the least `length` intensities of each window at unit power, and the greatest of them (threshold).

    Raises:
        InputError: A step has no figure, or a job does not fit in the steps.

    >>> costs, thresholds = best_pauses([300.0, 100.0, 200.0, 100.0, 200.0], [0], [3], [2])
    >>> costs.tolist(), thresholds.tolist()
    ([400.0], [200.0])
    """
    values = series(intensity)
    asked = jobs(values.size, arrivals, lengths, slacks)
    order = np.argsort(values, kind="stable")
    whole, per_unit = fixed(values, bits=FLOAT_BITS)
    ranked = whole[order].astype(np.float64)
    levels = _levels(order, ranked)
    costs, ranks = np.empty(asked.lengths.size), np.empty(asked.lengths.size, dtype=np.int64)
    for low in range(0, asked.lengths.size, _AT_ONCE):
        part = slice(low, low + _AT_ONCE)
        first, length = asked.arrivals[part].astype(np.int32), asked.lengths[part].astype(np.int32)
        end = first + length + asked.slacks[part].astype(np.int32)
        costs[part], ranks[part] = _least(levels, first, end, length)
    return (costs + ranked[ranks]) / per_unit, values[order[ranks]]


def pause_hours(intensity: npt.ArrayLike, arrival: int, length: int, slack: int) -> Ints:
    """Steps in which one job runs so that its cost is least, in order; ties go to the earliest step, `(length,)`.

    Args:
        intensity: Intensity of steps of equal length, `(n_steps,)`.
        arrival: First step in which the job may run [step].
        length: Steps that it runs, at least 1 [step].
        slack: Steps that it may wait in all, at least 0 [step].

    Raises:
        InputError: A step of its window has no figure, or the job does not fit in the steps.

    >>> pause_hours([300.0, 100.0, 200.0, 100.0, 200.0], 0, 3, 2).tolist()
    [1, 2, 3]
    """
    given = np.asarray(intensity, dtype=np.float64)
    if given.ndim != 1:
        raise InputError(f"intensity has shape {given.shape}: give one figure for each step")
    asked = jobs(given.size, arrival, length, slack)
    first, steps = int(asked.arrivals[0]), int(asked.lengths[0])
    window = series(given[first : first + steps + int(asked.slacks[0])])
    return first + np.sort(np.argsort(window, kind="stable")[:steps])


def _levels(order: Ints, ranked: Floats) -> list[_Level]:
    """Levels of the matrix, from the highest bit of the ranks to the lowest."""
    ranks = np.empty(order.size, dtype=np.int64)
    ranks[order] = np.arange(order.size)
    made = []
    for bit in reversed(range(max(1, int(order.size - 1).bit_length()))):
        is_zero = (ranks >> bit) & 1 == 0
        low, high = ranks[is_zero], ranks[~is_zero]
        zeros = np.concatenate(([0], np.cumsum(is_zero))).astype(np.int32)
        made.append(_Level(zeros, np.concatenate(([0.0], np.cumsum(ranked[low]))), low.size))
        ranks = np.concatenate((low, high))
    return made


def _least(levels: list[_Level], first: _Narrow, end: _Narrow, left: _Narrow) -> tuple[Floats, Ints]:
    """Sum of the `left - 1` least values from `first` to `end`, and the rank of the next."""
    costs, ranks = np.zeros(first.size), np.zeros(first.size, dtype=np.int32)
    for level in levels:
        below_first, below_end = level.zeros[first], level.zeros[end]
        zeros = below_end - below_first
        upper = left > zeros
        costs += (level.sums[below_end] - level.sums[below_first]) * upper
        left = left - zeros * upper
        first = np.where(upper, first - below_first + np.int32(level.n_zeros), below_first)
        end = np.where(upper, end - below_end + np.int32(level.n_zeros), below_end)
        ranks = ranks + ranks + upper
    return costs, ranks.astype(np.int64)
