"""Where the level of a series moved: a second stage of a run, told from noise and from a pace that wanders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

MAD_SD = 1.4826  # standard deviation of a normal over its median absolute deviation
LEAST = 10  # values of a stage that can be told from noise
SHARE = 0.08  # least difference of two stages
ERRORS = 5.0  # standard errors between them
WANDER = (
    4.0  # least difference over the spread of the blocks within the stages; 3.5 is what a straight line has
)
BLOCKS = 8


def last_changes(logs: list[float]) -> list[int]:
    """Places where a series moved to another level, each the best one after the one before."""
    begin, places = 0, []
    while len(logs) - begin >= 2 * LEAST:
        found = _split(logs[begin:])
        if found is None:
            break
        begin += found
        places.append(begin)
    return places


def noise(logs: Sequence[float]) -> float:
    """Spread of one value around its neighbours, from the jumps between them."""
    jumps = [abs(b - a) for a, b in itertools.pairwise(logs)]
    return max(MAD_SD * median(jumps) / math.sqrt(2.0), 1e-6) if jumps else 0.0


def bends(values: Sequence[float]) -> float:
    """Spread of one value around the line through its neighbours, from the bends between them."""
    off = [abs(a - 2.0 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return max(MAD_SD * median(off) / math.sqrt(6.0), 1e-6) if off else 0.0


def mean(values: Sequence[float]) -> float:
    """Mean of some values."""
    return math.fsum(values) / len(values)


def median(values: Sequence[float]) -> float:
    """Median of some values."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle])


def _split(logs: list[float]) -> int | None:
    """Place that divides a series best into two levels, or None where it is no sharp step."""
    count, total = len(logs), math.fsum(logs)
    scatter = noise(logs)
    least = max(LEAST, count // 20)
    best, place, before = 0.0, None, math.fsum(logs[: least - 1])
    for index in range(least, count - least + 1):
        before += logs[index - 1]
        step = abs(before / index - (total - before) / (count - index))
        score = step / (scatter * math.sqrt(1.0 / index + 1.0 / (count - index)))
        if step > SHARE and score > max(best, ERRORS):
            best, place = score, index
    return place if place is not None and _sharp(logs[:place], logs[place:]) else None


def _sharp(before: list[float], after: list[float]) -> bool:
    """Whether two levels differ by far more than the blocks within them: a wandering pace has no stages."""
    squares, count = 0.0, 0
    for part in (before, after):
        blocks = min(BLOCKS, len(part) // (LEAST // 2))
        means = [mean(part[b * len(part) // blocks : (b + 1) * len(part) // blocks]) for b in range(blocks)]
        middle = mean(means)
        squares += math.fsum((value - middle) ** 2 for value in means)
        count += blocks
    return abs(mean(after) - mean(before)) > WANDER * math.sqrt(squares / count)
