"""Time in which a machine was suspended, by two of its clocks."""

from __future__ import annotations

import time

import pytest

from sootprint.core.asleep import Asleep


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
