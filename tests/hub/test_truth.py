"""Recomputation: what a record claims, beside what its inputs give."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sootprint import report
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Model, Paper, Place, Stage, Work
from sootprint.hub import admission, columns, evidence, truth
from sootprint.report import paper
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
        ({"emissions_kg": 6.5}, "6.50 × what the inputs give"),  # an equivalent that was off by 6.5
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


def test_bounds_of_the_hours_are_in_the_recomputed_interval() -> None:
    """Device hours that are known within a factor of ten give an energy that is known no better."""
    exact = truth.recompute(records.footprint()).energy_kwh
    wide = Quantity(value=384.0, low=38.4, high=3840.0, basis="claimed")
    made = truth.recompute(dataclasses.replace(records.footprint(), device_hours=wide)).energy_kwh
    assert exact is not None
    assert made is not None
    assert made.value == pytest.approx(exact.value)
    assert made.low is not None
    assert made.high is not None
    assert made.low < 0.1 * made.value
    assert made.high > 10.0 * made.value


def test_unknown_number_of_devices_is_not_one() -> None:
    """Of a record whose devices nobody counted, nothing is computed from wall hours, nor held against it."""
    one = records.footprint()
    alone = tuple(dataclasses.replace(device, count=1) for device in one.hardware)
    told = dataclasses.replace(
        one, hardware=alone, unknown=("hardware.count",), device_hours=None, duration_s=48 * 3600.0
    )
    made = truth.recompute(told)
    assert (made.method, made.marks, made.verification) == ("stated", (), "recomputed")
    assert "the number of devices is not known" in made.notes[0]
    assert "hardware_used: NVIDIA A100" in paper.card(told)
    assert "on NVIDIA A100" in paper.latex(told)
    assert "1 × NVIDIA" not in report.render(told, "md")
    by_hours = dataclasses.replace(told, device_hours=one.device_hours)
    assert truth.recompute(by_hours).energy_ratio == pytest.approx(1.0)


def test_more_than_all_data_centres_is_marked() -> None:
    """Such a number fits its inputs, and in a sum nothing of all others would be left."""
    one = records.footprint()
    huge = {"device_hours": Quantity(value=1e14), "energy_kwh": Quantity(value=3.7e13), "emissions_kg": None}
    made = truth.recompute(dataclasses.replace(one, components=(), **huge))
    assert made.energy_ratio == pytest.approx(1.0, abs=0.1)
    assert any("415 TWh" in mark for mark in made.marks)


def test_stated_pue_enters_the_emissions_and_the_start_gives_the_year() -> None:
    """Energy x 1.5 x the intensity of the year of the training, whenever it was published."""
    one = records.footprint()
    plain, over = (
        truth.recompute(dataclasses.replace(one, pue=Quantity(value=pue))).emissions_kg for pue in (1.0, 1.5)
    )
    assert plain is not None
    assert over is not None
    assert over.value == pytest.approx(1.5 * plain.value)
    told = {"started": "2020-05-01", "paper": Paper(published="2022-01-01")}
    assert truth.year_of(dataclasses.replace(one, **told)) == 2020
    assert truth.year_of(dataclasses.replace(one, **(told | {"started": None}))) == 2022


def test_year_of_a_start_elsewhere_is_that_in_utc() -> None:
    """So that lists by year, months of a project and the grid of a training go by one clock."""
    for started, year, kept in (
        ("2020-12-31T23:30:00-02:00", 2021, "2021-01-01T01:30:00Z"),
        ("2021-01-01T00:30+01:00", 2020, "2020-12-31T23:30:00Z"),
        ("2020-W53-5", 2021, "2021-01-01"),
        ("2020-12-31T24:00", 2021, "2021-01-01T00:00:00Z"),
    ):
        one = admission.admitted(records.record(started=started)).footprint
        made = truth.recompute(dataclasses.replace(one, given={}))
        row = columns.row(one, made)
        assert (truth.year_of(one), row["year"], row["started"]) == (year, year, kept)
        assert {factor.period for factor in made.factors if factor.kind == "intensity"} == {str(year)}
        assert one.started == started  # the record itself is kept as it came


def test_year_and_processor_that_a_record_has_are_not_called_missing() -> None:
    """An estimate's year stands in what was given; a run without an accelerator has hardware all the same."""
    processor = Hardware(kind="cpu", name="AMD EPYC", count=1)
    of_an_estimate, of_a_run = records.footprint(), records.footprint(hardware=(processor,))
    bare = records.footprint(hardware=(), given={})
    missing = [
        {one.field for one in truth.recompute(record).findings if one.rule == "missing"}
        & {"year", "hardware"}
        for record in (of_an_estimate, of_a_run, bare)
    ]
    assert missing == [set(), set(), {"year", "hardware"}]


def test_year_that_was_given_counts_before_that_of_the_paper() -> None:
    """A training of 2019 is computed with the grid of 2019, though its paper came out later."""
    record = records.footprint(
        given={**records.footprint().given, "year": 2019}, paper=Paper(published="2023")
    )
    assert [one.period for one in truth.recompute(record).factors if one.kind == "intensity"] == ["2019"]
    assert truth.year_of(record) == 2023  # of lists and trends, which go by publication


def test_what_is_only_multiplied_again_is_neither_ours_nor_compared() -> None:
    """A stated intensity makes no sum, and a stated energy that nothing was put beside is no recomputation."""
    one = dataclasses.replace(records.footprint(), place=Place())
    assert truth.recompute(records.footprint()).is_ours
    assert not truth.recompute(one).is_ours
    bare = dataclasses.replace(one, hardware=(), components=(), emissions_kg=None)
    made = truth.recompute(bare)
    assert (made.method, made.energy_ratio, made.verification) == ("stated", 1.0, "schema-checked")
