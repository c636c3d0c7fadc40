"""What every engine must keep, wherever it starts a job: once, pausable, resumable, and never lost unseen."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest
from tests.fixtures import real_slurm, real_sshd

from sootprint.core.protocols import Engine, Handle
from sootprint.core.registry import BUILT_IN
from sootprint.engines import engine_of
from sootprint.engines.book import PAUSED, Book, Plan, Segment
from sootprint.settings.targets import ENGINES, Target

LONG_S = 120.0
LOOK_S = 0.05
# What shells, Slurm and scripts of batch would take for their own.
ODD = 'it\'s "a" $HOME `x` %j a\\tb é\n#SBATCH -n 9'

# Each step is written, so that one that was done twice, or by two at once, is seen.
JOB = """
import json, os, signal, sys, time
from pathlib import Path
folder, steps, listens = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "listens"
asked = []
if listens:
    signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
with (folder / "begun").open("a") as file:
    file.write(json.dumps(os.environ.get("SOOTPRINT_RESUME")) + "\\n")
(folder / "given").write_text(json.dumps([sys.argv[5:], os.getcwd()]))
saved = folder / "saved"
step = int(saved.read_text()) if os.environ.get("SOOTPRINT_RESUME") and saved.exists() else 0
while step < steps:
    if asked:
        sys.exit(75)
    if sys.argv[3] == "late" and (folder / "listen").exists():
        signal.signal(signal.SIGUSR1, lambda *_: asked.append(1))
        (folder / "listens").touch()
    time.sleep(0.05)
    step += 1
    with (folder / "steps").open("a") as file:
        file.write(f"{step}\\n")
    saved.write_text(str(step))
    print("step", step, flush=True)
with (folder / "finished").open("a") as file:
    file.write("x")
sys.exit(int(sys.argv[4]))
"""


class Place:
    """A plan's book and a job, on one engine."""

    def __init__(self, folder: Path, target: Target) -> None:
        self.work = Path(target.workdir)
        self.engine: Engine = engine_of(target)
        # without a backslash Slurm itself opens the files of the output, by its patterns
        self.home = folder / f"home {ODD if target.host is None else ODD.replace(chr(92), '')}"
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / "job.py").write_text(JOB)

    def book(
        self, *, steps: int = 3, listens: str = "listens", code: int = 0, given: Sequence[str] = ()
    ) -> Book:
        """Book of a new plan."""
        job = (sys.executable, "job.py", str(self.work), str(steps), listens, str(code), *given)
        plan = Plan(
            id=uuid4().hex,  # Slurm knows jobs by name
            command=job,
            cwd=str(self.work),
            arguments=("--quiet",),
            deadline_s=time.time() + 1e5,
            expect_s=10.0,
            pausable=True,
        )
        return Book.begin(self.home, plan)

    def lines(self, name: str) -> list[str]:
        """Lines that the job wrote."""
        path = self.work / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[real_slurm.Slurm]:
    """A real Slurm."""
    if reason := real_slurm.missing():
        pytest.skip(reason)
    with real_slurm.slurm(tmp_path_factory.mktemp("slurm") / "cluster") as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[real_sshd.Sshd]:
    """A real sshd."""
    if reason := real_sshd.missing():
        pytest.skip(reason)
    with real_sshd.sshd(tmp_path_factory.mktemp("sshd") / "far") as made:
        yield made


@pytest.fixture
def place(request, tmp_path, monkeypatch) -> Place:
    """A place of each engine."""
    kind, given = request.param, {"name": "there", "zone": "FR", "workdir": str(tmp_path / ODD)}
    # The far end has a home and devices of its own.
    far = f"export SOOTPRINT_HOME={tmp_path}/far SOOTPRINT_RUNTIME_DIR={os.environ['SOOTPRINT_RUNTIME_DIR']}"
    monkeypatch.setenv("PATH", real_slurm.PATH)
    if kind != "local":
        given |= {"engine": kind.split()[0], "python": sys.executable, "setup": far}
    if "ssh" in kind:
        found = request.getfixturevalue("server")
        given |= {"host": found.host, "ssh_config": str(found.config)}
    if "slurm" in kind:
        given["setup"] = f"{far}\n{request.getfixturevalue('cluster').setup}"
    return Place(tmp_path, Target(**given))


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds, within bounds."""
    until_s = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < until_s, "it never came to that"
        time.sleep(LOOK_S)


def latest(book: Book) -> Segment:
    """The last segment."""
    return book.state().segments[-1]


def followed(handle: Handle, holds: Callable[[], object]) -> None:
    """Look at a segment, as a driver does, until something holds."""
    until(lambda: holds() or (handle.is_running() and False) or holds())


def ended(handle: Handle) -> None:
    """Wait for the end of a segment."""
    until(lambda: not handle.is_running())


def test_registered_engines_are_under_contract() -> None:
    """Every built-in engine is one that the settings may name."""
    assert set(BUILT_IN["sootprint.engines"]) <= set(ENGINES)


@pytest.mark.parametrize("place", ["local", "ssh", "slurm", "slurm over ssh"], indirect=True)
def test_paused_resumed_and_its_loss_is_seen(place, capfd) -> None:
    """It saves and ends with 75, goes on with SOOTPRINT_RESUME=1; a killed runner is seen, and no end is invented.

    What it writes comes to this process's own streams, each line once.
    """
    place.engine.probe()
    book = place.book(steps=400)
    handle = place.engine.start(book, resume=False)
    followed(handle, lambda: latest(book).started_s is not None and len(place.lines("steps")) > 1)
    assert handle.is_running()
    assert handle.pause() is None
    ended(handle)
    first, done = latest(book), len(place.lines("steps"))
    assert (first.code, first.asked, first.deaf, first.cut) == (PAUSED, True, False, False)
    assert capfd.readouterr().out.splitlines() == [f"step {step}" for step in place.lines("steps")]
    assert first.ran_s > 0.0
    again = place.engine.start(book, resume=True)
    followed(again, lambda: latest(book).started_s is not None and len(place.lines("steps")) > done)
    os.kill(latest(book).runner.pid, signal.SIGKILL)
    ended(again)
    assert (latest(book).number, latest(book).code) == (2, None)
    assert [json.loads(line) for line in place.lines("begun")] == [None, "1"]
    steps = [int(line) for line in place.lines("steps")]
    assert steps == list(range(1, len(steps) + 1))
    assert place.lines("finished") == []


@pytest.mark.parametrize("place", ["local", "ssh", "slurm"], indirect=True)
def test_killed_after_its_start_the_job_is_found_and_finishes_once(place) -> None:
    """Whoever started it died before he noted it. It does not listen for a pause, and so is not ended by one.

    Its folder, home and arguments are such as shells and Slurm would take for their own: they arrive as they are.
    """
    given = ("", "-x", "*", ODD, *(f"layer {number}" for number in range(10_000)))
    book = place.book(steps=20, listens="deaf", code=7, given=given)
    path = book.folder / "book.jsonl"
    place.engine.start(book, resume=False)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if b'"queued"' not in line))
    handle = place.engine.found(book, latest(book))
    followed(handle, lambda: latest(book).started_s is not None and place.lines("steps"))
    refusal = handle.pause()
    ended(handle)
    segment = latest(book)
    assert refusal or segment.deaf
    assert (segment.number, segment.code) == (1, 7)
    assert json.loads((place.work / "given").read_text()) == [list(given), str(place.work)]
    assert place.lines("begun") == ["null"]
    assert place.lines("finished") == ["x"]


@pytest.mark.parametrize("place", ["local", "ssh", "slurm"], indirect=True)
def test_job_that_does_not_listen_yet_can_be_asked_again(place) -> None:
    """It loads what it needs when it is asked first: the signal does not end it, and the next one is heard."""
    book = place.book(steps=400, listens="late")
    handle = place.engine.start(book, resume=False)
    followed(handle, lambda: latest(book).started_s is not None and place.lines("steps"))
    refusal = handle.pause()
    if refusal is None:
        followed(handle, lambda: latest(book).deaf)
    (place.work / "listen").touch()
    until((place.work / "listens").exists)
    assert handle.pause() is None
    ended(handle)
    assert (latest(book).number, latest(book).code, latest(book).deaf) == (1, PAUSED, False)


@pytest.mark.parametrize("place", ["ssh", "slurm"], indirect=True)
def test_killed_before_its_start_the_job_is_started_and_can_be_cancelled(place) -> None:
    """The book says that it starts, and nothing has: the next look starts it, once. A signal ends it for good."""
    book = place.book(steps=1000)
    os.close(book.begin_segment(resume=False)[1])
    handle = place.engine.found(book, latest(book))
    followed(handle, lambda: latest(book).started_s is not None and place.lines("steps"))
    handle.send(signal.SIGTERM)
    ended(handle)
    assert (latest(book).number, latest(book).code, latest(book).cut) == (1, 143, False)
    assert place.lines("begun") == ["null"]
    assert place.lines("finished") == []


def test_local_start_that_never_was_does_not_run(tmp_path) -> None:
    """There a process that is not there was never started: the driver starts the next segment."""
    place = Place(tmp_path, Target(name="there", zone="FR", workdir=str(tmp_path / "work")))
    book = place.book()
    os.close(book.begin_segment(resume=False)[1])
    assert not place.engine.found(book, latest(book)).is_running()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"workdir": "/no/such"}, "no folder /no/such"),
        ({"engine": "slurm", "setup": "export SLURM_CONF=/dev/null"}, "sinfo"),
        ({"engine": "ssh", "host": "nowhere.invalid", "workdir": "/"}, "target there cannot be reached"),
    ],
)
def test_place_that_cannot_be_used_is_one_line(given, words, monkeypatch) -> None:
    """Before anything is written, with what is wrong."""
    monkeypatch.setenv("PATH", real_slurm.PATH)
    with pytest.raises(OSError, match=words) as told:
        engine_of(Target(name="there", zone="FR", **given)).probe()
    assert "\n" not in str(told.value.strerror)
