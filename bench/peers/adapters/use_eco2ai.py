"""Eco2AI: a tracker with the country given; it tells one number for processor, memory and cards together."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

J_PER_KWH = 3.6e6


def load() -> None:
    """Import what a user imports."""
    import eco2ai  # noqa: F401


class Use:
    """One run."""

    def __init__(self, plan: dict[str, Any]) -> None:
        import eco2ai

        self._make = lambda: eco2ai.Tracker(
            project_name=plan["name"],
            experiment_description="bench",
            file_name=f"{plan['folder']}/emission.csv",
            measure_period=plan["period_s"],
            alpha_2_code="FR",
            ignore_warnings=True,
        )

    def start(self) -> None:
        """Begin to measure; making the tracker is part of it."""
        self._tracker = self._make()
        self._tracker.start()

    def epoch(self) -> None:
        """Nothing: a run needs no epochs."""

    def stop(self) -> float | None:
        """None: its total is reset by the end; the file has it."""
        self._tracker.stop()
        return None


def kept(folder: Path, printed: str, part: str) -> list[dict[str, Any]]:
    """Rows of its CSV."""
    file = folder / "emission.csv"
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as rows:
        return [{"joules": _joules(row.get("power_consumption(kWh)"))} for row in csv.DictReader(rows)]


def _joules(text: str | None) -> float | None:
    try:
        return J_PER_KWH * float(text or "")
    except ValueError:
        return None
