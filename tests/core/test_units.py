"""Conversions between the units of a meter and the units of a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core import units


def test_one_kilowatt_hour_is_3_6_megajoules() -> None:
    """1 kW x 3600 s = 3.6 MJ (SI Brochure, 9th edition, table 8)."""
    assert units.energy_j(1.0) == 3_600_000.0
    assert units.energy_kwh(3_600_000.0) == 1.0


def test_one_day_is_24_hours() -> None:
    """86,400 s are 24 h."""
    assert units.hours(86_400.0) == 24.0
    assert units.seconds(24.0) == 86_400.0


@given(st.floats(1e-12, 1e15))
def test_conversions_undo_each_other(number: float) -> None:
    """There and back loses no more than rounding."""
    assert units.energy_j(units.energy_kwh(number)) == pytest.approx(number, rel=1e-15)
    assert units.seconds(units.hours(number)) == pytest.approx(number, rel=1e-15)
