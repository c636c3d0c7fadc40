"""The thread that measures a run, as the training sees it: to start it and to mark it costs almost nothing.

This module loads nothing heavy; what measuring needs is loaded by the thread, so that the training goes on.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import math
import os
import sys
import threading
import time
import weakref

from sootprint.core.asleep import MONOTONIC_S
from sootprint.core.errors import InputError
from sootprint.core.ids import uuid7
from sootprint.meters.first import First
from sootprint.tracker import turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from sootprint.core.protocols import Machine
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

MAX_MARKS = 100_000  # spans and metrics that may wait to be written
TREES = {"sysfs": "/sys", "procfs": "/proc"}
NODE_SOCKET = "/run/sootprint/node.sock"  # of the service, which reads the cards where it is there
MAX_TEXT = 1000  # characters of a name
MAX_REFUSED = 50
STRANGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)  # of a user's object
FORK_S = 1.0  # longest time that a fork waits for the measuring thread to have loaded its modules
READY_S = 0.004  # longest time that a start waits for the first look at the counters


def _ignore(text: str) -> None:
    return None


class Flag:
    """A flag that one thread waits for; a look costs a third less than at an Event, once a second for days."""

    def __init__(self) -> None:
        self.is_set = False
        self._setting = threading.Lock()
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Raise the flag; a second time changes nothing."""
        with self._setting:
            if not self.is_set:
                self.is_set = True
                if self._lock.locked():
                    self._lock.release()

    def nudge(self) -> None:
        """End a wait that goes on, or the next one, without the flag."""
        with self._setting:
            if not self.is_set and self._lock.locked():
                self._lock.release()

    def wait(self, duration_s: float) -> bool:
        """Whether the flag is up, after at most `duration_s` [s]."""
        return self.is_set or (self._lock.acquire(timeout=duration_s) and self.is_set)


class Asked:
    """A question for the footprint so far, and its answer."""

    def __init__(self) -> None:
        self.footprint: Footprint | None = None
        self.answered = threading.Event()

    def answer(self, footprint: Footprint | None) -> None:
        """Give the answer to who waits for it."""
        self.footprint = footprint
        self.answered.set()


class Worker:
    """One measured run; every method returns at once or within its bound and raises nothing.

    Args:
        arguments: Settings given as arguments; a wrong one is warned of, and the run is measured without.
        settings: Settings already read, in place of `arguments`.
        name: Name of the run.
        tags: Tags of the run.
        given: Facts to keep beside the record, e.g. the command where it was asked for.
        about: Name of the `model`, and `results` by their names TASK/DATASET[:SPLIT]/METRIC.
        parent: Identity of the run that this one is part of.
        machine: Where the meters look; from the settings when None.
        begins_when_ready: Whether the run begins with its first reading, as nothing happens before it.
        on_warning: Called with one line, from the measuring thread.
    """

    joined: Mapping[str, str] | None = None  # runs of other tools in which this one takes place, by tool

    def __init__(
        self,
        *,
        arguments: Mapping[str, Any] | None = None,
        settings: Settings | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
        parent: str | None = None,
        machine: Machine | None = None,
        begins_when_ready: bool = False,
        on_warning: Callable[[str], object] = _ignore,
    ) -> None:
        self.arguments, self.settings = dict(arguments or {}), settings
        self.name = None if name is None else text_of(name)
        self.tags = {text_of(key): text_of(value) for key, value in (tags or {}).items()}
        self.given, self.about, self.parent = dict(given or {}), dict(about or {}), parent
        self.machine = machine
        self.begins_when_ready = begins_when_ready
        self.on_warning = on_warning
        self._monotonic_s = machine.clock.monotonic_s if machine else MONOTONIC_S
        self._wall_s = machine.clock.wall_s if machine else time.time
        self.begin()
        self.id = uuid7(self.wall_s)
        self.footprint: Footprint | None = None
        self.discarded = self.attached = False  # to the record of another rank of its job on this machine
        self.job: tuple[Path, str] | None = None  # home of that record, and the job's identity
        self.why = "finished"
        self.stopped_s: float | None = None  # when it was told to stop [s]
        self.marks: collections.deque[dict[str, Any]] = collections.deque()
        self.ready, self.loaded = threading.Event(), threading.Event()
        self.first = self._first_look()
        self.stopping, self._done = Flag(), threading.Event()
        self.interrupt: Callable[[], object] = bool  # ends a wait that the flag alone does not
        self.asked: collections.deque[Asked] = collections.deque()  # who waits for the footprint so far
        self.unkept = 0  # marks that came faster than they can be written
        self._numbers, self._refused = itertools.count(), set[str]()
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._body, name="sootprint", daemon=True)

    def begin(self) -> None:
        """Count the run's time from now."""
        self.wall_s, self.start_s = self._wall_s(), self._monotonic_s()

    def _first_look(self) -> First:
        """The first look at the device tree that this run will most likely read."""
        told = self.machine or self.settings
        stated = {
            name: self.arguments.get(name) or os.environ.get(f"SOOTPRINT_{name.upper()}") for name in TREES
        }
        sysfs, procfs = (text_of(getattr(told, name, stated[name] or TREES[name])) for name in TREES)
        return First(sysfs, procfs, self._monotonic_s, turns.usual)

    def start(self, *, wait_s: float | None = None) -> None:
        """Begin to measure: from the first look at the counters on, for which this waits `READY_S` at most.

        Args:
            wait_s: Longest wait for the first readings of all meters instead, where nothing happens before them [s].
        """
        if sys.is_finalizing():  # a thread would never begin, and its starter wait for it
            self.on_warning("not measured: the interpreter is ending")
            return
        for name, value in (self.about.get("results") or {}).items():
            self.result(name, value)
        turns.short.__enter__()  # until `has_loaded`
        try:
            self._thread.start()
        except RuntimeError as err:  # the system has no thread left
            self.has_loaded()
            self.on_warning(f"not measured: {err}")
            return
        _started.add(self)
        if not self.begins_when_ready:
            self.first.is_over.wait(READY_S)
            self.first.begin(self.begin)
        if wait_s is not None and not self.ready.wait(wait_s) and self.begins_when_ready:
            self.begins_when_ready = False  # a device hangs, and what is to be measured begins all the same
            self.begin()

    def stop(self, *, wait_s: float, why: str = "finished") -> bool:
        """Whether the last reading was taken and the footprint stored; waits at most `wait_s` [s]."""
        if self._thread.ident is None:
            return True
        self.why = why
        if self.stopped_s is None:
            self.stopped_s = self.now_s()
        with turns.short:
            if not self.loaded.is_set():  # the start still wants them, too, and would keep them short
                turns.short.watch()
            self.stopping.set()
            self.interrupt()
            is_done = self._done.wait(min(wait_s, turns.MOST_S))
        return is_done or self._done.wait(max(0.0, wait_s - turns.MOST_S))

    def so_far(self, *, wait_s: float) -> Footprint | None:
        """Footprint until now, of readings that are taken for it; None where none came within `wait_s` [s].

        After the end it is that of the whole run; a rank whose job another one writes gives the job's.
        """
        if self.attached:
            return self.footprint_of_job()
        if self._thread.ident is None or self._pid != os.getpid() or self._done.is_set():
            return self.footprint
        asked = Asked()
        self.asked.append(asked)
        self.interrupt()
        self.stopping.nudge()
        asked.answered.wait(wait_s)
        return asked.footprint

    def footprint_of_job(self) -> Footprint | None:
        """Footprint that another rank of this one's job on this machine has written so far, or None."""
        if not self.attached or self.job is None:
            return None
        from sootprint.tracker.live import of_group

        try:
            return of_group(*self.job)
        except OSError as err:
            self.on_warning(f"the record of this rank's job cannot be read: {err.strerror}")
            return None

    def discard(self, *, wait_s: float) -> None:
        """End without a record: what was to be measured never began."""
        self.discarded = True
        self.stop(wait_s=wait_s)

    def open_span(self, name: object, total: object = None) -> int | None:
        """Number of a span that begins now, or None where it is not kept.

        Args:
            name: Name of the span.
            total: Number of such spans in the whole run, for its forecast.
        """
        number = next(self._numbers)
        mark = {"k": "span", "s": self.now_s(), "n": number, "open": True, "name": text_of(name)}
        if total is not None:
            mark |= self._expected(text_of(name), total)
        return number if self._kept(mark) else None

    def _expected(self, name: str, total: Any) -> dict[str, float]:
        """Number of spans that are expected, for their first mark; none of them where it is no number above 0."""
        try:
            number = float(total)
        except STRANGE:
            number = 0.0
        if 0.0 < number < math.inf:
            return {"total": number}
        self._refuse(
            f"span {name}: total={text_of(total):.40} is no number above 0; no forecast is made from it"
        )
        return {}

    def close_span(self, number: int) -> None:
        """End of a span, now."""
        self.marks.append({"k": "span", "s": self.now_s(), "n": number, "open": False})

    def log(self, metric: object, value: Any) -> None:
        """A metric's value at the energy spent until now; one that is no finite number is refused, and said once."""
        at_s, name = self.now_s(), text_of(metric)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        except STRANGE:
            self._refuse(f"log of {name}: {type(value).__name__} is not a number; not kept")
            return
        if math.isfinite(number):
            self._kept({"k": "log", "s": at_s, "metric": name, "value": number})
        else:
            self._refuse(f"log of {name}: {number} is not a number that a record can hold; not kept")

    def result(self, name: object, value: object) -> None:
        """A result of the model, whose later value replaces it; one that cannot be used is refused, and said once."""
        from sootprint.core.results import named, number

        text = text_of(name)
        try:
            self._kept({"k": "result", **named(text), "value": number(value, text)})
        except (InputError, *STRANGE) as err:
            self._refuse(f"{err}; not kept")

    def _refuse(self, text: str) -> None:
        if text not in self._refused and len(self._refused) < MAX_REFUSED:
            self._refused.add(text)
            self._kept({"k": "note", "text": text})
            self.on_warning(text)

    def _kept(self, mark: dict[str, Any]) -> bool:
        """Whether a mark waits to be written; not in a forked child or after the end, where nothing writes it."""
        if self._pid != os.getpid() or self._done.is_set():
            return False
        if len(self.marks) >= MAX_MARKS:
            self.unkept += 1
            return False
        self.marks.append(mark)
        return True

    def now_s(self) -> float:
        """Seconds since the start [s]."""
        return round(self._monotonic_s() - self.start_s, 5)

    def _body(self) -> None:
        try:
            turns.short.watch()
            if not self.begins_when_ready:
                self._look_first()
            from sootprint.tracker.session import Session

            Session(self).run()
        finally:
            self.ready.set()
            self.has_loaded()
            self._done.set()
            while self.asked:
                self.asked.popleft().answer(self.footprint)

    def has_loaded(self) -> None:
        """All that measuring needs is loaded; a second time changes nothing."""
        if not self.loaded.is_set():
            self.loaded.set()
            turns.short.__exit__()

    def _look_first(self) -> None:
        """The first look, before what measures is loaded: only the driver of the cards, where one is there."""
        environ = os.environ if self.machine is None else self.machine.environ
        served = os.path.exists(environ.get("SOOTPRINT_NODE_SOCKET", NODE_SOCKET))  # noqa: PTH110
        with contextlib.suppress(Exception):  # a driver may raise anything; its meter says what is wrong
            self.first.load(environ, driver=not served)
        self.first.begin(self.begin)
        with contextlib.suppress(Exception):
            self.first.look_at_cards()
        self.first.is_over.set()


def text_of(value: object) -> str:
    """Text of a name as a record can hold it: valid Unicode of a bounded length; a type's name where it has none."""
    try:
        text = str(value)
    except STRANGE:
        text = type(value).__name__
    text = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


_started: weakref.WeakSet[Worker] = weakref.WeakSet()


def _load_before_fork() -> None:
    """Wait for modules that are being loaded: a forked child would keep each half-loaded one for its life."""
    for worker in list(_started):
        if worker._pid == os.getpid():
            worker.loaded.wait(FORK_S)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_load_before_fork)
