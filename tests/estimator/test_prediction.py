"""Footprints of trainings that have not begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint import CatalogueError, Footprint, InputError, predict
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))
FIGURES = ("device_hours", "energy_kwh", "emissions_kg", "water_l", "cost", "embodied_kg")


def _made(**given: Any) -> Footprint:
    base = {"params": 7e9, "tokens": 2e12, "hardware": "A100-80GB", "count": 1024, "intensity": 400}
    return predict(**{**base, **given}, settings=BARE)


def test_hours_follow_from_operations_and_utilisation() -> None:
    """8.4e22 operations at 0.4 of 312e12 FLOP/s: 6.731e8 s, which are 186,966 hours."""
    made = _made(mfu=0.4)
    assert made.device_hours.value == pytest.approx(8.4e22 / (0.4 * 312e12) / 3600)
    assert made.device_hours.low == made.device_hours.high == made.device_hours.value
    assert made.duration_s == pytest.approx(made.device_hours.value / 1024 * 3600)


def test_energy_and_emissions_are_those_of_the_hours() -> None:
    """At 400 W x 0.82 x 1.30 = 426.4 W a device, and 400 g/kWh with a PUE of 1.1."""
    made = _made(mfu=0.4, pue=1.1, utilisation=0.82)
    assert made.energy_kwh.value == pytest.approx(made.device_hours.value * 0.4264)
    assert made.emissions_kg.value == pytest.approx(made.energy_kwh.value * 1.1 * 0.4)
    assert made.boundary == "facility"


def test_every_figure_has_an_interval() -> None:
    """Hours, energy, emissions, water, cost and embodied share all say how unsure they are."""
    made = _made(zone="FR", intensity=None)
    for name in FIGURES:
        figure = getattr(made, name)
        assert 0.0 < figure.low < figure.value < figure.high, name


def test_record_says_what_was_asked() -> None:
    """Model, work, stage and grade stand in the record, which survives JSON."""
    made = _made()
    assert (made.stage, made.grade, made.model.params, made.work.flops) == ("pretrain", "D", 7e9, 8.4e22)
    assert made.given["tokens"] == 2e12
    assert Footprint.from_json(made.to_json()) == made


def test_mixture_of_experts_takes_the_active_parameters() -> None:
    """A model of 671e9 parameters of which 37e9 are active costs as much as a dense one of 37e9."""
    dense = _made(params=37e9, mfu=0.3)
    experts = _made(params=671e9, active_params=37e9, architecture="moe", mfu=0.3)
    assert experts.device_hours.value == pytest.approx(dense.device_hours.value)


@pytest.mark.parametrize(
    ("given", "stage", "more"),
    [
        ({"technique": "lora", "adapter_params": 1e7}, "finetune", False),
        ({"technique": "distil", "teacher_params": 70e9}, "distil", True),
        ({"technique": "rl", "rollout_tokens": 4e12}, "finetune", True),
    ],
)
def test_technique_changes_the_work(given: dict[str, Any], stage: str, more: bool) -> None:
    """A frozen base is less work, a teacher or rollouts are more."""
    made, plain = _made(**given, mfu=0.4), _made(mfu=0.4)
    assert made.stage == stage
    assert (made.device_hours.value > plain.device_hours.value) is more


def test_water_has_the_pue_at_the_plant_only() -> None:
    """Doubling the facility's energy leaves the water on site alone: 0.4 + 1 x 3.1 becomes 0.4 + 2 x 3.1."""
    once, twice = _made(pue=1.0), _made(pue=2.0)
    assert twice.water_l.value / once.water_l.value == pytest.approx((0.4 + 6.2) / 3.5)


def test_price_is_taken_as_given() -> None:
    """At 0.2 EUR/kWh the cost is that of the energy with the facility's overhead."""
    made = _made(mfu=0.4, pue=1.5, price=0.2, currency="EUR")
    assert made.cost.value == pytest.approx(made.energy_kwh.value * 1.5 * 0.2)
    assert made.given["currency"] == "EUR"


def test_given_hours_are_taken_and_their_utilisation_checked() -> None:
    """186,966 device hours are 40 % of the peak; a third of them are more than it."""
    made = _made(hours=186_966 / 1024)
    assert made.device_hours.value == pytest.approx(186_966)
    with pytest.raises(InputError, match=r"implies 120 % of the peak rate|implies 120% of the peak rate"):
        _made(hours=186_966 / 1024 / 3)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"tokens": 0}, "tokens is 0"),
    ({"tokens": None}, "give params and tokens"),
    ({"precision": "fp12"}, "precision is 'fp12'"),
    ({"mfu": 1.2}, "mfu is 1.2"),
    ({"mfu": 0.4, "hours": 100}, "given together"),
    ({"count": 0}, "count is 0"),
    ({"hardware": None}, "hardware is not given"),
    ({"hardware": "A100", "count": 1, "tokens": 1e15}, "give more of them"),
    ({"currency": "EUR"}, "currency is .EUR. without a price"),
    ({"price": -1}, "price is -1"),
    ({"pipeline_stages": 1.5}, "pipeline_stages is 1.5"),
    ({"tokns": 1}, "'tokns' is not known"),
]


@pytest.mark.parametrize(("given", "words"), BAD, ids=[words for _, words in BAD])
def test_bad_input_is_refused_in_one_line(given: dict[str, Any], words: str) -> None:
    """The message names the value and the rule."""
    with pytest.raises(InputError, match=words) as caught:
        _made(**given)
    assert "\n" not in str(caught.value)


def test_device_without_facts_is_refused() -> None:
    """A system whose peak rate nobody published cannot be predicted."""
    with pytest.raises(CatalogueError, match="peak rate"):
        _made(hardware="CS-2")


def test_same_case_twice_is_equal_to_the_last_digit() -> None:
    """Nothing random is left in a record but its identity."""
    one, two = _made(zone="DE", intensity=None), _made(zone="DE", intensity=None)
    for name in FIGURES:
        assert getattr(one, name) == getattr(two, name)


@given(params=st.floats(1e8, 1e12), tokens=st.floats(1e9, 1e13), more=st.floats(1.0, 5.0))
def test_more_work_never_takes_less(params: float, tokens: float, more: float) -> None:
    """Hours and emissions rise with parameters and tokens."""
    base = _made(params=params, tokens=tokens, count=1_000_000)
    for greater in ({"params": params * more, "tokens": tokens}, {"params": params, "tokens": tokens * more}):
        after = _made(**greater, count=1_000_000)
        assert after.emissions_kg.value >= base.emissions_kg.value * (1.0 - 1e-9)
        assert after.device_hours.high >= base.device_hours.high * (1.0 - 1e-9)
