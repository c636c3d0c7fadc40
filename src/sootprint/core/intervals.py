"""Interval mathematics: products of lognormals in closed form, sums by seeded draws that share their factors.

A `Quantity` stands for a two-piece lognormal: below the median with the spread of `low`, above it with that of
`high`. Where a bound is unknown, the bound of whatever depends on it is unknown too, so that an interval never
narrows when knowledge is taken away.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor, Quantity

Z90 = 1.6448536269514722  # standard normal, 95th percentile
DRAWS = 512
SEED = 0
LEAST = 1e-300  # what is not above it counts as 0: ratios to it are no numbers
_WORD = (1 << 64) - 1


def exact(value: float, basis: str = "derived") -> Quantity:
    """Quantity without spread."""
    return Quantity(value=value, low=value, high=value, basis=basis)


def around(value: float, low_ratio: float, high_ratio: float, *, basis: str = "assumed") -> Quantity:
    """Quantity of at least 0 whose bounds are given as ratios to its value.

    Raises:
        InputError: The ratios do not enclose 1.
    """
    if not low_ratio <= 1.0 <= high_ratio:
        raise InputError(f"ratios {low_ratio}..{high_ratio} do not enclose 1")
    return Quantity(value=value, low=value * low_ratio, high=value * high_ratio, basis=basis)


def scaled(quantity: Quantity, ratio: float) -> Quantity:
    """Quantity times an exact number of at least 0, e.g. a unit conversion.

    Raises:
        InputError: The ratio is negative or not finite.
    """
    if not (ratio >= 0.0 and math.isfinite(ratio)):
        raise InputError(f"ratio {ratio} is not a finite number of at least 0")
    return Quantity(
        value=quantity.value * ratio,
        low=None if quantity.low is None else quantity.low * ratio,
        high=None if quantity.high is None else quantity.high * ratio,
        basis=quantity.basis,
    )


def product(*factors: Quantity, basis: str = "derived") -> Quantity:
    """Product of independent quantities of at least 0.

    The logarithms' half-widths add in quadrature: ln(high/value)^2 = sum of ln(high_i/value_i)^2, and alike below.

    Source:
        Limpert, Stahel & Abbt, Log-normal Distributions across the Sciences, BioScience 51 (2001).

    >>> p = product(around(10.0, 0.5, 2.0), around(3.0, 0.5, 2.0))
    >>> round(p.value, 3), round(p.high / p.value, 3)
    (30.0, 2.665)
    """
    value = math.prod(factor.value for factor in factors)
    if value == 0.0:
        high = None if any(f.high is None for f in factors) else math.prod(f.high or 0.0 for f in factors)
        return Quantity(value=0.0, low=0.0, high=high, basis=basis)
    return Quantity(
        value=value,
        low=_product_bound(value, factors, lambda factor: factor.low, sign=-1),
        high=_product_bound(value, factors, lambda factor: factor.high, sign=1),
        basis=basis,
    )


def together(quantities: Sequence[Quantity], basis: str = "derived") -> Quantity:
    """Sum of quantities of at least 0 that err together, as devices do that one meter reads.

    Their percentiles add, so that its value and bounds are exact; in between they are where all bounds have the same
    ratio to their value.

    >>> together([around(10.0, 0.5, 2.0), around(30.0, 0.9, 1.1)])
    Quantity(value=40.0, low=32.0, high=53.0, basis='derived')
    """
    if len(quantities) == 1:
        return quantities[0]
    lows, highs = [one.low for one in quantities], [one.high for one in quantities]
    return Quantity(
        value=math.fsum(one.value for one in quantities),
        low=None if None in lows else math.fsum(low or 0.0 for low in lows),
        high=None if None in highs else math.fsum(high or 0.0 for high in highs),
        basis=basis,
    )


def _product_bound(
    value: float, factors: Sequence[Quantity], bound: Callable[[Quantity], float | None], *, sign: int
) -> float | None:
    squares = 0.0
    for factor in factors:
        limit = bound(factor)
        if limit is None:
            return None
        ratio = limit / factor.value
        if ratio <= 0.0:  # also of a bound so small that the ratio is none
            return 0.0
        squares += math.log(ratio) ** 2
    return value if squares == 0.0 else value * math.exp(sign * math.sqrt(squares))


@lru_cache(maxsize=4)
def _normal_scores(n: int) -> tuple[float, ...]:
    """Standard normal quantiles at (k + 1/2) / n, `(n,)`.

    Newton's method on erf: the statistics module would load 20 times as much as these lines.
    """
    upper: list[float] = []
    z = 0.0
    for k in range(n // 2, n):
        share = (k + 0.5) / n
        for _ in range(50):
            error = 0.5 * (1.0 + math.erf(z / math.sqrt(2.0))) - share
            z -= error * math.sqrt(2.0 * math.pi) * math.exp(0.5 * z * z)
            if abs(error) < 1e-15:
                break
        upper.append(z)
    return tuple([-score for score in reversed(upper[n % 2 :])] + upper)


@lru_cache(maxsize=4)
def _places(n: int) -> tuple[int, ...]:
    return tuple(range(n))


def _shuffled(name: str, seed: int, n: int) -> tuple[int, ...]:
    """Places of the ordered draws in an order of their own for each name and seed, `(n,)`.

    The shuffle is that of Fisher and Yates, its numbers the upper half of a linear congruential generator: the random
    module takes 3 ms to load, at the end of each training.

    Source:
        Knuth, The Art of Computer Programming 2 (1997), 3.3.4, multiplier of MMIX; 3.4.2, algorithm P.
    """
    import zlib

    places = list(_places(n))
    state = ((zlib.crc32(name.encode()) << 32) ^ seed) & _WORD
    for last in range(n - 1, -1, -1):
        state = (6364136223846793005 * state + 1442695040888963407) & _WORD
        chosen = (state >> 32) * (last + 1) >> 32
        places[last], places[chosen] = places[chosen], places[last]
    return tuple(places)


@lru_cache(maxsize=32)
def _order(name: str, seed: int, n: int) -> Callable[[Sequence[float]], Sequence[float]]:
    """The same as a function that puts ordered draws there, in half the time of one place after another."""
    places = _shuffled(name, seed, n)
    return operator.itemgetter(*places) if n > 1 else list


def prepare(names: Iterable[str]) -> None:
    """Order the draws of some names now, so that a sum of their terms finds them made."""
    _normal_scores(DRAWS)
    for name in names:
        _order(name, SEED, DRAWS)


def drawn_as(factor: Factor) -> str:
    """Name of a factor's draw: what is of one kind, key and period is drawn once, wherever it enters."""
    return f"{factor.kind}:{factor.key}:{factor.period}"


class Draws:
    """Seeded draws in which a name always means the same draw: one PUE, one intensity for all terms of a run.

    Each name gets the same `n` normal scores in its own seeded order (Latin hypercube sampling; McKay, Beckman &
    Conover, Technometrics 21, 1979), so that the same inputs give the same interval to the last digit.
    """

    def __init__(self, seed: int = SEED, n: int = DRAWS) -> None:
        self._seed = seed
        self._n = n

    def of(self, name: str, quantity: Quantity) -> list[float] | None:
        """Draws of a quantity of at least 0, `(n,)`, shared by all who ask with this name; None without bounds."""
        if quantity.low is None or quantity.high is None:
            return None
        value = quantity.value
        if quantity.high <= LEAST or quantity.low == quantity.high:
            return [value] * self._n
        scores, order = _normal_scores(self._n), _order(name, self._seed, self._n)
        if value <= LEAST:
            drawn = [max(0.0, score) * quantity.high / Z90 for score in scores]
        else:
            middle, exp = self._n // 2, math.exp
            down = math.log(value / max(quantity.low, value * 1e-6)) / Z90
            up = math.log(quantity.high / value) / Z90
            drawn = [value * exp(score * down) for score in scores[:middle]]
            drawn += [value * exp(score * up) for score in scores[middle:]]
        return list(order(drawn))


class Total:
    """Sum of named quantities of at least 0 that may grow; terms of the same name vary together.

    The value is the sum of the values, so that a table adds up; the bounds are the 5th and 95th percentile of the
    summed draws. A sum that is looked at and grows again draws nothing twice.
    """

    def __init__(self, draws: Draws | None = None) -> None:
        self._draws = draws or Draws()
        self._values: list[float] = []
        self._sums: list[float] | None = None
        self._is_bounded = True

    def add(self, terms: Iterable[tuple[str, Quantity]]) -> Total:
        """The same sum with more terms."""
        for name, quantity in terms:
            self._values.append(quantity.value)
            drawn = self._draws.of(name, quantity) if self._is_bounded else None
            if drawn is None:
                self._is_bounded = False
            elif self._sums is None:
                self._sums = drawn
            else:
                self._sums = list(map(operator.add, self._sums, drawn))
        return self

    @property
    def value(self) -> float:
        """Best estimate of the sum so far; its bounds take longer."""
        return math.fsum(self._values)

    def quantity(self, basis: str = "derived") -> Quantity:
        """The sum so far."""
        value = self.value
        if not self._is_bounded:
            return Quantity(value=value, basis=basis)
        return exact(value, basis) if self._sums is None else from_draws(value, self._sums, basis=basis)


def total(
    terms: Iterable[tuple[str, Quantity]], *, draws: Draws | None = None, basis: str = "derived"
) -> Quantity:
    """Sum of named quantities of at least 0, as `Total` makes it."""
    return Total(draws).add(terms).quantity(basis)


def from_draws(value: float, drawn: Sequence[float], *, basis: str = "derived") -> Quantity:
    """Quantity of a best estimate and its draws, `(n,)`: bounds at the 5th and 95th percentile."""
    ordered = sorted(drawn)
    low, high = _percentile(ordered, 0.05), _percentile(ordered, 0.95)
    return Quantity(value=value, low=min(low, value), high=max(high, value), basis=basis)


def _percentile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    index = int(position)
    above = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (position - index) * (above - ordered[index])
