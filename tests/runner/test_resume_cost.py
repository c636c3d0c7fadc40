"""What a pause has cost becomes the price of the next one: in the same plan, and in the next plan of the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sootprint.cli.delayed import Asked, planned
from sootprint.engines.book import PAUSED, Book, Plan, State, learned_s
from sootprint.engines.processes import own
from sootprint.runner.driver import Driver
from sootprint.runner.outlook import Ahead
from sootprint.settings import Settings, load

COMMAND = ("python", "train.py")


def begun(home: Path, name: str = "p", **changes: object) -> Book:
    """Book of a new plan of the command."""
    given = {
        "command": COMMAND,
        "cwd": str(Path.cwd()),
        "arguments": (),
        "deadline_s": 4e9,
        "expect_s": 100.0,
    }
    return Book.begin(home, Plan(id=name, pausable=True, **given | changes))


def segment(book: Book, number: int, *, ready_s: float, save_s: float | None = None) -> None:
    """Write a segment that was ready after so long, and took so long to save; one that finished saved nothing."""
    began_s = 1000.0 * number
    book.write("starting", segment=number, resume=number > 1, boot="b")
    book.write("started", segment=number, job=own(), runner=own(), at_s=began_s)
    code = 0 if save_s is None else PAUSED
    if save_s is not None:
        book.write("asked", segment=number, at_s=began_s + 60.0)
    ended_s = began_s + 60.0 + (save_s or 0.0)
    book.write("ended", segment=number, code=code, ran_s=70.0, ready_s=ready_s, at_s=ended_s)


def test_resume_costs_what_saving_and_loading_took(tmp_path: Path) -> None:
    """Nothing is known before a pause; then save 4 s + first start 7 s; then median save 5 s + median load 12 s."""
    book = begun(tmp_path, resume_s=1.5)
    assert book.state().resume_s == 1.5
    segment(book, 1, ready_s=7.0, save_s=4.0)
    assert book.state().resume_s == pytest.approx(11.0)
    segment(book, 2, ready_s=10.0, save_s=6.0)
    assert book.state().resume_s == pytest.approx(15.0)
    segment(book, 3, ready_s=14.0)
    assert book.state().resume_s == pytest.approx(17.0)


def test_stated_cost_is_not_replaced(tmp_path: Path) -> None:
    """`--resume-cost` is the user's word."""
    book = begun(tmp_path, resume_s=300.0, resume_stated=True)
    segment(book, 1, ready_s=7.0, save_s=4.0)
    assert book.state().resume_s == 300.0


def test_next_plan_of_the_command_starts_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest plan that paused counts; another command or folder, or a stated cost, knows nothing of it."""
    segment(begun(tmp_path, "1"), 1, ready_s=50.0, save_s=50.0)
    segment(begun(tmp_path, "2"), 1, ready_s=7.0, save_s=4.0)
    begun(tmp_path, "3")  # never paused
    assert learned_s(tmp_path, COMMAND, str(Path.cwd())) == pytest.approx(11.0)
    assert learned_s(tmp_path, ("python", "other.py"), str(Path.cwd())) is None
    assert learned_s(tmp_path, COMMAND, "/elsewhere") is None
    known = load(home=tmp_path, zone="FR")
    assert made(known, None).resume_s == pytest.approx(11.0)
    assert made(known, 20.0).resume_s == 20.0
    assert made(known, 0.0).resume_s == 0.0
    monkeypatch.chdir("/")
    assert made(known, None).resume_s == 0.0


def made(known: Settings, resume_cost: float | None) -> Plan:
    """Plan that `sootprint run --deadline` makes."""
    asked = {"name": None, "tag": None, "record": None, "json": False, "stated": {}, "trace": None}
    times = {"deadline": 1000.0, "expect": 100.0, "resume_cost": resume_cost}
    return planned(known, Asked(command=COMMAND, pausable=True, **times, **asked))


class Told:
    """An outlook of one dirtier step, then a clean one."""

    def ahead(self, now_s: float) -> Ahead:
        """The steps."""
        return Ahead(values=np.array([150.0, 100.0, 100.0]), step_s=100.0, index=1, source="test")


@pytest.mark.parametrize(("save_s", "goes"), [(5.0, False), (95.0, True)])
def test_driver_pauses_only_where_it_pays(tmp_path: Path, save_s: float, goes: bool) -> None:
    """A step of 150 before one of 100: a resume of 0.1 steps pays, one of a whole step does not."""
    book = begun(tmp_path)
    segment(book, 1, ready_s=5.0, save_s=save_s)
    book.write("starting", segment=2, resume=True, boot="b")
    driver = Driver(book, None, Told(), say=print)
    state = book.state()
    assert isinstance(state, State)
    assert driver._goes(state, running=True) is goes


def test_plan_of_an_earlier_version_of_the_book_is_read(tmp_path: Path) -> None:
    """It has no word on whether its cost was stated."""
    book = begun(tmp_path, resume_s=3.0)
    path = book.folder / "book.jsonl"
    path.write_text(path.read_text().replace('"resume_stated": false, ', ""))
    assert "resume_stated" not in path.read_text()
    assert book.state().resume_s == 3.0


def test_loading_and_saving_are_no_work_done(tmp_path: Path) -> None:
    """Of two parts of 70 s, 4 s saved; then 10 s loaded and 6 s saved: 120 of 1000 s are done, and 15 s load again."""
    book = begun(tmp_path, expect_s=1000.0)
    segment(book, 1, ready_s=7.0, save_s=4.0)
    segment(book, 2, ready_s=10.0, save_s=6.0)
    state = book.state()
    assert state.left_s == pytest.approx(1000.0 - 66.0 - 54.0 + 15.0)
    assert state.latest_s == pytest.approx(state.plan.deadline_s - 1.3 * state.left_s)


def test_parts_that_only_load_and_save_do_nothing(tmp_path: Path) -> None:
    """However often a job is paused before it has done a step, all of its work is left."""
    book = begun(tmp_path, expect_s=1000.0)
    for number in range(1, 6):
        segment(book, number, ready_s=60.0, save_s=10.0)
    assert book.state().left_s == pytest.approx(1000.0 - 60.0 + 70.0)  # the first start is a part of the run
