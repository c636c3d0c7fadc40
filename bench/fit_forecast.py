"""The numbers of `sootprint.tracker.forecast.Prior`, fitted on the training halves and printed.

    python bench/fit_forecast.py [--rounds 3] [--synthetic 260] [--only NAME ...]

Only synthetic traces of seed `TRAINING_SEED`, a third of each kind, every second one with the number of its
evaluations and checkpoints told: the recorded ones are few, and are all
kept for scoring, as are those of `bench_forecast.py`'s seed. What is made small is the mean over all moments of the
pinball loss of the logarithm of the forecast energy at 5, 50 and 95 % (Koenker & Bassett, Econometrica 46, 1978): its
least value is where the three are the true quantiles.
"""

from __future__ import annotations

import argparse
import functools
import math
import multiprocessing
import statistics
from collections.abc import Sequence

import synthetic_traces
from replayed import Case, Moment, case

from sootprint.core.intervals import Draws
from sootprint.tracker import forecast as model
from sootprint.tracker.forecast import PRIOR, Prior, forecast

TRAINING_SEED = 1
QUANTILES = (0.05, 0.5, 0.95)
STEPS = (0.6, 0.85, 1.2, 1.6)  # factors that are tried on each number
SHIFTS = (-0.1, -0.04, 0.04, 0.1)  # for those that may be negative
SIGNED = ("warm", "change")
LEAST_GAIN = 1e-4
DRAWS = 128  # a quarter of those of a forecast, so that the fit takes minutes

Sample = tuple[Moment, float]


def _samples(cases: Sequence[Case]) -> list[Sample]:
    return [(moment, one.end_j) for one in cases for moment in one.moments.values() if moment.pace.left > 0.0]


def _loss(prior: Prior) -> float:
    """Mean pinball loss of all samples."""
    losses = []
    for moment, end_j in _known:
        energy_j = forecast(moment.pace, prior=prior).energy_j
        for share, value_j in zip(QUANTILES, (energy_j.low, energy_j.value, energy_j.high), strict=True):
            off = math.log(end_j / max(value_j or 0.0, 1e-9))
            losses.append(max(share * off, (share - 1.0) * off))
    return statistics.fmean(losses)


def _tried(prior: Prior, name: str) -> list[Prior]:
    value = getattr(prior, name)
    values = [value + by for by in SHIFTS] if name in SIGNED else [value * by for by in STEPS]
    bounded = [min(value, 1.0) if name in ("unseen", "untold", "trend") else value for value in values]
    return [prior._replace(**{name: round(value, 4)}) for value in bounded]


def fitted(names: Sequence[str], rounds: int, processes: int) -> Prior:
    """Prior with the least loss, one number after the other, some times around."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        best, least = PRIOR, _loss(PRIOR)
        for around in range(rounds):
            for name in names:
                tried = _tried(best, name)
                for prior, loss in zip(tried, pool.map(_loss, tried), strict=True):
                    if loss < least - LEAST_GAIN * least:
                        best, least = prior, loss
            print(f"round {around + 1}: loss {least:.5f}", flush=True)
    return best


_known: list[Sample] = []


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--synthetic", type=int, default=260)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="*", choices=Prior._fields, default=Prior._fields, metavar="NAME")
    given = parser.parse_args()
    model.DRAWS, model._draws = DRAWS, functools.cache(lambda: Draws(n=DRAWS))
    model.courses = functools.cache(model.courses)
    kinds = (synthetic_traces.OWN, synthetic_traces.SHARED, synthetic_traces.PLAIN)
    traces = [
        trace
        for kind in kinds
        for trace in synthetic_traces.traces(given.synthetic // len(kinds), seed=TRAINING_SEED, kind=kind)
    ]
    _known.extend(_samples([case(trace, told=index % 2 == 1) for index, trace in enumerate(traces)]))
    print(f"{len(_known)} moments; loss {_loss(PRIOR):.5f}")
    for name, value in fitted(given.only, given.rounds, given.processes)._asdict().items():
        print(f"    {name}: float = {value:g}")


if __name__ == "__main__":
    main()
