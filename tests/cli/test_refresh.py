"""`sootprint refresh`, and the hours that `sootprint run` asks for at its end."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.cli.conftest import PROGRAM
from tests.fixtures import grid_server
from tests.fixtures.grid_server import AnswerError
from tests.fixtures.job_records import at, node_record
from tests.fixtures.steps import within_step

from sootprint.core.records import Interval, Place
from sootprint.ledger import Ledger, keep

NEXT_DAY = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def grid(own_home):
    """A server that is configured as the user's source, three days after the noon of the records."""
    with grid_server.serving() as (known, address):
        known.now = NEXT_DAY + timedelta(days=3)
        stated = (
            f'[grid]\nsources = ["energy_charts"]\nlimit = "2s"\n[grid.energy_charts]\nurl = "{address}"\n'
        )
        own_home.joinpath("sootprint.toml").write_text(stated, encoding="utf-8")
        yield known


@pytest.fixture
def run(own_home):
    """A stored run of two hours from noon: 1 kWh in the first and 3 kWh in the second."""
    hours = tuple(
        Interval(start=at(3600 * n), end=at(3600 * (n + 1)), component="cpu", energy_j=3.6e6 * kwh)
        for n, kwh in enumerate((1.0, 3.0))
    )
    made = dataclasses.replace(node_record(7), name="night", intervals=hours)
    keep(own_home, made)
    return made


def test_run_gets_the_intensity_of_its_own_hours(call, grid, run, own_home):
    """1 kWh at 220 g and 3 kWh at 230 g: 227.5 g/kWh; the version before is kept."""
    (told,) = json.loads(call("refresh", "night", "--json").stdout)
    assert (told["refreshed"], told["source"], told["reason"]) == (True, "energy_charts", None)
    with Ledger(own_home) as ledger:
        before, after = ledger.versions("night")
        assert ledger.state("night") == "finished"
    assert before == run
    assert after.intensity_g_per_kwh.value == pytest.approx(227.5)
    assert after.emissions_kg.value == pytest.approx(run.energy_kwh.value * 1.25 * 0.2275)
    assert told["after_kg"]["value"] == after.emissions_kg.value
    (factor,) = [one for one in after.factors if one.kind == "intensity"]
    assert (factor.method, factor.licence) == ("average, life-cycle, location-based", "CC BY 4.0")
    assert "Fraunhofer" in factor.source
    assert "steps of 15 min" in factor.source


def test_without_a_run_all_that_lack_hours_are_read_once(call, grid, run, own_home):
    """The second time there is nothing left to do, and nobody is asked."""
    assert len(json.loads(call("refresh", "--json").stdout)) == 1
    asked = len(grid.asked)
    told = call("refresh")
    assert "nothing to refresh" in told.stderr
    assert len(grid.asked) == asked
    with Ledger(own_home) as ledger:
        assert len(ledger.versions("night")) == 2


def test_provider_that_is_down_leaves_the_annual_figure_and_says_so(call, grid, run, own_home):
    """The record keeps its wider interval and has the reason; when the provider is back it gets its hours."""
    grid.faults = [AnswerError(500)] * 3
    (told,) = json.loads(call("refresh", "--json").stdout)
    assert (told["refreshed"], told["source"]) == (False, "annual")
    with Ledger(own_home) as ledger:
        kept = ledger.get("night")
    assert kept.intensity_g_per_kwh == run.intensity_g_per_kwh
    assert any(text.startswith("grid: the annual figure counts: Energy-Charts") for text in kept.warnings)
    (told,) = json.loads(call("refresh", "--json").stdout)
    assert told["refreshed"]
    with Ledger(own_home) as ledger:
        assert not any(text.startswith("grid:") for text in ledger.get("night").warnings)


def test_run_without_place_or_intervals_is_left_out_and_said_when_named(call, grid, own_home):
    """Nothing can be asked for it; a named one says why, with exit code 1."""
    keep(own_home, dataclasses.replace(node_record(8), name="nowhere", place=Place()))
    keep(own_home, dataclasses.replace(node_record(9), name="guess", intervals=()))
    assert "nothing to refresh" in call("refresh").stderr
    for name, words in (("nowhere", "place of nowhere is unknown"), ("guess", "was not measured")):
        told = call("refresh", name)
        assert told.exit_code == 1
        assert words in told.stderr


def test_without_a_source_it_is_one_line(call, run):
    """Nothing is asked unless it was stated."""
    told = call("refresh")
    assert told.exit_code == 2
    assert "no source is configured" in told.stderr


def test_marginal_source_is_refused(call, grid, run):
    """A footprint is never multiplied with a marginal figure."""
    told = call("refresh", "night", "--source", "watttime")
    assert told.exit_code != 0
    assert "marginal signal" in told.stderr


def _run(grid, own_home, *command, **given):
    """Finished process of `sootprint run` in DE with a command."""
    within_step()
    grid.now = datetime.now(UTC)
    whole = [*PROGRAM, "run", "--zone", "DE", "--record", str(own_home / "r.json"), "--", *command]
    return subprocess.run(whole, capture_output=True, text=True, timeout=60, **given)


def test_run_reads_its_hours_at_its_end(grid, own_home):
    """The record that is written and the one that is kept have the hours of the run."""
    done = _run(grid, own_home, "sleep", "1.2")
    assert done.returncode == 0
    record = json.loads((own_home / "r.json").read_text())
    (factor,) = [one for one in record["factors"] if one["kind"] == "intensity"]
    assert "steps of 15 min" in factor["source"]
    assert record["intensity_g_per_kwh"]["value"] == pytest.approx(grid_server.truth(grid.now), abs=10.0)
    assert any("counts at a forecast" in text for text in record["warnings"])
    with Ledger(own_home) as ledger:
        assert (
            ledger.get("latest").to_json() == json.dumps(record, ensure_ascii=False)
            or len(ledger.versions("latest")) == 2
        )


def test_run_with_a_provider_that_is_down_ends_as_without(grid, own_home):
    """Exit code and record are there, with the annual figure and a warning."""
    grid.faults = [AnswerError(503)] * 9
    done = _run(grid, own_home, sys.executable, "-c", "import sys; sys.exit(3)")
    assert done.returncode == 3
    record = json.loads((own_home / "r.json").read_text())
    assert any(text.startswith("grid: the annual figure counts") for text in record["warnings"])
    assert "has a fault of its own (503)" in done.stderr


def test_interrupt_while_the_provider_is_slow_ends_the_run(grid, own_home):
    """Ctrl-C after the command's end does not wait for a provider; the record is kept."""
    within_step()
    grid.now = datetime.now(UTC)
    grid.faults = [grid_server.silent] * 9
    command = [*PROGRAM, "run", "--zone", "DE", "--quiet", "--", "true"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + 120.0
    while not grid.asked and time.monotonic() < until_s:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGINT)
    told = running.communicate(timeout=10)[1]
    assert "until `sootprint refresh`" in told
    assert running.returncode == 0
    with Ledger(own_home) as ledger:
        assert len(ledger.versions("latest")) == 1
