"""Zeus: a measurement window around the training. Its log file has no column for processors: they are only returned."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any


def load() -> None:
    """Import what a user imports."""
    from zeus.monitor import ZeusMonitor  # noqa: F401


class Use:
    """One run; there is no framework here whose GPU work would have to be waited for."""

    def __init__(self, plan: dict[str, Any]) -> None:
        from zeus.monitor import ZeusMonitor

        self._part, self._name = plan["part"], plan["name"]
        self._make = lambda: ZeusMonitor(log_file=Path(plan["folder"]) / "zeus.csv")

    def start(self) -> None:
        """Begin to measure; making the monitor is part of it."""
        self._monitor = self._make()
        self._monitor.begin_window(self._name, sync_execution=False)

    def epoch(self) -> None:
        """Nothing: a window needs no epochs."""

    def stop(self) -> float | None:
        """Joules that the call hands back [J]."""
        measured = self._monitor.end_window(self._name, sync_execution=False)
        energies = measured.cpu_energy if self._part == "cpu" else measured.gpu_energy
        return float(sum(energies.values())) if energies else None


def kept(folder: Path, printed: str, part: str) -> list[dict[str, Any]]:
    """Rows of its CSV, which has columns for cards only."""
    file = folder / "zeus.csv"
    if part != "gpu" or not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as rows:
        found = [
            [row[name] for name in row if name and name.startswith("gpu")] for row in csv.DictReader(rows)
        ]
    return [{"joules": sum(float(cell) for cell in row)} for row in found if row and all(row)]
