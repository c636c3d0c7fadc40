"""Sootprint: `track(...)` around the training; after a crash `sootprint recover`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

J_PER_KWH = 3.6e6
PARTS = {"cpu": "cpu", "gpu": "accelerator"}


def load() -> None:
    """Import what a user imports."""
    import sootprint  # noqa: F401


class Use:
    """One run."""

    def __init__(self, plan: dict[str, Any]) -> None:
        import sootprint

        os.environ["SOOTPRINT_HOME"] = plan["folder"]
        os.environ["SOOTPRINT_RUNTIME_DIR"] = plan["runtime"]
        self._part = plan["part"]
        self._run = sootprint.track(plan["name"], zone="FR", period_s=plan["period_s"])

    def start(self) -> None:
        """Begin to measure."""
        self._run.start()

    def epoch(self) -> None:
        """Nothing: a run needs no epochs."""

    def stop(self) -> float | None:
        """Joules that the call hands back [J]."""
        made = self._run.stop()
        return (
            None
            if made is None
            else _sum(self._part, ((c.component, c.energy_kwh.value) for c in made.components))
        )


def _joules(record: dict[str, Any], part: str) -> float | None:
    """Joules of the processors or cards in a record [J]."""
    return _sum(part, ((c["component"], c["energy_kwh"]["value"]) for c in record["components"]))


def _sum(part: str, energies_kwh: Iterable[tuple[str, float | None]]) -> float | None:
    """Joules of the processors or cards among components with their energies [J]."""
    known = [
        energy_kwh
        for name, energy_kwh in energies_kwh
        if name.startswith(PARTS[part]) and energy_kwh is not None
    ]
    return J_PER_KWH * sum(known) if known else None


def kept(folder: Path, printed: str, part: str) -> list[dict[str, Any]]:
    """Records of the ledger, those of cut-off runs included."""
    if not folder.is_dir():
        return []
    environ = os.environ | {"SOOTPRINT_HOME": str(folder), "SOOTPRINT_RUNTIME_DIR": str(folder / "run")}

    def told(*words: str) -> str:
        command = [sys.executable, "-m", "sootprint", *words]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False).stdout

    told("recover")
    listed = json.loads(told("runs", "--json") or "[]")
    records = [json.loads(told("show", row["id"], "--json")) for row in listed if row["state"] != "live"]
    return [
        {"joules": _joules(record, part), "id": record["id"], "part_of": record.get("parent")}
        for record in records
    ]
