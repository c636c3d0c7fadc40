"""Times that a source is asked for."""

from __future__ import annotations

from datetime import datetime

from sootprint.core.errors import IntensityError


def check_times(start: datetime, end: datetime) -> None:
    """Nothing where two times are aware and in order.

    Raises:
        IntensityError: They are not.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise IntensityError(f"times {start} and {end} must state their time zone, e.g. UTC")
    if not start < end:
        raise IntensityError(f"start {start.isoformat()} must lie before end {end.isoformat()}")
