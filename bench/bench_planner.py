"""Speed and memory of the planner on one core, on a year of hours; prints one line a measurement.

Run as `python bench/bench_planner.py`. The year is a seeded gamma process; arrivals, lengths and slacks are uniform.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sootprint.planner import best_pauses, best_places, best_starts, plan_with_overheads

HOURS = 8760
REPEATS = 3
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Measure, print and keep the figures."""
    rng = np.random.default_rng(6)
    grids = np.round(rng.gamma(5.0, 60.0, (30, HOURS)), 2)
    figures: dict[str, float] = {}
    for n_jobs, longest in ((1_000_000, 168), (1_000_000, 4000), (100_000, 168), (100_000, 4000)):
        jobs = _jobs(rng, n_jobs, longest)
        for function in (best_starts, best_pauses):
            cpu_s = _least_cpu_s(lambda f=function, j=jobs: f(grids[0], *j))  # type: ignore[misc]
            name = f"{function.__name__}, {n_jobs} jobs, length and slack up to {longest} h [jobs/s]"
            figures[name] = round(n_jobs / cpu_s)
    jobs = _jobs(rng, 100_000, 168)
    for pausable in (False, True):
        cpu_s = _least_cpu_s(lambda p=pausable: best_places(grids, *jobs, pausable=p))  # type: ignore[misc]
        figures[f"best_places, 100000 jobs x 30 regions, pausable {pausable} [s]"] = round(cpu_s, 2)
    cpu_s = _least_cpu_s(lambda: plan_with_overheads(grids[0, :48], 24, 24, 0.25, 0.3))
    figures["plan_with_overheads, 24 h in 48 h [ms]"] = round(cpu_s * 1e3, 3)
    figures["peak memory [MiB]"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    for name, value in figures.items():
        print(f"{name}: {value:,}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"planner-{datetime.now(UTC):%Y-%m-%d}.json").write_text(
        json.dumps(figures, indent=2) + "\n", encoding="utf-8"
    )


def _jobs(rng: np.random.Generator, n_jobs: int, longest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lengths, slacks = rng.integers(1, longest + 1, n_jobs), rng.integers(0, longest + 1, n_jobs)
    return (rng.random(n_jobs) * (HOURS + 1 - lengths - slacks)).astype(np.int64), lengths, slacks


def _least_cpu_s(call: Callable[[], object]) -> float:
    """Least CPU time of some calls: the one that the other work of the machine disturbed least [s]."""
    times = []
    for _ in range(REPEATS):
        before = time.process_time()
        call()
        times.append(time.process_time() - before)
    return min(times)


if __name__ == "__main__":
    main()
