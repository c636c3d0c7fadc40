"""A run and its hub: minutes while it lasts, the record at its end. Nothing of it may slow or break the command.

The hub is reached from threads of the process outside the command. A promise in the outbox, made when the command has
started, outlives a kill of this process: whoever recovers the run sends it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import HubError, SootprintError
from sootprint.core.units import SECONDS_PER_MINUTE, energy_j
from sootprint.exporters.outbox import Outbox
from sootprint.tracker.live import LiveRun, live_run
from sootprint.tracker.sampler import guarded

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.exporters.hub import HubExporter

FIRST_S, PERIOD_S = 3.0, SECONDS_PER_MINUTE  # first and further reports of a run
SEND_WAIT_S = 8.0  # for the hub, after the command and its last report have ended
STOP_WAIT_S = 2.0
LOOK_S = 0.05
MOST_WAITING = 1_440  # minutes that are kept while the hub is away
INTERRUPTS = {signal.SIGINT, signal.SIGTERM}


class Sharing:
    """The way of one run to a hub.

    Args:
        outbox: Where records wait for the hub.
        home: Home of the user.
        open_hub: Function that opens a way to the hub; each thread has its own, after the command has started.
        say: Called with one line for a person.
        live: Whether the run reports each minute.
    """

    def __init__(
        self,
        outbox: Outbox,
        home: Path,
        *,
        open_hub: Callable[[], HubExporter],
        say: Callable[[str], object],
        live: bool,
    ) -> None:
        self._outbox = outbox
        self._home, self._open, self._say, self._live = home, open_hub, say, live
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._feed: _Feed | None = None
        self._told = False

    def begin(self, key: str) -> None:
        """Promise the record of a run that has started, and report its minutes from now on."""
        self._outbox.promise(key)
        if self._live:
            feed = self._feed = _Feed(self._home, key)
            self._thread = threading.Thread(
                target=guarded, args=(lambda: self._report(feed), _ignore), name="sootprint-hub", daemon=True
            )
            self._thread.start()

    def finish(self, footprint: Footprint | None) -> None:
        """Send the record of a run that has ended, and say where it is; without one, the promise stays."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_WAIT_S)
        if footprint is None:
            return
        self._outbox.put(footprint)
        self._outbox.keep_promise(footprint.id)
        said: list[str] = []
        sending = threading.Thread(
            target=guarded, args=(lambda: self._send(footprint, said), said.append), daemon=True
        )
        sending.start()
        until_s = time.monotonic() + SEND_WAIT_S
        while sending.is_alive() and time.monotonic() < until_s and not signal.sigpending() & INTERRUPTS:
            sending.join(LOOK_S)
        self._say(said[0] if said else "the hub has not answered yet: `sootprint hub push` sends what waits")

    def _send(self, footprint: Footprint, said: list[str]) -> None:
        key = footprint.id
        with self._open() as hub:
            try:
                sent = hub.send()
                refused = [why for path, why in sent.refused if path.name.startswith(key)]
                said.append(f"refused by the hub: {refused[0]}" if refused else hub.place(key))
                if self._told and self._feed is not None:
                    hub.report_live(key, self._feed.last(footprint))
                    hub.finish_live(key)
            except HubError as err:
                if not said:
                    said.append(f"{err}; the record waits, and `sootprint hub push` sends it")

    def _report(self, feed: _Feed) -> None:
        wait_s = FIRST_S
        with self._open() as hub:
            while not self._stop.wait(wait_s):
                wait_s = PERIOD_S
                told = feed.report()
                if told is None:
                    continue
                try:
                    hub.report_live(feed.key, told)
                except SootprintError:
                    continue  # what waits goes with the next report
                feed.sent()
                if not self._told:
                    self._told = True
                    self._say(f"live at {hub.address}/live/{feed.key}")


class _Feed:
    """Minutes of a run as its journal tells them, kept until the hub has them."""

    def __init__(self, home: Path, key: str) -> None:
        self._home, self.key = home, key
        self._waiting: dict[int, dict[str, Any]] = {}
        self._before: tuple[float, float] = (0.0, 0.0)  # time [s] and energy [kWh] of the report before

    def report(self) -> dict[str, Any] | None:
        """What the hub is told now; None where the run cannot be read."""
        run = live_run(self._home, self.key)
        return None if run is None else self._told(run, run.zone)

    def last(self, footprint: Footprint) -> dict[str, Any]:
        """What the hub is told at the end: where the record says that the run has come to."""
        return self._told(footprint, footprint.place.zone)

    def _told(self, run: LiveRun | Footprint, zone: str | None) -> dict[str, Any]:
        minute = self._minute(run)
        self._waiting[minute["minute"]] = minute
        while len(self._waiting) > MOST_WAITING:
            self._waiting.pop(next(iter(self._waiting)))
        return {
            "name": run.name,
            "project": run.project,
            "zone": zone,
            "started": (run.started or "")[:40] or None,
            "duration_s": run.duration_s,
            "energy_kwh": minute["energy_kwh"],
            "emissions_kg": minute["emissions_kg"],
            "minutes": list(self._waiting.values()),
        }

    def sent(self) -> None:
        """Forget what the hub has."""
        self._waiting.clear()

    def _minute(self, run: LiveRun | Footprint) -> dict[str, Any]:
        energy = None if run.energy_kwh is None else run.energy_kwh.value
        duration_s = run.duration_s or 0.0
        since_s, power = duration_s - self._before[0], None
        if energy is not None and since_s > 0.0:
            power = energy_j(max(0.0, energy - self._before[1])) / since_s
            self._before = (duration_s, energy)
        return {
            "minute": int(duration_s / SECONDS_PER_MINUTE),
            "energy_kwh": energy,
            "emissions_kg": None if run.emissions_kg is None else run.emissions_kg.value,
            "power_w": power,
        }


def _ignore(text: str) -> None:
    """Drop what goes wrong with a live report: the record at the end counts."""
