"""A trace as the tracker would have seen it: its pace at each share of progress, and carbontracker's rule beside."""

from __future__ import annotations

import bisect
import gzip
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT / "bench" / "traces"
sys.path.insert(0, str(ROOT / "src"))
from sootprint.core.expectation import Expectation  # noqa: E402 - the folder above is not on the path of a script
from sootprint.tracker.forecast import AT  # noqa: E402
from sootprint.tracker.pace import Pace, Point, pace  # noqa: E402
from sootprint.tracker.progress import Progress  # noqa: E402


class Moment(NamedTuple):
    """What was known when a share of the run was done, and what carbontracker would have said then."""

    pace: Pace
    linear_j: float
    linear_s: float


class Case(NamedTuple):
    """One trace: its moments by share of progress, and how it ended."""

    name: str
    moments: Mapping[float, Moment]
    end_j: float
    end_s: float


def recorded() -> list[dict[str, Any]]:
    """Traces that were recorded, by name."""
    return [json.loads(gzip.decompress(path.read_bytes())) for path in sorted(TRACES.glob("*.json.gz"))]


def case(trace: dict[str, Any]) -> Case:
    """Moments of a trace, each at the first look at the meters after its share of the units was done."""
    expected = Expectation(trace["unit"], float(trace["total"]))
    progress, waiting, moments = Progress(expected), list(_marks(trace)), {}
    ticks = trace["ticks"]
    tick_s = ticks[-1][0] / max(1, len(ticks) - 1)
    times_s, energies_j = [row[0] for row in ticks], [row[1] for row in ticks]
    due, begin = list(AT), 0
    for at_s in times_s:
        while begin < len(waiting) and waiting[begin][0] <= at_s:
            _count(progress, waiting[begin], _energy_j(waiting[begin][0], times_s, energies_j))
            begin += 1
        while due and progress.share >= due[0]:
            share = due.pop(0)
            seen = pace(progress.points, expected.total, tick_s=tick_s, begun_s=times_s[0])
            if seen is not None and seen.power_w > 0.0:
                moments[share] = Moment(seen, *_linear(progress.points, expected.total))
    return Case(trace["name"], moments, trace["end_j"], trace["end_s"])


def _marks(trace: dict[str, Any]) -> Iterator[tuple[float, str, Any]]:
    """Opened and closed spans and logged numbers, in order of time."""
    marks: list[tuple[float, str, Any]] = [(at_s, "log", number) for at_s, number in trace["units"]]
    for number, (name, start_s, end_s) in enumerate(trace["spans"]):
        marks += [(start_s, "open", (number, name)), (end_s, "close", number)]
    yield from sorted(marks, key=lambda mark: mark[0])


def _count(progress: Progress, mark: tuple[float, str, Any], energy_j: float) -> None:
    at_s, kind, what = mark
    if kind == "log":
        progress.logged(progress.expected.unit, what, at_s=at_s, energy_j=energy_j)
    elif kind == "open":
        progress.opened(*what, at_s=at_s, energy_j=energy_j)
    else:
        progress.closed(what, at_s=at_s, energy_j=energy_j)


def _energy_j(at_s: float, times_s: list[float], energies_j: list[float]) -> float:
    """Energy until an instant, between the two ticks around it [J]."""
    after = min(bisect.bisect_left(times_s, at_s), len(times_s) - 1)
    before = max(0, after - 1)
    span_s = times_s[after] - times_s[before]
    share = (at_s - times_s[before]) / span_s if span_s > 0.0 else 1.0
    return energies_j[before] + share * (energies_j[after] - energies_j[before])


def _linear(points: list[Point], total: float) -> tuple[float, float]:
    """Energy [J] and time [s] of the whole run by carbontracker: mean of the units so far times their number.

    Source: carbontracker 2.4, predictor.py: mean(epoch energy) x epochs; its PUE is left out.
    """
    first, last = points[0], points[-1]
    whole = (total - first.done) / (last.done - first.done)
    return whole * (last.energy_j - first.energy_j), whole * (last.at_s - first.at_s)
