"""A run's place at the node service: taken where the service is there, and left when it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from sootprint.tracker.recorder import Recorder
from sootprint.tracker.registration import Registration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.settings import Settings
    from sootprint.tracker.service_client import Served

ALONE = "this run reads the meters itself until it is back, and sees no runs of other users meanwhile"
SILENT = (
    "the node service did not answer for a while; its counters went on, and bridge the time where they can"
)
AT_THE_END = "what the run used since its last look is filled in"


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
        self._served: Served | None = None
        self._waiting: list[str] = []  # remarks for a record that has not begun
        self._told: set[str] = set()

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
        """Whether a service may be joined."""
        return os.path.exists(self._path)  # noqa: PTH110 - a text suffices

    @property
    def parent(self) -> str | None:
        """Record that the run is a part of, as the service knows."""
        return self._served.parent if self._served is not None else None

    @property
    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """Facts of the meters that the service reads."""
        return self._served.facts if self._served is not None else {}

    def join(self, own: Registration) -> bool:
        """Whether the service answers, and will charge the run from the first look at its account on."""
        if not self.is_there:
            return False
        from sootprint.tracker.service_client import Served, ServiceError

        self.close()
        sysfs = os.path.realpath(self._sysfs)
        try:
            self._served = Served(self._path, own, sysfs=sysfs, period_s=self._period_s)
        except ServiceError as err:
            self._tell(f"{err}: {ALONE}")
        return self.joined

    def attach(self, own: Registration) -> None:
        """Let the service charge another rank of the run's job for this process, which has no account of its own."""
        from sootprint.tracker.service_client import ServiceError

        if self.join(own) and self._served is not None:
            try:
                self._served.join()
            except ServiceError:
                self.close()

    def follow(self, own: Registration, recorder: Recorder, wait_s: float) -> bool:
        """Whether the service charges the run and told its account, which is recorded.

        Args:
            own: The run; where the service has gone and is back at once, it joins again.
            recorder: Its lines.
            wait_s: Longest wait for an answer [s].
        """
        for again in (False, True):
            if self._served is None:
                break
            if self._take(recorder, wait_s):
                return True
            if again or not self.join(own):
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

        entries = None
        try:
            entries = self._served.settled(wait_s)
            why = "the node service does not answer"
        except ServiceError as err:
            why = str(err)
        if entries is None:
            recorder.note(f"{why}: {AT_THE_END}")
        recorder.take(entries or [])
        self.close()
        return True

    def _tell(self, text: str) -> None:
        """Tell the reader of the record each time, and a person once."""
        self._waiting.append(text)
        if text not in self._told:
            self._told.add(text)
            self._warn(text)

    def close(self) -> None:
        """Leave the service."""
        if self._served is not None:
            self._served.close()
            self._served = None
