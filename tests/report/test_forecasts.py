"""Forecasts in the report: against what came, and from records that anyone may have written."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from sootprint import Footprint, charts, report
from sootprint.charts.foreseen import foreseen


def _entry(progress: float, value: float, **more: Any) -> dict[str, Any]:
    energy = {"value": value, "low": 0.9 * value, "high": 1.2 * value, "basis": "derived"}
    made = {
        "progress": progress,
        "units": round(90 * progress),
        "expected": "90 epochs",
        "energy_kwh": energy,
    }
    return {**made, "emissions_kg": None, "duration_s": None, **more}


@pytest.fixture
def forecast(read: Any) -> Footprint:
    """A record of which 1 and 10 % were forecast, the first one missing the end."""
    record = read("laptop")
    actual = record.energy_kwh.value
    return dataclasses.replace(
        record,
        forecasts=(
            _entry(0.1, 1.02 * actual, energy_error=0.02, energy_inside=True),
            _entry(0.011, 1.5 * actual, energy_error=0.5, energy_inside=False),
        ),
    )


@pytest.mark.parametrize("format", ["text", "md", "html"])
def test_each_form_lists_the_forecasts_and_the_end(forecast: Footprint, format: str) -> None:
    """The section names what was expected, each error, and what came."""
    made = re.sub(r"\s+", " ", report.render(forecast, format))
    for said in ("Forecasts of the run", "90 epochs", "1 of 2 intervals", "+50.0 %, outside", "In the end"):
        assert said in made


def test_a_run_that_was_not_scored_says_so(forecast: Footprint) -> None:
    """A run that stopped early has no error and no last row."""
    plain = dataclasses.replace(forecast, forecasts=(_entry(0.1, 1.0),))
    made = report.render(plain, "md")
    assert "not scored" in made
    assert "In the end" not in made


def test_earlier_runs_are_named(forecast: Footprint) -> None:
    """Who reads a narrow interval sees what it stands on."""
    known = dataclasses.replace(forecast, forecasts=(_entry(0.1, 1.0, earlier_runs=3),))
    assert "How 3 earlier runs of this name went on is part of the forecasts." in report.render(known, "md")


def test_a_record_without_forecasts_has_no_section(read: Any) -> None:
    """Nothing was expected of the run."""
    assert "Forecasts" not in report.render(read("laptop"), "md")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"progress": "half", "energy_kwh": {"value": 1.0}},
        {"progress": 0.5},
        {"progress": 2.0, "energy_kwh": {"value": 1.0}},
        {"progress": 0.5, "energy_kwh": {"value": 1.0, "low": 2.0, "high": 3.0}},
        {"progress": 0.5, "energy_kwh": {"value": 10**400}},
        {"progress": 0.5, "energy_kwh": [1.0]},
    ],
)
def test_what_cannot_be_read_is_left_out(forecast: Footprint, entry: dict[str, Any]) -> None:
    """A record of someone else may hold anything under this name."""
    strange = dataclasses.replace(forecast, forecasts=(entry, *forecast.forecasts))
    assert len(foreseen(strange)) == 2
    assert "Forecasts of the run" in report.render(strange, "text")


def test_chart_shows_each_forecast_in_order_and_the_end(forecast: Footprint) -> None:
    """The description tells in words what the dots and the dashed line show."""
    chart = charts.forecasts(forecast)
    assert chart is not None
    described = charts.spec(chart)["description"]
    assert described.index("at 1.1 %") < described.index("at 10 %") < described.index("actual")
    assert charts.svg(chart).startswith("<svg")


def test_no_chart_without_forecasts(read: Any) -> None:
    """There is nothing to draw."""
    assert charts.forecasts(read("laptop")) is None


@pytest.mark.parametrize(("progress", "said"), [(0.0112, "1.1 %"), (0.997, "100 %"), (1.0, "100 %")])
def test_share_that_was_done_is_written_out(forecast: Footprint, progress: float, said: str) -> None:
    """The last forecast of a run may be made when nearly all is done."""
    late = dataclasses.replace(forecast, forecasts=(_entry(progress, 1.0),))
    assert f"| {said} |" in report.render(late, "md")
    assert f"at {said} " in charts.spec(charts.forecasts(late))["description"]
