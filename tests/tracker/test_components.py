"""What is known of one component: short ways agree with the long ones."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.tracker.components import ComponentState


@settings(max_examples=200)
@given(
    before_j=st.floats(0.0, 1e4),
    after_j=st.floats(0.0, 1e4) | st.just(math.nan) | st.just(math.inf) | st.none(),
    duration_s=st.floats(1e-3, 100.0),
    wraps_at_j=st.none() | st.floats(100.0, 1e5),
    max_power_w=st.none() | st.floats(1.0, 1e4),
    missing=st.none() | st.just("gone"),
)
def test_usual_step_is_what_spend_tells(before_j, after_j, duration_s, wraps_at_j, max_power_w, missing):
    """The short way gives the energy of the long one, or leaves it to that."""
    state = ComponentState(meter="rapl", component="cpu:0", basis="sensor", missing=missing)
    state.wraps_at_j, state.max_power_w = wraps_at_j, max_power_w
    state.at_s, state.counter_j = 1.0, before_j
    usual_j = state.step_j(1.0 + duration_s, after_j)
    spent = state.spend(1.0 + duration_s, after_j, None, max_gap_s=5.0)
    assert usual_j is None or usual_j == spent.energy_j
    if missing is None and after_j is not None and before_j <= after_j < math.inf and max_power_w is None:
        assert usual_j == after_j - before_j
