"""What waiting saved, against sums worked by hand and by brute force."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core.errors import InputError
from sootprint.planner.waited import Grid, Job, Moved, Segment, waited

HOUR_S = 3600.0


def grid(*zones, sure=True):
    """Hours from 0 on, without doubt unless asked for."""
    values = np.array(zones, dtype=float)
    return Grid(np.arange(values.shape[1] + 1) * HOUR_S, values, np.full(values.shape, 0.0 if sure else 0.06))


def segment(start_h, end_h, *, kw=1.0, zone=0, lead_h=0.0, tail_h=0.0):
    """A segment of even power."""
    parts = np.array([[start_h * HOUR_S, end_h * HOUR_S, kw * (end_h - start_h)]])
    return Segment(zone, start_h * HOUR_S, end_h * HOUR_S, lead_h * HOUR_S, tail_h * HOUR_S, parts)


def job(*segments, deadline_h, **more):
    """A job that could have run from 0 on."""
    return Job(0.0, deadline_h * HOUR_S, segments, **more)


def test_start_pause_and_overheads_are_those_of_hand():
    """Two hours of work in hours 1 and 3, a quarter hour of loading: 2.25 kWh ran, 2 kWh would have run at once."""
    made = job(segment(1, 2), segment(3, 4.25, lead_h=0.25), deadline_h=6, pausable=True, pue=1.5)
    found = waited(made, grid([400.0, 100.0, 500.0, 100.0, 200.0, 500.0]))
    assert found.run_now_kg.value == pytest.approx(1.5 * 0.5)
    assert found.actual_kg.value == pytest.approx(1.5 * (0.1 + 0.1 + 0.25 * 0.2))
    assert found.saving_kg.value == pytest.approx(1.5 * (0.5 - 0.25))
    assert found.saving_share.value == pytest.approx(0.5)
    assert found.overhead_kg.value == pytest.approx(1.5 * 0.25 * 0.25 / 2.25)
    assert found.oracle_kg.value == pytest.approx(1.5 * 0.2)
    # starts from 0 to 4 h, evenly: the mean of every window of two hours, by the trapezoid rule
    sums = [0.5, 0.6, 0.6, 0.3, 0.7]
    mean = (0.5 * sums[0] + sum(sums[1:4]) + 0.5 * sums[4]) / 4
    assert found.random_kg.value == pytest.approx(1.5 * mean, rel=0.01)
    assert (found.work_s, found.waited_s) == (2 * HOUR_S, 2.25 * HOUR_S)
    assert found.measurable


def test_idle_draw_can_eat_the_saving():
    """A machine that stays on at 300 W for four hours: the wait costs more than it saves."""
    ran, ahead = segment(4, 5), grid([300.0, 300.0, 300.0, 300.0, 200.0])
    free = waited(job(ran, deadline_h=5), ahead)
    held = waited(job(ran, deadline_h=5, idle_w=300.0), ahead)
    assert free.saving_kg.value == pytest.approx(0.1)
    assert held.idle_kg.value == pytest.approx(4 * 0.3 * 0.3)
    assert held.saving_kg.value == pytest.approx(0.1 - 0.36)
    assert held.oracle_kg.value == pytest.approx(0.3)  # which would have run at once


def test_a_move_is_counted_where_it_ran_and_with_its_transfer():
    """The first hour at home, the second in a cleaner grid; the move is charged when it is made, at both ends."""
    moves = [
        Moved(1.0 * HOUR_S, (0, 1), 0.5),
        Moved(9.0 * HOUR_S, (1,), 0.1),
    ]  # the last one after all that is known
    made = job(segment(0, 1), segment(1, 2, zone=1), deadline_h=2, moves=moves, pausable=True)
    found = waited(made, grid([400.0, 400.0], [400.0, 100.0]))
    assert found.run_now_kg.value == pytest.approx(0.8)
    moved_kg = 0.5 * (0.4 + 0.1) / 2 + 0.1 * 0.1
    assert found.transfer_kg.value == pytest.approx(moved_kg)
    assert found.actual_kg.value == pytest.approx(0.5 + moved_kg)


def test_lost_work_is_charged():
    """A segment that was cut off did nothing, and its energy is not what running at once would have taken."""
    made = job(segment(0, 1, tail_h=1.0), segment(1, 2), deadline_h=4)
    found = waited(made, grid([100.0] * 4))
    assert found.run_now_kg.value == pytest.approx(0.1)
    assert found.saving_kg.value == pytest.approx(-0.1)
    assert found.oracle_kg.value == pytest.approx(0.1)


def test_work_of_a_moment_in_a_long_window_is_counted_at_once():
    """A job that fails in its first tenth of a second has a month: its pauses are not looked for in pieces of that."""
    ran, ahead = segment(24, 24 + 0.1 / 3600.0), grid([300.0] * 24 + [100.0] * 696)
    found = waited(job(ran, deadline_h=720, pausable=True), ahead)
    assert found.saving_share.value == pytest.approx(2.0 / 3.0)
    assert found.oracle_kg.value == pytest.approx(found.actual_kg.value)
    lost = segment(0.1, 0.7, tail_h=0.7 - 0.1)._replace(start_s=359.99999999999994)
    with pytest.raises(InputError, match="no work"):
        waited(job(lost, deadline_h=4), grid([100.0] * 4))


def schedule(rng):
    """A job of pauses, moves, lost work, loading and saving at random, its zones, and what it and run-now emit [g].

    They are summed in pieces of half a minute.
    """
    hours, idle_w = 16, rng.choice([0.0, 300.0])
    zones = [[10.0 * rng.randint(5, 90) for _ in range(hours)] for _ in "ab"]
    segments, moves, done, end, at = [], [], 0, 0, 0
    ran_g = now_g = 0.0
    for number in range(rng.randint(1, 4)):
        start, length, zone = 4 * number + rng.randint(0, 1), rng.randint(1, 3), rng.randint(0, 1)
        lost = number > 0 and rng.random() < 0.2
        lead, tail = (0, 120 * length) if lost else (rng.randint(0, 30), rng.randint(0, 30))
        kw = rng.choice([0.5, 1.0, 3.0])
        segments.append(
            segment(start, start + length, kw=kw, zone=zone, lead_h=lead / 120, tail_h=tail / 120)
        )
        ran_g += sum(idle_w / 1000.0 * zones[at if number else zone][hour] for hour in range(end, start))
        if number and zone != at:
            moves.append(Moved((start - 0.25) * HOUR_S, [at, zone], 0.2))
            ran_g += 0.1 * (zones[0][start - 1] + zones[1][start - 1])
        for piece in range(120 * length):
            ran_g += kw / 120 * zones[zone][start + piece // 120]
            if lead <= piece < 120 * length - tail:
                now_g += kw / 120 * zones[0][done // 120]
                done += 1
        end, at = start + length, zone
    pausable = rng.random() < 0.3
    made = job(*segments, deadline_h=hours, idle_w=idle_w, moves=moves, pausable=pausable, pue=1.25)
    return made, zones, ran_g, now_g


@pytest.mark.parametrize("seed", range(30))
def test_saving_of_any_schedule_is_that_of_a_replay(seed):
    """Its value is the truth, its interval holds it, no verdict is the wrong way round, and nobody beats foresight."""
    made, zones, ran_g, now_g = schedule(random.Random(seed))
    found, saved_kg = waited(made, grid(*zones)), 1.25 * (now_g - ran_g) / 1000.0
    assert found.run_now_kg.value == pytest.approx(1.25 * now_g / 1000.0, rel=1e-6)
    assert found.actual_kg.value == pytest.approx(1.25 * ran_g / 1000.0, rel=1e-6)
    assert found.saving_kg.value == pytest.approx(saved_kg, rel=1e-6)
    assert found.oracle_kg.value <= min(found.run_now_kg.value, found.actual_kg.value) + 1e-12
    unsure = waited(made, grid(*zones, sure=False))
    assert unsure.saving_kg.low <= saved_kg <= unsure.saving_kg.high
    assert not unsure.measurable or (unsure.saving_share.value > 0.0) == (saved_kg > 0.0)


def test_a_small_saving_is_under_its_error_bar_and_a_large_one_is_not():
    """With hours that are 10 % unsure, 2 % of saving are none, and 60 % are."""
    small = waited(job(segment(12, 24), deadline_h=24), grid([300.0] * 12 + [294.0] * 12, sure=False))
    large = waited(job(segment(12, 24), deadline_h=24), grid([300.0] * 12 + [120.0] * 12, sure=False))
    assert not small.measurable
    assert large.measurable
    assert large.saving_share.low < 0.6 < large.saving_share.high
    assert 0.01 < large.saving_share.high - large.saving_share.low < 0.1
    assert waited(job(segment(12, 24), deadline_h=24), grid([300.0] * 24, sure=False)).saving_kg.value == 0.0


def test_an_error_that_all_hours_share_does_not_hide_a_saving():
    """The factors' error scales both sides; the kilograms have it, the share does not."""
    found = waited(job(segment(12, 24), deadline_h=24), grid([300.0] * 12 + [120.0] * 12, sure=False))
    relative = (found.run_now_kg.high - found.run_now_kg.low) / found.run_now_kg.value
    assert relative > 2.0 * (found.saving_share.high - found.saving_share.low)


def test_what_is_not_known_is_not_told():
    """Hours that are not there yet leave out the oracle; a hole in what ran leaves out all."""
    known = grid([400.0, 100.0, float("nan"), float("nan")])
    early = waited(job(segment(1, 2), deadline_h=4), known)
    assert early.saving_kg.value == pytest.approx(0.3)
    assert early.oracle_kg is None
    assert early.random_kg is None
    with pytest.raises(InputError, match=r"no intensity is known yet for 100% of what ran"):
        waited(job(segment(2, 3), deadline_h=4), known)
    with pytest.raises(InputError, match="no work"):
        waited(job(segment(0, 1, tail_h=1.0), deadline_h=4), known)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_oracle_is_that_of_brute_force(data):
    """Whole hours, free pauses: the least sum over every choice of hours, idle draw until the end in it."""
    hours = data.draw(st.lists(st.integers(1, 60).map(lambda n: 10.0 * n), min_size=2, max_size=7))
    length = data.draw(st.integers(1, len(hours)))
    idle_w = data.draw(st.sampled_from([0.0, 250.0]))
    made = job(segment(0, length), deadline_h=len(hours), pausable=True, idle_w=idle_w)
    found = waited(made, grid(hours))

    def cost(steps):
        held = sum(hours[step] for step in range(steps[-1]) if step not in steps)
        return (sum(hours[step] for step in steps) + idle_w / 1000.0 * held) / 1000.0

    best = min(cost(steps) for steps in itertools.combinations(range(len(hours)), length))
    assert found.oracle_kg.value == pytest.approx(best, rel=1e-6)
    assert found.saving_kg.value == pytest.approx(0.0, abs=1e-12)


def test_energy_that_is_not_even_keeps_its_course():
    """The first hour of work takes three times the second: run at once, it would meet the first hour's figure."""
    parts = np.array([[2 * HOUR_S, 3 * HOUR_S, 3.0], [3 * HOUR_S, 4 * HOUR_S, 1.0]])
    ran = Segment(0, 2 * HOUR_S, 4 * HOUR_S, 0.0, 0.0, parts)
    found = waited(job(ran, deadline_h=4), grid([100.0, 200.0, 100.0, 100.0]))
    assert found.run_now_kg.value == pytest.approx(0.3 + 0.2)
    assert found.actual_kg.value == pytest.approx(0.4)
