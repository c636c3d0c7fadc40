"""How far a run has come towards what was expected of it: its finished units, and what it told to come in between."""

from __future__ import annotations

from typing import Any, NamedTuple

from sootprint.core.expectation import Expectation
from sootprint.tracker.pace import Point, Told

MAX_POINTS = 1025  # odd, so that every second one includes the first and the last
MAX_TOLD = 1000  # spans of a kind beside the units that are looked at one by one
MAX_KINDS = 8
SELDOM = 0.5  # of the number of units; spans that come more often are part of a unit
NEAR = 0.01
FAR = 2.0  # strides; a first logged number beyond tells that the run goes on from a checkpoint


class _Beside(NamedTuple):
    """A span beside the units that is open."""

    number: int
    name: str
    start_s: float
    points: int  # units that had ended at its begin


class Progress:
    """Finished units of a run, joined to larger groups where there are many.

    Args:
        expected: What the whole run does.
    """

    def __init__(self, expected: Expectation) -> None:
        self.expected = expected
        self.points: list[Point] = []
        self._by_span: bool | None = None  # what came first counts: spans of the unit, or logged numbers
        self._open: set[int] = set()  # numbers of the unit's spans that have begun
        self._ended = 0
        self._kinds: dict[str, Told] = {}  # spans beside the units whose number was told
        self._inside: _Beside | None = None  # the one of them that is open

    @property
    def told(self) -> tuple[Told, ...]:
        """What comes between the units, as far as its number was told and it is no part of every unit."""
        around = self._inside.name if self._inside and self._inside.points != len(self.points) else None
        return tuple(
            kind
            for name, kind in self._kinds.items()
            if name != around and 0.0 < kind.total <= SELDOM * self.expected.total
        )

    @property
    def share(self) -> float:
        """Part that is done; above 1 where more was done than expected [0-1]."""
        if len(self.points) < 2:
            return 0.0
        first, last = self.points[0].done, self.points[-1].done
        return (last - first) / (self.expected.total - first) if self.expected.total > first else 1.0

    @property
    def is_unheard(self) -> bool:
        """Whether units are expected and not even the begin of one was heard of."""
        return not self.expected.by_time and not self.points

    @property
    def complete(self) -> bool:
        """Whether as much is done as was expected, and no more, to the last step or a hundredth."""
        if len(self.points) < 2:
            return False
        before, last = self.points[-2].done, self.points[-1].done
        allowed = max(last - before, NEAR * self.expected.total)
        return abs(last - self.expected.total) <= allowed

    def opened(self, number: int, name: str, *, at_s: float, energy_j: float) -> None:
        """Count the begin of a span."""
        if self._inside is None and name in self._kinds:
            self._inside = _Beside(number, name, at_s, len(self.points))
        if self._by_span is False or not self.expected.counts(name):
            return
        self._open.add(number)
        if self._by_span is None:
            self._by_span = True
            self.points.append(Point(0.0, at_s, energy_j))

    def closed(self, number: int, *, at_s: float, energy_j: float) -> None:
        """Count the end of a span."""
        if self._inside is not None and self._inside.number == number:
            self._between(self._inside, at_s)
        if number in self._open:
            self._open.discard(number)
            self._ended += 1
            self._add(Point(float(self._ended), at_s, energy_j))

    def tell(self, name: str, total: float) -> None:
        """Count on a number of spans beside the units, such as evaluations."""
        if self.expected.by_time or self.expected.counts(name) or len(self._kinds) >= MAX_KINDS:
            return
        self._kinds.setdefault(name, Told(total))

    def logged(self, name: str, value: float, *, at_s: float, energy_j: float) -> None:
        """Count a logged number of units that are done."""
        if self._by_span or not self.expected.counts(name) or value < 0.0:
            return
        if self._by_span is None:
            self._by_span = False
            self.points.append(Point(0.0, 0.0, 0.0))
        if value > self.points[-1].done:
            self._add(Point(value, at_s, energy_j))
            if len(self.points) == 3:
                self._resume()

    def ticked(self, at_s: float, energy_j: float, *, period_s: float) -> None:
        """Count a look at the meters, where a time is expected; looks that come denser than usual only now and then."""
        if self.expected.by_time and (not self.points or at_s > self.points[-1].done + 0.5 * period_s):
            self._add(Point(at_s, at_s, energy_j))

    def dump(self) -> dict[str, Any]:
        """Plain values for a journal."""
        return {
            "expected": list(self.expected),
            "points": [list(point) for point in self.points],
            "by_span": self._by_span,
            "open": sorted(self._open),
            "ended": self._ended,
            "kinds": {name: [kind.total, kind.spans] for name, kind in self._kinds.items()},
            "inside": self._inside,
        }

    @classmethod
    def load(cls, data: dict[str, Any]) -> Progress:
        """Progress as a journal holds it."""
        made = cls(Expectation(*data["expected"]))
        made.points = [Point(*point) for point in data["points"]]
        made._by_span, made._ended, made._open = data["by_span"], data["ended"], set(data["open"])
        for name, (number, spans) in data.get("kinds", {}).items():
            made._kinds[name] = Told(number, tuple((start_s, end_s) for start_s, end_s in spans))
        if data.get("inside") is not None:
            made._inside = _Beside(*data["inside"])
        return made

    def _between(self, span: _Beside, at_s: float) -> None:
        """Count a span beside the units; one with the end of a unit inside holds units, and its kind does not count."""
        self._inside = None
        kind = self._kinds[span.name]
        if len(self.points) != span.points or len(kind.spans) >= MAX_TOLD:
            self._kinds[span.name] = Told(0.0)
        else:
            self._kinds[span.name] = kind._replace(spans=(*kind.spans, (span.start_s, at_s)))

    def _add(self, point: Point) -> None:
        self.points.append(point)
        if len(self.points) > MAX_POINTS:
            self.points = self.points[::2]

    def _resume(self) -> None:
        """Begin at the number that the run went on from, where the first one that was logged is far from 0."""
        _, first, second = self.points
        stride = second.done - first.done
        if first.done > FAR * stride:
            self.points[0] = Point(first.done - stride, 0.0, 0.0)
