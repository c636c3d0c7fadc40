"""The clustered bootstrap of a trimmed mean: runs are drawn with replacement, each with all of its values.

Every resample is drawn: nothing is approximated. A resample costs one random number and one or two look-ups for each
run; its trimmed values are found among the runs that have a value near an end, which are few.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BATCH = 1 << 15  # draws that are held at a time: what stays in a core's cache
JACKKNIFE = 500  # at most so many groups of runs are left out in turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of an estimate, the method behind them, and a remark."""

    low: float | None = None
    high: float | None = None
    method: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Runs:
    """Values by run, the runs with a value near an end first.

    Args:
        sums: Sum of each run's values, `(runs,)`.
        sizes: Number of each run's values, `(runs,)`.
        near: Number of runs with a value near an end.
        low: Least values, ascending, and their runs.
        high: Greatest values, descending, and their runs.
    """

    sums: Floats
    sizes: Floats
    near: int
    low: tuple[Floats, Ints]
    high: tuple[Floats, Ints]


def interval(
    values: Floats,
    clusters: Ints,
    *,
    trim: float,
    level: float,
    resamples: int,
    seed: tuple[int, str],
    method: str = "percentile",
) -> Interval:
    """Bootstrap interval of the trimmed mean.

    Args:
        values: Values, `(n,)`, of at least three runs.
        clusters: Number of each value's run, `(n,)`.
        trim: Share dropped from each end [0-0.5).
        level: Level [0-1].
        resamples: Number of resamples.
        seed: Seed, and the name of the cell.
        method: "percentile" or "bca".

    Source:
        Efron and Tibshirani, An Introduction to the Bootstrap (1993), sections 13.3 and 14.3.
    """
    means = resampled_means(values, clusters, trim=trim, resamples=resamples, seed=seed)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    note = None
    if method == "bca":
        adjusted = _bca(values, clusters, means, trim=trim, tails=tails)
        note = None if adjusted is not None else "percentile: BCa needs variation among the runs left out"
        tails, method = (adjusted, "bca") if adjusted is not None else (tails, "percentile")
    low, high = np.quantile(means, tails)
    return Interval(low=float(low), high=float(high), method=method, note=note)


def resampled_means(
    values: Floats, clusters: Ints, *, trim: float, resamples: int, seed: tuple[int, str]
) -> Floats:
    """Trimmed means of the resamples, `(resamples,)`."""
    runs = _by_run(values, clusters, trim)
    rng = np.random.default_rng([seed[0], zlib.crc32(seed[1].encode())])
    count = len(runs.sums)
    batch = max(1, min(resamples, BATCH // count))
    means = np.empty(resamples)
    for start in range(0, resamples, batch):
        size = min(batch, resamples - start)
        means[start : start + size] = _batch(rng, runs, size, trim)
    return means


def _by_run(values: Floats, clusters: Ints, trim: float) -> _Runs:
    count = int(clusters.max()) + 1
    order = np.argsort(values, kind="stable")
    # A resample of heavy runs may hold more values than the sample, and repeat the ones at an end.
    reach = min(len(values), 2 * math.ceil(trim * len(values)) + 64) if trim > 0 else 0
    ends = np.unique(np.concatenate([clusters[order[:reach]], clusters[order[::-1][:reach]]]))
    rank = np.full(count, -1, dtype=np.int64)
    rank[ends] = np.arange(len(ends))
    rank[rank < 0] = np.arange(len(ends), count)
    own = rank[clusters]
    return _Runs(
        sums=np.asarray(np.bincount(own, weights=values, minlength=count), dtype=np.float64),
        sizes=np.bincount(own, minlength=count).astype(np.float64),
        near=len(ends),
        low=(values[order[:reach]], own[order[:reach]]),
        high=(values[order[::-1][:reach]], own[order[::-1][:reach]]),
    )


def _batch(rng: np.random.Generator, runs: _Runs, size: int, trim: float) -> Floats:
    """Trimmed means of `size` resamples."""
    count = len(runs.sums)
    drawn = rng.integers(0, count, size=(size, count), dtype=np.uint32).astype(np.intp)
    held = np.empty((size, count))
    # Every index is within the bounds; `clip` only spares the check, which would take longer than the look-up.
    sums = runs.sums.take(drawn, out=held, mode="clip").sum(axis=1)
    single = float(runs.sizes.max()) == 1.0
    sizes = np.full(size, float(count))
    if not single:
        sizes = runs.sizes.take(drawn, out=held, mode="clip").sum(axis=1)
    dropped = np.floor(trim * sizes + 1e-9).astype(np.int64)
    for one in np.flatnonzero(dropped):
        times = np.bincount(drawn[one][drawn[one] < runs.near], minlength=runs.near)
        k = int(dropped[one])
        sums[one] -= _end(runs.low, times, k) + _end(runs.high, times, k)
    return np.asarray(sums / (sizes - 2 * dropped))


def _end(end: tuple[Floats, Ints], times: Ints, k: int) -> float:
    """Sum of the k values of a resample nearest to one end."""
    values, runs = end
    counts = times[runs]
    reached = np.cumsum(counts)
    last = int(np.searchsorted(reached, k))
    # All of the values near the end, and then more of the last one: a bound that is not met
    if last >= len(values):
        return float(values @ counts + (k - reached[-1]) * values[-1])
    before = int(reached[last - 1]) if last else 0
    return float(values[:last] @ counts[:last] + (k - before) * values[last])


def _bca(values: Floats, clusters: Ints, means: Floats, *, trim: float, tails: Floats) -> Floats | None:
    """Bias-corrected and accelerated probabilities, or None where they are not defined."""
    from scipy import special

    whole = _mean(values, trim)
    below = float(np.mean(means < whole) + np.mean(means == whole) / 2)
    left_out = _left_out(values, clusters, trim)
    apart = left_out.mean() - left_out
    spread = float(np.sum(apart**2))
    if spread == 0.0 or not 0.0 < below < 1.0:
        return None
    bias = float(special.ndtri(below))
    acceleration = float(np.sum(apart**3) / (6 * spread**1.5))
    shifted = bias + special.ndtri(tails)
    probabilities = special.ndtr(bias + shifted / (1 - acceleration * shifted))
    return np.asarray(np.clip(probabilities, 0.0, 1.0), dtype=np.float64)


def _left_out(values: Floats, clusters: Ints, trim: float) -> Floats:
    """Trimmed means with one run left out at a time, or a group of runs where there are many."""
    group = clusters % min(int(clusters.max()) + 1, JACKKNIFE)
    return np.array([_mean(values[group != one], trim) for one in range(int(group.max()) + 1)])


def _mean(values: Floats, trim: float) -> float:
    k: Any = math.floor(trim * len(values) + 1e-9)
    return float(np.sort(values)[k : len(values) - k].mean())
