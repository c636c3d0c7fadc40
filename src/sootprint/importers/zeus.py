"""Zeus' log of its windows: the CSV of `ZeusMonitor(log_file=...)`, joules of each GPU in each window.

Windows may lie in each other, as epochs lie in a training: the outer ones are added, all of them are spans of the
record, and the time between them is a gap. The log holds the GPUs alone; what the monitor read of processors is not
written into it.

Source:
    Zeus 0.16.0 (2026), monitor/energy.py, end_window.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from sootprint.core import instants, units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Gap, Interval, Span
from sootprint.importers.base import (
    MOST_ROWS,
    Imported,
    LeftOut,
    amount,
    gathered,
    identity,
    tried,
)  # fmt: skip

NAME = "zeus"
MOST_SPANS, MOST_GAPS = 1_000, 1_000
MOST_W = 3000.0  # of one GPU: above any until 2026, as where its counter was reset
UPDATE_S = 0.1  # time in which NVIDIA's counters move once
_HEAD = re.compile(r"start_time,window_name,elapsed_time((?:,gpu\d{1,4}_energy)*),?(sootprint_run)?\s*$")


class _Window(NamedTuple):
    """A window: its line and name, when it began and ended [s], and the energy of each GPU [J]."""

    line: int
    name: str
    start_s: float
    end_s: float
    energy_j: tuple[float, ...]


def is_it(text: str, _: str) -> bool:
    """Whether a text is such a log."""
    return _HEAD.fullmatch(text.partition("\n")[0].strip()) is not None


def read(text: str, name: str) -> Imported:
    """Record of the windows of a log.

    Raises:
        InputError: It has no window, or no GPU.
    """
    head, *lines = text.lstrip().splitlines()
    found = _HEAD.fullmatch(head.strip())
    if found is None:
        raise InputError(
            f"{name}: its head is {head!r:.60}, not start_time,window_name,elapsed_time,gpu0_energy"
        )
    if found[2]:
        raise InputError(
            f"{name} holds no record: Sootprint wrote it: its own record is `sootprint show {_run_of(lines)}`"
        )
    devices = [one.removesuffix("_energy") for one in found[1].split(",") if one]
    if not devices:
        raise InputError(f"{name} has no column of a GPU: Zeus saw none, so there is no energy in it")
    if len(lines) > MOST_ROWS:
        raise InputError(f"{name} has more than {MOST_ROWS:,} rows: give it in parts")
    windows: list[_Window] = []
    left_out: list[LeftOut] = []
    for line, row in enumerate(lines, 2):
        try:
            if row.strip():
                windows.append(_window(row, line, len(devices)))
        except InputError as err:
            left_out.append(LeftOut(where=f"line {line}", why=str(err)))
    made = gathered(NAME, name, _made(windows, devices, name, left_out))
    return Imported(form=NAME, records=made.records, left_out=tuple(left_out))


def _run_of(lines: Sequence[str]) -> str:
    """Run of ours in the last column of a log's first row."""
    return lines[0].rpartition(",")[2].strip()[:40] if lines else "RUN"


def _made(
    windows: Sequence[_Window], devices: Sequence[str], name: str, left_out: Sequence[LeftOut]
) -> Iterator[tuple[str, Footprint | str]]:
    if not windows:
        if left_out:
            yield left_out[0].where, left_out[0].why
        return
    yield tried("the log", partial(_record, windows, devices, name))


def _window(row: str, line: int, count: int) -> _Window:
    """Window of a line; a comma in its name is part of it, for Zeus writes no quotes."""
    start, _, rest = row.strip().partition(",")
    name, *told = rest.rsplit(",", count + 1)
    if len(told) != count + 1:
        raise InputError(f"it has {len(told) + 2} cells and the head {count + 3}: it was cut off")
    start_s, elapsed_s = amount(start, "start_time"), amount(told[0], "elapsed_time")
    reset = "; its counter was reset"
    energies = tuple(amount(one, f"energy of GPU {index}", hint=reset) for index, one in enumerate(told[1:]))
    try:
        instants.stamp(start_s + elapsed_s)
    except (ValueError, OverflowError, OSError):
        raise InputError(f"start_time is {start:.40}: it is in seconds since 1970") from None
    if start_s + elapsed_s <= start_s:
        raise InputError(f"elapsed_time is {told[0]:.40} s: it is above 0")
    return _Window(line, name[:200], start_s, start_s + elapsed_s, energies)


def _record(windows: Sequence[_Window], devices: Sequence[str], name: str) -> Footprint:
    outer, across = _outer(windows)
    start_s, end_s = outer[0].start_s, max(one.end_s for one in outer)
    sums_j = [math.fsum(one.energy_j[index] for one in outer) for index in range(len(devices))]
    if not any(sums_j):
        raise InputError(
            "every window tells 0 J: they were shorter than the counter's step, or no GPU was read"
        )
    return Footprint(
        id=identity(start_s, NAME, *(f"{one.start_s!r} {one.name} {one.energy_j!r}" for one in windows)),
        tool=NAME,
        name=outer[0].name if len(outer) == 1 else name,
        boundary="accelerator",
        started=instants.stamp(start_s),
        ended=instants.stamp(end_s),
        duration_s=end_s - start_s,
        device_hours=Quantity(value=units.hours(end_s - start_s) * len(devices), basis="derived"),
        components=tuple(
            Component(
                component=f"accelerator:{device.removeprefix('gpu')}",
                meter=NAME,
                energy_kwh=Quantity(value=units.energy_kwh(energy_j), basis="sensor"),
            )
            for device, energy_j in zip(devices, sums_j, strict=True)
        ),
        energy_kwh=Quantity(value=units.energy_kwh(math.fsum(sums_j)), basis="derived"),
        intervals=tuple(_intervals(outer, devices)),
        spans=tuple(_spans(windows)),
        gaps=tuple(_gaps(outer, devices))[:MOST_GAPS],
        grade="C",
        unknown=("place", "emissions_kg", "intensity_g_per_kwh", "pue", "hardware"),
        warnings=tuple(_doubts(windows, outer, across)),
        given={"windows": len(windows)},
    )


def _outer(windows: Sequence[_Window]) -> tuple[list[_Window], int]:
    """Windows that lie in no other, in order of time, and how many others lie across two of them."""
    outer: list[_Window] = []
    across = 0
    for one in sorted(windows, key=lambda one: (one.start_s, -one.end_s, one.line)):
        if not outer or one.start_s >= outer[-1].end_s:
            outer.append(one)
        elif one.end_s > outer[-1].end_s:
            across += 1
    return outer, across


def _intervals(outer: Sequence[_Window], devices: Sequence[str]) -> Iterator[Interval]:
    """Energy of each outer window, where they are few."""
    for one in outer if len(outer) <= MOST_SPANS else ():
        for device, energy_j in zip(devices, one.energy_j, strict=True):
            yield Interval(
                start=instants.stamp(one.start_s),
                end=instants.stamp(one.end_s),
                component=f"accelerator:{device.removeprefix('gpu')}",
                energy_j=energy_j,
            )


def _spans(windows: Sequence[_Window]) -> Iterator[Span]:
    """All windows, where they are few."""
    for one in sorted(windows, key=lambda one: one.start_s) if len(windows) <= MOST_SPANS else ():
        yield Span(
            name=one.name,
            start=instants.stamp(one.start_s),
            end=instants.stamp(one.end_s),
            energy_kwh=Quantity(value=units.energy_kwh(math.fsum(one.energy_j)), basis="sensor"),
        )


def _gaps(outer: Sequence[_Window], devices: Sequence[str]) -> Iterator[Gap]:
    for before, after in pairwise(outer):
        if after.start_s - before.end_s > 1.0:
            for device in devices:
                yield Gap(
                    component=f"accelerator:{device.removeprefix('gpu')}",
                    start=instants.stamp(before.end_s),
                    end=instants.stamp(after.start_s),
                    reason="no window was open; its energy is in no total",
                )


def _doubts(windows: Sequence[_Window], outer: Sequence[_Window], across: int) -> Iterator[str]:
    yield "the energy is that of the GPUs alone: processor, memory, fans and supply are not in it"
    if across:
        yield f"{across} windows lie across the end of another: they are not added, so the energy is at least this"
    spent_s = sum(one.end_s - one.start_s for one in outer)
    whole_s = max(one.end_s for one in outer) - outer[0].start_s
    if spent_s < 0.95 * whole_s:
        yield f"windows cover {100.0 * spent_s / whole_s:.1f} % of the time: the energy of the rest is in no total"
    none = sum(0.0 in one.energy_j for one in windows)
    if none:
        yield (
            f"{none} windows tell 0 J of a GPU: its counter moves every {UPDATE_S:g} s or so, and a shorter window "
            "may miss what it used"
        )
    most = max(max(one.energy_j) / (one.end_s - one.start_s) for one in windows)
    if most > MOST_W:
        yield f"a window tells {most:.4g} W of one GPU, which none draws: was its counter reset, or a clock set?"
    if len(windows) > MOST_SPANS:
        yield f"{len(windows)} windows are more than {MOST_SPANS:,}: their course is not kept, their sum is"
