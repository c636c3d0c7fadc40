"""`sootprint sbatch` on a real Slurm: begin kept, planned again, paused by saving, requeued, finished once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sootprint.engines.book import PAUSED, State, books
from sootprint.ledger import Ledger
from tests.e2e.harness import SOOTPRINT, environment
from tests.e2e.test_plans import JOB
from tests.fixtures import real_slurm

LONG_S = 100.0


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[real_slurm.Slurm]:
    """A real Slurm."""
    if reason := real_slurm.missing():
        pytest.skip(reason)
    with real_slurm.slurm(tmp_path_factory.mktemp("slurm") / "cluster") as made:
        yield made


class Desk:
    """A folder with a script, a home and a trace in steps of a second."""

    def __init__(self, folder: Path, cluster: real_slurm.Slurm) -> None:
        self.folder, self.cluster, self.home = folder, cluster, folder / "home"
        self.home.mkdir()
        (folder / "job.py").write_text(JOB)
        self.env = environment(self.home, PATH=real_slurm.PATH, SLURM_CONF=str(cluster.conf))

    def script(self, *lines: str) -> None:
        """Write the user's batch script."""
        (self.folder / "train.sh").write_text("\n".join(["#!/bin/bash", *lines, ""]))

    def trace(self, *values: float) -> None:
        """Write a trace whose first second is now; the last value goes on."""
        first = datetime.now(UTC).replace(microsecond=0)
        told = [*values, *[values[-1]] * 200]
        rows = [f"{(first + timedelta(seconds=at)).isoformat()},{value}\n" for at, value in enumerate(told)]
        draft = self.folder / "draft.csv"
        draft.write_text("timestamp_utc,ci_gco2e_kwh\n" + "".join(rows))
        draft.replace(self.folder / "trace.csv")

    def submit(self, *options: str) -> subprocess.CompletedProcess[str]:
        """A submitted job."""
        command = [SOOTPRINT, "sbatch", "--zone", "FR", "--trace", "trace.csv", *options]
        return subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=LONG_S
        )

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
            assert time.monotonic() < until_s, f"it never came to that: {self.said()}"
            time.sleep(0.1)

    def said(self) -> str:
        """What the process in the background said."""
        (book,) = books(self.home)
        path = book.folder / "output.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def desk(tmp_path: Path, cluster: real_slurm.Slurm) -> Iterator[Desk]:
    """A desk whose background process is gone afterwards."""
    made = Desk(tmp_path, cluster)
    yield made
    for pid in drivers(made.home):
        os.kill(pid, signal.SIGKILL)


def drivers(home: Path) -> list[int]:
    """Processes that drive the plans of a home; none that one of them has forked and that is yet to be a program."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if b"sootprint.runner.resume" in words and any(str(home).encode() in word for word in words):
                found[int(entry.name)] = parent
    return [pid for pid, parent in found.items() if parent not in found]


def test_job_waits_is_paused_requeued_and_finishes_once(desk: Desk) -> None:
    """Dirty, clean, dirty, clean: Slurm keeps its begin, it saves and waits again in the queue, and no step is lost.

    Its planner is killed while the job runs, and another goes on from the book.
    """
    desk.script("#SBATCH --job-name=mine", f"exec {sys.executable} job.py . 60 pausable")
    began_s = int(time.time())
    desk.trace(*[500.0] * 6, *[50.0] * 6, *[500.0] * 8, 50.0)
    done = desk.submit("--deadline", "120s", "--expect", "6s", "--pausable", "train.sh")
    assert done.returncode == 0, done.stderr
    number = done.stdout.strip().removeprefix("Submitted batch job ")
    job = desk.cluster.job(number)
    assert (job["JobState"], job["Reason"], job["JobName"]) == ("PENDING", "BeginTime", "mine")
    assert (job["Requeue"], job["Comment"].startswith("sootprint-")) == ("1", True)
    desk.until(lambda: desk.lines("steps"))
    (pid,) = drivers(desk.home)
    os.kill(pid, signal.SIGKILL)
    recovered = subprocess.run(
        [SOOTPRINT, "recover"], env=desk.env, capture_output=True, text=True, timeout=LONG_S
    )
    assert "is driven on" in recovered.stderr
    desk.until(lambda: desk.state().result is not None)
    state, begun = desk.state(), [json.loads(line) for line in desk.lines("begun")]
    assert state.result == 0, desk.said()
    assert begun[0][0] >= began_s + 6
    assert [one.code for one in state.segments] == [*[PAUSED] * (len(begun) - 1), 0]
    assert len(begun) >= 2
    assert [resumed for _, resumed in begun] == [None, *["1"] * (len(begun) - 1)]
    assert [int(line) for line in desk.lines("steps")] == list(range(1, 61))
    assert desk.lines("finished") == ["x"]
    assert {one.slurm for one in state.segments} == {number}
    assert desk.cluster.job(number)["Restarts"] == str(len(begun) - 1)
    with Ledger(desk.home) as ledger:
        tags = [ledger.get(row.id).tags for row in ledger.runs()]
    assert {one["plan"] for one in tags} == {state.plan.id}
    assert len(tags) == len(begun)


def test_waiting_job_is_planned_again(desk: Desk) -> None:
    """The forecast changes while it waits: so does its begin in Slurm, and a script that cannot pause runs then."""
    desk.script("#SBATCH --time=0:01", f"{sys.executable} job.py . 5 plain", "exit 4")
    desk.trace(*[500.0] * 90, 50.0)
    done = desk.submit("--deadline", "200s", "--expect", "2s", "--json", "--time=0:30", "train.sh")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    before = desk.cluster.job(told["job"])["StartTime"]
    (pid,) = drivers(desk.home)
    os.kill(pid, signal.SIGKILL)  # it asks for a forecast each hour, and a new one at once
    desk.trace(*[500.0] * 5, 20.0)
    subprocess.run([SOOTPRINT, "recover"], env=desk.env, capture_output=True, timeout=LONG_S)
    desk.until(lambda: desk.cluster.job(told["job"])["StartTime"] < before)
    desk.until(lambda: desk.state().result is not None)
    assert desk.state().result == 4, desk.said()
    assert "is planned again" in desk.said()
    assert desk.lines("finished") == ["x"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--expect", "1h", "train.sh"), "sbatch needs a --deadline"),
        (("--deadline", "3d", "train.sh"), "sbatch needs --expect"),
        (("--deadline", "3d", "--expect", "1h", "nothing.sh"), "no word is a file"),
        (("--deadline", "3d", "--expect", "1h", "--array=1-4", "train.sh"), "--array=1-4 cannot be planned"),
        (
            ("--deadline", "3d", "--expect", "1h", "--partition=nowhere", "train.sh"),
            "sbatch does not take the job",
        ),
    ],
)
def test_what_cannot_be_submitted_is_one_line(desk: Desk, options: tuple[str, ...], words: str) -> None:
    """With the rule and the way out; nothing is left to be driven on."""
    desk.script("true")
    desk.trace(100.0)
    done = desk.submit(*options)
    assert done.returncode in (1, 2), done.stdout
    assert words in " ".join(done.stderr.split())
    assert all(book.state().result is not None for book in books(desk.home))
