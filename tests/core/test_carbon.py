"""Carbon of energy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core import carbon, intervals
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity

AMOUNT = st.floats(0.0, 1e9)
PUE = st.floats(1.0, 3.0)


def test_bloom_reported_closes() -> None:
    """BLOOM: 433,196 kWh at 57 g/kWh are 24.69 t without PUE (Luccioni, Viguier & Ligozat 2022)."""
    assert carbon.emissions_kg(433_196.0, 57.0) == pytest.approx(24_690.0, rel=1e-3)


@given(AMOUNT, AMOUNT, AMOUNT, PUE)
def test_emissions_add_over_splits(first: float, second: float, intensity: float, pue: float) -> None:
    """Two parts of an interval at one intensity emit what the whole emits."""
    whole = carbon.emissions_kg(first + second, intensity, pue=pue)
    parts = carbon.emissions_kg(first, intensity, pue=pue) + carbon.emissions_kg(second, intensity, pue=pue)
    assert parts == pytest.approx(whole, rel=1e-12)
    assert whole >= 0.0


@given(AMOUNT, AMOUNT, PUE, st.floats(0.0, 1e3))
def test_emissions_are_monotone(energy: float, intensity: float, pue: float, more: float) -> None:
    """More energy, a dirtier grid or a higher PUE never emits less."""
    least = carbon.emissions_kg(energy, intensity, pue=pue)
    assert carbon.emissions_kg(energy + more, intensity, pue=pue) >= least
    assert carbon.emissions_kg(energy, intensity + more, pue=pue) >= least
    assert carbon.emissions_kg(energy, intensity, pue=pue + more) >= least


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, -math.inf])
def test_impossible_amounts_are_refused(bad: float) -> None:
    """Negative, infinite and undefined amounts name themselves."""
    for call in (
        lambda: carbon.emissions_kg(bad, 1.0),
        lambda: carbon.emissions_kg(1.0, bad),
        lambda: carbon.emissions_kg(1.0, 1.0, pue=bad),
    ):
        with pytest.raises(InputError, match=f"is {bad}: it is a finite number of at least"):
            call()


def test_pue_below_one_is_refused() -> None:
    """A facility cannot draw less than the equipment in it."""
    with pytest.raises(InputError, match=r"pue is 0\.8: it is a finite number of at least 1"):
        carbon.emissions_kg(1.0, 1.0, pue=0.8)


def test_interval_by_interval_is_not_total_times_mean() -> None:
    """1 kWh at 100 g and 9 kWh at 500 g average 460 g by energy, 300 g by time."""
    assert carbon.weighted_intensity([1.0, 9.0], [100.0, 500.0]) == 460.0
    assert carbon.weighted_intensity([0.0, 0.0], [100.0, 500.0]) == 300.0


@given(
    st.lists(st.tuples(st.just(0.0) | st.floats(1e-9, 1e9), st.floats(1.0, 2000.0)), min_size=1, max_size=20)
)
def test_weighted_intensity_gives_the_sum_of_the_intervals(pairs: list[tuple[float, float]]) -> None:
    """Total energy times the weighted intensity is the sum over the intervals, and lies among them."""
    energies, intensities = [e for e, _ in pairs], [i for _, i in pairs]
    mean = carbon.weighted_intensity(energies, intensities)
    summed = math.fsum(carbon.emissions_kg(e, i) for e, i in pairs)
    if sum(energies) > 0.0:
        assert carbon.emissions_kg(math.fsum(energies), mean) == pytest.approx(summed, rel=1e-9)
    tolerance = 1e-9 * max(intensities)
    assert min(intensities) - tolerance <= mean <= max(intensities) + tolerance


@pytest.mark.parametrize(("energies", "intensities"), [([], []), ([1.0], []), ([1.0], [1.0, 2.0])])
def test_weighted_intensity_wants_pairs(energies: list[float], intensities: list[float]) -> None:
    """An interval without an intensity is not averaged away."""
    with pytest.raises(InputError, match="do not pair"):
        carbon.weighted_intensity(energies, intensities)


def test_emissions_carry_the_interval_of_each_factor() -> None:
    """Ratios 2 and 1.5 widen to exp(sqrt(ln 2^2 + ln 1.5^2)) = 2.2323 by hand; value 10 x 400 x 1.5 / 1000 = 6 kg."""
    energy = Quantity(value=10.0, low=5.0, high=20.0)
    intensity = Quantity(value=400.0, low=400.0 / 1.5, high=600.0)
    emitted = carbon.emissions(energy, intensity, intervals.exact(1.5))
    assert emitted.value == pytest.approx(6.0)
    assert emitted.high == pytest.approx(6.0 * 2.2323, rel=1e-4)
    assert emitted.low == pytest.approx(6.0 / 2.2323, rel=1e-4)
