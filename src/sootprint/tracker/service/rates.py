"""How often something may happen."""

from __future__ import annotations


class Bucket:
    """Tokens that fill up with time: a few at once, then so many a second.

    Args:
        most: Tokens of a full bucket.
        per_s: Tokens that are added each second [1/s].
        now_s: Instant at which it is full [s].

    >>> bucket = Bucket(most=1, per_s=2.0, now_s=0.0)
    >>> bucket.take(0.0), bucket.take(0.4), bucket.take(0.5)
    (True, False, True)
    """

    __slots__ = ("_at_s", "_most", "_per_s", "_tokens")

    def __init__(self, *, most: int, per_s: float, now_s: float) -> None:
        self._most, self._per_s = most, per_s
        self._tokens, self._at_s = float(most), now_s

    def take(self, now_s: float) -> bool:
        """Whether a token was there; it is gone then."""
        self._fill(now_s)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def wait_s(self, now_s: float) -> float:
        """Time until there is a token [s]."""
        self._fill(now_s)
        return max(0.0, (1.0 - self._tokens) / self._per_s)

    def is_full(self, now_s: float) -> bool:
        """Whether it is as if it had never been used."""
        self._fill(now_s)
        return self._tokens >= self._most

    def _fill(self, now_s: float) -> None:
        self._tokens = min(float(self._most), self._tokens + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
