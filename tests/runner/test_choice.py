"""The choice of a place: the first step of the exact plan, weighed against what a move costs."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.engines.book import Plan
from sootprint.planner.replan import ADVANTAGE
from sootprint.runner.choice import alike, chosen, goes, waits
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


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 50), min_size=6, max_size=6),
    st.integers(1, 4),
    st.sampled_from([None, 0.0, 0.5]),
    st.sampled_from([None, False, True]),
)
def test_begin_is_the_first_step_of_the_best_plan(values, left, resume_cost, running) -> None:
    """Of all ways to run; a pause is ended by a resume, the one before the first of the steps, too."""
    steps = range(len(values))
    ways = [(at, *range(at + 1, at + left)) for at in steps[: len(values) - left + 1]]
    if resume_cost is not None:
        ways = list(itertools.combinations(steps, left))

    def cost(way: tuple[int, ...]) -> float:
        before = {None: (way[0] - 1,), False: (-2,), True: (-1,)}[running]
        resumes = [values[b] for a, b in itertools.pairwise((*before, *way)) if b > a + 1]
        return sum(values[at] for at in way) + (resume_cost or 0.0) * sum(resumes)

    plan = replace(PLAN, pausable=resume_cost is not None, resume_s=(resume_cost or 0.0) * HOUR_S)
    ahead = Ahead(values=np.array(values, dtype=float), step_s=HOUR_S, index=5, source="test")
    found = waits(plan, ahead, left=left, slack=len(values) - left, running=running)
    if resume_cost is None and running:
        assert found == 0
        return
    least = min(map(cost, ways))
    own = min(cost(way) for way in ways if way[0] == found)
    lead = ADVANTAGE * own if resume_cost is None and found == 0 else 0.0
    assert own - lead <= least + 1e-9


def test_begin_counts_what_a_pause_costs_in_its_error_bar() -> None:
    """20 +- 16 g are worth waiting for before the first start; less its resume, they are no reason to pause."""
    misses = np.array([[0.0, 22.0], [0.0, -22.0]])
    ahead = Ahead(values=np.array([100.0, 80.0]), step_s=HOUR_S, index=5, source="test", misses=misses)
    plan = replace(PLAN, resume_s=0.1 * HOUR_S)
    assert waits(plan, ahead, left=1, slack=1, running=None) == 1
    assert waits(plan, ahead, left=1, slack=1, running=True) == 0
    assert goes(plan, ahead, left=1, slack=1, running=True)


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


def test_figures_of_another_method_are_left_out_and_named() -> None:
    """Only what is like the place of the job is ranked: a cleaner-looking direct or marginal figure is not."""
    life, direct = "average, life-cycle, location-based", "average, direct, location-based"
    places = known(de=(300.0,), gb=(20.0,), ca=(10.0,), us=(30.0,), fr=(90.0,), se=(40.0,))
    kinds = [
        (life, "Energy-Charts"),
        (direct, "NESO"),
        ("marginal, operating, location-based", "WattTime"),
        (life, "EIA-930 generation by fuel, with IPCC AR5 medians"),
        (life, "Energy-Charts"),
        (life, "trace se.csv"),
    ]
    told = [
        (target, replace(ahead, method=method, source=source))
        for (target, ahead), (method, source) in zip(places, kinds, strict=True)
    ]
    kept, lines = alike(told, "de")
    assert [target.name for target, _ in kept] == ["de", "fr", "se"]
    assert [line.split()[1] for line in lines] == ["gb", "ca", "us"]
    assert direct in lines[0] and life in lines[0] and "NESO" in lines[0]
    assert "the provider's own factors (Energy-Charts)" in lines[2] and "ours" in lines[2]
    assert [target.name for target, _ in alike(told, "gb")[0]] == ["gb"]
    assert [target.name for target, _ in alike(told, "")[0]] == ["de", "fr", "se"]


def test_half_hours_are_ranked_with_hours_by_their_means() -> None:
    """The first hour has one half-hour left; seven minutes fit into no hour."""
    places = known(de=(100.0, 200.0), gb=(10.0, 20.0, 40.0, 60.0), odd=(1.0,))
    hour = replace(places[0][1], index=5)
    half = replace(places[1][1], step_s=HOUR_S / 2, index=11)
    odd = replace(places[2][1], step_s=420.0)
    kept, lines = alike([(places[0][0], hour), (places[1][0], half), (places[2][0], odd)], "de")
    assert [(one.name, ahead.values.tolist()) for one, ahead in kept] == [
        ("de", [100.0, 200.0]),
        ("gb", [10.0, 30.0, 60.0]),
    ]
    assert lines == ["target odd is left out: its steps of 420 s do not fit into those of 3600 s"]


def unsure(places, spread, *, n_draws=60):
    """The same places, with forecasts that have missed by so much."""
    rng = np.random.default_rng(3)
    made = []
    for target, ahead in places:
        misses = rng.normal(0.0, spread, (n_draws, ahead.values.size))
        made.append((target, replace(ahead, misses=misses - misses.mean(axis=0))))
    return made


def test_saving_under_its_error_bar_moves_nobody_and_waits_for_nothing() -> None:
    """5 % cleaner elsewhere, or later: sure, it goes; as likely to be worse, it stays and runs at once."""
    places = known(de=(100.0, 100.0, 94.0), fr=(95.0, 95.0, 89.0))
    terms = {"left_s": HOUR_S, "free_s": 2 * HOUR_S}
    for plan in (PLAN, replace(PLAN, pausable=False)):
        for spread, first, later in ((1.0, None, None), (4000.0, "de", "de")):
            doubtful = unsure(places, spread)
            assert chosen(plan, doubtful, "de", running=None, **terms) == first, spread
            assert chosen(plan, doubtful, "de", running=False, **terms) == later, spread
    assert chosen(PLAN, unsure(places, 1.0), "de", running=True, left_s=HOUR_S, free_s=0.0) == "fr"
    assert chosen(PLAN, unsure(places, 4000.0), "de", running=True, left_s=HOUR_S, free_s=0.0) == "de"


def test_part_of_a_plan_that_is_sure_is_done() -> None:
    """Moving is certain to save, waiting there is not: it moves now."""
    de, fr = known(de=(300.0,) * 4, fr=(50.0, 50.0, 49.0, 49.0))
    noise = unsure([fr], 4000.0)[0][1].misses
    level = np.repeat(noise[:, :1], 4, axis=1) / 1000.0
    later = noise * (np.arange(4) >= 2)
    places = [de, (fr[0], replace(fr[1], misses=level + later))]
    assert chosen(PLAN, places, "de", left_s=HOUR_S, free_s=3 * HOUR_S, running=False) == "fr"


def test_power_of_the_job_weighs_the_move_and_the_idle_draw() -> None:
    """The same gigabytes stop a small job and not a large one; what stays on makes waiting worthless."""
    places = [(replace(target, data_gb=1e4), ahead) for target, ahead in known(de=(300.0,), fr=(50.0,))]
    terms = {"left_s": HOUR_S, "free_s": 0.0, "running": False}
    assert chosen(replace(PLAN, power_w=300.0), places, "de", **terms) == "de"
    assert chosen(replace(PLAN, power_w=300_000.0), places, "de", **terms) == "fr"
    waits = known(de=(100.0, 70.0))
    for idle_w, goes_on in ((0.0, None), (60.0, None), (150.0, "de")):
        held = replace(PLAN, power_w=300.0, idle_w=idle_w)
        assert chosen(held, waits, "de", left_s=HOUR_S, free_s=HOUR_S, running=None) == goes_on
        assert goes(held, waits[0][1], left=1, slack=1, running=None) is (goes_on is not None)


def test_pause_of_a_running_job_is_charged() -> None:
    """Forty per cent less in the next hour pays for half an hour of resume before a start, and no pause twice."""
    ahead = known(de=(100.0, 60.0, 100.0))[0][1]
    costly = replace(PLAN, resume_s=0.8 * HOUR_S)
    assert not goes(costly, ahead, left=1, slack=2, running=None)
    assert goes(costly, ahead, left=1, slack=2, running=True)
    assert not goes(replace(PLAN, resume_s=0.1 * HOUR_S), ahead, left=1, slack=2, running=True)
    assert goes(replace(PLAN, pausable=False), ahead, left=1, slack=2, running=True)


def test_steps_that_do_not_fit_those_of_the_job_s_own_place_are_left_out() -> None:
    """Thirty minutes are no multiple of twenty: the job is driven on by the figures of where it is."""
    places = known(de=(100.0, 200.0), fr=(50.0, 60.0), gb=(10.0,) * 3)
    seconds, starts = (1200.0, 1800.0, 600.0), (3, 2, 6)
    told = [
        (target, replace(ahead, step_s=step_s, index=index))
        for (target, ahead), step_s, index in zip(places, seconds, starts, strict=True)
    ]
    kept, lines = alike(told, "de")
    assert [(one.name, ahead.step_s) for one, ahead in kept] == [("de", 1200.0), ("gb", 1200.0)]
    assert lines == ["target fr is left out: its steps of 1800 s do not fit into those of 1200 s"]


def test_energy_counts_with_the_pue_of_each_place() -> None:
    """100 g at a PUE of 1.1 is less than 90 g at 1.5; where one PUE is not known, none counts."""
    terms = {"left_s": HOUR_S, "free_s": 0.0, "running": False}
    places = known(de=(100.0,), fr=(90.0,))
    pues = {"de": 1.1, "fr": 1.5}
    both = [(replace(target, pue=pues[target.name]), ahead) for target, ahead in places]
    for told in (both, unsure(both, 0.1)):
        assert chosen(PLAN, told, "de", **terms) == "de"
        assert chosen(PLAN, told, "fr", **terms) == "de"
        assert chosen(PLAN, [told[0], (places[1][0], told[1][1])], "de", **terms) == "fr"
