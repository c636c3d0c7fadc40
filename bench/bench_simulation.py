"""A hundred thousand simulated jobs on real grids: deadlines, double runs, and whether the reported saving is true.

Run as `python bench/bench_simulation.py`; it needs the traces of `../shared`. Run times miss their expectation by up
to 30 % either way, one hour in ten has no forecast, one in twenty gives every order twice, each meter is off by up to
5 % and its hours by 1 %. The truth is replayed from the steps alone, job by job, in plain Python.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sootprint.planner.forecast import filled, forecasts
from sootprint.planner.history import from_trace
from sootprint.planner.simulate import Outcome, Work, reported, simulate

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT.parent / "shared" / "data" / "traces"
RESULTS = ROOT / "bench" / "results"
JOBS, HORIZON, FIRST_DAY = 100_000, 120, 60


def main() -> None:
    """Simulate on each hourly grid, print and keep the figures."""
    paths = sorted(TRACES.glob("eia_*.csv.gz"))
    if not paths:
        raise SystemExit(f"{TRACES} has no traces: put them beside the repository")
    figures = {path.name.split(".")[0]: _grid(path, JOBS // len(paths)) for path in paths}
    for grid, found in figures.items():
        print(grid, *(f"{name} {value}" for name, value in found.items()), sep="\n  ")
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=2) + "\n"
    (RESULTS / f"simulation-{datetime.now(UTC):%Y-%m-%d}.json").write_text(text, encoding="utf-8")


def _grid(path: Path, n_jobs: int) -> dict[str, float]:
    history = from_trace(path)
    values = filled(history.values, per_day=24)
    rng = np.random.default_rng(len(values) + n_jobs)
    made = forecasts(values, HORIZON, per_day=24)
    work = jobs(rng, n_jobs, FIRST_DAY * 24, values.size - HORIZON - 24)
    began = time.process_time()
    outcome = simulate(
        made, work, outages=rng.random(values.size) < 0.1, twice=rng.random(values.size) < 0.05
    )
    spent_s = time.process_time() - began
    powers = rng.uniform(0.95, 1.05, n_jobs)[outcome.ran[0]] * rng.normal(1.0, 0.01, outcome.ran[0].size)
    then, now = reported(values, work, outcome, powers)
    true_then, true_now = replayed(values.tolist(), work, outcome)
    told, truth = (now - then) / now, (true_now - true_then) / true_now
    return {
        "jobs": n_jobs,
        "deadlines missed that run-now met": int(outcome.missed.size),
        "jobs not started exactly once": int((outcome.starts != 1).sum()),
        "steps that a job ran twice": twice_run(outcome),
        "jobs whose time run is not their own": int((abs(time_run(work, outcome)) > 1e-6).sum()),
        "resumes per pausable job": round(float(outcome.resumes[work.pausable].mean()), 2),
        "reported saving [%]": _percent(now, then),
        "true saving [%]": _percent(true_now, true_then),
        "largest error of a job's saving [points]": round(100.0 * float(abs(told - truth).max()), 3),
        "CPU [s]": round(spent_s, 1),
    }


def _percent(now: np.ndarray, then: np.ndarray) -> float:
    return round(100.0 * float((now.sum() - then.sum()) / now.sum()), 3)


def jobs(rng: np.random.Generator, n_jobs: int, first: int, last: int) -> Work:
    """Jobs of 1 to 36 h with 0 to 48 h of slack; half of them may pause."""
    expected = np.round(rng.uniform(1.0, 36.0, n_jobs), 2)
    return Work(
        arrivals=np.sort(rng.integers(first, last - 100, n_jobs)),
        expected=expected,
        actual=expected * rng.uniform(0.7, 1.3, n_jobs),
        slacks=np.round(rng.uniform(0.0, 48.0, n_jobs), 2),
        pausable=rng.random(n_jobs) < 0.5,
    )


def time_run(work: Work, outcome: Outcome) -> np.ndarray:
    """Time that each job ran less its own time and that of its resumes [step]."""
    ran = np.bincount(outcome.ran[0], outcome.ran[2], work.arrivals.size)
    return ran - work.actual - 0.1 * outcome.resumes


def twice_run(outcome: Outcome) -> int:
    """Steps in which a job ran more than once."""
    pairs = outcome.ran[0] * 100_000 + outcome.ran[1]
    return int(pairs.size - np.unique(pairs).size)


def replayed(values: list[float], work: Work, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
    """True emissions of each job and of running it at once, counted step by step without the planner's code."""
    steps: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for job, step, share in zip(*(column.tolist() for column in outcome.ran), strict=True):
        steps[job].append((step, share))
    then, now = np.zeros(work.arrivals.size), np.zeros(work.arrivals.size)
    for job, (arrival, actual) in enumerate(zip(work.arrivals.tolist(), work.actual.tolist(), strict=True)):
        then[job] = sum(share * values[step] for step, share in steps[job])
        left, step = actual, arrival
        while left > 0.0:
            now[job] += min(1.0, left) * values[step]
            left, step = left - 1.0, step + 1
    return then, now


if __name__ == "__main__":
    main()
