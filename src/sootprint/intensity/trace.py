"""Trace intensity: hourly or finer figures from a CSV file, plain or gzipped; the shipped test double."""

from __future__ import annotations

import csv
import math
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sootprint.core import utc
from sootprint.core.errors import IntensityError
from sootprint.core.protocols import Intensity
from sootprint.core.quantity import Factor
from sootprint.intensity.points import require_unit
from sootprint.intensity.times import check_times

if TYPE_CHECKING:
    from sootprint.intensity.live import Asked

TIME_COLUMN, VALUE_COLUMN = "timestamp_utc", "ci_gco2e_kwh"
METHOD = "average, life-cycle, location-based"
HIGHEST_G_PER_KWH = 3000.0


class _Step(NamedTuple):
    start: datetime
    value: float | None  # an empty cell is a gap


class TraceSource:
    """Carbon intensity from a file with the columns `timestamp_utc` (start of step) and `ci_gco2e_kwh`.

    Args:
        path: CSV file, plain or gzipped (`.gz`); more columns are allowed.
        zone: Zone that the file is of; another zone is refused. Any zone is answered when None.
        method: Method of the figures, as in `Factor.method`.

    Raises:
        IntensityError: The file cannot be read, a row is wrong, or the times do not rise.
    """

    name = "trace"

    def __init__(self, path: Path | str, *, zone: str | None = None, method: str = METHOD) -> None:
        self._path = Path(path)
        self._zone = zone
        self._method = method
        self._steps = _read(self._path)
        self._starts = [step.start for step in self._steps]
        self._length = _step_length(self._starts)

    def between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        """Intensities of the steps within `[start, end)`, cut at both ends; a gap of the file is left out.

        Raises:
            IntensityError: The zone is another one, or the file has no figure within the times.
        """
        check_times(start, end)
        if self._zone is not None and zone != self._zone:
            raise IntensityError(f"{self._path.name} is of zone {self._zone!r}, not {zone!r}: name its zone")
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        first = max(0, bisect_right(self._starts, start) - 1)
        found = [
            replace(whole, start=max(whole.start, start), end=min(whole.end, end))
            for at in range(first, bisect_left(self._starts, end))
            if (whole := self._intensity(zone, at)) is not None and whole.end > start
        ]
        if not found:
            span = f"{self._starts[0].isoformat()} to {(self._starts[-1] + self._length).isoformat()}"
            raise IntensityError(f"{self._path.name} has no figure in the time asked for; it covers {span}")
        return found

    def _intensity(self, zone: str, at: int) -> Intensity | None:
        """Intensity of one whole step, or None for a gap."""
        step = self._steps[at]
        if step.value is None:
            return None
        following = self._starts[at + 1] if at + 1 < len(self._starts) else step.start + self._length
        factor = Factor(
            kind="intensity",
            key=zone,
            value=step.value,
            unit="gCO2e/kWh",
            period=step.start.isoformat(),
            method=self._method,
            source=f"trace {self._path.name}",
        )
        end = min(following, step.start + self._length)
        return Intensity(
            zone=zone, start=step.start, end=end, factor=factor, step_s=self._length.total_seconds()
        )


def _read(path: Path) -> list[_Step]:
    """Steps of a file in their order."""
    try:
        lines = _text(path).splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as err:
        raise IntensityError(f"{path} cannot be read: {getattr(err, 'strerror', None) or err}") from err
    reader = csv.DictReader(lines)
    try:
        rows = list(reader)
    except csv.Error as err:
        raise IntensityError(f"{path.name} is no CSV: {err}") from None
    missing = {TIME_COLUMN, VALUE_COLUMN} - set(reader.fieldnames or ())
    if missing:
        there = ", ".join(name[:40] for name in (reader.fieldnames or ())[:6]) or "nothing"
        raise IntensityError(
            f"{path.name} has no column {', '.join(sorted(missing))}; its first line has {there}, parted by commas"
        )
    steps = [_step(path, number, row) for number, row in enumerate(rows, start=2)]
    for number, (before, after) in enumerate(pairwise(steps), start=3):
        if after.start <= before.start:
            raise IntensityError(
                f"{path.name} line {number}: {after.start.isoformat()} does not rise: sort the rows, each time once "
                "and in UTC (a clock that changes to winter time repeats an hour)"
            )
    if not steps:
        raise IntensityError(f"{path.name} has no rows")
    require_unit([step.value for step in steps if step.value is not None], where=path.name)
    return steps


def _text(path: Path) -> str:
    if path.suffix == ".gz":
        import gzip

        return gzip.decompress(path.read_bytes()).decode("utf-8-sig")
    return path.read_text(encoding="utf-8-sig")


def _step(path: Path, number: int, row: dict[str, str]) -> _Step:
    """Step of one row."""
    try:
        start = utc.instant(row[TIME_COLUMN])
        value = float(row[VALUE_COLUMN]) if row[VALUE_COLUMN] else None
    except (TypeError, ValueError) as err:
        raise IntensityError(
            f"{path.name} line {number}: {err}; a time is as 2026-01-31T12:00Z, a figure a number, a gap empty"
        ) from err
    if value is not None and not (math.isfinite(value) and 0.0 <= value <= HIGHEST_G_PER_KWH):
        raise IntensityError(
            f"{path.name} line {number}: {VALUE_COLUMN} = {value:g} is not from 0 to {HIGHEST_G_PER_KWH:g} "
            "gCO2e/kWh: leave the cell of a gap empty, and convert from other units (lb, per MWh)"
        )
    return _Step(start, value)


def _step_length(starts: list[datetime]) -> timedelta:
    """Usual length of a step: the median, or an hour where there is one step only."""
    lengths = sorted(after - before for before, after in pairwise(starts))
    return lengths[len(lengths) // 2] if lengths else timedelta(hours=1)


def configured(asked: Asked) -> TraceSource:
    """Source as the settings state it.

    Raises:
        IntensityError: The settings name no file, or it cannot be read.
    """
    if asked.provider.file is None:
        raise IntensityError("trace needs a file: state file and zone in [grid.trace] of sootprint.toml")
    return TraceSource(Path(asked.provider.file).expanduser(), zone=asked.provider.zone)
