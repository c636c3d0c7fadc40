"""While a run begins or ends, threads that compute leave the interpreter to each other ten times as often."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from sootprint.core.errors import MeterError
from sootprint.meters import library, nvml_library, rapl
from sootprint.settings import load
from sootprint.tracker import turns
from sootprint.tracker.turns import SHORT_S, short
from sootprint.tracker.worker import Worker
from tests.fixtures.fake_powercap import build

LONG_S = 0.02


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program that has set its own, on a machine that is never too slow for what is short."""
    monkeypatch.setattr(turns, "MOST_S", 600.0)
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(LONG_S)
    yield
    sys.setswitchinterval(before_s)


def now_s() -> float:
    """Longest time that a thread computes on while another one waits [s]."""
    return sys.getswitchinterval()


def test_turns_are_short_while_a_run_begins_and_while_it_ends(tmp_path, monkeypatch):
    """From before its thread is there until all is loaded, and from the stop to the record: not between."""
    seen: dict[str, float] = {}
    discover = rapl.discover
    monkeypatch.setattr(rapl, "discover", lambda machine: [seen.update(begins=now_s()), discover(machine)][1])
    build(tmp_path / "class/powercap")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    worker = Worker(settings=load(), on_warning=lambda _: None)
    worker.start()
    assert worker.loaded.wait(120.0)
    seen["between"] = now_s()
    monkeypatch.setattr(worker, "interrupt", lambda: seen.update(ends=now_s()))
    assert worker.stop(wait_s=120.0)
    assert seen == {"begins": SHORT_S, "between": LONG_S, "ends": SHORT_S}
    assert now_s() == LONG_S


def test_a_driver_that_hangs_as_a_run_begins_leaves_them_to_the_program(tmp_path, monkeypatch):
    """They are short before it and after it, and as the program has set them for as long as it takes."""
    seen: dict[str, float] = {}
    hangs, goes_on = threading.Event(), threading.Event()

    def driver(_cdll):
        seen.setdefault("hangs", now_s())
        hangs.set()
        goes_on.wait(120.0)
        raise MeterError("no driver")

    monkeypatch.setattr(library, "first", lambda _names: [seen.update(before=now_s()), object()][1])
    monkeypatch.setattr(nvml_library, "Library", driver)
    discover = rapl.discover
    monkeypatch.setattr(rapl, "discover", lambda machine: [seen.update(after=now_s()), discover(machine)][1])
    build(tmp_path / "class/powercap")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    worker = Worker(settings=load(), on_warning=lambda _: None)
    worker.start()
    try:
        assert hangs.wait(120.0)
        assert now_s() == LONG_S
    finally:
        goes_on.set()
    assert worker.loaded.wait(120.0)
    assert worker.stop(wait_s=120.0)
    assert seen == {"before": SHORT_S, "hangs": LONG_S, "after": SHORT_S}
    assert now_s() == LONG_S


def test_a_device_that_hangs_later_leaves_them_to_the_program(tmp_path, monkeypatch):
    """A meter that hangs as it is found has them for a while at most, and so has the end of a run that waits for it."""
    monkeypatch.setattr(turns, "MOST_S", 0.05)
    hangs, goes_on = threading.Event(), threading.Event()

    def hanging(machine):
        if not hangs.is_set():
            hangs.set()
            goes_on.wait(600.0)  # longer than is waited for what must come before
        return discover(machine)

    discover = rapl.discover
    monkeypatch.setattr(rapl, "discover", hanging)
    build(tmp_path / "class/powercap")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    worker = Worker(settings=load(), on_warning=lambda _: None)
    worker.start()
    try:
        assert hangs.wait(120.0)
        assert _come_back()
        ends = threading.Thread(target=worker.stop, kwargs={"wait_s": 120.0})
        ends.start()
        assert worker.stopping.wait(120.0)
        assert _come_back()
    finally:
        goes_on.set()
    ends.join(120.0)
    assert worker.stop(wait_s=120.0)
    assert now_s() == LONG_S


def _come_back() -> bool:
    """Whether the turns are the program's again before long."""
    until_s = time.monotonic() + 120.0
    while now_s() != LONG_S and time.monotonic() < until_s:
        time.sleep(0.005)
    return now_s() == LONG_S


def test_a_thread_that_cannot_begin_leaves_them(monkeypatch):
    """The system has no thread left."""

    def refused() -> None:
        raise RuntimeError("can't start new thread")

    worker = Worker(settings=load(), on_warning=lambda _: None)
    monkeypatch.setattr(worker._thread, "start", refused)
    worker.start()
    assert now_s() == LONG_S


def test_the_last_of_several_gives_them_back():
    """Two runs begin at a time; one that ends in the middle of another's end, as in a handler, changes nothing."""
    with short:
        with short:
            assert now_s() == SHORT_S
        assert now_s() == SHORT_S
    assert now_s() == LONG_S


def test_what_the_program_sets_meanwhile_stays():
    """And turns that are shorter already are no matter."""
    with short:
        sys.setswitchinterval(0.01)
    assert now_s() == pytest.approx(0.01)
    sys.setswitchinterval(0.0001)
    with short:
        assert now_s() == pytest.approx(0.0001)
    assert now_s() == pytest.approx(0.0001)


def test_a_forked_child_has_those_of_the_program():
    """Nobody is there who would give them back."""
    with short:
        pid = os.fork()
        if not pid:
            os._exit(0 if now_s() == LONG_S else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert now_s() == SHORT_S
