"""Annual source: one piece a year, with the catalogue's figure."""

from datetime import UTC, datetime

import pytest

from sootprint.intensity.annual import AnnualSource


def test_run_over_new_year_is_split():
    """France had 78.5 g/kWh in 2022 and 53.3 in 2023 (Our World in Data, Ember)."""
    pieces = AnnualSource().between(
        "FR", datetime(2022, 12, 31, tzinfo=UTC), datetime(2023, 1, 2, tzinfo=UTC)
    )
    assert [piece.start.year for piece in pieces] == [2022, 2023]
    assert [piece.factor.value for piece in pieces] == pytest.approx([78.5, 53.3], abs=0.05)


def test_run_that_ends_at_new_year_stays_in_its_year():
    """The end does not belong to the interval."""
    pieces = AnnualSource().between(
        "FR", datetime(2022, 12, 31, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC)
    )
    assert len(pieces) == 1


def test_three_years_give_three_pieces():
    """Each full year stands alone."""
    pieces = AnnualSource().between("DE", datetime(2020, 7, 1, tzinfo=UTC), datetime(2022, 7, 1, tzinfo=UTC))
    assert [piece.factor.period for piece in pieces] == ["2020", "2021", "2022"]


def test_warnings_of_the_catalogue_are_handed_on():
    """A province without a life-cycle figure is answered with its country, and the piece says so."""
    pieces = AnnualSource().between(
        "CN-BJ", datetime(2023, 5, 1, tzinfo=UTC), datetime(2023, 5, 2, tzinfo=UTC)
    )
    assert any("CN-BJ has only direct figures" in warning for warning in pieces[0].warnings)
