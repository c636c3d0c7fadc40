"""Logarithmic axes."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sootprint.charts import logarithm


@given(st.lists(st.floats(1e-12, 1e15), min_size=1, max_size=20))
def test_axis_holds_all_values_and_two_powers(values: list[float]):
    """Whatever is drawn lies inside, and two labelled ticks tell the scale."""
    held = logarithm.span(values)
    assert held.low < min(values) and max(values) < held.high
    assert held.low * 0.999 <= held.powers[0] < held.powers[-1] <= held.high * 1.001
    assert len(held.powers) <= logarithm.MOST_TICKS + 1


def test_what_has_no_logarithm_is_left_out():
    """Zero, negative, missing and endless values set no end."""
    assert logarithm.span([0.0, -3.0, None, math.inf, 5.0, 50.0]) == logarithm.span([5.0, 50.0])
    assert logarithm.span([None]).powers == (1.0, 10.0)


def test_labels_are_written_for_each_tick():
    """The expression names the powers that are shown, all in one style: with raised exponents where one is large."""
    label = logarithm.axis(logarithm.span([2.0, 3e6])).to_dict()["labelExpr"]
    assert "'10⁶'" in label and "'10⁴'" in label and "10,000" not in label
    assert "'10,000'" in logarithm.axis(logarithm.span([2.0, 3e4])).to_dict()["labelExpr"]


def test_end_beside_a_power_is_that_power():
    """The axis and the line of a tick stand at one place, not side by side."""
    assert logarithm.span([0.2, 72_768.0]).low == 0.1
    assert 1.0 < logarithm.span([3.0, 2_000.0]).low < 3.0
