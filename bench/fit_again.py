"""The numbers of `sootprint.tracker.again` that say how alike runs of a name are, tried on the training seed.

    python bench/fit_again.py [--synthetic 60]

Synthetic pairs of each kind, of the seed that `fit_forecast.py` uses, each with its earlier run and with one of another
training, at 1, 5 and 20 % of the run. The loss is that of `fit_forecast.py`; the recorded pairs are only scored, by
`bench_forecast.py`.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
from collections.abc import Mapping, Sequence

import repeats
import synthetic_traces
from fit_forecast import QUANTILES, TRAINING_SEED
from replayed import Case

from sootprint.core.quantity import Quantity
from sootprint.tracker import again
from sootprint.tracker.forecast import forecast

KINDS = (synthetic_traces.OWN, synthetic_traces.PLAIN, synthetic_traces.SHARED)
AT = (0.01, 0.05, 0.2)
SCALES, LATER = (0.67, 1.0, 1.67), (0.0, 0.5, 1.0)
SIZES = again.SIZES

Result = tuple[float, bool]


def pinball(energy: Quantity, end_j: float) -> float:
    """Mean loss of the three quantiles of one forecast."""
    losses = []
    for share, value in zip(QUANTILES, (energy.low, energy.value, energy.high), strict=True):
        off = math.log(end_j / max(value or 0.0, 1e-9))
        losses.append(max(share * off, (share - 1.0) * off))
    return statistics.fmean(losses)


def scored(cases: Sequence[Case]) -> list[Result]:
    """Loss of each forecast, and whether the end was inside."""
    found = []
    for one in cases:
        for share in AT:
            moment = one.moments.get(share)
            if moment is not None and moment.pace.left > 0.0:
                energy = forecast(moment.pace, earlier=one.earlier).energy_j
                inside = (energy.low or 0.0) <= one.end_j <= (energy.high or 0.0)
                found.append((pinball(energy, one.end_j), inside))
    return found


def _line(groups: Mapping[str, Sequence[Case]]) -> str:
    cells = []
    for name, cases in groups.items():
        found = scored(cases)
        loss = 100.0 * statistics.fmean(loss for loss, _ in found)
        cells.append(f"{name}: loss {loss:.3f}, {sum(inside for _, inside in found)} of {len(found)} inside")
    return "; ".join(cells)


def main() -> None:
    """Try, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--synthetic", type=int, default=60, help="pairs of each kind")
    count = parser.parse_args().synthetic
    same, other = [], []
    for kind in KINDS:
        pairs = repeats.pairs(count, seed=TRAINING_SEED, kind=kind)
        cases = [repeats.after(runs[-1], *runs[:-1]) for runs in pairs]
        same += cases
        other += repeats.with_another(cases)
    for scale, later in itertools.product(SCALES, LATER):
        again.LATER = later
        again.SIZES = tuple(size._replace(rest=scale * size.rest) for size in SIZES)
        print(
            f"rest x {scale:g}, LATER {later:g}: {_line({'same': same, 'another': other})}",
            flush=True,
        )


if __name__ == "__main__":
    main()
