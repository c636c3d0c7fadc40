"""One component in one run's account, and the part of it that lasts from look to look."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import fsum

UNKNOWN = -1.0
YOUNG = (0.0, UNKNOWN, UNKNOWN)  # values of the slots that a board of an older release does not have
LASTS_S = 3.0  # time in which a run's part follows a change of its use [s]


class Line:
    """One component in one run's account."""

    __slots__ = (
        *("energy_j", "is_first", "is_old", "lost_at_j", "rest_j"),
        *("share", "since_s", "variance_j2", "without_j", "lasting", "held_s", "held_j"),
    )

    def __init__(
        self,
        since_s: float,
        *,
        counter_j: float | None = None,
        is_first: bool = False,
        is_old: bool = False,
    ) -> None:
        self.since_s = since_s
        self.held_s = since_s  # since when somebody is charged of whom this one goes on [s]
        self.held_j = UNKNOWN if counter_j is None else counter_j  # and what the counter showed then [J]
        self.is_first = float(is_first)  # whether nobody was charged before
        self.is_old = float(is_old)  # whether somebody was charged with it since then, or before as one alone
        self.energy_j = self.rest_j = self.variance_j2 = self.lost_at_j = self.without_j = 0.0
        self.share = UNKNOWN  # of what was spent last [0-1]
        self.lasting = 0.0  # the same over some looks, by which a run bridges a change of its reader [0-1]

    def follow(self, other: Line) -> None:
        """Go on from another one: what that was charged, this one was not, though it may have been here."""
        if 0.0 <= other.held_s < self.held_s:
            self.held_s, self.held_j = other.held_s, other.held_j

    @property
    def told(self) -> float | None:
        """Part of what is spent by which the run goes on where its reader has gone, or None before it had any."""
        return None if self.share < 0.0 else self.lasting or self.share


def line_of(values: Sequence[float]) -> Line:
    """Line from the values of its slots, the last of which an older board does not have.

    Raises:
        ValueError: There are too few.
    """
    line = Line(0.0)
    more = YOUNG[len(values) - len(Line.__slots__) :] if len(values) < len(Line.__slots__) else ()
    for slot, value in zip(Line.__slots__, (*values, *more), strict=True):
        setattr(line, slot, float(value))
    return line


def steady(lines: Collection[Line], before_s: float, at_s: float) -> None:
    """Let the parts of one component follow those of a look, slowly: two runs may have been told of different looks.

    At first they are the means so far: a look right after another one tells little, as CPU times move in steps.

    Args:
        lines: Of everybody who was charged with it now.
        before_s: Instant of the look before [s].
        at_s: Instant of the look [s].
    """
    seen_s = max((before_s - line.since_s for line in lines), default=0.0)
    lasted_s = at_s - before_s
    weight = lasted_s / (lasted_s + min(LASTS_S, max(0.0, seen_s)))
    for line in lines:
        line.lasting += weight * (line.share - line.lasting)


def sums(tables: Iterable[Mapping[str, Line]]) -> dict[str, float]:
    """What the lasting parts of some runs add up to, by component [0-1]."""
    found: dict[str, list[float]] = {}
    for table in tables:
        for name, line in table.items():
            found.setdefault(name, []).append(line.lasting)
    return {name: fsum(parts) for name, parts in found.items()}


def level(tables: Sequence[Mapping[str, Line]], wanted: Mapping[str, float]) -> None:
    """Let the lasting parts of some runs add up to what is wanted of each component, as somebody came or went.

    Where nobody was charged with it yet, those who are here have equal parts until the first look.
    """
    found = sums(tables)
    for name, sum_ in found.items():
        lines = [table[name] for table in tables if name in table]
        if sum_ > 0.0 and name in wanted:
            for line in lines:
                line.lasting *= wanted[name] / sum_
        elif all(line.is_first and not line.is_old for line in lines):
            for line in lines:
                line.share = 1.0 / len(lines)


def hand_on(
    own: Mapping[str, Line], tables: Iterable[Mapping[str, Line]], tops: Iterable[Mapping[str, Line]]
) -> None:
    """Let one run have the parts of all by which they bridge a change of their reader.

    Args:
        own: Its lines.
        tables: Those of all, its own among them.
        tops: Those of the runs whose parts add up.
    """
    outer, everybody = list(tops), list(tables)
    for name, line in own.items():
        parts = [table[name].told for table in outer if name in table]
        told = [part for part in parts if part is not None]
        for other in (table[name] for table in everybody if name in table and table[name] is not line):
            other.share = other.lasting = 0.0
        if told:
            line.share = line.lasting = fsum(told)
