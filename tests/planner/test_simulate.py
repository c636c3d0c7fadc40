"""Simulated jobs with misjudged times and failed forecasts end in time, run once, and are reported truly."""

import numpy as np
import pytest

from sootprint.core.errors import InputError
from sootprint.planner.forecast import forecasts
from sootprint.planner.simulate import Work, reported, simulate

DAY, JOBS, HORIZON = 24, 4000, 100


@pytest.fixture(scope="module")
def values():
    """Eighty days with a course of the day and noise that lasts."""
    rng = np.random.default_rng(21)
    noise = np.convolve(rng.normal(0.0, 30.0, 80 * DAY + 11), np.ones(12) / 3.5, mode="valid")
    return 300.0 + 70.0 * np.sin(2 * np.pi * np.arange(80 * DAY) / DAY) + noise


@pytest.fixture(scope="module")
def work():
    """Jobs of up to a day whose run times miss by up to 30 %, some with no slack at all."""
    rng = np.random.default_rng(22)
    expected = rng.uniform(1.0, 24.0, JOBS)
    return Work(
        arrivals=rng.integers(20 * DAY, 74 * DAY, JOBS),
        expected=expected,
        actual=expected * rng.uniform(0.7, 1.3, JOBS),
        slacks=np.maximum(0.0, rng.uniform(-5.0, 40.0, JOBS)),
        pausable=rng.random(JOBS) < 0.5,
    )


@pytest.fixture(scope="module")
def outcome(values, work):
    """Course of the jobs with outages of an hour and with orders that come twice."""
    rng = np.random.default_rng(23)
    outages, twice = rng.random(values.size) < 0.15, rng.random(values.size) < 0.1
    return simulate(forecasts(values, HORIZON, per_day=DAY), work, outages=outages, twice=twice)


def test_no_deadline_is_missed_that_run_now_would_have_met(work, outcome):
    """Every job that run-now ends in time ends in time, although nobody knew how long it would take."""
    assert np.isfinite(outcome.ends).all()
    assert outcome.missed.size == 0
    met = work.arrivals + work.actual <= work.deadlines
    assert met.sum() > 0.8 * JOBS
    assert (outcome.ends[met] <= work.deadlines[met] + 1e-9).all()


def test_no_job_runs_twice(work, outcome):
    """Each job starts once, never twice in a step, and runs for its own time and that of its resumes."""
    jobs, steps, shares = outcome.ran
    assert (outcome.starts == 1).all()
    assert np.unique(jobs * 10_000 + steps).size == jobs.size
    ran = np.bincount(jobs, shares, JOBS)
    np.testing.assert_allclose(ran, work.actual + 0.1 * outcome.resumes)
    assert (outcome.resumes[~work.pausable] == 0).all()
    assert outcome.resumes[work.pausable].mean() > 0.1


def test_the_reported_saving_is_the_true_one(values, work, outcome):
    """With meters off by 5 % and 1 % an hour, each job's reported saving is within a point of the replayed truth."""
    rng = np.random.default_rng(24)
    jobs, steps, shares = outcome.ran
    powers = rng.uniform(0.95, 1.05, JOBS)[jobs] * rng.normal(1.0, 0.01, jobs.size)
    then, now = reported(values, work, outcome, powers)
    true_then = np.bincount(jobs, shares * values[steps], JOBS)
    true_now = np.array([_at_once(values, *job) for job in zip(work.arrivals, work.actual, strict=True)])
    told, truth = 1.0 - then / now, 1.0 - true_then / true_now
    assert abs(told - truth).max() < 0.01
    assert 0.03 < (1.0 - true_then.sum() / true_now.sum()) < 0.3


def _at_once(values, arrival, actual):
    """True emissions of running at once, by hand."""
    whole = int(actual)
    return values[arrival : arrival + whole].sum() + (actual - whole) * values[arrival + whole]


def test_with_no_forecast_at_all_the_guard_still_meets_the_deadlines(values, work):
    """A forecast that was lost on the first day and never came back makes no job late."""
    lost = np.arange(values.size) > 0
    outcome = simulate(forecasts(values, HORIZON, per_day=DAY), work, outages=lost)
    assert outcome.missed.size == 0


def test_a_job_beyond_what_the_guard_allows_for_is_refused(values, work):
    """Run times that miss by more than the guard's margin are named, and so are forecasts that end too early."""
    made, none = forecasts(values, HORIZON, per_day=DAY), np.zeros(values.size, dtype=bool)
    with pytest.raises(InputError, match="more than 10%"):
        simulate(made, work, outages=none, error=0.1)
    with pytest.raises(InputError, match="end before the last job"):
        simulate(made[: 30 * DAY], work, outages=none)
