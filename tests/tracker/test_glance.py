"""Ticks of counters alone: taken one after another in one loop, until anything else is due."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sootprint.tracker.glance import RESCAN_TICKS, Glances
from sootprint.tracker.sampler import Beat
from sootprint.tracker.seat import Seat
from sootprint.tracker.worker import Flag

PERIOD_S = 0.01
LOOK = [("rapl", [("cpu:0", 1.0, 40.0)])]


class Alone(Glances):
    """A run that reads for itself alone, on a real seat, with one counter."""

    def __init__(self, runtime: Path, at_tick: dict[int, Callable[[], object]] | None = None) -> None:
        self.at_tick = at_tick or {}
        self.ticks = self._noted = 0
        self.taken: list[Any] = []
        self.worker: Any = SimpleNamespace(stopping=Flag(), marks=deque())
        self.sampler: Any = SimpleNamespace(glance=self.look, poll_s=0.0)
        self._recorder: Any = SimpleNamespace(
            added=0, monotonic_s=time.monotonic, take_glance=lambda look: bool(look) and self.take(look)
        )
        self._service: Any = SimpleNamespace(is_idle=True, has_neighbours=False)
        self._reader, self._strict, self._was_served = None, False, False
        self._seat = Seat(runtime, "/sys")
        assert self._seat.take()

    def look(self) -> Any:
        """The counter; what happens at this tick happens meanwhile."""
        return self.at_tick.pop(self.ticks, lambda: LOOK)()

    def take(self, look: Any) -> bool:
        """Whether a look was journalled."""
        self.taken.append(look)
        return True

    def lull(self, beat: Beat | None = None, worker: Any = None) -> None:
        """As the measuring thread calls it."""
        beat = beat or Beat(time.monotonic(), PERIOD_S, is_dense=False)
        super().lull(beat, worker or self.worker)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A directory of locks."""
    return tmp_path / "run"


def test_nine_ticks_of_ten_are_counters_alone(runtime: Path):
    """The tenth is left to the whole look, which counts it; then come nine more."""
    alone = Alone(runtime)
    alone.lull()
    assert (alone.ticks, len(alone.taken)) == (RESCAN_TICKS - 1, RESCAN_TICKS - 1)
    alone.ticks += 1
    alone.lull()
    assert (alone.ticks, len(alone.taken)) == (2 * RESCAN_TICKS - 1, 2 * (RESCAN_TICKS - 1))


def test_ticks_come_when_they_are_due(runtime: Path):
    """One a period: nine take nine periods at least, and the beat goes on from there."""
    alone, begun_s = Alone(runtime), time.monotonic()
    beat = Beat(begun_s, PERIOD_S, is_dense=False)
    alone.lull(beat)
    assert time.monotonic() - begun_s >= 9 * PERIOD_S
    assert beat.due_s >= begun_s + 10 * PERIOD_S - 1e-9


def test_run_that_was_told_to_stop_before_it_could_be_woken_waits_for_no_tick(runtime: Path):
    """As one that ends while its meters are loaded: it waited for its first tick, 0.1 s."""
    alone = Alone(runtime)
    alone.worker.stopping.set()
    alone._seat.wake = lambda: None
    begun_s = time.monotonic()
    alone.lull(Beat(begun_s, 60.0, is_dense=False))
    assert (alone.ticks, alone.taken) == (0, [])
    assert time.monotonic() - begun_s < 50.0


@pytest.mark.parametrize(
    "end",
    [
        lambda alone: alone._seat.wake(),
        lambda alone: alone.worker.marks.append({"k": "log"}),
        lambda alone: alone.worker.stopping.set(),
        lambda alone: (alone._seat.folder / "reader.lock").unlink(),
    ],
    ids=["knock", "mark", "stop", "lock-deleted"],
)
def test_anything_else_ends_it_before_the_next_tick(runtime: Path, end: Callable[[Alone], object]):
    """A knock of another run, a mark, the stop and a deleted lock are for the whole look, which is not late."""
    alone = Alone(runtime)
    alone.at_tick[3] = lambda: (end(alone), LOOK)[1]
    alone.lull()
    assert (alone.ticks, len(alone.taken)) == (4, 4)


def test_a_counter_that_is_lost_ends_it_at_once(runtime: Path):
    """What `glance` cannot tell the whole look finds in the same tick: none was counted for it."""
    alone = Alone(runtime, {3: lambda: None})
    alone.lull()
    assert (alone.ticks, len(alone.taken)) == (3, 3)


def test_a_knock_ends_a_long_wait(runtime: Path):
    """Another run that comes is seen at once, and not when the next tick is due."""
    alone = Alone(runtime)
    assert alone._seat is not None
    timer = threading.Timer(0.05, alone._seat.wake)
    timer.start()
    alone.lull(Beat(time.monotonic(), 3600.0, is_dense=False))
    timer.join()
    assert alone.ticks == 0


@pytest.mark.parametrize(
    "change",
    [
        {"_reader": object()},
        {"_strict": True},
        {"_was_served": True},
        {"_noted": 1},
        {"sampler": None},
        {"sampler": SimpleNamespace(poll_s=0.1)},
        {"_seat": None},
        {"_service": SimpleNamespace(is_idle=False, has_neighbours=False)},
        {"_service": SimpleNamespace(is_idle=True, has_neighbours=True)},
    ],
    ids=[
        "reads-for-others",
        "strict",
        "served",
        "unnoted",
        "no-meters",
        "power-polled-between",
        "no-seat",
        "service",
        "neighbours",
    ],
)
def test_a_run_that_is_not_alone_takes_none(runtime: Path, change: dict[str, Any]):
    """Whoever reads for others, is served, or has more to tell looks at everything at each tick."""
    alone = Alone(runtime)
    vars(alone).update(change)
    alone.lull()
    assert (alone.ticks, alone.taken) == (0, [])


def test_a_young_run_is_looked_at_sooner(runtime: Path):
    """Ten times in its first period: the pace of a young run holds in a lull too."""
    alone, beat = Alone(runtime), Beat(time.monotonic(), 3600.0, is_dense=True)
    alone.lull(beat)
    assert beat.is_young and len(alone.taken) == RESCAN_TICKS - 1
