"""A machine with a fake card that draws a constant power, and what its runs are charged for it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.harness import call, environment, seconds

CARD_W = 250.0
J_PER_KWH = 3.6e6


def card_machine(folder: Path, nvml: Path, **more: str) -> dict[str, str]:
    """Environment of a process on a machine whose only counter is that of the card; its home is in the folder."""
    (folder / "sys").mkdir()
    return environment(
        folder / "home",
        SOOTPRINT_SYSFS=str(folder / "sys"),
        SOOTPRINT_ZONE="FR",
        LD_LIBRARY_PATH=str(nvml),
        FAKE_NVML_T0=repr(time.time()),
        FAKE_NVML_WAVE="const",
        FAKE_NVML_BASE_MW=str(1000 * CARD_W),
        FAKE_NVML_LIMIT_MW="700000",
        **more,
    )


def records(home: Path) -> list[dict[str, Any]]:
    """Records of a home, by start."""
    rows = json.loads(call(["runs", "--json"], home=home, cwd=home.parent).stdout)
    shown = [call(["show", row["id"], "--json"], home=home, cwd=home.parent).stdout for row in rows]
    return sorted(map(json.loads, shown), key=lambda record: record["started"])


def card_j(record: Mapping[str, Any]) -> float:
    """Energy that a record charges for the cards [J]."""
    parts = [part for part in record["components"] if part["component"].startswith("accelerator")]
    return sum(part["energy_kwh"]["value"] for part in parts) * J_PER_KWH


def union_s(records: Sequence[Mapping[str, Any]]) -> float:
    """Time that runs without a pause between them cover together [s]."""
    return max(seconds(one["ended"]) for one in records) - min(seconds(one["started"]) for one in records)
