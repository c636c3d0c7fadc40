"""Advice on how well devices are used: time in which they wait, and the rate that they reach."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint import estimate
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Model, Work
from sootprint.estimator.advice import Measure, advise


def _one(footprint: Footprint, name: str) -> Measure:
    return next(one for one in advise(footprint).measures if one.name == name)


def _busy(share: float | None, *, drew: float = 0.5, idle_kwh: float | None = None) -> Footprint:
    """A measured run of eight V100 that drew a share of their rated power, in a node that drew a third beside them."""
    run = estimate(hardware="V100", count=8, hours=20.0, zone="DE", work="llm-pretrain")
    device_kwh = drew * 300.0 * 160.0 / 1000.0
    device = Component(
        component="accelerator:0",
        meter="nvml",
        energy_kwh=Quantity(value=device_kwh),
        idle_kwh=idle_kwh,
        utilisation=share,
    )
    node = Component(component="node", meter="node", energy_kwh=Quantity(value=device_kwh / 3.0))
    return dataclasses.replace(
        run, components=(device, node), energy_kwh=Quantity(value=device_kwh * 4.0 / 3.0)
    )


def test_devices_that_wait_within_a_look_are_worth_the_power_of_waiting() -> None:
    """Busy 45 % at half the rated power: done in half the time, 40 % of the cards' energy and 80 % of the rest halve.

    By hand: the cards have 3/4 of the energy and draw 0.2 / 0.5 of it whatever they do, the rest has 1/4, so half of
    0.75 x 0.4 + 0.25 x 0.8 = 0.25 is saved. No look was without work, so no idle energy was measured.
    """
    measure = _one(_busy(0.45, idle_kwh=0.0), "utilisation")
    assert (measure.status, measure.tier) == ("saves", "measured elsewhere")
    assert measure.saving_share.value == pytest.approx(0.25, rel=1e-9)
    assert measure.time_factor == pytest.approx(0.5)
    assert 0.12 < measure.saving_share.low < 0.25 < measure.saving_share.high < 0.45
    assert "busy 45 % of the time, and 0 % of the energy" in measure.evidence


@given(st.floats(0.05, 0.74), st.floats(0.05, 1.2))
@settings(max_examples=30, deadline=None)
def test_waiting_is_worth_less_the_busier_a_run_is(share: float, drew: float) -> None:
    """The saving lies between nothing and all, holds its bounds, and falls as the run gets busier."""
    less, more = (_one(_busy(one, drew=drew), "utilisation") for one in (share, min(0.74, share + 0.1)))
    assert 0.0 < less.saving_share.low <= less.saving_share.value <= less.saving_share.high < 1.0
    assert more.saving_share.value <= less.saving_share.value


@pytest.mark.parametrize(("share", "idle_kwh"), [(0.97, 0.0), (0.8, None)])
def test_busy_devices_have_little_to_win(share: float, idle_kwh: float | None) -> None:
    """A run that is busy most of the time gets no number, and hears that busy is not fast."""
    measure = _one(_busy(share, idle_kwh=idle_kwh), "utilisation")
    assert measure.status == "not here" and f"busy {100 * share:.0f} %" in measure.evidence


def test_devices_that_were_never_busy_are_all_idle() -> None:
    """Without a kernel in the whole run all energy of the cards is idle, also where no meter added it up."""
    measure = _one(_busy(0.0), "utilisation")
    assert measure.tier == "measured here" and measure.time_factor is None
    assert (measure.saving_share.low, measure.saving_share.high) == pytest.approx((0.375, 0.75), rel=0.02)


def test_slow_split_over_devices_is_worth_what_it_holds_longer() -> None:
    """A tenth of the usual rate: the time falls to a tenth, and what does not depend on the work falls with it.

    By hand: 7e9 parameters on 2e6 tokens are 8.4e16 operations; in 160 hours of eight V100 (125 TFLOP/s) that is
    0.117 % of the peak rate.
    """
    stated = {"model": Model(params=7e9), "work": Work(tokens=2e6)}
    slow = _one(dataclasses.replace(_busy(0.95), **stated), "parallelism")
    assert (slow.status, slow.tier) == ("saves", "measured elsewhere")
    assert "0.12 % of the peak rate (125 TFLOP/s" in slow.evidence and "73 published runs" in slow.evidence
    usual = float(slow.evidence.split("devices reach ")[1].split(" %")[0]) / 100.0
    assert slow.time_factor == pytest.approx(8.4e16 / (160 * 3600 * 125e12) / usual, rel=0.02)
    left = 1.0 - (1.0 - slow.time_factor) * (0.75 * 0.4 + 0.25 * 0.8)
    assert slow.saving_share.value == pytest.approx(1.0 - left, rel=1e-6)


@pytest.mark.parametrize(
    ("tokens", "status", "words"),
    [
        (5e8, "not here", "published runs of its size"),
        (1e10, "no evidence", "cannot be"),
        (None, "no evidence", "--params N --tokens N"),
    ],
)
def test_rate_of_the_peak_is_judged_or_asked_for(tokens: float | None, status: str, words: str) -> None:
    """A usual rate is left alone, an impossible one is said, and what is missing is named."""
    stated = {"model": Model(params=7e9), "work": None if tokens is None else Work(tokens=tokens)}
    measure = _one(dataclasses.replace(_busy(0.95), **stated), "parallelism")
    assert (measure.status, measure.saving_kg) == (status, None) and words in measure.evidence


def test_rate_is_not_judged_where_six_operations_a_token_are_wrong() -> None:
    """Adapters and inference do other work than a full training; stated operations count."""
    lora = dataclasses.replace(
        _busy(0.95), model=Model(params=7e9, technique="lora"), work=Work(tokens=2e6), stage="finetune"
    )
    assert "is not stated" in _one(lora, "parallelism").evidence
    told = dataclasses.replace(lora, work=Work(flops=1e17))
    assert _one(told, "parallelism").status == "saves"


def test_waiting_is_not_saved_twice() -> None:
    """The rate of a run is low partly because it waits, so the two are never multiplied."""
    run = dataclasses.replace(_busy(0.4), model=Model(params=7e9), work=Work(tokens=2e6))
    with pytest.raises(InputError, match="take one of the two"):
        advise(run, chosen=["utilisation", "parallelism"])
    assert advise(run, chosen=["parallelism"]).combined.saving_share.value > 0.0
