"""Instants as text, as `datetime` writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core.instants import stamp, start_of_year_s, year_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(-62_135_596_800_000_000, 4_000_000_000_000_000))
def test_a_stamp_is_what_datetime_writes(microseconds):
    """To the millisecond, before and after 1970; a float holds the microsecond from 1834 to 2106."""
    at_s = microseconds / 1e6
    exact = EPOCH + timedelta(microseconds=round(at_s * 1e6))
    assert stamp(at_s) == exact.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@given(st.integers(1, 9999))
def test_years_begin_where_the_calendar_has_them(year):
    """Leap years of centuries included."""
    assert start_of_year_s(year) == (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()
    assert year_of(start_of_year_s(year)) == year


@pytest.mark.parametrize("at_s", [1e12, -1e12])
def test_an_instant_beyond_the_calendar_is_refused(at_s):
    """A damaged journal may state any number."""
    with pytest.raises(ValueError, match="outside the years"):
        stamp(at_s)
