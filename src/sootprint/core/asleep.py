"""The machine's monotonic clock, and the time in which it was suspended, which that clock leaves out.

Processes of one machine tell each other instants. One in a time namespace, as `unshare --time`, a container or a
restored checkpoint may give it, has clocks that are ahead of the others' or behind: what it tells is set right here.

Source:
    Linux kernel, time_namespaces(7) (2025).
"""

from __future__ import annotations

import functools
import math
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_S = 0.05  # less than this is a process that was held up between two clocks
_OF_ALL = (
    "time:[4026531834]"  # the first time namespace: PROC_TIME_INIT_INO of include/linux/proc_ns.h (Linux 5.6)
)


def ahead_s(clock: str, procfs: str = "/proc") -> float:
    """How far a clock of this process is ahead of the machine's own, by its time namespace [s].

    Args:
        clock: `monotonic` or `boottime`.
        procfs: Root of the process tree.
    """
    try:
        if os.readlink(f"{procfs}/self/ns/time") == _OF_ALL:  # noqa: PTH115 - a text suffices
            return 0.0
        with open(f"{procfs}/self/timens_offsets", encoding="ascii") as file:  # noqa: PTH123
            rows = [line.split() for line in file]
        return next(int(whole) + int(nano) * 1e-9 for name, whole, nano in rows if name == clock)
    except (OSError, ValueError, StopIteration):  # no such system, or one without time namespaces
        return 0.0


def machines_own(procfs: str = "/proc") -> Callable[[], float]:
    """The monotonic clock that all processes of this machine share [s]: where nothing is shifted, the system's."""
    shift_s = ahead_s("monotonic", procfs)
    return (lambda: time.monotonic() - shift_s) if shift_s else time.monotonic


MONOTONIC_S = machines_own()


class Asleep:
    """Watch over the two clocks of a machine.

    Args:
        monotonic_s: The monotonic clock in use [s]; of one that is not the machine's nothing is known.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._watched = monotonic_s is MONOTONIC_S and hasattr(time, "CLOCK_BOOTTIME")
        self._apart_s = math.inf  # at the first call nothing is known
        self.since_s()

    @property
    def watch(self) -> tuple[Callable[[], float], float]:
        """Another clock, and how far it may be ahead of the one in use until the next call of `since_s` [s].

        Where it is farther, the machine was suspended meanwhile.
        """
        if not self._watched:
            return self._monotonic_s, math.inf
        return functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME), self._apart_s + LEAST_S

    def since_s(self) -> float:
        """Time that the machine was suspended since the call before [s]."""
        if not self._watched:
            return 0.0
        monotonic_s = self._monotonic_s()
        apart_s = time.clock_gettime(time.CLOCK_BOOTTIME) - monotonic_s
        slept_s, self._apart_s = apart_s - self._apart_s, apart_s
        return slept_s if slept_s > LEAST_S else 0.0
