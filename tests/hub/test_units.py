"""Faults of units that were seen in the wild: each is shown, marked or refused, and none is repaired in silence."""

from __future__ import annotations

import dataclasses
import re

import pytest
from starlette.testclient import TestClient

from sootprint import importers
from sootprint.core.quantity import Quantity
from sootprint.core.records import Place
from sootprint.estimator.filled import Filling
from sootprint.hub import judgement, truth
from sootprint.hub.files.uploads import _NOBODY
from sootprint.survey import paper
from tests.hub import records
from tests.importers.test_importers import CARD, SECOND, table


def _one(text: str, name: str = "emissions.csv"):
    (record,) = importers.read(text, name=name).records
    return record


def test_card_whose_kilograms_stand_as_grams() -> None:
    """The text says 83.524 kg and the front matter 83.524, which is grams: read as grams, and told."""
    made = _one(CARD.format(emissions="83.524", words="Training emitted 83.524 kg of CO2."), "README.md")
    assert made.emissions_kg is not None
    assert made.emissions_kg.value == pytest.approx(0.083524)
    assert any("1000 x less" in warning for warning in made.warnings)
    right = _one(CARD.format(emissions="83524", words="Training emitted 83.524 kg of CO2."), "README.md")
    assert right.warnings == ()


@pytest.mark.parametrize(
    ("rate", "told"), [("0.0000155556", False), ("0.0155556", True), ("1.55556e-8", True)]
)
def test_rate_that_is_off_by_a_thousand(rate: str, told: bool) -> None:
    """`emissions_rate` of some releases of CodeCarbon was 1000 x emissions over duration: it enters no number."""
    made = _one(table(SECOND, {"emissions_rate": rate}))
    assert made.emissions_kg is not None
    assert made.emissions_kg.value == 0.056
    assert any("emissions_rate is" in warning for warning in made.warnings) is told


@pytest.mark.parametrize(
    ("emissions", "slip"), [("56", "grams typed as kilograms"), ("0.000056", "tonnes typed as kilograms")]
)
def test_kilograms_grams_and_tonnes_are_mixed_up(emissions: str, slip: str) -> None:
    """Kilograms or tonnes was asked again and again: the importer tells, and the hub marks it for review."""
    made = _one(table(SECOND, {"emissions": emissions, "emissions_rate": ""}))
    assert any(slip in warning for warning in made.warnings)
    assert judgement.preview(made)["marks"]


def test_dashboard_factor_of_a_thousand_is_marked() -> None:
    """Numbers copied from a page that multiplied them by 1000."""
    one = records.footprint()
    assert one.emissions_kg is not None
    wrong = dataclasses.replace(one, emissions_kg=Quantity(value=one.emissions_kg.value * 1000.0))
    assert any("grams typed as kilograms" in mark for mark in truth.recompute(wrong).marks)


def test_equivalent_off_by_six_and_a_half_is_marked() -> None:
    """An equivalent of 3.31 kWh a day where its own source gives 0.51: 6.5 x, beyond what is credible."""
    one = records.footprint()
    assert one.energy_kwh is not None
    off = (138.0 * 24.0 / 1000.0) / (187.0 / 365.0)
    assert off == pytest.approx(6.5, abs=0.05)
    wrong = dataclasses.replace(one, energy_kwh=Quantity(value=one.energy_kwh.value * off))
    assert truth.recompute(wrong).marks


@pytest.mark.parametrize("factor", [0.13e-3 / 0.13, 3_000.0 / 30_000.0, 30.0 / 30_000.0])
def test_per_token_and_per_parameter_slips_of_a_standard_are_marked(factor: float) -> None:
    """0.13 g where it is 130 g a million tokens; 3,000 and 30 kg where it is 30,000 kg a billion parameters."""
    one = records.footprint()
    assert one.emissions_kg is not None
    wrong = dataclasses.replace(one, emissions_kg=Quantity(value=one.emissions_kg.value * factor))
    assert truth.recompute(wrong).marks


def test_means_above_the_total_of_a_survey_are_not_taken_over() -> None:
    """A total of 253 t, and means of 487 t and 2,020 t of several models each: tonnes for kilograms, and it is said."""
    said = {one.claim: one for one in paper.CLAIMS}
    total_t = float(said["total emissions (section 5.1)"].paper.removesuffix(" t"))
    for years in ("2015-2016", "2020-2022"):
        one = said[f"mean emissions, {years} (section 5.1)"]
        assert float(one.paper.removesuffix(" tons")) > total_t
        assert one.why


def test_oil_is_no_low_carbon_source_of_a_survey() -> None:
    """34 models, `less than a quarter` of 95, are hydro, nuclear and 12 of oil: 22 are low-carbon."""
    (one,) = [one for one in paper.CLAIMS if one.claim.startswith("models with low-carbon sources")]
    assert int(one.paper) > 95 / 4
    assert "oil is not low-carbon" in one.why


def test_wrong_number_is_corrected_and_the_first_stays(client: TestClient) -> None:
    """What was cited once is not frozen: lists give the correction, its reason is told, and the first is readable."""
    first = records.trained(76.0, kg=5.7e-3)
    path = f"/api/v1/footprints/{first['id']}"
    assert client.post("/api/v1/footprints", json=first).json()["accepted"] == 1
    marks = client.get(f"{path}/assessment").json()["marks"]
    assert any("typed as kilograms" in one for one in marks), marks
    right = {**first, "emissions_kg": {"value": 5.7, "basis": "derived"}}
    why = {"reason": "tonnes were typed as kilograms"}
    assert client.post("/api/v1/footprints", json=right, params=why).json()["accepted"] == 1
    (listed,) = client.get("/api/v1/footprints", params={"view": "summary"}).json()["items"]
    assert (listed["emissions_kg"], listed["marked"], listed["version"]) == (5.7, 0, 2)
    assert client.get(path, params={"version": 1}).json()["emissions_kg"]["value"] == 5.7e-3
    assert client.get(f"{path}/versions").json()["items"][1]["reason"] == why["reason"]
    assert "tonnes were typed" in client.get(f"/footprints/{first['id']}").text


def test_no_equivalent_is_told_anywhere(client: TestClient) -> None:
    """Days of television, trees and kilometres are off by their own sources: a record is told in its units alone."""
    one = records.trained(76.0, kg=5.7)
    client.post("/api/v1/footprints", json=one)
    pages = [f"/footprints/{one['id']}", "/", "/explore", "/methodology"]
    pages += [f"/api/v1/footprints/{one['id']}.{form}" for form in ("md", "bib", "yaml", "csv", "json")]
    for page in pages:
        said = client.get(page).text.casefold()
        found = re.findall(
            r"\b(television|tv[- ]days?|trees?|smartphones?|km driven|kilometres|flights?)\b", said
        )
        assert found == [], page


def test_mean_that_is_above_the_total_of_its_parts_is_told() -> None:
    """A sum and its parts that cannot both hold: the parts of a line of CodeCarbon and its total."""
    made = _one(table(SECOND, {"energy_consumed": "2.02"}))
    assert any("add up to 1 kWh, energy_consumed is 2.02 kWh" in warning for warning in made.warnings)


def test_intensity_in_kilograms_is_refused_or_marked() -> None:
    """0.4 kg/kWh written into a field of grams makes emissions a thousand times too small."""
    one = records.footprint(place=Place(zone="DE"))
    assert one.energy_kwh is not None
    wrong = dataclasses.replace(
        one,
        intensity_g_per_kwh=Quantity(value=0.4),
        emissions_kg=Quantity(value=one.energy_kwh.value * 0.4 / 1000.0),
    )
    assert any("tonnes typed as kilograms" in mark for mark in truth.recompute(wrong).marks)


def test_hours_of_all_devices_are_not_wall_hours() -> None:
    """The template asks for wall hours of one device: eight devices for 48 h are 384 device hours, once."""
    made = Filling(_NOBODY).of(_one("hours,count,hardware,zone\n48,8,A100,FR\n", "x.csv"))
    assert made.device_hours is not None
    assert made.device_hours.value == 384.0
    assert judgement.preview(made)["energy_ratio"] == pytest.approx(1.0)
