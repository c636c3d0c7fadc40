"""Where the width of an interval comes from: the share of each factor in the variance of the logarithm."""

from __future__ import annotations

import math
from typing import NamedTuple

from sootprint.core.quantity import Factor
from sootprint.core.records import Footprint


class Share(NamedTuple):
    """One factor with its share in the variance of the logarithm of the emissions [0-1], where it has bounds."""

    factor: Factor
    share: float | None


def shares(footprint: Footprint) -> list[Share]:
    """Factors of an estimate in their order, each with its share in the variance.

    The share is ln^2 of the ratio of the bounds over the sum of the same for all factors; a factor without bounds
    has none. Only the factors that were multiplied are among them (`estimate` lists no other).

    Source:
        Limpert, Stahel & Abbt, Log-normal Distributions across the Sciences, BioScience 51 (2001).
    """
    widths = [_squared_width(factor) for factor in footprint.factors]
    total = math.fsum(width for width in widths if width is not None)
    return [
        Share(factor, None if width is None else (width / total if total > 0.0 else 0.0))
        for factor, width in zip(footprint.factors, widths, strict=True)
    ]


def _squared_width(factor: Factor) -> float | None:
    if factor.low is None or factor.high is None or factor.low <= 0.0:
        return None
    return math.log(factor.high / factor.low) ** 2
