"""Advice on runs and plans: what is recommended, what is refused, and what is multiplied."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint import estimate
from sootprint import settings as configuration
from sootprint.charts.advised import time_words
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, CurvePoint, Footprint, Model
from sootprint.estimator.advice import Advice, Measure, advise
from sootprint.settings.grid import Grid, Provider

NAMES = {
    *("region", "hardware", "power_cap", "precision", "batch_size", "utilisation", "pruning", "distillation"),
    *(
        "mixture_of_experts",
        "optimiser",
        "curriculum",
        "data_curation",
        "transfer_learning",
        "early_stopping",
    ),
    *("time_shifting", "place_shifting", "data_centre", "architecture", "parallelism"),
}


def _plan(**changes: object) -> Footprint:
    stated = {"hardware": "V100", "count": 8, "hours": 20.0, "zone": "DE", "work": "llm-pretrain", **changes}
    return estimate(**stated)  # type: ignore[arg-type]


def _one(advice: Advice, name: str) -> Measure:
    return next(one for one in advice.measures if one.name == name)


def test_every_measure_saves_or_says_why_not() -> None:
    """All measures of the reference stand in the advice, once, with evidence, and with a saving or a reason."""
    measures = advise(_plan()).measures
    assert sorted(one.name for one in measures) == sorted(NAMES)
    for one in measures:
        assert one.evidence and one.action
        if one.status == "saves":
            assert one.saving_kg.low > 0.0 and one.saving_share.low > 0.0
            assert one.boundary and one.tier != "none"
        else:
            assert one.saving_kg is None and one.saving_share is None


def test_what_costs_no_time_comes_first_then_kg_per_hour_of_delay() -> None:
    """The order is that of the reference: no delay by saving, then by saving for an hour of delay."""
    saving = [one for one in advise(_plan()).measures if one.status == "saves"]
    free = [one.saving_kg.value for one in saving if one.kg_per_hour_of_delay is None]
    paid = [one.kg_per_hour_of_delay for one in saving if one.kg_per_hour_of_delay is not None]
    assert free == sorted(free, reverse=True)
    assert paid == sorted(paid, reverse=True)
    assert [one.kg_per_hour_of_delay is None for one in saving] == [True] * len(free) + [False] * len(paid)


def test_saving_of_a_region_is_that_of_the_two_grids() -> None:
    """From Germany to France, PUE alike: one less the ratio of the two intensities of one year and method."""
    plan = _plan()
    moved = _one(advise(plan, only_zones=["FR", "PL"]), "region")
    there = _plan(zone="FR", year=int(plan.factors[-1].period))
    expected = 1.0 - there.intensity_g_per_kwh.value / plan.intensity_g_per_kwh.value
    assert moved.saving_share.value == pytest.approx(expected, rel=1e-9)
    assert moved.saving_kg.value == pytest.approx(
        plan.emissions_kg.value - there.emissions_kg.value, rel=1e-9
    )
    assert [one["zone"] for one in moved.options] == ["FR", "PL"]


def test_region_is_only_among_those_that_the_data_may_go_to() -> None:
    """With --only-zones nothing else is named, and nothing is advised where none of them is cleaner."""
    moved = _one(advise(_plan(), only_zones=["PL", "US-TX"]), "region")
    assert (moved.status, moved.saving_kg) == ("not here", None)
    assert "2 places" in moved.evidence


@pytest.mark.parametrize("given_intensity", [100.0, 500.0])
def test_region_is_refused_where_methods_would_mix(given_intensity: float) -> None:
    """A given intensity has no method, so no table may be ranked against it."""
    plan = estimate(hardware="V100", hours=10, intensity=given_intensity)
    moved = _one(advise(plan), "region")
    assert moved.status == "no evidence" and "methods are never mixed" in moved.evidence


def test_region_of_a_direct_intensity_is_ranked_among_direct_ones() -> None:
    """A run whose intensity is direct is compared with direct figures alone."""
    from sootprint.catalogue import zones

    plan = _plan(zone="US-TX")
    direct = zones.intensity("US-TX", 2023, method="direct").factor
    others = [one for one in plan.factors if one.kind != "intensity"]
    moved = _one(
        advise(dataclasses.replace(plan, factors=(*others, direct)), only_zones=["US-CA", "FR"]), "region"
    )
    assert [one["grid"] for one in moved.options] == ["US-CA"]


def test_places_to_choose_from_are_told_by_their_newest_year() -> None:
    """A run of 2021 is compared by figures of 2021; where the next one may start, by the newest of the table."""
    advice = advise(_plan(year=2021), only_zones=["FR", "SE", "NO"])
    assert {one["period"] for one in _one(advice, "region").options} == {"2021"}
    shifting = _one(advice, "place_shifting")
    for one in shifting.options:
        newest = estimate(hardware="V100", hours=1.0, zone=one["zone"])
        assert one["intensity_g_per_kwh"] == newest.intensity_g_per_kwh.value
        assert int(one["period"]) > 2021 and f"({one['period']})" in shifting.evidence
    told = [one["intensity_g_per_kwh"] for one in shifting.options]
    assert len(told) == 3 and told == sorted(told)


def test_unknown_zone_is_one_line() -> None:
    """A misspelt zone is refused with the nearest names."""
    with pytest.raises(CatalogueError, match="Frnce"):
        advise(_plan(), only_zones=["Frnce"])


def test_measures_that_share_a_factor_are_multiplied() -> None:
    """What remains of the emissions is the product of what each leaves; the sum would claim more than all."""
    chosen = ["region", "power_cap", "time_shifting"]
    advice = advise(_plan(), chosen=chosen)
    left = math.prod(1.0 - _one(advice, name).saving_share.value for name in chosen)
    assert advice.combined.saving_share.value == pytest.approx(1.0 - left, rel=1e-9)
    assert advice.combined.sum_of_shares > 1.0 > advice.combined.saving_share.high
    assert any("share intensity" in note for note in advice.combined.notes)


@given(
    st.lists(st.sampled_from(["region", "power_cap", "time_shifting", "hardware"]), unique=True, min_size=1)
)
@settings(max_examples=20, deadline=None)
def test_combination_saves_at_most_everything_and_no_less_than_each(names: list[str]) -> None:
    """Any combination leaves something, saves no less than its best measure, and does not depend on the order."""
    plan = _plan()
    one = advise(plan, chosen=names).combined
    other = advise(plan, chosen=list(reversed(names))).combined
    best = max(_one(advise(plan), name).saving_share.value for name in names)
    assert (
        best - 0.02 <= one.saving_share.value < 1.0
    )  # the new card's making is counted once more than saved
    assert one.saving_share.value == pytest.approx(other.saving_share.value, rel=1e-9)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["batch_size"], "straddles zero"),
        (["pruning"], "no evidence"),
        (["magic"], "is not one of"),
        (["region", "region"], "once"),
    ],
)
def test_measure_without_a_saving_cannot_be_chosen(names: list[str], words: str) -> None:
    """What has no evidence or is refused has no number that could be multiplied."""
    with pytest.raises(InputError, match=words):
        advise(_plan(), chosen=names)


def test_batch_size_is_refused_for_it_goes_both_ways() -> None:
    """The published effects straddle zero, and the refusal says what to do."""
    measure = _one(advise(_plan()), "batch_size")
    assert measure.status == "refused"
    assert "straddles zero" in measure.evidence and "tune" in measure.boundary


def test_new_card_carries_its_making() -> None:
    """The embodied share of a new card is subtracted; on a grid without carbon it eats the saving."""
    dirty = _one(advise(_plan(zone="PL")), "hardware")
    assert dirty.embodied_kg.value > 0.0 and "paid back" in dirty.boundary
    made = _plan(zone="PL")
    gross = dirty.saving_kg.value + dirty.embodied_kg.value
    assert gross < made.emissions_kg.value
    clean = dataclasses.replace(
        made,
        emissions_kg=Quantity(value=0.1, low=0.08, high=0.12),
        intensity_g_per_kwh=Quantity(value=2.0, low=1.6, high=2.4),
    )
    assert _one(advise(clean), "hardware").status == "refused"


def test_hardware_whose_gain_is_not_sure_is_refused() -> None:
    """From H100 on, the data sheets promise less than the spread of utilisation."""
    measure = _one(advise(_plan(hardware="H100")), "hardware")
    assert measure.status in ("refused", "not here") and measure.saving_kg is None


def test_cap_counts_the_rest_of_the_node_which_runs_longer() -> None:
    """Of a node with 1/1.3 in its cards: 15.5 % less there, 6.3 % more of the rest."""
    measure = _one(advise(_plan()), "power_cap")
    expected = 0.155 / 1.3 - 0.063 * (1.0 - 1.0 / 1.3)
    assert measure.saving_share.value == pytest.approx(expected, rel=1e-6)
    assert measure.time_factor == pytest.approx(1.063)


def _measured(**changes: object) -> Footprint:
    plan = _plan()
    device = dataclasses.replace(plan.components[0], meter="nvml")
    return dataclasses.replace(plan, components=(device, plan.components[1]), **changes)


def test_cap_above_what_the_devices_draw_does_not_apply() -> None:
    """A run at 40 % of the rated power is not slowed, and not helped, by a cap at 70 %."""
    run = _measured()
    spent = 0.4 * 300.0 * 160.0 / 1000.0
    device = Component(component="accelerator:0", meter="nvml", energy_kwh=Quantity(value=spent))
    measure = _one(advise(dataclasses.replace(run, components=(device,))), "power_cap")
    assert measure.status == "not here" and "40 %" in measure.evidence


def test_idle_energy_of_the_run_is_what_utilisation_can_win() -> None:
    """With a fifth of the energy drawn idle, half to all of it can be won, and the run itself is the evidence."""
    run = _measured()
    whole = run.energy_kwh.value
    device = dataclasses.replace(run.components[0], idle_kwh=0.2 * whole)
    measure = _one(advise(dataclasses.replace(run, components=(device,))), "utilisation")
    assert measure.tier == "measured here"
    assert (measure.saving_share.low, measure.saving_share.high) == pytest.approx((0.1, 0.2), rel=0.02)


def test_sparse_experts_are_for_large_dense_pretraining() -> None:
    """A dense model of 7 billion parameters gets the measure, one that has experts already does not."""
    dense = dataclasses.replace(_plan(), model=Model(params=7e9))
    sparse = dataclasses.replace(_plan(), model=Model(params=47e9, active_params=13e9))
    assert _one(advise(dense), "mixture_of_experts").status == "saves"
    assert _one(advise(sparse), "mixture_of_experts").status == "not here"


def test_distilling_once_costs_more_than_it_saves() -> None:
    """For a single fine-tuning, distillation is refused as a cost."""
    measure = _one(advise(_plan(work="finetune")), "distillation")
    assert measure.status == "refused" and "costs more" in measure.evidence


def test_record_without_emissions_is_one_line() -> None:
    """Nothing can be saved of what is not stated."""
    with pytest.raises(InputError, match="states no emissions"):
        advise(dataclasses.replace(_plan(), emissions_kg=None))


def _curve(values: list[float], metric: str = "val_accuracy") -> tuple[CurvePoint, ...]:
    return tuple(
        CurvePoint(energy_kwh=0.1 * (number + 1), metric=metric, value=value)
        for number, value in enumerate(values)
    )


def test_early_stopping_is_played_on_the_runs_own_curve() -> None:
    """A curve that is flat from its 20th of 100 points stops after the patience of 10: 70 % are saved."""
    curve = _curve([min(0.05 * number, 0.95) for number in range(1, 101)])
    run = dataclasses.replace(_measured(energy_kwh=Quantity(value=10.0)), curve=curve)
    measure = _one(advise(run), "early_stopping")
    assert measure.tier == "measured here"
    assert measure.saving_share.value == pytest.approx(0.71, abs=0.005)
    assert measure.saving_share.low == pytest.approx(0.61, abs=0.01)


def test_curve_that_improves_to_the_end_has_nothing_to_stop() -> None:
    """Where the last tenth still improves, the measure does not apply; less of a loss is better."""
    run = dataclasses.replace(
        _measured(), curve=_curve([1.0 / number for number in range(1, 60)], "val_loss")
    )
    assert _one(advise(run), "early_stopping").status == "not here"


def test_stopping_that_gives_up_quality_is_refused() -> None:
    """A plateau before a second rise would have cost the rise."""
    values = [0.1 * n for n in range(1, 6)] + [0.5] * 20 + [0.5 + 0.02 * n for n in range(1, 20)]
    run = dataclasses.replace(_measured(), curve=_curve(values))
    measure = _one(advise(run), "early_stopping")
    assert measure.status == "refused" and "given up" in measure.evidence


def test_advice_is_equal_to_the_last_digit() -> None:
    """The same record twice gives the same advice."""
    plan = _plan()
    assert advise(plan, chosen=["region"]) == advise(plan, chosen=["region"])


def _year(folder, swing: float):
    """Trace of 100 days, clean at noon, and settings that name it as that of DE."""
    rows = ["timestamp_utc,ci_gco2e_kwh"]
    for hour in range(24 * 100):
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        rows.append(f"{at.isoformat()},{300.0 + swing * math.cos(2 * math.pi * (hour - 1) / 24):.3f}")
    path = folder / "de.csv"
    path.write_text("\n".join(rows) + "\n")
    grid = Grid(providers={"trace": Provider(name="trace", file=str(path), zone="DE")})
    return dataclasses.replace(configuration.load(), grid=grid)


def test_cleaner_hours_are_those_of_the_runs_own_grid_length_and_slack(tmp_path) -> None:
    """A 4 h run on a solar grid: the four hours around noon, a resume or none, against the mean of starting at once."""
    known = _year(tmp_path, 100.0)
    found = _one(advise(_plan(hours=4.0), settings=known), "time_shifting")
    noon = (
        sum(300.0 - 100.0 * math.cos(2 * math.pi * (hour - 0.0) / 24) for hour in (-1.5, -0.5, 0.5, 1.5)) / 4
    )
    assert found.status == "saves"
    assert found.saving_share.value == pytest.approx(1.0 - noon / 300.0, abs=0.02)
    assert "de.csv, 2025-01-01 to 2025-04-11" in found.evidence
    assert "2022" not in found.evidence
    assert found.time_factor == pytest.approx(7.0)
    flat = _one(advise(_plan(hours=4.0), settings=_year(tmp_path, 0.0)), "time_shifting")
    assert flat.status in ("not here", "refused")
    elsewhere = _one(advise(_plan(hours=4.0, zone="FR"), settings=known), "time_shifting")
    assert "results of 2022, not of this run" in elsewhere.evidence
    assert "no trace of its grid is configured" in elsewhere.evidence


def test_places_to_choose_from_are_cleaner_than_the_runs_own() -> None:
    """Of France and Poland only France is cleaner than Germany: there is nothing to choose at each start."""
    measure = _one(advise(_plan(), only_zones=["FR", "PL"]), "place_shifting")
    assert (measure.status, measure.saving_kg) == ("not here", None)
    chosen = _one(advise(_plan(), only_zones=["FR", "PL", "SE"]), "place_shifting")
    assert {one["zone"] for one in chosen.options} == {"FR", "SE"}


def test_waiting_is_told_as_a_wait(tmp_path) -> None:
    """A run of minutes is not 145 times as long: it starts later, by a day at most; one of hours pauses."""
    known = _year(tmp_path, 100.0)
    short = _one(advise(_plan(hours=1.0 / 6.0), settings=known), "time_shifting")
    assert (short.status, short.wait_h) == ("saves", 24.0)
    assert short.action == "start it in a cleaner hour, done up to 24 h later"
    assert time_words(short.time_factor, short.wait_h) == "up to 24 h later"
    hours = _one(advise(_plan(hours=4.0, zone="FR"), settings=known), "time_shifting")
    assert (hours.wait_h, hours.action) == (24.0, "pause in dirty hours, done up to 24 h later")
    capped = _one(advise(_plan(hours=4.0), settings=known), "power_cap")
    assert capped.wait_h is None


def test_a_wait_that_saves_less_than_a_gram_is_left_out(tmp_path) -> None:
    """Of a run of seconds nothing is left to be saved by a day's wait: it says how little, and is no advice."""
    for known in (_year(tmp_path, 100.0), configuration.load()):
        plan = estimate(power_w=100.0, count=1, hours=2.0 / 3600.0, zone="DE")
        found = _one(advise(plan, settings=known), "time_shifting")
        assert (found.status, found.saving_kg, found.wait_h) == ("not here", None, None)
        assert "less than a gram is not worth it" in found.evidence
