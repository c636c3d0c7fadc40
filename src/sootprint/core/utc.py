"""Instants as ISO 8601 writes them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(text: str) -> datetime:
    """Aware instant in UTC of a text; one that names no time zone is in UTC.

    Raises:
        ValueError: It is no instant, or lies in UTC beyond the years 1 to 9999.

    >>> instant("2026-01-31T12:00:00+02:00").isoformat(), instant("2026-01-31").isoformat()
    ('2026-01-31T10:00:00+00:00', '2026-01-31T00:00:00+00:00')
    """
    found = datetime.fromisoformat(text)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} lies beyond the years that can be written") from None
