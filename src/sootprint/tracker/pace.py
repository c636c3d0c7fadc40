"""What the first part of a run tells about its pace: time and power of a usual unit, and what the slow ones add."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

BLOCKS = 8
SLOW = 1.5  # a unit that takes this many times that of its neighbours has an evaluation, a checkpoint or a wait in it
LATE = 1.1  # distances after which a slow unit that came at a regular one should have come again
NEIGHBOURS = 4  # on each side; more slow units in a row than these are a stage
WARM = 1.1  # leading units above this many times the usual time belong to the warm-up
MANY = 6  # units of which the later half counts, as caches go on filling and levels drift
MAD_SD = 1.4826  # standard deviation of a normal over its median absolute deviation
SPLIT_SE = 5.0  # standard errors between two stages
SPLIT_SHARE = 0.08  # least difference of two stages
SPLIT_LEAST = 10  # units of a stage that can be told from noise
TICKS = 4  # looks at the meters that a power is taken over


class Point(NamedTuple):
    """Units done until an instant, with the time and energy since the start of the run."""

    done: float
    at_s: float
    energy_j: float


class Pace(NamedTuple):
    """Pace of a run at its last finished unit.

    Args:
        last: The last finished unit.
        left: Units that are left.
        progress: Units done over all units [0-1].
        units: Finished units, or groups of them, that were timed.
        steady: Those that are in the level: the later half after the warm-up and the last change, without the slow
            ones; 0 where one unit is all.
        unit_s: Time of a usual unit [s].
        unit_spread: Standard error of its logarithm, from what was seen; 0 where one unit is all.
        excess: Time that slow units add, over the time of the usual ones [1].
        slow: Number of slow units.
        power_w: Mean power of the steady part [W].
        power_spread: Standard error of its logarithm.
    """

    last: Point
    left: float
    progress: float
    units: int
    steady: int
    unit_s: float
    unit_spread: float
    excess: float
    slow: int
    power_w: float
    power_spread: float


class _Step(NamedTuple):
    """From one point to the next."""

    units: float
    duration_s: float
    start: Point
    end: Point

    @property
    def unit_s(self) -> float:
        return self.duration_s / self.units


def pace(points: Sequence[Point], total: float, *, tick_s: float = 0.0, begun_s: float = 0.0) -> Pace | None:
    """Pace of a run; None before its first unit is finished, and where the meters were not looked at meanwhile.

    Args:
        points: Start of the first unit, then the end of each unit or group of units, in order.
        total: Units of the whole run.
        tick_s: Time between two looks at the meters; power is taken over some of them [s].
        begun_s: Instant of the first look, before which no energy was counted [s].
    """
    steps = [
        _Step(b.done - a.done, b.at_s - a.at_s, a, b)
        for a, b in itertools.pairwise(points)
        if b.done > a.done and b.at_s > a.at_s
    ]
    if not steps or points[-1].at_s <= begun_s:
        return None
    last, first = points[-1], points[0]
    rest = _without_warm_up(steps)
    bounds_s = _bounds_s(rest)
    usual = [step for step, (_, most_s) in zip(rest, bounds_s, strict=True) if step.unit_s <= most_s]
    slow = [
        (step, middle_s)
        for step, (middle_s, most_s) in zip(rest, bounds_s, strict=True)
        if step.unit_s > most_s
    ]
    usual = usual[_last_change(usual) :]
    usual = usual[len(usual) // 2 :] if len(usual) >= MANY else usual
    power_w, power_spread = _power(
        [Point(0.0, begun_s, 0.0), *(point for point in points if point.at_s > begun_s)],
        usual[0].start.at_s,
        TICKS * tick_s,
    )
    return Pace(
        last=last,
        left=total - last.done,
        progress=(last.done - first.done) / (total - first.done),
        units=len(steps),
        steady=len(usual) if len(steps) > 1 else 0,
        unit_s=math.fsum(step.duration_s for step in usual) / math.fsum(step.units for step in usual),
        unit_spread=_spread([(step.units, step.duration_s) for step in usual]),
        excess=_excess(slow, begin=rest[0].start.done, end=last.done),
        slow=len(slow),
        power_w=power_w,
        power_spread=power_spread,
    )


def _without_warm_up(steps: list[_Step]) -> list[_Step]:
    """Units after the first one, which loads, compiles and fills caches, and after those that are still slower."""
    if len(steps) == 1:
        return steps
    rest = steps[1:]
    base_s = _median([step.unit_s for step in rest[len(rest) // 2 :]])
    most = len(rest) // 2
    while most and rest[0].unit_s > WARM * base_s:
        rest, most = rest[1:], most - 1
    return rest


def _bounds_s(steps: list[_Step]) -> list[tuple[float, float]]:
    """Usual time of each unit by its neighbours, and the time above which it is a slow one [s]."""
    times_s = [step.unit_s for step in steps]
    middles_s = [
        _median(times_s[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]) for index in range(len(times_s))
    ]
    off = [abs(time_s / middle_s - 1.0) for time_s, middle_s in zip(times_s, middles_s, strict=True)]
    most = max(SLOW, 1.0 + 5.0 * MAD_SD * _median(off))
    return [(middle_s, most * middle_s) for middle_s in middles_s]


def _last_change(usual: list[_Step]) -> int:
    """Index of the first unit of the present stage: the last place where the level of the times moved."""
    begin = 0
    while len(usual) - begin >= 2 * SPLIT_LEAST:
        found = _split([math.log(step.unit_s) for step in usual[begin:]])
        if found is None:
            break
        begin += found
    return begin


def _split(logs: list[float]) -> int | None:
    """Place that divides a series best into two levels, or None where one level fits as well."""
    count, total = len(logs), math.fsum(logs)
    jumps = [abs(b - a) for a, b in itertools.pairwise(logs)]
    noise = max(MAD_SD * _median(jumps) / math.sqrt(2.0), 1e-6)
    least = max(SPLIT_LEAST, count // 20)
    best, place, before = 0.0, None, math.fsum(logs[: least - 1])
    for index in range(least, count - least + 1):
        before += logs[index - 1]
        step = abs(before / index - (total - before) / (count - index))
        score = step / (noise * math.sqrt(1.0 / index + 1.0 / (count - index)))
        if step > SPLIT_SHARE and score > max(best, SPLIT_SE):
            best, place = score, index
    return place


def _spread(parts: list[tuple[float, float]]) -> float:
    """Standard error of the logarithm of sum(second) / sum(first), by the scatter of up to `BLOCKS` blocks.

    Neighbours resemble each other, so that blocks and not units are taken as independent.
    """
    blocks = min(BLOCKS, len(parts))
    if blocks < 2:
        return 0.0
    means = []
    for block in range(blocks):
        some = parts[block * len(parts) // blocks : (block + 1) * len(parts) // blocks]
        weight, value = math.fsum(w for w, _ in some), math.fsum(v for _, v in some)
        if weight > 0.0 and value > 0.0:
            means.append(math.log(value / weight))
    if len(means) < 2:
        return 0.0
    mean = math.fsum(means) / len(means)
    variance = math.fsum((value - mean) ** 2 for value in means) / (len(means) - 1)
    return math.sqrt(variance / len(means))


def _excess(slow: list[tuple[_Step, float]], *, begin: float, end: float) -> float:
    """Time that slow units add over that of the usual ones; each comes with the usual time of a unit around it [s].

    Where they come at a regular distance, the units since the last one are not counted: they belong to the next.
    """
    if not slow:
        return 0.0
    until = slow[-1][0].end.done
    distance = (until - begin) / len(slow)
    span = until - begin if end - until < LATE * distance else end - begin
    return math.fsum(step.duration_s / middle_s - step.units for step, middle_s in slow) / span


def _power(points: Sequence[Point], since_s: float, least_s: float) -> tuple[float, float]:
    """Mean power since an instant, over at least some looks at the meters [W], and its log-standard error."""
    since_s = min(since_s, points[-1].at_s - least_s)
    first = max((index for index, point in enumerate(points[:-1]) if point.at_s <= since_s), default=0)
    some = points[first:]
    parts = [(b.at_s - a.at_s, b.energy_j - a.energy_j) for a, b in itertools.pairwise(some)]
    duration_s = math.fsum(part for part, _ in parts)
    return math.fsum(part for _, part in parts) / duration_s, _spread(parts)


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])
