"""Sources one after the other: the first that knows the time counts for all of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.fixtures.grid_server import AnswerError

from sootprint import settings
from sootprint.core.errors import IntensityError
from sootprint.intensity import chain

DAY = datetime(2023, 1, 1, tzinfo=UTC)
NOON = DAY.replace(hour=12)


@pytest.fixture
def configured(grid, own_home):
    """Settings of a user who has two sources at the server, and the annual tables behind them."""
    own_home.joinpath("sootprint.toml").write_text(
        f"""
        [grid]
        sources = ["carbonintensity_gb", "energy_charts"]
        marginal = "watttime"
        limit = "1s"
        [grid.carbonintensity_gb]
        url = "{grid.address}"
        [grid.energy_charts]
        url = "{grid.address}"
        """,
        encoding="utf-8",
    )
    return settings.load()


def test_no_source_unless_configured(tmp_path, own_home):
    """Without `[grid] sources` nothing can be asked."""
    assert chain.chain(settings.load()) is None


def test_first_source_that_knows_counts(grid, configured):
    """Germany is none of Great Britain's: the second source answers, and the first says why not."""
    answer = chain.chain(configured).ask("DE", DAY, NOON)
    assert (answer.source, answer.known(DAY, NOON)) == ("energy_charts", 1.0)
    assert answer.passed == ("NESO, Carbon Intensity API of Great Britain has no DE: it covers GB alone",)
    assert chain.chain(configured).ask("GB", DAY, NOON).source == "carbonintensity_gb"


def test_one_method_for_the_whole_time(grid, configured):
    """Direct and life-cycle figures never meet: a source that knows half counts for all of it."""

    def morning_only(answer):
        return {"data": answer["data"][:14]}

    grid.bend = morning_only
    answer = chain.chain(configured).ask("GB", DAY, NOON)
    assert answer.source == "carbonintensity_gb"
    assert {one.factor.method for one in answer.intensities} == {"average, direct, location-based"}
    assert answer.known(DAY, NOON) == pytest.approx(14 / 24)


def test_source_that_knows_too_little_is_passed(grid, configured):
    """Less than half of a time known is not an answer for it."""
    grid.bend = lambda answer: {"data": answer["data"][:4]} if "data" in answer else answer
    answer = chain.chain(configured).ask("GB", DAY, NOON)
    assert answer.source == "energy_charts"
    assert answer.passed == ("carbonintensity_gb knows 17% of the time only",)


def test_annual_tables_are_the_last_resort(grid, configured):
    """All providers down: the year's figure, with its wider interval and the reasons."""
    grid.faults = [AnswerError(503, Retry_After="600")] * 9
    answer = chain.chain(configured).ask("GB", DAY, NOON)
    assert answer.source == "annual"
    assert len(answer.passed) == 2
    assert "asks to wait 600 s" in answer.passed[0]
    factor = answer.intensities[0].factor
    assert factor.high / factor.value > 1.22


def test_nobody_knows_is_one_line(grid, configured):
    """Each source says why."""
    with pytest.raises(IntensityError) as caught:
        chain.chain(configured).ask("ZZ", DAY, NOON + timedelta(hours=1))
    assert len(str(caught.value).splitlines()) == 1


def test_marginal_and_average_are_not_exchanged(configured):
    """Asking one for the other is refused by name."""
    with pytest.raises(IntensityError, match="no source of footprints"):
        chain.source("watttime", configured)
    with pytest.raises(IntensityError, match="gives averages"):
        chain.marginal("energy_charts", configured)
