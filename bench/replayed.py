"""A trace as the tracker would have seen it: its pace at each share of progress, with two rules beside.

One is carbontracker's. The other knows of what is to come all but the pace of the usual units, so that its error is
what no forecast from the pace so far can leave out.
"""

from __future__ import annotations

import bisect
import collections
import gzip
import itertools
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT / "bench" / "traces"
sys.path.insert(0, str(ROOT / "src"))
from sootprint.core.expectation import Expectation  # noqa: E402 - the folder above is not on the path of a script
from sootprint.tracker.again import Earlier  # noqa: E402
from sootprint.tracker.forecast import AT  # noqa: E402
from sootprint.tracker.pace import Pace, Point, pace, steps  # noqa: E402
from sootprint.tracker.progress import Progress  # noqa: E402
from sootprint.tracker.slow import usual_s  # noqa: E402


class Moment(NamedTuple):
    """What was known when a share of the run was done, and what the two rules would have said then."""

    pace: Pace
    linear_j: float
    knowing_j: float


class Case(NamedTuple):
    """One trace: its moments by share of progress, how it ended, and earlier runs of its name, the latest first."""

    name: str
    moments: Mapping[float, Moment]
    end_j: float
    end_s: float
    earlier: tuple[Earlier, ...] = ()


def recorded(folder: Path = TRACES) -> list[dict[str, Any]]:
    """Traces that were recorded, by name."""
    return [json.loads(gzip.decompress(path.read_bytes())) for path in sorted(folder.glob("*.json.gz"))]


def case(trace: dict[str, Any], *, told: bool = False) -> Case:
    """Moments of a trace, each at the first look at the meters after its share of the units was done.

    Args:
        trace: What was recorded.
        told: Whether the spans between the units were given their total.
    """
    expected = Expectation(trace["unit"], float(trace["total"]))
    progress, waiting, seen_at = Progress(expected), list(_marks(trace)), {}
    if told:
        for name, number in _totals(trace).items():
            progress.tell(name, float(number))
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
            seen = pace(
                progress.points, expected.total, told=progress.told, tick_s=tick_s, begun_s=times_s[0]
            )
            if seen is not None and seen.power_w > 0.0:
                seen_at[share] = seen, _linear_j(progress.points, expected.total)
    moments = {
        share: Moment(seen, linear_j, _knowing_j(trace, seen, progress.points))
        for share, (seen, linear_j) in seen_at.items()
    }
    return Case(trace["name"], moments, trace["end_j"], trace["end_s"])


def _totals(trace: dict[str, Any]) -> dict[str, int]:
    """How many spans of each kind its author meant to have, the units aside: what came in the end."""
    return collections.Counter(name for name, _, _ in trace["spans"] if name != trace["unit"])


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


def thirds(trace: dict[str, Any]) -> tuple[float, float]:
    """Mean time of a usual unit in the second and the last third of the units, over that in the first.

    As all that was told or stands out is left out, a training that does the same throughout has 1 but for its machine.
    """
    progress = Progress(Expectation(trace["unit"], float(trace["total"])))
    for name, number in _totals(trace).items():
        progress.tell(name, float(number))
    for mark in _marks(trace):
        _count(progress, mark, 0.0)
    own = steps(progress.points, progress.told)
    bounds_s = usual_s([step.unit_s for step in own])
    usual = [step for step, (_, most_s) in zip(own, bounds_s, strict=True) if step.unit_s <= most_s]
    parts: list[list[float]] = [[], [], []]
    for step in usual[1:]:
        parts[min(2, int(3.0 * step.start.done / trace["total"]))].append(step.unit_s)
    first, second, last = (math.fsum(part) / len(part) for part in parts)
    return second / first, last / first


def _linear_j(points: list[Point], total: float) -> float:
    """Energy of the whole run by carbontracker: mean of the units so far times their number [J].

    Source: carbontracker 2.4, predictor.py: mean(epoch energy) x epochs; its PUE is left out.
    """
    first, last = points[0], points[-1]
    return (total - first.done) / (last.done - first.done) * (last.energy_j - first.energy_j)


def _knowing_j(trace: dict[str, Any], seen: Pace, points: list[Point]) -> float:
    """Energy of the whole run by the mean pace of the present stage so far, all else of the rest being known [J].

    Known are each evaluation, checkpoint and straggler to come, what follows the last unit, and the mean power.
    """
    steps = [(b.done - a.done, b.at_s - a.at_s, b) for a, b in itertools.pairwise(points) if b.at_s > a.at_s]
    bounds_s = usual_s([duration_s / units for units, duration_s, _ in steps])
    slow_s = math.fsum(
        duration_s - units * middle_s
        for (units, duration_s, end), (middle_s, most_s) in zip(steps, bounds_s, strict=True)
        if end.done > seen.last.done and duration_s > most_s * units
    )
    stage = [block for block in seen.blocks if not seen.changes or block.at > seen.changes[-1]]
    count = sum(block.units for block in stage)
    unit_s = math.fsum(block.units * block.unit_s for block in stage) / count if count else seen.unit_s
    rest_s = seen.left * unit_s + slow_s + trace["end_s"] - points[-1].at_s
    power_w = (trace["end_j"] - seen.last.energy_j) / (trace["end_s"] - seen.last.at_s)
    return seen.last.energy_j + power_w * rest_s
