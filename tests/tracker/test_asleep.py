"""A machine that was suspended: its counter may have gone on, and that is no impossible power."""

from __future__ import annotations

import time

import pytest

from sootprint.tracker.asleep import Asleep
from sootprint.tracker.components import ComponentState


def test_time_asleep_is_that_of_two_clocks_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the monotonic clock left out since the call before, told once; a hold-up between the two clocks is none."""
    apart_s = [5.0]
    monkeypatch.setattr(time, "clock_gettime", lambda _: time.monotonic() + apart_s[0])
    watch = Asleep(time.monotonic)
    apart_s[0] = 65.0
    assert watch.since_s() == pytest.approx(60.0, abs=0.01)
    assert watch.since_s() == 0.0
    apart_s[0] = 65.03
    assert watch.since_s() == 0.0
    assert Asleep(lambda: 0.0).since_s() == 0.0, "nothing is known of another clock"


def test_counter_that_went_on_meanwhile_is_believed() -> None:
    """135 J in a quarter of a second are too much for 200 W, and not for two seconds more."""
    state = ComponentState(meter="rapl", component="cpu:0", basis="sensor")
    state.at_s, state.counter_j, state.max_power_w = 2.0, 1000.0, 200.0
    assert state.step_j(2.25, 1135.0) is None
    assert state.spend(2.25, 1135.0, None, max_gap_s=5.0).energy_j is None
    assert state.step_j(2.25, 1135.0, slept_s=2.0) == 135.0
    assert state.spend(2.25, 1135.0, None, max_gap_s=5.0, slept_s=2.0).energy_j == 135.0
