"""Estimates of one cell of values: trimmed mean with its interval, beside median and geometric mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sootprint.survey.bootstrap import Interval, interval

Floats = npt.NDArray[np.float64]

TRIM = 0.01  # share dropped from EACH end: what the authors' `scipy.stats.trim_mean(x, 0.01)` does
LEVEL = 0.99
RESAMPLES = 10_000
SEED = 2021
LEAST = 3  # values, or runs where rows share one, below which no interval is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How estimates are made.

    Args:
        trim: Share of the values dropped from each end [0-0.5).
        level: Level of the intervals [0-1].
        resamples: Number of bootstrap resamples.
        seed: Seed of the bootstrap.
        method: "percentile" or "bca".
    """

    trim: float = TRIM
    level: float = LEVEL
    resamples: int = RESAMPLES
    seed: int = SEED
    method: str = "percentile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Estimates of one cell; None where there is none.

    Args:
        n: Values.
        runs: Distinct runs among them, which the bootstrap resamples.
        mean: Trimmed mean.
        trimmed: Values dropped from each end; 0 makes it the plain mean.
        low: Lower bound of the mean.
        high: Upper bound of the mean.
        method: How the bounds were made.
        note: Why there are no bounds, or others than asked for.
        median: Median.
        geometric_mean: Geometric mean of the positive values.
        geometric_low: Lower bound of the geometric mean, Student's t on logarithms.
        geometric_high: Upper bound of it.
        least: Least value.
        most: Greatest value.
    """

    n: int
    runs: int
    mean: float | None = None
    trimmed: int = 0
    low: float | None = None
    high: float | None = None
    method: str | None = None
    note: str | None = None
    median: float | None = None
    geometric_mean: float | None = None
    geometric_low: float | None = None
    geometric_high: float | None = None
    least: float | None = None
    most: float | None = None


def trimmed_mean(values: Floats, trim: float = TRIM) -> tuple[float, int]:
    """Mean without the k least and k greatest values, and k = floor(trim x n).

    Source:
        `scipy.stats.trim_mean`, which the authors call with 0.01: nothing is dropped below 100 values.

    >>> trimmed_mean(np.array([0.0, 1.0, 2.0, 97.0]), 0.25)
    (1.5, 1)
    """
    k = math.floor(trim * len(values) + 1e-9)
    if k == 0:
        return float(np.mean(values)), 0
    inner = np.partition(values, (k, len(values) - k - 1))[k : len(values) - k]
    return float(np.mean(inner)), k


def estimate(values: Any, runs: Any = None, *, how: Settings | None = None, key: str = "") -> Estimate:
    """Estimates of a cell.

    Args:
        values: Finite values, `(n,)`.
        runs: Run of each value; each value is its own where None.
        how: Settings.
        key: Name of the cell, so that its resamples do not depend on the other cells.
    """
    how = how or Settings()
    array = np.asarray(values, dtype=np.float64)
    clusters = cluster_numbers(runs, len(array))
    count = int(clusters.max()) + 1 if len(clusters) else 0
    if not len(array):
        return Estimate(n=0, runs=0, note="no values")
    mean, k = trimmed_mean(array, how.trim)
    bounds = _interval(array, clusters, count, how, key)
    middle, low, high = geometric(array, clusters, level=how.level)
    return Estimate(
        n=len(array),
        runs=count,
        mean=mean,
        trimmed=k,
        low=bounds.low,
        high=bounds.high,
        method=bounds.method,
        note=bounds.note,
        median=float(np.median(array)),
        geometric_mean=middle,
        geometric_low=low,
        geometric_high=high,
        least=float(array.min()),
        most=float(array.max()),
    )


def _interval(
    array: Floats, clusters: npt.NDArray[np.int64], count: int, how: Settings, key: str
) -> Interval:
    if min(len(array), count) < LEAST:
        what = "values" if len(array) < LEAST else "runs"
        return Interval(note=f"no interval below {LEAST} {what}")
    if float(array.min()) == float(array.max()):
        return Interval(note="no interval: all values are equal")
    return interval(
        array,
        clusters,
        trim=how.trim,
        level=how.level,
        resamples=how.resamples,
        seed=(how.seed, key),
        method=how.method,
    )


def cluster_numbers(runs: Any, n: int) -> npt.NDArray[np.int64]:
    """Numbers from 0 of the runs of `n` values."""
    if runs is None:
        return np.arange(n, dtype=np.int64)
    _, numbers = np.unique(np.asarray(runs), return_inverse=True)
    return numbers.astype(np.int64)


def geometric(
    values: Floats, clusters: npt.NDArray[np.int64], *, level: float = LEVEL
) -> tuple[float | None, float | None, float | None]:
    """Geometric mean of the positive values, and its bounds by Student's t on the logarithms of run means.

    >>> geometric(np.array([1.0, 10.0, 100.0]), np.arange(3), level=0.9)[0]
    10.0
    """
    from scipy import special

    positive = values > 0
    if not positive.any():
        return None, None, None
    logs = np.log10(values[positive])
    middle = float(10 ** np.mean(logs))
    own = clusters[positive]
    sizes = np.bincount(own)
    means = np.bincount(own, weights=logs)[sizes > 0] / sizes[sizes > 0]
    if len(means) < LEAST:
        return middle, None, None
    half = float(
        special.stdtrit(len(means) - 1, 0.5 + level / 2) * np.std(means, ddof=1) / math.sqrt(len(means))
    )
    return middle, float(10 ** (np.mean(logs) - half)), float(10 ** (np.mean(logs) + half))
