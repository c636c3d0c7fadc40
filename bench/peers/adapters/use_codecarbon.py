"""CodeCarbon: its offline tracker with the country given, as its documents say for machines without a network."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

J_PER_KWH = 3.6e6


def load() -> None:
    """Import what a user imports."""
    from codecarbon import OfflineEmissionsTracker  # noqa: F401


class Use:
    """One run."""

    def __init__(self, plan: dict[str, Any]) -> None:
        from codecarbon import OfflineEmissionsTracker

        self._column = f"{plan['part']}_energy"
        self._make = lambda: OfflineEmissionsTracker(
            country_iso_code="FRA",
            project_name=plan["name"],
            measure_power_secs=plan["period_s"],
            output_dir=plan["folder"],
            log_level="error",
        )

    def start(self) -> None:
        """Begin to measure; making the tracker is part of it."""
        self._tracker = self._make()
        self._tracker.start()

    def epoch(self) -> None:
        """Nothing: a run needs no epochs."""

    def stop(self) -> float | None:
        """Joules that the tracker's own data hold after its end [J]."""
        self._tracker.stop()
        final = getattr(self._tracker, "final_emissions_data", None)
        return None if final is None else J_PER_KWH * float(getattr(final, self._column))


def kept(folder: Path, printed: str, part: str) -> list[dict[str, Any]]:
    """Rows of its CSV; a damaged one has no joules."""
    file = folder / "emissions.csv"
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as rows:
        return [{"joules": _joules(row.get(f"{part}_energy"))} for row in csv.DictReader(rows)]


def _joules(text: str | None) -> float | None:
    try:
        return J_PER_KWH * float(text or "")
    except ValueError:
        return None
