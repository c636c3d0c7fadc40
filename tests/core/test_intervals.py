"""Interval mathematics."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.intervals import (
    Z90,
    Draws,
    Total,
    around,
    exact,
    from_draws,
    product,
    scaled,
    together,
    total,
)
from sootprint.core.quantity import Quantity

ABOVE = st.floats(1e-3, 1e6)
LOW_RATIO = st.floats(0.05, 1.0)
HIGH_RATIO = st.floats(1.0, 10.0)
SPREAD = st.builds(around, ABOVE, LOW_RATIO, HIGH_RATIO)
SPREADS = st.lists(SPREAD, min_size=1, max_size=5)


def _drawn(rng: np.random.Generator, quantity: Quantity, n: int = 200_000) -> np.ndarray:
    """Plain Monte Carlo of the two-piece lognormal that a Quantity stands for, `(n,)`."""
    assert quantity.low is not None
    assert quantity.high is not None
    scores = rng.standard_normal(n)
    spread = np.where(
        scores > 0.0, np.log(quantity.high / quantity.value), np.log(quantity.value / quantity.low)
    )
    return quantity.value * np.exp(spread / Z90 * scores)


def _narrowed(quantity: Quantity, other: Quantity) -> bool:
    """Whether `other` has a bound inside the interval of `quantity`, beyond rounding."""
    inside_low = other.low is not None and (quantity.low is None or other.low > quantity.low * (1 + 1e-12))
    inside_high = other.high is not None and (
        quantity.high is None or other.high < quantity.high * (1 - 1e-12)
    )
    return inside_low or inside_high


def test_product_of_two_factors_of_two() -> None:
    """Half to double, twice: exp(sqrt(2) x ln 2) = 2.6651."""
    both = product(around(10.0, 0.5, 2.0), around(3.0, 0.5, 2.0))
    assert both.value == 30.0
    assert both.high == pytest.approx(30.0 * 2.6651, rel=1e-4)
    assert both.low == pytest.approx(30.0 / 2.6651, rel=1e-4)


@pytest.mark.parametrize(
    "ratios", [[1.02, 1.3], [1.5, 1.5], [2.0, 1.1, 1.05], [3.0, 2.0], [1.1, 1.2, 1.3, 1.4]]
)
def test_product_agrees_with_monte_carlo_where_factors_are_even(ratios: list[float]) -> None:
    """Factors of equal spread up and down on the log scale: the closed form is exact, within the 1 % of the draws."""
    rng = np.random.default_rng(17)
    factors = [around(7.0, 1.0 / ratio, ratio) for ratio in ratios]
    closed = product(*factors)
    low, high = np.percentile(np.prod([_drawn(rng, f) for f in factors], axis=0), [5.0, 95.0])
    assert closed.low == pytest.approx(low, rel=0.01)
    assert closed.high == pytest.approx(high, rel=0.01)


@pytest.mark.parametrize(
    "bounds",
    [
        [(0.9, 2.0), (0.9, 2.0)],
        [(0.9, 2.0), (0.5, 1.1)],
        [(0.2, 1.2), (0.8, 1.1), (0.95, 1.3)],
        [(0.05, 1.7), (0.7, 1.3), (0.95, 1.05)],
        [(0.97, 1.03), (0.1, 2.0), (0.91, 1.5)],
    ],
)
def test_product_of_uneven_factors_stays_near_monte_carlo(bounds: list[tuple[float, float]]) -> None:
    """Skewed factors of the size that occur: each bound within 7 % of brute force."""
    rng = np.random.default_rng(18)
    factors = [around(1.0, low, high) for low, high in bounds]
    closed = product(*factors)
    low, high = np.percentile(np.prod([_drawn(rng, f) for f in factors], axis=0), [5.0, 95.0])
    assert closed.low == pytest.approx(low, rel=0.07)
    assert closed.high == pytest.approx(high, rel=0.07)


@pytest.mark.parametrize(
    "terms",
    [
        [(10.0, 0.5, 2.0), (3.0, 0.8, 1.3)],
        [(100.0, 0.95, 1.05), (20.0, 0.5, 1.5), (5.0, 0.2, 3.0)],
        [(1.0, 0.9, 2.5), (1.0, 0.9, 2.5), (1.0, 0.9, 2.5)],
    ],
)
def test_total_agrees_with_monte_carlo(terms: list[tuple[float, float, float]]) -> None:
    """512 ordered draws give the bounds of 200,000 plain ones within 5 %."""
    rng = np.random.default_rng(19)
    listed = [(f"term {k}", around(*term)) for k, term in enumerate(terms)]
    summed = total(listed)
    low, high = np.percentile(sum(_drawn(rng, quantity) for _, quantity in listed), [5.0, 95.0])
    assert summed.value == pytest.approx(sum(term[0] for term in terms), rel=1e-12)
    assert summed.low == pytest.approx(low, rel=0.05)
    assert summed.high == pytest.approx(high, rel=0.05)


def test_terms_with_one_name_vary_together() -> None:
    """Two terms of one factor add their bounds; independent ones add less than that."""
    one = around(10.0, 0.5, 2.0)
    together = total([("pue", one), ("pue", one)])
    apart = total([("first", one), ("second", one)])
    assert together.low == pytest.approx(2 * 10.0 * 0.5, rel=0.01)
    assert together.high == pytest.approx(2 * 10.0 * 2.0, rel=0.01)
    assert apart.low is not None
    assert apart.high is not None
    assert apart.low > together.low * 1.1
    assert apart.high < together.high * 0.95


@pytest.mark.parametrize(
    ("ratios", "tolerance"),
    [
        ([(0.9, 1.15)] * 4, 1e-9),
        ([(0.9, 1.15), (0.8, 1.2)], 1e-3),
        ([(0.5, 2.0), (0.95, 1.05)], 1e-2),
    ],
    ids=["alike", "nearly alike", "unlike"],
)
def test_devices_of_one_meter_are_one_term(ratios: list[tuple[float, float]], tolerance: float) -> None:
    """Summed before they are drawn they give the bounds that drawing each gives; nearly, where their ratios differ."""
    several = [around(5.0 + k, *ratio) for k, ratio in enumerate(ratios)]
    other = ("node", around(3.0, 0.3, 2.0))
    each = total([*(("meter", one) for one in several), other])
    joined = total([("meter", together(several)), other])
    assert joined.value == pytest.approx(each.value, rel=1e-12)
    assert joined.low == pytest.approx(each.low, rel=tolerance)
    assert joined.high == pytest.approx(each.high, rel=tolerance)
    assert together([*several, Quantity(value=1.0)]).low is None


@given(SPREADS)
def test_product_encloses_its_value(factors: list[Quantity]) -> None:
    """The bounds enclose the value, and the value is the product of the values."""
    both = product(*factors)
    assert both.low is not None
    assert both.high is not None
    assert both.low <= both.value <= both.high
    assert both.value == pytest.approx(math.prod(f.value for f in factors), rel=1e-12)


@given(SPREADS, ABOVE)
def test_product_has_no_order(factors: list[Quantity], ratio: float) -> None:
    """Factors in another order, or a unit conversion before or after, give the same interval."""
    both, reverse = product(*factors), product(*reversed(factors))
    converted = product(scaled(factors[0], ratio), *factors[1:])
    for got, wanted, unit in ((reverse, both, 1.0), (converted, both, ratio)):
        for bound in ("low", "value", "high"):
            assert getattr(got, bound) == pytest.approx(getattr(wanted, bound) * unit, rel=1e-9)


@given(SPREADS, st.data())
def test_product_never_narrows_when_a_bound_is_removed(factors: list[Quantity], data: st.DataObject) -> None:
    """Without a factor's bound the product has no such bound; the other stays as wide."""
    index = data.draw(st.integers(0, len(factors) - 1))
    known = factors[index]
    for low, high in ((None, known.high), (known.low, None), (None, None)):
        less = [*factors[:index], Quantity(value=known.value, low=low, high=high), *factors[index + 1 :]]
        assert not _narrowed(product(*factors), product(*less))
        assert (product(*less).low is None) == (low is None)
        assert (product(*less).high is None) == (high is None)


@given(SPREADS, LOW_RATIO, HIGH_RATIO, st.data())
def test_product_never_narrows_when_a_factor_becomes_a_wider_prior(
    factors: list[Quantity], down: float, up: float, data: st.DataObject
) -> None:
    """A lab's own PUE replaced by that of all sites, a zone's intensity by the world's: wider on both sides."""
    index = data.draw(st.integers(0, len(factors) - 1))
    known = factors[index]
    assert known.low is not None
    assert known.high is not None
    prior = Quantity(value=known.value, low=known.low * down, high=known.high * up)
    assert not _narrowed(product(*factors), product(*factors[:index], prior, *factors[index + 1 :]))


@given(SPREADS, st.data())
def test_total_has_no_bounds_when_a_term_has_none(terms: list[Quantity], data: st.DataObject) -> None:
    """One term of unknown spread leaves the sum without bounds; its value stands."""
    index = data.draw(st.integers(0, len(terms) - 1))
    unknown = Quantity(value=terms[index].value, low=None, high=terms[index].high)
    named = [(str(k), term) for k, term in enumerate([*terms[:index], unknown, *terms[index + 1 :]])]
    summed = total(named)
    assert (summed.low, summed.high) == (None, None)
    assert summed.value == math.fsum(term.value for term in terms)


@given(SPREADS, LOW_RATIO, HIGH_RATIO)
def test_total_of_shared_factors_never_narrows(terms: list[Quantity], down: float, up: float) -> None:
    """Where all terms share one factor, a wider factor widens the sum on both sides."""
    wider = [Quantity(value=t.value, low=(t.low or 0.0) * down, high=(t.high or 0.0) * up) for t in terms]
    assert not _narrowed(total(("shared", t) for t in terms), total(("shared", t) for t in wider))


@pytest.mark.parametrize("part", ["cpu:0", "dram:0", "accelerator:0", "node"])
@pytest.mark.parametrize("prior", [(0.5, 1.8), (0.3, 2.0), (0.7, 1.3)])
def test_total_of_a_node_is_no_narrower_when_a_sensor_is_removed(
    part: str, prior: tuple[float, float]
) -> None:
    """A node of sensors: whichever is replaced by a model of the same value, the sum is no narrower.

    Each bound stays or moves outwards, up to 0.2 % of the value: a skewed term lifts the middle of a sum.
    """
    node = {
        "cpu:0": around(80.0, 0.97, 1.03),
        "dram:0": around(20.0, 0.9, 1.1),
        "accelerator:0": around(300.0, 0.95, 1.05),
        "node": around(60.0, 0.6, 1.5),
    }
    less = node | {part: around(node[part].value, min(prior[0], 0.6), max(prior[1], 1.5))}
    known, assumed = total(node.items()), total(less.items())
    assert (known.low is None, known.high is None, assumed.low is None, assumed.high is None) == (False,) * 4
    assert assumed.high - assumed.low >= known.high - known.low
    assert assumed.low <= known.low + 0.002 * known.value
    assert assumed.high >= known.high - 0.002 * known.value


@given(st.lists(st.tuples(st.sampled_from("abc"), SPREAD), min_size=1, max_size=5))
def test_total_encloses_its_value(terms: list[tuple[str, Quantity]]) -> None:
    """The bounds enclose the value; the value is the plain sum, so that a table adds up."""
    summed = total(terms)
    assert summed.low is not None
    assert summed.high is not None
    assert summed.low <= summed.value <= summed.high
    assert summed.value == math.fsum(term.value for _, term in terms)


@given(
    listed=st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 9.0), st.floats(1.0, 3.0)), max_size=6)
)
def test_total_that_grows_is_the_total_of_all(listed) -> None:
    """To the last digit, and looking at it on the way changes nothing."""
    terms = [(name, around(value, 1.0 / ratio, ratio)) for name, value, ratio in listed]
    grown = Total().add(terms[:3])
    assert grown.quantity() == total(terms[:3])
    assert grown.add(terms[3:]).quantity() == total(terms)
    assert grown.add([("d", Quantity(value=1.0))]).quantity().low is None


def test_total_of_exact_terms_is_exact() -> None:
    """No spread in, none out; the sum of no terms is nothing."""
    assert total([("a", exact(1.5)), ("b", exact(2.5))]) == exact(4.0)
    assert total([]) == exact(0.0)


def test_same_inputs_give_the_same_interval_in_another_process() -> None:
    """To the last digit, whatever the hash seed and whatever was drawn before."""
    code = (
        "from sootprint.core.intervals import *\n"
        "d = Draws(); d.of('before', around(1.0, 0.5, 2.0))\n"
        "print(repr(total([('pue', around(1.3, 0.8, 1.2)), ('cpu', around(9.0, 0.3, 3.0))], draws=d)))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (0, 1)
    }
    here = total([("pue", around(1.3, 0.8, 1.2)), ("cpu", around(9.0, 0.3, 3.0))])
    assert runs == {f"{here!r}\n"}


def test_sum_of_prepared_names_orders_nothing_anew() -> None:
    """What is prepared while a run goes on is not made again at its end, and is what a sum would have made."""
    named = [("meter:any", around(9.0, 0.3, 3.0)), ("meter:other", around(1.3, 0.8, 1.2))]
    wanted = total(named)
    intervals._order.cache_clear()
    intervals.prepare(name for name, _ in named)
    made = intervals._order.cache_info().misses
    assert made == 2
    assert total(named) == wanted
    assert intervals._order.cache_info().misses == made


def test_draws_of_a_name_are_the_same_for_all_who_ask() -> None:
    """One PUE per draw: the k-th draw of one quantity and of its double stand in one proportion."""
    draws = Draws(seed=3)
    pue, double = draws.of("pue", around(1.3, 0.8, 1.2)), draws.of("pue", around(2.6, 0.8, 1.2))
    assert pue is not None
    assert double == pytest.approx([2.0 * value for value in pue])
    assert draws.of("other", around(1.3, 0.8, 1.2)) != pue


def test_draws_hold_the_quantity() -> None:
    """Median and 90 % interval of the draws are those that went in."""
    drawn = Draws(n=4096).of("x", around(10.0, 0.6, 1.9))
    assert drawn is not None
    assert np.percentile(drawn, [5, 50, 95]) == pytest.approx([6.0, 10.0, 19.0], rel=0.01)


def test_draws_of_a_value_of_zero_reach_its_high() -> None:
    """Nothing measured, but up to 5 W missed: half of the draws are 0, 5 % are above 5."""
    drawn = Draws(n=4096).of("x", Quantity(value=0.0, low=0.0, high=5.0))
    assert drawn is not None
    assert min(drawn) == 0.0
    assert np.percentile(drawn, [50, 95]) == pytest.approx([0.0, 5.0], abs=0.05)


def test_unbounded_quantity_has_no_draws() -> None:
    """Where a bound is unknown there is nothing to draw from."""
    assert Draws().of("x", Quantity(value=1.0, low=0.5)) is None
    assert Draws().of("x", Quantity(value=1.0, high=2.0)) is None


def test_product_with_a_bound_that_is_next_to_nothing_goes_down_to_zero() -> None:
    """A lower bound whose ratio to the value is less than a number can hold counts as 0; it was a domain error."""
    tiny = Quantity(value=999.95, low=5e-324, high=1000.0)
    found = intervals.product(tiny, Quantity(value=2.0, low=1.0, high=3.0))
    assert (found.value, found.low) == (1999.9, 0.0)


def test_product_with_zero_is_zero_with_room_above() -> None:
    """0 kWh metered, up to 1 kWh possible, at up to 600 g: 0 g, at most 600 g by the product of the bounds."""
    none = Quantity(value=0.0, low=0.0, high=1.0)
    assert product(none, around(400.0, 0.5, 1.5)) == Quantity(value=0.0, low=0.0, high=600.0)
    assert product(none, Quantity(value=400.0)).high is None


@given(SPREAD, st.floats(0.0, 1e6))
def test_scaled_keeps_the_ratios(quantity: Quantity, ratio: float) -> None:
    """A unit conversion changes neither the basis nor the relative interval."""
    other = scaled(quantity, ratio)
    assert other.basis == quantity.basis
    for bound in ("low", "value", "high"):
        assert getattr(other, bound) == getattr(quantity, bound) * ratio


@pytest.mark.parametrize("ratio", [-1.0, math.nan, math.inf])
def test_scaled_refuses_what_is_no_ratio(ratio: float) -> None:
    """Negative or endless."""
    with pytest.raises(InputError, match="is not a finite number of at least 0"):
        scaled(exact(1.0), ratio)


@pytest.mark.parametrize("ratios", [(1.1, 1.2), (0.8, 0.9), (math.nan, 1.0), (1.0, math.nan)])
def test_around_wants_ratios_that_enclose_one(ratios: tuple[float, float]) -> None:
    """Otherwise the value would lie outside its own interval."""
    with pytest.raises(InputError, match="do not enclose 1"):
        around(1.0, *ratios)


def test_from_draws_by_hand() -> None:
    """Of 0, 1, ..., 100 the 5th and 95th percentile are 5 and 95."""
    assert from_draws(50.0, [float(k) for k in range(101)]) == Quantity(value=50.0, low=5.0, high=95.0)


def test_from_draws_encloses_a_value_outside_them() -> None:
    """A best estimate below all draws is its own low bound."""
    assert from_draws(1.0, [2.0, 3.0, 4.0]).low == 1.0
