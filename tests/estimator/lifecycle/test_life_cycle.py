"""A whole life cycle: every stage a line, shared factors drawn once, what is left out named."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint import Footprint, estimate, predict
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Quantity
from sootprint.estimator.lifecycle import embodied, life_cycle

FINAL = '[[stage]]\nstage = "pretrain"\nhardware = "A100"\ncount = 8\nhours = 100\nwork = "llm-pretrain"\n'
PLACE = 'zone = "FR"\nyear = 2024\npue = 1.2\n'


def _made(*stages: str, place: str = PLACE, **given_: object) -> Footprint:
    return life_cycle(place + "".join(stages), **given_)  # type: ignore[arg-type]


def _stage(name: str, *lines: str) -> str:
    return f'[[stage]]\nstage = "{name}"\n' + "".join(f"{line}\n" for line in lines)


def _line(made: Footprint, name: str):
    return next(one for one in made.stages if one.stage == name)


def test_training_alone_is_what_estimate_gives() -> None:
    """One stage has the energy and emissions of the same job, estimated by itself."""
    made = _made(FINAL)
    alone = estimate(hardware="A100", count=8, hours=100, work="llm-pretrain", zone="FR", year=2024, pue=1.2)
    assert made.energy_kwh.value == pytest.approx(alone.energy_kwh.value)
    assert made.emissions_kg.value == pytest.approx(alone.emissions_kg.value)
    assert made.emissions_kg.low == pytest.approx(alone.emissions_kg.low, rel=0.03)
    assert made.emissions_kg.high == pytest.approx(alone.emissions_kg.high, rel=0.03)
    assert made.pue.value == pytest.approx(1.2) and made.scope == "project_total"


def test_total_is_the_sum_of_the_operational_lines() -> None:
    """Lines add up, embodied apart, and each has an interval of its own."""
    made = _made(
        FINAL,
        _stage("data", 'hardware = "EPYC 7742"', "hours = 50"),
        _stage("storage", "terabytes = 10", "days = 365", "copies = 2"),
        _stage("transfer", "gigabytes = 1000"),
        _stage("development", "of_final = 0.5"),
        _stage("evaluate", "energy_kwh = 12"),
    )
    operational = [one for one in made.stages if one.stage != "embodied"]
    assert math.fsum(one.emissions_kg.value for one in operational) == pytest.approx(made.emissions_kg.value)
    assert math.fsum(one.energy_kwh.value for one in operational) == pytest.approx(made.energy_kwh.value)
    assert all(one.emissions_kg.low <= one.emissions_kg.value <= one.emissions_kg.high for one in made.stages)
    assert _line(made, "development").energy_kwh.value == pytest.approx(
        0.5 * _line(made, "pretrain").energy_kwh.value
    )
    assert _line(made, "embodied").emissions_kg == made.embodied_kg


def test_storage_and_transfer_are_counted_by_hand() -> None:
    """2 TB on SSD for 10 days in 3 copies: 6 x 240 h x 1.2 Wh; 500 GB: 0.5 kWh, without a PUE."""
    made = _made(
        FINAL,
        _stage("storage", "terabytes = 2", "days = 10", "copies = 3"),
        _stage("transfer", "gigabytes = 500"),
    )
    assert _line(made, "storage").energy_kwh.value == pytest.approx(6 * 240 * 1.2 / 1000)
    transfer = _line(made, "transfer")
    grams = transfer.emissions_kg.value / transfer.energy_kwh.value
    assert transfer.energy_kwh.value == pytest.approx(0.5)
    stored = _line(made, "storage").emissions_kg.value / _line(made, "storage").energy_kwh.value
    assert stored / grams == pytest.approx(1.2)


def test_checkpoints_are_their_number_times_their_size() -> None:
    """50 of 80 GB are 4 TB."""
    made = _made(
        FINAL, _stage("checkpoints", "gigabytes_each = 80", "number = 50", "days = 1", 'media = "hdd"')
    )
    assert _line(made, "checkpoints").energy_kwh.value == pytest.approx(4 * 24 * 0.65 / 1000)


def test_shared_grid_is_drawn_once() -> None:
    """Two halves of a training are as uncertain as the whole: nothing averages out."""
    whole = FINAL.replace(
        "llm-pretrain", "unknown"
    )  # a share of the rated power that does not go by the hours
    half = whole.replace("hours = 100", "hours = 50")
    one, two = _made(whole), _made(half, half)
    assert two.emissions_kg.value == pytest.approx(one.emissions_kg.value)
    assert two.emissions_kg.high == pytest.approx(one.emissions_kg.high, rel=1e-6)


def test_what_is_not_stated_is_named() -> None:
    """Stages without a line stand in `unknown` and in one warning, and travel is named too."""
    made = _made(FINAL)
    assert {"stages.data", "stages.development", "stages.inference", "market_based_kg"} <= set(made.unknown)
    assert "stages.pretrain" not in made.unknown
    told = " ".join(made.warnings)
    assert "left out" in told and "data processing" in told and "travel" in told


def test_facility_without_a_known_overhead_is_named() -> None:
    """Without a PUE the record says so, as an estimate does; with one it does not."""
    without = _made(FINAL, place='zone = "FR"\nyear = 2024\n')
    assert "pue" in without.unknown and any("PUE unknown" in line for line in without.warnings)
    assert "pue" not in _made(FINAL, _stage("development")).unknown


def test_other_counts_only_where_it_is_asked_for() -> None:
    """A flight is stated and apart; with include it is a line of the total."""
    flight = _stage("other", 'what = "flights"', "emissions_kg = 500")
    without, counted = _made(FINAL, flight), _made(FINAL, flight + "include = true\n")
    assert counted.emissions_kg.value - without.emissions_kg.value == pytest.approx(500)
    assert any("flights" in line and "not in the total" in line for line in without.warnings)


def test_water_has_the_overhead_with_the_power_plants_alone() -> None:
    """Site water is per IT energy, plant water per facility energy: E x (WUE + PUE x EWIF)."""
    made = _made(FINAL, "[water]\nsite_l_per_kwh = 0.5\nplant_l_per_kwh = 2\n")
    assert made.water_l.value == pytest.approx(made.energy_kwh.value * (0.5 + 1.2 * 2.0))


def test_embodied_share_follows_lifetime_and_busy_hours() -> None:
    """800 h of A100 with 150 kg and 450 kg of its server, over 4 years at 80 %."""
    made = _made(FINAL, "[embodied]\nlifetime_years = 4\nbusy_share = 0.8\n")
    assert made.embodied_kg.value == pytest.approx(600 * 800 / (4 * 0.8 * embodied.HOURS_PER_YEAR))
    longer = _made(FINAL, "[embodied]\nlifetime_years = 6\nbusy_share = 0.8\n")
    assert longer.embodied_kg.value == pytest.approx(made.embodied_kg.value * 4 / 6)


def test_market_based_stands_beside_and_offsets_lower_nothing() -> None:
    """Contracts cover 100 kWh at 0 and 50 at 20 g, the rest is the residual mix; the location-based total stays."""
    market = (
        "[market]\nresidual_mix_g_per_kwh = 400\ncertificates_kwh = 100\nppa_kwh = 50\nppa_g_per_kwh = 20\n"
    )
    plain, made = _made(FINAL), _made(FINAL, market + "offsets_kg = 9999\n")
    facility = made.energy_kwh.value * 1.2
    assert made.market_based_kg.value == pytest.approx((50 * 20 + (facility - 150) * 400) / 1000)
    assert made.emissions_kg == plain.emissions_kg
    assert any("offsets" in line and "lower no total" in line for line in made.warnings)


def test_market_based_is_unknown_without_a_residual_mix() -> None:
    """Certificates for a part say nothing of the rest; for all of it they do."""
    part = _made(FINAL, "[market]\ncertificates_kwh = 1\n")
    assert part.market_based_kg is None and "market_based_kg" in part.unknown
    whole = _made(FINAL, "[market]\ncertificates_kwh = 1000000\n")
    assert whole.market_based_kg.value == 0.0


def test_inference_until_break_even_has_the_energy_of_all_before() -> None:
    """1 Wh a request: as many requests as watt-hours were spent."""
    made = _made(FINAL, _stage("inference", "wh_per_request = 1.0", 'until = "break-even"'))
    served = _line(made, "inference")
    assert served.energy_kwh.value == pytest.approx(_line(made, "pretrain").energy_kwh.value)
    assert f"{1000 * served.energy_kwh.value:.2g}" in served.note


def test_child_carries_a_share_of_its_parent() -> None:
    """A thirtieth of the parent's emissions is a line of the total, from numbers or from a record."""
    parent = estimate(hardware="A100", count=64, hours=500, zone="PL")
    named = dataclasses.replace(parent, name="base")
    tuned = FINAL.replace('"pretrain"', '"finetune"')
    made = _made(tuned, '[parent]\nrecord = "base.json"\ndescendants = 30\n', records=lambda ref: named)
    line = _line(made, "parent")
    assert line.emissions_kg.value == pytest.approx(parent.emissions_kg.value / 30)
    assert (made.parent, made.model.base) == (parent.id, "base")
    alone = _made(tuned)
    assert made.emissions_kg.value - alone.emissions_kg.value == pytest.approx(line.emissions_kg.value)


def test_measured_record_is_a_stage() -> None:
    """A record keeps its own energy and place."""
    run = estimate(hardware="V100", hours=10, zone="PL")
    made = _made('[[stage]]\nstage = "finetune"\nrecord = "run"\n', records=lambda ref: run)
    assert made.emissions_kg.value == pytest.approx(run.emissions_kg.value)
    assert made.emissions_kg.high == pytest.approx(run.emissions_kg.high, rel=0.06)


def test_training_that_has_not_begun_is_a_stage() -> None:
    """Parameters and tokens stand for hours: energy, embodied hours and intervals are those of `predict`."""
    workload = ["params = 7e9", "tokens = 1e12", 'hardware = "A100"', "count = 256"]
    made = _made(_stage("pretrain", *workload))
    alone = predict(params=7e9, tokens=1e12, hardware="A100", count=256, zone="FR", year=2024, pue=1.2)
    assert made.emissions_kg.value == pytest.approx(alone.emissions_kg.value)
    assert made.emissions_kg.low == pytest.approx(alone.emissions_kg.low, rel=0.06)
    assert made.emissions_kg.high == pytest.approx(alone.emissions_kg.high, rel=0.06)
    assert made.device_hours.value == pytest.approx(alone.device_hours.value)
    assert made.embodied_kg.high / made.embodied_kg.value > 1.5


@given(st.floats(0.01, 5.0), st.floats(1.0, 5000.0))
@settings(max_examples=15, deadline=None)
def test_more_work_never_emits_less(share: float, hours: float) -> None:
    """Energy, emissions, embodied share and water grow with a stage that is added."""
    base = FINAL.replace("hours = 100", f"hours = {hours}")
    less, more = _made(base), _made(base, _stage("failed", f"of_final = {share}"))
    for name in ("energy_kwh", "emissions_kg", "embodied_kg", "water_l"):
        before, after = getattr(less, name), getattr(more, name)
        assert isinstance(before, Quantity)
        assert after.value == pytest.approx(before.value * (1 + share)) and after.low > before.low


def test_record_is_equal_to_the_last_digit() -> None:
    """The same text twice gives the same numbers, and they come back from JSON."""
    text = PLACE + FINAL + _stage("development")
    one, two = life_cycle(text), life_cycle(text)
    assert dataclasses.replace(one, id=two.id) == two
    assert Footprint.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stage = [", "no TOML"),
        ('name = "x"', "no stage"),
        (_stage("train", "hours = 1"), "'train'"),
        (_stage("pretrain"), "does not say what it needed"),
        (_stage("pretrain", "hours = 1", "energy_kwh = 2"), "give one of"),
        (_stage("pretrain", "of_final = 1"), "of_final is for"),
        (_stage("development"), "final training"),
        (_stage("pretrain", "hours = -1"), "at least 0"),
        (_stage("pretrain", "hours = nan"), "at least 0"),
        (_stage("pretrain", "hours = 1"), "neither hardware nor power_w"),
        (_stage("pretrain", "hours = 1", 'color = "red"'), "'color'"),
        (_stage("storage", "terabytes = 1"), "days is not given"),
        (_stage("storage", "terabytes = 1", "days = 1", 'media = "tape"'), "'tape'"),
        (FINAL + _stage("inference", "wh_per_request = 1"), "requests"),
        (FINAL + _stage("inference", "wh_per_request = 0", "requests = 5"), "above 0"),
        (FINAL + "[parent]\nemissions_kg = 5\n", "share, or descendants"),
        (FINAL + "[parent]\nshare = 2\n", "at most 1"),
        (FINAL + "[market]\nppa_kwh = 5\n", "ppa_g_per_kwh"),
        (FINAL + "[embodied]\nlifetime_years = 0\n", "lifetime_years is 0"),
        (FINAL + "[carbon]\nx = 1\n", "'carbon'"),
        (FINAL + _stage("finetune", 'record = "other"'), "cannot be looked up"),
    ],
)
def test_wrong_file_is_one_line(text: str, words: str) -> None:
    """The message names the stage, the key and the rule."""
    with pytest.raises(InputError, match=words) as caught:
        life_cycle(text, name="life.toml")
    assert "\n" not in str(caught.value)


def test_unknown_device_is_named_with_its_stage() -> None:
    """The nearest names stand in the message, and the stage before them."""
    with pytest.raises(CatalogueError, match=r"stage 1 \(pretrain\)"):
        life_cycle('[[stage]]\nstage = "pretrain"\nhardware = "A1000000"\nhours = 1\n')
