"""Forecasts from a pace: worked by hand where nothing is uncertain, by their order where something is."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from sootprint.core.quantity import Quantity
from sootprint.tracker.forecast import PRIOR, Prior, forecast
from sootprint.tracker.pace import Block, Pace, Point
from sootprint.tracker.slow import Slow

SURE = Prior(
    warm=0.0,
    warm_spread=1e-9,
    warm_most=1e-9,
    compiles=0.0,
    noise=1e-6,
    wander=1e-6,
    trend=0.0,
    size=1e-6,
    drift=0.0,
    unseen=0.0,
    final=1e-12,
    changes=0.0,
    power=0.0,
    power_drift=0.0,
)
SEEN = Pace(
    last=Point(10.0, 120.0, 12_000.0),
    left=90.0,
    progress=0.1,
    units=10,
    unit_s=10.0,
    noise=0.01,
    blocks=tuple(Block(0.015 + 0.01 * n, 0.01, 1, 10.0) for n in range(9)),
    changes=(),
    slow=Slow(),
    power_w=100.0,
    power_spread=0.01,
)


def _width(quantity: Quantity) -> float:
    assert quantity.low is not None and quantity.high is not None
    return math.log(quantity.high / quantity.low)


def test_without_uncertainty_it_is_what_was_spent_and_the_pace_times_the_rest() -> None:
    """120 s and 12 kJ so far, 90 units of 10 s at 100 W to come: 1020 s and 102 kJ."""
    made = forecast(SEEN._replace(noise=0.0, power_spread=0.0), prior=SURE)
    assert made.duration_s.value == pytest.approx(1020.0)
    assert made.energy_j.value == pytest.approx(102_000.0)
    assert _width(made.energy_j) == pytest.approx(0.0, abs=1e-5)


def test_slow_units_that_were_seen_come_again() -> None:
    """A fifth on top of 10 s a unit: 90 units take 1080 s."""
    slow = Slow(at=(2.0, 4.0, 6.0, 8.0, 10.0), sizes_s=(4.0,) * 5, rate=0.5, rate_spread=0.0)
    sure = SEEN._replace(noise=0.0, power_spread=0.0, slow=slow)
    assert forecast(sure, prior=SURE).duration_s.value == pytest.approx(1200.0, rel=1e-4)


def test_what_was_told_comes_as_often_as_told() -> None:
    """One evaluation of 40 s came, nine are to come in 90 units: 1020 s and 360 s."""
    told = (Slow(at=(9.0,), sizes_s=(40.0,), rate=0.1),)
    sure = SEEN._replace(noise=0.0, power_spread=0.0, told=told)
    made = forecast(sure, prior=SURE)
    assert made.duration_s.value == pytest.approx(1380.0, rel=1e-3)


def test_what_was_told_and_did_not_come_yet_is_awaited() -> None:
    """A tenth of the time of the 100 units: 1020 s and 100 s."""
    told = (Slow(rate=0.1),)
    sure = SEEN._replace(noise=0.0, power_spread=0.0, told=told)
    made = forecast(sure, prior=SURE._replace(told=0.1, told_spread=1e-9))
    assert made.duration_s.value == pytest.approx(1120.0, rel=1e-3)


def test_where_something_was_told_less_is_unseen() -> None:
    """Who tells of evaluations has fewer of another kind that nobody knows of."""
    lonely = PRIOR._replace(changes=0.0, told=1e-9, told_spread=1e-9)
    told = SEEN._replace(told=(Slow(),))
    assert _width(forecast(told, prior=lonely).energy_j) < _width(forecast(SEEN, prior=lonely).energy_j)


def test_a_first_unit_alone_is_taken_to_be_slower_than_the_rest() -> None:
    """One epoch of 12 s with e^0.2 of warm-up stands for 9.8 s."""
    alone = SEEN._replace(blocks=(), units=1, unit_s=12.0, power_spread=0.0)
    made = forecast(alone, prior=SURE._replace(warm=0.2))
    assert made.duration_s.value == pytest.approx(120.0 + 90.0 * 12.0 * math.exp(-0.2), rel=1e-3)


def test_a_short_first_unit_may_be_mostly_compiling() -> None:
    """After one unit of 2 s the rest may take a quarter of that; after one of an hour it may not."""
    short, long = (
        forecast(SEEN._replace(blocks=(), units=1, unit_s=unit_s, last=Point(1.0, unit_s, 100.0 * unit_s)))
        for unit_s in (2.0, 3600.0)
    )
    low_s, high_s = short.duration_s.low, long.duration_s.low
    assert low_s is not None and high_s is not None
    assert low_s < 0.4 * 2.0 * 91.0
    assert high_s > 0.4 * 3600.0 * 91.0


def test_the_interval_narrows_as_the_run_goes_on() -> None:
    """At 50 % most is known: what is spent is certain, and less can still change."""
    early = forecast(
        SEEN._replace(progress=0.02, last=Point(2.0, 24.0, 2400.0), left=98.0, blocks=SEEN.blocks[:1])
    )
    blocks = tuple(Block(0.02 + 0.04 * n, 0.04, 4, 10.0) for n in range(12))
    late = forecast(SEEN._replace(progress=0.5, last=Point(50.0, 520.0, 52_000.0), left=50.0, blocks=blocks))
    assert _width(late.energy_j) < 0.6 * _width(early.energy_j)


def test_a_chance_of_a_change_widens_the_interval() -> None:
    """Nothing that was seen rules out a larger batch or a second stage later."""
    assert _width(forecast(SEEN).energy_j) > 1.2 * _width(
        forecast(SEEN, prior=PRIOR._replace(changes=0.0)).energy_j
    )


def test_where_the_time_is_given_only_the_power_is_uncertain() -> None:
    """Of an hour, 6 min at 100 W so far: the time stays 3600 s."""
    hour = SEEN._replace(last=Point(360.0, 360.0, 36_000.0), left=3240.0, unit_s=1.0)
    made = forecast(hour, by_time=True)
    assert (made.duration_s.low, made.duration_s.value, made.duration_s.high) == pytest.approx((3600.0,) * 3)
    assert made.energy_j.value == pytest.approx(360_000.0, rel=0.01)
    assert _width(made.energy_j) > 0.02
    assert made.units == 0


def test_nothing_less_than_what_is_spent_is_forecast() -> None:
    """The rest takes at least no energy."""
    made = forecast(SEEN._replace(noise=3.0, power_spread=3.0))
    assert made.energy_j.low is not None
    assert made.energy_j.low >= SEEN.last.energy_j


def test_the_same_pace_gives_the_same_forecast() -> None:
    """Draws are seeded."""
    assert forecast(SEEN) == forecast(SEEN)


def test_a_run_that_wandered_has_a_wider_interval_than_a_steady_one() -> None:
    """How strong the wander is comes from the run itself."""
    steady, wandering = (
        tuple(Block(0.02 + 0.04 * n, 0.04, 40, 10.0 * math.exp(size * math.sin(1.7 * n))) for n in range(12))
        for size in (0.005, 0.15)
    )
    half = SEEN._replace(progress=0.5, last=Point(50.0, 520.0, 52_000.0), left=50.0)
    narrow, wide = (
        forecast(half._replace(blocks=blocks), prior=PRIOR._replace(changes=0.0))
        for blocks in (steady, wandering)
    )
    assert _width(wide.energy_j) > 2.0 * _width(narrow.energy_j)


def test_units_that_grow_in_a_straight_line_go_on_to_grow() -> None:
    """From 5 s at the start to 10 s at half of the run: 12.5 s in the mean of the rest, 15 s at its end."""
    blocks = tuple(Block(at, 0.04, 40, 5.0 + 10.0 * at) for at in (0.02 + 0.04 * n for n in range(12)))
    half = SEEN._replace(progress=0.5, last=Point(500.0, 3750.0, 375_000.0), left=500.0, blocks=blocks)
    made = forecast(half, prior=PRIOR._replace(changes=0.0, unseen=0.0, final=1e-9))
    assert made.duration_s.value == pytest.approx(3750.0 + 500.0 * 12.5, rel=0.03)


def test_slow_units_that_grow_go_on_to_grow() -> None:
    """Evaluations of 1, 2, 3, 4 and 5 s in the first half: 40 s in all for the other five."""
    slow = Slow(
        at=(10.0, 20.0, 30.0, 40.0, 50.0), sizes_s=(1.0, 2.0, 3.0, 4.0, 5.0), rate=0.1, rate_spread=0.0
    )
    blocks = tuple(Block(0.02 + 0.04 * n, 0.04, 4, 10.0) for n in range(12))
    half = SEEN._replace(progress=0.5, last=Point(50.0, 515.0, 51_500.0), left=50.0, blocks=blocks, slow=slow)
    made = forecast(half, prior=SURE._replace(trend=0.5, slope=2.0))
    assert made.duration_s.value == pytest.approx(515.0 + 500.0 + 40.0, rel=0.01)


def test_a_run_that_changed_its_stage_may_change_it_again() -> None:
    """One change at 5 % makes another one likelier."""
    blocks = tuple(Block(0.002 + 0.01 * n, 0.01, 40, 10.0 if n > 4 else 5.0) for n in range(10))
    changed = forecast(SEEN._replace(blocks=blocks, changes=(0.05,)))
    assert _width(changed.energy_j) > 1.1 * _width(forecast(SEEN).energy_j)


def test_the_page_gives_the_numbers_of_the_prior() -> None:
    """The table of the explanation is that of the code."""
    page = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "forecasts.md"
    rows = re.findall(r"^\| `(\w+)` \| ([-\d.e]+) \| .+ \|$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: float(value) for name, value in rows} == PRIOR._asdict()
