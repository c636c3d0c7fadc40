"""TraceMeter: a test double that plays readings of a list or a CSV file against a clock."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sootprint.core.errors import InputError, MeterError
from sootprint.core.protocols import Clock, MeterFacts, Reading, SystemClock

NUMBERS = ("at_s", "energy_j", "power_w", "wraps_at_j", "utilisation", "max_power_w")
COLUMNS = (*NUMBERS, "component", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRow:
    """What a component shows from an instant on.

    Args:
        at_s: Seconds since the trace's start [s].
        component: Component.
        energy_j: Counter [J].
        power_w: Power [W].
        wraps_at_j: Energy at which the counter starts again [J].
        utilisation: Busy share [0-1].
        max_power_w: Highest possible power [W].
        error: Text of a failure: from here on the component is not read.
    """

    at_s: float
    component: str = "accelerator:0"
    energy_j: float | None = None
    power_w: float | None = None
    wraps_at_j: float | None = None
    utilisation: float | None = None
    max_power_w: float | None = None
    error: str | None = None


class TraceMeter:
    """Plays rows against a clock: each component shows its last row that is due.

    Args:
        rows: Rows in order of time; times count from the meter's start.
        clock: Clock to play against.
        name: Name of the meter.
        basis: Basis of its readings.
        poll_s: Wanted time between two looks [s].
    """

    def __init__(
        self,
        rows: Sequence[TraceRow],
        clock: Clock | None = None,
        *,
        name: str = "trace",
        basis: str = "sensor",
        poll_s: float | None = None,
    ) -> None:
        if any(later.at_s < earlier.at_s for earlier, later in itertools.pairwise(rows)):
            raise InputError("trace: its rows are not in order of at_s")
        self.name = name
        self.poll_s = poll_s
        self._rows = tuple(rows)
        self._clock = clock or SystemClock()
        self._basis = basis
        self._start_s = self._clock.monotonic_s()

    @classmethod
    def from_csv(cls, path: str | Path, clock: Clock | None = None, *, name: str = "trace") -> TraceMeter:
        """Meter of a CSV file with the columns of `TraceRow`; an empty cell is unknown.

        Raises:
            InputError: The file cannot be read, or a cell breaks its rule; the message names line and column.
        """
        try:
            with Path(path).open(encoding="utf-8", newline="") as file:
                return cls(
                    [_row(cells, line) for line, cells in enumerate(csv.DictReader(file), start=2)],
                    clock,
                    name=name,
                )
        except (OSError, UnicodeDecodeError, csv.Error) as err:
            raise InputError(f"trace: the file cannot be read: {err}") from err

    def read(self) -> list[Reading]:
        """Readings of the components whose row is due now.

        Raises:
            MeterError: Every component that is due shows an error.
        """
        at_s = self._clock.monotonic_s()
        due = {row.component: row for row in self._rows if row.at_s <= at_s - self._start_s}
        readings = [self._reading(row, at_s) for row in due.values() if row.error is None]
        if due and not readings:
            raise MeterError("; ".join(row.error or "" for row in due.values()))
        return readings

    def _reading(self, row: TraceRow, at_s: float) -> Reading:
        return Reading(
            meter=self.name,
            component=row.component,
            at_s=at_s,
            energy_j=row.energy_j,
            power_w=row.power_w,
            wraps_at_j=row.wraps_at_j,
            utilisation=row.utilisation,
            max_power_w=row.max_power_w,
            basis=self._basis,
        )

    def facts(self) -> MeterFacts:
        """Nothing but the warning that the numbers are played."""
        return MeterFacts(warnings=(f"{self.name}: its readings are played from a trace",))


def _row(cells: dict[str | None, str | None], line: int) -> TraceRow:
    unknown = {name for name in cells if name not in COLUMNS}
    if unknown:
        raise InputError(
            f"trace: line {line} has a column {sorted(map(str, unknown))[0]!r}; known are {', '.join(COLUMNS)}"
        )
    numbers = {name: _number(cells.get(name), line, name) for name in NUMBERS}
    at_s = numbers.pop("at_s")
    if at_s is None:
        raise InputError(f"trace: line {line} has no at_s")
    return TraceRow(
        at_s=at_s,
        component=cells.get("component") or "accelerator:0",
        error=cells.get("error") or None,
        **numbers,
    )


def _number(cell: str | None, line: int, name: str) -> float | None:
    if not cell:
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"trace: {name} of line {line} is {cell!r}: give a finite number or leave it empty")
    return value
