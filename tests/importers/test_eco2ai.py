"""Eco2AI's emission.csv: epochs are added, sums are not, and the PUE that is in it is told."""

from __future__ import annotations

import pytest

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from tests.importers.examples import ECO2AI, EPOCHS

HEAD, ROW = ECO2AI.strip().split("\n")


def one(text: str) -> Footprint:
    """The only record of a text."""
    (record,) = importers.read(text, name="emission.csv").records
    return record


def test_run_of_start_and_stop_is_its_line() -> None:
    """Kilowatt-hours and kilograms as they stand; a GPU that there was not is none."""
    made = one(ECO2AI)
    assert made.energy_kwh is not None
    assert made.emissions_kg is not None
    assert (made.energy_kwh.value, made.emissions_kg.value) == (7.851585792427922e-05, 5.302175885626576e-06)
    assert (made.place.zone, made.started, made.project) == ("FR", "2026-11-23T09:49:32Z", "thesis")
    assert [(device.kind, device.name, device.rated_power_w) for device in made.hardware] == [
        ("cpu", "AMD EPYC", 500.0)
    ]
    assert (made.pue, made.grade, made.given["cost"]) == (None, "D", "0")
    assert any("the PUE that its user gave" in warning for warning in made.warnings)
    assert not any("less than any computer draws" in warning for warning in made.warnings)


def test_lines_of_epochs_are_added_to_one_run() -> None:
    """Three epochs of one id; at 0.035 W, what was read of them is told to be little."""
    found = importers.read(ECO2AI + EPOCHS, name="emission.csv")
    first, second = found.records
    assert second.energy_kwh is not None
    assert second.energy_kwh.value == pytest.approx(
        1.5869305942904553e-08 + 1.6147961224532993e-08 + 1.6254839118611622e-08
    )
    assert second.duration_s == pytest.approx(5.0164, abs=1e-3)
    assert second.given["lines"] == 3
    assert any("3 lines of epochs are added" in warning for warning in second.warnings)
    assert any("0.035 W, less than any computer draws" in warning for warning in second.warnings)
    assert found.left_out == ()
    assert first.id != second.id


def test_epoch_that_stands_twice_is_told() -> None:
    """As where a training was begun again under one id."""
    made = one(f"{HEAD}\n{EPOCHS}{EPOCHS.splitlines()[0]}\n")
    assert any("an epoch stands in several lines" in warning for warning in made.warnings)


def test_runs_beside_each_other_are_told() -> None:
    """Each counts all GPUs of the machine."""
    card = ROW.replace(", 0 device(s)", ",NVIDIA A100 2 device(s)")
    other = card.replace("2580252d", "9990252d")
    first, _ = importers.read(f"{HEAD}\n{card}\n{other}\n", name="e.csv").records
    assert any(
        "1 other runs of the file ran at the same time, each counting all 2 GPUs" in one
        for one in first.warnings
    )
    assert [(device.name, device.count) for device in first.hardware] == [("NVIDIA A100", 2), ("AMD EPYC", 1)]


def test_columns_of_other_releases() -> None:
    """KWTh until 0.3, parts of the energy since 0.3.13, a method beside the names, a state behind the country."""
    older = one(ECO2AI.replace("power_consumption(kWh)", "power_consumption(kWTh)"))
    assert older.energy_kwh == one(ECO2AI).energy_kwh
    newer = (
        f"{HEAD},CPU_consumption(kWh),GPU_consumption(kWh),RAM_consumption(kWh)\n"
        + ROW.replace(", 0 device(s)", ",NVIDIA A100 1 device(s) method:nvml").replace(
            "TDP:500.0", "TDP:500.0 method:tdp"
        )
        + ",1e-05,6e-05,8.51585792427922e-06\n"
    )
    made = one(newer.replace(",FR,", ",US/California,"))
    assert {part.component: part.energy_kwh.value for part in made.components} == {
        "accelerator": 6e-05,
        "cpu": 1e-05,
        "dram": 8.51585792427922e-06,
    }
    assert (made.place.zone, made.grade) == ("US-CA", "C")
    assert [device.name for device in made.hardware] == ["NVIDIA A100", "AMD EPYC"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (ROW.replace("7.851585792427922e-05", "-1"), r"power_consumption\(kwh\) is -1: it is at least 0"),
        (
            ROW.replace("7.851585792427922e-05", "nan").replace("5.302175885626576e-06", "N/A"),
            "it has neither",
        ),
        (ROW.replace("7.851585792427922e-05", '"0,5"'), "with a decimal point"),
        (ROW.replace("3.2074599266052246", "1e999"), r"duration\(s\) is 1e999"),
        (ROW[:80], "cells where the head has"),
    ],
)
def test_bad_row_is_told_and_holds_back_none(changed: str, why: str) -> None:
    """Its neighbour is a record."""
    found = importers.read(f"{HEAD}\n{changed}\n{EPOCHS}", name="emission.csv")
    assert len(found.records) == 1
    (left,) = found.left_out
    assert left.where == "line 2"
    with pytest.raises(InputError, match=why):
        importers.read(f"{HEAD}\n{changed}\n", name="emission.csv")


def test_unknown_country_is_told() -> None:
    """A name of nowhere, as "World" where a code was unknown."""
    made = one(ECO2AI.replace(",FR,", ",Atlantis,"))
    assert made.place.zone is None
    assert any("country 'Atlantis' is in no table" in warning for warning in made.warnings)
