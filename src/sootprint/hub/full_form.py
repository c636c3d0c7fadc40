"""The full form: all that people know of a training from its paper; what is not known is left empty and stays unknown.

Energy and emissions that the paper states are kept as its claims, with their bounds where it gives them. What follows
from hardware, hours and place is estimated beside, as in the form of three questions.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

from sootprint.catalogue import zones
from sootprint.core.errors import InputError
from sootprint.core.ids import uuid7
from sootprint.core.quantity import Quantity
from sootprint.core.records import (
    BOUNDARIES,
    SCOPES,
    Footprint,
    Hardware,
    Model,
    Paper,
    Place,
    Result,
    Work,
)
from sootprint.core.typos import meant
from sootprint.core.units import G_PER_KG
from sootprint.hub import forms

RESULTS = 3  # rows of results
MODEL = ("family", "architecture", "technique", "base")
NUMBERS = {  # fields that hold a number: label, unit, least value
    "params": ("Parameters", "1", 0.0),
    "active_params": ("Active parameters", "1", 0.0),
    "tokens": ("Tokens seen", "1", 0.0),
    "samples": ("Samples seen", "1", 0.0),
    "steps": ("Optimiser steps", "1", 0.0),
    "flops": ("Operations (FLOP)", "1", 0.0),
    "energy_kwh": ("Energy", "kWh", 0.0),
    "emissions_kg": ("Emissions", "kg CO2e", 0.0),
    "market_based_kg": ("Market-based", "kg CO2e", -math.inf),
    "embodied_kg": ("Embodied", "kg CO2e", 0.0),
    "water_l": ("Water", "L", 0.0),
    "memory_gb": ("Device memory", "GB", 0.0),
}
CLAIMED = ("energy_kwh", "emissions_kg", "market_based_kg", "embodied_kg", "water_l")
BOUNDED = ("energy_kwh", "emissions_kg")
TEXTS = (
    "model", *MODEL, "stage", "scope", "boundary", "paper", "doi", "arxiv", "published", "project", "started",
    "ended", "note",
)  # fmt: skip
RESULT = ("task", "dataset", "split", "metric", "value", "kind")
ROWS = tuple(f"{name}_{row}" for row in range(1, RESULTS + 1) for name in RESULT)
BOUNDS = tuple(f"{name}_{end}" for name in BOUNDED for end in ("low", "high"))
FIELDS = (*forms.ESTIMATE, *TEXTS, *NUMBERS, *BOUNDS, *ROWS)


def record_of(given: dict[str, str]) -> Footprint:
    """Record of the full form.

    Raises:
        InputError: A field cannot be used; the line names it.
        CatalogueError: A name is in no table.
    """
    text = forms.texts(given, FIELDS)
    numbers = {name: _number(name, text[name], least=NUMBERS[name][2]) for name in NUMBERS}
    made = _estimated(given, text, numbers)
    stated = {name: value for name in CLAIMED if (value := numbers[name]) is not None}
    claims = {name: _claim(name, value, text) for name, value in stated.items()}
    changes: dict[str, Any] = dict(claims)
    if "energy_kwh" in claims:
        changes["components"] = ()
        if "emissions_kg" not in claims and made.emissions_kg is not None:
            changes["emissions_kg"] = _emitted(claims["energy_kwh"], made)
    unknown = tuple(name for name in made.unknown if name not in claims)
    if claims and not (made.hardware and made.device_hours):
        changes["grade"] = "E"
    model: dict[str, Any] = {name: text[name] for name in MODEL} | {
        "name": text["model"], "params": numbers["params"], "active_params": numbers["active_params"],
    }  # fmt: skip
    paper = Paper(citation=text["paper"], doi=text["doi"], arxiv=text["arxiv"], published=text["published"])
    work = {name: numbers[name] for name in ("steps", "samples", "tokens", "flops")}
    return dataclasses.replace(
        made,
        **changes,
        name=text["model"],
        project=text["project"],
        stage=forms.stage_of(text["stage"]),
        scope=_one_of("scope", text["scope"], SCOPES),
        boundary=_one_of("boundary", text["boundary"], BOUNDARIES, usual=made.boundary),
        model=Model(**model) if any(model.values()) else None,
        work=Work(**work) if any(one is not None for one in work.values()) else None,
        paper=paper if any(dataclasses.astuple(paper)) else None,
        results=tuple(_results(text)),
        started=text["started"],
        ended=text["ended"],
        unknown=unknown,
        given={"note": text["note"]} if text["note"] else {},
    )


def _estimated(given: dict[str, str], text: dict[str, str | None], numbers: dict[str, Any]) -> Footprint:
    """Estimate where hardware and hours are there; else a record of the claims alone."""
    if text["hours"] and (text["hardware"] or given.get("power_w")):
        made = forms.estimate_of(given)
        memory = numbers["memory_gb"]
        if memory is None:
            return made
        return dataclasses.replace(
            made, hardware=tuple(dataclasses.replace(one, memory_gb=memory) for one in made.hardware)
        )
    if numbers["energy_kwh"] is None and numbers["emissions_kg"] is None:
        raise InputError("give hardware and hours, or the energy or emissions that the paper states")
    count = _number("count", text["count"], least=1.0)
    device = Hardware(
        kind="accelerator",
        name=text["hardware"] or "",
        count=int(count or 1),
        memory_gb=numbers["memory_gb"],
    )
    missing = ("energy_kwh", "emissions_kg", *(() if count else ("hardware.count",)))
    return Footprint(
        id=uuid7(time.time()),
        boundary="node",
        place=zones.locate(text["zone"]).place if text["zone"] else Place(),
        hardware=(device,) if text["hardware"] else (),
        unknown=missing,
        grade="E",
    )


def _claim(name: str, value: float, text: dict[str, str | None]) -> Quantity:
    low, high = (
        _number(f"{name}_{end}", text.get(f"{name}_{end}"), least=-math.inf) for end in ("low", "high")
    )
    if (low is None) != (high is None):
        raise InputError(f"{name} has one bound: give both, or none")
    if low is not None and high is not None and not low <= value <= high:
        raise InputError(f"{name} is {value:g}, outside its bounds {low:g} to {high:g}")
    return Quantity(value=value, low=low, high=high, basis="claimed")


def _emitted(energy: Quantity, made: Footprint) -> Quantity:
    """Emissions of a stated energy at the estimate's PUE and intensity, with the widest bounds of the three.

    A bound that one of them does not have is unknown.
    """
    parts = [one for one in (energy, made.pue, made.intensity_g_per_kwh) if one is not None]
    lows, highs = [one.low for one in parts], [one.high for one in parts]
    return Quantity(
        value=math.prod(one.value for one in parts) / G_PER_KG,
        low=None if None in lows else math.prod(low or 0.0 for low in lows) / G_PER_KG,
        high=None if None in highs else math.prod(high or 0.0 for high in highs) / G_PER_KG,
        basis="derived",
    )


def _results(text: dict[str, str | None]) -> list[Result]:
    found = []
    for row in range(1, RESULTS + 1):
        part = {name: text[f"{name}_{row}"] for name in RESULT}
        if not part["metric"] and not part["value"]:
            continue
        value = _number(f"value_{row}", part["value"], least=-math.inf)
        if not part["metric"] or value is None or not part["task"]:
            raise InputError(f"result {row} needs its task, metric and value: give all three or none")
        kind = _one_of("kind", part["kind"], ("quality", "robustness", "fairness"))
        found.append(
            Result(
                task=part["task"], dataset=part["dataset"], split=part["split"], metric=part["metric"],
                value=value, kind=kind,
            )
        )  # fmt: skip
    return found


def _one_of(name: str, value: str | None, allowed: tuple[str, ...], *, usual: str | None = None) -> str:
    value = value or usual or allowed[0]
    if value not in allowed:
        raise InputError(f"{name} is {value!r:.40}: it is one of {', '.join(allowed)}")
    return value


def _number(name: str, text: str | None, *, least: float) -> float | None:
    """Number of a field, e.g. 7e9; None where it is empty. A comma is refused: it means two things in two countries."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < least:
        rule = "a number" if least == -math.inf else f"a number of at least {least:g}"
        how = meant(text, "e.g. 7e9 or 1287.5")
        raise InputError(f"{name} is {text!r:.40}: it is {rule} without commas; {how}")
    return value
