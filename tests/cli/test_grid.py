"""`sootprint grid`, and what `config` and `doctor` say of its sources."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.fixtures import grid_server
from tests.fixtures.grid_server import AnswerError, truth
from tests.fixtures.steps import within_step

SECRET = grid_server.KEYS["electricitymaps"]


@pytest.fixture
def grid(own_home, monkeypatch):
    """The server of all providers, configured as the user's sources."""
    with grid_server.serving() as (known, address):
        within_step()
        known.now = datetime.now(UTC)
        monkeypatch.setenv("ELECTRICITYMAPS_API_KEY", SECRET)
        monkeypatch.setenv("WATTTIME_USER", grid_server.USER)
        monkeypatch.setenv("WATTTIME_PASSWORD", grid_server.PASSWORD)
        stated = (
            '[grid]\nsources = ["energy_charts", "electricitymaps"]\nmarginal = "watttime"\nlimit = "2s"\n'
        )
        for name in ("energy_charts", "electricitymaps", "watttime"):
            stated += f'[grid.{name}]\nurl = "{address}"\n'
        own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
        yield known


def test_year_needs_no_network(call, grid):
    """A year is the annual table's, whatever is configured."""
    data = json.loads(call("grid", "FR", "--year", 2024, "--json").stdout)
    assert (data["source"], data["method"]) == ("annual", "average, life-cycle, location-based")
    assert data["mean_g_per_kwh"] == pytest.approx(40.5, abs=0.1)
    assert grid.asked == []


def test_without_sources_the_annual_table_answers(call, own_home):
    """Nothing is asked over the network unless it was stated."""
    told = call("grid", "FR")
    assert told.exit_code == 0
    assert "average, life-cycle" in told.stdout


def test_configured_source_answers_in_json(call, grid):
    """Every step has its interval, its time and whether it is a forecast."""
    data = json.loads(call("grid", "DE", "--at", "2023-01-01T05:20Z", "--json").stdout)
    assert (data["source"], data["step_s"], data["licence"]) == ("energy_charts", 900.0, "CC BY 4.0")
    assert (data["start"], data["end"]) == ("2023-01-01T05:00:00Z", "2023-01-01T06:00:00Z")
    assert data["mean_g_per_kwh"] == truth(datetime(2023, 1, 1, 5, tzinfo=UTC))
    assert data["steps"][0]["intensity_g_per_kwh"]["low"] < 150.0
    assert data["steps"][0]["forecast"] is False


def test_forecast_is_drawn_by_hours(call, grid):
    """A person sees hours with bars, and that they are forecasts."""
    told = call("grid", "DE", "--forecast", "6h")
    assert told.exit_code == 0
    assert "forecast" in told.stdout
    assert len([line for line in told.stdout.splitlines() if "▒" in line]) in (6, 7)


def test_next_source_answers_and_the_first_says_why(call, grid):
    """The reason stands on stderr, the answer on stdout."""
    grid.faults = [AnswerError(404)]
    told = call("grid", "FR", "--at", "2023-01-01T05:00Z", "--json")
    assert json.loads(told.stdout)["source"] == "electricitymaps"
    assert "does not know the zone (404)" in told.stderr


def test_marginal_source_is_asked_by_name(call, grid):
    """Its figures say that they are marginal."""
    data = json.loads(
        call("grid", "US-CA", "--source", "watttime", "--at", "2023-01-01T05:00Z", "--json").stdout
    )
    assert data["method"].startswith("marginal")


def test_trace_file_is_a_source(call, tmp_path):
    """A file needs no settings."""
    path = tmp_path / "de.csv"
    path.write_text("timestamp_utc,ci_gco2e_kwh\n2023-01-01T05:00Z,333\n2023-01-01T06:00Z,444\n")
    data = json.loads(call("grid", "DE", "--trace", path, "--at", "2023-01-01T05:30Z", "--json").stdout)
    assert (data["source"], data["mean_g_per_kwh"]) == ("trace", 333.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["FR", "--forecast", "24h"], "the annual tables have no forecast"),
        (["FR", "--forecast", "soon"], "must be a time of at least a second"),
        (["FR", "--at", "tomorrow"], "is not a time such as"),
        (["FR", "--at", "2023-01-01", "--year", "2023"], "give one of them"),
        (["FR", "--year", "1066"], "is not from 1990"),
        (["US-CA", "--source", "watttime"], "needs a user"),
        (["FR", "--source", "weather"], "no installed package offers"),
        (["ZZ"], "ZZ"),
        (["FR", "--trace", "/none.csv"], "is no file"),
    ],
)
def test_wrong_use_is_one_line(call, own_home, monkeypatch, arguments, words):
    """Each ends with exit code 2 and says what to give."""
    monkeypatch.delenv("WATTTIME_USER", raising=False)
    told = call("grid", *arguments)
    assert told.exit_code == 2
    assert words in " ".join(told.stderr.split())


def test_provider_that_is_down_ends_with_code_one(call, grid):
    """Other input would not help, so it is no wrong use."""
    grid.faults = [AnswerError(500)] * 9
    assert call("grid", "DE", "--source", "energy_charts").exit_code == 1


def test_config_and_doctor_show_the_sources_and_no_key(call, grid, monkeypatch, tmp_path):
    """What is configured, whether it answers, and never with which key."""
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    monkeypatch.setenv("SOOTPRINT_ZONE", "FR")
    shown = call("config").stdout
    assert "energy_charts, electricitymaps; marginal: watttime" in shown
    data = json.loads(call("doctor", "--json").stdout)
    assert [(one["name"], one["kind"], one["answers"]) for one in data["grid"]] == [
        ("energy_charts", "average", True),
        ("electricitymaps", "average", True),
        ("watttime", "marginal", False),
    ]
    assert "name that of FR" in data["grid"][2]["reason"]
    told = call("doctor").stdout
    assert "Grid sources" in told
    every = shown + told + json.dumps(data) + call("config", "--json").stdout
    assert SECRET not in every
    assert grid_server.PASSWORD not in every


def test_doctor_asks_nobody_without_sources_or_place(call, grid, monkeypatch, tmp_path):
    """Where the place is unknown there is nothing to ask for."""
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    data = json.loads(call("doctor", "--json").stdout)
    assert {one["answers"] for one in data["grid"]} == {None}
    assert grid.asked == []
