"""The driver of a plan against an engine without processes: decisions, and a kill at each step of its book."""

from __future__ import annotations

import itertools
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sootprint import runner
from sootprint.engines import state
from sootprint.engines.book import PAUSED, Book, Plan, folded
from sootprint.engines.processes import boot, own
from sootprint.engines.shell import UnreachableError
from sootprint.engines.state import MOST_CUTS
from sootprint.runner import driver, foreseen
from sootprint.runner.driver import Driver, decided
from sootprint.runner.outlook import Ahead


class KilledError(BaseException):
    """The driver dies here: nothing after it is done."""


class World:
    """A job without processes: it runs for a few looks, pauses when it is asked, and counts what it has done."""

    def __init__(self, book: Book, *, looks: int = 2) -> None:
        self.book, self.looks = book, looks
        self.begun, self.finished, self.resumed = 0, 0, 0
        self.segment, self.left = 0, 0
        self.asked = False

    def begin(self, *, resume: bool) -> None:
        """Start a process for a segment, which the book tells."""
        assert self.left == 0, "a second one runs"
        segment, lock = self.book.begin_segment(resume=resume)
        self.lock = lock
        self.begun += 1
        self.resumed += resume
        self.segment, self.left, self.asked = segment.number, self.looks, False
        self.book.write("started", segment=segment.number, job=own(), runner=own())

    def look(self) -> bool:
        """Whether the job still runs; it goes on a little."""
        if self.left == 0:
            return False
        self.left -= 1
        if self.asked or self.left == 0:
            self.left = 0
            self.finished += not self.asked
            self.book.write("ended", segment=self.segment, code=PAUSED if self.asked else 0, ran_s=1.0)
            return False
        return True


class Handle:
    """A segment of the world's job."""

    def __init__(self, world: World) -> None:
        self.world = world

    def pause(self) -> str | None:
        """Ask it to pause."""
        self.world.book.write("asked", segment=self.world.segment)
        self.world.asked = True
        return None

    def send(self, number: int) -> None:
        """Nothing."""

    def code(self) -> int | None:
        """Not known to anybody but the book."""
        return None

    def is_running(self) -> bool:
        """Whether it runs."""
        return self.world.look()


class Engine:
    """Starts the world's job."""

    name = "world"

    def __init__(self, world: World) -> None:
        self.world = world

    def start(self, book: Book, *, resume: bool) -> Handle:
        """Begin a segment."""
        self.world.begin(resume=resume)
        return Handle(self.world)

    def found(self, book: Book, segment: object) -> Handle:
        """The segment that runs."""
        return Handle(self.world)


class Told:
    """An outlook that says the same at each look, in steps of a millisecond."""

    def __init__(self, *values: float) -> None:
        self.values, self.looks = list(values), itertools.count()

    def ahead(self, now_s: float) -> Ahead | None:
        """The steps from the next look on."""
        at = next(self.looks)
        left = self.values[at:]
        return Ahead(values=np.array(left), step_s=10.0, index=at, source="test") if left else None


def plan(**changes) -> Plan:
    """A plan of a job of ten seconds with an hour."""
    given = {
        "id": "p",
        "command": ("true",),
        "cwd": "/",
        "arguments": (),
        "deadline_s": 4e9,
        "expect_s": 10.0,
    }
    return Plan(**given | changes)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No waits, and the test's own signal handlers afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(driver, "TICK_S", 0.0)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def drive(book, world, outlook, said=None):
    """Exit code of a driver."""
    return Driver(book, Engine(world), outlook, say=(said if said is not None else []).append).drive()


def test_job_waits_for_the_clean_step_and_runs_once(tmp_path):
    """Three dirty steps, then a clean one: three looks pass before it starts."""
    book, outlook, said = Book.begin(tmp_path, plan()), Told(300.0, 300.0, 300.0, 50.0, 300.0, 300.0), []
    world = World(book)
    assert drive(book, world, outlook, said) == 0
    assert (world.begun, world.finished) == (1, 1)
    assert next(outlook.looks) == 4
    assert "waits for a cleaner time, as it looks now 1970-01-01 00:00 UTC, until" in said[0]
    kept = json.loads((book.folder / "waits.json").read_bytes())  # at its last look, a step before it began
    assert (kept["begin"], kept["saving_share"]["value"]) == (
        "1970-01-01T00:00:30.000Z",
        pytest.approx(5 / 6),
    )
    assert (kept["saving_share"]["low"], kept["saving_kg"]) == (
        None,
        None,
    )  # given hours, and no power is known
    ahead = Told(300.0, 200.0, 300.0, 50.0, 300.0).ahead(0.0)
    assert foreseen.likely_s(book.state(), ahead) == 30.0
    assert foreseen.likely_s(book.state(), Told(50.0, 300.0).ahead(0.0)) is None


def test_job_that_may_pause_is_paused_and_resumed_once(tmp_path):
    """Clean, dirty, clean: it is asked to save, is released, and resumes what it saved."""
    book = Book.begin(tmp_path, plan(pausable=True, expect_s=20.0))
    world = World(book, looks=3)
    assert drive(book, world, Told(50.0, 400.0, 400.0, 400.0, 50.0, 50.0, 400.0, 400.0)) == 0
    assert (world.begun, world.resumed, world.finished) == (2, 1, 1)
    assert [one.code for one in book.state().segments] == [PAUSED, 0]


def test_job_that_ignores_the_pause_is_told_once_and_finishes(tmp_path, monkeypatch):
    """It listens, and runs on: it is not asked again, and its end is its end."""
    monkeypatch.setattr(driver, "GRACE_S", -1.0)
    book, said = Book.begin(tmp_path, plan(pausable=True, expect_s=20.0)), []
    world = World(book, looks=6)
    ignored = []
    monkeypatch.setattr(Handle, "pause", lambda self: ignored.append(1))
    assert drive(book, world, Told(50.0, *[400.0] * 8, 50.0, 50.0), said) == 0
    assert (world.begun, world.finished, len(ignored)) == (1, 1, 1)
    assert sum("has not answered a pause" in text for text in said) == 1


def test_job_that_does_not_listen_yet_is_asked_again(tmp_path, monkeypatch):
    """It loads what it needs at first; where its runner sees that it does not listen, the book tells so."""
    monkeypatch.setattr(driver, "AGAIN_S", 0.0)
    book, said, answers = (
        Book.begin(tmp_path, plan(pausable=True, expect_s=20.0)),
        [],
        ["deaf", "deaf", "asked"],
    )
    world = World(book, looks=6)

    def pause(self) -> None:
        told = answers.pop(0)
        book.write("asked", segment=world.segment)
        book.write(told, segment=world.segment)
        world.asked = told == "asked"

    monkeypatch.setattr(Handle, "pause", pause)
    assert drive(book, world, Told(50.0, *[400.0] * 8, 50.0, 50.0), said) == 0
    assert answers == []
    assert [one.code for one in book.state().segments] == [PAUSED, 0]
    assert sum("does not catch SIGUSR1" in text for text in said) == 1


def test_job_that_its_runner_saw_not_to_listen_is_told_once_and_finishes(tmp_path, monkeypatch):
    """Where the driver cannot look at the process, the runner does: the signal is kept from it."""
    monkeypatch.setattr(driver, "GRACE_S", -1.0)
    book, said = Book.begin(tmp_path, plan(pausable=True, expect_s=20.0)), []
    world = World(book, looks=6)
    world.begin(resume=False)
    book.write("deaf", segment=1)
    assert drive(book, world, Told(*[400.0] * 8, 50.0), said) == 0
    assert sum("does not catch SIGUSR1" in text for text in said) == 1


def test_jobs_that_waited_for_a_step_do_not_start_all_at_once():
    """Each lets its own part of the first tenth of the step pass, at most five minutes, and the same each time."""
    ahead = Ahead(values=np.array([1.0]), step_s=3600.0, index=0, source="test")
    drawn = [driver._jitter_s(plan(id=str(job)), ahead, 1e9) for job in range(200)]
    assert 0.0 <= min(drawn) < 15.0
    assert 285.0 < max(drawn) <= 300.0
    assert driver._jitter_s(plan(id="7"), ahead, 1e9) == drawn[7]
    assert driver._jitter_s(plan(id="7"), ahead, -5.0) == 0.0


def test_exit_code_75_without_being_asked_is_the_jobs_own(tmp_path):
    """A job that ends with 75 by itself is not started again for ever."""
    book = Book.begin(tmp_path, plan(pausable=True))
    book.begin_segment(resume=False)
    book.write("ended", segment=1, code=PAUSED, ran_s=1.0)
    assert drive(book, World(book), Told(50.0)) == PAUSED


def test_guard_of_the_deadline_asks_nobody(tmp_path, monkeypatch):
    """A job whose time, with its margin, is all that is left starts whatever any forecast says."""
    monkeypatch.setattr(driver.time, "time", lambda: 100.0)
    book = Book.begin(tmp_path, plan(deadline_s=112.9))

    class Silent:
        def ahead(self, now_s):
            raise AssertionError("nobody is asked")

    assert drive(book, World(book), Silent()) == 0


def test_job_without_forecast_starts_at_once(tmp_path):
    """Nobody waits for what nobody knows."""
    book = Book.begin(tmp_path, plan())
    assert drive(book, World(book), Told()) == 0


def test_job_that_is_cut_again_and_again_is_given_up(tmp_path):
    """Six cuts, and no seventh start; one line says so."""
    book, said = Book.begin(tmp_path, plan()), []
    world = World(book)
    world.look = lambda: setattr(world, "left", 0) or False
    assert drive(book, world, Told(), said) == 1
    assert [text.rpartition("; ")[2].split(":")[0] for text in said] == [
        *["it is started again"] * MOST_CUTS,
        "it is given up after 6 such ends",
    ]
    assert world.begun == MOST_CUTS + 1


def test_job_of_which_no_start_is_ever_seen_is_given_up_later(tmp_path, monkeypatch):
    """Its driver dies again and again before it begins: that is no fault of its own; but no start is tried for ever."""
    monkeypatch.setattr(state, "MOST_LOST", MOST_CUTS + 3)
    book, said = Book.begin(tmp_path, plan()), []
    world = World(book)
    world.begin = lambda *, resume: book.begin_segment(resume=resume)
    assert drive(book, world, Told(), said) == 1
    assert len(book.state().segments) == MOST_CUTS + 4
    assert said[-1].count("is given up after 9 such ends") == 1


def test_pause_between_two_cuts_is_progress(tmp_path):
    """Only the cuts since the last pause count."""
    book = Book.begin(tmp_path, plan(pausable=True))
    for number in range(1, 2 * MOST_CUTS + 2):
        os.close(book.begin_segment(resume=number > 1)[1])
        book.write("started", segment=number, job=own(), runner=own())
        if number == MOST_CUTS:
            book.write("asked", segment=number)
            book.write("ended", segment=number, code=PAUSED, ran_s=1.0)
        else:
            book.write("cut", segment=number)
    assert (book.state().cuts, book.state().ended_with) == (MOST_CUTS + 1, 1)
    lines = (book.folder / "book.jsonl").read_bytes().splitlines()
    assert folded(lines[:-3]).ended_with is None


def test_line_that_the_disk_took_in_part_is_an_error(tmp_path, monkeypatch):
    """What is not whole in the book tells nothing, and must not be done: the step is tried again, and done once."""
    book, said, written = Book.begin(tmp_path, plan()), [], os.write
    full = [b'"starting"', b'"done"']

    def partly(descriptor, line):
        if full and full[0] in line:
            full.pop(0)
            return written(descriptor, line[:9])
        return written(descriptor, line)

    monkeypatch.setattr(os, "write", partly)
    monkeypatch.setattr(driver, "RETRY_S", 0.0)
    world = World(book)
    assert drive(book, world, Told(), said) == 0
    assert (world.begun, world.finished, full) == (1, 1, [])
    assert [text for text in said if "cannot go on yet" in text] == [
        "plan p cannot go on yet: No space left on device"
    ]


def test_interrupt_while_nothing_can_be_told_leaves_the_plan(tmp_path, monkeypatch):
    """The place does not answer, and the job can be neither ended nor seen to have ended: nobody waits for ever."""
    book, said = Book.begin(tmp_path, plan()), []
    world = World(book)
    world.begin(resume=False)

    def silent(self):
        signal.raise_signal(signal.SIGINT)
        raise UnreachableError("target far cannot be reached")

    monkeypatch.setattr(Handle, "is_running", silent)
    assert drive(book, world, Told(), said) == 130
    assert said[-1] == "plan p is left as it is, and its job may run: `sootprint recover` drives it on"
    assert book.state().result is None
    assert Book(book.folder).take(), "another driver may go on"


def test_interrupt_while_it_waits_cancels_it(tmp_path):
    """The job is never started, and no later driver starts it."""
    book, said = Book.begin(tmp_path, plan()), []
    world = World(book)

    class Interrupting(Told):
        def ahead(self, now_s):
            signal.raise_signal(signal.SIGINT)
            return super().ahead(now_s)

    assert drive(book, world, Interrupting(300.0, 300.0, 50.0, 50.0), said) == 130
    assert drive(book, world, Told(50.0)) == 130
    assert world.begun == 0
    assert any("cancelled" in text for text in said)


@pytest.mark.parametrize("pausable", [False, True])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 9))
def test_kill_of_the_driver_at_each_step_loses_no_job_and_runs_none_twice(
    tmp_path, monkeypatch, pausable, when, step
):
    """A driver that dies around the n-th line of the book is followed by another: the job finishes exactly once."""
    book = Book.begin(tmp_path, plan(pausable=pausable, expect_s=20.0))
    world = World(book, looks=3)
    lines, write = itertools.count(1), Book.write

    def killing(self, kind, **content):
        dies = kind not in ("started", "ended") and next(lines) == step  # those are the runner's
        if dies and when == "before":
            raise KilledError
        write(self, kind, **content)
        if dies:
            if kind == "starting":
                world.left = 0  # the process is not there yet
            raise KilledError

    monkeypatch.setattr(Book, "write", killing)
    values = (50.0, 400.0, 400.0, 400.0, 50.0, 50.0, 400.0, 400.0)
    try:
        drive(book, world, Told(*values))
    except KilledError:
        book.release()
        book = Book(tmp_path / "plans" / "p")
        assert book.take()
        world.book = book
        assert drive(book, world, Told(*values)) == 0
    assert world.finished == 1
    assert book.state().result == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=14), st.booleans())
def test_drivers_killed_at_any_lines_one_after_the_other_run_the_job_once(tmp_path_factory, kills, pausable):
    """Each of up to 14 drivers dies around a line of its own: the job finishes exactly once."""
    book = Book.begin(tmp_path_factory.mktemp("kills"), plan(pausable=pausable, expect_s=20.0))
    world, write, left = World(book, looks=3), Book.write, [*kills, (0, True)]
    lines = itertools.count(1)

    def killing(self, kind, **content):
        dies = kind not in ("started", "ended") and next(lines) == left[0][0]  # those are the runner's
        if dies and left[0][1]:
            raise KilledError
        write(self, kind, **content)
        if dies:
            world.left *= kind != "starting"  # the process is not there yet
            raise KilledError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Book, "write", killing)
        result = None
        while result is None:
            lines = itertools.count(1)
            try:
                result = drive(book, world, Told(50.0, 400.0, 400.0, 400.0, 50.0, 50.0, 400.0, 400.0))
            except KilledError:
                left.pop(0)
                book.release()
                book = world.book = Book(book.folder)
                assert book.take()
    assert (world.finished, result, book.state().result) == (1, 0, 0)


def test_end_of_a_job_waits_for_room_in_the_book(tmp_path, monkeypatch):
    """A full disk when the command ends: an end that nobody wrote would have it started again."""
    book, said = Book.begin(tmp_path, plan()), []
    os.close(book.begin_segment(resume=False)[1])
    options = runner.RunOptions(settings=None, segment=(book, 1), on_warning=said.append)
    told, write, full = runner._started(os.getpid(), options), Book.write, [1, 2, 3]

    def refused(self, kind, **content):
        if full:
            raise OSError(full.pop(), "No space left on device")
        write(self, kind, **content)

    monkeypatch.setattr(Book, "write", refused)
    told(7)
    assert (book.state().segments[0].code, full, said) == (7, [], [])


def test_second_driver_is_kept_out(tmp_path):
    """One driver at a time: another finds the lock taken."""
    book = Book.begin(tmp_path, plan())
    other = Book(book.folder)
    assert not other.take()
    book.release()
    assert other.take()


def test_torn_line_tells_nothing_and_the_next_one_is_whole(tmp_path):
    """A power failure in the middle of a write loses that line alone."""
    book = Book.begin(tmp_path, plan())
    path = book.folder / "book.jsonl"
    path.write_bytes(path.read_bytes() + b'{"k": "done", "co')
    assert book.state().result is None
    book.write("done", code=3)
    assert book.state().result == 3


def test_segment_of_an_earlier_boot_does_not_run(tmp_path):
    """After a restart of the machine the numbers of processes say nothing."""
    book = Book.begin(tmp_path, plan())
    lines = [
        (tmp_path / "plans/p/book.jsonl").read_bytes().strip(),
        b'{"k": "starting", "segment": 1, "resume": false, "boot": "another"}',
        b'{"k": "started", "segment": 1, "job": [%d, %d], "runner": [1, 1], "at_s": 1}' % own(),
    ]
    (segment,) = folded(lines).segments
    assert segment.job.is_alive
    assert segment.boot != boot()
    assert not book.is_running(segment)


@pytest.mark.parametrize(
    ("values", "left_s", "until_s", "pausable", "running", "goes"),
    [
        ((300.0, 100.0, 300.0), 10.0, 100.0, False, None, False),
        ((100.0, 300.0, 300.0), 10.0, 100.0, False, None, True),
        ((100.0, 99.0, 99.0), 10.0, 100.0, False, None, True),  # not 2 % better
        ((300.0, 100.0, 300.0), 10.0, 20.0, False, None, True),  # no whole step free beside the margin
        ((300.0,), 10.0, 100.0, False, None, True),  # nothing known beyond this step
        ((300.0, 100.0, 300.0), 10.0, 100.0, True, True, False),
        ((120.0, 100.0, 300.0), 10.0, 100.0, True, True, True),  # a resume would cost more than it saves
    ],
)  # fmt: skip
def test_decision(values, left_s, until_s, pausable, running, goes):
    """Start, wait, pause and go on, worked by hand."""
    ahead = Ahead(values=np.array(values), step_s=10.0, index=0, source="test")
    given = plan(pausable=pausable, resume_s=5.0)
    assert decided(given, ahead, left_s, until_s, running=running) is goes


def test_book_is_for_its_user_alone(tmp_path):
    """It has the command line."""
    book = Book.begin(tmp_path, plan())
    assert Path(book.folder).stat().st_mode & 0o077 == 0
    assert (book.folder / "book.jsonl").stat().st_mode & 0o077 == 0
