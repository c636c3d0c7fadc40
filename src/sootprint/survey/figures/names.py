"""Places of names inside a plot: where each covers the fewest points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

LETTER, LINE = 6.4, 15.0  # pixels, of a letter's width and of a line's height
AWAY = 10.0  # pixels between a point and the name beside it
OUTSIDE = 1_000  # points that a name beyond the edge of the plot counts for
BETWEEN = 8  # points that stand for each straight part of a front

Point = tuple[float, float]  # pixels from the left and from the top


class Name(NamedTuple):
    """A name and the left end of its middle line.

    Args:
        text: Name.
        x: Pixels from the left of the plot.
        y: Pixels from its top.
    """

    text: str
    x: float
    y: float

    def covers(self, point: Point) -> bool:
        """Whether the name stands over a point, or touches it."""
        right = self.x + LETTER * len(self.text)
        return self.x - 6.0 < point[0] < right + 6.0 and abs(point[1] - self.y) < LINE / 2 + 5.0


def placed(text: str, front: Sequence[Point], points: Iterable[Point], *, width: int, height: int) -> Name:
    """Name of a front at one of its members, where it covers the fewest points.

    Args:
        text: Name.
        front: Members of the front from left to right.
        points: What the name should not cover.
        width: Width of the plot [pixel].
        height: Height of the plot [pixel].
    """
    taken = [*points, *_steps(front)]
    long = LETTER * len(text)

    def cost(name: Name) -> int:
        outside = name.x < 0.0 or name.x + long > width or not LINE / 2 <= name.y <= height - LINE / 2
        return OUTSIDE * outside + sum(name.covers(point) for point in taken)

    sides = (
        (AWAY, -AWAY),
        (AWAY, AWAY + 2.0),
        (AWAY, -2 * AWAY),
        (-AWAY - long, -AWAY),
        (-long / 2, -2 * AWAY),
    )
    ends = (front[-1], front[0], *front[1:-1])
    return min((Name(text, x + dx, y + dy) for x, y in ends for dx, dy in sides), key=cost)


def _steps(front: Sequence[Point]) -> list[Point]:
    """Points along the steps through the members of a front."""
    found = list(front)
    for (x, y), (next_x, next_y) in pairwise(front):
        for part in range(BETWEEN + 1):
            share = part / BETWEEN
            found += [(x + share * (next_x - x), y), (next_x, y + share * (next_y - y))]
    return found
