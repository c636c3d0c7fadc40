"""Ticks of counters alone: taken one after another in one loop, until anything else is due."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sootprint.tracker.glance import Glances
from sootprint.tracker.sampler import Beat
from sootprint.tracker.seat import Seat
from sootprint.tracker.worker import Flag

PERIOD_S = 0.01
MOST = 9  # looks that the counter of a test gives
LOOK = [("rapl", [("cpu:0", 1.0, 40.0)])]


class Alone(Glances):
    """A run that reads for itself alone, on a real seat, with one counter."""

    def __init__(self, runtime: Path, at_tick: dict[int, Callable[[], object]] | None = None) -> None:
        self.at_tick = at_tick or {}
        self.ticks = self._noted = 0
        self.taken: list[Any] = []
        self.worker: Any = SimpleNamespace(stopping=Flag(), marks=deque())
        self.until_s = self._rescan_s = math.inf
        self.sampler: Any = SimpleNamespace(glances=lambda: (self.look, self.until_s), poll_s=0.0)
        self._settings: Any = SimpleNamespace(period_s=PERIOD_S)
        self._recorder: Any = SimpleNamespace(
            added=0, start_s=0.0, monotonic_s=time.monotonic, glances=lambda look: lambda: self.take(look())
        )
        self._service: Any = SimpleNamespace(is_idle=True, beside=None)
        self._reader, self._strict, self._was_served = None, False, False
        self._seat = Seat(runtime, "/sys")
        assert self._seat.take()

    def look(self) -> Any:
        """The counter; what happens at this tick happens meanwhile."""
        made = self.at_tick.pop(self.ticks, lambda: LOOK)()
        return made if len(self.taken) < MOST else None

    def take(self, look: Any) -> bool:
        """Whether a look was journalled."""
        if look is not None:
            self.taken.append(look)
        return look is not None

    def lull(self, beat: Beat | None = None, worker: Any = None) -> None:
        """As the measuring thread calls it."""
        beat = beat or Beat(time.monotonic(), PERIOD_S, is_dense=False)
        super().lull(beat, worker or self.worker)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A directory of locks."""
    return tmp_path / "run"


def rescans(ticks_s: Iterable[float], *, period_s: float, start_s: float = 100.0) -> list[float]:
    """Ages of a run at those of its ticks at which a whole look is to see who else is here [s]."""
    now_s = 0.0
    looks: Any = SimpleNamespace(
        _rescan_s=-math.inf,
        _recorder=SimpleNamespace(start_s=start_s, monotonic_s=lambda: start_s + now_s),
        _settings=SimpleNamespace(period_s=period_s),
    )
    found = []
    for now_s in ticks_s:
        if Glances._is_to_rescan(looks):
            found.append(now_s)
    return found


def test_nine_ticks_of_ten_are_counters_alone():
    """The tenth is left to the whole look, however late the ticks of an older run are."""
    late = [50.0 + tick + 0.4 * (tick % 2) for tick in range(31)]
    assert rescans(late, period_s=1.0) == [50.0, 60.0, 70.0, 80.0]


def test_a_young_run_is_looked_at_as_a_whole_when_it_is_three_times_as_old():
    """At its begin and at 1.5 s, then at three times that age, until that is ten periods; sooner with short periods."""
    ticks_s = [0.01 * tick for tick in range(5, 3600)]
    assert rescans(ticks_s, period_s=1.0) == pytest.approx([0.05, 1.5, 4.5, 13.5, 23.0, 32.5], abs=0.011)
    assert rescans(ticks_s[:350], period_s=0.1) == pytest.approx([0.05, 1.0, 1.95, 2.9], abs=0.011)


def test_a_whole_look_that_is_due_ends_it(runtime: Path):
    """To see who else is here, or as a meter has more to tell than counters: that tick is not taken."""
    for due in ("_rescan_s", "until_s"):
        alone = Alone(runtime)
        setattr(alone, due, time.monotonic() + 2.5 * PERIOD_S)
        alone.lull(Beat(time.monotonic(), PERIOD_S, is_dense=False))
        assert alone.ticks == len(alone.taken) <= 2
        alone._seat.close()


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
        {"_service": SimpleNamespace(is_idle=False, beside=None)},
        {"_service": SimpleNamespace(is_idle=True, beside=SimpleNamespace(any=True))},
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
    assert beat.is_young and len(alone.taken) == MOST
