"""Why an interval is as wide as it is: the share of each factor in it, its swing alone, and its evidence."""

from __future__ import annotations

import math
from typing import NamedTuple

from sootprint.core.quantity import Factor
from sootprint.core.records import Footprint

# What enters the operational emissions; the rest stands beside them, with intervals of its own.
ASIDE = ("water", "water_of_electricity", "price", "embodied", "lifetime", "busy_share")
DIVISORS = ("peak_rate", "utilisation")
TIERS = {
    4: "given",
    3: "published",
    2: "measured on like runs",
    1: "fitted or measured on unlike runs",
    0: "assumed or not confirmed",
}
_OF_LIKE_RUNS = ("power_fraction", "host_overhead")
_WORLD = ("WORLD", "WLD", "world")


class Share(NamedTuple):
    """One factor with its share in the variance of the logarithm of the emissions [0-1], where it has bounds."""

    factor: Factor
    share: float | None


class Swing(NamedTuple):
    """Emissions with one factor at its 5th and 95th percentile, the others at their best estimate.

    Args:
        factor: The factor.
        low: Least emissions of the two [kgCO2e].
        high: Most emissions of the two [kgCO2e].
        share: Share in the variance of the logarithm [0-1].
        tier: Evidence for the factor, a key of `TIERS`.
    """

    factor: Factor
    low: float
    high: float
    share: float
    tier: int


def shares(footprint: Footprint) -> list[Share]:
    """Factors of the emissions of an estimate in their order, each with its share in the variance.

    The share is ln^2 of the ratio of the bounds over the sum of the same for all factors; a factor without bounds
    has none. Only the factors that were multiplied are among them (`estimate` lists no other).

    Source:
        Limpert, Stahel & Abbt, Log-normal Distributions across the Sciences, BioScience 51 (2001).
    """
    entered = [factor for factor in footprint.factors if factor.kind not in ASIDE]
    widths = [_squared_width(factor) for factor in entered]
    total = math.fsum(width for width in widths if width is not None)
    return [
        Share(factor, None if width is None else (width / total if total > 0.0 else 0.0))
        for factor, width in zip(entered, widths, strict=True)
    ]


def tornado(footprint: Footprint) -> list[Swing]:
    """Swing of the emissions with each factor that has a spread, the widest first.

    Source:
        Eschenbach, Spiderplots versus Tornado Diagrams for Sensitivity Analysis, Interfaces 22 (1992).
    """
    if footprint.emissions_kg is None:
        return []
    value = footprint.emissions_kg.value
    swings = []
    for factor, share in shares(footprint):
        if share and factor.value and factor.low is not None and factor.high is not None:
            ratios = sorted((_ratio(factor, factor.low), _ratio(factor, factor.high)))
            swings.append(Swing(factor, value * ratios[0], value * ratios[1], share, tier(factor)))
    return sorted(swings, key=lambda swing: -swing.share)


def tier(factor: Factor) -> int:
    """Evidence for a factor, a key of `TIERS`: the higher, the surer."""
    said = f"{factor.method or ''} {factor.source or ''}"
    if factor.source == "given" or "given" in (factor.method or "").split():
        return 4
    if "assumed" in said or "not confirmed" in said or (factor.kind == "intensity" and factor.key in _WORLD):
        return 0
    if factor.kind == "utilisation" or (factor.kind == "power_fraction" and factor.key == "unknown"):
        return 1
    if factor.kind == "operations":
        return 3 if factor.low == factor.high else 1
    return 2 if factor.kind in _OF_LIKE_RUNS else 3


def worst(footprint: Footprint) -> Factor | None:
    """Factor of the emissions with the weakest evidence, the widest of them; None where there are no factors."""
    entered = [factor for factor in footprint.factors if factor.kind not in ASIDE]
    if not entered:
        return None
    return min(entered, key=lambda factor: (tier(factor), -(_squared_width(factor) or 0.0)))


def _ratio(factor: Factor, bound: float) -> float:
    ratio = bound / (factor.value or 1.0)
    return 1.0 / ratio if factor.kind in DIVISORS else ratio


def _squared_width(factor: Factor) -> float | None:
    if factor.low is None or factor.high is None or factor.low <= 0.0:
        return None
    return math.log(factor.high / factor.low) ** 2
