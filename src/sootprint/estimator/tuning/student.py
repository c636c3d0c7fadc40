"""Quantiles of Student's t for a whole number of degrees of freedom."""

from __future__ import annotations

import math

_LARGEST = 1e6


def within(t: float, df: int) -> float:
    """Probability that a variable of Student's t lies within `t` of 0.

    Args:
        t: Bound, at least 0.
        df: Degrees of freedom, at least 1.

    Source:
        Abramowitz & Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4.

    >>> round(within(2.0, 3), 6)
    0.860674
    """
    angle = math.atan(t / math.sqrt(df))
    squared, term, total = math.cos(angle) ** 2, 1.0, 1.0
    if df % 2:
        if df == 1:
            return 2.0 * angle / math.pi
        for k in range(3, df - 1, 2):
            term *= (k - 1) / k * squared
            total += term
        return 2.0 / math.pi * (angle + math.sin(angle) * math.cos(angle) * total)
    for k in range(2, df - 1, 2):
        term *= (k - 1) / k * squared
        total += term
    return math.sin(angle) * total


def quantile(confidence: float, df: int) -> float:
    """Bound within which a variable of Student's t lies with some probability.

    Args:
        confidence: Probability, above 0 and below 1.
        df: Degrees of freedom, at least 1.

    >>> round(quantile(0.90, 2), 4), round(quantile(0.95, 10), 4)
    (2.92, 2.2281)
    """
    low, high = 0.0, 1.0
    while within(high, df) < confidence and high < _LARGEST:
        high *= 2.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if within(middle, df) < confidence else (low, middle)
    return 0.5 * (low + high)
