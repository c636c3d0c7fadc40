"""A log of wall power beside stored runs: readings for a calibration, without measuring anything anew."""

from __future__ import annotations

import csv
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sootprint.core.calibration import Point, signature
from sootprint.core.errors import InputError
from sootprint.core.protocols import family_of
from sootprint.core.records import Footprint

WINDOW_S = 30.0  # of a run for one reading: clocks of plugs and their displays lag by seconds
LEAST_LOGGED = 2  # wall powers in a window
ERROR_W, ERROR_SHARE = 1.0, 0.03  # of a window's mean at the wall: resolution, and what lags at its edges
TIMES = ("time", "timestamp", "timestamp_utc", "datetime", "date")
POWERS = ("watts", "watt", "power", "power_w", "w", "value")
NOT_COMPONENTS = ("node", "wall")


class Logged(NamedTuple):
    """Power at the wall at an instant: seconds since 1970 [s], and power [W]."""

    at_s: float
    power_w: float


class Found(NamedTuple):
    """Readings from runs of one kind: the same meters and the same hardware.

    Args:
        points: Mean powers of windows of the runs.
        meters: Meters that gave the components.
        hardware: Processors and accelerators, as `signature` names them.
        runs: Number of runs.
    """

    points: list[Point]
    meters: tuple[str, ...]
    hardware: tuple[str, ...]
    runs: int


def read(text: str, *, name: str) -> list[Logged]:
    """Log of a CSV with a time and a power in W, sorted by time.

    Columns are found by their names, else the first two count. A time is ISO 8601, without an offset in the local
    time of this machine, or seconds since 1970.

    Args:
        text: Content of the file.
        name: Name of the file, for messages.

    Raises:
        InputError: A line has no time or power.
    """
    lines = text.lstrip("\ufeff").splitlines()
    separator = ";" if lines and ";" in lines[0] else ","
    rows = [row for row in csv.reader(lines, delimiter=separator) if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError(f"{name} holds no line: it must have a time and a power in W in each")
    head = [cell.strip().lower() for cell in rows[0]]
    time_at = next((head.index(known) for known in TIMES if known in head), 0)
    power_at = next((head.index(known) for known in POWERS if known in head), 1)
    has_head = _instant(_cell(rows[0], time_at)) is None
    logged = []
    for order, row in enumerate(rows[1:] if has_head else rows, start=2 if has_head else 1):
        at_s, power_w = _instant(_cell(row, time_at)), _number(_cell(row, power_at))
        if at_s is None or power_w is None:
            raise InputError(
                f"{name}, line {order}: {','.join(row)[:60]!r} has no time and power, e.g. 2026-05-01T12:00:00,85.5"
            )
        logged.append(Logged(at_s, power_w))
    return sorted(logged)


def found_in(logged: Sequence[Logged], footprints: Iterable[Footprint]) -> Found:
    """Readings of the runs that fell into the time of a log; of several kinds, the one with the most.

    Windows in which two runs share the machine, or a component was not read, are left out; so are runs that a wall
    meter measured anyway.

    Args:
        logged: Wall powers, sorted.
        footprints: Runs of this node.

    Raises:
        InputError: No run falls into the time of the log.
    """
    runs = [one for one in footprints if one.started and one.ended and not _has_wall(one)]
    busy = [(_stamp(one.started), _stamp(one.ended), one.id) for one in runs]
    kinds: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[list[Point], int]] = {}
    for one in runs:
        shared = [(start, end) for start, end, run in busy if run != one.id]
        shared += [(_stamp(gap.start), _stamp(gap.end)) for gap in one.gaps]
        made = list(_points(logged, one, shared))
        if made:
            points, count = kinds.get(_kind(one), ([], 0))
            kinds[_kind(one)] = (points + made, count + 1)
    if not kinds:
        raise InputError(
            "no run of this node falls into the time of the log: measure some with `sootprint run` while the meter "
            "logs, and check that its times have the right offset"
        )
    (meters, hardware), (points, count) = max(kinds.items(), key=lambda item: len(item[1][0]))
    return Found(points, meters, hardware, count)


def _points(
    logged: Sequence[Logged], one: Footprint, without: Sequence[tuple[float, float]]
) -> Iterator[Point]:
    """A reading for each window of a run."""
    for start_s, end_s, energy_j in _windows(one):
        if any(start_s < until and since < end_s for since, until in without):
            continue
        first, last = bisect_left(logged, (start_s, -math.inf)), bisect_left(logged, (end_s, -math.inf))
        powers_w = [reading.power_w for reading in logged[first:last]]
        if len(powers_w) >= LEAST_LOGGED:
            wall_w = math.fsum(powers_w) / len(powers_w)
            yield Point(energy_j / (end_s - start_s), wall_w, math.hypot(ERROR_W, ERROR_SHARE * wall_w))


def _windows(one: Footprint) -> Iterator[tuple[float, float, float]]:
    """Start, end and energy of the components in windows of a run [s, s, J]."""
    slots: dict[tuple[float, float], float] = {}
    for row in one.intervals:
        if family_of(row.component) not in NOT_COMPONENTS:
            key = (_stamp(row.start), _stamp(row.end))
            slots[key] = slots.get(key, 0.0) + row.energy_j
    start_s, energy_j = None, 0.0
    for (slot_s, end_s), spent_j in sorted(slots.items()):
        start_s = slot_s if start_s is None else start_s
        energy_j += spent_j
        if end_s - start_s >= WINDOW_S:
            yield start_s, end_s, energy_j
            start_s, energy_j = None, 0.0


def _kind(one: Footprint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return meters_of(one), signature((device.kind, device.name, device.count) for device in one.hardware)


def meters_of(one: Footprint) -> tuple[str, ...]:
    """Meters that gave a run's components, without those of the node and the wall."""
    return tuple(
        sorted({part.meter for part in one.components if family_of(part.component) not in NOT_COMPONENTS})
    )


def _has_wall(one: Footprint) -> bool:
    return any(family_of(part.component) == "wall" for part in one.components)


def _stamp(text: str | None) -> float:
    return datetime.fromisoformat(text or "1970-01-01T00:00:00+00:00").timestamp()


def _cell(row: Sequence[str], index: int) -> str:
    return row[index].strip() if index < len(row) else ""


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if 0.0 <= value < math.inf else None


def _instant(text: str) -> float | None:
    seconds = _number(text)
    if seconds is not None:
        return seconds
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
