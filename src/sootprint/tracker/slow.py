"""Units that an evaluation, a checkpoint or a wait fell into: which they are, how large and how often."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from sootprint.tracker.stages import MAD_SD, mean, median

SLOW = 1.5  # a unit that takes this many times that of its neighbours has something else in it
LATE = 1.1  # distances after which a slow unit that came at a regular one should have come again
NEIGHBOURS = 4  # on each side; more slow units in a row than these are a stage
MINOR = (
    0.05  # share of all their time that the smallest slow units may have which are not looked at one by one
)
FIRST = 1.5  # times the median of the later ones above which the first slow unit has a warm-up of its own


class Slow(NamedTuple):
    """Slow units of a run.

    Args:
        at: Units done at the end of each.
        sizes_s: What each took beyond the usual time of its units [s].
        rate: Their number over that of units.
        rate_spread: Standard error of its logarithm.
    """

    at: tuple[float, ...] = ()
    sizes_s: tuple[float, ...] = ()
    rate: float = 0.0
    rate_spread: float = 0.0


def usual_s(times_s: Sequence[float]) -> list[tuple[float, float]]:
    """Usual time of each unit by its neighbours, and the time above which it is a slow one [s]."""
    middles_s = [
        median(times_s[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]) for index in range(len(times_s))
    ]
    off = [abs(time_s / middle_s - 1.0) for time_s, middle_s in zip(times_s, middles_s, strict=True)]
    most = max(SLOW, 1.0 + 5.0 * MAD_SD * median(off))
    return [(middle_s, most * middle_s) for middle_s in middles_s]


def slow_units(at: Sequence[float], sizes_s: Sequence[float], *, begin: float, end: float) -> Slow:
    """Slow units with their rate.

    Stragglers are not told from small checkpoints: the smallest, with `MINOR` of all time, are added to the others. The
    first one may hold a warm-up of its own. Where they come at a regular distance, the units since the last one are not
    counted: they belong to the next. The error of the rate is that of a count at random distances, from the scatter of
    those, and wide for the first two.

    Args:
        at: Units done at the end of each.
        sizes_s: What each took beyond the usual time of its units [s].
        begin: Units done where the counting begins.
        end: Units done by now.
    """
    if not at:
        return Slow()
    at, sizes = _major(at, sizes_s)
    count, until = len(at), at[-1]
    gaps = [b - a for a, b in itertools.pairwise([begin, *at])]
    middle = mean(gaps)
    scatter = math.fsum((gap / middle - 1.0) ** 2 for gap in gaps) / max(1, count - 1)
    span = until - begin if end - until < LATE * middle else end - begin
    if count > 2 and sizes[0] > FIRST * median(sizes[1:]):
        sizes[0] = median(sizes[1:])
    spread = math.sqrt((scatter * (count - 1) + 1.0) / (count + 1) / count)
    return Slow(tuple(at), tuple(sizes), count / span, spread)


def _major(at: Sequence[float], sizes_s: Sequence[float]) -> tuple[list[float], list[float]]:
    """The larger slow units, with what the smallest took added to them in proportion."""
    whole = math.fsum(sizes_s)
    below = itertools.accumulate(sorted(sizes_s))
    least = next(size for size, total in zip(sorted(sizes_s), below, strict=True) if total > MINOR * whole)
    kept = [(done, size) for done, size in zip(at, sizes_s, strict=True) if size >= least]
    more = whole / math.fsum(size for _, size in kept)
    return [done for done, _ in kept], [more * size for _, size in kept]
