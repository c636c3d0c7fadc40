"""The page of figures, made anew only now and then: it must not become a fine-grained meter for everybody."""

from __future__ import annotations

from sootprint import __version__
from sootprint.core.exposition import Family, exposition
from sootprint.core.protocols import Clock
from sootprint.tracker.service.desk import Desk
from sootprint.tracker.service.metrics import by_user, gauge

EVERY_S = 5.0


class Page:
    """Text for whoever collects figures.

    Args:
        desk: What the figures are about.
        clock: The clock.
    """

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk, self._clock = desk, clock
        self._text, self._until_s = "", -1.0

    def text(self) -> str:
        """The page, at most `EVERY_S` old [s]."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._until_s:
            self._text, self._until_s = exposition(self._families()), now_s + EVERY_S
        return self._text

    def _families(self) -> list[Family]:
        desk, hall = self._desk, self._desk.hall
        runs: dict[str, int] = {}
        for run in hall.runs.values():
            user = desk.user_of(run.caller.uid)
            runs[user] = runs.get(user, 0) + 1
        about = Family(
            "sootprint_service_info", "gauge", "Version of the service.", [((("version", __version__),), 1.0)]
        )
        return [
            *desk.counters.families(),
            by_user("sootprint_runs", "Runs that are charged now, by user.", runs),
            gauge("sootprint_jobs", "Jobs that a prolog has begun.", float(len(hall.jobs))),
            gauge("sootprint_pods", "Pods of this node.", float(len(hall.pods))),
            about,
        ]
