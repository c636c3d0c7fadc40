"""A job that may run in several places: one that does not answer, one that is full, and wrong use."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sootprint.engines.book import State, books
from tests.e2e.harness import SOOTPRINT, environment
from tests.e2e.test_plans import JOB
from tests.fixtures import real_slurm

LONG_S = 100.0


class World:
    """A home with targets, and a job that runs in whatever folder it is started in."""

    job = JOB

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.text = folder, folder / "home", ""
        self.work = folder / "here"
        self.home.mkdir()
        self.place("here")
        self.first = datetime.now(UTC).replace(microsecond=0)

    def place(self, name: str) -> Path:
        """Folder of a place with the job's program in it, as a checkout would be."""
        made = self.folder / name
        made.mkdir(exist_ok=True)
        (made / "job.py").write_text(self.job)
        return made

    def target(self, name: str, *values: float, **given: object) -> None:
        """Describe a place and the seconds ahead of its grid; the last value goes on."""
        told = [*values, *[values[-1]] * 200]
        rows = [f"{(self.first + timedelta(seconds=at)).isoformat()},{one}\n" for at, one in enumerate(told)]
        trace = self.folder / f"{name}.csv"
        trace.write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
        table = {"workdir": str(self.place(name)), "trace": str(trace), "python": sys.executable, **given}
        if given.get("engine") == "ssh":  # another machine has a home of its own
            homes = ("SOOTPRINT_HOME", f"{name}-home"), ("SOOTPRINT_RUNTIME_DIR", f"{name}-run")
            own = "export " + " ".join(f"{key}={self.folder}/{to}" for key, to in homes)
            table["setup"] = f"{own}; {given.get('setup', ':')}"
        lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        self.text += f"[targets.{name}]\n" + "\n".join(lines) + "\n"
        (self.home / "sootprint.toml").write_text(self.text)

    def run(self, targets: str, *options: str, steps: int) -> tuple[int, str]:
        """Exit code of a planned job, and what was said."""
        job = [sys.executable, "job.py", ".", str(steps), "pausable"]
        command = [SOOTPRINT, "run", "--quiet", "--deadline", "150s", "--expect", f"{max(10, steps) / 10:g}s"]
        command += ["--pausable", "--targets", targets, "--carry", "saved", "--carry", "steps", *options]
        env = environment(self.home, PATH=real_slurm.PATH)
        done = subprocess.run(
            [*command, "--", *job], cwd=self.work, env=env, capture_output=True, text=True, timeout=LONG_S
        )
        return done.returncode, done.stderr

    def state(self) -> State:
        """What the book tells."""
        (book,) = books(self.home)
        return book.state()

    def lines(self, place: str, name: str) -> list[str]:
        """Lines that the job wrote in a place."""
        path = self.folder / place / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world."""
    return World(tmp_path)


def test_target_that_cannot_be_reached_is_one_line_and_the_job_runs(world: World) -> None:
    """The cleanest place does not answer: the next one runs the job; with none left this machine does."""
    world.target("gone", 10.0, zone="SE", engine="ssh", host="nowhere.invalid")
    world.target("home", 300.0, zone="DE")
    code, said = world.run("gone,home", steps=3)
    assert code == 0, said
    assert said.count("target gone cannot be reached") == 1
    assert world.lines("home", "finished") == ["x"]
    world.home = world.folder / "second"
    world.home.mkdir()
    (world.home / "sootprint.toml").write_text(world.text)
    code, said = world.run("gone", steps=3)
    assert code == 0, said
    assert said.count("target gone cannot be reached") == 1
    assert world.lines("here", "finished") == ["x"]


def test_cap_of_a_place_is_kept(world: World) -> None:
    """One at a time: the second job starts when the first has ended."""
    world.target("home", 100.0, zone="DE", max_jobs=1)
    command = [SOOTPRINT, "run", "--quiet", "--deadline", "100s", "--expect", "2s", "--targets", "home", "--"]
    command += [sys.executable, "job.py", ".", "15", "plain"]
    env = environment(world.home)
    both = [subprocess.Popen(command, cwd=world.work, env=env) for _ in range(2)]
    assert [one.wait(LONG_S) for one in both] == [0, 0]
    spans = sorted(
        (one.started_s, one.started_s + one.ran_s)
        for book in books(world.home)
        for one in book.state().segments
    )
    assert len(spans) == 2
    assert spans[0][1] <= spans[1][0] + 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--targets", "nowhere"), "no [targets.nowhere]"),
        (("--targets", "home", "--carry", "../secrets"), "--carry ../secrets must be a file or folder below"),
        (("--carry", "saved"), "--carry needs --targets"),
        (("--engine", "ssh"), "--engine ssh needs --targets"),
        (("--engine", "slurm", "--targets", "home"), "none of the targets: home has local"),
    ],
)
def test_wrong_use_starts_nothing(world: World, options: tuple[str, ...], words: str) -> None:
    """Exit code 2 and one line."""
    world.target("home", 100.0, zone="DE")
    command = [SOOTPRINT, "run", "--zone", "FR", "--deadline", "1h", "--expect", "1s"]
    command += ["--trace", str(world.folder / "home.csv"), *options, "--", "touch", "begun"]
    done = subprocess.run(
        command, cwd=world.work, env=environment(world.home), capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 2, done.stderr
    assert words in " ".join(done.stderr.split())
    assert not (world.work / "begun").exists()
