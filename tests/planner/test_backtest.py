"""Backtests: with perfect foresight they reach the oracle, with none they harm nobody, and single steps agree."""

import csv
import gzip

import numpy as np
import pytest

from sootprint.core.errors import InputError
from sootprint.planner import joblog
from sootprint.planner.backtest import POLICIES, arrivals_every, backtest, score
from sootprint.planner.forecast import filled, forecasts
from sootprint.planner.replan import must_run, replanned_pauses, replanned_starts, run_now, start_now

DAY = 24


@pytest.fixture(scope="module")
def grid():
    """A hundred and ten days with a course of the day and noise that lasts."""
    rng = np.random.default_rng(11)
    noise = np.convolve(rng.normal(0.0, 30.0, 110 * DAY + 11), np.ones(12) / 3.5, mode="valid")
    return np.round(300.0 + 70.0 * np.sin(2 * np.pi * np.arange(110 * DAY) / DAY) + noise, 2)


def scores(values, *, per_day=DAY, forecaster="blend", every=5, **options):
    """Scores of both policies for jobs of a day with a day of slack."""
    arrivals = arrivals_every(values.size, 2 * per_day, every=every, first=60 * per_day)
    cohort = backtest(values, arrivals, per_day, per_day, per_day=per_day, forecaster=forecaster, **options)
    return {policy: score([(cohort, np.ones(cohort.arrivals.size))], policy) for policy in POLICIES}, cohort


@pytest.mark.parametrize("per_day", [24, 48])
def test_perfect_foresight_reaches_the_oracle(grid, per_day):
    """Planned again each hour with the truth, every job costs what the oracle finds."""
    values = np.repeat(grid, per_day // DAY)
    found, cohort = scores(values, per_day=per_day, forecaster="perfect")
    assert found["start"].share_of_oracle == pytest.approx(1.0)
    assert found["pause"].share_of_oracle == pytest.approx(1.0)
    assert found["pause"].worse_than_now == 0.0
    np.testing.assert_allclose(cohort.costs["pause"], cohort.costs["oracle_pause"])


def test_every_job_runs_its_length_within_its_window(grid):
    """Each policy runs each job exactly as many steps as it needs, and a start without a pause."""
    _, cohort = scores(grid)
    for flags in cohort.runs.values():
        assert (flags.sum(axis=1) == DAY).all()
    changes = np.abs(np.diff(cohort.runs["start"].astype(int), axis=1)).sum(axis=1)
    assert changes.max() <= 2


def test_the_blend_saves_and_costs_are_the_truth(grid):
    """A real forecast saves less than the oracle, and its costs are sums of true figures over the steps run."""
    found, cohort = scores(grid)
    assert 0.2 < found["pause"].share_of_oracle < 1.0
    job = 17
    arrival = cohort.arrivals[job]
    steps = arrival + np.flatnonzero(cohort.runs["pause"][job])
    assert cohort.costs["pause"][job] == pytest.approx(grid[steps].sum())
    assert cohort.costs["now"][job] == pytest.approx(grid[arrival : arrival + DAY].sum())
    starts = [grid[arrival + s : arrival + s + DAY].sum() for s in range(DAY + 1)]
    assert cohort.costs["random"][job] == pytest.approx(np.mean(starts))
    assert cohort.costs["oracle_start"][job] == pytest.approx(min(starts))


def test_noise_that_nobody_can_foresee_is_left_alone():
    """On white noise planning earns nothing, so jobs run at once and no more is emitted than by run-now."""
    noise = 500.0 + np.random.default_rng(5).normal(0.0, 15.0, 200 * DAY)
    found, _ = scores(noise)
    assert all(found[policy].saving_vs_now > -5e-4 for policy in POLICIES)


def test_a_hole_leaves_out_the_jobs_that_need_it(grid):
    """Jobs whose window has a hole are not scored, and the others are."""
    holed = grid.copy()
    holed[80 * DAY : 80 * DAY + 3] = np.nan
    _, whole = scores(grid, every=1)
    found, cohort = scores(holed, every=1)
    assert whole.arrivals.size - cohort.arrivals.size == 2 * DAY + 2
    assert found["pause"].saving_vs_now > 0.0


def test_one_job_step_by_step_is_the_same_as_many_at_once(grid):
    """Asked each hour whether to run now, a job starts and pauses as it does in the backtest."""
    made = forecasts(filled(grid, per_day=DAY), 18, per_day=DAY)
    arrivals = np.arange(61 * DAY, 75 * DAY, 29)
    starts, runs = replanned_starts(made, arrivals, 6, 12), replanned_pauses(made, arrivals, 6, 12)
    for job, arrival in enumerate(arrivals):
        waited = next(w for w in range(13) if start_now(made[arrival + w], 6, 12 - w))
        assert starts[job] == arrival + waited
        left = 6
        for at in range(18):
            slack = 18 - at - left
            runs_now = left > 0 and run_now(made[arrival + at], left, slack, running=at > 0)
            assert runs_now == runs[job, at]
            left -= runs_now


def test_the_guard_needs_no_forecast():
    """A job whose rest fills the time to its deadline runs now, with room for a longer run where asked."""
    assert must_run(3.0, 3.0)
    assert not must_run(3.0, 3.5)
    assert must_run(3.0, 3.5, margin=0.3)


def test_a_trace_that_is_too_short_is_refused():
    """Sixty days are not enough for a job that arrives on the sixtieth."""
    with pytest.raises(InputError, match="give a longer trace"):
        arrivals_every(60 * DAY, 48, every=1, first=60 * DAY)


@pytest.mark.parametrize("name", ["eia_CISO_2022", "lwa_GB_2020"])
def test_real_grids_reach_what_the_documents_say(shared_dir, name):
    """California reaches 95 % of the oracle by pausing; Great Britain beats the usual ridge by 1 point at least."""
    with gzip.open(shared_dir / "data" / "traces" / f"{name}.csv.gz", "rt") as lines:
        values = np.array([float(row["ci_gco2e_kwh"] or "nan") for row in csv.DictReader(lines)])
    if name.startswith("lwa"):
        values = values.reshape(-1, 2).mean(axis=1)
    found, _ = scores(values)
    if "CISO" in name:
        assert found["pause"].share_of_oracle > 0.95
        return
    usual, _ = scores(values, forecaster="ridge", guarded=False)
    assert found["pause"].share_of_oracle > usual["pause"].share_of_oracle + 0.01
    assert found["start"].saving_vs_now > 0.0


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["start,hours,power_w", "2026-01-01T00:00Z,2,-5"], "log line 2: powerw is -5"),
        (["start,hours", "\0\1"], "log is no text"),
        (["start,hours", "2026-01-01T00:00Z,two"], "log line 2: 'two' is not a number"),
    ],
    ids=["negative", "binary", "word"],
)
def test_log_that_is_none_is_refused_in_one_line(lines, words):
    """The line names the file, the row and the value."""
    with pytest.raises(InputError) as caught:
        joblog.read(lines, name="log")
    assert words in str(caught.value)


ROWS = """7|2026-03-05T10:00:00|01:00:00|REQUEUED|
7.batch|2026-03-05T10:00:00|01:00:00|CANCELLED|3600000
7|2026-03-05T12:00:00|1-02:00:00|COMPLETED|
7.batch|2026-03-05T12:00:00|1-02:00:00|COMPLETED|7200000
7.extern|2026-03-05T12:00:00|1-02:00:00|COMPLETED|
8|2026-03-05T12:00:00|02:00:00|RUNNING|
8.0|2026-03-05T12:00:00|01:00:00|COMPLETED|3600000
9|2026-03-05T12:00:00|INVALID|COMPLETED|
10|2026-03-05T12:00:00|UNLIMITED|COMPLETED|
12_[3-5]|Unknown|00:00:00|PENDING|
12_1|2026-03-05T13:00:00|30:15|CANCELLED by 1000|18446744073709551614
12_1.batch|2026-03-05T13:00:00|30:15|CANCELLED|0
13+1|2026-03-05T14:00:00|00:00:30|OUT_OF_MEMORY|
13+1.0|2026-03-05T14:00:00|00:00:30|OUT_OF_ME+|
14|None|00:00:00|CANCELLED by 0|
15.batch|2026-03-05T15:00:00|01:00:00|COMPLETED|3600000
"""


def test_rows_of_sacct_that_are_no_jobs_are_none():
    """Steps of a job that does not count, the earlier start of a requeued one and what Slurm could not tell.

    A job that nobody measured has no energy: not 0, which would take it out of every sum.
    """
    lines = ["JobID|Start|Elapsed|State|ConsumedEnergyRaw", *ROWS.splitlines()]
    log = joblog.read(lines, name="x")
    assert [(job.name, job.length_s, job.energy_kwh) for job in log.jobs] == [
        ("7", 26 * 3600.0, pytest.approx(2.0)),
        ("12_1", 1815.0, None),
        ("13+1", 30.0, None),
    ]
    assert log.left_out == {"not finished": 3, "no time spent": 2, "never started": 1}


def test_states_of_a_real_sacct_log_are_understood():
    """Cancelled, failed and timed-out jobs spent their time; what never began or still runs is left out and counted."""
    rows = [
        "JobID|Start|End|State|ConsumedEnergyRaw",
        "1|2026-03-05T10:00:00|2026-03-05T12:00:00|CANCELLED by 1001|3600000",
        "1.batch|2026-03-05T10:00:00|2026-03-05T12:00:00|CANCELLED|7200000",
        "2|2026-03-08T10:00:00|2026-03-08T11:00:00|OUT_OF_ME+|0",
        "3|2026-03-09T10:00:00|2026-03-09T14:00:00|TIMEOUT|18446744073709551614",
        "4|Unknown|Unknown|PENDING|",
        "5|2026-03-06T10:00:00|Unknown|RUNNING|",
        "6|None|None|REVOKED|",
        "7|2026-03-09T10:00:00|2026-03-09T09:00:00|COMPLETED|1",
    ]
    log = joblog.read(rows, name="log")
    assert [(job.name, job.length_s) for job in log.jobs] == [("1", 7200.0), ("2", 3600.0), ("3", 14400.0)]
    assert [job.energy_kwh for job in log.jobs] == [pytest.approx(1.0), None, None]
    assert log.left_out == {"not finished": 2, "never started": 1, "no time spent": 1}


def test_jobs_with_a_point_in_their_names_are_jobs():
    """Only what follows the number of a Slurm job is one of its steps."""
    rows = [
        "name,start,hours",
        "resnet,2026-03-05T10:00Z,1",
        "resnet.1,2026-03-05T11:00Z,2",
        "a.batch,2026-03-05,3",
    ]
    log = joblog.read(rows, name="log")
    assert [(job.name, job.length_s) for job in log.jobs] == [
        ("a.batch", 10_800.0),
        ("resnet", 3600.0),
        ("resnet.1", 7200.0),
    ]
    assert log.left_out == {}
