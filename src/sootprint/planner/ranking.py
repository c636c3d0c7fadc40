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
        drawn: Equally likely emissions, `(n_pues, n_days)` [kgCO2e]; None where nobody says how sure they are: beside
            one of which somebody does, it counts as certain.
    """

    zone: str
    emissions_kg: float
    drawn: Floats | None

    def clears(self, other: Way, *, by: float = 0.0) -> bool:
        """Whether it is expected to save more than its standard error against another one, and a share of that.

        Earlier days are a sample, whose mean gets surer with their number; an unknown PUE is the same on all of them.
        Within one zone it is that of both ways, and decides nothing.
        """
        if self.emissions_kg >= other.emissions_kg * (1.0 - by):
            return False
        ways = (self, other)
        if all(one.drawn is None for one in ways):
            return True
        n_days = min(
            (one.drawn.shape[1] for one in ways if one.drawn is not None and one.drawn.shape[1] > 1),
            default=1,
        )
        mine, others = (one._courses(n_days, alone=self.zone == other.zone) for one in ways)
        saved = others - mine
        between, within = saved.mean(axis=1).var(), saved.var(axis=1).mean() / n_days
        return float(saved.mean()) > math.sqrt(between + within)

    def _courses(self, n_days: int, *, alone: bool) -> Floats:
        """Emissions of so many days, `(n_pues, n_days)`, with the mean PUE where no other facility is compared."""
        if self.drawn is None:
            return np.full((1, n_days), self.emissions_kg)
        found = np.broadcast_to(self.drawn, (len(self.drawn), max(n_days, self.drawn.shape[1])))[:, :n_days]
        return found.mean(axis=0, keepdims=True) if alone else found


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
