"""Relations between columns: rank correlation, log-log slope, and the shares of the factors in the variance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEAST = 3
FEW = 8  # pairs below which the p-value of a rank correlation is exact, of at most 5,040 orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """Spearman's rank correlation, its two-sided p-value, and the number of pairs; None below three pairs."""

    rho: float | None
    p: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Least-squares slope of log y on log x, with a 95 % interval; None below three pairs.

    Args:
        slope: Elasticity: per cent of y for one per cent of x.
        low: Lower bound.
        high: Upper bound.
        intercept: Logarithm to base 10 of y at x = 1.
        r2: Share of the variance of log y that the line explains.
        n: Pairs of positive values.
    """

    slope: float | None = None
    low: float | None = None
    high: float | None = None
    intercept: float | None = None
    r2: float | None = None
    n: int = 0


def rank_correlation(x: Any, y: Any) -> Correlation:
    """Spearman's rank correlation of two columns; pairs with an unknown are left out.

    Below eight pairs the p-value is that of all orders of the ranks: three models in a row prove nothing (p = 1/3),
    where Student's t would have 0.

    Source:
        Student's t of the correlation of the ranks, n - 2 degrees of freedom, as `scipy.stats.spearmanr` has it;
        Hollander, Wolfe & Chicken, Nonparametric Statistical Methods (2014), section 8.5, for few pairs.

    >>> rank_correlation([1, 2, 3, 4], [1, 4, 9, 16]).rho
    1.0
    """
    from scipy import special  # `scipy.stats` has the whole of it, and takes a second to load

    one, other = _pairs(x, y)
    n = len(one)
    if n < LEAST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return Correlation(rho=None, p=None, n=n)
    first, second = _ranks(one), _ranks(other)
    rho = min(1.0, max(-1.0, float(np.corrcoef(first, second)[0, 1])))
    if n < FEW:
        return Correlation(rho=round(rho, 12), p=_of_all_orders(first, second), n=n)
    rest = (1.0 - rho) * (1.0 + rho)
    t = rho * math.sqrt((n - 2) / rest) if rest > 0.0 else math.inf
    return Correlation(rho=round(rho, 12), p=float(2.0 * special.stdtr(n - 2, -abs(t))), n=n)


def _of_all_orders(one: Floats, other: Floats) -> float:
    """Share of the orders of some ranks that are at least as far from no correlation as the one that is there."""
    apart = one - one.mean()
    orders = np.array(list(itertools.permutations(other - other.mean())))
    reached = np.abs(orders @ apart)
    return float(np.mean(reached >= abs(float(apart @ (other - other.mean()))) - 1e-9))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[number], dtype=np.float64)


def log_slope(x: Any, y: Any) -> Slope:
    """Slope of log y on log x over the positive pairs.

    >>> round(log_slope([1, 10, 100], [2, 20, 200]).slope, 6)
    1.0
    """
    from scipy import special

    one, other = _pairs(x, y)
    positive = (one > 0) & (other > 0)
    one, other = np.log10(one[positive]), np.log10(other[positive])
    n = len(one)
    if n < LEAST or np.ptp(one) == 0:
        return Slope(n=n)
    across, along = float(np.cov(one, other)[0, 1]), float(np.var(one, ddof=1))
    slope = across / along
    intercept = float(other.mean()) - slope * float(one.mean())
    whole = float(np.sum((other - other.mean()) ** 2))
    rest = float(np.sum((other - intercept - slope * one) ** 2))
    error = math.sqrt(rest / (n - 2) / (along * (n - 1)))
    half = float(special.stdtrit(n - 2, 0.975)) * error
    r2 = max(0.0, 1.0 - rest / whole) if whole > 0.0 else 0.0
    return Slope(slope=slope, low=slope - half, high=slope + half, intercept=intercept, r2=r2, n=n)


def log_variance_shares(factors: Mapping[str, Any]) -> dict[str, float]:
    """Share of each factor in the variance of the logarithm of their product.

    The share of a factor is its covariance with the logarithm of the product over the variance of that, so the
    shares add up to 1; one below 0 would mean that a factor works against the others. Empty below three rows.

    >>> shares = log_variance_shares({"time": [1, 10, 100], "power": [2, 2, 2]})
    >>> {name: round(share, 6) for name, share in shares.items()}
    {'time': 1.0, 'power': 0.0}
    """
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in factors.items()}
    stacked = np.stack(list(columns.values()))
    usable = np.all(np.isfinite(stacked) & (stacked > 0), axis=0)
    if usable.sum() < LEAST:
        return {}
    logs = np.log10(stacked[:, usable])
    total = logs.sum(axis=0)
    variance = float(np.var(total))
    if variance == 0.0:
        return {}
    shares = ((logs - logs.mean(axis=1, keepdims=True)) * (total - total.mean())).mean(axis=1) / variance
    return {name: float(share) for name, share in zip(columns, shares, strict=True)}


def _pairs(x: Any, y: Any) -> tuple[Floats, Floats]:
    one, other = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    usable = np.isfinite(one) & np.isfinite(other)
    return one[usable], other[usable]
