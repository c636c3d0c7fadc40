"""Scores of predictions against published runs: errors, coverage, interval score."""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Sequence
from typing import NamedTuple

LEVEL = 0.9
DRAWS = 2000  # of the bootstrap


class Guess(NamedTuple):
    """A prediction of one run, with bounds where its maker states some."""

    id: str
    family: str
    value: float
    truth: float
    low: float | None = None
    high: float | None = None

    @property
    def off(self) -> float:
        """Relative error [1]."""
        return self.value / self.truth - 1.0


class Score(NamedTuple):
    """Scores of one predictor.

    Args:
        name: Predictor.
        count: Runs.
        median: Median absolute error [%].
        span: The same, 5th and 95th percentile when families are drawn anew [%].
        mean: Mean absolute error [%].
        p90: 90th percentile of the absolute error [%].
        bias: Median error [%].
        inside: Runs inside the 90 % interval, or None.
        p_value: Exact two-sided binomial p value of that count, or None.
        width: Median factor from the best estimate to a bound, or None.
        winkler: Mean interval score of the logarithms; smaller is better, or None.
    """

    name: str
    count: int
    median: float
    span: tuple[float, float]
    mean: float
    p90: float
    bias: float
    inside: int | None = None
    p_value: float | None = None
    width: float | None = None
    winkler: float | None = None


def score(name: str, guesses: Sequence[Guess]) -> Score:
    """Scores of the guesses of one predictor."""
    errors = sorted(100.0 * abs(guess.off) for guess in guesses)
    bias = 100.0 * statistics.median(guess.off for guess in guesses)
    plain = Score(
        name,
        len(guesses),
        statistics.median(errors),
        _span(guesses),
        statistics.fmean(errors),
        _p90(errors),
        bias,
    )
    bounded = [guess for guess in guesses if guess.low is not None and guess.high is not None]
    if len(bounded) < len(guesses):
        return plain
    inside = sum((guess.low or 0.0) <= guess.truth <= (guess.high or 0.0) for guess in bounded)
    return plain._replace(
        inside=inside,
        p_value=binomial_p(inside, len(bounded)),
        width=statistics.median(math.sqrt((guess.high or 0.0) / (guess.low or 1.0)) for guess in bounded),
        winkler=statistics.fmean(map(_winkler, bounded)),
    )


def _span(guesses: Sequence[Guess]) -> tuple[float, float]:
    """What the median error might have been with other families of the same kind: a cluster bootstrap [%].

    Source:
        Davison & Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    errors: dict[str, list[float]] = {}
    for guess in guesses:
        errors.setdefault(guess.family, []).append(100.0 * abs(guess.off))
    chance, names = random.Random(0), list(errors)
    drawn = sorted(
        statistics.median(
            itertools.chain.from_iterable(errors[name] for name in chance.choices(names, k=len(names)))
        )
        for _ in range(DRAWS)
    )
    return drawn[round(0.05 * DRAWS)], drawn[round(0.95 * DRAWS) - 1]


def binomial_p(inside: int, count: int, level: float = LEVEL) -> float:
    """Two-sided exact p value of a count of hits: the chance of one that is no likelier."""
    chances = [math.comb(count, k) * level**k * (1.0 - level) ** (count - k) for k in range(count + 1)]
    return min(1.0, math.fsum(chance for chance in chances if chance <= chances[inside] * (1.0 + 1e-9)))


def _winkler(guess: Guess) -> float:
    """Interval score of the logarithm (Winkler 1972; Gneiting & Raftery 2007, equation 43)."""
    low, high, truth = math.log(guess.low or 1e-300), math.log(guess.high or 1e-300), math.log(guess.truth)
    missed = max(0.0, low - truth) + max(0.0, truth - high)
    return high - low + 2.0 / (1.0 - LEVEL) * missed


def _p90(ordered: Sequence[float]) -> float:
    """90th percentile of sorted numbers, between the nearest two."""
    position = 0.9 * (len(ordered) - 1)
    index = int(position)
    above = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (position - index) * (above - ordered[index])


def lines(title: str, goal: str, scores: Sequence[Score]) -> list[str]:
    """Table of scores as Markdown."""
    found = [f"## {title}", "", goal, ""]
    found.append(
        "| predictor | runs | median error | 90 % of that | mean | p90 | bias | inside | p | width | interval score |"
    )
    found.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for one in scores:
        errors = [f"{value:.1f} %" for value in (one.median, one.mean, one.p90)]
        errors.insert(1, f"{one.span[0]:.0f}–{one.span[1]:.0f} %")
        cells = [one.name, str(one.count), *errors, f"{one.bias:+.1f} %", *_bounds(one)]
        found.append(f"| {' | '.join(cells)} |")
    return [*found, ""]


def _bounds(one: Score) -> list[str]:
    if one.inside is None or one.p_value is None or one.width is None or one.winkler is None:
        return ["none"] * 4
    share = f"{one.inside}/{one.count} ({100 * one.inside / one.count:.0f} %)"
    return [share, f"{one.p_value:.2f}", f"x/÷ {one.width:.2f}", f"{one.winkler:.2f}"]
