"""Runs of two users on one node, whose service dies and comes back: what all are charged adds up to what it drew.

The books, the desk of the service, the readers and the runs are the real ones; the socket, the file of locks and the
process table are not, so that each look is a call and each instant exact.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from sootprint.core.protocols import Machine, Meter
from sootprint.tracker import books, guest, service_client, service_place
from sootprint.tracker import source as sources
from sootprint.tracker.attribution import Use
from sootprint.tracker.books import Books
from sootprint.tracker.entry import Entry
from sootprint.tracker.fold import HELD
from sootprint.tracker.neighbours import BESIDE, Neighbour
from sootprint.tracker.registration import Registration
from sootprint.tracker.sampler import Sampler
from sootprint.tracker.service.desk import Desk
from sootprint.tracker.service.hall import key_of
from sootprint.tracker.service.protocol import Caller
from sootprint.tracker.service.state import StateFolder
from sootprint.tracker.service_client import ServiceError
from sootprint.tracker.usage import Tracked
from tests.tracker.conftest import ScriptMeter
from tests.tracker.test_source import POWER_W, TICK_S, Node, Run

FIRST_UID, FIRST_PID = 1501, 1 << 21
WAITS_S = 12.0  # in which a service that is back looks for runs that are yet to come


class Processor(ScriptMeter):
    """A processor whose counter everybody may read."""

    def readable_by(self, uid: int) -> bool:
        """Everybody may."""
        return True


class Lock:
    """One run's lock on the file beside the socket, and what it sees there of runs of others."""

    def __init__(self, node: Shared, run: Run) -> None:
        self._node, self._run = node, run

    def enter(self) -> None:
        """It is seen."""
        self._node.locks[self._run.number] = self._run

    def close(self) -> None:
        """It is seen no longer."""
        self._node.locks.pop(self._run.number, None)

    @property
    def any(self) -> bool:
        """Whether a run of another user is here."""
        return bool(self.others())

    def others(self) -> list[Neighbour]:
        """Runs of other users."""
        return [one for one in self._node.seen() if one.uid != FIRST_UID + self._run.user]

    def kin(self) -> list[Neighbour]:
        """Runs of this user that have not registered."""
        late = [
            run for run in self._node.here.values() if run.source._seat and run.source._seat._content is None
        ]
        pids = {FIRST_PID + run.number for run in late if run.user == self._run.user}
        return [one for one in self._node.seen() if one.pid in pids]


class Table:
    """What the runs use, as each process that charges somebody reads it from look to look."""

    node: Shared

    def __init__(self, *_: object, **__: object) -> None:
        self._last: dict[str, dict[int, float]] = {}

    def look(self, tracked: Sequence[Tracked]) -> tuple[dict[str, Use], Use]:
        """Use since the last look; of a process that has ended nothing is known."""
        last, self._last = self._last, {one.id: self._now(one) for one in tracked}
        uses = {
            one.id: Use(sum(self._spent_s(pid, was_s) for pid, was_s in last.get(one.id, {}).items()))
            for one in tracked
        }
        return uses, Use(sum(use.cpu_s for use in uses.values()))

    def _spent_s(self, pid: int, was_s: float) -> float:
        return self.node.cpu_s.get(pid, was_s) - was_s

    def _now(self, one: Tracked) -> dict[int, float]:
        named = re.fullmatch(r".*run-(\d+)", one.id)
        pids = {FIRST_PID + int(named[1])} if named else set()
        pids |= {pid for pid in one.pids if pid >= FIRST_PID}
        return {pid: self.node.cpu_s[pid] for pid in pids if pid in self.node.cpu_s}


class Host:
    """The node service without its socket."""

    def __init__(self, node: Shared) -> None:
        none = str(node.folder / "none")
        machine = Machine(sysfs=none, procfs=none, environ={}, clock=node.clock)
        meters = node.find(machine)
        start_s = node.clock.monotonic_s()
        sampler = Sampler(machine, meters, start_s=start_s, period_s=TICK_S, max_gap_s=5.0)
        kept = StateFolder(node.folder / "state", "boot")
        made = Books(machine, sampler, meters)
        self.desk = Desk(machine, made, state=kept, head={}, facts={}, rulers=frozenset())
        self.desk.beside = lambda: node.seen() if node.clock.monotonic_s() < start_s + WAITS_S else []
        self.told: dict[str, list[Entry]] = {}  # that a run has yet to read
        self.is_dead = False
        self.look()

    def look(self) -> None:
        """Charge everybody, and tell all of them."""
        if not self.is_dead:
            self.desk.tick()
            for key, run in self.desk.hall.runs.items():
                answer = self.desk.told(run.caller, key)
                self.told |= {key: answer["entries"]} if answer else {}


class Line:
    """A run's connection to it."""

    node: Shared
    parent: str | None = None
    is_silent = has_gone = False

    def __init__(self, path: str, own: Registration, **_: object) -> None:
        assert self.node.host is not None
        self._host, self.facts = self.node.host, dict[str, dict[str, object]]()
        number = int(own.id.removeprefix("run-"))
        self._caller = Caller(FIRST_PID + number, FIRST_UID + self.node.users[number])
        self._key, self._about = key_of(self._caller.uid, own.id), {"run": own.id, "sysfs": self._sysfs}
        self.latest: list[Entry] = []
        if self._host.is_dead:
            raise ServiceError("the node service cannot be reached")
        self.charges = self._host.desk.greet(self._caller, self._about).get("charges") is True

    @property
    def _sysfs(self) -> str:
        return str(self.node.folder / "none")

    def entries(self, wait_s: float) -> list[Entry] | None:
        """Its account; it joins with the first."""
        self.latest = self._host.told.pop(self._key, [])
        if self._host.is_dead:
            raise ServiceError("the node service has gone")
        if self._key not in self._host.desk.hall.runs:
            self._host.desk.join(self._caller, self._about)
            self.node.waits()
            if self._host.is_dead:
                raise ServiceError("the node service has gone")
            self._host.look()
        answer = self._host.desk.share(self._caller, self._about)()
        return None if answer is None else list(answer["entries"])

    def settled(self, wait_s: float) -> list[Entry] | None:
        """Its last account."""
        self.latest = self._host.told.pop(self._key, [])
        if self._host.is_dead:
            raise ServiceError("the node service has gone")
        late = self._host.desk.leave(self._caller, self._key)
        self._host.look()
        answer = late()
        return None if answer is None else list(answer["entries"])

    def wait(self, duration_s: float) -> bool:
        """Nobody waits in one thread."""
        return False

    def close(self) -> None:
        """The service sees at once that it has gone."""
        if self._key in self._host.desk.hall.runs:
            self._host.desk.hall.leave(self._key)
            self._host.look()


class Shared(Node):
    """A machine of several users, with a processor that is split by what each used and a node service."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.host: Host | None = None
        self.locks: dict[int, Run] = {}
        self.users: dict[int, int] = {}
        self.cpu_s: dict[int, float] = {}  # of each process that lives
        self.busy: dict[int, float] = {}  # processors that each run uses
        self.still: set[int] = set()  # runs that do not measure just now, whose programs go on
        self.missed: dict[int, int] = {}  # services that died since they began to stand still
        self.waits: Callable[[], None] = lambda: None  # until the service looks as one comes
        self.drawn_j = 0.0  # while anybody was here [J]

    def find(self, machine: Machine) -> list[Meter]:
        """The processor, as each process finds it."""
        name = {"name": "rapl", "component": "cpu:0", "max_power_w": 500.0}
        return [Processor(self.clock, lambda at_s: {"energy_j": POWER_W * at_s}, **name)]  # type: ignore[arg-type]

    def seen(self) -> list[Neighbour]:
        """Runs that hold a lock."""
        held = [(FIRST_UID + run.user, FIRST_PID + number) for number, run in sorted(self.locks.items())]
        return [Neighbour(uid, pid, f"{BESIDE}{uid}/{pid}") for uid, pid in held]

    def begin(self, user: int, busy: float = 1.0) -> Run:
        """A run of a user that begins now; whoever reads for him is woken."""
        number = len(self.users)
        self.users[number], self.busy[number], self.cpu_s[FIRST_PID + number] = user, busy, 0.0
        run = self.come(user=user)
        assert run.number == number
        run.source._service._neighbours = Lock(self, run)  # type: ignore[assignment]
        run.begin()
        self.here[number] = run
        self.wake()
        return run

    def wake(self) -> None:
        """Whoever reads looks now."""
        for run in [run for run in self.here.values() if run.reads or run.source.sampler is not None]:
            if run.number not in self.still:
                assert run.source._seat is not None
                run.source._seat.knocked = True
                run.source.tick()

    def end(self, run: Run) -> None:
        """A run ends, and its process at once after it; those of other users see that at their next look."""
        run.leave()
        self.locks.pop(run.number, None)
        del self.cpu_s[FIRST_PID + run.number]

    def serve(self) -> None:
        """The service begins, or begins again."""
        self.socket.touch()
        self.host = Line.node.host = Host(self)

    def stop(self) -> None:
        """It is killed, and each run hears that at once that does not stand still."""
        assert self.host is not None
        self.host.is_dead = True
        self.goes_on(set())

    def goes_on(self, runs: set[int]) -> None:
        """Runs stand still no longer, and all look; who is first has not seen the others yet."""
        self.still -= runs
        for _ in range(2):
            self.ticks()

    def ticks(self) -> None:
        """Each run looks."""
        for run in list(self.here.values()):
            if run.number not in self.still:
                run.source.tick()

    def answer(self) -> None:
        """Whoever reads looks, as somebody goes and waits for that."""
        for run in list(self.here.values()):
            if run.reads and run.number not in self.still:
                run.source.tick()

    def passes(self, duration_s: float) -> None:
        """Time passes, and nobody looks."""
        self.clock.advance(duration_s)
        self.drawn_j += POWER_W * duration_s if self.here else 0.0
        for number in self.here:
            self.cpu_s[FIRST_PID + number] += self.busy[number] * duration_s

    def advance(self, duration_s: float = TICK_S) -> None:
        """Time passes; the service looks half-way, and each run at the end."""
        self.passes(0.5 * duration_s)
        if self.host is not None:
            self.host.look()
        self.passes(0.5 * duration_s)
        self.ticks()


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs are in one thread, so that nobody answers while one waits."""
    monkeypatch.setattr(sources, "ANSWER_S", 0.0)
    monkeypatch.setattr(guest, "ANSWER_S", 0.0)
    monkeypatch.setattr(service_place, "PATIENCE", 0.0)
    monkeypatch.setattr(service_client, "Served", Line)
    monkeypatch.setattr(books, "Usage", Table)


def made(folder: Path) -> Shared:
    """A machine of its own with its service."""
    node = Shared(folder)
    Line.node = Table.node = node
    node.serve()
    return node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Shared]:
    """A machine of its own with its service."""
    yield made(tmp_path / "node")


def ended_j(node: Shared, *runs: Run) -> float:
    """What the records of some runs state once all have ended [J]."""
    for run in list(node.here.values()):
        node.end(run)
    return sum(run.energy_j for run in runs)


def of(node: Shared, *users: int) -> list[Run]:
    """Runs that begin now, one for each user named, and are charged by the service for two seconds."""
    runs = [node.begin(user) for user in users]
    for _ in range(2):
        node.advance()
    return runs


def test_each_user_has_his_part_while_the_service_is_away(node: Shared) -> None:
    """Two runs of one and one of the other, all as busy: 2 s with the service, 3 s without, 2 s with it again."""
    runs = of(node, 0, 0, 1)
    node.stop()
    for _ in range(3):
        node.advance()
    node.serve()
    for _ in range(2):
        node.advance()
    assert ended_j(node, *runs) == pytest.approx(7.0 * POWER_W * TICK_S)
    assert [run.energy_j for run in runs] == pytest.approx([7.0 / 3.0 * POWER_W * TICK_S] * 3)


def test_who_follows_to_the_service_after_another_user_is_bridged_until_its_first_look(node: Shared) -> None:
    """The service looks only 0.4 s after the second user's run has asked: until then that run has its part."""
    runs = of(node, 0, 1)
    node.stop()
    node.advance()
    node.serve()
    node.here[0].source.tick()
    assert node.host is not None and len(node.host.desk.hall.runs) == 1
    node.waits = lambda: node.passes(0.4 * TICK_S)
    node.here[1].source.tick()
    node.waits = lambda: None
    node.advance()
    assert ended_j(node, *runs) == pytest.approx(4.4 * POWER_W * TICK_S)
    assert HELD not in runs[1].gaps


def test_runs_of_a_user_that_are_yet_to_come_count_as_those_of_the_first(node: Shared) -> None:
    """Three of four runs of a user look a second after the first: meanwhile his part is that of all four."""
    runs = of(node, 0, 0, 0, 0, 1, 1, 1, 1)
    node.stop()
    node.advance()
    node.serve()
    node.here[0].source.tick()
    node.passes(TICK_S)
    node.ticks()
    node.advance()
    assert ended_j(node, *runs) == pytest.approx(5.0 * POWER_W * TICK_S)
    assert sum(run.energy_j for run in runs[4:]) == pytest.approx(2.5 * POWER_W * TICK_S)


@pytest.mark.parametrize("looks", [0, 1, 3])
def test_service_that_dies_again_before_the_other_user_has_come_costs_nothing(
    node: Shared, looks: int
) -> None:
    """The part by which the first one bridges is the one that it had without the service, from the start."""
    runs = of(node, 0, 1)
    node.stop()
    node.advance()
    node.serve()
    node.still.add(1)
    node.passes(0.3 * TICK_S)
    assert node.host is not None
    node.host.look()
    node.here[0].source.tick()
    for _ in range(looks):
        node.advance()
    node.passes(0.7 * TICK_S)
    node.still.clear()
    assert len(node.host.desk.hall.runs) == 1
    node.host.is_dead = True
    node.ticks()
    node.advance()
    assert ended_j(node, *runs) == pytest.approx((5.0 + looks) * POWER_W * TICK_S)


@pytest.mark.parametrize("users", [(0, 0), (0, 0, 1)])
@pytest.mark.parametrize("between", ["looks", "nobody looks", "a third one comes"])
def test_run_that_stands_still_while_the_service_dies_twice_is_charged_once(
    node: Shared, users: tuple[int, ...], between: str
) -> None:
    """It bridges until the first look of who read for its user as the service died first, and no longer."""
    runs = of(node, *users)
    node.still.add(1)
    node.stop()
    node.advance()
    node.serve()
    for _ in range(0 if between == "nobody looks" else 2):
        node.advance()
    if between == "a third one comes":
        runs.append(node.begin(0))
        node.advance()
    node.stop()
    node.advance()
    node.goes_on({1})
    node.advance()
    assert ended_j(node, *runs) == pytest.approx(node.drawn_j)


def begun_as_the_service_dies(node: Shared, user: int) -> Run:
    """A run that has joined the service, which is killed half a second later and has not looked by then."""
    assert node.host is not None

    def dies() -> None:
        node.passes(0.5)
        assert node.host is not None
        node.host.is_dead = True

    node.waits = dies
    run = node.begin(user)
    node.waits = lambda: None
    node.goes_on(set())
    return run


@pytest.mark.parametrize("user", [0, 1])
def test_run_that_comes_as_the_service_dies_is_charged_from_the_next_look_on(node: Shared, user: int) -> None:
    """Others were charged until then, and bridge the time: it fills in nothing, though it reads for all."""
    runs = [*of(node, 0, 0), begun_as_the_service_dies(node, user)]
    node.advance()
    assert ended_j(node, *runs) == pytest.approx(node.drawn_j)
    assert runs[2].energy_j == pytest.approx(POWER_W * TICK_S / 3.0)


def test_run_that_comes_alone_as_the_service_dies_is_charged_from_its_start_on(node: Shared) -> None:
    """Nobody was charged: the half second that it waited is filled in."""
    run = begun_as_the_service_dies(node, 0)
    node.advance()
    assert ended_j(node, run) == pytest.approx(1.5 * POWER_W * TICK_S)


def test_run_that_ends_without_the_service_has_half_of_its_part_until_the_next_look(node: Shared) -> None:
    """What it uses afterwards to write its record, ten times as much, is none of it: 12.5 J of 50 J."""
    runs = of(node, 0, 1)
    node.stop()
    for _ in range(3):
        node.advance()
    before_j = runs[0].energy_j
    runs[1].leave()
    node.locks.pop(1, None)
    node.passes(0.5 * TICK_S)
    node.cpu_s[FIRST_PID + 1] += 5.0
    node.ticks()
    assert runs[0].energy_j - before_j == pytest.approx(0.75 * 0.5 * POWER_W * TICK_S)


STEPS = st.lists(
    st.sampled_from(["join", "leave", "look", "half", "one", "one", "still", "away", "stop", "serve"]),
    min_size=5,
    max_size=25,
)


@cases(max_examples=150, derandomize=True, deadline=None)
@given(steps=STEPS, data=st.data())
def test_no_course_of_events_of_two_users_loses_a_joule(steps: list[str], data: st.DataObject) -> None:
    """One that comes or goes without the service is seen a look later, and one that goes has half of its part then."""
    with tempfile.TemporaryDirectory() as folder:
        happens(made(Path(folder) / "node"), steps, data)


def happens(node: Shared, steps: list[str], data: st.DataObject) -> None:
    """Let a course of events happen, and compare what was charged with what was drawn."""
    everybody = [node.begin(user) for user in (0, 0, 1)]
    node.advance()
    unseen = 0
    for step in [*steps, "look"]:
        assert node.host is not None
        if step in (
            "join",
            "leave",
        ):  # whoever reads is there then: else who comes is seen by the other user first
            node.goes_on(set(node.still))
            unseen += node.host.is_dead
        if step == "join":
            everybody.append(node.begin(data.draw(st.sampled_from([0, 1]))))
            node.advance()  # so that it has a part, and the others have theirs beside it
        elif step in ("leave", "one", "still") and node.here:
            happens_to(node, data.draw(st.sampled_from(sorted(node.here))), step)
        elif step in ("stop", "away") and not node.host.is_dead:
            node.missed = {one: node.missed[one] + 1 for one in node.still}
            node.still = {one for one in node.still if node.missed[one] < 3}  # who misses three is not helped
            node.ticks()
            node.stop()
        elif step == "serve" and node.host.is_dead:
            node.serve()
        elif step in ("look", "half") and node.here:
            node.advance(TICK_S if step == "look" else 0.5 * TICK_S)
        if step == "away" and node.host.is_dead:
            node.advance()
            node.serve()
    node.goes_on(set(node.still))
    for run in reversed(list(node.here.values())):
        node.end(run)
    error_j = sum(run.energy_j for run in everybody) - node.drawn_j
    look_j = unseen * POWER_W * TICK_S
    assert -0.5 * look_j - 1e-6 <= error_j <= 2.0 * look_j + 1e-6, (error_j, unseen, steps)


def happens_to(node: Shared, number: int, step: str) -> None:
    """One run ends, or stands still or goes on, or looks before the others do, as the service has."""
    if step == "leave":
        node.end(node.here[number])
        node.wake()
    elif step == "still":
        node.still ^= {number}
        node.missed[number] = 0
    elif number not in node.still:
        assert node.host is not None
        node.passes(0.5 * TICK_S)
        node.host.look()
        node.waits = lambda: node.passes(0.2 * TICK_S)
        node.here[number].source.tick()
        node.waits = lambda: None
