"""Relations between columns: rank correlation, log-log slope, and the shares of the factors in the variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
LEAST = 3


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

    >>> rank_correlation([1, 2, 3, 4], [1, 4, 9, 16]).rho
    1.0
    """
    from scipy import stats

    one, other = _pairs(x, y)
    if len(one) < LEAST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return Correlation(rho=None, p=None, n=len(one))
    found = stats.spearmanr(one, other)
    return Correlation(rho=round(float(found.statistic), 12), p=float(found.pvalue), n=len(one))


def log_slope(x: Any, y: Any) -> Slope:
    """Slope of log y on log x over the positive pairs.

    >>> round(log_slope([1, 10, 100], [2, 20, 200]).slope, 6)
    1.0
    """
    from scipy import stats

    one, other = _pairs(x, y)
    positive = (one > 0) & (other > 0)
    one, other = one[positive], other[positive]
    if len(one) < LEAST or np.ptp(one) == 0:
        return Slope(n=len(one))
    found = stats.linregress(np.log10(one), np.log10(other))
    half = float(stats.t.ppf(0.975, len(one) - 2) * found.stderr)
    return Slope(
        slope=float(found.slope),
        low=float(found.slope) - half,
        high=float(found.slope) + half,
        intercept=float(found.intercept),
        r2=float(found.rvalue) ** 2,
        n=len(one),
    )


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
