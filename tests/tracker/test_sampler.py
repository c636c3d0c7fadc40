"""The sampling loop on scripted meters: every joule once, gaps marked, no error let out."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest

from sootprint.core.protocols import Machine, Reading
from sootprint.tracker.quantities import energy_quantity
from sootprint.tracker.sampler import YOUNG_S, YOUNG_SHARE, Sampler, loop
from tests.tracker.conftest import ScriptMeter


def test_counter_gives_its_difference(clock, sampled):
    """A counter that rises by 200 J a second gives 2,000 J in 10 s, whatever its origin."""
    fold = sampled(ScriptMeter(clock, lambda t: {"energy_j": 5e5 + 200.0 * t}), duration_s=10.0)
    assert fold.total_j() == pytest.approx(2000.0, abs=1e-6)
    assert fold.gaps == []


def test_wrap_is_counted_once(clock, sampled):
    """A counter that wraps at 1,000 J within the run loses and gains nothing."""
    meter = ScriptMeter(
        clock, lambda t: {"energy_j": (900.0 + 50.0 * t) % 1000.0}, wraps_at_j=1000.0, max_power_w=400.0
    )
    assert sampled(meter, duration_s=10.0).total_j() == pytest.approx(500.0, abs=1e-6)


def test_reset_adds_no_energy_and_is_a_gap(clock, sampled):
    """A counter that restarts from 0 at 5.5 s is a gap of one period, filled at the run's mean power."""
    meter = ScriptMeter(
        clock,
        lambda t: {"energy_j": 6e4 + 50.0 * t if t < 5.5 else 50.0 * (t - 5.5)},
        wraps_at_j=262143.0,
        max_power_w=400.0,
    )
    fold = sampled(meter, duration_s=10.0)
    assert fold.total_j() == pytest.approx(450.0, abs=1e-6)
    assert [(round(start), round(end), reason) for _, start, end, reason, _ in fold.gaps] == [
        (5, 6, "counter reset")
    ]
    quantity = energy_quantity(fold.states[0])
    assert quantity is not None
    assert quantity.value * 3.6e6 == pytest.approx(500.0, rel=1e-6)
    assert quantity.high > quantity.value > quantity.low


def test_meter_that_fails_for_ten_seconds_leaves_a_gap_and_a_wider_interval(clock, sampled):
    """A counter that cannot be read from 20 s to 30 s is bridged: the joules are right, the interval is wider."""

    def script(t: float) -> dict[str, object]:
        return {"error": "device busy"} if 20.0 < t < 30.0 else {"energy_j": 100.0 * t}

    fold = sampled(ScriptMeter(clock, script), duration_s=60.0)
    ((_, start_s, end_s, reason, bridged),) = fold.gaps
    assert (round(start_s), round(end_s), reason, bridged) == (20, 30, "device busy", True)
    quantity = energy_quantity(fold.states[0])
    assert quantity is not None
    assert quantity.value * 3.6e6 == pytest.approx(6000.0, rel=1e-6)
    assert (quantity.high - quantity.low) * 3.6e6 == pytest.approx(2 * 0.2 * 1000.0, rel=1e-6)


def test_power_meter_that_fails_is_filled_and_never_zero(clock, sampled):
    """A power of 100 W with 10 s unread counts 1,000 J for them, between half and one and a half times that."""

    def script(t: float) -> dict[str, object]:
        return {"error": "lost"} if 20.0 < t < 30.0 else {"power_w": 100.0}

    meter = ScriptMeter(clock, script)
    meter.poll_s = 0.05
    fold = sampled(meter, duration_s=60.0)
    quantity = energy_quantity(fold.states[0])
    assert quantity is not None
    assert quantity.value * 3.6e6 == pytest.approx(6000.0, rel=0.01)
    assert quantity.low * 3.6e6 == pytest.approx(5500.0, rel=0.01)
    assert quantity.high * 3.6e6 == pytest.approx(6500.0, rel=0.01)


def test_device_that_vanishes_is_a_gap_to_the_end(clock, sampled):
    """A device lost at 6 s of 10 leaves a gap until the end of the run."""
    meter = ScriptMeter(clock, lambda t: {"energy_j": 100.0 * t} if t < 6.0 else {"error": "GPU is lost"})
    fold = sampled(meter, duration_s=10.0)
    assert fold.states[0].lost_s == pytest.approx(5.0, abs=0.1)
    assert fold.gaps[0][3] == "GPU is lost"


@pytest.mark.parametrize("name", ["energy_j", "power_w"])
def test_device_that_vanishes_at_the_last_look_is_a_gap_and_not_zero(clock, sampled, name):
    """100 W of which the last second is not read are 1,000 J all the same, the last 100 J filled and less certain."""

    def script(t: float) -> dict[str, object]:
        return {"error": "GPU is lost"} if t > 9.5 else {name: 100.0 * (t if name == "energy_j" else 1.0)}

    fold = sampled(ScriptMeter(clock, script), duration_s=10.0)
    ((_, start_s, end_s, reason, bridged),) = fold.gaps
    assert (round(start_s), round(end_s), reason, bridged) == (9, 10, "GPU is lost", False)
    quantity, whole = energy_quantity(fold.states[0]), _read_to_the_end(clock, sampled, name)
    assert quantity is not None and quantity.value * 3.6e6 == pytest.approx(1000.0, rel=0.01)
    assert quantity.high - quantity.low > whole.high - whole.low + 0.9 * 100.0 / 3.6e6


def _read_to_the_end(clock, sampled, name):
    """The same device, which goes on."""
    begun_s = clock.monotonic_s()

    def script(t: float) -> dict[str, object]:
        return {name: 100.0 * (t - begun_s if name == "energy_j" else 1.0)}

    return energy_quantity(sampled(ScriptMeter(clock, script), duration_s=begun_s + 10.0).states[0])


@pytest.mark.parametrize("seed", range(5))
def test_square_wave_by_power_alone_is_within_one_percent(clock, sampled, seed):
    """A square wave between 60 and 260 W of random period is within 1 % of its true energy over 60 s."""
    period_s = random.Random(seed).uniform(0.3, 10.0)
    meter = ScriptMeter(clock, lambda t: {"power_w": 260.0 if (t % period_s) < period_s / 2 else 60.0})
    meter.poll_s = 0.05
    fold = sampled(meter, duration_s=60.0)
    cycles, rest_s = divmod(60.0, period_s)
    high_s = cycles * period_s / 2 + min(rest_s, period_s / 2)
    assert fold.total_j() == pytest.approx(60.0 * 60.0 + 200.0 * high_s, rel=0.01)


def test_counter_that_never_moves_is_not_a_meter(clock, sampled):
    """A frozen counter is dropped, said so, and the model beside it is used."""
    frozen = ScriptMeter(clock, lambda t: {"energy_j": 123.0}, name="rapl", component="cpu:0")
    model = ScriptMeter(clock, lambda t: {"power_w": 40.0}, name="cpu", component="cpu", basis="modelled")
    fold = sampled(frozen, model, duration_s=10.0)
    assert [state.meter for state in fold.used()] == ["cpu"]
    assert fold.total_j() == pytest.approx(400.0, rel=1e-6)
    assert "does not move" in fold.notes[0]


def test_counter_wins_over_the_model_of_the_same_kind(clock, sampled):
    """Where RAPL reads the CPU, the modelled CPU is not added to it."""
    counter = ScriptMeter(clock, lambda t: {"energy_j": 30.0 * t}, name="rapl", component="cpu:0")
    model = ScriptMeter(
        clock, lambda t: {"power_w": 99.0, "utilisation": 0.5}, name="cpu", component="cpu", basis="modelled"
    )
    fold = sampled(counter, model, duration_s=10.0)
    assert fold.total_j() == pytest.approx(300.0, rel=1e-6)


def test_model_beside_a_counter_that_moves_is_looked_at_seldom(clock, sampled):
    """In 60 s a model alone is looked at each second; beside a counter of its kind about each ten."""
    looks: list[float] = []

    def script(t: float) -> dict[str, object]:
        looks.append(t)
        return {"energy_j": 99.0 * t, "utilisation": 0.5}

    def model() -> ScriptMeter:
        return ScriptMeter(clock, script, name="cpu", component="cpu", basis="modelled")

    counter = ScriptMeter(clock, lambda t: {"energy_j": 30.0 * t}, name="rapl", component="cpu:0")
    fold = sampled(counter, model(), duration_s=60.0)
    assert fold.total_j() == pytest.approx(1800.0, rel=1e-6)
    assert len(looks) <= 11
    looks.clear()
    sampled(model(), duration_s=120.0)
    assert len(looks) >= 60


def test_any_error_of_a_driver_becomes_a_gap(clock, sampled):
    """A driver that raises something unheard of costs its own reading and no other."""
    good = ScriptMeter(clock, lambda t: {"energy_j": 10.0 * t}, name="rapl", component="cpu:0")
    bad = ScriptMeter(clock, lambda t: {"energy_j": 10.0 * t} if t < 3.5 else 1 / 0)
    fold = sampled(good, bad, duration_s=10.0)
    assert fold.states[0].energy_j == pytest.approx(100.0)
    assert "ZeroDivisionError" in fold.gaps[0][3]


def test_idle_and_busy_energy_are_told_apart(clock, sampled):
    """5 s at 2 % and 5 s at 80 % of use: the first half's energy is idle."""
    meter = ScriptMeter(clock, lambda t: {"energy_j": 100.0 * t, "utilisation": 0.02 if t <= 5.0 else 0.8})
    fold = sampled(meter, duration_s=10.0)
    assert fold.states[0].idle_j == pytest.approx(500.0, rel=0.01)
    assert fold.states[0].busy_s / fold.states[0].judged_s == pytest.approx(0.41, abs=0.01)


def test_buckets_hold_all_energy_of_a_long_run(clock, sampled):
    """Over 40 h sampled each minute the buckets coarsen and still sum to the energy."""
    meter = ScriptMeter(clock, lambda t: {"energy_j": 3.0 * t})
    fold = sampled(meter, duration_s=40 * 3600.0, period_s=60.0)
    state = fold.states[0]
    assert math.fsum(state.buckets) == pytest.approx(state.energy_j, rel=1e-9)
    assert state.bucket_s == 120.0
    assert len(state.buckets) <= 1440


@pytest.mark.parametrize(
    ("duration_s", "width_s"), [(30.0, 1.0), (200.0, 5.0), (700.0, 15.0), (3600.0, 60.0)]
)
def test_short_runs_are_shown_in_finer_steps(clock, sampled, duration_s, width_s):
    """A run is kept in seconds up to 48 s, then in 5 s, in 15 s up to 12 minutes, then in minutes."""
    fold = sampled(ScriptMeter(clock, lambda t: {"energy_j": 3.0 * t}), duration_s=duration_s)
    state = fold.states[0]
    assert state.bucket_s == width_s
    assert math.fsum(state.buckets) == pytest.approx(3.0 * duration_s, rel=1e-9)


def test_counter_that_is_polled_between_the_ticks_is_taken_as_it_is(clock, sampled):
    """A model's counter, 10 s apart where the run looks each 20 s; a wrap between two ticks is counted once."""
    model = ScriptMeter(
        clock, lambda t: {"energy_j": (900.0 + 20.0 * t) % 1000.0}, wraps_at_j=1000.0, max_power_w=40.0
    )
    model.poll_s = 10.0
    fold = sampled(model, duration_s=120.0, period_s=20.0)
    (state,) = fold.used()
    assert state.energy_j == pytest.approx(2400.0)
    assert (state.integrated, fold.gaps, fold.notes) == (False, [], [])


def test_card_with_a_counter_beside_one_with_power_alone_keeps_it(clock, sampled):
    """Drivers poll them all for the one: its powers are summed, the other's counter is its own."""

    class Both:
        name, poll_s = "nvml", 0.1

        def read(self):
            at_s = clock.monotonic_s()
            return [
                Reading(meter="nvml", component="accelerator:0", at_s=at_s, energy_j=1000.0 + 50.0 * at_s),
                Reading(meter="nvml", component="accelerator:1", at_s=at_s, power_w=30.0),
            ]

    fold = sampled(Both(), duration_s=10.0)
    assert [state.energy_j for state in fold.used()] == [pytest.approx(500.0), pytest.approx(300.0)]
    assert [state.integrated for state in fold.used()] == [False, True]


def test_cards_of_two_vendors_are_counted_apart(clock, sampled):
    """A second accelerator:0, of another vendor's meter, becomes accelerator:1."""
    nvidia = ScriptMeter(clock, lambda t: {"energy_j": 100.0 * t})
    amd = ScriptMeter(clock, lambda t: {"energy_j": 50.0 * t}, name="amdsmi")
    fold = sampled(nvidia, amd, duration_s=10.0)
    assert [state.component for state in fold.used()] == ["accelerator:0", "accelerator:1"]
    assert fold.total_j() == pytest.approx(1500.0)


def _tick_times(clock, *, period_s, until_s, is_dense=lambda: True):
    """Instants of the ticks of a loop on a fake clock [s]."""
    times = []

    def wait(pause_s):
        clock.advance(pause_s)
        return clock.monotonic_s() >= until_s

    loop(
        wait,
        lambda: times.append(clock.monotonic_s()),
        now_s=clock.monotonic_s,
        period_s=period_s,
        sampler=lambda: None,
        is_dense=is_dense,
    )
    return times


@pytest.mark.parametrize("period_s", [0.05, 0.2, 1.0, 30.0])
def test_young_run_that_is_killed_loses_a_tenth_at_most(clock, period_s):
    """Whenever it is killed, the last tick was at most a tenth of its age ago, or a tenth of a second, or a period."""
    times = [0.0, *_tick_times(clock, period_s=period_s, until_s=40.0 * period_s)]
    for before_s, after_s in itertools.pairwise(times):
        assert after_s - before_s <= min(period_s, max(YOUNG_S, YOUNG_SHARE * after_s)) + 1e-9


def test_ticks_come_once_a_period_from_the_tenth_on(clock):
    """What a tick costs is spent once a second after the first nine, and some thirty times before."""
    times = _tick_times(clock, period_s=1.0, until_s=60.0)
    late = [at_s for at_s in times if at_s >= 10.5]
    assert [b - a for a, b in itertools.pairwise(late)] == pytest.approx([1.0] * (len(late) - 1))
    assert 20 < len(times) - len(late) < 40


def test_ticks_come_once_a_period_where_they_may_not_be_dense(clock):
    """As where a card is split, whose driver tells of processes a few times a second."""
    times = _tick_times(clock, period_s=1.0, until_s=5.5, is_dense=lambda: False)
    assert times == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])


def glanced(sampler: Sampler) -> Any:
    """What the counters tell that suffice now, by meter, or None where a whole look is due."""
    looks, until_s = sampler.glances()
    suffice = sampler._clock.monotonic_s() < until_s
    return [(meter, look()) for meter, look in looks] if suffice else None


def test_a_glance_waits_for_no_model_and_gives_way_to_what_is_due(clock):
    """Counters alone between two whole looks; None before they are known to move, and where a power is due."""

    class Counter(ScriptMeter):
        def glance(self):
            (reading,) = self.read()
            return [(reading.component, reading.at_s, reading.energy_j, None)]

    counter = Counter(clock, lambda at_s: {"energy_j": 40.0 * at_s}, name="rapl", component="cpu:0")
    model = ScriptMeter(
        clock, lambda at_s: {"energy_j": at_s}, name="node", component="node", basis="modelled"
    )
    model.poll_s = 10.0
    sampler = Sampler(Machine(clock=clock), [counter, model], start_s=0.0, period_s=1.0, max_gap_s=5.0)
    told = [glanced(sampler)]
    for _ in range(2):
        sampler.collect()
        clock.advance(1.0)
    told.append(glanced(sampler))
    clock.advance(100.0)
    told.append(glanced(sampler))
    counted = [
        [("rapl", [("cpu:0", at_s, energy_j, None)])] for at_s, energy_j in ((2.0, 80.0), (102.0, 4080.0))
    ]
    assert told == [None, *counted]
    modelled = Counter(clock, lambda at_s: {"energy_j": at_s}, name="cpu", component="cpu", basis="modelled")
    alone = Sampler(Machine(clock=clock), [modelled], start_s=0.0, period_s=1.0, max_gap_s=5.0)
    assert glanced(alone) is None  # it is not known to be a model yet
    alone.collect()
    clock.advance(1.0)
    assert glanced(alone) == [("cpu", [("cpu", 103.0, 103.0, None)])]
    wall = ScriptMeter(clock, lambda at_s: {"power_w": 90.0}, name="plug", component="wall")
    wall.poll_s = 2.0
    beside = Sampler(Machine(clock=clock), [counter, wall], start_s=0.0, period_s=1.0, max_gap_s=5.0)
    for _ in range(2):
        beside.collect()
        clock.advance(1.0)
    assert beside.glances() == ([("rapl", counter.glance)], 103.0 + 1.5)  # until the plug is due again
    assert glanced(beside) is None
