"""Texts of ISO 8601 as instants in UTC."""

import pytest

from sootprint.core import utc


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-01-31T12:00:00.250+02:00", "2026-01-31T10:00:00.250000+00:00"),
        ("2026-01-31T12:00Z", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31T12:00", "2026-01-31T12:00:00+00:00"),
        ("9999-12-31", "9999-12-31T00:00:00+00:00"),
    ],
)
def test_instant_is_in_utc(text: str, stamp: str) -> None:
    """A text that names no zone is in UTC, whatever the machine's own zone is."""
    assert utc.instant(text).isoformat() == stamp


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-02-30", "9999-12-31T23:59-23:00", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """Also one that lies beyond the calendar in UTC."""
    with pytest.raises(ValueError):
        utc.instant(text)
