"""What estimates cost: draws of one case, draws of many cases, and rows of a table, in time and memory."""

from __future__ import annotations

import resource
import statistics
import time
from typing import Any

import numpy as np

from sootprint import estimate, predict, settings
from sootprint.core.quantity import Factor
from sootprint.estimator import draws
from sootprint.estimator.table import estimates

CASES, DRAWS = 100_000, 1_000
ROWS = 20_000
LIMITS = {"one_ms": 50.0, "many_s": 60.0, "many_gb": 2.0}


def costs() -> tuple[list[str], dict[str, Any]]:
    """Lines of the page and the numbers behind them."""
    found = {"one_ms": _one_case(), "many_s": _many_cases(), "rows_s": _rows()}
    found["many_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    said = ["## Time and memory", "", "| what | found | limit |", "| --- | ---: | ---: |"]
    said.append(f"| 10,000 draws of one case, cold | {found['one_ms']:.1f} ms | {LIMITS['one_ms']:.0f} ms |")
    said.append(f"| {CASES:,} cases x {DRAWS:,} draws | {found['many_s']:.1f} s | {LIMITS['many_s']:.0f} s |")
    said.append(
        f"| most memory of the whole bench | {found['many_gb']:.2f} GB | {LIMITS['many_gb']:.0f} GB |"
    )
    said.append(f"| {ROWS:,} rows of a table to records | {found['rows_s']:.1f} s | none |")
    return [*said, ""], found


def _one_case() -> float:
    """Median of five: estimate and 10,000 draws, with no draw kept from before [ms]."""
    predict(params=7e9, tokens=2e12, hardware="A100", count=512, zone="FR")  # tables are read once a process
    spent = []
    for _ in range(5):
        for cached in (draws.log_ratio, draws._ordered, draws._normal_scores):
            cached.cache_clear()
        begun = time.perf_counter()
        made = predict(params=7e9, tokens=2e12, hardware="A100", count=512, zone="FR")
        np.quantile(draws.simulate(made, 10_000), (0.05, 0.5, 0.95))
        spent.append(1e3 * (time.perf_counter() - begun))
    return statistics.median(spent)


def _many_cases() -> float:
    """Percentiles of many cases that share grids, priors and hosts [s]."""
    chance = np.random.default_rng(0)
    made = estimate(hardware="V100", hours=1, zone="aws/us-east-1")
    shared = list(draws.emission_factors(made))
    grids = [Factor(kind="intensity", key=str(k), value=400.0, low=300.0, high=500.0) for k in range(200)]
    listed = [*shared, *grids]
    uses = np.empty((CASES, 5), dtype=np.intp)
    uses[:, :4] = np.arange(4)
    uses[:, 4] = chance.integers(len(shared), len(listed), CASES)
    begun = time.perf_counter()
    draws.intervals_of(chance.uniform(1.0, 1e6, CASES), listed, uses, DRAWS)
    return time.perf_counter() - begun


def _rows() -> float:
    """Rows of a table to records in JSON [s]."""
    places, works = ("FR", "DE", "US-WA", "CN"), ("vision", "llm-pretrain", "unknown")
    lines = ["name,hardware,count,hours,zone,year,work\n"]
    for k in range(ROWS):
        device, place, work = ("V100", "A100", "H100")[k % 3], places[k % 4], works[k % 3]
        lines.append(f"j{k},{device},{1 + k % 64},{1 + k % 500},{place},{2018 + k % 7},{work}\n")
    known = settings.load()
    begun = time.perf_counter()
    for made in estimates(lines, name="bench", settings=known, defaults={}):
        made.to_json()
    return time.perf_counter() - begun
