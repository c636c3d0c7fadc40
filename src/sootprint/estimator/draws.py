"""Draws of estimates in bulk: factors that cases share are drawn once, and the same case gives the same digits.

A factor is a two-piece lognormal, as in `core.intervals`; a footprint is its best estimate times the ratios of its
factors to their own best estimates. On the log scale the cases of a table are sums of a few shared rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.intervals import Z90, drawn_as
from sootprint.core.quantity import Factor
from sootprint.estimator.explain import ASIDE, DIVISORS

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

Array = npt.NDArray[np.float64]

BEYOND_ENERGY = ("pue", "intensity")
CHUNK = 2000  # cases at a time: 16 MB for 1,000 draws
WORKERS = 2


class Interval(NamedTuple):
    """5th, 50th and 95th percentile of many cases, `(n_cases,)` each."""

    low: Array
    median: Array
    high: Array


def emission_factors(footprint: Footprint) -> tuple[Factor, ...]:
    """Factors that entered the operational emissions of an estimate."""
    return tuple(factor for factor in footprint.factors if factor.kind not in ASIDE)


def simulate(footprint: Footprint, draws: int = 10_000, seed: int = 0) -> Array:
    """Draws of the operational emissions of an estimate, `(draws,)` [kgCO2e].

    Args:
        footprint: What `estimate` or `predict` made.
        draws: Number of draws.
        seed: Another seed gives other draws of the same distribution.
    """
    value = 0.0 if footprint.emissions_kg is None else footprint.emissions_kg.value
    rows = [log_ratio(factor, draws, seed) for factor in emission_factors(footprint)]
    total: Array = np.exp(np.sum(rows, axis=0)) * value if rows else np.full(draws, value)
    return total


def intervals_of(
    values: Array, factors: Sequence[Factor], uses: npt.NDArray[np.intp], draws: int = 1000
) -> Interval:
    """Percentiles of many cases whose factors are shared.

    Args:
        values: Best estimates, `(n_cases,)`.
        factors: Different factors of all cases, `(n_factors,)`.
        uses: Positions of each case's factors, `(n_cases, n_used)`; -1 for none.
        draws: Draws of each factor.

    Raises:
        IndexError: A position is beyond the factors.
    """
    rows = np.zeros((len(factors) + 1, draws))
    for position, factor in enumerate(factors):
        rows[position] = log_ratio(factor, draws)
    found = np.empty((3, len(values)))

    def fill(start: int) -> None:
        part = uses[start : start + CHUNK]
        sums = rows[part[:, 0]]
        for column in range(1, part.shape[1]):
            sums += rows[part[:, column]]
        found[:, start : start + CHUNK] = _percentiles(sums)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(fill, range(0, len(values), CHUNK)))
    low, median, high = np.exp(found) * values
    return Interval(low, median, high)


@lru_cache(maxsize=4096)
def log_ratio(factor: Factor, draws: int, seed: int = 0) -> Array:
    """Logarithms of draws of a factor over its best estimate, `(draws,)`; negative where it divides.

    All factors of one kind, key and period share their draws. A factor without bounds or value has none.
    """
    if factor.value is None or factor.low is None or factor.high is None or factor.value <= 0.0:
        return _frozen(np.zeros(draws))
    down = np.log(factor.value / max(factor.low, factor.value * 1e-6)) / Z90
    up = np.log(factor.high / factor.value) / Z90
    if down == 0.0 and up == 0.0:
        return _frozen(np.zeros(draws))
    scores = _ordered(drawn_as(factor), draws, seed)
    sign = -1.0 if factor.kind in DIVISORS else 1.0
    return _frozen(sign * scores * np.where(scores > 0.0, up, down))


def _frozen(array: Any) -> Array:
    made: Array = np.asarray(array, dtype=np.float64)
    made.flags.writeable = False
    return made


@lru_cache(maxsize=4096)
def _ordered(name: str, draws: int, seed: int) -> Array:
    """Normal scores in the seeded order of a name (Latin hypercube sampling)."""
    generator = np.random.Generator(np.random.PCG64((zlib.crc32(name.encode()) << 32) ^ seed))
    return _frozen(generator.permutation(_normal_scores(draws)))


@lru_cache(maxsize=8)
def _normal_scores(draws: int) -> Array:
    """Standard normal quantiles at (k + 1/2) / draws, `(draws,)`.

    Source:
        Acklam, An algorithm for computing the inverse normal cumulative distribution function (2003); relative error
        below 1.2e-9.
    """
    share = (np.arange(draws) + 0.5) / draws
    tail = np.minimum(share, 1.0 - share)
    root = np.sqrt(-2.0 * np.log(tail))
    far = np.polyval(_C, root) / np.polyval(_D, root)
    offset = share - 0.5
    near = np.polyval(_A, offset**2) * offset / np.polyval(_B, offset**2)
    return _frozen(np.where(tail < 0.02425, np.where(share < 0.5, far, -far), near))


_A = (
    -39.69683028665376,
    220.9460984245205,
    -275.9285104469687,
    138.357751867269,
    -30.66479806614716,
    2.506628277459239,
)
_B = (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1.0)
_C = (
    *(-7.784894002430293e-03, -0.3223964580411365, -2.400758277161838),
    *(-2.549732539343734, 4.374664141464968, 2.938163982698783),
)
_D = (7.784695709041462e-03, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1.0)


def _percentiles(sums: Array) -> Array:
    """5th, 50th and 95th percentile along the draws, `(3, n)`; the nearest draws, without a full sort."""
    n = sums.shape[1]
    wanted = [round(share * (n - 1)) for share in (0.05, 0.5, 0.95)]
    sums.partition(wanted, axis=1)
    chosen: Array = sums[:, wanted].T
    return chosen
