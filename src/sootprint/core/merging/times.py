"""Times of records: instants, spans, and which lies inside of which."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint


class Span(NamedTuple):
    """Time of a record in seconds since 1970 [s]."""

    start_s: float
    end_s: float


@lru_cache(maxsize=8192)  # all components of a record tell the same instants
def seconds(stamp: str) -> float:
    """Seconds since 1970 of an instant, which is in UTC where it tells no zone [s].

    Raises:
        InputError: The text is no instant.
    """
    try:
        return utc.instant(stamp).timestamp()
    except ValueError:
        raise InputError(f"{stamp!r:.40} is not an instant such as 2026-01-31T12:00:00Z") from None


def span(record: Footprint) -> Span | None:
    """Time of a record; None where it does not tell the day when it started and for how long it ran."""
    if record.started is None or len(record.started) < len("2026-01-31"):
        return None
    start_s = seconds(record.started)
    if record.duration_s is not None:
        return Span(start_s, start_s + record.duration_s)
    if record.ended is None or len(record.ended) < len("2026-01-31"):
        return None
    return Span(start_s, seconds(record.ended))


def within(inner: Span | None, outer: Span | None) -> bool:
    """Whether one time starts inside of another; where a time is not known, the one that is named parent is."""
    return (
        inner is None
        or outer is None
        or outer.start_s <= inner.start_s < max(outer.end_s, outer.start_s + 1e-3)
    )
