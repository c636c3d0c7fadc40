"""What earlier runs of the same name tell of the rest of this one, weighed by how well they fit what is seen.

An earlier run that was stopped nowhere had a rest after every progress. With L the logarithm of this run's rest and
L' that of its rest, d the logarithm of a usual unit's time (or energy) over that of then,

    L = L' + s + e,  d = s + n

s is how much slower or heavier this run is throughout, e what the two rests differ in besides, n what the first parts
do. How large s and e are between two runs is not known: each pair of sizes counts by its prior and by the likelihood
of d, and of how the earlier runs differ among themselves. With some chance an earlier run tells nothing at all. What
comes of it is multiplied with the forecast that this run has by itself (Bayes): one that cannot be, by what is seen,
loses its weight.
docs/explanation/forecasts.md tells how the numbers were found.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sootprint.core.quantity import Quantity

UNLIKE = 0.4  # chance that an earlier run tells nothing, for one; the others stand by each other
STRANGE = 1.2  # spread of d between runs that have nothing in common
STRANGER = ((0.3, 0.7), (1.0, 0.3))  # spreads of L' + d around L between them, with their chances
SEEN = 0.03  # spread of the pace of the first part around that of the run, besides its noise
LATER = 0.5  # of that noise, which the rest of a run keeps: it is longer
LENGTH = 0.2  # spread of the rest that a total e times as large adds
MOST_LENGTH = math.log(20.0)
FAT, FATTEST = 0.05, 0.8  # chance and spread of what the run's own forecast does not hold
STEP, REACH = 0.005, 2.5  # of the grid of logarithms
LEAST = 1e-3  # weight below which the earlier runs are left out


class Then(NamedTuple):
    """An earlier run at some progress.

    Args:
        progress: Units done over all units [0-1].
        at_s: Time since its start [s].
        spent: Energy until then; its unit is that of the whole run's.
        unit_s: Time of a usual unit [s].
        unit: Energy of a usual unit.
    """

    progress: float
    at_s: float
    spent: float
    unit_s: float
    unit: float


class Earlier(NamedTuple):
    """A run that did what was expected of it.

    Args:
        total: Units of the whole run.
        duration_s: Its time [s].
        energy: Its energy, in the unit of `moments`.
        moments: The run at some progresses, the earliest first.
    """

    total: float
    duration_s: float
    energy: float
    moments: tuple[Then, ...]


class Hint(NamedTuple):
    """What one earlier run says of a rest.

    Args:
        log_rest: Logarithm of its rest, for as many units as this run has.
        log_unit: Logarithm of a usual unit of it.
        spread: Of the rest, as the number of units was another one.
    """

    log_rest: float
    log_unit: float
    spread: float


class Size(NamedTuple):
    """One assumption on how runs of a name differ: spread of s and e, and its weight."""

    shift: float
    rest: float
    weight: float


SIZES = (  # another seed, another setting, another machine or model
    Size(0.015, 0.01, 0.22),
    Size(0.015, 0.03, 0.15),
    Size(0.06, 0.01, 0.13),
    Size(0.06, 0.03, 0.2),
    Size(0.06, 0.12, 0.08),
    Size(0.25, 0.03, 0.04),
    Size(0.25, 0.12, 0.12),
    Size(1.0, 0.06, 0.01),
    Size(1.0, 0.2, 0.05),
)


def hints(earlier: Sequence[Earlier], *, progress: float, total: float, of_time: bool) -> list[Hint]:
    """What each earlier run says of the rest from some progress on.

    Args:
        earlier: Runs of the same name.
        progress: Where this run is [0-1].
        total: Units of this run.
        of_time: Whether the time is asked, and not the energy.
    """
    found = []
    for one in earlier:
        now = _at(one, progress)
        length = math.log(total / one.total)
        rest = one.duration_s - now.at_s if of_time else one.energy - now.spent
        unit = now.unit_s if of_time else now.unit
        if rest > 0.0 and unit > 0.0 and abs(length) < MOST_LENGTH:
            found.append(Hint(math.log(rest) + length, math.log(unit), LENGTH * abs(length)))
    return found


def weighed(
    quantity: Quantity,
    *,
    so_far: float,
    rest: Sequence[float],
    changed: Sequence[float],
    unit: float,
    noise: float,
    said: Sequence[Hint],
) -> tuple[Quantity, float]:
    """Quantity of a whole run with what earlier ones say, and their weight in it [0-1].

    Args:
        quantity: As the run foretells it by itself.
        so_far: What is spent.
        rest: Draws of the rest where the present stage goes on.
        changed: Draws of the rest with changes of the stage.
        unit: A usual unit of this run.
        noise: Spread of that by the noise of the units [1].
        said: What earlier runs say.
    """
    if not said or unit <= 0.0 or min(*rest, *changed) <= 0.0:
        return quantity, 0.0
    own, stays = ([math.log(one) for one in draws] for draws in (changed, rest))
    grid = _Grid(sorted(own)[len(own) // 2])
    density = grid.density(own)
    sizes, unlike = _sizes(said, noise)
    like = [0.0] * grid.count
    for one in said:
        for mean, spread, weight in _ways(one, sizes, math.log(unit), noise):
            grid.add(like, mean, spread, weight / len(said))
    like = [a * b for a, b in zip(like, density, strict=True)]
    now = Hint(grid.begin + REACH, math.log(unit), 0.0)
    mass = STEP * math.fsum(like)
    weight = mass / (mass + unlike * math.fsum(_strange(one, now) for one in said) / len(said))
    if weight < LEAST:
        return quantity, 0.0
    like = [STEP * one * weight / mass for one in like]
    value, low, high = (
        so_far + math.exp(grid.quantile(like, draws, 1.0 - weight, share))
        for draws, share in ((stays, 0.5), (own, 0.05), (own, 0.95))
    )
    return Quantity(value=value, low=min(low, value), high=max(high, value), basis=quantity.basis), weight


def _at(one: Earlier, progress: float) -> Then:
    """An earlier run at some progress, between the two moments around it; before the first one as at it."""
    whole = Then(1.0, one.duration_s, one.energy, one.moments[-1].unit_s, one.moments[-1].unit)
    start = one.moments[0]._replace(progress=0.0, at_s=0.0, spent=0.0)
    for before, after in itertools.pairwise((start, *one.moments, whole)):
        if progress <= after.progress:
            share = (progress - before.progress) / max(after.progress - before.progress, 1e-12)
            return Then(*(a + share * (b - a) for a, b in zip(before, after, strict=True)))
    return whole


def _sizes(said: Sequence[Hint], noise: float) -> tuple[list[Size], float]:
    """Ways in which runs of the name may differ, and the chance of one unlike all others, by those that are over."""
    sizes = [size._replace(weight=(1.0 - UNLIKE) * size.weight) for size in SIZES]
    unlike = UNLIKE
    for one, other in itertools.pairwise(said):
        off = other.log_rest - one.log_rest
        likely = [
            sum(
                weight * _normal(off - mean + one.log_rest, spread)
                for mean, spread, weight in _ways(one, [size], other.log_unit, noise)
            )
            for size in sizes
        ]
        unlike *= _strange(one, other)
        whole = math.fsum(likely) + unlike
        sizes = [size._replace(weight=value / whole) for size, value in zip(sizes, likely, strict=True)]
        unlike /= whole
    return sizes, unlike


def _ways(
    one: Hint, sizes: Sequence[Size], log_unit: float, noise: float
) -> Iterator[tuple[float, float, float]]:
    """Mean, spread and weight of the logarithm of the rest by one earlier run under each assumption."""
    off = log_unit - one.log_unit
    seen = 2.0 * (SEEN**2 + noise**2)
    for size in sizes:
        whole = size.shift**2 + seen
        share = size.shift**2 / whole
        spread = math.sqrt(share * seen + size.rest**2 + 2.0 * (LATER * noise) ** 2 + one.spread**2)
        yield one.log_rest + share * off, spread, size.weight * _normal(off, math.sqrt(whole))


def _strange(one: Hint, other: Hint) -> float:
    """Likelihood of an earlier run that has nothing in common with a later one."""
    off = other.log_unit - one.log_unit
    shape = other.log_rest - one.log_rest - off
    return _normal(off, STRANGE) * math.fsum(chance * _normal(shape, spread) for spread, chance in STRANGER)


def _normal(off: float, spread: float) -> float:
    return math.exp(-0.5 * (off / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))


class _Grid:
    """Logarithms at even distances around a middle."""

    def __init__(self, middle: float) -> None:
        self.begin = middle - REACH
        self.count = round(2.0 * REACH / STEP) + 1

    def place(self, value: float) -> int:
        """Nearest place of a value."""
        return min(max(round((value - self.begin) / STEP), 0), self.count - 1)

    def add(self, to: list[float], mean: float, spread: float, weight: float) -> None:
        """Add a normal density of some weight."""
        if weight < 1e-9:
            return
        for index in range(self.place(mean - 4.0 * spread), self.place(mean + 4.0 * spread) + 1):
            to[index] += weight * _normal(self.begin + STEP * index - mean, spread)

    def density(self, draws: Sequence[float]) -> list[float]:
        """Density of draws, smoothed (Silverman's rule), with fat ends."""
        ordered = sorted(draws)
        count = len(ordered)
        spread = (ordered[3 * count // 4] - ordered[count // 4]) / 1.349
        width = max(0.9 * spread * count**-0.2, STEP)
        tally: dict[int, int] = {}
        for value in draws:
            place = self.place(value)
            tally[place] = tally.get(place, 0) + 1
        reach = math.ceil(3.0 * width / STEP)
        kernel = [_normal(STEP * offset, width) for offset in range(-reach, reach + 1)]
        found = [0.0] * self.count
        for place, number in tally.items():
            for index in range(max(0, place - reach), min(self.count, place + reach + 1)):
                found[index] += (1.0 - FAT) * number / count * kernel[index - place + reach]
        self.add(found, self.begin + REACH, FATTEST, FAT)
        return found

    def quantile(self, like: Sequence[float], draws: Sequence[float], share: float, at: float) -> float:
        """Quantile of a mixture of a density on the grid and of draws that have some share of it."""
        points = [(self.begin + STEP * index, mass) for index, mass in enumerate(like) if mass > 0.0]
        points += [(value, share / len(draws)) for value in draws]
        points.sort()
        below = 0.0
        for value, mass in points:
            below += mass
            if below >= at:
                return value
        return points[-1][0]
