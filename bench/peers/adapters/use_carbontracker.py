"""carbontracker: epochs around the training and a log folder; its fixed PUE is divided out again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

J_PER_KWH = 3.6e6
PUE = 1.58  # carbontracker.constants.PUE_2023, by which it multiplies what it tells
ACTUAL = re.compile(r"Actual consumption.*?Energy:\s*(-?[\d.]+) kWh", re.DOTALL)
EPOCH = re.compile(
    r"Duration: (-?)(\d+):(\d+):([\d.]+).*?Average power usage \(W\) for \w+: (.*?)$", re.DOTALL | re.M
)


def load() -> None:
    """Import what a user imports."""
    from carbontracker.tracker import CarbonTracker  # noqa: F401


class Use:
    """One run; its components are named, so that what it tells is of one kind of device."""

    def __init__(self, plan: dict[str, Any]) -> None:
        from carbontracker.tracker import CarbonTracker

        self._left = plan["epochs"]
        self._make = lambda: CarbonTracker(
            epochs=plan["epochs"],
            update_interval=plan["period_s"],
            components=plan["part"],
            log_dir=plan["folder"],
        )

    def start(self) -> None:
        """Begin to measure; making the tracker is part of it."""
        self._tracker = self._make()
        self._tracker.epoch_start()

    def epoch(self) -> None:
        """End an epoch, and begin the next one where there is one."""
        self._left -= 1
        self._tracker.epoch_end()
        if self._left > 0:
            self._tracker.epoch_start()

    def stop(self) -> float | None:
        """None: it prints and logs its joules."""
        if self._left > 0:
            self._tracker.epoch_end()
        self._tracker.stop()
        return None


def kept(folder: Path, printed: str, part: str) -> list[dict[str, Any]]:
    """Total of each run, from its log or what it printed; where a run was cut off, that of its finished epochs."""
    rows = [
        {"joules": J_PER_KWH * float(found[1]) / PUE}
        for log in sorted(folder.glob("*_carbontracker_output.log"))
        if (found := ACTUAL.search(log.read_text(encoding="utf-8", errors="replace")))
    ]
    if not rows:
        logs = [
            log.read_text(encoding="utf-8", errors="replace") for log in folder.glob("*_carbontracker.log")
        ]
        rows = [{"joules": joules} for log in logs if (joules := _epochs_j(log)) is not None]
    return rows or [{"joules": J_PER_KWH * float(found) / PUE} for found in ACTUAL.findall(printed)]


def _epochs_j(log: str) -> float | None:
    """Energy of the finished epochs of a log, or None where none has one [J]."""
    found = []
    for sign, hours, minutes, seconds, powers in EPOCH.findall(log):
        numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", powers)]
        duration_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
        if numbers:
            found.append((-1 if sign else 1) * duration_s * sum(numbers))
    return sum(found) if found else None
