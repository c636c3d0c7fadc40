"""A machine that was suspended: its counter may have gone on, and that is no impossible power."""

from __future__ import annotations

from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import Fold
from tests.tracker.conftest import head


def test_counter_that_went_on_meanwhile_is_believed() -> None:
    """135 J in a quarter of a second are too much for 200 W, and not for two seconds more."""
    state = ComponentState(meter="rapl", component="cpu:0", basis="sensor")
    state.at_s, state.counter_j, state.max_power_w = 2.0, 1000.0, 200.0
    assert state.step_j(2.25, 1135.0) is None
    assert state.spend(2.25, 1135.0, None, max_gap_s=5.0).energy_j is None
    assert state.step_j(2.25, 1135.0, slept_s=2.0) == 135.0
    assert state.spend(2.25, 1135.0, None, max_gap_s=5.0, slept_s=2.0).energy_j == 135.0


def test_a_counter_that_is_looked_at_seldom_goes_on_over_a_suspend() -> None:
    """A plug is read each 5 s and knows no highest power: 480 J of a sleep between two of its looks are its own.

    The processor's counter, whose highest power is known, is read at the tick that tells of the sleep.
    """
    fold = Fold()
    fold.apply(head())
    for meter, name, most_w in (("plug", "wall", None), ("rapl", "cpu:0", 200.0)):
        state = {"meter": meter, "component": name, "basis": "sensor", "max_power_w": most_w}
        fold.apply({"k": "comp", "c": state})
    for line in (
        {"k": "tick", "s": 0.0, "r": [[0, 0.0, 0.0, None, None, 0.0], [1, 0.0, 0.0, None, None, 0.0]]},
        {"k": "tick", "s": 2.0, "r": [[1, 2.0, 80.0, None, None, 0.0]]},
        {"k": "tick", "s": 3.0, "slept": 3600.0, "r": [[1, 3.0, 880.0, None, None, 0.0]]},
        {"k": "tick", "s": 5.0, "r": [[0, 5.0, 680.0, None, None, 0.0], [1, 5.0, 960.0, None, None, 0.0]]},
    ):
        fold.apply(line)
    assert [(one.energy_j, one.lost_s) for one in fold.states] == [(680.0, 0.0), (960.0, 0.0)]
