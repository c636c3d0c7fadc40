"""The CSV that the Green Algorithms calculator exports: its inputs and results in one row, parted by semicolons.

Its energy is kilowatt-hours with the PUE and the number of repetitions in it, its emissions are grams. Both are rated
power x time x usage; nothing was measured.

Source:
    Green Algorithms 3.0 (2025), form_blueprint.py (units of the results) and import_export_blueprint.py (the export).
    Lannelongue et al., Green Algorithms: Quantifying the Carbon Footprint of Computation, Advanced Science 8 (2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Place
from sootprint.importers.base import (
    NEAR,
    Imported,
    Row,
    claimed,
    gathered,
    identity,
    names_in,
    number,
    place_of,
    pue_of,
    rows,
    slips,
    text_of,
    tried,
    whole,
)  # fmt: skip

NAME = "green-algorithms"
_TELLING = {"carbonemissions", "energy_needed", "coretype"}
_NOTHING = ("", "none", "nan", "other")


def is_it(text: str, _: str) -> bool:
    """Whether a text is such an export."""
    return names_in(text.partition("\n")[0]) >= _TELLING


def read(text: str, name: str) -> Imported:
    """Records of the rows of an export.

    Raises:
        InputError: It holds no result.
    """
    return gathered(NAME, name, _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    for line, row in rows(text, name):
        where = f"line {line}"
        yield (where, row) if isinstance(row, str) else tried(where, partial(_record, row, name))


def _record(row: Row, name: str) -> Footprint:
    with_pue_kwh, grams = number(row, "energy_needed"), number(row, "carbonemissions")
    if not with_pue_kwh or grams is None:
        raise InputError("energy_needed or carbonEmissions is missing or 0: the form was not filled in")
    pue = pue_of(row)
    times = number(row, "mult_factor", least=1.0) or 1.0
    hours_h, place = _hours(row), _place(row)
    intensity = number(row, "carbonintensity")
    emissions_kg = grams / units.G_PER_KG
    hardware = tuple(_hardware(row))
    made: dict[str, Any] = {
        "energy_kwh": claimed(None if pue is None else with_pue_kwh / pue, "modelled"),
        "pue": claimed(pue),
        "intensity_g_per_kwh": claimed(intensity),
        "place": place,
        "device_hours": _device_hours(hours_h, hardware, times),
        "embodied_kg": _embodied(row),
    }
    return Footprint(
        id=identity(None, NAME, *(f"{key}={value}" for key, value in sorted(row.items()))),
        tool=NAME,
        tool_version=text_of(row, "appversion"),
        name=name,
        boundary="node" if pue is None or pue == 1.0 else "facility",
        scope="project_total" if times > 1.0 else "final_run",
        duration_s=units.seconds(hours_h * times) if hours_h else None,
        hardware=hardware,
        emissions_kg=claimed(emissions_kg),
        grade="D" if hardware and hours_h else "E",
        unknown=tuple(key for key, value in made.items() if value is None or value == Place()),
        warnings=(
            *_doubts(row, times, hardware),
            *_unlike(with_pue_kwh, intensity, grams),
            *slips(with_pue_kwh, emissions_kg),
        ),
        given={key: value for key, value in row.items() if value.lower() not in _NOTHING},
        **made,
    )


def _embodied(row: Row) -> Quantity | None:
    grams = number(row, "manufacturing_carbonemissions")
    return claimed(grams / units.G_PER_KG) if grams else None


def _hours(row: Row) -> float | None:
    """Hours of one repetition: the result's, or those of the form and its minutes."""
    hours_h = number(row, "runtime")
    if hours_h is not None:
        return hours_h
    of_form, minutes = number(row, "runtime_hour"), number(row, "runtime_min")
    if of_form is None and minutes is None:
        return None
    return (of_form or 0.0) + (minutes or 0.0) * units.SECONDS_PER_MINUTE / units.SECONDS_PER_HOUR


def _hardware(row: Row) -> Iterator[Hardware]:
    """Devices of the form; it counts the cores of a processor, so that a processor is one here."""
    kind = row.get("coretype", "").lower()
    for short, component, counts in (("gpu", "accelerator", True), ("cpu", "cpu", False)):
        name = text_of(row, f"{short}model")
        if kind not in (short, "both") or name is None or name.lower() in _NOTHING:
            continue
        count = whole(row, f"number{short}s", most=1_000_000) if counts else 1
        yield Hardware(
            kind=component,
            name=name[:200],
            count=max(1, count or 1),
            rated_power_w=number(row, f"tdp{short}") or None,
            memory_gb=number(row, "gpu_memory") or None if counts else None,
        )


def _device_hours(hours_h: float | None, hardware: tuple[Hardware, ...], times: float) -> Quantity | None:
    if not hours_h or not hardware:
        return None
    return Quantity(value=hours_h * times * hardware[0].count, basis="derived")


def _place(row: Row) -> Place:
    """Place of the server, or of the region or country of the form."""
    server = row.get("server", "").lower()
    cloud = server.replace("--", "/", 1) if "--" in server else None
    said = (cloud, text_of(row, "location"), text_of(row, "locationregion"), text_of(row, "locationcountry"))
    return place_of(*(one for one in said if one and one.lower() not in _NOTHING)) or Place()


def _doubts(row: Row, times: float, hardware: tuple[Hardware, ...]) -> Iterator[str]:
    yield "nothing was measured: the energy is rated power x time x the usage that was typed in"
    if row.get("pueradio", "").lower() != "yes" and row.get("platformtype") != "personal_workstation":
        yield "its PUE is the calculator's default, not one that somebody stated"
    if times > 1.0:
        yield f"its sums are of {times:g} repetitions, and so are the hours"
    if not hardware:
        yield "its hardware is typed in by rated power, without a name"
    cores = row.get("numbercpus", "")
    if row.get("coretype", "").lower() in ("cpu", "both") and cores:
        yield f"its {cores:.20} processors are cores: it counts a share of a processor for each"


def _unlike(with_pue_kwh: float, intensity: float | None, grams: float) -> Iterator[str]:
    if intensity and grams and not 1.0 / NEAR <= with_pue_kwh * intensity / grams <= NEAR:
        told = with_pue_kwh * intensity
        yield f"its energy x its intensity is {told:.4g} g, its carbonEmissions are {grams:.4g} g: was it edited?"
