"""Runs that the node service charges, and what they do when it dies, hangs and comes back: each joule once."""

from __future__ import annotations

import errno
import fcntl
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from sootprint.core.protocols import Machine
from sootprint.tracker import guest, service_client, service_place
from sootprint.tracker import source as sources
from sootprint.tracker.books import Books, Member
from sootprint.tracker.entry import Entry
from sootprint.tracker.registration import Registration
from sootprint.tracker.sampler import Sampler
from sootprint.tracker.seat import Seat
from sootprint.tracker.service_client import RefusedError, ServiceError
from sootprint.tracker.usage import Tracked
from tests.tracker.test_source import POWER_W, TICK_S, Node, Run, knock


class Service:
    """A node service without its socket: it looks when it is told to, and tells each run its account.

    Args:
        node: Its machine.
    """

    def __init__(self, node: Node) -> None:
        none = str(node.folder / "none")
        machine = Machine(sysfs=none, procfs=none, environ={}, clock=node.clock)
        meters = node.find(machine)
        sampler = Sampler(machine, meters, start_s=node.clock.monotonic_s(), period_s=TICK_S, max_gap_s=5.0)
        self.books = Books(machine, sampler, meters)
        self.members: dict[str, Member] = {}
        self.told: dict[str, list[Entry]] = {}  # that a run has yet to read
        self.is_dead = self.hangs = False
        self.refused = False
        self.look()

    def look(self) -> None:
        """Charge everybody, and tell all of them."""
        if not (self.is_dead or self.hangs):
            self.books.tick(self.members)
            self.told |= {run: self.books.accounts.entries(run) for run in self.members}


class Line:
    """A run's connection to it."""

    serving: ClassVar[dict[str, Service]] = {}  # by its socket
    parent: str | None = None
    facts: ClassVar[dict[str, Any]] = {}
    is_silent = has_gone = False

    def __init__(self, path: str, own: Registration, **_: object) -> None:
        self._service, self._run = self.serving[path], own.id
        if self._service.is_dead or self._service.hangs:
            raise ServiceError("the node service cannot be reached")
        if self._service.refused:
            raise RefusedError("the node service refuses: you")
        self._member = Member(Tracked(own.id, (own.pid,), None, own.parent))
        self.latest: list[Entry] = []
        self._asked, self.charges = 0, bool(self._service.books.accounts.runs)

    def entries(self, wait_s: float) -> list[Entry] | None:
        """Its account; it joins with the first."""
        service = self._service
        self.latest = service.told.pop(self._run, [])
        if service.is_dead:
            raise ServiceError("the node service has gone")
        if service.hangs:
            self._asked += 1
            if self._asked > 5:
                raise ServiceError("the node service does not answer")
            return self.latest or None
        self._asked = 0
        if self._run not in service.members:
            service.members[self._run] = self._member
            service.look()
        return service.books.accounts.entries(self._run)

    def settled(self, wait_s: float) -> list[Entry] | None:
        """Its last account."""
        self.latest = self._service.told.pop(self._run, [])
        if self._service.is_dead:
            raise ServiceError("the node service has gone")
        if self._service.hangs:
            return None
        self.close()
        return self._service.books.accounts.closed(self._run)

    def wait(self, duration_s: float) -> bool:
        """Nobody waits in one thread."""
        return False

    def close(self) -> None:
        """The service sees at once that it has gone, unless it hangs."""
        self._service.members.pop(self._run, None)
        self._service.look()


class Served(Node):
    """A machine with a node service."""

    service: Service | None = None

    def serve(self) -> None:
        """The service begins, or begins again."""
        self.socket.touch()
        self.service = Line.serving[str(self.socket)] = Service(self)

    def stop(self) -> None:
        """It is killed: its socket stays, and each run hears at once that its connection is broken."""
        if self.service is not None:
            self.service.is_dead = True
            for run in self.here.values():
                run.source.tick()
            if self.here:
                knock(self)

    def advance(self, duration_s: float = TICK_S) -> None:
        """Time passes; the service looks, and then each run."""
        if self.service is not None:
            self.clock.advance(0.5 * duration_s)
            self.service.look()
            duration_s *= 0.5
        super().advance(duration_s)

    def forget(self, run: Run) -> None:
        """The service sees at once that a run is dead, as its connection has closed."""
        if self.service is not None:
            self.service.members.pop(f"run-{run.number}", None)

    def advance_one(self, number: int) -> None:
        """Half a tick passes, and then one run looks, before the others do."""
        self.clock.advance(0.5 * TICK_S)
        if self.service is not None:
            self.service.look()
        self.here[number].source.tick()


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs are in one thread, so that nobody answers while one waits."""
    monkeypatch.setattr(sources, "ANSWER_S", 0.0)
    monkeypatch.setattr(guest, "ANSWER_S", 0.0)
    monkeypatch.setattr(service_place, "PATIENCE", 0.0)  # else it is asked again by how long its refusal took
    monkeypatch.setattr(service_client, "Served", Line)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Served]:
    """A machine of its own with its service."""
    made = Served(tmp_path / "node")
    made.serve()
    yield made
    Line.serving.clear()


def charged_j(*runs: Run) -> float:
    """What the records of some runs state [J]."""
    return sum(run.energy_j for run in runs)


def reading(node: Served) -> list[int]:
    """Runs that read for all."""
    return [run.number for run in node.here.values() if run.reads]


def ended_j(node: Served, *runs: Run) -> float:
    """What the records of some runs state once all have ended [J]."""
    for run in list(node.here.values()):
        run.leave()
    return charged_j(*runs)


def test_runs_go_to_a_service_that_is_back_together(node: Served):
    """While one of them has not heard of it yet, nobody is charged by it."""
    runs = [node.join() for _ in range(3)]
    for _ in range(3):
        node.advance()
    node.stop()
    node.advance()
    assert len(reading(node)) == 1
    node.serve()
    late = node.join()
    node.advance()
    node.advance()
    assert reading(node) == [] and node.service is not None
    assert set(node.service.members) == {f"run-{run.number}" for run in (*runs, late)}
    node.advance()
    assert ended_j(node, *runs, late) == pytest.approx(7 * POWER_W * TICK_S)
    assert all(run.energy_j > 0.0 for run in runs)


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_run_that_ends_while_the_service_is_gone_is_charged_until_then(node: Served, looks: int):
    """It is charged by whoever reads, and else reads itself; nobody fills in what another one is charged."""
    first, second = node.join(), node.join()
    for _ in range(3):
        node.advance()
    node.stop()
    for _ in range(looks):
        node.advance()
    node.clock.advance(0.5)
    second.leave()
    node.advance()
    assert ended_j(node, first, second) == pytest.approx((3 + looks + 0.5 + 1) * POWER_W * TICK_S)


@pytest.mark.parametrize("ends", [(1,), (2,), (1, 2)])
def test_run_that_ends_before_it_has_followed_to_the_service_is_charged_once(
    node: Served, ends: tuple[int, ...]
):
    """The one that read has gone there, and the service charges the others for what comes since."""
    runs = [node.join() for _ in range(3)]
    for _ in range(3):
        node.advance()
    node.stop()
    node.advance()
    node.serve()
    node.clock.advance(TICK_S)
    assert reading(node) == [runs[0].number]
    runs[0].source.tick()
    assert reading(node) == [] and node.service is not None
    node.clock.advance(0.5 * TICK_S)
    node.service.look()
    for number in ends:
        runs[number].leave()
    node.advance()
    assert ended_j(node, *runs) == pytest.approx(6.5 * POWER_W * TICK_S)


def test_run_that_ends_as_the_service_dies_bridges_by_its_part(node: Served):
    """Another one reads by then, and has told it what it is charged at that very instant."""
    first = node.join()
    node.advance()
    second = node.join()
    node.advance()
    node.stop()
    second.leave()
    assert ended_j(node, first, second) == pytest.approx(2.0 * POWER_W * TICK_S)


def test_run_that_ends_as_its_reader_goes_to_the_service_is_charged_once(node: Served):
    """Its account is closed by then, so that it does not read for the others, whom the service charges."""
    runs = [node.join() for _ in range(3)]
    node.stop()
    node.advance()
    node.serve()
    runs[2].leave()
    node.advance()
    assert ended_j(node, *runs) == pytest.approx(2.0 * POWER_W * TICK_S)


@pytest.mark.parametrize("followed", [1, 2])
@pytest.mark.parametrize("halves", [0, 1, 2, 60])
def test_service_that_dies_again_before_all_are_back_costs_nothing(node: Served, followed: int, halves: int):
    """Who has yet to follow reads the end of its account, and leaves the time since then to those who have."""
    runs = [node.join() for _ in range(3)]
    node.advance()
    node.stop()
    node.advance()
    node.serve()
    for number in range(followed):
        node.advance_one(number)
    for _ in range(halves):
        node.advance_one(0)
    assert node.service is not None and len(node.service.members) == followed
    node.stop()
    node.advance()
    drawn_s = 3.0 * TICK_S + 0.5 * TICK_S * (followed + halves)
    assert ended_j(node, *runs) == pytest.approx(drawn_s * POWER_W)


def test_service_that_dies_again_as_soon_as_one_has_gone_there_costs_nothing(node: Served):
    """Nothing was spent between the first look of the reader and its last: the others have no part all the same."""
    runs = [node.join() for _ in range(2)]
    node.stop()
    runs.append(node.join())
    node.serve()
    runs.append(node.join())
    knock(node)
    node.advance_one(3)
    node.stop()
    assert ended_j(node, *runs) == pytest.approx(0.5 * POWER_W * TICK_S)


def test_run_whose_service_has_gone_ends_the_accounts_of_others_before_it_goes_back(node: Served):
    """Who read for them was killed: their accounts go on, and the service would charge the same joules to this one."""
    runs = [node.join() for _ in range(3)]
    node.advance()
    node.stop()
    node.advance()
    node.here[0].kill()
    node.forget(runs[0])
    node.serve()
    runs[2].source._adrift_s = node.clock.monotonic_s() - 0.5 * TICK_S
    for number in (2, 2, 1, 2, 1):
        node.advance_one(number)
    assert reading(node) == [] and node.service is not None and len(node.service.members) == 2
    assert ended_j(node, *runs) == pytest.approx(4.5 * POWER_W * TICK_S)


def test_run_that_reads_alone_moves_with_one_that_comes_later(node: Served):
    """A service that begins later finds two: the newcomer sits with the other, who takes it along."""
    node.stop()
    first = node.join()
    node.advance()
    node.serve()
    second = node.join()
    node.advance()
    node.advance()
    assert reading(node) == [] and node.service is not None and len(node.service.members) == 2
    node.advance()
    assert ended_j(node, first, second) == pytest.approx(4 * POWER_W * TICK_S)


def test_one_that_is_refused_holds_nobody_off(node: Served):
    """Who reads and is not wanted says so, and those who are wanted go past him."""
    assert node.service is not None
    node.service.refused = True
    node.join()
    node.service.refused = False
    other = node.join()
    assert list(node.service.members) == [f"run-{other.number}"]


def test_service_charges_a_run_where_files_cannot_be_locked(node: Served, monkeypatch: pytest.MonkeyPatch):
    """A network file system may have no locks: nobody there reads for others, and the service takes the run."""

    def unlocked(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    assert node.service is not None
    monkeypatch.setattr(fcntl, "flock", unlocked)
    run = node.join()
    assert list(node.service.members) == [f"run-{run.number}"]
    node.advance()
    assert ended_j(node, run) == pytest.approx(POWER_W * TICK_S)


def test_service_that_hangs_for_five_looks_is_left_by_all(node: Served):
    """Some leave it before it answers again: the others follow, and all are back with it."""
    runs = [node.join() for _ in range(3)]
    for _ in range(2):
        node.advance()
    assert node.service is not None
    node.service.hangs = True
    for _ in range(5):
        node.advance()
    runs[1].source.tick()  # its fifth answer was due a little sooner
    node.service.hangs = False
    for _ in range(4):
        node.advance()
    assert reading(node) == [] and len(node.service.members) == 3
    error_j = ended_j(node, *runs) - 11 * POWER_W * TICK_S
    assert abs(error_j) <= POWER_W * TICK_S


def test_runs_that_a_service_has_back_leave_it_while_another_one_reads(node: Served):
    """The one that left a service that hung asks it again only later: until then it reads for all of them."""
    runs = [node.join() for _ in range(3)]
    node.advance()
    assert node.service is not None
    node.service.hangs = True
    for _ in range(5):
        node.advance()
    runs[1].source.tick()
    runs[1].source._service._again_s = math.inf
    node.service.hangs = False
    for _ in range(guest.SURE_TICKS + 1):
        node.advance()
    assert reading(node) == [runs[1].number]
    assert node.service.members == {}


def test_run_that_ends_as_the_service_is_back_reads_to_its_end(node: Served):
    """It does not begin anew with a service that would never tell it what it is charged."""
    run = node.join()
    for _ in range(3):
        node.advance()
    assert node.service is not None
    node.service.is_dead = True
    node.serve()
    came: list[str] = []
    node.service.look = lambda: came.extend(node.service.members)  # type: ignore[method-assign, union-attr]
    node.clock.advance(0.5 * TICK_S)
    run.leave()
    assert came == []
    assert run.energy_j == pytest.approx(3.5 * POWER_W * TICK_S)


def test_run_waits_while_one_reads_of_whom_nothing_is_known(node: Served):
    """Who holds the lock may be about to say that it goes to the service, or may charge everybody."""
    unknown = Seat(node.folder / "run", str(node.folder / "none"))
    assert unknown.take()
    run = node.join()
    assert node.service is not None and node.service.members == {}
    unknown.close()
    node.advance()
    assert list(node.service.members) == [f"run-{run.number}"]


def test_one_that_is_refused_later_holds_nobody_off(node: Served):
    """It has read for a while when a service comes that does not want it; the next one goes past it."""
    node.stop()
    node.join()
    node.advance()
    node.serve()
    assert node.service is not None
    node.service.refused = True
    knock(node)
    node.service.refused = False
    other = node.join()
    assert list(node.service.members) == [f"run-{other.number}"]


STEPS = st.lists(
    st.sampled_from(
        ["join", "join", "leave", "kill", "look", "look", "look", "stop", "serve", "half", "one"]
    ),
    min_size=5,
    max_size=30,
)


@cases(max_examples=150, derandomize=True)
@given(steps=STEPS, data=st.data())
def test_no_course_of_events_with_a_service_doubles_or_loses_a_joule(steps: list[str], data: st.DataObject):
    """Runs are charged what the card drew while there was any, but for a look of each that is killed."""
    with tempfile.TemporaryDirectory() as folder:
        node = Served(Path(folder) / "node")
        node.serve()
        happens(node, steps, data)


def happens(node: Served, steps: list[str], data: st.DataObject) -> None:
    """Let a course of events happen, and compare what was charged with what was drawn."""
    everybody: list[Run] = []
    truth_j, kills = 0.0, 0
    for step in [*steps, "look"]:
        if step == "join":
            everybody.append(node.join())
            knock(node)
        elif step in ("leave", "kill") and node.here:
            run = node.here[data.draw(st.sampled_from(sorted(node.here)))]
            getattr(run, step)()
            if step == "kill":
                kills += 1
                node.forget(run)
            if node.here:
                knock(node)
        elif step == "stop":
            node.stop()
        elif step == "serve" and node.service is not None and node.service.is_dead:
            node.serve()
        elif step == "one" and node.here:
            node.advance_one(data.draw(st.sampled_from(sorted(node.here))))
            truth_j += 0.5 * POWER_W * TICK_S
        elif step in ("look", "half") and node.here:
            duration_s = TICK_S if step == "look" else 0.5 * TICK_S
            node.advance(duration_s)
            truth_j += POWER_W * duration_s
    for run in reversed(list(node.here.values())):
        run.leave()
    error_j = charged_j(*everybody) - truth_j
    look_j = POWER_W * TICK_S
    assert -2.0 * kills * look_j - 1e-6 <= error_j <= kills * look_j + 1e-6, (error_j, kills, steps)
