"""The thread that measures a run, as the training sees it: to start it and to mark it costs almost nothing.

This module loads nothing heavy; what measuring needs is loaded by the thread, so that the training goes on.
"""

from __future__ import annotations

import collections
import itertools
import threading
import time

from sootprint.core.ids import uuid7

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from sootprint.core.protocols import Machine
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

READY_S = 0.015  # longest time that a start waits for the first reading; what it misses is filled in


def _ignore(text: str) -> None:
    return None


class Worker:
    """One measured run; every method returns at once or within its bound and raises nothing.

    Args:
        arguments: Settings given as arguments; a wrong one is warned of, and the run is measured without.
        settings: Settings already read, in place of `arguments`.
        name: Name of the run.
        tags: Tags of the run.
        given: Facts to keep beside the record, e.g. the command where it was asked for.
        parent: Identity of the run that this one is part of.
        machine: Where the meters look; from the settings when None.
        begins_when_ready: Whether the run begins with its first reading, as nothing happens before it.
        on_warning: Called with one line, from the measuring thread.
    """

    def __init__(
        self,
        *,
        arguments: Mapping[str, Any] | None = None,
        settings: Settings | None = None,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
        parent: str | None = None,
        machine: Machine | None = None,
        begins_when_ready: bool = False,
        on_warning: Callable[[str], object] = _ignore,
    ) -> None:
        self.arguments, self.settings = dict(arguments or {}), settings
        self.name, self.tags, self.given, self.parent = name, dict(tags or {}), dict(given or {}), parent
        self.machine = machine
        self.begins_when_ready = begins_when_ready
        self.on_warning = on_warning
        self._monotonic_s = machine.clock.monotonic_s if machine else time.monotonic
        self._wall_s = machine.clock.wall_s if machine else time.time
        self.begin()
        self.id = uuid7(self.wall_s)
        self.footprint: Footprint | None = None
        self.discarded = False
        self.why = "finished"
        self.marks: collections.deque[dict[str, Any]] = collections.deque()
        self.ready, self.stopping, self._done = threading.Event(), threading.Event(), threading.Event()
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._body, name="sootprint", daemon=True)

    def begin(self) -> None:
        """Count the run's time from now."""
        self.wall_s, self.start_s = self._wall_s(), self._monotonic_s()

    def start(self, *, wait_s: float = READY_S) -> None:
        """Begin to measure; waits for the first reading, at most `wait_s` [s]."""
        self._thread.start()
        self.ready.wait(wait_s)

    def stop(self, *, wait_s: float, why: str = "finished") -> None:
        """Take the last reading, make the footprint and store it; waits at most `wait_s` [s]."""
        if self._thread.ident is None:
            return
        self.why = why
        self.stopping.set()
        self._done.wait(wait_s)

    def discard(self, *, wait_s: float) -> None:
        """End without a record: what was to be measured never began."""
        self.discarded = True
        self.stop(wait_s=wait_s)

    def open_span(self, name: str) -> int:
        """Number of a span that begins now."""
        number = next(self._numbers)
        self.marks.append({"k": "span", "s": self.now_s(), "n": number, "open": True, "name": str(name)})
        return number

    def close_span(self, number: int) -> None:
        """End of a span, now."""
        self.marks.append({"k": "span", "s": self.now_s(), "n": number, "open": False})

    def log(self, metric: str, value: float) -> None:
        """A metric's value at the energy spent until now."""
        self.marks.append({"k": "log", "s": self.now_s(), "metric": str(metric), "value": float(value)})

    def now_s(self) -> float:
        """Seconds since the start [s]."""
        return round(self._monotonic_s() - self.start_s, 5)

    def _body(self) -> None:
        try:
            from sootprint.tracker.session import Session

            Session(self).run()
        finally:
            self.ready.set()
            self._done.set()
