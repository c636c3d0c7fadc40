"""Instants as ISO 8601 writes them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from sootprint.core.errors import InputError

_DIGITS = range(9, 12)  # of seconds since 1970: the years 1973 to 5138


def instant(text: str, clock: tzinfo = UTC) -> datetime:
    """Aware instant in UTC of a text.

    Args:
        text: An instant of ISO 8601.
        clock: Time zone of a text that names none; of an hour that a clock shows twice it is the first.

    Raises:
        ValueError: It is no instant, or lies in UTC beyond the years 1 to 9999.

    >>> instant("2026-01-31T12:00:00+02:00").isoformat(), instant("2026-01-31").isoformat()
    ('2026-01-31T10:00:00+00:00', '2026-01-31T00:00:00+00:00')
    """
    found = datetime.fromisoformat(text)
    try:
        return (found.replace(tzinfo=clock) if found.tzinfo is None else found).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} lies beyond the years that can be written") from None


def logged(text: str, clock: tzinfo = UTC) -> datetime:
    """Aware instant in UTC of a text of a log: whole seconds since 1970, as `date +%s` writes them, or ISO 8601.

    Raises:
        ValueError: As `instant`.

    >>> logged("1770000000").isoformat(), logged("2026-02-02T02:40:00").isoformat()
    ('2026-02-02T02:40:00+00:00', '2026-02-02T02:40:00+00:00')
    """
    if _is_seconds(text):
        return datetime.fromtimestamp(int(text), UTC)
    return instant(text, clock)


def is_local(text: str) -> bool:
    """Whether a text is an instant with a time and without its zone, so that it is of somebody's clock.

    >>> [is_local(one) for one in ("2026-02-02T02:40:00", "2026-02-02T02:40Z", "2026-02-02", "1770000000", "noon")]
    [True, False, False, False, False]
    """
    try:
        return not _is_seconds(text) and ":" in text and datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


def zone(name: str) -> tzinfo:
    """Time zone by its name in the IANA database.

    Raises:
        InputError: There is none of that name.

    >>> instant("2026-07-01T12:00", zone("Europe/Berlin")).isoformat()
    '2026-07-01T10:00:00+00:00'
    """
    from zoneinfo import ZoneInfo

    if name.strip().upper() == "UTC":
        return UTC  # also where there is no database
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"time zone {name!r:.40} is not known: name one of the IANA database, e.g. Europe/Berlin or UTC"
        ) from None


def _is_seconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) in _DIGITS
