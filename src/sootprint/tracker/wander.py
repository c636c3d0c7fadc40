"""How the pace of a run may go on: its course so far under many assumptions, each weighed by how well it fits.

The time of a usual unit over its present one is taken as a Gaussian process over the progress u of the run,

    t_u / t_0 = 1 + level + wander(u) + slope (u - p) + step(u < c) + settling(u) + noise

and what is asked is its mean from p to 1. Given how strong wander, slope and noise are, that is a linear problem
(kriging); how strong they are is not known, and each set of strengths counts by its prior and its likelihood.
Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), equations 2.23-2.30.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

from sootprint.tracker.pace import Block

LEVEL = 1.0  # spread of the level around the reference: wide
RANGES = (0.01, 0.06, 0.3)  # progress over which a wandering pace forgets where it was; each alike
WARM = 0.1  # size and spread, at the start, of a warm-up that is still going on
WARMED = 0.005  # progress over which it decays
SETTLE = 0.05  # spread of what is left of a warm-up at the first block
SETTLED = 0.25  # share of what was seen over which it decays
STEP = 0.7  # spread of a step between two stages
STEPPED = 0.5  # chance that what looks like one is one
# Strengths of the wander that are tried, in spreads of its prior:
SCORES = (-1.5, -0.75, 0.0, 0.75, 1.5, 2.25)
NOISES = (1.0, 6.0)  # factors on the variance of the blocks: neighbours may resemble each other


class Strengths(NamedTuple):
    """What is taken of the course of a run before it is seen.

    Args:
        wander: Median spread of the wander.
        wander_spread: Spread of its logarithm.
        trend: Chance that units get longer or shorter steadily.
        slope: Spread of the slope where they do, over a whole run.
        noise: Spread of the time of one unit, for as long as few were seen.
    """

    wander: float
    wander_spread: float
    trend: float
    slope: float
    noise: float


class Course(NamedTuple):
    """One way in which the pace may go on: its weight, and mean and spread of what the rest takes more [1]."""

    weight: float
    mean: float
    spread: float


def factor(more: float) -> float:
    """Ratio of two times from what one takes more; as far below 1 as above, so that none is negative."""
    return 1.0 + more if more >= 0.0 else 1.0 / (1.0 - more)


def courses(
    blocks: Sequence[Block],
    *,
    progress: float,
    unit_s: float,
    noise: float,
    prior: Strengths,
    change: float | None = None,
) -> list[Course]:
    """Ways in which the pace may go on.

    Args:
        blocks: What was seen.
        progress: Units done over all units [0-1].
        unit_s: Time that the ratios are taken to [s].
        noise: Spread of the time of one unit as seen [1].
        prior: What is taken beforehand.
        change: Progress where a stage seems to have begun.
    """
    early = [WARM * math.exp(-block.at / WARMED) for block in blocks]
    values = [block.unit_s / unit_s - 1.0 - more for block, more in zip(blocks, early, strict=True)]
    units = sum(block.units for block in blocks)
    variance = (prior.noise**2 + (units - 1) * noise**2) / units
    noises = [variance / block.units for block in blocks]
    wander, ahead, whole = _wander(blocks, progress)
    far = [block.at - progress for block in blocks]
    fixed = _fixed(blocks, early, progress)
    half = 0.5 * (1.0 - progress)
    found = []
    stepped = [float(change is not None and block.at < change) for block in blocks]
    for (strength, weight), (slope, chance), (step, likely) in itertools.product(
        _strengths(prior), _slopes(prior), _steps(any(stepped))
    ):
        kernel = [
            [
                f + strength * w + slope * x * y + step * a * b
                for f, w, y, b in zip(fixed_row, wander_row, far, stepped, strict=True)
            ]
            for fixed_row, wander_row, x, a in zip(fixed, wander, far, stepped, strict=True)
        ]
        cross = [LEVEL**2 + strength * a + slope * half * x for a, x in zip(ahead, far, strict=True)]
        own = LEVEL**2 + strength * whole + slope * half * half
        for times in NOISES:
            mean, left, log_likelihood = _solved(kernel, [times * one for one in noises], values, cross)
            found.append(
                (math.log(weight * chance * likely) + log_likelihood, mean, math.sqrt(max(own - left, 0.0)))
            )
    most = max(log for log, _, _ in found)
    total = math.fsum(math.exp(log - most) for log, _, _ in found)
    return [Course(math.exp(log - most) / total, mean, spread) for log, mean, spread in found]


def scatter(blocks: Sequence[Block]) -> float:
    """Spread of the blocks of a course around their straight line, over their mean; 0 for less than four [1]."""
    count = len(blocks)
    if count < 4:
        return 0.0
    middle, mean_s = sum(one.at for one in blocks) / count, sum(one.unit_s for one in blocks) / count
    square = sum((one.at - middle) ** 2 for one in blocks)
    slope = sum((one.at - middle) * (one.unit_s - mean_s) for one in blocks) / max(square, 1e-12)
    off = sum((one.unit_s - mean_s - slope * (one.at - middle)) ** 2 for one in blocks)
    return math.sqrt(off / (count - 2)) / mean_s


def _fixed(blocks: Sequence[Block], early: Sequence[float], progress: float) -> list[list[float]]:
    """Covariances of the parts whose strength is given: level, warm-up and settling."""
    begin = blocks[0].at
    rate = SETTLED * max(progress - begin, 1e-9)
    settling = [SETTLE * math.exp((begin - block.at) / rate) for block in blocks]
    return [
        [LEVEL**2 + a * b + c * d for b, d in zip(settling, early, strict=True)]
        for a, c in zip(settling, early, strict=True)
    ]


def _strengths(prior: Strengths) -> list[tuple[float, float]]:
    """Variances of the wander with their weights."""
    return [
        ((prior.wander * math.exp(prior.wander_spread * score)) ** 2, math.exp(-0.5 * score * score))
        for score in SCORES
    ]


def _slopes(prior: Strengths) -> list[tuple[float, float]]:
    """Variances of the slope with their chances."""
    return [(0.0, 1.0 - prior.trend), (prior.slope**2, prior.trend)] if prior.trend else [(0.0, 1.0)]


def _steps(seen: bool) -> list[tuple[float, float]]:
    """Variances of the step with their chances."""
    return [(0.0, 1.0 - STEPPED), (STEP**2, STEPPED)] if seen else [(0.0, 1.0)]


def _wander(blocks: Sequence[Block], progress: float) -> tuple[list[list[float]], list[float], float]:
    """Covariances of unit wander: of the blocks, of each with the mean of the rest, and of that mean."""
    count, rest = len(blocks), max(1.0 - progress, 1e-9)
    between = [[0.0] * count for _ in blocks]
    ahead, whole = [0.0] * count, 0.0
    for tau in RANGES:
        for i, a in enumerate(blocks):
            for j in range(i):
                between[i][j] += math.exp((blocks[j].at - a.at) / tau) / len(RANGES)
            between[i][i] += _own(a.length / tau) / len(RANGES)
            near, distant = math.exp((a.at - progress) / tau), math.exp((a.at - 1.0) / tau)
            ahead[i] += tau / rest * (near - distant) / len(RANGES)
        whole += _own(rest / tau) / len(RANGES)
    for i, j in itertools.combinations(range(count), 2):
        between[i][j] = between[j][i]
    return between, ahead, whole


def _own(x: float) -> float:
    """Variance of the mean of an Ornstein-Uhlenbeck process of unit variance over x of its ranges."""
    return 1.0 - x / 3.0 if x < 1e-3 else 2.0 / x * (1.0 - (1.0 - math.exp(-x)) / x)


def _solved(
    kernel: list[list[float]], noises: list[float], values: list[float], cross: list[float]
) -> tuple[float, float, float]:
    """Mean of what is asked, how much of its variance is explained, and the log-likelihood of the values.

    By Cholesky's decomposition, row by row, with the two right sides carried along.
    """
    rows: list[list[float]] = []
    seen: list[float] = []
    asked: list[float] = []
    log_root = 0.0
    for i, line in enumerate(kernel):
        row: list[float] = []
        for j in range(i):
            row.append((line[j] - sum(map(mul, row, rows[j]))) / rows[j][j])
        root = math.sqrt(max(line[i] + noises[i] - sum(map(mul, row, row)), 1e-12))
        seen.append((values[i] - sum(map(mul, row, seen))) / root)
        asked.append((cross[i] - sum(map(mul, row, asked))) / root)
        row.append(root)
        rows.append(row)
        log_root += math.log(root)
    return (
        sum(map(mul, seen, asked)),
        sum(map(mul, asked, asked)),
        -0.5 * sum(map(mul, seen, seen)) - log_root,
    )
