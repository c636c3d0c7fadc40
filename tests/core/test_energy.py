"""Energy between two readings."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sootprint.core.energy import (
    COUNTER_STEP_S,
    Spend,
    power_spend,
    step_variance_j2,
)
from sootprint.core.errors import InputError
from sootprint.core.protocols import Reading
from tests.fixtures.counters import counter_spend

WRAP_J = 262_143.328850  # max_energy_range_uj of Intel servers with a unit of 61 microjoules


def _counter(
    at_s: float, energy_j: float | None, *, wraps: float | None = None, power: float | None = None
) -> Reading:
    return Reading(
        meter="rapl", component="cpu:0", at_s=at_s, energy_j=energy_j, wraps_at_j=wraps, max_power_w=power
    )


def _power(at_s: float, power_w: float | None) -> Reading:
    return Reading(meter="nvml", component="accelerator:0", at_s=at_s, power_w=power_w)


def test_counter_that_advances_gives_the_difference() -> None:
    """From 100 J to 650 J are 550 J."""
    assert counter_spend(_counter(0.0, 100.0), _counter(10.0, 650.0)) == Spend(550.0)


def test_wrap_counts_once() -> None:
    """From 43.32885 J below the range to 456.67115 J above zero are 500 J."""
    before = _counter(0.0, WRAP_J - 43.328850, wraps=WRAP_J, power=300.0)
    after = _counter(10.0, 456.671150, wraps=WRAP_J, power=300.0)
    spend = counter_spend(before, after)
    assert spend.energy_j == pytest.approx(500.0, abs=1e-6)
    assert spend.reason is None


def test_reset_adds_no_energy() -> None:
    """200,000 J to 500 J in 10 s would be 62,643 J as a wrap: 6 kW, so it is a reset.

    The peers report 62,643 J or 0 J here, where 500 J were spent: unknown is neither.
    """
    spend = counter_spend(
        _counter(0.0, 200_000.0, wraps=WRAP_J, power=300.0), _counter(10.0, 500.0, wraps=WRAP_J, power=300.0)
    )
    assert spend == Spend(None, "counter reset")


def test_lower_counter_without_a_range_is_a_reset() -> None:
    """A GPU's counter does not wrap within its life; lower means that the driver was loaded again."""
    assert counter_spend(_counter(0.0, 5.0), _counter(1.0, 4.0)) == Spend(None, "counter reset")


def test_lower_counter_without_a_highest_power_is_a_reset() -> None:
    """Where no power is impossible, a wrap cannot be told from a reset."""
    spend = counter_spend(_counter(0.0, WRAP_J - 1.0, wraps=WRAP_J), _counter(1.0, 1.0, wraps=WRAP_J))
    assert spend == Spend(None, "counter reset")


def test_time_for_two_wraps_is_no_measurement() -> None:
    """At 300 W a range of 262,143 J is full after 874 s; after 900 s nobody knows how often."""
    for energy_j in (10.0, 200.0):
        spend = counter_spend(
            _counter(0.0, 100.0, wraps=WRAP_J, power=300.0),
            _counter(900.0, energy_j, wraps=WRAP_J, power=300.0),
        )
        assert spend == Spend(None, "counter may have wrapped more than once")


def test_impossible_step_is_no_measurement() -> None:
    """1,000 J in 1 s on a device of 300 W at most."""
    assert counter_spend(_counter(0.0, 0.0), _counter(1.0, 1000.0, power=300.0)) == Spend(
        None, "counter jumped by 1000 J"
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
@pytest.mark.parametrize("power", [None, 300.0])
def test_counter_that_is_no_energy_gives_none(bad: float, power: float | None) -> None:
    """A broken driver's number does not enter a sum."""
    good, broken = (
        _counter(0.0, 1.0, wraps=WRAP_J, power=power),
        _counter(1.0, bad, wraps=WRAP_J, power=power),
    )
    assert counter_spend(good, broken).energy_j is None
    assert counter_spend(broken._replace(at_s=-1.0), good).energy_j is None


@given(st.from_type(Reading), st.from_type(Reading))
def test_counter_energy_is_never_negative(before: Reading, after: Reading) -> None:
    """Whatever two readings say, the energy is at least 0 and possible, or None with a reason."""
    assume(after.at_s > before.at_s)
    spend = counter_spend(before, after)
    assert (spend.energy_j is None) == (spend.reason is not None)
    if spend.energy_j is not None:
        assert spend.energy_j >= 0.0
        if after.max_power_w is not None:
            assert spend.energy_j <= after.max_power_w * (after.at_s - before.at_s + COUNTER_STEP_S)


@given(st.lists(st.floats(0.0, 299.0), min_size=1, max_size=60), st.floats(0.0, WRAP_J - 1.0))
def test_counter_energy_adds_over_splits(steps_j: list[float], start_j: float) -> None:
    """One second after the other, through wraps, sums to the energy that was fed in; so does one long step."""
    counted_j, energy_j, readings = 0.0, start_j, [_counter(0.0, start_j, wraps=WRAP_J, power=300.0)]
    for second, step_j in enumerate(steps_j, start=1):
        energy_j = math.fmod(energy_j + step_j, WRAP_J)
        readings.append(_counter(float(second), energy_j, wraps=WRAP_J, power=300.0))
    for before, after in itertools.pairwise(readings):
        spend = counter_spend(before, after)
        assert spend.energy_j is not None
        counted_j += spend.energy_j
    assert counted_j == pytest.approx(math.fsum(steps_j), abs=1e-6)
    assert counter_spend(readings[0], readings[-1]).energy_j == pytest.approx(counted_j, abs=1e-6)


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e3), st.floats(0.0, 1e3))
def test_counter_energy_is_monotone(start_j: float, less_j: float, more_j: float) -> None:
    """A counter that advanced further gives no less energy."""
    low, high = sorted((less_j, more_j))
    before = _counter(0.0, start_j)
    first = counter_spend(before, _counter(1.0, start_j + low)).energy_j
    second = counter_spend(before, _counter(1.0, start_j + high)).energy_j
    assert first is not None
    assert second is not None
    assert second >= first


def test_power_by_the_trapezoid() -> None:
    """100 W and 300 W two seconds apart are 400 J."""
    assert power_spend(_power(0.0, 100.0), _power(2.0, 300.0), max_gap_s=5.0) == Spend(400.0)


def test_power_does_not_stand_for_a_long_silence() -> None:
    """A look every ten seconds says nothing about the nine between."""
    assert power_spend(_power(0.0, 100.0), _power(10.0, 100.0), max_gap_s=5.0) == Spend(
        None, "no reading for 10.0 s"
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0])
def test_power_that_is_none_gives_none(bad: float) -> None:
    """A broken driver's number does not enter a sum, on either side of the step."""
    assert power_spend(_power(0.0, 1.0), _power(1.0, bad), max_gap_s=5.0).energy_j is None
    assert power_spend(_power(0.0, bad), _power(1.0, 1.0), max_gap_s=5.0).energy_j is None


@given(
    st.floats(1.0, 1e4),
    st.floats(-1e3, 1e3),
    st.lists(st.floats(0.01, 2.0), min_size=1, max_size=30),
)
def test_power_energy_is_exact_for_a_line_and_adds_over_unequal_steps(
    start_w: float, slope: float, steps_s: list[float]
) -> None:
    """A power that changes evenly is integrated exactly, however the steps fall: (P0 + P1) / 2 x T."""
    length_s = math.fsum(steps_s)
    assume(start_w + slope * length_s >= 0.0)
    at_s, summed_j = 0.0, 0.0
    for step_s in steps_s:
        before = _power(at_s, start_w + slope * at_s)
        at_s += step_s
        spend = power_spend(before, _power(at_s, max(0.0, start_w + slope * at_s)), max_gap_s=5.0)
        assert spend.energy_j is not None
        assert spend.energy_j >= 0.0
        summed_j += spend.energy_j
    assert summed_j == pytest.approx(
        (start_w + start_w + slope * length_s) / 2 * length_s, rel=1e-6, abs=1e-3
    )


@given(st.floats(0.0, 1e4), st.floats(0.0, 1e4), st.floats(0.0, 1e4), st.floats(0.01, 5.0))
def test_power_energy_is_monotone(first_w: float, second_w: float, more_w: float, step_s: float) -> None:
    """More power on either side never gives less energy."""
    least = power_spend(_power(0.0, first_w), _power(step_s, second_w), max_gap_s=5.0).energy_j
    for before_w, after_w in ((first_w + more_w, second_w), (first_w, second_w + more_w)):
        energy_j = power_spend(_power(0.0, before_w), _power(step_s, after_w), max_gap_s=5.0).energy_j
        assert energy_j is not None
        assert least is not None
        assert energy_j >= least


def test_readings_of_the_wrong_kind_are_refused() -> None:
    """A counter is no power."""
    with pytest.raises(InputError, match="a reading without power_w has no power"):
        power_spend(_counter(0.0, 1.0), _counter(1.0, 1.0), max_gap_s=5.0)


@pytest.mark.parametrize("after_s", [5.0, 4.0, math.nan])
def test_time_must_advance(after_s: float) -> None:
    """Two looks at one instant, or in the wrong order, are a mistake of the caller."""
    with pytest.raises(InputError, match="do not advance"):
        power_spend(_power(5.0, 1.0), _power(after_s, 1.0), max_gap_s=5.0)


def test_step_variance_is_that_of_a_random_jump() -> None:
    """A jump of d = 200 W at u in (0, 1) of T = 2 s: the error d x T x (1/2 - u) has the variance (d T)^2 / 12.

    Summed over a fine grid of u by the midpoint rule.
    """
    n = 10_000
    errors = [200.0 * 2.0 * (0.5 - (k + 0.5) / n) for k in range(n)]
    assert step_variance_j2(100.0, 300.0, 2.0) == pytest.approx(sum(e * e for e in errors) / n, rel=1e-6)
    assert step_variance_j2(100.0, 100.0, 2.0) == 0.0
