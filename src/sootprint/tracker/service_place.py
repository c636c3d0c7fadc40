"""A run's place at the node service: taken where the service is there, and left when it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from sootprint.tracker.recorder import Recorder
from sootprint.tracker.registration import HERE, Registration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.settings import Settings
    from sootprint.tracker.neighbours import Neighbour, Neighbours
    from sootprint.tracker.service_client import Served

ANSWER_S = 0.5  # longest wait for the answer to the first request [s]
ALONE = "this run reads the meters itself until it is back"
SILENT = (
    "the node service did not answer for a while; its counters went on, and bridge the time where they can"
)
AT_THE_END = "what the run used since its last look is filled in"
PATIENCE = 20.0  # time between two tries to join, over what the one before took
REFUSED_S = 10.0  # and at least, where it was refused [s]


class ServicePlace:
    """What a run has to do with the node service; whatever the service does, nothing here raises.

    Args:
        settings: Settings of the run.
        sysfs: Device tree that the run would read itself.
        warn: Called with one line for a person.
    """

    def __init__(self, settings: Settings, sysfs: str, warn: Callable[[str], object]) -> None:
        self._path = os.fspath(settings.node_socket)
        self._period_s, self._sysfs, self._warn = settings.period_s, sysfs, warn
        self._procfs = settings.procfs
        self._neighbours: Neighbours | None = None  # where a service is or was
        self._is_new = False  # whether the service has yet to tell its first account
        self._served: Served | None = None
        self._waiting: list[str] = []  # remarks for a record that has not begun
        self._told: set[str] = set()
        self._again_s = 0.0  # monotonic instant before which it is not asked again [s]
        self.is_broken = False  # whether a wait was ended by it
        self.is_refused = False  # whether it has answered, and does not charge this run

    @property
    def path(self) -> str | None:
        """Its socket, or None where it refuses this run."""
        return None if self.is_refused else self._path

    @property
    def is_idle(self) -> bool:
        """Whether the service has nothing to do with this run, and nothing of it waits to be told."""
        return self._served is None and not self._waiting

    @property
    def joined(self) -> bool:
        """Whether the service charges the run, as far as is known."""
        return self._served is not None

    @property
    def holds(self) -> bool:
        """Whether the connection still holds."""
        return self._served is not None and not self._served.has_gone

    @property
    def is_there(self) -> bool:
        """Whether a service may be joined: its socket is there, and it was not asked just now."""
        return os.path.exists(self._path) and time.monotonic() >= self._again_s  # noqa: PTH110 - a text suffices

    def is_back(self, *, asked: bool) -> bool:
        """Whether a service may be joined, where that is asked; it knows of this run then, which has yet to come.

        One whose folder went with it, as under systemd, has another file on which runs say that they are here.
        """
        is_back = asked and self.is_there
        if is_back:
            self.be_seen()
        return is_back

    @property
    def parent(self) -> str | None:
        """Record that the run is a part of, as the service knows."""
        return self._served.parent if self._served is not None else None

    @property
    def charges(self) -> bool:
        """Whether the service charged any run as this one came, as far as is known."""
        return self._served is None or self._served.charges

    @property
    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """Facts of the meters that the service reads."""
        return self._served.facts if self._served is not None else {}

    def be_seen(self) -> None:
        """Let runs of other users know of this one until `be_gone`, and know of them, where a service has said how."""
        if self._neighbours is None:
            if not os.path.exists(self._path + HERE):  # noqa: PTH110 - a text suffices
                return
            from sootprint.tracker.neighbours import Neighbours

            self._neighbours = Neighbours(self._path, self._procfs, uid=os.geteuid(), pid=os.getpid())
        self._neighbours.enter()

    def be_gone(self) -> None:
        """Let runs of other users know that this one is charged no more."""
        if self._neighbours is not None:
            self._neighbours.close()

    @property
    def beside(self) -> Neighbours | None:
        """Runs of other users, where a service has said how to know of them; the same until the next whole look."""
        return self._neighbours

    @property
    def has_neighbours(self) -> bool:
        """Whether a run of another user is here."""
        return self._neighbours is not None and self._neighbours.any

    def neighbours(self) -> tuple[list[Neighbour], list[Neighbour]]:
        """Runs of other users that are here, each charged for by its own or by the service; of this one's then, too."""
        others = self._neighbours.others() if self._neighbours is not None else []
        return others, self._neighbours.kin() if others and self._neighbours is not None else []

    def join(self, own: Registration, *, wait_s: float = ANSWER_S) -> bool:
        """Whether the service answers, and will charge the run from the first look at its account on.

        Args:
            own: The run.
            wait_s: Longest wait for its answer [s].
        """
        if not self.is_there:
            return False
        from sootprint.tracker.service_client import RefusedError, Served, ServiceError

        self.close()
        sysfs, begun_s = os.path.realpath(self._sysfs), time.monotonic()
        try:
            self._served = Served(self._path, own, sysfs=sysfs, period_s=self._period_s, wait_s=wait_s)
        except ServiceError as err:
            self._tell(f"{err}: {ALONE}")
            took_s, self.is_refused = time.monotonic() - begun_s, isinstance(err, RefusedError)
            self._again_s = time.monotonic() + max(PATIENCE * took_s, REFUSED_S * self.is_refused)
        else:
            self.is_refused, self._is_new = False, True
        return self.joined

    def attach(self, own: Registration) -> None:
        """Let the service charge another rank of the run's job for this process, which has no account of its own."""
        from sootprint.tracker.service_client import ServiceError

        if self.join(own) and self._served is not None:
            try:
                self._served.join()
            except ServiceError:
                self.close()
        self.be_seen()

    def wait(self, duration_s: float) -> bool:
        """Whether it could be waited for at most `duration_s` [s]; that the service has gone ends the wait."""
        served, until_s = self._served, time.monotonic() + duration_s
        if served is None or not served.wait(duration_s):
            return False
        self.is_broken = time.monotonic() < until_s  # or the run is told to stop
        return True

    def ring(self) -> None:
        """End a wait of another thread."""
        served = self._served
        if served is not None:
            served.ring()

    def follow(self, recorder: Recorder, wait_s: float) -> bool:
        """Whether the service charges the run and told its account, which is recorded; one that does not is left.

        Args:
            recorder: Its lines.
            wait_s: Longest wait for an answer [s].
        """
        self.is_broken = False
        if self._served is not None:
            if self._take(recorder, wait_s):
                if self._is_new:  # and not before: it would leave this run its part
                    self._is_new = False
                    self.be_seen()
                return True
            self.close()
        while self._waiting:
            recorder.note(self._waiting.pop())
        return False

    def _take(self, recorder: Recorder, wait_s: float) -> bool:
        from sootprint.tracker.service_client import ServiceError

        assert self._served is not None
        try:
            entries = self._served.entries(wait_s)
        except ServiceError as err:
            self._tell(f"{err}: {ALONE}")
            self._take_latest(recorder)
            return False
        if self._served.is_silent:
            recorder.note(SILENT)
        recorder.take(entries or [])
        return True

    def settle(self, recorder: Recorder, wait_s: float) -> bool:
        """Whether the service charged the run to its end; its last account is recorded, if it comes in time."""
        if self._served is None:
            return False
        from sootprint.tracker.service_client import ServiceError

        self.be_gone()  # before the service knows that it ends: else it would be left a part
        try:
            entries = self._served.settled(wait_s)
        except ServiceError as err:
            self.be_seen()
            recorder.note(f"{err}: {ALONE}")
            self._take_latest(recorder)
            self.close()
            return False
        if entries is None:
            recorder.note(f"the node service does not answer: {AT_THE_END}")
        recorder.take(entries or [])
        self.close()
        return True

    def _take_latest(self, recorder: Recorder) -> None:
        """Record what the service had told before it went."""
        if self._served is not None and self._served.latest:
            recorder.take(self._served.latest)

    def _tell(self, text: str) -> None:
        """Tell the reader of the record, and a person; each once."""
        if text not in self._told:
            self._told.add(text)
            self._waiting.append(text)
            self._warn(text)

    def close(self) -> None:
        """Leave the service."""
        if self._served is not None:
            self._served.close()
            self._served = None
