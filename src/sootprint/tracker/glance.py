"""Most ticks of a run that reads for itself alone: counters are read and journalled, and nothing else is looked at.

A whole look comes after nine of them at the latest, and at once where anything else is due. They stand in one loop that
calls as little as it can: what runs once a second finds cold caches, where each function costs some microseconds.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.tracker.reader import Reader
    from sootprint.tracker.recorder import Recorder
    from sootprint.tracker.sampler import Beat, Sampler
    from sootprint.tracker.seat import Seat
    from sootprint.tracker.service_place import ServicePlace
    from sootprint.tracker.worker import Worker

RESCAN_TICKS = 10  # a knock may be lost, and a node service may come
MS_PER_S = 1000.0


class Glances:
    """The part of a source that takes such ticks."""

    if TYPE_CHECKING:
        sampler: Sampler | None
        ticks: int
        _seat: Seat | None
        _service: ServicePlace
        _reader: Reader | None
        _recorder: Recorder
        _strict: bool
        _noted: int
        _was_served: bool

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
        (wait, is_in_place), recorder = watch, self._recorder
        stopping, marks, now_s = worker.stopping, worker.marks, recorder.monotonic_s
        while (
            self.ticks + 1
        ) % RESCAN_TICKS and not stopping.is_set:  # it may be told before it can be woken
            pause_s = beat.due_s - now_s()
            if wait(MS_PER_S * pause_s if pause_s > 0.0 else 0.0) or stopping.is_set or marks:
                return
            if not is_in_place() or self._service.has_neighbours:
                return
            if not recorder.take_glance(sampler.glance()):
                return
            self.ticks += 1
            beat.go_on(now_s())

    def _has_new_neighbours(self) -> bool:
        """Whether runs of other users have come while this one reads for itself alone."""
        return self.sampler is not None and self._reader is None and self._service.has_neighbours

    def _is_busy(self, seat: Seat) -> bool:
        """Whether a tick has more to do than to read counters, until the next whole look at least."""
        is_shared = self._reader is not None or self._strict or self._was_served or not self._service.is_idle
        return is_shared or seat.knocked or self._noted != self._recorder.added
