"""Recomputation: what a record claims, beside what its inputs give."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Model, Place, Stage, Work
from sootprint.hub import evidence, truth
from tests.hub import records


def _times(quantity: Quantity | None, ratio: float) -> Quantity:
    assert quantity is not None
    return Quantity(value=quantity.value * ratio)


def _claim(**ratios: float) -> Footprint:
    one = records.footprint()
    return dataclasses.replace(
        one, **{name: _times(getattr(one, name), ratio) for name, ratio in ratios.items()}
    )


def test_own_estimate_is_found_again() -> None:
    """Eight A100 for 48 h in France: the hub comes to the figures of the estimator."""
    made = truth.recompute(records.footprint())
    assert made.method == "hardware"
    assert made.energy_ratio == pytest.approx(1.0)
    assert made.emissions_ratio == pytest.approx(1.0)
    assert (made.marks, made.verification) == ((), "recomputed")


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        (
            {"emissions_kg": 1000.0},
            "grams typed as kilograms",
        ),  # a model card: 83.524 kg given as grams, and back
        ({"emissions_kg": 0.001}, "tonnes typed as kilograms"),
        ({"emissions_kg": 1e6}, "grams and tonnes"),
        ({"energy_kwh": 1000.0}, "watt-hours typed as kilowatt-hours"),
        ({"energy_kwh": 3.6e6}, "joules typed as kilowatt-hours"),
        ({"energy_kwh": 3.6}, "megajoules typed as kilowatt-hours"),
        ({"emissions_kg": 6.5}, "6.50 x what its inputs give"),  # an equivalent that was off by 6.5
    ],
)
def test_slip_of_a_unit_is_marked_and_named(ratios: dict[str, float], words: str) -> None:
    """Faults seen in the wild are marked for review, in words."""
    made = truth.recompute(_claim(**ratios))
    assert any(words in mark for mark in made.marks)
    assert made.verification == "schema-checked"


@pytest.mark.parametrize(("ratio", "marked"), [(0.49, True), (0.51, False), (1.9, False), (2.1, True)])
def test_claims_within_half_and_double_are_credible(ratio: float, marked: bool) -> None:
    """0.5 to 2 x of the recomputation is not marked; beyond it is."""
    assert bool(truth.recompute(_claim(emissions_kg=ratio)).marks) is marked


def _measured(**changes: Any) -> Footprint:
    part = Component(
        component="accelerator:0",
        meter="nvml",
        energy_kwh=Quantity(value=10.0, low=9.5, high=10.5, basis="sensor"),
    )
    made: dict[str, Any] = {
        "components": (part,),
        "energy_kwh": Quantity(value=10.0, basis="sensor"),
        "grade": "C",
        "duration_s": 100_000.0,
        "place": Place(zone="FR"),
        "hardware": (Hardware(kind="accelerator", name="NVIDIA A100", rated_power_w=400.0),),
    }
    return records.footprint(**made | changes)


def test_measured_components_are_summed() -> None:
    """Components that a sensor gave are the inputs; the hardware does not overrule them."""
    made = truth.recompute(_measured(energy_kwh=Quantity(value=30.0)))
    assert made.method == "components"
    assert made.energy_kwh == Quantity(value=10.0, low=9.5, high=10.5)
    assert made.energy_ratio == pytest.approx(3.0)


def test_wall_meter_is_the_total_of_its_components() -> None:
    """Where a wall meter is among them, the others are its parts."""
    wall = Component(component="wall", meter="plug", energy_kwh=Quantity(value=14.0, basis="metered"))
    one = _measured()
    made = truth.recompute(dataclasses.replace(one, components=(*one.components, wall)))
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == 14.0


def test_more_than_the_rated_power_is_marked() -> None:
    """One A100 of 400 W cannot spend 10 kWh in 10 h, at 1.2 x its rated power neither."""
    made = truth.recompute(_measured(duration_s=36_000.0))
    assert any("more than their rated power" in mark for mark in made.marks)


def test_intensity_is_the_hubs_own() -> None:
    """A record that takes ten times the grid's intensity is marked by its emissions."""
    one = records.footprint()
    grid = _times(one.intensity_g_per_kwh, 10.0)
    made = truth.recompute(
        dataclasses.replace(one, intensity_g_per_kwh=grid, emissions_kg=_times(one.emissions_kg, 10.0))
    )
    assert made.emissions_ratio == pytest.approx(10.0)
    assert made.marks


def test_unknown_place_is_said_and_nothing_invented() -> None:
    """Without zone and intensity there is energy and no emissions."""
    made = truth.recompute(records.footprint(place=Place(), intensity_g_per_kwh=None))
    assert made.energy_kwh is not None
    assert made.emissions_kg is None
    assert made.notes == ("neither a known zone nor an intensity is given",)


def test_bare_claim_is_schema_checked_alone() -> None:
    """Where nothing of ours can be put beside a number, it is not called recomputed."""
    bare = records.footprint(
        hardware=(),
        components=(),
        device_hours=None,
        place=Place(),
        intensity_g_per_kwh=None,
        energy_kwh=None,
    )
    made = truth.recompute(bare)
    assert (made.method, made.verification) == (None, "schema-checked")


@pytest.mark.parametrize(
    ("claimed", "counted"),
    [("A", "C"), ("B", "C"), ("C", "C"), ("D", "D"), ("E", "E"), (None, "E")],
)
def test_grade_never_rises_and_falls_to_what_is_supported(claimed: str | None, counted: str) -> None:
    """A sensor on the accelerator beside an unmeasured processor supports C, whatever is claimed."""
    cpu = Component(component="cpu", meter="cpu", energy_kwh=Quantity(value=1.0, basis="modelled"))
    one = _measured(grade=claimed)
    one = dataclasses.replace(one, components=(*one.components, cpu))
    assert evidence.supported(one) == "C"
    assert evidence.counted(one) == counted


def test_engine_names_the_release_of_program_and_tables() -> None:
    """A recomputation can be told from one with other factors."""
    version, _, tables = truth.engine().partition("+")
    assert version
    assert len(tables) == 12


def test_record_is_audited_and_an_impossible_one_is_marked() -> None:
    """A training that implies more than its devices' peak rate is marked, with the rule that says so."""
    work = Work(tokens=2e12)
    sound = truth.recompute(records.footprint(model=Model(name="m", params=1e8), work=Work(tokens=1e9)))
    assert not any(one.severity == "error" for one in sound.findings)
    absurd = truth.recompute(records.footprint(model=Model(name="m", params=7e10), work=work))
    assert any("utilisation-above-peak" in mark for mark in absurd.marks)
    assert absurd.verification == "schema-checked"


def test_text_of_megabytes_is_audited_at_once() -> None:
    """Names are cut before they are looked up, and a date or a number that is none stops nothing."""
    huge = "in Paris, France " * 60_000
    made = records.footprint(
        name=huge,
        started="yesterday",
        place=Place(zone=huge),
        hardware=(Hardware(kind="accelerator", name=huge, count=10**400),),
    )
    assert truth.recompute(made).emissions_ratio is not None or truth.recompute(made).notes


def test_life_cycle_is_not_computed_as_one_training() -> None:
    """Its stages have factors of their own, so neither a ratio nor a finding is made up."""
    stage = Stage(stage="pretrain", energy_kwh=Quantity(value=1.0), emissions_kg=Quantity(value=900.0))
    made = truth.recompute(records.footprint(stages=(stage,)))
    assert (made.emissions_ratio, made.findings, made.marks) == (None, (), ())
    assert "life cycle" in made.notes[0]
