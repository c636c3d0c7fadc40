"""The clock that tests move by hand, and the record of one look at a meter."""

from __future__ import annotations

import pytest

from sootprint.core.protocols import FakeClock, Machine, Reading, SystemClock


def test_fake_clock_moves_both_clocks() -> None:
    """Time passes for both."""
    clock = FakeClock(monotonic_s=10.0, wall_s=1000.0)
    clock.advance(2.5)
    assert (clock.monotonic_s(), clock.wall_s()) == (12.5, 1002.5)


def test_fake_clock_steps_the_wall_alone() -> None:
    """A time server sets the label of an instant, not the length of a run."""
    clock = FakeClock(monotonic_s=10.0, wall_s=1000.0)
    clock.step_wall(-3600.0)
    assert (clock.monotonic_s(), clock.wall_s()) == (10.0, -2600.0)


def test_system_clock_never_runs_backwards() -> None:
    """The monotonic clock of the machine."""
    clock = SystemClock()
    seen = [clock.monotonic_s() for _ in range(100)]
    assert seen == sorted(seen)


def test_machine_looks_at_the_real_trees_by_default() -> None:
    """A test gives its own trees; a run takes the kernel's."""
    machine = Machine()
    assert (machine.sysfs, machine.procfs) == ("/sys", "/proc")


def test_reading_is_frozen_and_without_spread_by_default() -> None:
    """What was read is never changed; a meter that states no error has none to state."""
    reading = Reading(meter="rapl", component="cpu:0", at_s=1.0, energy_j=2.0)
    assert (reading.low_ratio, reading.high_ratio, reading.basis) == (1.0, 1.0, "sensor")
    assert (reading.power_w, reading.utilisation, reading.wraps_at_j) == (None, None, None)
    with pytest.raises(AttributeError):
        reading.energy_j = 3.0  # type: ignore[misc]
