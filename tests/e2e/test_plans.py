"""Plans with real processes: the job starts when it should, once, and survives the death of whoever drives it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sootprint.engines.book import PAUSED, State, books
from sootprint.ledger import Ledger
from tests.e2e.harness import SOOTPRINT, environment

LONG_S = 90.0
USUAL_S = 1.5  # a machine that begins a planned job later than this gets longer traces

# Writes when it began and, at its end, that it finished; saves after each step, and pauses when it is asked.
JOB = """
import json, os, sys, time
from pathlib import Path
import sootprint
folder, steps, pausable = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "pausable"
saved = folder / "saved"
with (folder / "begun").open("a") as file:
    file.write(json.dumps([time.time(), os.environ.get("SOOTPRINT_RESUME")]) + "\\n")
step = int(saved.read_text()) if os.environ.get("SOOTPRINT_RESUME") and saved.exists() else 0
while step < steps:
    if pausable and sootprint.pause_requested():
        sys.exit(75)
    time.sleep(0.1)
    step += 1
    with (folder / "steps").open("a") as file:
        file.write(f"{step}\\n")
    saved.write_text(str(step))
with (folder / "finished").open("a") as file:
    file.write("x")
"""


class Stage:
    """A folder with a job, a home and a trace in steps of a second.

    Args:
        folder: The folder.
        more: Seconds by which a trace's parts are longer than on a quick machine [s].
    """

    def __init__(self, folder: Path, more: int = 0) -> None:
        self.folder, self.home, self.more = folder, folder / "home", more
        self.home.mkdir()
        (folder / "job.py").write_text(JOB)

    def trace(self, *values: float) -> None:
        """Write a trace whose first second is now; the last value goes on."""
        first = datetime.now(UTC).replace(microsecond=0)
        told = [*values, *[values[-1]] * 120]
        rows = [f"{(first + timedelta(seconds=at)).isoformat()},{value}\n" for at, value in enumerate(told)]
        (self.folder / "trace.csv").write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))

    def command(self, *options: str, steps: int = 10, pausable: bool = False) -> list[str]:
        """Command line of a planned run."""
        kind = "pausable" if pausable else "plain"
        given = ["--zone", "FR", "--quiet", *(["--pausable"] if pausable else []), *options]
        job = [sys.executable, str(self.folder / "job.py"), str(self.folder), str(steps), kind]
        return [SOOTPRINT, "run", *given, "--trace", str(self.folder / "trace.csv"), "--", *job]

    def start(self, *options: str, **job: object) -> subprocess.Popen[str]:
        """A planned run that was started."""
        env = environment(self.home, PYTHONUNBUFFERED="1")
        return subprocess.Popen(
            self.command(*options, **job), cwd=self.folder, env=env, stderr=subprocess.PIPE, text=True
        )

    def recover(self) -> str:
        """What `sootprint recover` says."""
        done = subprocess.run(
            [SOOTPRINT, "recover"], env=environment(self.home), capture_output=True, text=True, timeout=LONG_S
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def state(self) -> State:
        """What the book of the one plan tells."""
        (book,) = books(self.home)
        return book.state()

    def lines(self, name: str) -> list[str]:
        """Lines that the job wrote."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def until(self, holds: object) -> None:
        """Wait until something holds, within bounds."""
        until_s = time.monotonic() + LONG_S
        while not holds():
            assert time.monotonic() < until_s, "it never came to that"
            time.sleep(0.05)

    def done(self) -> bool:
        """Whether the plan has ended."""
        return bool(books(self.home)) and self.state().result is not None


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Seconds that this machine is to be given beyond a quick one, by what the start of a planned job takes here."""
    stage = Stage(tmp_path_factory.mktemp("pace"))
    stage.trace(100.0)
    began_s = time.time()
    running = stage.start("--deadline", "90s", "--expect", "1s", steps=1)
    code, said = ended(running)
    assert code == 0, said
    took_s = json.loads(stage.lines("begun")[0])[0] - began_s
    return math.ceil(4.0 * max(0.0, took_s - USUAL_S))


@pytest.fixture
def stage(tmp_path: Path, more: int) -> Stage:
    """An empty stage."""
    return Stage(tmp_path, more)


def ended(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and what was said."""
    said = running.communicate(timeout=LONG_S)[1]
    return running.returncode, said


def test_job_does_not_run_before_its_start_and_runs_once(stage: Stage) -> None:
    """Six dirty seconds, then clean ones: the command itself begins in these, once, with its own exit code."""
    began_s, dirty_s = time.time(), 6 + stage.more
    stage.trace(*[500.0] * dirty_s, 50.0)
    code, said = ended(stage.start("--deadline", "60s", "--expect", "1s"))
    assert code == 0, said
    ((at_s, resumed),) = [json.loads(line) for line in stage.lines("begun")]
    assert at_s >= int(began_s) + dirty_s
    assert resumed is None
    assert stage.lines("finished") == ["x"]
    assert "waits for a cleaner time" in said
    with Ledger(stage.home) as ledger:
        (row,) = ledger.runs()
        assert ledger.get(row.id).tags["plan"] == stage.state().plan.id


def test_flat_grid_starts_at_once(stage: Stage) -> None:
    """There is nothing to wait for."""
    stage.trace(200.0)
    began_s = time.time()
    code, said = ended(stage.start("--deadline", "90s", "--expect", "1s"))
    assert code == 0
    assert "waits" not in said
    assert json.loads(stage.lines("begun")[0])[0] - began_s < 15.0


def test_job_is_paused_by_saving_and_resumed(stage: Stage) -> None:
    """Clean, dirty, clean: it saves, releases the machine, and goes on from there; no step is done twice."""
    clean_s = 4 + stage.more
    stage.trace(*[50.0] * clean_s, *[500.0] * (7 + stage.more), 50.0)
    expect_s, steps = clean_s + 1, 10 * (clean_s + 1)
    running = stage.start("--deadline", "100s", "--expect", f"{expect_s}s", steps=steps, pausable=True)
    code, said = ended(running)
    assert code == 0, said
    assert "asked to save and to pause" in said
    begun = [json.loads(line) for line in stage.lines("begun")]
    assert [resumed for _, resumed in begun] == [None, *["1"] * (len(begun) - 1)]
    assert len(begun) >= 2
    assert [int(line) for line in stage.lines("steps")] == list(range(1, steps + 1))
    assert stage.lines("finished") == ["x"]
    codes = [one.code for one in stage.state().segments]
    assert codes == [*[PAUSED] * (len(begun) - 1), 0]
    assert all(one.save_s is not None and one.save_s < LONG_S for one in stage.state().segments[:-1])
    assert all(0.0 < (one.ready_s or 0.0) < LONG_S for one in stage.state().segments)
    assert stage.state().resume_s > 0.0


def test_job_that_does_not_listen_is_not_paused(stage: Stage) -> None:
    """SIGUSR1 would end it: it is told in one line, and runs on."""
    clean_s = 7 + stage.more
    stage.trace(*[50.0] * clean_s, *[500.0] * 9, 50.0)
    stage.folder.joinpath("job.py").write_text(JOB.replace("if pausable and", "if False and"))
    expect_s, steps = clean_s + 1, 10 * (clean_s + 1)
    running = stage.start("--deadline", "100s", "--expect", f"{expect_s}s", steps=steps, pausable=True)
    code, said = ended(running)
    assert code == 0, said
    assert said.count("the job is not paused: it does not catch SIGUSR1") == 1
    assert len(stage.lines("begun")) == 1
    assert stage.lines("finished") == ["x"]


def test_driver_killed_while_it_waits(stage: Stage) -> None:
    """The job is not lost: `recover` drives it on, and it runs once."""
    stage.trace(*[500.0] * (7 + 2 * stage.more), 50.0)
    running = stage.start("--deadline", "80s", "--expect", "1s")
    stage.until(lambda: bool(books(stage.home)))
    time.sleep(0.5)
    running.kill()
    ended(running)
    assert stage.lines("begun") == []
    assert "is driven on" in stage.recover()
    assert "is driven on" not in stage.recover()
    stage.until(stage.done)
    assert stage.state().result == 0
    assert len(stage.lines("begun")) == 1
    assert stage.lines("finished") == ["x"]


def test_driver_killed_while_the_job_runs(stage: Stage) -> None:
    """The job goes on without it and finishes once; `recover` starts nothing again."""
    stage.trace(50.0)
    running = stage.start("--deadline", "80s", "--expect", "3s", steps=30)
    stage.until(lambda: len(stage.lines("steps")) > 3)
    running.kill()
    running.wait(LONG_S)
    stage.recover()
    stage.until(stage.done)
    assert stage.state().result == 0
    assert len(stage.lines("begun")) == 1
    assert stage.lines("finished") == ["x"]


@pytest.mark.parametrize("pausable", [False, True])
def test_all_processes_killed(stage: Stage, pausable: bool) -> None:
    """After everything is gone `recover` resumes the plan: from what was saved, or anew where nothing is saved."""
    stage.trace(50.0)
    running = stage.start("--deadline", "80s", "--expect", "3s", steps=30, pausable=pausable)
    stage.until(lambda: len(stage.lines("steps")) > 3)
    (segment,) = stage.state().segments
    os.kill(running.pid, signal.SIGKILL)
    os.kill(segment.runner.pid, signal.SIGKILL)
    running.wait(LONG_S)
    stage.until(lambda: not segment.job.is_alive)  # it shares the fate of its runner
    assert stage.lines("finished") == []
    assert "is driven on" in stage.recover()
    stage.until(stage.done)
    assert stage.lines("finished") == ["x"]
    assert [json.loads(line)[1] for line in stage.lines("begun")] == [None, "1" if pausable else None]
    if pausable:
        steps = [int(line) for line in stage.lines("steps")]
        assert sorted(set(steps)) == list(range(1, 31))
        assert len(steps) <= 31  # at most the step that was not saved


def test_runner_killed_alone(stage: Stage) -> None:
    """The driver sees that the job was cut off, and starts it again."""
    stage.trace(50.0)
    running = stage.start("--deadline", "80s", "--expect", "3s", steps=20)
    stage.until(lambda: len(stage.lines("steps")) > 3)
    os.kill(stage.state().segments[0].runner.pid, signal.SIGKILL)
    code, said = ended(running)
    assert code == 0
    assert "segment 1 of the job was cut off" in said
    assert stage.lines("finished") == ["x"]


def test_interrupt_while_it_waits(stage: Stage) -> None:
    """Ctrl-C cancels: exit code 130, the job never runs, `recover` leaves it alone."""
    stage.trace(*[500.0] * 60, 50.0)
    running = stage.start("--deadline", "300s", "--expect", "1s")
    stage.until(lambda: bool(books(stage.home)))
    time.sleep(1.0)
    running.send_signal(signal.SIGINT)
    code, said = ended(running)
    assert code == 130
    assert "cancelled while it waited" in said
    assert "driven on" not in stage.recover()
    assert stage.lines("begun") == []


def test_terminate_while_the_job_runs_goes_to_the_job(stage: Stage) -> None:
    """The job is ended by the signal, and is not started again."""
    stage.trace(50.0)
    running = stage.start("--deadline", "80s", "--expect", "5s", steps=300)
    stage.until(lambda: len(stage.lines("steps")) > 3)
    running.send_signal(signal.SIGTERM)
    code, _ = ended(running)
    assert code == 143
    assert len(stage.lines("begun")) == 1
    assert stage.lines("finished") == []


@pytest.mark.parametrize(
    ("options", "content", "words"),
    [
        (("--deadline", "5s", "--expect", "1h"), None, "it cannot end by its deadline"),
        (("--deadline", "1h", "--expect", "1s"), "time,g\n1,2\n", "has no column"),
        (
            ("--deadline", "1h", "--expect", "1s"),
            "timestamp_utc,ci_gco2e_kwh\n2023-01-01,9e9\n",
            "is not from 0",
        ),
        (
            ("--deadline", "1h", "--expect", "1s"),
            "timestamp_utc,ci_gco2e_kwh\n2023-01-01,9\n",
            "has no figure",
        ),
    ],
)
def test_what_cannot_be_planned_is_one_line_and_the_job_runs(
    stage: Stage, options: tuple[str, ...], content: str | None, words: str
) -> None:
    """A deadline before its end, a wrong file, a wrong unit, a trace of another year: the job runs all the same."""
    stage.trace(100.0)
    if content is not None:
        stage.folder.joinpath("trace.csv").write_text(content)
    code, said = ended(stage.start(*options, steps=1))
    assert code == 0
    assert words in said
    assert stage.lines("finished") == ["x"]


def test_without_any_forecast_the_job_runs_at_once(stage: Stage) -> None:
    """Nothing is waited for that nobody tells."""
    command = stage.command("--deadline", "1h", "--expect", "1s", steps=1)
    del command[command.index("--trace") : command.index("--trace") + 2]
    done = subprocess.run(
        command, env=environment(stage.home), capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 0
    assert "nothing tells the hours ahead" in done.stderr
    assert stage.lines("finished") == ["x"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--deadline", "1h"), "--deadline needs --expect"),
        (("--expect", "1h"), "--expect needs a --deadline"),
        (("--deadline", "soon", "--expect", "1h"), "must be a time"),
    ],
)
def test_wrong_use_starts_nothing(stage: Stage, options: tuple[str, ...], words: str) -> None:
    """Exit code 2 and one line."""
    stage.trace(100.0)
    code, said = ended(stage.start(*options))
    assert code == 2
    assert words in " ".join(said.split())
    assert stage.lines("begun") == []


def test_exit_code_and_missing_program_are_as_without_a_plan(stage: Stage) -> None:
    """A failing job is not started again; a program that is not there is told at once."""
    stage.trace(100.0)
    for job, expected in ((["sh", "-c", "exit 7"], 7), (["/none/such"], 127)):
        command = [*stage.command("--deadline", "60s", "--expect", "1s")]
        command = [*command[: command.index("--") + 1], *job]
        done = subprocess.run(
            command, env=environment(stage.home), capture_output=True, text=True, timeout=LONG_S
        )
        assert done.returncode == expected, done.stderr
