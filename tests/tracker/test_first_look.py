"""A run counts from its first look on, however long its meters take to be found."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import pytest

from sootprint.core.errors import MeterError
from sootprint.meters import rapl
from sootprint.settings import load
from sootprint.tracker.source import Source
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
    assert worker.ready.wait(120.0)
    time.sleep(0.2)
    assert worker.stop(wait_s=120.0)
    assert worker.footprint is not None
    return {part.component: 3.6e6 * part.energy_kwh.value for part in worker.footprint.components}


def test_joules_of_the_time_in_which_meters_are_found_are_counted(tmp_path, monkeypatch):
    """40 J while the meters are loaded and found, none after it: 40 J, and not 0 at the power of what came later."""
    fake = build(tmp_path / "class/powercap", "--start-uj", "5000000", "--no-dram")
    parts = _measured(monkeypatch, tmp_path, lambda: (time.sleep(0.3), fake.update(1.0)))
    assert parts["cpu:0"] == pytest.approx(40.0, rel=0.02)


def test_a_driver_that_hangs_leaves_the_counters_to_the_program(tmp_path, monkeypatch):
    """The start waits 4 ms for it, and then counts from its own look."""
    goes_on = threading.Event()
    monkeypatch.setattr("sootprint.meters.first.First.load", lambda *_, **__: goes_on.wait(120.0))
    build(tmp_path / "class/powercap")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    worker = Worker(settings=load())
    try:
        worker.start()
        assert worker.first.seen and not worker.first.is_over.is_set()
        assert all(at_s >= worker.start_s for at_s, _ in worker.first.seen.values())
    finally:
        goes_on.set()
    assert worker.stop(wait_s=120.0)
    assert worker.first.is_over.is_set()  # what the next start waits for, where no driver hangs


@pytest.mark.parametrize("served", [False, True])
def test_cards_are_left_to_a_service_and_let_go_of_by_who_looked(served, tmp_path, monkeypatch):
    """A run that a service charges starts no driver; one that did lets go of it once the meters hold it."""
    done: list[object] = []
    monkeypatch.setattr(
        "sootprint.meters.first.First.load", lambda _, environ, *, driver: done.append(driver)
    )
    monkeypatch.setattr("sootprint.meters.first.First.close", lambda _: done.append("closed"))
    socket = tmp_path / "node.sock"
    if served:
        socket.touch()
    monkeypatch.setenv("SOOTPRINT_NODE_SOCKET", str(socket))
    worker = Worker(settings=load())
    worker.start()
    assert worker.stop(wait_s=120.0)
    assert done == [not served, "closed"]


def test_a_run_ends_when_it_was_first_told_to(monkeypatch):
    """The last readings are those of that instant, and a second stop moves nothing."""
    until_s: list[float] = []
    end = Source.end
    monkeypatch.setattr(Source, "end", lambda self, at_s=None: [until_s.append(at_s), end(self, at_s)])
    worker = Worker(settings=load())
    worker.start()
    worker.ready.wait(120.0)
    worker.stop(wait_s=0.0)
    stopped_s = worker.stopped_s
    assert worker.stop(wait_s=120.0)
    assert until_s == [stopped_s] == [worker.stopped_s]


def test_ended_runs_keep_no_file_open(tmp_path, monkeypatch):
    """Also where a training has switched the collector of circles off, as some do for its pauses."""
    build(tmp_path / "class/powercap")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))

    def measured() -> int:
        worker = Worker(settings=load())
        worker.start()
        assert worker.ready.wait(120.0)
        assert worker.stop(wait_s=120.0)
        worker._thread.join(120.0)
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    measured()
    gc.collect()
    gc.disable()
    try:
        assert len({measured() for _ in range(3)}) == 1
    finally:
        gc.enable()


def test_a_forked_child_notes_nothing(monkeypatch):
    """Nothing writes there what it says."""
    worker = Worker(settings=load())
    worker.log("loss", 1.0)
    monkeypatch.setattr("sootprint.tracker.worker.os.getpid", lambda: -1)
    worker.log("loss", 2.0)
    assert [mark["value"] for mark in worker.marks] == [1.0]


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
