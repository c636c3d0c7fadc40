"""Most ticks of a run that reads for itself alone: counters are read and journalled, and nothing else is looked at.

A whole look comes after nine of them at the latest, and at once where anything else is due.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.tracker.reader import Reader
    from sootprint.tracker.recorder import Recorder
    from sootprint.tracker.sampler import Sampler
    from sootprint.tracker.seat import Seat
    from sootprint.tracker.service_place import ServicePlace

RESCAN_TICKS = 10  # a knock may be lost, and a node service may come


class Glances:
    """The part of a source that takes such ticks."""

    if TYPE_CHECKING:
        sampler: Sampler | None
        _seat: Seat | None
        _service: ServicePlace
        _reader: Reader | None
        _recorder: Recorder
        _strict: bool
        _ticks: int
        _noted: int
        _was_served: bool

    def glance(self) -> bool:
        """Whether nothing but counters was due, and they were recorded."""
        seat, sampler, ticks = self._seat, self.sampler, self._ticks + 1
        if sampler is None or seat is None or self._reader is not None or not ticks % RESCAN_TICKS:
            return False
        if seat.knocked or self._strict or self._was_served or self._noted != self._recorder.added:
            return False
        if not self._service.is_idle or not seat.is_in_place:
            return False
        if not self._recorder.take_glance(sampler.glance()):
            return False
        self._ticks = ticks
        return True
