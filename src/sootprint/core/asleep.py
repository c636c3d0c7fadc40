"""Time in which the machine was suspended: its monotonic clock leaves it out, and a counter that goes on does not."""

from __future__ import annotations

import math
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_S = 0.05  # less than this is a process that was held up between two clocks


class Asleep:
    """Watch over the two clocks of a machine.

    Args:
        monotonic_s: The monotonic clock in use [s]; of one that is not the machine's nothing is known.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._watched = monotonic_s is time.monotonic and hasattr(time, "CLOCK_BOOTTIME")
        self._apart_s = math.inf  # at the first call nothing is known
        self.since_s()

    def since_s(self) -> float:
        """Time that the machine was suspended since the call before [s]."""
        if not self._watched:
            return 0.0
        monotonic_s = time.monotonic()
        apart_s = time.clock_gettime(time.CLOCK_BOOTTIME) - monotonic_s
        slept_s, self._apart_s = apart_s - self._apart_s, apart_s
        return slept_s if slept_s > LEAST_S else 0.0
