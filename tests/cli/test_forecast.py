"""Forecasts from the command line: handed to the runs inside, shown while they go on, refused where wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sootprint.core.expectation import Expectation

from .conftest import PROGRAM

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sootprint run needs Linux")
TRAINING = """
import time, sootprint
with sootprint.track("inside", zone="FR", period="50ms") as run:
    for epoch in range(25):
        with run.span("epoch"):
            until_s = time.monotonic() + 0.12
            while time.monotonic() < until_s:
                pass
"""


def test_runs_inside_the_command_are_forecast(program, call) -> None:
    """The expectation reaches the program's own run, whose spans are counted and whose forecasts are scored."""
    done = program(
        "run", "-q", "--zone", "FR", "--expect-total", "epochs=25", "--", sys.executable, "-c", TRAINING
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(call("show", "inside", "--json").stdout)["forecasts"]
    assert [one["expected"] for one in made] == ["25 epochs"] * len(made)
    assert made[-1]["progress"] >= 0.5
    assert isinstance(made[-1]["energy_error"], float)
    shown = call("show", "inside").stdout
    assert "Forecasts of the run" in shown and "In the end" in shown


def test_a_command_without_code_is_forecast_by_time(program, call) -> None:
    """Of an hour, some seconds say what the rest will draw; the run ended early and is not scored."""
    options = ["-q", "--zone", "FR", "--period", "50ms", "--name", "short", "--expect-total", "seconds=20"]
    program("run", *options, "--", "sleep", "1.5")
    made = json.loads(call("show", "short", "--json").stdout)["forecasts"]
    assert made[0]["duration_s"]["value"] == pytest.approx(20.0)
    assert made[0]["energy_error"] is None


@pytest.mark.parametrize("wrong", ["epochs", "epochs=-1", "=90", "epochs=many"])
def test_wrong_expectation_stops_before_the_command(program, tmp_path: Path, wrong: str) -> None:
    """One line names the value and the form that is understood."""
    done = program("run", "--expect-total", wrong, "--", "touch", "begun", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert wrong in done.stderr and "epochs=90" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_progress_that_is_never_heard_of_is_said(call, own_home: Path) -> None:
    """`top` and the end of the command say what was expected and how to tell it; the record has no forecast."""
    said = Expectation("epochs", 9.0).unheard
    options = ["-q", "--zone", "FR", "--period", "50ms", "--expect-total", "epochs=9"]
    process = subprocess.Popen(
        [*PROGRAM, "run", *options, "--", "sleep", "300"], stderr=subprocess.PIPE, text=True
    )
    try:
        deadline_s = time.monotonic() + 120.0
        while not (seen := json.loads(call("top", "--json").stdout)):
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        assert (seen[0]["forecast"], seen[0]["unheard"]) == (None, said)
        frame = " ".join(call("top", "--once").stdout.replace("│", " ").split())
        assert 'run.span("epoch", total=9)' in frame
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=120)
    assert told.splitlines() == [f"sootprint: {said}"]


def test_live_view_shows_the_whole_run_as_foreseen_now(call, own_home: Path) -> None:
    """`top` tells what it will come to, and how much is done."""
    options = ["-q", "--zone", "FR", "--period", "50ms", "--expect-total", "minutes=5"]
    process = subprocess.Popen([*PROGRAM, "run", *options, "--", "sleep", "300"])
    try:
        deadline_s = time.monotonic() + 120.0
        while not (seen := json.loads(call("top", "--json").stdout)) or seen[0]["forecast"] is None:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
        assert seen[0]["forecast"]["duration_s"]["value"] == pytest.approx(300.0)
        assert "% of 5 minutes done" in call("top", "--once").stdout
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
