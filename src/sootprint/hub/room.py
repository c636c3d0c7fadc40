"""Room for large requests: as many at once as fit into a number of bytes; the others wait a little, or come again.

A request of the largest size takes some hundred megabytes while it is read and stored. Small ones, which are nearly
all, take no room and never wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import AsyncIterator

from sootprint.core.errors import SootprintError

SMALL = 1 << 20  # bytes of a request that takes no room
WAIT_S = 20.0  # for room
LOOK_S = 0.02  # from one look for room to the next
ARRIVING = 64 << 20  # bytes of bodies that are received or wait, as they come
EXPORTS = (
    4  # lists of all records that are sent at once, each of which takes a processor for a minute of a million
)
AT_WORK = 8 << 20  # bytes of bodies that are read and stored, unpacked; a larger one has the room for itself


class BusyError(SootprintError):
    """There is no room for a request as large as this at the moment."""

    wait_s = 5.0


class Room:
    """What requests of one process may have together; one caller has half of it in several requests at most.

    Args:
        most: Bytes, or requests, of all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    async def take(self, n: int, who: str) -> None:
        """Take room for a request, which is to be given back.

        Args:
            n: Bytes.
            who: Its caller.

        Raises:
            BusyError: There was none for a while.
        """
        clock = asyncio.get_running_loop().time
        until_s = clock() + WAIT_S
        while not self.enter(n, who):
            if clock() > until_s:
                raise BusyError("the hub has many large requests now: send this again later, or in parts")
            await asyncio.sleep(LOOK_S)

    def give(self, n: int, who: str) -> None:
        """Give room back."""
        with self._lock:
            self._held[who] -= n
            if not self._held[who]:
                del self._held[who]

    @contextlib.asynccontextmanager
    async def held(self, n: int, who: str) -> AsyncIterator[None]:
        """Room for a request as long as the context runs; a small one needs none."""
        if n <= SMALL:
            yield
            return
        n = min(n, self._most)
        await self.take(n, who)
        try:
            yield
        finally:
            self.give(n, who)

    def enter(self, n: int, who: str) -> bool:
        """Whether there was room for a request, which it then has and is to give back."""
        with self._lock:
            own = self._held[who]
            fits = sum(self._held.values()) + n <= self._most and (not own or 2 * (own + n) <= self._most)
            if fits:
                self._held[who] += n
            return fits
