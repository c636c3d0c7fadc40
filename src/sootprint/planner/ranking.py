"""The best of several ways to run a job, each better than the one before beyond its error bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sootprint.planner.exact import Floats
from sootprint.planner.replan import ADVANTAGE


class Way(NamedTuple):
    """One way to run a job.

    Args:
        zone: Where.
        emissions_kg: Expected emissions [kgCO2e].
        drawn: Equally likely emissions, `(n_draws,)` [kgCO2e]; None where nobody says how sure they are: beside one
            of which somebody does, it counts as certain.
    """

    zone: str
    emissions_kg: float
    drawn: Floats | None

    def clears(self, other: Way, *, by: float = 0.0) -> bool:
        """Whether it is expected to save more than its standard error against another one, and a share of that."""
        if self.emissions_kg >= other.emissions_kg * (1.0 - by):
            return False
        drawn = [one.drawn for one in (self, other) if one.drawn is not None]
        if not drawn:
            return True
        count = min(one.size for one in drawn)
        mine, others = (
            np.full(count, one.emissions_kg) if one.drawn is None else one.drawn[:count]
            for one in (self, other)
        )
        saved = others - mine
        return float(saved.mean()) > float(saved.std()) / math.sqrt(count)


def best(ways: Sequence[Way]) -> int:
    """Number of the way to choose; the first one is running at once.

    That is the least in the first one's zone that saves more than its error bar. One in another zone must do so
    against that, too, and by 2 %.

    >>> best([Way("DE", 9.0, None), Way("DE", 8.0, None), Way("FR", 7.9, None)])
    1
    >>> best([Way("DE", 9.0, None), Way("DE", 8.0, None), Way("FR", 1.0, None)])
    2
    """
    now = ways[0]
    order = sorted(range(1, len(ways)), key=lambda number: ways[number].emissions_kg)
    good = [number for number in order if ways[number].clears(now)]
    found = next((number for number in good if ways[number].zone == now.zone), 0)
    return next((number for number in good if ways[number].clears(ways[found], by=ADVANTAGE)), found)
