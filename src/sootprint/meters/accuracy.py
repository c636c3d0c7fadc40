"""How true a meter's reading is, as a factor of the record."""

from __future__ import annotations

from sootprint.core.quantity import Factor


def accuracy(key: str, ratios: tuple[float, float], *, source: str) -> Factor:
    """True over read energy of a meter [1].

    Args:
        key: Meter and what it reads, e.g. "rapl package".
        ratios: 5th and 95th percentile [1].
        source: Where they are from.
    """
    low, high = ratios
    return Factor(
        kind="meter_accuracy",
        key=key,
        value=1.0,
        low=low,
        high=high,
        method="true over read energy",
        source=source,
    )
