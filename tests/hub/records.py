"""Records for the hub's tests, each with an id of its own."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sootprint.core.ids import uuid7
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Gap, Model, Result, Span
from sootprint.estimator import estimate

_instants = itertools.count(1_700_000_000)


@cache
def _estimated(hours: float) -> Footprint:
    return estimate(hours=hours, hardware="A100", count=8, zone="FR", year=2024)


def footprint(hours: float = 48.0, **changes: Any) -> Footprint:
    """An estimate of eight A100 in France, with changes."""
    return dataclasses.replace(_estimated(hours), **{"id": uuid7(float(next(_instants))), **changes})


def plain(one: Footprint) -> dict[str, Any]:
    """A record as JSON has it."""
    data: dict[str, Any] = json.loads(one.to_json())
    return data


def record(hours: float = 48.0, **changes: Any) -> dict[str, Any]:
    """As `footprint`, as JSON has it."""
    return plain(footprint(hours, **changes))


def batch(n: int, **changes: Any) -> bytes:
    """JSON of n records."""
    return json.dumps([record(1.0 + index % 7, **changes) for index in range(n)]).encode()


def trained(value: float, *, kg: float, name: str = "model", metric: str = "Top-1") -> dict[str, Any]:
    """A record of a model with one result and given emissions, graded C by its parts."""
    made = record(
        model=Model(name=name),
        results=(Result(task="Image classification", dataset="ImageNet", metric=metric, value=value),),
    )
    made["emissions_kg"] = {"value": kg, "basis": "derived"}
    return made


def measured(kwh: float, grade: str, **changes: Any) -> dict[str, Any]:
    """A run in France that its meters measured, of the grade that its components support.

    Args:
        kwh: IT energy [kWh].
        grade: A with a wall meter, B with sensors on both main components, C with the processor modelled.
        changes: Other fields of the record.
    """
    other = "modelled" if grade == "C" else "sensor"
    parts = [
        Component(component="accelerator:0", meter="nvml", energy_kwh=_near(0.45 * kwh, "sensor"), idle_kwh=0.06 * kwh,
                  utilisation=0.83),
        Component(component="accelerator:1", meter="nvml", energy_kwh=_near(0.35 * kwh, "sensor"), idle_kwh=0.01 * kwh,
                  utilisation=0.91),
        Component(component="cpu", meter="cpu" if grade == "C" else "rapl", energy_kwh=_near(0.12 * kwh, other)),
        Component(component="dram", meter="memory", energy_kwh=_near(0.08 * kwh, "modelled")),
    ]  # fmt: skip
    if grade == "A":
        parts.append(Component(component="wall", meter="wall", energy_kwh=_near(kwh, "metered")))
    hours = 0.4 * kwh / 0.28  # each accelerator draws 280 W
    day = str(changes.get("started", "2026-02-03T08:00:00Z"))[:10]
    plain = {
        "components": tuple(parts),
        "energy_kwh": _near(kwh, "metered" if grade == "A" else other),
        "emissions_kg": _near(kwh * 0.044, "derived"),
        "embodied_kg": _near(kwh * 0.012, "modelled"),
        "water_l": _near(kwh * 3.1, "modelled"),
        "intensity_g_per_kwh": Quantity(value=44.0, low=40.0, high=48.4, basis="assumed"),
        "started": f"{day}T08:00:00Z",
        "ended": (datetime.fromisoformat(f"{day}T08:00:00Z") + timedelta(hours=hours)).isoformat(),
        "duration_s": hours * 3600.0,
        "device_hours": Quantity(value=2.0 * hours, basis="derived"),
        "hardware": tuple(dataclasses.replace(one, count=2) for one in _estimated(48.0).hardware),
        "factors": tuple(one for one in _estimated(48.0).factors if one.kind == "intensity"),
        "warnings": (),
        "unknown": ("market_based_kg",),
        "gaps": (Gap(component="cpu", start=f"{day}T09:00:00Z", end=f"{day}T09:02:10Z",
                     reason="the counter was not readable; the energy between is modelled"),),
        "spans": (
            Span(name="warm-up", start=f"{day}T08:00:00Z", end=f"{day}T08:40:00Z", energy_kwh=_near(0.04 * kwh, other)),
            Span(name="epochs", start=f"{day}T08:40:00Z", end=f"{day}T20:00:00Z", energy_kwh=_near(0.96 * kwh, other)),
        ),
        "grade": grade,
    }  # fmt: skip
    return record(**(plain | changes))


def _near(value: float, basis: str) -> Quantity:
    return Quantity(value=value, low=0.93 * value, high=1.08 * value, basis=basis)
