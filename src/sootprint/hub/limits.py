"""Limits of requests: a bucket of tokens for each caller, refilled at a steady rate (RFC 6585, section 4)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 10_000  # remembered in one kind of bucket; the longest unseen are forgotten
# Kinds of request: how many at once, and how many each second after that
RATES = {
    "visit": (200.0, 40.0),
    "submit": (60.0, 10.0),
    "failure": (10.0, 0.2),
    "login": (20.0, 0.5),
    "link": (60.0, 1.0),
    "token": (30.0, 0.01),
}


class Limits:
    """Buckets by kind of request and caller.

    Args:
        clock: Monotonic clock [s].
        rates: Most at once and rate of refilling, by kind [1, 1/s].
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        rates: dict[str, tuple[float, float]] | None = None,
    ) -> None:
        self._clock = clock
        self._rates = RATES if rates is None else rates
        self._left: dict[str, OrderedDict[str, tuple[float, float]]] = {kind: OrderedDict() for kind in RATES}
        self._lock = threading.Lock()

    def take(self, kind: str, caller: str, *, cost: float = 1.0) -> float:
        """Seconds that a caller has to wait; 0 where the request may go on [s]."""
        most, per_s = self._rates[kind]
        now_s = self._clock()
        with self._lock:
            buckets = self._left[kind]
            left, seen_s = buckets.pop(caller, (most, now_s))
            left = min(most, left + (now_s - seen_s) * per_s)
            wait_s = max(0.0, (cost - left) / per_s)
            buckets[caller] = (left if wait_s else left - cost, now_s)
            while len(buckets) > MOST_CALLERS:
                buckets.popitem(last=False)
        return wait_s
