"""The first look of a run: counters that cost next to nothing to read, before anything that reads them is loaded.

A measuring thread loads modules for some 30 ms of processor time, which on a busy machine are half a second; what a
device drew meanwhile would have to be filled in. So the raw numbers are read as the run starts, and the meters, found
later, take those that are theirs as their first readings.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping

from sootprint.meters import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.nvml_library import Handle, Library

POWERCAP = "class/powercap"
MOST_COUNTERS = 64  # that are read, so that no machine makes a start slow
LOCAL_RANKS = (
    "LOCAL_RANK",
    "SLURM_LOCALID",
    "OMPI_COMM_WORLD_LOCAL_RANK",
)  # the first of a node reads for all
ENERGY = "nvmlDeviceGetTotalEnergyConsumption"
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe must not block


class First:
    """Raw numbers of a first look: the instant [s] and what was read, by the path of a file or the name of a card.

    Args:
        sysfs: Root of the device tree.
        procfs: Root of the process tree.
        now_s: The monotonic clock [s].
        meanwhile: Held while the driver begins, which may take seconds or hang.
    """

    def __init__(
        self,
        sysfs: str,
        procfs: str,
        now_s: Callable[[], float],
        meanwhile: contextlib.AbstractContextManager[object] = contextlib.nullcontext(),
    ) -> None:
        self._sysfs, self._procfs, self._now_s, self._meanwhile = sysfs, procfs, now_s, meanwhile
        self._driver: Library | None = None
        self._cards: list[tuple[str, Handle]] = []
        self._beginning, self._has_begun = threading.Lock(), False
        self.is_over = threading.Event()  # whether nothing more is read
        self.seen: dict[str, tuple[float, bytes]] = {}

    def load(self, environ: Mapping[str, str], *, driver: bool = True) -> None:
        """Start NVIDIA's driver library, where there is one; a device that hangs holds this up.

        Args:
            environ: Environment of the run; where another rank of this machine reads the cards, they are left to it.
            driver: Whether the cards may be looked at.
        """
        if not driver or any(environ.get(name, "0") != "0" for name in LOCAL_RANKS):
            return
        cdll = library.first(library.NVIDIA)
        if cdll is None:
            return
        from sootprint.core.errors import MeterError
        from sootprint.meters import nvml_library

        try:
            with self._meanwhile:
                self._driver = nvml_library.Library(cdll)
        except MeterError:
            return
        for index in range(min(MOST_COUNTERS, self._driver.count())):
            handle = self._driver.handle(index)
            if handle is not None:
                self._cards.append((card(index), handle))

    def begin(self, count: Callable[[], object]) -> None:
        """Let a run count its time from now, and look; of two threads the one that comes first.

        Args:
            count: Called before the look.
        """
        with self._beginning:
            if not self._has_begun:
                self._has_begun = True
                count()
                self.look()

    def look(self) -> None:
        """Read the processors' counters: files of the kernel, which answer at once."""
        root = f"{self._sysfs}/{POWERCAP}"
        try:
            names = [name for name in os.listdir(root) if ":" in name]  # noqa: PTH208 - a text suffices
        except (OSError, ValueError):  # a path may hold a null byte, where it was stated so
            names = []
        for name in names[:MOST_COUNTERS]:
            self._read(f"{root}/{name}/energy_uj", limit=64)
        if not self.seen:
            self._read(f"{self._procfs}/stat", limit=512)

    def look_at_cards(self) -> None:
        """Read the cards' counters; one that hangs holds this up."""
        if self._driver is None:
            return
        import ctypes

        answer = ctypes.c_ulonglong()
        read = self._driver.function(ENERGY)
        for name, handle in self._cards:
            if read(handle, ctypes.byref(answer)) == 0:
                self.seen[name] = self._now_s(), b"%d" % answer.value

    def since(self, start_s: float) -> dict[str, tuple[float, bytes]]:
        """What was read in a run that began at an instant [s]."""
        return {name: seen for name, seen in self.seen.items() if seen[0] >= start_s}

    def close(self) -> None:
        """Let go of the driver, which the meters hold now."""
        driver, self._driver, self._cards = self._driver, None, []
        if driver is not None:
            driver.close()

    def _read(self, path: str, *, limit: int) -> None:
        try:
            file = os.open(path, _FLAGS)
        except (OSError, ValueError):
            return
        try:
            self.seen[path] = self._now_s(), os.read(file, limit)
        except OSError:
            pass
        finally:
            os.close(file)


def card(index: int) -> str:
    """Name of a card's counter in a first look, by its place in PCI order."""
    return f"nvml:{index}"


def counter(seen: Mapping[str, tuple[float, bytes]], name: str) -> tuple[float, int] | None:
    r"""Instant [s] and whole number of a first look, or None where there is none.

    >>> counter({"a": (2.0, b"41\n"), "b": (2.0, b"")}, "a"), counter({"b": (2.0, b"")}, "b")
    ((2.0, 41), None)
    """
    at_s, raw = seen.get(name, (0.0, b""))
    digits = raw.strip()
    return (at_s, int(digits)) if digits.isdigit() and len(digits) <= 20 else None
