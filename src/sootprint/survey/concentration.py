"""Concentration: how much of a total few rows have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """Concentration of a total.

    Args:
        n: Rows.
        total: Sum.
        gini: Gini coefficient, 0 for equal shares [0-1].
        top: Share of the k greatest, by k.
        half: Least number of rows that have half of the total.
    """

    n: int
    total: float
    gini: float | None
    top: dict[int, float]
    half: int | None


def lorenz(values: Any) -> tuple[Floats, Floats]:
    """Lorenz curve: share of rows, least first, and their share of the total; both begin at 0.

    >>> [axis.tolist() for axis in lorenz([3.0, 1.0])]
    [[0.0, 0.5, 1.0], [0.0, 0.25, 1.0]]
    """
    array = np.sort(np.asarray(values, dtype=np.float64))
    sums = np.concatenate([[0.0], np.cumsum(array)])
    rows = np.linspace(0.0, 1.0, len(array) + 1)
    return rows, sums / sums[-1] if sums[-1] > 0 else rows


def concentration(values: Any, *, tops: tuple[int, ...] = (1, 2, 4, 10)) -> Concentration:
    """Concentration of the sum of values that are at least 0."""
    array = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    total = float(array.sum())
    if not len(array) or total <= 0:
        return Concentration(n=len(array), total=total, gini=None, top={}, half=None)
    rows, shares = lorenz(array)
    reached = np.cumsum(array) / total
    return Concentration(
        n=len(array),
        total=total,
        gini=float(1 - 2 * np.trapezoid(shares, rows)),
        top={k: float(reached[k - 1]) for k in tops if k <= len(array)},
        half=int(np.searchsorted(reached, 0.5)) + 1,
    )
