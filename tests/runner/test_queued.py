"""The driver of a queued job against a queue without processes: its begin, its pauses, and a kill at each step."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import numpy as np
import pytest
from tests.fixtures.steps import within_step

from sootprint.engines.book import PAUSED, Book, Plan
from sootprint.engines.processes import own
from sootprint.engines.queue import BEGUN, NO_ROOM, Job, outcome, parsed
from sootprint.engines.shell import UnreachableError
from sootprint.runner import queued
from sootprint.runner.outlook import Ahead
from sootprint.runner.queued import Queued, batch_script

STEP_S = 1000.0


class KilledError(BaseException):
    """The driver dies here: nothing after it is done."""


class FakeQueue:
    """A queue and its one node: a job starts at its second look, runs for some, and writes what its runner would."""

    def __init__(self, book: Book, *, looks: int = 4) -> None:
        self.book, self.looks = book, looks
        self.jobs: dict[str, dict] = {}
        self.begun: set[int] = set()
        self.resumed: list[bool] = []
        self.finished = self.deaf_times = 0
        self.begins: list[float] = []

    def submitted(self, target, options, script, *, begin_s) -> str:
        """Take a job."""
        number = str(len(self.jobs) + 1)
        first = int(script.split("segment=$((")[1].split(" ")[0])
        comment = next(one.partition("=")[2] for one in options if one.startswith("--comment="))
        self.jobs[number] = {
            "state": "PENDING",
            "comment": comment,
            "first": first,
            "restarts": 0,
            "looks": 0,
        }
        self.begins.append(begin_s)
        return number

    def commented(self, target, text: str) -> str | None:
        """Find one."""
        return next((number for number, one in self.jobs.items() if one["comment"] == text), None)

    def replanned(self, target, number: str, begin_s: float) -> None:
        """Note its begin."""
        self.begins.append(begin_s)

    def requeued(self, target, number: str) -> bool:
        """Let it wait again."""
        one = self.jobs[number]
        assert one["state"] not in ("PENDING", "RUNNING"), "what waits or runs is not requeued"
        one |= {"state": "PENDING", "looks": 0, "restarts": one["restarts"] + 1}
        return True

    def signalled(self, target, number: str, name: str) -> None:
        """Ask it to save; it may not listen at first."""
        if self.deaf_times:
            self.deaf_times -= 1
            self.book.write("deaf", segment=self.jobs[number]["first"])
            return
        self.jobs[number]["asked"] = True

    def job(self, target, number: str) -> Job:
        """Let time pass for it, and tell its state."""
        one = self.jobs[number]
        one["looks"] += 1
        segment = one["first"] + one["restarts"]
        if one["state"] == "PENDING" and one["looks"] >= 2:
            assert segment not in self.begun, "a segment begins twice"
            assert sum(other["state"] == "RUNNING" for other in self.jobs.values()) == 0, "a second one runs"
            self.begun.add(segment)
            self.resumed.append(segment > 1)
            one |= {"state": "RUNNING", "left": self.looks, "asked": False}
            self.book.write("started", segment=segment, job=own(), runner=own())
        elif one["state"] == "RUNNING":
            one["left"] -= 1
            if one["asked"] or not one["left"]:
                self.finished += not one["asked"]
                code = PAUSED if one["asked"] else 0
                one["state"] = "FAILED" if code else "COMPLETED"
                self.book.write("ended", segment=segment, code=code, ran_s=1.0)
        code = None if one["state"] in ("PENDING", "RUNNING") else PAUSED if one["asked"] else 0
        return Job(id=number, state=one["state"], reason="", code=code, restarts=one["restarts"])


class Told:
    """An outlook in steps that began some seconds ago: the cleaner ones are so many steps ahead."""

    def __init__(self, *values: float) -> None:
        self.values = values

    def ahead(self, now_s: float) -> Ahead:
        """The steps."""
        return Ahead(values=np.array(self.values), step_s=STEP_S, index=int(now_s // STEP_S), source="test")


class Turning:
    """An outlook that is clean at first, dirty once the job runs, and clean again when it has saved."""

    def __init__(self, fake: FakeQueue) -> None:
        self.fake = fake

    def ahead(self, now_s: float) -> Ahead:
        """The steps."""
        dirty = self.fake.begun == {1} and any(one["state"] == "RUNNING" for one in self.fake.jobs.values())
        values = (900.0, 50.0, 50.0, 50.0) if dirty else (50.0, 50.0, 900.0, 900.0)
        return Ahead(values=np.array(values), step_s=STEP_S, index=int(now_s // STEP_S), source="test")


class Unsure:
    """An outlook that is sure of clean steps, but while the job runs first: then somewhat cleaner ones may follow."""

    def __init__(self, fake: FakeQueue) -> None:
        self.fake = fake

    def ahead(self, now_s: float) -> Ahead:
        """The steps, with how earlier forecasts missed."""
        values, misses = np.array([100.0, 80.0, 100.0]), np.array([[0.0, 22.0, 0.0], [0.0, -22.0, 0.0]])
        if self.fake.begun != {1}:
            values, misses = values[::-1] * [0.5, 1.0, 1.0], 0.0 * misses
        index = int(now_s // STEP_S)
        return Ahead(values=values, step_s=STEP_S, index=index, source="test", misses=misses)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waits, and no step that turns meanwhile."""
    within_step(STEP_S)
    monkeypatch.setattr(queued, "LOOK_LEAST_S", 0.0)
    monkeypatch.setattr(queued, "LOOK_SHARE", 0.0)


def begun(home: Path, **changes) -> Book:
    """Book of a new plan of a queued job."""
    given = {"id": "p", "command": ("/w/script",), "cwd": "/w", "arguments": ("sootprint", "run")}
    times = {"deadline_s": time.time() + 1e5, "expect_s": 900.0}
    return Book.begin(home, Plan(**given | times | {"queue": ("--requeue",)} | changes))


def drive(monkeypatch, book: Book, fake: FakeQueue, outlook) -> list[str]:
    """What a driver says until its job has ended."""
    for name in ("submitted", "commented", "replanned", "requeued", "signalled", "job"):
        monkeypatch.setattr(queued.queue, name, getattr(fake, name))
    said: list[str] = []
    assert Queued(book, outlook, say=said.append).drive() == 0
    return said


def test_begin_is_that_of_the_cleanest_step(tmp_path, monkeypatch) -> None:
    """Two dirty steps, then a clean one, whose start Slurm is told."""
    book = begun(tmp_path)
    fake = FakeQueue(book)
    drive(monkeypatch, book, fake, Told(500.0, 500.0, 50.0, 500.0))
    assert fake.begins[0] == pytest.approx((time.time() // STEP_S + 2) * STEP_S, abs=2.0)
    assert (fake.finished, book.state().segments[0].slurm) == (1, "1")


def test_job_that_fills_its_window_begins_now(tmp_path, monkeypatch) -> None:
    """The guard of the deadline asks nobody."""
    before_s = time.time()
    book = begun(tmp_path, deadline_s=before_s + 1000.0)
    fake = FakeQueue(book)
    drive(monkeypatch, book, fake, None)
    assert before_s - 1.0 <= fake.begins[0] <= time.time() + 1.0


def test_job_is_asked_to_save_and_waits_again_in_the_queue(tmp_path, monkeypatch) -> None:
    """The same job, resumed once, finished once."""
    book = begun(tmp_path, pausable=True)
    fake = FakeQueue(book, looks=8)
    said = drive(monkeypatch, book, fake, Turning(fake))
    assert [one.code for one in book.state().segments] == [PAUSED, 0]
    assert (fake.finished, fake.resumed, len(fake.jobs)) == (1, [False, True], 1)
    assert any("is asked to save and to pause" in text for text in said)


@pytest.mark.parametrize("resume_s", [0.0, 100.0])
def test_queued_job_is_charged_its_resume_as_any_other_is(tmp_path, monkeypatch, resume_s) -> None:
    """What would be worth a free pause is none that costs a resume, whose error bar is wider than what is left."""
    book = begun(tmp_path, pausable=True, resume_s=resume_s, resume_stated=True)
    fake = FakeQueue(book, looks=8)
    drive(monkeypatch, book, fake, Unsure(fake))
    assert (book.state().segments[0].code == PAUSED) == (resume_s == 0.0)


@pytest.mark.parametrize("loads", [True, False])
def test_job_that_does_not_listen_is_asked_again_while_it_may_load(tmp_path, monkeypatch, loads) -> None:
    """Then it saves; one that has run for long without listening is left to run, and either is told once."""
    monkeypatch.setattr(queued, "AGAIN_S", 0.0)
    monkeypatch.setattr(queued, "GRACE_S", 300.0 if loads else -1.0)
    book = begun(tmp_path, pausable=True)
    fake = FakeQueue(book, looks=8)
    fake.deaf_times = 2
    said = drive(monkeypatch, book, fake, Turning(fake))
    assert [one.code for one in book.state().segments] == ([PAUSED, 0] if loads else [0])
    assert fake.deaf_times == (0 if loads else 1)
    assert sum("does not catch SIGUSR1" in text for text in said) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 9))
def test_kill_at_each_step_loses_no_job_and_runs_none_twice(tmp_path, monkeypatch, when, step) -> None:
    """A driver that dies around the n-th line of the book is followed by another: the job finishes exactly once."""
    book = begun(tmp_path, pausable=True)
    fake = FakeQueue(book, looks=8)
    lines, write = itertools.count(1), Book.write

    def killing(self, kind, **content):
        dies = kind not in ("started", "ended") and next(lines) == step
        if dies and when == "before":
            raise KilledError
        write(self, kind, **content)
        if dies:
            raise KilledError

    outlook = Turning(fake)
    monkeypatch.setattr(Book, "write", killing)
    try:
        drive(monkeypatch, book, fake, outlook)
    except KilledError:
        book.release()
        book = Book(tmp_path / "plans" / "p")
        assert book.take()
        fake.book = book
        drive(monkeypatch, book, fake, outlook)
    assert fake.finished == 1
    assert book.state().result == 0
    assert len(fake.jobs) == 1


def test_job_that_slurm_has_lost_is_submitted_again(tmp_path, monkeypatch) -> None:
    """Its node failed, and nobody requeued it."""
    book = begun(tmp_path)
    fake, look = FakeQueue(book), FakeQueue.job
    monkeypatch.setattr(FakeQueue, "requeued", lambda self, target, number: False)
    lost = iter([True])

    def job(self, target, number):
        known = look(self, target, number)
        if known.state == "RUNNING" and next(lost, False):
            self.jobs[number]["state"] = "NODE_FAIL"
            return known._replace(state="NODE_FAIL", code=1)
        return known

    monkeypatch.setattr(FakeQueue, "job", job)
    said = drive(monkeypatch, book, fake, Told(50.0, 50.0))
    assert [one.cut for one in book.state().segments] == [True, False]
    assert (fake.finished, len(fake.jobs)) == (1, 2)
    assert any("has lost job 1" in text for text in said)


def test_batch_script_begins_once_and_resumes_after_a_requeue(tmp_path) -> None:
    """Run by a real shell: submitted twice it begins once; requeued by Slurm it is the next segment, and resumes."""
    import subprocess

    told = ("sh", "-c", 'echo "$SOOTPRINT_PLAN_SEGMENT resume=$SOOTPRINT_RESUME $0 $*"')
    book = begun(
        tmp_path / """it's "$HOME" `x` %j""", pausable=True, arguments=told, command=("script", "a b")
    )
    script = batch_script(book.state().plan, book, 1)

    def run(**env: str) -> str:
        done = subprocess.run(["/bin/sh"], input=script, env=env, capture_output=True, text=True, timeout=120)
        return f"{done.stdout.strip()}{done.returncode or ''}"

    assert run(SOOTPRINT_RESUME="1", SLURM_JOB_ID="7") == f"1:{book.folder} resume= -- script a b"
    assert run(SLURM_JOB_ID="8") == str(BEGUN)
    number = book.folder / "segment.1.begun" / "job"
    assert number.read_text() == "7\n"
    assert run(SLURM_RESTART_COUNT="1") == f"2:{book.folder} resume=1 -- script a b"
    (book.folder / "segment.3.begun").touch()
    assert run(SLURM_RESTART_COUNT="2") == str(NO_ROOM)


def test_job_that_was_submitted_twice_is_followed_where_it_has_begun(tmp_path) -> None:
    """The one that came too late tells nothing of the job; one that found no room has lost it."""
    book = begun(tmp_path)
    segment, lock = book.begin_segment(resume=False)
    os.close(lock)
    book.write("queued", segment=1, slurm="8", begin_s=None)
    folder = book.folder / "segment.1.begun"
    folder.mkdir()
    (folder / "job").write_text("7\n")
    codes = f"{BEGUN}:0", f"{NO_ROOM}:0", "3:0", "0:9"
    late, full, own_end, killed = (parsed(f"JobId=8 JobState=FAILED ExitCode={code}") for code in codes)
    with pytest.raises(UnreachableError, match="submitted twice"):
        outcome(late, book, segment)
    assert book.state().segments[0].slurm == "7"
    assert (outcome(full, book, segment), outcome(own_end, book, segment), outcome(None, book, segment)) == (
        None,
        3,
        None,
    )
    assert outcome(killed, book, segment) is None, "its runner could tell nothing"
    assert outcome(killed._replace(state="OUT_OF_MEMORY"), book, segment) == 137
    book.write("started", segment=1, job=own(), runner=own())
    assert outcome(late, book, book.state().segments[0]) == BEGUN, "an exit code of the job's own"
