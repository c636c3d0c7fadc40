"""Energy between two looks at a meter that is looked at seldom: it belongs to the time in which it was spent."""

from __future__ import annotations

from typing import Any

import pytest

from sootprint.core.protocols import FakeClock, Machine, Reading
from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import Fold
from sootprint.tracker.sampler import Sampler
from tests.tracker.conftest import ScriptMeter


def _component(meter: str, component: str) -> dict[str, Any]:
    reading = Reading(meter=meter, component=component, at_s=0.0, energy_j=0.0, basis="modelled")
    return {"k": "comp", "c": ComponentState.of(reading, integrated=False).dump()}


def _tick(at_s: float, *rows: tuple[int, float]) -> dict[str, Any]:
    return {"k": "tick", "s": at_s, "r": [[index, at_s, joules, None, None, 0.0] for index, joules in rows]}


def _fold() -> Fold:
    """A processor of 10 W, read each second, beside a node of 30 W, read at 0, 1 and 11 s."""
    fold = Fold()
    fold.apply({"k": "head", "v": 1, "period_s": 1.0})
    fold.apply(_component("cpu", "cpu"))
    fold.apply(_component("node", "node"))
    fold.apply(_tick(0.0, (0, 0.0), (1, 0.0)))
    fold.apply(_tick(1.0, (0, 10.0), (1, 30.0)))
    return fold


def test_what_is_looked_at_seldom_goes_on_at_its_mean_power() -> None:
    """At 5 s the processor has told 50 J; the node's 30 J of the first second stand for 150 J."""
    fold = _fold()
    for second in range(2, 6):
        fold.apply(_tick(float(second), (0, 10.0 * second)))
    assert fold.total_j() == pytest.approx(80.0)
    assert fold.running_j() == pytest.approx(200.0)


def test_a_burst_does_not_go_on_until_the_next_look() -> None:
    """100 J of traffic in one second after one of none: 50 W stand until the next look, not 100 W."""
    fold = Fold()
    fold.apply({"k": "head", "v": 1, "period_s": 1.0})
    fold.apply(_component("network", "network"))
    for at_s, joules in ((0.0, 0.0), (1.0, 0.0), (2.0, 100.0)):
        fold.apply(_tick(at_s, (0, joules)))
    fold.apply(_tick(3.0))
    assert fold.running_j() == pytest.approx(150.0)


def test_each_of_equal_spans_gets_the_same_energy() -> None:
    """Spans of one second at a steady 40 W have 40 J each, also that in which the node is looked at."""
    fold = _fold()
    for second in range(1, 12):
        fold.apply({"k": "span", "s": float(second), "n": second, "open": True, "name": "epoch"})
        fold.apply({"k": "span", "s": second + 1.0, "n": second, "open": False})
        looked = [(0, 10.0 * (second + 1))] + ([(1, 330.0)] if second + 1 == 11 else [])
        fold.apply(_tick(second + 1.0, *looked))
    spent_j = [end_j - start_j for _, _, _, start_j, end_j in fold.spans]
    assert spent_j == pytest.approx([40.0] * 11)


def test_a_meter_without_a_reading_is_not_guessed_on() -> None:
    """Once a look failed, nothing is added until the next sound one."""
    fold = _fold()
    fold.apply({"k": "tick", "s": 3.0, "r": [[0, 3.0, 30.0, None, None, 0.0]], "miss": [[1, "lost"]]})
    assert fold.running_j() == pytest.approx(60.0)


def test_a_young_run_looks_more_often() -> None:
    """At 0, 1, 2, 4, 8 and 16 s, then every 10 s: the power is known from the first second on."""
    clock, looks_s = FakeClock(), list[float]()
    begin_s = clock.monotonic_s()

    def looked(at_s: float) -> dict[str, object]:
        looks_s.append(at_s - begin_s)
        return {"energy_j": 1.0}

    meter = ScriptMeter(clock, looked, name="node", component="node")
    meter.poll_s = 10.0
    sampler = Sampler(Machine(clock=clock), [meter], start_s=begin_s, period_s=1.0, max_gap_s=5.0)
    for _ in range(40):
        sampler.collect()
        clock.advance(1.0)
    assert looks_s == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 26.0, 36.0]
