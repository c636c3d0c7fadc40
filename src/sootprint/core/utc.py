"""Instants and years as ISO 8601 writes them, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from sootprint.core.errors import InputError

_DIGITS = range(9, 12)  # of seconds since 1970: the years 1973 to 5138

# The end of a day as the last instant of it, which Python takes from 3.14 on alone
_MIDNIGHT = re.compile(r"(\S{7,10})[T ]24(:?00){0,2}([.,]0+)?(?=$|Z|[+-])")
_AS_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d(T(?!24)\d\d:\d\d:\d\d(\.\d+)?Z)?", re.ASCII)


def instant(text: str, clock: tzinfo = UTC) -> datetime:
    """Aware instant in UTC of a text.

    Args:
        text: An instant of ISO 8601.
        clock: Time zone of a text that names none; of an hour that a clock shows twice it is the first.

    Raises:
        ValueError: It is no instant, or lies in UTC beyond the years 1 to 9999.

    >>> instant("2026-01-31T12:00:00+02:00").isoformat(), instant("2026-01-31").isoformat()
    ('2026-01-31T10:00:00+00:00', '2026-01-31T00:00:00+00:00')
    >>> instant("2026-12-31T24:00Z").isoformat()
    '2027-01-01T00:00:00+00:00'
    """
    ends = _MIDNIGHT.match(text)
    found = datetime.fromisoformat(f"{ends[1]}T00:00{text[ends.end() :]}" if ends else text)
    try:
        found += timedelta(days=1 if ends else 0)
        return (found.replace(tzinfo=clock) if found.tzinfo is None else found).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} lies beyond the years that can be written") from None


def found(text: str | None) -> datetime | None:
    """Aware instant in UTC of a text; None where it is no instant.

    >>> found("2026-01-31").isoformat(), found("soon"), found(None)
    ('2026-01-31T00:00:00+00:00', None, None)
    """
    try:
        return instant(text or "")
    except ValueError:
        return None


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


def text_of(at: datetime, to: str = "milliseconds") -> str:
    """ISO 8601 text in UTC of an aware instant, with or without a fraction of its second.

    Args:
        at: The instant.
        to: Last part that is written, as `datetime.isoformat` names it; the rest is cut.

    >>> text_of(datetime(2026, 1, 31, 12, tzinfo=UTC)), text_of(datetime(2026, 1, 31, 12, tzinfo=UTC), "seconds")
    ('2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00Z')
    """
    return at.astimezone(UTC).isoformat(timespec=to).replace("+00:00", "Z")


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


def written_year(text: str | None) -> int | None:
    """Year in UTC of a date or instant of ISO 8601, else the year that a text begins with; None where there is none.

    Digits of other scripts are none: `str.isdigit` takes a superscript, which no number can be made of.

    >>> written_year("2024-12-31T23:30-02:00"), written_year("2020-W53-5"), written_year("2024, spring")
    (2025, 2021, 2024)
    >>> written_year("in 2024"), written_year("0000-01-01"), written_year("²⁰²⁴")
    (None, None, None)
    """
    said = text or ""
    if not said[:4].isascii():
        return None
    try:
        return instant(said).year
    except ValueError:
        return int(said[:4]) or None if len(said) >= 4 and said[:4].isdigit() else None


def written(text: str) -> str:
    """A date or instant of ISO 8601 in UTC, so that texts sort as what they mean; anything else as it is.

    >>> written("2024-12-31T23:30-02:00"), written("2020-W53-5"), written("2024-03")
    ('2025-01-01T01:30:00Z', '2021-01-01', '2024-03')
    """
    if _AS_WRITTEN.fullmatch(text):
        return text
    try:
        at = instant(text)
    except ValueError:
        return text
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return text_of(at, "microseconds" if at.microsecond else "seconds")
