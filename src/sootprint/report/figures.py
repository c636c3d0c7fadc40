"""Numbers as a person reads them: as many digits as their interval supports, in a unit that fits."""

from __future__ import annotations

import math

from sootprint.core import utc
from sootprint.core.scale import (
    EXACT,
    NOT_KNOWN,
    OVER,
    amount,
    digits_of,
    duration,
    interval,
    number,
    plain_unit,
    spread,
    unit_of,
    value,
)

__all__ = [
    "EXACT",
    "NOT_KNOWN",
    "OVER",
    "amount",
    "digits_of",
    "duration",
    "interval",
    "moment",
    "number",
    "plain_unit",
    "share",
    "spread",
    "unit_of",
    "value",
]
_PERCENT = 100.0


def share(part: float | None) -> str:
    """Share in percent.

    >>> share(0.754), share(0.002), share(None)
    ('75 %', '<1 %', 'not known')
    """
    if part is None or not math.isfinite(part):
        return NOT_KNOWN
    if 0.0 < part < 0.005:
        return "<1 %"
    return f"{part * _PERCENT:.0f} %"


def moment(text: str | None) -> str:
    """Instant of a record in UTC, to the minute; as it stands where it is no ISO 8601."""
    found = utc.found(text)
    if found is None:
        return text or NOT_KNOWN
    return found.strftime("%Y-%m-%d %H:%M UTC") if found.year >= 1000 else text or NOT_KNOWN
