"""Forms of a claim: the same facts as YAML, JSON, CSV, a model card, LaTeX and plain text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What a claim says; None is left out."""

    name: str
    hardware: str
    count: float
    wall_hours: float
    zone: str
    place: str
    year: int
    pue: float | None = 1.2
    power_fraction: float = 0.8
    params: float | None = None
    active_params: float | None = None
    tokens: float | None = None
    flops: float | None = None
    architecture: str | None = None
    kind: str | None = None
    peak_tflops: float | None = None
    power_cap_w: float | None = None
    precision: str | None = None
    device_hours: float | None = None
    power_w: float | None = None
    energy_kwh: float | None = None
    intensity_g_per_kwh: float | None = None
    emissions_kg: float | None = None
    intensity_at: float = 1.0


def _mapping(facts: Facts) -> dict[str, Any]:
    named = {
        "model": facts.name,
        "training_type": facts.kind,
        "hardware": facts.hardware,
        "gpu_count": facts.count,
        "wall_hours": facts.wall_hours,
        "gpu_hours": facts.device_hours,
        "power_per_gpu_w": facts.power_w,
        "power_cap_w": facts.power_cap_w,
        "pue": facts.pue,
        "location": facts.place,
        "year": facts.year,
        "carbon_intensity_g_per_kwh": facts.intensity_g_per_kwh,
        "energy_kwh": facts.energy_kwh,
        "energy_scope": "facility",
        "emissions_kg": facts.emissions_kg,
        "params": facts.params,
        "active_params": facts.active_params,
        "tokens": facts.tokens,
        "flops": facts.flops,
        "architecture": {"encdec": "encoder-decoder", "moe": "mixture of experts"}.get(
            facts.architecture or ""
        ),
        "peak_tflops": facts.peak_tflops,
    }
    return {key: value for key, value in named.items() if value is not None}


def _yaml(facts: Facts) -> str:
    return "\n".join(f"{key}: {json.dumps(value)}" for key, value in _mapping(facts).items()) + "\n"


def _json(facts: Facts) -> str:
    return json.dumps(_mapping(facts), indent=1)


def _csv(facts: Facts) -> str:
    cells = _mapping(facts)
    quoted = (f'"{value}"' if isinstance(value, str) else str(value) for value in cells.values())
    return ",".join(cells) + "\n" + ",".join(quoted) + "\n"


def _card(facts: Facts) -> str:
    grams = (facts.emissions_kg or 0.0) * 1000.0
    return f"""---
license: apache-2.0
co2_eq_emissions:
  emissions: {grams:.6g}
  source: measured by the authors
  training_type: {facts.kind or "pre-training"}
  geographical_location: {facts.place}
  hardware_used: {facts.count:.0f} x {facts.hardware}, {facts.wall_hours:g} hours
---
# {facts.name}

Trained in {facts.year}.
"""


def _sentences(facts: Facts) -> str:
    size = f"{facts.name} has {facts.params / 1e9:g}B parameters. " if facts.params else ""
    seen = f"It saw {facts.tokens / 1e9:g}B tokens. " if facts.tokens else ""
    active = f"Of them {facts.active_params / 1e9:g}B are active. " if facts.active_params else ""
    return (
        f"{size}{active}{seen}We trained on {facts.count:.0f} {facts.hardware} GPUs for {facts.wall_hours:,g} hours, "
        f"in all {facts.device_hours:,g} GPU hours, in {facts.year} in {facts.place}. The data centre drew "
        f"{facts.energy_kwh:,g} kWh at a PUE of {facts.pue:g}; with {facts.intensity_g_per_kwh:g} gCO2e/kWh this is "
        f"{facts.emissions_kg:,g} kg of CO2e."
    )


def _latex(facts: Facts) -> str:
    text = _sentences(facts).replace("CO2e", "CO$_2$e").replace("%", "\\%")
    return (
        "\\section{Carbon footprint}\n"
        + text.replace(" kWh at", "~kWh at").replace(" kg of", "\\,kg of")
        + "\n"
    )


FULL = {"yaml": _yaml, "json": _json, "csv": _csv}
FORMS = {**FULL, "md": _card, "tex": _latex, "txt": _sentences}
