"""Plans against brute force and linear programming on random small cases, and on cases worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core.errors import InputError
from sootprint.planner import (
    best_pauses,
    best_places,
    best_starts,
    jittered_start,
    pause_hours,
    plan_elastic,
    plan_fleet,
    plan_moves,
    plan_start,
    plan_with_overheads,
)
from tests.planner import brute

HUNDREDS = settings(max_examples=200, deadline=None)
DOZENS = settings(max_examples=40, deadline=None)


@st.composite
def cases(draw, longest=9, values=None):
    """Intensities with many ties, and one job that fits."""
    figures = (
        values
        if values is not None
        else st.one_of(st.integers(0, 6).map(float), st.integers(0, 60_000).map(lambda n: n / 100))
    )
    intensity = draw(st.lists(figures, min_size=1, max_size=longest))
    length = draw(st.integers(1, len(intensity)))
    slack = draw(st.integers(0, len(intensity) - length))
    arrival = draw(st.integers(0, len(intensity) - length - slack))
    return intensity, arrival, length, slack


@HUNDREDS
@given(cases())
def test_best_start_is_that_of_brute_force(case):
    """Start and cost equal those found by looking at every start, the earliest among equals."""
    intensity, *job = case
    start, cost = brute.best_start([round(value * 100) for value in intensity], *job)
    starts, costs = best_starts(intensity, *([value] for value in job))
    assert starts.tolist() == [start]
    assert costs[0] == pytest.approx(cost / 100, abs=1e-9)


@HUNDREDS
@given(cases())
def test_best_pause_is_that_of_brute_force_and_of_a_linear_programme(case):
    """Cost, threshold and steps equal those found by looking at every choice of steps."""
    intensity, *job = case
    cost, steps = brute.best_pause([round(value * 100) for value in intensity], *job)
    costs, thresholds = best_pauses(intensity, *([value] for value in job))
    assert pause_hours(intensity, *job).tolist() == list(steps)
    assert costs[0] == pytest.approx(cost / 100, abs=1e-9)
    assert thresholds[0] == max(intensity[step] for step in steps)
    assert costs[0] == pytest.approx(brute.pause_by_lp(intensity, *job), abs=1e-6)


@pytest.mark.parametrize("longest", [1, 30, 700])
def test_many_jobs_at_once_are_each_exact(longest):
    """Each of 3000 jobs of common and rare lengths has the least window sum and the least steps."""
    rng = np.random.default_rng(longest)
    intensity = np.round(rng.gamma(5.0, 60.0, 2000), 1)
    lengths, slacks = rng.integers(1, longest + 1, 3000), rng.integers(0, longest + 1, 3000)
    arrivals = rng.integers(0, 2000 - 2 * longest, 3000)
    starts, costs = best_starts(intensity, arrivals, lengths, slacks)
    pauses, thresholds = best_pauses(intensity, arrivals, lengths, slacks)
    for job in range(0, 3000, 7):
        arrival, length, slack = arrivals[job], lengths[job], slacks[job]
        window = intensity[arrival : arrival + length + slack]
        sums = np.round([window[s : s + length].sum() for s in range(slack + 1)], 6)
        assert (starts[job], costs[job]) == (arrival + sums.argmin(), pytest.approx(sums.min()))
        least = np.sort(window)[:length]
        assert (thresholds[job], pauses[job]) == (least[-1], pytest.approx(least.sum()))


@HUNDREDS
@given(
    cases(longest=8, values=st.integers(0, 40).map(float)),
    st.sampled_from([0.0, 0.25, 0.5, 1.5]),
    st.sampled_from([0.0, 0.25, 0.5, 1.0]),
)
def test_overheads_are_those_of_brute_force(case, resume_cost, idle_share):
    """Cost and steps with resumes and idle draw equal those of looking at every choice, the earliest on ties."""
    intensity, _, length, slack = case
    cost, steps = brute.overheads(intensity, length, slack, resume_cost, idle_share)
    found, chosen = plan_with_overheads(intensity, length, slack, resume_cost, idle_share)
    assert found == pytest.approx(cost, abs=1e-9)
    assert chosen.tolist() == list(steps)


@DOZENS
@given(
    cases(longest=7, values=st.integers(1, 40).map(float)),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0.0, 0.25]),
)
def test_overheads_are_those_of_a_whole_number_programme(case, resume_cost, idle_share):
    """Cost with overheads equals the optimum of a mixed-integer programme."""
    intensity, _, length, slack = case
    found, _ = plan_with_overheads(intensity, length, slack, resume_cost, idle_share)
    assert found == pytest.approx(
        brute.overheads_by_milp(intensity, length, slack, resume_cost, idle_share), abs=1e-6
    )


@HUNDREDS
@given(
    st.lists(st.integers(1, 500).map(float), min_size=1, max_size=8),
    st.lists(st.sampled_from([1.0, 0.95, 0.9, 0.85, 0.5]), min_size=1, max_size=4),
    st.floats(0.01, 1.0),
)
def test_elastic_scaling_is_that_of_a_linear_programme(intensity, curve, share):
    """Cost equals the optimum, and the workers of the plan do the work for that cost."""
    marginal = sorted(curve, reverse=True)
    work = share * sum(marginal) * len(intensity)
    plan = plan_elastic(intensity, work, marginal)
    assert plan.cost == pytest.approx(brute.elastic_by_lp(intensity, work, marginal), rel=1e-6)
    whole = plan.workers.astype(int)
    sums = np.concatenate(([0.0], np.cumsum(marginal)))
    more = np.append(marginal, 0.0)
    done = (sums[whole] + (plan.workers - whole) * more[whole]).sum()
    assert done == pytest.approx(work, rel=1e-9)


@st.composite
def wanderers(draw, most_zones=3, longest=5):
    """A job that may pause and move, in any of the states in which it is planned again."""
    n_zones, n_steps = draw(st.integers(1, most_zones)), draw(st.integers(1, longest))
    length = draw(st.integers(1, n_steps))
    figures = st.integers(0, 30).map(float)
    grid = [draw(st.lists(figures, min_size=n_steps, max_size=n_steps)) for _ in range(n_zones)]
    terms = {
        "between": [
            [draw(st.integers(0, 9)) * float(a != b) for b in range(n_zones)] for a in range(n_zones)
        ],
        "resume_cost": draw(st.sampled_from([0.0, 0.5, 1.5])),
        "home": draw(st.integers(0, n_zones - 1)),
        "running": draw(st.sampled_from([None, False, True])),
        "idle": [draw(st.sampled_from([0.0, 0.25])) for _ in range(n_zones)],
    }
    return grid, length, n_steps - length, terms


def planned(grid, length, slack, terms):
    """Plan of such a job; its cost is that of its energies, and its energies are those of its length."""
    renamed = {"between": "moves", "idle": "idle_share"}
    plan = plan_moves(grid, length, slack, **{renamed.get(key, key): one for key, one in terms.items()})
    assert (plan.weights * np.array(grid)).sum() + plan.carried == pytest.approx(plan.cost)
    assert len(set(plan.steps.tolist())) == length
    assert (plan.weights[plan.zones, plan.steps] >= 1.0).all()
    return plan


@HUNDREDS
@given(wanderers())
def test_moves_are_those_of_brute_force(job):
    """Before its start, running or paused, with idle draw: looking at every choice of steps and zones finds no less."""
    *given_job, terms = job
    assert planned(*job).cost == pytest.approx(brute.moves(*given_job, **terms), abs=1e-9)


@DOZENS
@given(wanderers(most_zones=2, longest=4))
def test_moves_are_those_of_a_linear_programme(job):
    """The least-cost flow through the job's states costs the same."""
    *given_job, terms = job
    assert planned(*job).cost == pytest.approx(brute.moves_by_lp(*given_job, **terms), abs=1e-6)


@DOZENS
@given(wanderers())
def test_start_without_pauses_is_that_of_brute_force(job):
    """The zone and start of least cost, the move and the idle draw until then in it."""
    grid, length, slack, terms = job
    home, idle = terms["home"], terms["idle"]
    costs = [
        sum(row[at : at + length]) + terms["between"][home][zone] + idle[home] * sum(grid[home][:at])
        for zone, row in enumerate(grid)
        for at in range(slack + 1)
    ]
    plan = plan_start(grid, length, slack, moves=terms["between"], idle_share=idle, home=home)
    assert plan.cost == pytest.approx(min(costs))


def test_running_job_pays_for_its_pause():
    """An hour at 120 beats a pause into an hour at 100 whose resume costs half an hour; before its start it waits."""
    terms = {"moves": [[0.0]], "resume_cost": 0.5}
    assert plan_moves([[120.0, 100.0]], 1, 1, running=True, **terms).steps.tolist() == [0]
    assert plan_moves([[120.0, 100.0]], 1, 1, running=None, **terms).steps.tolist() == [1]
    assert plan_moves([[120.0, 100.0]], 1, 1, running=None, idle_share=0.2, **terms).steps.tolist() == [0]


@HUNDREDS
@given(st.integers(1, 7), st.integers(1, 300), st.floats(0.0, 60.0), st.floats(0.0, 0.3), st.booleans())
def test_no_job_waits_for_a_rounding(length, slack, transfer, resume_cost, running):
    """Where waiting gains nothing, it runs at once, however the sums of the two ways are rounded."""
    steps = length + slack
    terms = {"moves": [[0.0, transfer], [transfer, 0.0]], "resume_cost": resume_cost, "running": running}
    plan = plan_moves([[500.0] * steps, [50.1] * steps], length, slack, **terms)
    assert plan.steps.tolist() == list(range(length))
    assert len(set(plan.zones.tolist())) == 1
    started = plan_start([[0.1] * steps, [0.1] * steps], length, slack, moves=[[0.0, 0.0], [0.0, 0.0]])
    assert (started.steps[0], started.zones[0]) == (0, 0)


def test_place_weighs_transfer_against_intensity():
    """A cleaner zone is left aside where moving the data emits more, or where the data may not lie."""
    grids = [[200.0, 150.0, 200.0], [100.0, 100.0, 90.0]]
    found = best_places(grids, [0] * 4, [1] * 4, [2] * 4, transfers=[[0, 0], [0, 70], [0, 10], [0, 0]])
    assert found.zones.tolist() == [1, 0, 1, 1]
    assert found.costs.tolist() == [90.0, 150.0, 100.0, 90.0]
    kept = best_places(grids, [0], [2], [1], allowed=[True, False], pausable=True)
    assert (kept.zones.tolist(), kept.starts.tolist(), kept.costs.tolist()) == ([0], [-1], [350.0])


def test_no_step_has_more_jobs_than_the_cap():
    """Forty jobs that want the same clean hour are spread, each within its slack, at most ten a step."""
    intensity = [300.0, 280.0, 100.0, 101.0, 260.0, 240.0]
    fleet = plan_fleet(intensity, [0] * 40, [1] * 40, [5] * 40, capacity=10)
    assert fleet.load.max() == 10
    assert fleet.load[2:4].tolist() == [10, 10]
    assert fleet.over.size == 0
    late = plan_fleet([100.0, 50.0], [0, 0], [2, 2], [0, 0], capacity=1)
    assert (late.starts.tolist(), late.over.tolist()) == ([0, 0], [1])


def test_jobs_that_do_not_speak_to_each_other_spread_over_equal_hours():
    """A name draws the same start each time, and 200 names draw every near-equal hour."""
    intensity = [100.2, 100.0, 100.5, 100.1, 180.0]
    drawn = [jittered_start(intensity, 1, 4, key=f"job-{number}") for number in range(200)]
    assert sorted(set(drawn)) == [0, 1, 2, 3]
    assert drawn[7] == jittered_start(intensity, 1, 4, key="job-7")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: best_starts([1.0, float("nan")], [0], [1], [0]), "step 1 is nan"),
        (lambda: best_starts([1.0, 2.0], [0], [2], [1]), "may run until step 3"),
        (lambda: best_starts([1.0, 2.0], [0], [0], [1]), "length of job 0 is 0"),
        (lambda: best_pauses([1.0, 2.0], [0], [1.5], [0]), "whole number of steps"),
        (lambda: best_pauses([1.0, 2.0], [-1], [1], [0]), "arrival of job 0"),
        (lambda: best_starts([], [0], [1], [0]), "one figure for each step"),
        (lambda: best_starts([1.0, 2.0], [0, 1, 0], [1, 1], [0]), "different sizes"),
        (lambda: plan_with_overheads([1.0, 2.0], 1, 1, -0.5, 0.0), "resume_cost is -0.5"),
        (lambda: plan_with_overheads([1.0, 2.0], 1, 1, 0.5, 1.5), "idle_share is 1.5"),
        (lambda: plan_elastic([1.0], 2.0, [1.0, 0.5]), "work is 2 steps"),
        (lambda: plan_elastic([1.0], 1.0, [0.5, 1.0]), "never rise"),
        (lambda: plan_moves([[1.0, 2.0]], 1, 1, moves=[[0.0]], idle_share=-0.1), "idle_share is -0.1"),
        (lambda: best_places([[1.0]], [0], [1], [0], allowed=[False]), "allowed in none"),
        (lambda: plan_fleet([1.0], [0], [1], [0], capacity=0), "at least 1"),
    ],
)
def test_bad_input_is_named(call, words):
    """A hole, a job that does not fit, and an impossible overhead are refused in one line."""
    with pytest.raises(InputError, match=words):
        call()
