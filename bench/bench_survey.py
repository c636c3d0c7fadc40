"""What a survey costs: the authors' table with everything written, and a million synthetic models.

Run as `python bench/bench_survey.py`; two cores are enough. The synthetic table has 1,000,000 rows of some 500,000
runs in ten year bins and seven tasks, with lognormal energies; the grand average of each bin is resampled 10,000
times by run. Prints one line a part and writes `bench/results/survey.json`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from sootprint import survey
from sootprint.survey.cells import cells

AUTHORS = Path(__file__).resolve().parents[2] / "shared/data/counting_carbon/co2ml95models.csv"
RESULTS = Path(__file__).with_name("results")
ROWS, RUNS, RESAMPLES = 1_000_000, 500_000, 10_000
LIMITS = {"authors_s": 10.0, "million_s": 60.0, "million_gib": 4.0}


def synthetic(path: Path, *, seed: int = 1) -> None:
    """Table of a million models in the schema's own columns."""
    rng = np.random.default_rng(seed)
    runs = np.sort(rng.integers(0, RUNS, ROWS))
    energy = rng.lognormal(4.0, 2.5, RUNS)[runs]
    intensity = rng.choice([20.0, 60.0, 200.0, 400.0, 700.0], RUNS)[runs]
    tasks = np.array(
        ["Image Classification", "Machine Translation", "Question Answering", "Language Modelling"]
    )
    countries = np.array(["US", "CN", "FR", "DE", "Atlantis"])
    pl.DataFrame(
        {
            "run": runs,
            "year": rng.integers(2012, 2026, RUNS)[runs],
            "task": tasks[rng.integers(0, len(tasks), ROWS)],
            "dataset": "D",
            "metric": "M",
            "metric_value": rng.normal(50, 10, ROWS).round(3),
            "hardware": np.array(["A100", "V100", "TPU v3"])[rng.integers(0, 3, RUNS)[runs]],
            "rated_power_w": 300.0,
            "device_hours": (energy / 0.3).round(4),
            "country": countries[rng.integers(0, len(countries), RUNS)[runs]],
            "source": np.array(["Coal", "Gas", "Hydro"])[rng.integers(0, 3, RUNS)[runs]],
            "intensity_g_per_kwh": intensity,
            "energy_given_kwh": energy.round(4),
            "emissions_given_kg": (energy * intensity / 1000).round(5),
        }
    ).write_csv(path)


def authors() -> dict[str, Any]:
    """Seconds of the command for the authors' table, everything written; None where it is not here.

    `authors_cpu_s` is the time of both processes on all cores: where it is far from twice `authors_s` at most, the
    machine had something else to do; `authors_load` is how many processes wanted a core when it began.
    """
    if not AUTHORS.is_file():
        return {"authors_s": None}
    load = os.getloadavg()[0]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sootprint", "survey", str(AUTHORS), "--out", folder]
        seconds, _ = timed(lambda: subprocess.run(command, check=True, capture_output=True))
        files = sum(path.is_file() for path in Path(folder).rglob("*"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"authors_s": seconds, "authors_cpu_s": cpu, "authors_load": load, "authors_files": files}


def million() -> dict[str, Any]:
    """Seconds for a million rows: reading, and the grand average of each bin with its interval."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        synthetic(path)
        reading, data = timed(lambda: survey.load(path))
    how = survey.Settings(resamples=RESAMPLES)
    resampling, grand = timed(lambda: cells(data.frame, ["bin"], "emissions_kg", how=how))
    flagging, _ = timed(lambda: survey.flags(data))
    fronts, _ = timed(lambda: survey.pareto(data))
    return {
        "rows": data.frame.height,
        "runs": data.frame["run"].n_unique(),
        "bins": grand.height,
        "reading_s": reading,
        "resampling_s": resampling,
        "flagging_s": flagging,
        "fronts_s": fronts,
        "million_s": reading + resampling,
        "million_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that a piece of work took, and what it gave."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def main() -> int:
    """Exit code 0 where every figure is within its limit."""
    found = authors() | million()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "survey.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    missed = 0
    for name, value in found.items():
        limit = LIMITS.get(name)
        shown = (
            "not measured" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
        )
        missed += value is not None and limit is not None and value > limit
        print(f"{name:14} {shown:>12}" + (f"   limit {limit:g}" if limit is not None else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
