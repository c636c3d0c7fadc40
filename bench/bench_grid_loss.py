"""Where a forecast of intensity loses the saving: what perfect knowledge of a part of the hours ahead would give.

Run as `python bench/bench_grid_loss.py`; it needs the traces of `../shared`. Jobs are those of
`bench_grid_forecast.py`, on hourly means and without the guard, so that a row differs from the next by the forecast
alone. It takes a minute.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core

import numpy as np

from sootprint.planner.backtest import FIRST_DAY, POLICIES, arrivals_every, plan_cohort, score
from sootprint.planner.exact import Floats
from sootprint.planner.forecast import filled, forecasts
from sootprint.planner.history import from_trace

TRACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "traces"
DAY, HORIZON = 24, 48  # steps
PASTS = (28, 42, 60, 120)  # days of past that a forecast is made from
Shares = tuple[float, float]


def main() -> None:
    """Print a row for each forecast: shares of the oracle's saving, start and pause, by grid and in the mean."""
    grids = [_hourly(path) for path in sorted(TRACES.glob("*.csv.gz"))]
    if not grids:
        raise SystemExit(f"{TRACES} has no traces: put them beside the repository")
    for name, made in _rows():
        found = [_shares(values, made(filled(values, per_day=DAY))) for values in grids]
        print(_line(name, found), flush=True)
    for quarter in range(4):
        found = [
            _shares(values, forecasts(filled(values, per_day=DAY), HORIZON, per_day=DAY), quarter)
            for values in grids
        ]
        print(_line(f"blend, quarter {quarter + 1} of the arrivals", found), flush=True)


def _hourly(path: Path) -> Floats:
    history = from_trace(path)
    made: Floats = history.values.reshape(-1, history.per_hour).mean(axis=1)
    return made


def _rows() -> Iterator[tuple[str, Callable[[Floats], Floats]]]:
    def blend(values: Floats) -> Floats:
        return forecasts(values, HORIZON, per_day=DAY)

    def truth(values: Floats) -> Floats:
        return forecasts(values, HORIZON, per_day=DAY, name="perfect")

    def first(hours: int) -> Callable[[Floats], Floats]:
        return lambda values: np.hstack((truth(values)[:, :hours], blend(values)[:, hours:]))

    def nearer(share: float) -> Callable[[Floats], Floats]:
        return lambda values: share * truth(values) + (1.0 - share) * blend(values)

    def levelled(values: Floats) -> Floats:
        made, true = blend(values).reshape(-1, 2, DAY), truth(values).reshape(-1, 2, DAY)
        level: Floats = made + (true - made).mean(axis=2, keepdims=True)
        return level.reshape(-1, HORIZON)

    yield "blend", blend
    for hours in (6, 12, 24):
        yield f"the next {hours} h known", first(hours)
    yield "means of both days known", levelled
    for share in (0.1, 0.3, 0.5):
        yield f"errors {share:.0%} smaller", nearer(share)
    for days in PASTS:
        yield f"past of {days} days", _short(days)


def _short(days: int) -> Callable[[Floats], Floats]:
    """Blend that sees so many days of the past, fitted anew every two weeks."""

    def made(values: Floats) -> Floats:
        found = forecasts(values, HORIZON, per_day=DAY, name="persistence")
        for at in range(14 * DAY, values.size, 14 * DAY):
            low, high = max(0, at - days * DAY), min(values.size, at + 14 * DAY)
            padded = np.append(values[low:high], np.full(HORIZON, values[high - 1]))
            found[at:high] = forecasts(padded, HORIZON, per_day=DAY, since=at - low)[at - low : high - low]
        return found

    return made


def _shares(values: Floats, made: Floats, quarter: int | None = None) -> Shares:
    arrivals = arrivals_every(values.size, HORIZON, every=1, first=FIRST_DAY * DAY)
    some = arrivals if quarter is None else np.array_split(arrivals, 4)[quarter]
    cohort = plan_cohort(values, made, some, DAY, DAY, per_day=DAY, guarded=False)
    weights = np.ones(cohort.arrivals.size)
    start, pause = (score([(cohort, weights)], policy).share_of_oracle or 0.0 for policy in POLICIES)
    return start, pause


def _line(name: str, found: list[Shares]) -> str:
    cells = [f"{100.0 * start:.0f} / {100.0 * pause:.0f}" for start, pause in found]
    means = np.mean(found, axis=0) * 100.0
    return f"| {name} | {' | '.join(cells)} | {means[0]:.1f} / {means[1]:.1f} |"


if __name__ == "__main__":
    main()
