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


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2024-12-31T23:30:00-02:00", 2025),
        ("2025-01-01T00:30+01:00", 2024),
        ("20241231T233000-0200", 2025),
        ("2024-12-31T24:00", 2025),
        ("2024-12-31T24:00:00+02:00", 2024),
        ("2020-W53-5", 2021),
        ("2024-12-31T23:30", 2024),
        ("2024", 2024),
        ("2024-03", 2024),
        ("2024-13-45", 2024),
        ("2019/06", 2019),
        ("0000", None),
        ("0000-01-01T00:00Z", None),
        ("0001-01-01T00:00+14:00", 1),
        ("202", None),
        ("²⁰²⁴", None),
        ("٢٠٢٤-٠٣-٠١", None),
        ("", None),
        (None, None),
    ],
)
def test_year_is_that_in_utc(text: str | None, year: int | None) -> None:
    """Of an instant wherever it was written, of any form of ISO 8601, else of what a text begins with."""
    assert utc.written_year(text) == year


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2024-12-31T23:30:00.250-02:00", "2025-01-01T01:30:00.250000Z"),
        ("2024-12-31T24:00", "2025-01-01T00:00:00Z"),
        ("20240301T1200", "2024-03-01T12:00:00Z"),
        ("20240301", "2024-03-01"),
        ("2024-W10-5", "2024-03-08"),
        ("2024-03-01T12:00:00.000Z", "2024-03-01T12:00:00.000Z"),
        ("2024-03-01", "2024-03-01"),
        ("2024-03", "2024-03"),
        ("yesterday", "yesterday"),
        ("9999-12-31T24:00", "9999-12-31T24:00"),
    ],
)
def test_text_is_written_in_utc(text: str, written: str) -> None:
    """So that it sorts as what it means; what has this form already, and what is none, stays."""
    assert utc.written(text) == written
