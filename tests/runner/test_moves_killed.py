"""A move between two places without processes: a kill of the driver at each step of its book."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from tests.runner import test_driver
from tests.runner.test_driver import KilledError, World

from sootprint.engines.book import PAUSED, Book, Plan
from sootprint.runner import driver, transfer
from sootprint.runner.driver import Driver
from sootprint.runner.roaming import HERE

quick = test_driver.quick  # no waits, and the test's own signal handlers afterwards


class Engine(test_driver.Engine):
    """The world's job, started in a place."""

    def __init__(self, world: World, place: str) -> None:
        super().__init__(world)
        self.place = place

    def probe(self) -> None:
        """It answers."""

    def start(self, book: Book, *, resume: bool):
        """Begin a segment there."""
        begin = book.begin_segment
        book.begin_segment = lambda *, resume: begin(resume=resume, target=self.place)
        try:
            return super().start(book, resume=resume)
        finally:
            book.begin_segment = begin


class Two:
    """Two places: the job begins in a, and b is cleaner when half of its looks have passed."""

    def __init__(self, world: World) -> None:
        self.world = world

    def engine(self, name: str) -> Engine:
        """That of a place."""
        return Engine(self.world, name)

    def choose(self, state, left_s, *, running, must) -> str:
        """First a, then b."""
        if running and self.world.left > 3:
            return state.segments[-1].target
        return "b" if any(one.code is not None for one in state.segments) or running else "a"

    def ready(self, state, name, *, must) -> Engine:
        """Note that all has arrived."""
        if state.where != name:
            self.world.book.write("carried", **transfer.nothing(state.where, name))
        return self.engine(name)

    def slot(self, name):
        """Free."""
        return contextlib.nullcontext()

    def finish(self, state) -> None:
        """Bring it home."""
        self.ready(state, HERE, must=False)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(1, 9))
def test_kill_at_each_step_of_a_move_loses_no_job_and_runs_none_twice(tmp_path, monkeypatch, when, step):
    """Carried, started, asked, carried, started, carried home, done: whichever it dies at, it finishes exactly once."""
    given = {"id": "p", "command": ("true",), "cwd": "/", "arguments": (), "pausable": True}
    plan = Plan(**given, deadline_s=4e9, expect_s=20.0, targets=({"name": "a"}, {"name": "b"}))
    book = Book.begin(tmp_path, plan)
    world = World(book, looks=6)
    lines, write, dies_at = itertools.count(1), Book.write, []

    def killing(self, kind, **content):
        assert next(guard) < 200, "it goes round for ever"
        dies = kind not in ("started", "ended") and next(lines) == step  # those are the runner's
        if dies:
            dies_at.append(kind)
        if dies and when == "before":
            raise KilledError
        write(self, kind, **content)
        if dies:
            if kind == "starting":
                world.left = 0  # the process is not there yet
            raise KilledError

    def drive() -> int:
        return Driver(world.book, Engine(world, ""), None, say=print, roaming=Two(world)).drive()

    guard = itertools.count()
    monkeypatch.setattr(driver, "LOOK_SHARE", 0.0)
    monkeypatch.setattr(Book, "write", killing)
    try:
        drive()
    except KilledError:
        book.release()
        book = world.book = Book(tmp_path / "plans" / "p")
        assert book.take()
        assert drive() == 0
    state = book.state()
    assert (world.finished, state.result, state.where) == (1, 0, HERE)
    assert len(dies_at) == (step <= 7)
    ended = [(one.target, one.code) for one in state.segments if one.code is not None]
    assert ended == [("a", PAUSED), ("b", 0)]
