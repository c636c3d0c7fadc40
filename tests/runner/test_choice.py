"""The choice of a place: the first step of the exact plan, weighed against what a move costs."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.engines.book import Plan
from sootprint.planner.places import next_start_zone, next_zone
from sootprint.planner.replan import begin_step
from sootprint.runner.choice import alike, chosen
from sootprint.runner.outlook import Ahead
from sootprint.settings.targets import Target

HOUR_S = 3600.0
PLAN = Plan(id="p", command=("true",), cwd="/", arguments=(), deadline_s=4e9, expect_s=HOUR_S, pausable=True)


def known(**rows: tuple[float, ...]) -> list[tuple[Target, Ahead]]:
    """Places and what lies ahead there."""
    return [
        (Target(name=name, zone="FR"), Ahead(values=np.array(row), step_s=HOUR_S, index=5, source="test"))
        for name, row in rows.items()
    ]


def cost(values, between, where, *, home, running, resume_cost) -> float:
    """Cost of running in given zones (None where it waits), by the definition."""
    total, at, ran, begun = 0.0, home, running is True, running is not None
    for step, zone in enumerate(where):
        if zone is None:
            ran = False
            continue
        total += values[zone][step] + between[at][zone]
        if begun and (not ran or zone != at):
            total += resume_cost * values[zone][step]
        at, ran, begun = zone, True, True
    return total


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 50), min_size=4, max_size=4), min_size=2, max_size=2),
    st.integers(1, 3),
    st.sampled_from([None, False, True]),
    st.sampled_from([0.0, 0.5]),
    st.integers(0, 20),
)
def test_first_step_is_that_of_the_best_of_all_plans(values, left, running, resume_cost, move) -> None:
    """Every way to run is tried: the step chosen begins one of least cost."""
    between = [[0.0, move], [move, 0.0]]
    terms = {"home": 0, "running": running, "resume_cost": resume_cost}
    ways = [
        way
        for way in itertools.product([None, 0, 1], repeat=4)
        if sum(one is not None for one in way) == left
    ]
    costs = {way: cost(values, between, way, **terms) for way in ways}
    found = next_zone(values, left, 4 - left, moves=between, **terms)
    best = min(costs.values())
    assert min(one for way, one in costs.items() if way[0] == found) == pytest.approx(best)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 50), min_size=6, max_size=6), st.integers(1, 4), st.sampled_from([None, 0.0, 0.5])
)
def test_begin_is_the_first_step_of_the_best_plan(values, left, resume_cost) -> None:
    """Of all ways to run for a first start."""
    steps = range(len(values))
    ways = [(at, *range(at + 1, at + left)) for at in steps[: len(values) - left + 1]]
    if resume_cost is not None:
        ways = list(itertools.combinations(steps, left))
    costs = {
        way: sum(values[at] for at in way)
        + sum(resume_cost * values[b] for a, b in itertools.pairwise(way) if b > a + 1 and resume_cost)
        for way in ways
    }
    found = begin_step(np.array(values, dtype=float), left, len(values) - left, resume_cost=resume_cost)
    assert min(one for way, one in costs.items() if way[0] == found) == pytest.approx(min(costs.values()))


def test_job_goes_where_it_is_cleaner_and_stays_where_a_move_costs_more() -> None:
    """A gigabyte costs little; a hundred thousand of them cost more than an hour of the job."""
    places = known(de=(300.0, 300.0), fr=(50.0, 50.0))
    terms = {"left_s": HOUR_S, "free_s": 0.0}
    assert chosen(PLAN, places, "de", running=True, **terms) == "fr"
    heavy = [(replace(target, data_gb=1e5), ahead) for target, ahead in places]
    assert chosen(PLAN, heavy, "de", running=True, **terms) == "de"
    assert chosen(replace(PLAN, pausable=False), places, "de", running=True, **terms) == "de"
    assert chosen(replace(PLAN, pausable=False), places, "", running=None, **terms) == "fr"


def test_small_advantage_moves_nobody() -> None:
    """1 % is less than what a forecast misses by."""
    assert chosen(PLAN, known(de=(100.0,), fr=(99.0,)), "de", left_s=HOUR_S, free_s=0.0, running=True) == "de"


def test_job_whose_place_does_not_answer_goes_on_elsewhere_and_may_wait() -> None:
    """Nobody tells of the place where it lies; among the others the rules are the same."""
    places = known(fr=(90.0, 10.0), se=(80.0, 80.0))
    assert chosen(PLAN, places, "gone", left_s=HOUR_S, free_s=0.0, running=False) == "se"
    assert chosen(PLAN, places, "gone", left_s=HOUR_S, free_s=HOUR_S, running=False) is None


def test_places_with_other_steps_are_left_out() -> None:
    """Hours and half-hours cannot be ranked step by step."""
    places = known(de=(1.0,), fr=(2.0,))
    places[1] = (places[1][0], replace(places[1][1], step_s=1800.0))
    assert [target.name for target, _ in alike(places)] == ["de"]


def test_start_without_pauses_weighs_the_move() -> None:
    """Moving costs 20: it starts at home."""
    values, moves = [[100.0, 100.0], [85.0, 85.0]], [[0.0, 20.0], [20.0, 0.0]]
    assert next_start_zone(values, 1, 1, moves=moves) == 0
    assert next_start_zone(values, 1, 1, moves=[[0.0, 0.0], [0.0, 0.0]]) == 1
