"""Synthetic trainings from a seed: what happens in a run, how often and how large, each drawn as said below.

| what | how it is drawn |
|---|---|
| units | 60 to 5000, even on a log scale; every 1 to N/600 of them marked |
| length | median 40 min, lognormal with spread 0.7, at least 10 min; ticks of 1 s |
| set-up | 0.02 to 1 % of the run before the first unit, even on a log scale, at 40 to 80 % of the power |
| first unit | compiles or loads for 0.01 to 3 % of the run, even on a log scale, at 40 to 100 % of the power |
| warm-up | units longer by 2 to 50 %, even on a log scale, decaying over 0.05 to 2 % of the run |
| noise of the units | 1 to 15 %, even on a log scale; in half of the runs neighbours correlate by 0.8 |
| stragglers | up to 0.3 % of the units, 2 to 8 times as long |
| growth | 1 of 10 runs; the last unit takes 0.6 to 5 times the first, even on a log scale, in a straight line |
| checkpoints | 8 of 10 runs; every 0.5 to 20 % of it, even on a log scale; median 1 % of its time, at 30 to 70 % |
| evaluation | 8 of 10 runs; median 4 % of the time, at 60 to 100 %; every 1 to 25 %, even on a log scale |
| at each unit | evaluation in 6 of 10 of the runs of less than 300 units, and in 1 of 10 of the longer ones |
| sizes | first evaluation or checkpoint 1.2 to 5 times as long in 3 of 10 runs; in half of those that grow, they grow |
| last evaluation | 4 of 10 runs; 0.1 to 3 % of the time |
| stage changes | Poisson with mean 0.3, at 3 to 97 %; times of units 1.3 as long (spread 0.5), power 1 (0.1) |
| drift | random walk of the time of a unit (spread 0 to 4 % over the run) and of the power (0 to 3 %) |
| pause | 1 of 20 runs waits once for 0.5 to 5 % of the time at 30 to 50 % power |
| power | noise of each tick 1 to 8 %, half of it correlated by 0.9 with the tick before |

On shared machines also, each spread and range even on a log scale:

| what | how it is drawn |
|---|---|
| wander | spread of 2 to 15 %, forgotten over 0.5 to 30 % of the run |
| neighbours | in half of the runs, for 10 to 60 % of it in spells of 0.5 to 20 %; units take 1.1 to 1.6 as long |

Plain runs have less of all: the first unit up to 1 % of the run, noise up to 10 %, no growth and no larger first
evaluation; evaluation of 2.5 % (median) after each unit in 4 of 10 of the runs, else every 1 to 20 %; changes of the
stage to 1.1 as long (spread 0.4).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Rng = np.random.Generator
Between = tuple[str, float, float]


class Kind(NamedTuple):
    """What differs between kinds of runs; see the tables above."""

    first: float = 0.03
    noise: float = 0.15
    growth: float = 0.1
    evaluation: float = 0.04
    farthest: float = 0.25
    each: tuple[float, float] = (0.6, 0.1)
    larger: float = 0.3
    change: tuple[float, float] = (0.25, 0.5)
    others: bool = False
    key: tuple[int, ...] = ()


OWN, SHARED = Kind(), Kind(others=True, key=(1,))
PLAIN = Kind(0.01, 0.1, 0.0, 0.025, 0.2, (0.4, 0.4), 0.0, (0.1, 0.4), key=(2,))


def traces(count: int, *, seed: int, kind: Kind = OWN) -> list[dict[str, Any]]:
    """Traces in the form of those that were recorded."""
    return [
        trace(np.random.default_rng([seed, index, *kind.key]), f"synthetic-{index:03d}", kind=kind)
        for index in range(count)
    ]


def trace(rng: Rng, name: str, *, kind: Kind = OWN) -> dict[str, Any]:
    """One trace."""
    units = int(np.exp(rng.uniform(np.log(60), np.log(5000))))
    length_s = max(600.0, 2400.0 * np.exp(0.7 * rng.normal()))
    growth = _log_even(rng, 0.6, 5.0) if rng.random() < kind.growth else 1.0
    times, powers = _course(rng, units, growth, kind=kind)
    if kind.others:
        times *= _others(rng, units)
    edges = [(_log_even(rng, 2e-4, 0.01), rng.uniform(0.4, 0.8))]  # set-up, before the first unit
    marks, named, extra = [], {}, _between(rng, units, growth if rng.random() < 0.5 else 1.0, kind=kind)
    for index in range(units):
        edges.append((times[index] / units, powers[index]))
        marks.append(len(edges))
        for name, duration, power in extra.get(index, []):
            named[len(edges)] = name
            edges.append((duration, power))
    durations = np.array([duration for duration, _ in edges])
    ends = np.cumsum(durations) * length_s / durations.sum()
    energy = np.cumsum(np.diff(ends, prepend=0.0) * np.array([power for _, power in edges]) * 200.0)
    ticks = np.arange(0.0, ends[-1] + 1.0, 1.0)
    clean = np.diff(np.interp(ticks, np.concatenate([[0.0], ends]), np.concatenate([[0.0], energy])))
    read = np.concatenate([[0.0], np.cumsum(clean * (1.0 + _tick_noise(rng, len(clean))))])
    every = int(rng.integers(1, max(2, units // 600 + 1)))
    kept = [index for index in range(units) if (index + 1) % every == 0 or index + 1 == units]
    return {
        "name": name,
        "unit": "step",
        "total": units,
        "end_s": float(ends[-1]),
        "end_j": float(read[-1]),
        "ticks": np.stack([ticks, read], 1).tolist(),
        "spans": [[name, float(ends[edge - 1]), float(ends[edge])] for edge, name in named.items() if name],
        "units": [[float(ends[marks[index] - 1]), index + 1] for index in kept],
    }


def _log_even(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _course(rng: Rng, units: int, growth: float, *, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """Time of each unit over the usual one and its power over the full one, `(units,)`."""
    at = np.arange(units)
    warm = _log_even(rng, 0.02, 0.5) * np.exp(-at / (_log_even(rng, 5e-4, 0.02) * units))
    noise = _log_even(rng, 0.01, kind.noise) * _related(rng, units, 0.8 if rng.random() < 0.5 else 0.0)
    times = (1.0 + warm) * np.exp(noise) * np.exp(_walk(rng, units, rng.uniform(0.0, 0.04)))
    times *= np.linspace(1.0, growth, units) / (0.5 * (1.0 + growth))
    powers = np.exp(_walk(rng, units, rng.uniform(0.0, 0.03)))
    stragglers = rng.random(units) < rng.uniform(0.0, 0.003)
    times[stragglers] *= rng.uniform(2.0, 8.0, stragglers.sum())
    for _ in range(rng.poisson(0.3)):
        since = int(rng.uniform(0.03, 0.97) * units)
        times[since:] *= np.exp(kind.change[0] + kind.change[1] * rng.normal())
        powers[since:] *= np.exp(0.1 * rng.normal())
    first = _log_even(rng, 1e-4, kind.first) * units
    powers[0] = (powers[0] * times[0] + rng.uniform(0.4, 1.0) * first) / (times[0] + first)
    times[0] += first
    return times, powers


def _others(rng: Rng, units: int) -> np.ndarray:
    """What others on the machine make of the time of each unit, `(units,)`."""
    wander = _log_even(rng, 0.02, 0.15) * _related(
        rng, units, np.exp(-1.0 / (_log_even(rng, 0.005, 0.3) * units))
    )
    if rng.random() < 0.5:
        return np.exp(wander)
    share, spell = rng.uniform(0.1, 0.6), _log_even(rng, 0.005, 0.2) * units
    leave, come = 1.0 / spell, share / (1.0 - share) / spell
    beside, here = rng.random() < share, np.empty(units, dtype=bool)
    for index, u in enumerate(rng.random(units)):
        beside = u >= leave if beside else u < come
        here[index] = beside
    return np.exp(wander) * np.where(here, rng.uniform(1.1, 1.6), 1.0)


def _between(rng: Rng, units: int, growth: float, *, kind: Kind) -> dict[int, list[Between]]:
    """What comes after a unit: name, where it is told; time over that of all usual units; and power."""
    found: dict[int, list[Between]] = {}
    shape = (growth, rng.uniform(1.2, 5.0) if rng.random() < kind.larger else 1.0)
    if rng.random() < 0.8:
        whole = 0.01 * np.exp(0.8 * rng.normal())
        _periodic(
            found,
            "checkpoint",
            _every(_log_even(rng, 0.005, 0.2), units),
            whole,
            rng.uniform(0.3, 0.7),
            shape,
        )
    if rng.random() < 0.8:
        whole = kind.evaluation * np.exp(0.8 * rng.normal())
        each = rng.random() < kind.each[units >= 300]
        distance = 0.0 if each else _log_even(rng, 0.01, kind.farthest)
        _periodic(found, "evaluation", _every(distance, units), whole, rng.uniform(0.6, 1.0), shape)
    if rng.random() < 0.4:
        found.setdefault(units - 1, []).append(("", _log_even(rng, 0.001, 0.03), 0.9))
    if rng.random() < 0.05:
        found.setdefault(int(rng.integers(units)), []).append(
            ("", rng.uniform(0.005, 0.05), rng.uniform(0.3, 0.5))
        )
    return found


def _every(distance: float, units: int) -> range:
    every = max(1, round(distance * units))
    return range(every - 1, units, every)


def _periodic(
    found: dict[int, list[Between]],
    name: str,
    at: range,
    whole: float,
    power: float,
    shape: tuple[float, float],
) -> None:
    """Add what comes after some units, whose sizes grow and of which the first one is larger."""
    growth, first = shape
    sizes = np.linspace(1.0, growth, len(at)) / (0.5 * (1.0 + growth) * max(1, len(at)))
    for index, size in zip(at, sizes, strict=True):
        found.setdefault(index, []).append((name, whole * size * (first if index == at[0] else 1.0), power))


def _related(rng: Rng, count: int, by: float) -> np.ndarray:
    """Standard normals of which neighbours correlate, `(count,)`."""
    fresh = rng.normal(size=count) * np.sqrt(1.0 - by**2)
    made, last = np.empty(count), float(rng.normal())
    for index in range(count):
        last = by * last + fresh[index]
        made[index] = last
    return made


def _walk(rng: Rng, count: int, spread: float) -> np.ndarray:
    return np.cumsum(rng.normal(size=count)) * spread / np.sqrt(count)


def _tick_noise(rng: Rng, count: int) -> np.ndarray:
    size = rng.uniform(0.01, 0.08) / np.sqrt(2.0)
    return np.clip(size * (rng.normal(size=count) + _related(rng, count, 0.9)), -0.9, 0.9)
