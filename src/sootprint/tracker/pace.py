"""What the first part of a run tells about its pace: time and power of a usual unit, and what the slow ones add."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from sootprint.tracker.slow import Slow, slow_units, usual_s
from sootprint.tracker.stages import last_changes, median, noise

BLOCKS = 8  # that the scatter of the power is taken from
BEFORE, PARTS = 4, 12  # blocks of the course of the pace: of the stage before the present one, and of that
WARM = 1.1  # leading units above this many times the usual time belong to the warm-up
MANY = 6  # units of which the later half is the reference of the pace
TICKS = 4  # looks at the meters that a power is taken over


class Point(NamedTuple):
    """Units done until an instant, with the time and energy since the start of the run."""

    done: float
    at_s: float
    energy_j: float


class Told(NamedTuple):
    """What comes between the units and was told, such as evaluations.

    Args:
        total: Their number in the whole run.
        spans: Begin and end of those that are over, in order [s].
    """

    total: float
    spans: tuple[tuple[float, float], ...] = ()


class Block(NamedTuple):
    """Some usual units in a row.

    Args:
        at: Progress at their middle [0-1].
        length: Progress that they span [0-1].
        units: Number of timed units, or groups of them.
        unit_s: Mean time of a unit [s].
    """

    at: float
    length: float
    units: int
    unit_s: float


class Pace(NamedTuple):
    """Pace of a run at its last finished unit.

    Args:
        last: The last finished unit.
        left: Units that are left.
        progress: Units done over all units [0-1].
        units: Finished units, or groups of them, that were timed.
        unit_s: Median time of a usual unit of the present stage [s].
        noise: Spread of the time of one timed unit around its neighbours [1].
        blocks: Course of the time of the usual units of the present stage, and of the one before; empty where one
            unit is all.
        changes: Progress at each change of the stage.
        slow: Units with an evaluation, a checkpoint or a wait in them.
        power_w: Mean power of the present stage [W].
        power_spread: Standard error of its logarithm.
        told: What comes between the units in a number that was told, a kind each; its rate is that of the rest.
    """

    last: Point
    left: float
    progress: float
    units: int
    unit_s: float
    noise: float
    blocks: tuple[Block, ...]
    changes: tuple[float, ...]
    slow: Slow
    power_w: float
    power_spread: float
    told: tuple[Slow, ...] = ()


class Step(NamedTuple):
    """From one point to the next, without the time of what was told to come in between."""

    units: float
    duration_s: float
    start: Point
    end: Point

    @property
    def unit_s(self) -> float:
        """Time of one unit [s]."""
        return self.duration_s / self.units


def pace(
    points: Sequence[Point],
    total: float,
    *,
    told: Sequence[Told] = (),
    tick_s: float = 0.0,
    begun_s: float = 0.0,
) -> Pace | None:
    """Pace of a run; None before its first unit is finished, and where the meters were not looked at meanwhile.

    Args:
        points: Start of the first unit, then the end of each unit or group of units, in order.
        total: Units of the whole run.
        told: What comes between the units; its time is none of theirs.
        tick_s: Time between two looks at the meters; power is taken over some of them [s].
        begun_s: Instant of the first look, before which no energy was counted [s].
    """
    timed = steps(points, told)
    if not timed or points[-1].at_s <= begun_s:
        return None
    last, first = points[-1], points[0]
    rest = _without_warm_up(timed)
    usual, slow = _sorted(rest)
    places = last_changes([math.log(step.unit_s) for step in usual])
    stage = usual[places[-1] :] if places else usual
    late = stage[len(stage) // 2 :] if len(stage) >= MANY else stage
    power_w, power_spread = _power(
        [Point(0.0, begun_s, 0.0), *(point for point in points if point.at_s > begun_s)],
        stage[0].start.at_s,
        TICKS * tick_s,
    )
    whole = total - first.done
    before = usual[places[-2] if len(places) > 1 else 0 : places[-1]] if places else []
    blocks = [*_blocks(before, BEFORE), *_blocks(stage, PARTS)]
    return Pace(
        last=last,
        left=total - last.done,
        progress=(last.done - first.done) / whole,
        units=len(timed),
        unit_s=median([step.unit_s for step in late]),
        noise=noise([math.log(step.unit_s) for step in stage]),
        blocks=tuple(_block(some, first.done, whole) for some in blocks) if len(timed) > 1 else (),
        changes=tuple((usual[place].start.done - first.done) / whole for place in places),
        slow=slow,
        power_w=power_w,
        power_spread=power_spread,
        told=tuple(_told(kind, points, total) for kind in told),
    )


def steps(points: Sequence[Point], told: Sequence[Told]) -> list[Step]:
    """From each point to the next, where units were finished."""
    spans = sorted(span for kind in told for span in kind.spans)
    starts_s = [start_s for start_s, _ in spans]
    sums_s = list(itertools.accumulate((end_s - start_s for start_s, end_s in spans), initial=0.0))
    found = []
    for a, b in itertools.pairwise(points):
        first, after = (bisect.bisect_left(starts_s, point.at_s) for point in (a, b))
        own_s = b.at_s - a.at_s - (sums_s[after] - sums_s[first])
        if b.done > a.done and own_s > 0.0:
            found.append(Step(b.done - a.done, own_s, a, b))
    return found


def _told(kind: Told, points: Sequence[Point], total: float) -> Slow:
    """Sizes of those that came until the last unit, and how many come with each unit of the rest."""
    over = [span for span in kind.spans if span[1] <= points[-1].at_s]
    times_s = [point.at_s for point in points]
    at = (points[max(0, bisect.bisect_left(times_s, start_s) - 1)].done for start_s, _ in over)
    rest = max(0.0, kind.total - len(over)) / max(total - points[-1].done, 1e-9)
    return Slow(tuple(at), tuple(end_s - start_s for start_s, end_s in over), rest)


def _sorted(steps: list[Step]) -> tuple[list[Step], Slow]:
    """Usual units, and what is known of the slow ones."""
    usual, slow = [], []
    for step, (middle_s, most_s) in zip(steps, usual_s([step.unit_s for step in steps]), strict=True):
        if step.unit_s <= most_s:
            usual.append(step)
        else:
            slow.append((step.end.done, step.duration_s - step.units * middle_s))
    at, sizes_s = [done for done, _ in slow], [size_s for _, size_s in slow]
    return usual, slow_units(at, sizes_s, begin=steps[0].start.done, end=steps[-1].end.done)


def _blocks(steps: list[Step], most: int) -> list[list[Step]]:
    """Blocks of as many units each."""
    count = min(most, len(steps))
    return [steps[index * len(steps) // count : (index + 1) * len(steps) // count] for index in range(count)]


def _block(steps: list[Step], first: float, whole: float) -> Block:
    begin, end = steps[0].start.done - first, steps[-1].end.done - first
    unit_s = math.fsum(step.duration_s for step in steps) / math.fsum(step.units for step in steps)
    return Block(0.5 * (begin + end) / whole, (end - begin) / whole, len(steps), unit_s)


def _without_warm_up(steps: list[Step]) -> list[Step]:
    """Units after the first one, which loads, compiles and fills caches, and after those that are still slower."""
    if len(steps) == 1:
        return steps
    rest = steps[1:]
    base_s = median([step.unit_s for step in rest[len(rest) // 2 :]])
    most = len(rest) // 2
    while most and rest[0].unit_s > WARM * base_s:
        rest, most = rest[1:], most - 1
    return rest


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


def _power(points: Sequence[Point], since_s: float, least_s: float) -> tuple[float, float]:
    """Mean power since an instant, over at least some looks at the meters [W], and its log-standard error."""
    since_s = min(since_s, points[-1].at_s - least_s)
    first = max((index for index, point in enumerate(points[:-1]) if point.at_s <= since_s), default=0)
    some = points[first:]
    parts = [(b.at_s - a.at_s, b.energy_j - a.energy_j) for a, b in itertools.pairwise(some)]
    duration_s = math.fsum(part for part, _ in parts)
    return math.fsum(part for _, part in parts) / duration_s, _spread(parts)
