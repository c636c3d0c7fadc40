"""Records of ended segments that another place still holds: asked for again, and fetched once."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sootprint import estimate
from sootprint.engines.book import Book, Plan
from sootprint.engines.shell import UnreachableError
from sootprint.engines.ssh import SshEngine
from sootprint.ledger import Ledger
from sootprint.runner import missing, resume
from sootprint.settings import load
from sootprint.settings.targets import Target


class Far:
    """Another machine: whether it answers, what it holds, and how often it was asked."""

    def __init__(self) -> None:
        self.answers, self.count = False, 0
        made = estimate(hardware="V100", hours=1.0, zone="FR")
        plan = {"waiting": {"id": "p.1", "segment": 1}}
        self.record = replace(made, tags={"plan": "p", "target": "far"}, plan=plan)

    def ask(self, do: str, **more: object) -> dict[str, object]:
        """Answer to the one question that is asked."""
        assert (do, more["id"]) == ("record", "p.1")
        self.count += 1
        if not self.answers:
            raise UnreachableError("target far cannot be reached: no route")
        return {"record": self.record.to_json()}


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    """A machine that does not answer yet."""
    made = Far()
    monkeypatch.setattr(SshEngine, "ask", made.ask)
    return made


def _ended(home: Path, *, done: bool = True) -> Book:
    """Book of a plan whose one segment ran elsewhere."""
    target = Target(name="far", zone="FR", engine="ssh", host="far", workdir="/w")
    times = {"deadline_s": time.time() + 60.0, "expect_s": 1.0}
    given = {"id": "p", "command": ("true",), "cwd": "/w", "arguments": (), "targets": (target.as_table(),)}
    book = Book.begin(home, Plan(**given, **times))
    os.close(book.begin_segment(resume=False, target="far")[1])
    book.write("ended", segment=1, code=0, ran_s=1.0)
    if done:
        book.write("done", code=0)
    book.release()
    return book


def test_record_that_did_not_come_is_asked_for_until_it_is_here(own_home: Path, far: Far) -> None:
    """The line says what is missing and why; once here it is not asked for again, nor after it was deleted."""
    _ended(own_home)
    settings, said = load(), []
    found = missing.asked(settings, said.append)
    assert (found.fetched, len(found.missing), far.count) == ([], 1, 1)
    assert "segment 1 of plan p is still missing: target far cannot be reached" in found.missing[0]
    far.answers = True
    found = missing.asked(settings, said.append)
    assert ([one.id for one in found.fetched], found.missing) == ([far.record.id], [])
    with Ledger(own_home) as ledger:
        assert [row.id for row in ledger.runs()] == [far.record.id]
        assert ledger.get(far.record.id).plan["waiting"]["id"] == "p", "it has its place in the plan now"
    assert missing.asked(settings, said.append) == ([], [], [])
    with Ledger(own_home) as ledger:
        ledger.delete(far.record.id)
    assert missing.asked(settings, said.append) == ([], [], [])
    assert far.count == 2


@pytest.mark.parametrize("how", ["driven", "open"])
def test_plan_that_still_goes_on_is_left_to_its_driver(own_home: Path, far: Far, how: str) -> None:
    """Nobody asks beside it."""
    book = _ended(own_home, done=how == "driven")
    assert book.take()
    assert missing.asked(load(), lambda _: None) == ([], [], [])
    assert far.count == 0
    book.release()


def test_book_that_cannot_be_read_keeps_no_other_plan_waiting(own_home: Path, far: Far) -> None:
    """As after an upgrade: it is named once, the others are driven on and asked for."""
    _ended(own_home)
    torn = own_home / "plans" / "a-torn-one"
    torn.mkdir()
    (torn / "book.jsonl").write_text("no plan\n")
    far.answers = True
    found, failed = resume.left_alone(own_home)
    assert (found, len(failed)) == ([], 1)
    assert "a-torn-one" in str(failed[0])
    assert [one.id for one in missing.asked(load(), lambda _: None).fetched] == [far.record.id]
