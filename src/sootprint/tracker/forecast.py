"""What a whole run will take, from its first part: the pace so far, and a prior on what has not been seen yet.

    t_K = t_k + (K - k) t_u (q_t (1 + y + z / (1 - p)) + x q_x + a) (1 + v (f - 1))
    E_K = E_k + P q_P (1 + v (g - 1)) (t_K - t_k)

with t_k, E_k time and energy at the last of k finished units of K, p = k / K; t_u the time of a usual unit and P the
power, q_t and q_P how those of the rest differ; x the slow units that were seen and q_x how they go on, a what was told
to come between the units, y slow units of a kind not seen yet, z the last evaluation; f and g a change of the stage
before the share v of what is left.
docs/explanation/forecasts.md tells what each is drawn from, and how the numbers of `Prior` were found.
"""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from sootprint.core.intervals import DRAWS, Z90, Draws, from_draws
from sootprint.core.quantity import Quantity
from sootprint.tracker.again import Earlier, hints, weighed
from sootprint.tracker.pace import PARTS, Block, Pace
from sootprint.tracker.slow import Slow
from sootprint.tracker.stages import bends, mean, median
from sootprint.tracker.wander import Course, Strengths, courses, factor, scatter

AT = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # progress at which a run is forecast


class Prior(NamedTuple):
    """What is taken to hold of a run of which little was seen; spreads are standard deviations of logarithms.

    Args:
        warm: Logarithm of the first unit's time over that of a usual one.
        warm_spread: Its spread where the first unit took less than that, as where nothing is to be compiled.
        warm_most: Its spread where it took more.
        compiles: Chance that a short first unit is mostly compiling or loading.
        noise: Spread of the time of one unit, for as long as few were seen.
        wander: Median spread of the wander of the pace.
        wander_spread: Spread of its logarithm.
        trend: Chance that units get longer or shorter steadily.
        slope: Spread of their slope over a whole run where they do.
        size: Spread of the size of a slow unit, for as long as few were seen.
        drift: Spread of a slow drift of the time of a unit over a whole run, of which nothing may be seen yet.
        unseen: Chance that a run has slow units at a distance of more than half a per cent of it.
        unseen_share: Median time that they add, over that of the usual ones.
        unseen_spread: Its spread.
        told: Median time of what was told to come between the units, and did not come yet, over that of the usual ones.
        told_spread: Its spread.
        untold: Factor on `unseen` where the number of anything between the units was told.
        final: Median time of a last evaluation over the time of what is left at the start.
        final_spread: Its spread.
        changes: Mean number of changes of the stage in a run.
        change: Median logarithm of the factor on the time of a unit.
        change_spread: Its spread.
        power: Spread between the power of some seconds and that of the rest.
        power_drift: Spread of a slow drift of the power over a whole run.
        power_change: Spread of the factor on the power where the stage changes.
    """

    warm: float = 0.34
    warm_spread: float = 0.255
    warm_most: float = 0.216
    compiles: float = 0.3
    noise: float = 0.12
    wander: float = 0.048
    wander_spread: float = 1.0
    trend: float = 0.1275
    slope: float = 1.6
    size: float = 0.64
    drift: float = 0.0086
    unseen: float = 1.0
    unseen_share: float = 0.0277
    unseen_spread: float = 1.44
    told: float = 0.0144
    told_spread: float = 0.85
    untold: float = 0.255
    final: float = 0.0011
    final_spread: float = 0.72
    changes: float = 0.4032
    change: float = 0.4
    change_spread: float = 0.3876
    power: float = 0.023
    power_drift: float = 0.048
    power_change: float = 0.06


PRIOR = Prior()
COMPILED = 10.0  # most usual units that a first one takes which is mostly compiling
COMPILED_S = 20.0  # what compiling or loading takes [s]
HELD = 0.8  # of the scatter of the pace so far around a line, which the rest of a run has around its own
SOONEST, LATEST = 0.005, 0.5  # distances of slow units over the run, taken as equally likely on a log scale


class Forecast(NamedTuple):
    """A whole run as it was foreseen.

    Args:
        progress: Units done over all units, or time over the expected one [0-1].
        at_s: Time since the start at which it was made [s].
        units: Units that it was made from; 0 where progress is a time.
        energy_j: Energy of the whole run, as the meters will show it [J]; the best estimate is the median of a run
            whose present stage goes on, the interval holds changes as well.
        duration_s: Time of the whole run [s], likewise.
        by_earlier: Weight of earlier runs of the same name in the energy [0-1].
    """

    progress: float
    at_s: float
    units: int
    energy_j: Quantity
    duration_s: Quantity
    by_earlier: float = 0.0


def forecast(
    pace: Pace, *, by_time: bool = False, prior: Prior = PRIOR, earlier: Sequence[Earlier] = ()
) -> Forecast:
    """Forecast of a run from its pace.

    Args:
        pace: What was seen.
        by_time: Whether the units are seconds of a time that is given, so that only the power is uncertain.
        prior: What is taken to hold of the rest.
        earlier: Earlier runs of the same name, their energy in J.
    """
    begin, usual_s = pace.last, pace.left * pace.unit_s
    durations_s = [usual_s] * DRAWS if by_time else [usual_s * more for more in _rest(pace, prior)]
    energies_j = [
        pace.power_w * level * rest_s for level, rest_s in zip(_power(pace, prior), durations_s, strict=True)
    ]
    change = _changes(pace, prior)
    slower = [1.0 if by_time else 1.0 + late * (time - 1.0) for late, time, _ in change]
    stronger = [1.0 + late * (power - 1.0) for late, _, power in change]
    energy_j, by_earlier = _quantity(
        pace, begin.energy_j, energies_j, list(map(mul, slower, stronger)), earlier=earlier
    )
    return Forecast(
        progress=pace.progress,
        at_s=begin.at_s,
        units=0 if by_time else round(begin.done),
        energy_j=energy_j,
        duration_s=_quantity(
            pace, begin.at_s, durations_s, slower, earlier=() if by_time else earlier, of_time=True
        )[0],
        by_earlier=by_earlier,
    )


def _rest(pace: Pace, prior: Prior) -> list[float]:
    """Time of what is left over that of as many usual units, drawn: level, slow units and last evaluation."""
    level = _level(pace, prior)
    seen = _seen(pace, pace.slow, prior, name="slow units")
    for number, kind in enumerate(pace.told):
        came = _seen(pace, kind, prior, name=f"told {number}")
        seen = [a + b for a, b in zip(seen, came if kind.at else _awaited(pace, prior, number), strict=True)]
    unseen = _unseen(pace, prior)
    final = _lognormal("last evaluation", prior.final, prior.final_spread)
    whole = 1.0 / max(1.0 - pace.progress, 1e-9)
    return [a * (1.0 + c + d * whole) + b for a, b, c, d in zip(level, seen, unseen, final, strict=True)]


def _awaited(pace: Pace, prior: Prior, number: int) -> list[float]:
    """Time added by what was told to come and did not come yet, over the usual time, drawn."""
    share = _lognormal(f"told {number} awaited", prior.told, prior.told_spread)
    return [one / max(1.0 - pace.progress, 1e-9) for one in share]


def _seen(pace: Pace, slow: Slow, prior: Prior, *, name: str) -> list[float]:
    """Time added by slow units like those that came, over the usual time, drawn: their number times their size."""
    if not slow.at:
        return [0.0] * DRAWS
    whole = pace.left / max(1.0 - pace.progress, 1e-9)
    begin = pace.last.done - pace.progress * whole
    count = min(PARTS, len(slow.at))
    groups = [slice(i * len(slow.at) // count, (i + 1) * len(slow.at) // count) for i in range(count)]
    blocks = tuple(
        Block((mean(slow.at[some]) - begin) / whole, 0.0, len(slow.at[some]), mean(slow.sizes_s[some]))
        for some in groups
    )
    middle_s = median([block.unit_s for block in blocks])
    scatter = bends([size_s / middle_s for size_s in slow.sizes_s])
    ways = courses(
        blocks,
        progress=pace.progress,
        unit_s=middle_s,
        noise=scatter,
        prior=_strengths(prior)._replace(noise=prior.size),
    )
    rates = _lognormal(f"{name} seen", slow.rate * middle_s / pace.unit_s, slow.rate_spread)
    return [a * b for a, b in zip(rates, _goes_on(ways, name), strict=True)]


def _level(pace: Pace, prior: Prior) -> list[float]:
    """Time of a usual unit of the rest over that so far, drawn."""
    wander = prior.drift**2 * (1.0 - pace.progress) / 3.0
    if not pace.blocks:  # the one unit that was seen holds the warm-up
        below, above = (math.sqrt(spread**2 + wander) for spread in (prior.warm_most, prior.warm_spread))
        warm = _lognormal("level", math.exp(-prior.warm), below, above)
        chance = prior.compiles * min(1.0, COMPILED_S / pace.unit_s)
        most = math.log(COMPILED)
        return [
            math.exp(-most * size) if u < chance else level
            for level, u, size in zip(warm, _uniform("is compiled"), _uniform("compiled"), strict=True)
        ]
    ways = courses(
        pace.blocks,
        progress=pace.progress,
        unit_s=pace.unit_s,
        noise=pace.noise,
        prior=_strengths(prior),
        change=pace.changes[-1] if pace.changes else None,
    )
    drift = _lognormal("level", 1.0, math.sqrt(wander))
    return [a * b for a, b in zip(_goes_on(ways, "units"), drift, strict=True)]


def _goes_on(ways: Sequence[Course], name: str) -> list[float]:
    """Ratio of the mean of the rest to what is now, drawn."""
    bounds = list(itertools.accumulate(way.weight for way in ways))
    chosen = (ways[min(bisect.bisect_left(bounds, u), len(ways) - 1)] for u in _uniform(f"course of {name}"))
    return [
        factor(way.mean + way.spread * score)
        for way, score in zip(chosen, _scores(f"{name} go on"), strict=True)
    ]


def _strengths(prior: Prior) -> Strengths:
    return Strengths(
        wander=prior.wander,
        wander_spread=prior.wander_spread,
        trend=prior.trend,
        slope=prior.slope,
        noise=prior.noise,
    )


def _unseen(pace: Pace, prior: Prior) -> list[float]:
    """Time added by a kind of slow units of which none came so far, over the usual time, drawn."""
    at = min(max(pace.progress, SOONEST), LATEST)
    chance = prior.unseen * math.log(LATEST / at) / math.log(LATEST / SOONEST)
    chance *= prior.untold if pace.told else 1.0
    size = _lognormal("slow units unseen", prior.unseen_share, prior.unseen_spread)
    return [share if u < chance else 0.0 for u, share in zip(_uniform("is unseen"), size, strict=True)]


def _changes(pace: Pace, prior: Prior) -> list[tuple[float, float, float]]:
    """Share of the rest after a change of the stage, and its factors on time and power, drawn.

    Their number is Poisson's; its mean has a gamma prior of shape 1, so that a run that changed may change again.
    """
    seen = 1.0 / prior.changes + pace.progress if prior.changes > 0.0 else math.inf
    chance = (
        1.0 - (seen / (seen + 1.0 - pace.progress)) ** (1 + len(pace.changes)) if math.isfinite(seen) else 0.0
    )
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


def _quantity(
    pace: Pace,
    so_far: float,
    rest: Sequence[float],
    changes: Sequence[float],
    *,
    earlier: Sequence[Earlier],
    of_time: bool = False,
) -> tuple[Quantity, float]:
    """Best estimate where the present stage goes on, and an interval that holds its changes; weight of earlier runs."""
    changed = list(map(mul, rest, changes))
    alone = from_draws(so_far + median(rest), [so_far + one for one in changed])
    if not earlier:
        return alone, 0.0
    total = pace.left / max(1.0 - pace.progress, 1e-9)
    return weighed(
        alone,
        so_far=so_far,
        rest=rest,
        changed=changed,
        unit=pace.unit_s * (1.0 if of_time else pace.power_w),
        noise=math.hypot(
            pace.noise / math.sqrt(pace.units),
            HELD * scatter(pace.blocks),
            0.0 if of_time else pace.power_spread,
        ),
        said=hints(earlier, progress=pace.progress, total=total, of_time=of_time),
    )


@lru_cache(maxsize=1)
def _draws() -> Draws:
    return Draws()


def _lognormal(name: str, median: float, spread: float, above: float | None = None) -> list[float]:
    """Draws of a lognormal, of another spread above its median where one is given."""
    high = median * math.exp(Z90 * (spread if above is None else above))
    return _draws().of(name, Quantity(value=median, low=median * math.exp(-Z90 * spread), high=high)) or []


@lru_cache(maxsize=2)
def _scores(name: str) -> tuple[float, ...]:
    """Normal scores in an order of their own."""
    return tuple(math.log(one) for one in _lognormal(name, 1.0, 1.0))


@lru_cache(maxsize=8)
def _uniform(name: str) -> tuple[float, ...]:
    """Evenly spread numbers of 0 to 1 in an order of their own."""
    numbers = [(index + 0.5) / DRAWS for index in range(DRAWS)]
    random.Random(name).shuffle(numbers)
    return tuple(numbers)
