"""The books of a machine: one look at the use of everybody, and a takeover that splits as the reader before did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sootprint.core.errors import RecordError
from sootprint.core.protocols import FakeClock, Machine, ProcessUse, Reading
from sootprint.tracker.books import Books, Member
from sootprint.tracker.neighbours import BESIDE
from sootprint.tracker.sampler import Sampler
from sootprint.tracker.usage import Tracked
from tests.fixtures.process_table import ProcessTable

CARD, CPU = "accelerator:0", "cpu:0"


class Meter:
    """A card and a processor that draw 100 W each, and tell who is on the card once for each question."""

    name = "fake"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.samples: list[Mapping[str, Sequence[ProcessUse]]] = []
        self.questions = 0

    def read(self) -> Sequence[Reading]:
        """Counters of both."""
        at_s = self._clock.monotonic_s()
        return [
            Reading(meter="fake", component=name, at_s=at_s, energy_j=100.0 * at_s) for name in (CARD, CPU)
        ]

    def processes(self) -> Mapping[str, Sequence[ProcessUse]]:
        """What is told of the time since the last question."""
        self.questions += 1
        return self.samples.pop() if self.samples else {}


@pytest.fixture
def table(tmp_path: Path) -> ProcessTable:
    """A table of processes."""
    (tmp_path / "proc").mkdir()
    return ProcessTable(tmp_path / "proc")


class Desk:
    """Books on a machine of its own."""

    def __init__(self, table: ProcessTable, clock: FakeClock) -> None:
        self.clock = clock
        machine = Machine(procfs=str(table.root), sysfs=str(table.root), environ={}, clock=clock)
        self.meter = Meter(clock)
        sampler = Sampler(machine, [self.meter], start_s=0.0, period_s=1.0, max_gap_s=5.0)
        self.books = Books(machine, sampler, [self.meter])

    def charged(self, run: str) -> float:
        """Energy of the processor that a run was charged with [J]."""
        return self.books.accounts.energies(run).get(CPU, 0.0)


def member(name: str, pid: int) -> Member:
    """A run of one process."""
    return Member(Tracked(name, (pid,)))


def test_newcomer_costs_no_second_look(table: ProcessTable) -> None:
    """When a run comes, the driver is asked once, so that what it tells of the time before is not lost."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    a, b = table.fork(1), table.fork(1)
    desk.books.tick({"a": member("a", a)})
    asked = desk.meter.questions
    desk.clock.advance(1.0)
    desk.books.tick({"a": member("a", a), "b": member("b", b)})
    assert desk.meter.questions == asked + 1
    desk.clock.advance(1.0)
    desk.meter.samples = [{CARD: [ProcessUse(a, 1, 0.9), ProcessUse(b, 1, 0.3)]}]
    desk.books.tick({"a": member("a", a), "b": member("b", b)})
    assert desk.books.accounts.energies("a")[CARD] == pytest.approx(100.0 + 75.0)
    assert desk.books.accounts.energies("b")[CARD] == pytest.approx(25.0)


def test_all_find_their_account_when_the_books_end(table: ProcessTable) -> None:
    """However many there are: each reads its last account once the reader has gone to the node service."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    here = {f"run-{number}": member(f"run-{number}", table.fork(1)) for number in range(80)}
    desk.books.tick(here)
    desk.clock.advance(8.0)
    desk.books.end("run-0")
    assert desk.books.accounts.runs == set()
    last = [desk.books.accounts.closed(run) for run in here]
    assert [sum(one.energy_j for one in entries or ()) for entries in last] == pytest.approx([20.0] * 80)


def test_one_bridges_for_all_that_go_elsewhere_when_the_books_end(table: ProcessTable) -> None:
    """It is charged alone there until the others come; a part of one counts once, and another user's runs stay."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    runs = ("a", "b", f"{BESIDE}c")
    pids = {name: table.fork(1) for name in runs}
    here = {name: member(name, pid) for name, pid in pids.items()}
    here["in-b"] = Member(Tracked("in-b", (table.fork(pids["b"]),), None, "b"))
    desk.books.tick(here)
    desk.clock.advance(1.0)
    desk.books.end("a")
    closed = {name: desk.books.accounts.closed(name) or [] for name in here}
    shares = {
        name: [one.share for one in entries if one.component == CPU] for name, entries in closed.items()
    }
    third = pytest.approx(1 / 3)
    assert shares == {"a": [pytest.approx(2 / 3)], "b": [0.0], "in-b": [0.0], f"{BESIDE}c": [third]}
    energies_j = [sum(one.energy_j for one in closed[name]) for name in runs]
    assert energies_j == pytest.approx([200.0 / 3] * 3)


def test_what_a_newcomer_used_before_is_not_counted(table: ProcessTable) -> None:
    """CPU time from before a run came gives it no share."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    a, b = table.fork(1), table.fork(1)
    table.burn(b, 5_000)
    desk.books.tick({"a": member("a", a)})
    desk.books.tick({"a": member("a", a), "b": member("b", b)})
    table.burn(a, 30)
    table.burn(b, 10)
    desk.clock.advance(1.0)
    desk.books.tick({"a": member("a", a), "b": member("b", b)})
    assert (desk.charged("a"), desk.charged("b")) == (pytest.approx(75.0), pytest.approx(25.0))


def test_takeover_splits_by_the_use_seen_last(table: ProcessTable) -> None:
    """Who takes over has seen no use yet, and splits the time without a reader as the last one split."""
    first = Desk(table, FakeClock(monotonic_s=10.0))
    a, b = table.fork(1), table.fork(1)
    here = {"a": member("a", a), "b": member("b", b)}
    first.books.tick(here)
    table.burn(a, 90)
    table.burn(b, 10)
    first.clock.advance(1.0)
    first.books.tick(here)
    left = first.books.dump()
    first.clock.advance(2.0)
    second = Desk(table, first.clock)
    second.books.resume(left, here)
    assert (second.charged("a"), second.charged("b")) == (pytest.approx(270.0), pytest.approx(30.0))


def test_books_can_be_written_before_anything_was_used(table: ProcessTable) -> None:
    """A run that pays for its own use alone writes them before its first look at that."""
    desk = Desk(table, FakeClock())
    desk.books.adopt([], 0.0, own="a", here={"a": member("a", table.fork(1))})
    left = json.loads(json.dumps(desk.books.dump()))
    assert left["whole"] == [0.0, {}, {}]


def test_takeover_may_charge_who_is_gone(table: ProcessTable) -> None:
    """A service that comes back charges the time between to all that were there, so that no job pays for a run."""
    first = Desk(table, FakeClock(monotonic_s=10.0))
    a, b = table.fork(1), table.fork(1)
    here = {"job": member("job", a), "run": member("run", b)}
    first.books.tick(here)
    table.burn(a, 10)
    table.burn(b, 30)
    first.clock.advance(1.0)
    first.books.tick(here)
    second = Desk(table, first.clock)
    first.clock.advance(4.0)
    second.books.resume(first.books.dump(), {"job": here["job"]})
    assert second.charged("job") == pytest.approx(25.0 + 100.0)
    assert second.books.accounts.runs == {"job"}


@pytest.mark.parametrize(
    "left", [{"shared": 1}, {"uses": []}, {"uses": {"a": 5}}, {"whole": 3}, {"parents": 1}]
)
def test_books_that_are_none_are_refused(table: ProcessTable, left: dict[str, object]) -> None:
    """Whatever a file holds, it gives books or an error of ours."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    with pytest.raises(RecordError, match="cannot be read"):
        desk.books.resume(left, {})


def test_counter_is_told_to_those_alone_who_may_read_it(table: ProcessTable) -> None:
    """A meter that does not know who may read it tells nobody; the private account holds no trace of the counter."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    assert not desk.books.may_read("fake", 0)
    desk.meter.readable_by = lambda uid: uid == 7  # type: ignore[attr-defined]
    assert [desk.books.may_read("fake", uid) for uid in (7, 8)] == [True, False]
    a = table.fork(1)
    for _ in range(3):
        desk.books.tick({"a": member("a", a)})
        desk.clock.advance(1.0)
    (entry, _) = desk.books.accounts.entries("a")
    assert (entry.counter_j, entry.held_j, entry.share) == (1200.0, 1000.0, 1.0)
    hidden = entry.private()
    assert (hidden.counter_j, hidden.held_j, hidden.share, hidden.energy_j) == (
        None,
        None,
        None,
        entry.energy_j,
    )


def test_part_of_one_that_goes_is_bridged_by_the_others(table: ProcessTable) -> None:
    """Killed right after somebody has come or gone, the reader leaves parts that add up to all, not counting parts."""
    desk = Desk(table, FakeClock(monotonic_s=10.0))
    pids = {name: table.fork(1) for name in "abc"}
    here = {name: member(name, pid) for name, pid in pids.items()}
    inner = table.fork(pids["a"])
    here["in a"] = Member(Tracked("in a", (inner,), parent="a"))

    def shares(*runs: str) -> list[float]:
        desk.clock.advance(1.0)
        for name, ticks in (("a", 10), ("b", 20), ("c", 70)):
            table.burn(pids[name], ticks)
        table.burn(inner, 10)
        desk.books.tick({run: here[run] for run in runs})
        outer = [run for run in runs if run != "in a" or "a" not in runs]
        return [desk.books.accounts.entries(run)[1].share or 0.0 for run in outer]

    for _ in range(3):
        before = shares("a", "b", "c", "in a")
    assert sum(before) == pytest.approx(1.0)
    assert sum(shares("a", "b", "in a")) == pytest.approx(1.0)
    a, b = shares("a", "b", "in a")
    assert (a + b, a) == (pytest.approx(1.0), pytest.approx(b, rel=0.3))
    assert sum(shares("b", "in a")) == pytest.approx(1.0)
