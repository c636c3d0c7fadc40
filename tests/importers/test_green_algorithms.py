"""The export of the Green Algorithms calculator: its PUE is taken out, its grams are kilograms."""

from __future__ import annotations

import pytest

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint

# Names of the export and their units by form_blueprint.py: energy_needed [kWh] with PUE, carbonEmissions [g],
# runTime [h], PUE [1], carbonIntensity [g/kWh], tdpGPU [W].
CELLS = {
    "coreType": "GPU",
    "CPUmodel": "None",
    "numberCPUs": "0",
    "GPUmodel": "NVIDIA A100 PCIe",
    "numberGPUs": "4",
    "tdpGPU": "250",
    "GPU_memory": "40",
    "usageGPUradio": "No",
    "usageGPU": "1.0",
    "memory": "64",
    "runTime_hour": "10",
    "runTime_min": "0",
    "runTime": "10.0",
    "platformType": "cloudComputing",
    "provider": "gcp",
    "server": "gcp--europe-west1",
    "location": "BE",
    "carbonIntensity": "160.0",
    "PUE": "1.1",
    "PUEradio": "No",
    "mult_factor": "1",
    "appVersion": "v3.0",
    "energy_needed": "11.0",
    "carbonEmissions": "1760.0",
    "manufacturing_carbonEmissions": "250.0",
}


def export(**changes: str) -> str:
    """An export with some other cells."""
    cells = {**CELLS, **changes}
    return f"{';'.join(cells)}\n{';'.join(cells.values())}\n"


def one(text: str) -> Footprint:
    """The only record of a text."""
    (record,) = importers.read(text, name="GreenAlgorithms_results.csv").records
    return record


def test_energy_is_before_pue_and_emissions_are_kilograms() -> None:
    """11 kWh with a PUE of 1.1 are 10 kWh, 1,760 g are 1.76 kg."""
    made = one(export())
    assert made.energy_kwh is not None
    assert made.emissions_kg is not None
    assert made.pue is not None
    assert made.embodied_kg is not None
    assert made.device_hours is not None
    assert (made.energy_kwh.value, made.emissions_kg.value) == (pytest.approx(10.0), pytest.approx(1.76))
    assert (made.pue.value, made.embodied_kg.value, made.device_hours.value) == (1.1, 0.25, 40.0)
    assert (made.place.zone, made.boundary, made.grade) == ("gcp/europe-west1", "facility", "D")
    assert [(device.name, device.count, device.rated_power_w) for device in made.hardware] == [
        ("NVIDIA A100 PCIe", 4, 250.0)
    ]
    assert (made.tool, made.tool_version, made.duration_s) == ("green-algorithms", "v3.0", 36_000.0)
    assert made.energy_kwh.basis == "modelled"
    assert any("the calculator's default" in warning for warning in made.warnings)
    assert one(export()).id == made.id


def test_repetitions_are_the_whole_project() -> None:
    """Its sums are of all of them, and so are the hours."""
    made = one(export(mult_factor="5", energy_needed="55", carbonEmissions="8800"))
    assert made.device_hours is not None
    assert (made.scope, made.device_hours.value) == ("project_total", 200.0)
    assert any("5 repetitions" in warning for warning in made.warnings)


def test_edited_numbers_are_told() -> None:
    """Energy x intensity is not its emissions."""
    assert any("was it edited?" in warning for warning in one(export(carbonEmissions="1.76")).warnings)
    assert not any("was it edited?" in warning for warning in one(export()).warnings)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"energy_needed": "0"}, "the form was not filled in"),
        ({"carbonEmissions": "None"}, "the form was not filled in"),
        ({"energy_needed": "-1"}, "energy_needed is -1: it is at least 0"),
        ({"PUE": "0.5"}, "pue is 0.5"),
        ({"energy_needed": "11,0"}, "with a decimal point"),
        ({"location": "a;b"}, "cells where the head has"),
    ],
)
def test_bad_export_gets_one_line(changes: dict[str, str], why: str) -> None:
    """The value and the rule."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(export(**changes), name="x.csv")
    assert "\n" not in str(caught.value)
