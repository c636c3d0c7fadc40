"""Most ticks of a run that reads for itself alone: counters are read and journalled, and nothing else is looked at.

A whole look comes after nine periods at the latest, and at once where anything else is due; in a young run, whose ticks
come sooner, after two thirds of its age. They stand in one loop that calls as little as it can: what runs once a second
finds cold caches, where each function costs some ten microseconds.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings
    from sootprint.tracker.reader import Reader
    from sootprint.tracker.recorder import Recorder
    from sootprint.tracker.sampler import Beat, Sampler
    from sootprint.tracker.seat import Seat
    from sootprint.tracker.service_place import ServicePlace
    from sootprint.tracker.worker import Worker

RESCAN_TICKS = 10  # a knock may be lost, and a node service may come
FIRST_S = 1.5  # age of a run at the first such look after its begin [s]
AGES = 3.0  # and at each later one over that at the one before, until that is ten periods
MS_PER_S = 1000.0


class Glances:
    """The part of a source that takes such ticks."""

    if TYPE_CHECKING:
        sampler: Sampler | None
        ticks: int
        _settings: Settings
        _seat: Seat | None
        _service: ServicePlace
        _reader: Reader | None
        _recorder: Recorder
        _strict: bool
        _noted: int
        _was_served: bool

    _rescan_s = -math.inf  # when a whole look is to see who else is here [s]

    def lull(self, beat: Beat, worker: Worker) -> None:
        """Wait for ticks and take them, as long as nothing but counters is due; the one that ends it is not taken.

        Args:
            beat: When ticks are due.
            worker: The run, which may be told to stop or to mark something.
        """
        sampler, seat = self.sampler, self._seat
        if sampler is None or sampler.poll_s:  # powers are polled between the ticks
            return
        if seat is None or self._is_busy(seat) or (watch := seat.watch) is None:
            return
        (wait, is_in_place), recorder, beside = watch, self._recorder, self._service.beside
        looks, until_s = sampler.glances()
        take, until_s = recorder.glances(looks), min(until_s, self._rescan_s)
        stopping, marks, now_s = worker.stopping, worker.marks, recorder.monotonic_s
        while not stopping.is_set:  # it may be told before it can be woken
            pause_s = beat.due_s - now_s()
            if wait(MS_PER_S * pause_s if pause_s > 0.0 else 0.0) or stopping.is_set or marks:
                return
            if not is_in_place() or (beside is not None and beside.any) or now_s() >= until_s or not take():
                return
            self.ticks += 1
            beat.go_on(now_s())

    def _is_to_rescan(self) -> bool:
        """Whether a whole look is to see who else is here; the next one that is comes ten periods later at most."""
        now_s, start_s = self._recorder.monotonic_s(), self._recorder.start_s
        if now_s < self._rescan_s:
            return False
        most_s = (RESCAN_TICKS - 0.5) * self._settings.period_s
        self._rescan_s = min(now_s + most_s, start_s + max(FIRST_S, AGES * (now_s - start_s)))
        return True

    def _has_new_neighbours(self) -> bool:
        """Whether runs of other users have come while this one reads for itself alone."""
        return self.sampler is not None and self._reader is None and self._service.has_neighbours

    def _is_busy(self, seat: Seat) -> bool:
        """Whether a tick has more to do than to read counters, until the next whole look at least."""
        is_shared = self._reader is not None or self._strict or self._was_served or not self._service.is_idle
        return is_shared or seat.knocked or self._noted != self._recorder.added
