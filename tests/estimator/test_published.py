"""Published runs: their figures from their own inputs, and three well-known ones before the fact."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest

from sootprint import estimate, predict
from sootprint.core import carbon
from sootprint.estimator.explain import tornado
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))


def _rows(shared_dir: Path) -> list[dict[str, str]]:
    with (shared_dir / "data" / "validation_published.csv").open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.DictReader(lines) if row["self_consistent"].startswith("yes")]


def _recomputed(row: dict[str, str]) -> tuple[float | None, float | None]:
    """Energy in the row's scope [MWh] and emissions [t] that its inputs give."""
    pue, kg_per_kwh = float(row["pue"] or 1.0), float(row["ci_kg_per_kwh"] or 0.0)
    # Energies of the GPUs alone are printed without PUE; tonnes have it wherever one was applied.
    if row["chip_hours"] and row["power_used_w"]:
        hours = float(row["chip_hours"])
        count = max(1, math.ceil(hours / 1e5))
        made = estimate(
            power_w=float(row["power_used_w"]),
            count=count,
            hours=hours / count,
            pue=pue,
            intensity=1000.0 * kg_per_kwh,
            settings=BARE,
        )
        inside = 1.0 if row["energy_scope"] == "gpu" else pue
        return made.energy_kwh.value * inside / 1e3, made.emissions_kg.value / 1e3
    energy_kwh = 1e3 * float(row["energy_mwh"])
    inside = 1.0 if row["energy_scope"].startswith(("facility", "gpu x")) else pue
    return None, carbon.emissions_kg(energy_kwh, 1000.0 * kg_per_kwh, pue=inside) / 1e3


def test_every_consistent_row_is_reproduced_from_its_inputs(shared_dir: Path) -> None:
    """Hours x power x PUE x intensity give the printed energy and tonnes within 2 %."""
    rows, off, checked = _rows(shared_dir), [], 0
    for row in rows:
        for name, found in zip(("energy_mwh", "tco2e"), _recomputed(row), strict=True):
            if row[name] and found is not None:
                checked += 1
                ratio = found / float(row[name]) - 1.0
                if abs(ratio) > 0.02:
                    off.append((row["id"], name, round(100 * ratio, 2)))
    assert len(rows) >= 30
    assert checked >= 45
    assert off == []


KNOWN: list[tuple[str, dict[str, Any], dict[str, float]]] = [
    # Patterson et al. (2021), table 4: 14.8 days on 10,000 V100, 1,287 MWh with a PUE of 1.1, 552 t at 429 g/kWh.
    (
        "GPT-3",
        {
            "flops": 3.14e23,
            "params": 175e9,
            "hardware": "V100",
            "count": 10_000,
            "pue": 1.1,
            "intensity": 429,
        },
        {"device_hours": 3.552e6, "energy_kwh": 1_287_000 / 1.1, "emissions_kg": 552_100},
    ),
    # Luccioni et al. (2022): 1,082,990 h on A100 80 GB, 433,196 kWh of dynamic energy, 24.69 t at 57 g/kWh.
    (
        "BLOOM",
        {"params": 176.247e9, "tokens": 366e9, "hardware": "A100-80GB", "count": 384, "intensity": 57},
        {"device_hours": 1_082_990, "energy_kwh": 433_196, "emissions_kg": 24_690},
    ),
    # Touvron et al. (2023): 1,720,320 h on A100 80 GB, 291.42 t with 1.1 x 385 g/kWh.
    (
        "Llama 2 70B",
        {
            "params": 68.977e9,
            "tokens": 2e12,
            "hardware": "A100-80GB",
            "count": 2000,
            "pue": 1.1,
            "intensity": 385,
        },
        {"device_hours": 1_720_320, "energy_kwh": 688_128, "emissions_kg": 291_420},
    ),
]


@pytest.mark.parametrize(("given", "published"), [one[1:] for one in KNOWN], ids=[one[0] for one in KNOWN])
def test_well_known_models_lie_inside_the_interval(
    given: dict[str, Any], published: dict[str, float]
) -> None:
    """Hours, energy and emissions of a run that is told by model, data and hardware alone."""
    made = predict(**given, settings=BARE)
    for name, value in published.items():
        figure = getattr(made, name)
        assert figure.low < value < figure.high, name
    swings = tornado(made)
    assert swings[0].factor.kind == "utilisation"
    assert sum(swing.share for swing in swings) == pytest.approx(1.0)
    for swing in swings:
        assert swing.low <= made.emissions_kg.value <= swing.high
