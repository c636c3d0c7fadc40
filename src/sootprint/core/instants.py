"""Instants as seconds since 1970 and as text, without `datetime`, which would add 0.4 MB to what is measured."""

from __future__ import annotations

import time
from functools import lru_cache

DAY_S = 86_400
LAST_YEAR = 9999


def stamp(at_s: float) -> str:
    """ISO 8601 text, in UTC, of an instant in seconds since 1970 [s], cut to milliseconds.

    Raises:
        ValueError: The instant lies outside the years 1 to 9999.

    >>> stamp(1_700_000_000.25)
    '2023-11-14T22:13:20.250Z'
    """
    minutes, microseconds = divmod(round(at_s * 1e6), 60_000_000)
    seconds, milliseconds = divmod(microseconds // 1000, 1000)
    return f"{_minute(minutes)}:{seconds:02}.{milliseconds:03}Z"


@lru_cache(maxsize=4)
def _minute(minutes: int) -> str:
    """The same text of a minute since 1970; instants come in order, so that few are asked for."""
    year, month, day, hour, minute, *_ = time.gmtime(60 * minutes)
    if not 1 <= year <= LAST_YEAR:
        raise ValueError(f"{60.0 * minutes:g} s after 1970 is outside the years 1 to {LAST_YEAR}")
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}"


def year_of(at_s: float) -> int:
    """Year, in UTC, of an instant in seconds since 1970 [s]."""
    return time.gmtime(at_s).tm_year


def start_of_year_s(year: int) -> float:
    """Instant at which a year begins in UTC, in seconds since 1970 [s].

    >>> start_of_year_s(2026) == 1767225600.0
    True
    """
    before = year - 1
    days = 365 * before + before // 4 - before // 100 + before // 400
    return float((days - 719_162) * DAY_S)  # 719,162 days lie before 1970
