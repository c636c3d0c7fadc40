"""What forecasts from past intensity alone are worth: shares of the saving of perfect foresight, grid by grid.

Run as `python bench/bench_grid_forecast.py`; it needs the traces of `../shared`. Jobs of 24 h with 24 h of slack
arrive every hour from day 60 on and are planned again each hour. The baselines follow every plan; the blend leaves
plans that have lately not helped, as `sootprint backtest` does.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core

import numpy as np

from sootprint.planner.backtest import FIRST_DAY, POLICIES, arrivals_every, backtest, score
from sootprint.planner.history import History, from_trace

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT.parent / "shared" / "data" / "traces"
RESULTS = ROOT / "bench" / "results"
FORECASTERS = ("persistence", "hour-of-week", "ridge", "blend")


def main() -> None:
    """Score every forecaster on every grid, print and keep the table."""
    grids = [from_trace(path) for path in sorted(TRACES.glob("*.csv.gz"))]
    if not grids:
        raise SystemExit(f"{TRACES} has no traces: put them beside the repository")
    figures = {name: {grid.zone: _scores(grid, name) for grid in grids} for name in FORECASTERS}
    text = _page(figures)
    print(text)
    stem = RESULTS / f"grid-forecast-{datetime.now(UTC):%Y-%m-%d}"
    RESULTS.mkdir(exist_ok=True)
    stem.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    stem.with_suffix(".md").write_text(f"# Forecasts of intensity\n\n{text}\n", encoding="utf-8")


def _scores(grid: History, name: str) -> dict[str, dict[str, float | None]]:
    day = grid.per_day
    arrivals = arrivals_every(grid.values.size, 2 * day, every=grid.per_hour, first=FIRST_DAY * day)
    cohort = backtest(grid.values, arrivals, day, day, per_day=day, forecaster=name, guarded=name == "blend")
    weights = np.ones(cohort.arrivals.size)
    return {policy: score([(cohort, weights)], policy)._asdict() for policy in POLICIES}


def _page(figures: dict[str, dict[str, dict[str, dict[str, float | None]]]]) -> str:
    """Table of shares of the oracle's saving, start and pause, with the means of the grids."""
    zones = list(next(iter(figures.values())))
    head = "| forecast | " + " | ".join(zones) + " | mean |"
    lines = [head, "| --- |" + " ---: |" * (len(zones) + 1)]
    for name, grids in figures.items():
        cells = [f"{_share(grids[zone]['start'])} / {_share(grids[zone]['pause'])}" for zone in zones]
        means = [
            np.mean([grids[zone][policy]["share_of_oracle"] or 0.0 for zone in zones]) for policy in POLICIES
        ]
        lines.append(f"| {name} | {' | '.join(cells)} | {means[0]:.1%} / {means[1]:.1%} |")
    return "\n".join(lines)


def _share(found: dict[str, float | None]) -> str:
    share = found["share_of_oracle"]
    return "–" if share is None else f"{round(100.0 * share)}"


if __name__ == "__main__":
    main()
