"""A run counts from its first look on, however long its meters take to be found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sootprint.core.errors import MeterError
from sootprint.meters import rapl
from sootprint.settings import load
from sootprint.tracker.worker import Worker
from tests.fixtures.fake_powercap import build


def _measured(monkeypatch, tree: Path, spent) -> dict[str, float]:
    """Joules by component of a run whose counters are found late; `spent` moves them meanwhile."""
    found = rapl.discover

    def late(machine):
        spent()
        return found(machine)

    monkeypatch.setattr(rapl, "discover", late)
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tree))
    worker = Worker(settings=load())
    worker.start()
    assert worker.ready.wait(10.0)
    time.sleep(0.2)
    assert worker.stop(wait_s=10.0)
    assert worker.footprint is not None
    return {part.component: 3.6e6 * part.energy_kwh.value for part in worker.footprint.components}


def test_joules_of_the_time_in_which_meters_are_found_are_counted(tmp_path, monkeypatch):
    """40 J while the meters are loaded and found, none after it: 40 J, and not 0 at the power of what came later."""
    fake = build(tmp_path / "class/powercap", "--start-uj", "5000000", "--no-dram")
    parts = _measured(monkeypatch, tmp_path, lambda: (time.sleep(0.3), fake.update(1.0)))
    assert parts["cpu:0"] == pytest.approx(40.0, rel=0.02)


def test_a_driver_that_raises_costs_no_run(tmp_path, monkeypatch):
    """What goes wrong in the first look is no reason not to measure."""

    def raises(*_args, **_more):
        raise MeterError("no")

    monkeypatch.setattr("sootprint.meters.first.First.load", raises)
    monkeypatch.setattr("sootprint.meters.first.First.look_at_cards", raises)
    fake = build(tmp_path / "class/powercap", "--start-uj", "5000000", "--no-dram")
    assert _measured(monkeypatch, tmp_path, lambda: (time.sleep(0.3), fake.update(1.0)))[
        "cpu:0"
    ] == pytest.approx(40.0, rel=0.02)
