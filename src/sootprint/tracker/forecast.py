"""What a whole run will take, from its first part: the pace so far, and a prior on what has not been seen yet.

    t_K = t_k + (K - k) t_u q_t (1 + x + y + z / (1 - p)) (1 + v (f - 1))
    E_K = E_k + P q_P (1 + v (g - 1)) (t_K - t_k)

with t_k, E_k time and energy at the last of k finished units of K, p = k / K; t_u the time of a usual unit and P the
power, q_t and q_P how those of the rest differ; x the slow units that were seen, y those of a kind not seen yet, z
the last evaluation; f and g a change of the stage before the share v of what is left. docs/explanation/forecasts.md
tells what each is drawn from, and how the numbers of `Prior` were found.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from sootprint.core.intervals import DRAWS, Z90, Draws, from_draws
from sootprint.core.quantity import Quantity
from sootprint.tracker.pace import Pace

AT = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # progress at which a run is forecast


class Prior(NamedTuple):
    """What is taken to hold of a run of which little was seen; spreads are standard deviations of logarithms.

    Args:
        warm: Logarithm of the first unit's time over that of a usual one.
        warm_spread: Its spread where the first unit took less than that, as where nothing is to be compiled.
        warm_most: Its spread where it took more.
        noise: Spread of the time of one unit, for as long as few were seen.
        drift: Spread of a slow drift of the time of a unit over a whole run.
        unseen: Chance that a run has slow units at a distance of more than half a per cent of it.
        unseen_share: Median time that they add, over that of the usual ones.
        unseen_spread: Its spread.
        final: Median time of a last evaluation over the time of what is left at the start.
        final_spread: Its spread.
        changes: Mean number of changes of the stage in a run.
        change: Median logarithm of the factor on the time of a unit.
        change_spread: Its spread.
        power: Spread between the power of some seconds and that of the rest.
        power_drift: Spread of a slow drift of the power over a whole run.
        power_change: Spread of the factor on the power where the stage changes.
    """

    warm: float = 0.3
    warm_spread: float = 0.255
    warm_most: float = 0.216
    noise: float = 0.12
    drift: float = 0.072
    unseen: float = 0.357
    unseen_share: float = 0.03
    unseen_spread: float = 0.96
    final: float = 0.0018
    final_spread: float = 0.72
    changes: float = 0.35
    change: float = 0.14
    change_spread: float = 0.3825
    power: float = 0.024
    power_drift: float = 0.05
    power_change: float = 0.06


PRIOR = Prior()
SOONEST, LATEST = 0.005, 0.5  # distances of slow units over the run, taken as equally likely on a log scale


class Forecast(NamedTuple):
    """A whole run as it was foreseen.

    Args:
        progress: Units done over all units, or time over the expected one [0-1].
        at_s: Time since the start at which it was made [s].
        units: Units that it was made from; 0 where progress is a time.
        energy_j: Energy of the whole run, as the meters will show it [J].
        duration_s: Time of the whole run [s].
    """

    progress: float
    at_s: float
    units: int
    energy_j: Quantity
    duration_s: Quantity


def forecast(pace: Pace, *, by_time: bool = False, prior: Prior = PRIOR) -> Forecast:
    """Forecast of a run from its pace.

    Args:
        pace: What was seen.
        by_time: Whether the units are seconds of a time that is given, so that only the power is uncertain.
        prior: What is taken to hold of the rest.
    """
    begin, remains = pace.last, 1.0 - pace.progress
    change = _changes(prior, remains)
    rest = [0.0] * DRAWS if by_time else _rest(pace, prior)
    usual_s = pace.left * pace.unit_s
    durations_s = [
        usual_s * level * (1.0 + late * (f - 1.0)) for level, (late, f, _) in zip(rest, change, strict=True)
    ]
    if by_time:
        durations_s = [usual_s] * DRAWS
    powers_w = [
        pace.power_w * level * (1.0 + late * (f - 1.0))
        for level, (late, _, f) in zip(_power(pace, prior), change, strict=True)
    ]
    energies_j = [power_w * rest_s for power_w, rest_s in zip(powers_w, durations_s, strict=True)]
    return Forecast(
        progress=pace.progress,
        at_s=begin.at_s,
        units=0 if by_time else round(begin.done),
        energy_j=_quantity(begin.energy_j, energies_j),
        duration_s=_quantity(begin.at_s, durations_s),
    )


def _rest(pace: Pace, prior: Prior) -> list[float]:
    """Time of what is left over that of as many usual units, drawn: level, slow units and last evaluation."""
    level = _level(pace, prior)
    rate = [0.0] * DRAWS
    if pace.excess > 0.0:
        rate = _lognormal("slow units seen", pace.excess, 1.0 / math.sqrt(1.0 + pace.slow))
    unseen = _unseen(pace, prior)
    final = _lognormal("last evaluation", prior.final, prior.final_spread)
    whole = 1.0 / max(1.0 - pace.progress, 1e-9)
    return [a * (1.0 + b + c + d * whole) for a, b, c, d in zip(level, rate, unseen, final, strict=True)]


def _level(pace: Pace, prior: Prior) -> list[float]:
    """Time of a usual unit of the rest over that so far, drawn."""
    wander = prior.drift**2 * (1.0 - pace.progress) / 3.0
    if pace.steady == 0:  # the one unit that was seen holds the warm-up
        below, above = (math.sqrt(spread**2 + wander) for spread in (prior.warm_most, prior.warm_spread))
        return _lognormal("level", math.exp(-prior.warm), below, above)
    return _lognormal("level", 1.0, math.sqrt(pace.unit_spread**2 + prior.noise**2 / pace.steady + wander))


def _unseen(pace: Pace, prior: Prior) -> list[float]:
    """Time added by a kind of slow units of which none came so far, over the usual time, drawn."""
    at = min(max(pace.progress, SOONEST), LATEST)
    chance = prior.unseen * math.log(LATEST / at) / math.log(LATEST / SOONEST)
    size = _lognormal("slow units unseen", prior.unseen_share, prior.unseen_spread)
    return [share if u < chance else 0.0 for u, share in zip(_uniform("is unseen"), size, strict=True)]


def _changes(prior: Prior, remains: float) -> list[tuple[float, float, float]]:
    """Share of the rest after a change of the stage, and its factors on time and power, drawn."""
    chance = 1.0 - math.exp(-prior.changes * remains)
    return [
        (late, time, power) if u < chance else (0.0, 1.0, 1.0)
        for u, late, time, power in zip(
            _uniform("is changed"),
            _uniform("changed when"),
            _lognormal("time changed", math.exp(prior.change), prior.change_spread),
            _lognormal("power changed", 1.0, prior.power_change),
            strict=True,
        )
    ]


def _power(pace: Pace, prior: Prior) -> list[float]:
    """Mean power of the rest over that so far, drawn."""
    wander = prior.power_drift**2 * (1.0 - pace.progress) / 3.0
    return _lognormal("power", 1.0, math.sqrt(pace.power_spread**2 + prior.power**2 + wander))


def _quantity(so_far: float, rest: Sequence[float]) -> Quantity:
    ordered = sorted(rest)
    middle = 0.5 * (ordered[(DRAWS - 1) // 2] + ordered[DRAWS // 2])
    return from_draws(so_far + middle, [so_far + one for one in ordered])


@lru_cache(maxsize=1)
def _draws() -> Draws:
    return Draws()


def _lognormal(name: str, median: float, spread: float, above: float | None = None) -> list[float]:
    """Draws of a lognormal, of another spread above its median where one is given."""
    high = median * math.exp(Z90 * (spread if above is None else above))
    return _draws().of(name, Quantity(value=median, low=median * math.exp(-Z90 * spread), high=high)) or []


@lru_cache(maxsize=8)
def _uniform(name: str) -> tuple[float, ...]:
    """Evenly spread numbers of 0 to 1 in an order of their own."""
    numbers = [(index + 0.5) / DRAWS for index in range(DRAWS)]
    random.Random(name).shuffle(numbers)
    return tuple(numbers)
