"""Several runs on one fake machine, driven look by look: whoever comes, goes or dies, each joule is charged once."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as cases
from hypothesis import strategies as st

from sootprint.core.protocols import FakeClock, Machine, Meter
from sootprint.settings import Settings
from sootprint.tracker import guest
from sootprint.tracker import source as sources
from sootprint.tracker.fold import AFTER_LAST, TO_OTHERS, Fold
from sootprint.tracker.journal import Journal
from sootprint.tracker.quantities import fill_j
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.source import RESCAN_TICKS, Source
from sootprint.tracker.worker import Flag
from tests.tracker.conftest import ScriptMeter, head

POWER_W = 100.0
TICK_S = 1.0


class Card(ScriptMeter):
    """A card that tells who may use it."""

    def visible_to(self, environ: Mapping[str, str]) -> frozenset[str]:
        """Every run may."""
        return frozenset({"accelerator:0"})


class Node:
    """A machine with one card of a constant power, and the runs on it; a look of each run is a call.

    Args:
        folder: Folder of its own.
        poll_s: Wanted time between two looks at a power, or None where the card has a counter [s].
        environ: Environment of the runs.
    """

    def __init__(
        self, folder: Path, *, poll_s: float | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self.environ = environ or {}
        self.clock = FakeClock(monotonic_s=50.0)
        self.folder, self._poll_s = folder, poll_s
        self.socket = folder / "node.sock"
        self._numbers = itertools.count()
        self.here: dict[int, Run] = {}
        self.warned: list[str] = []
        self.reset_s = 0.0  # when the counter began anew [s]
        self.broken: str | None = None
        self.hangs = False  # whether the run that reads is in a call to the device
        (folder / "none").mkdir(parents=True)

    def find(self, machine: Machine) -> list[Meter]:
        """The card, as each process finds it."""

        def script(at_s: float) -> dict[str, object]:
            if self.broken:
                return {"error": self.broken}
            if self._poll_s is not None:
                return {"power_w": POWER_W}
            return {"energy_j": POWER_W * (at_s - self.reset_s)}

        meter = Card(self.clock, script, max_power_w=500.0)
        meter.poll_s = self._poll_s
        return [meter]

    def join(self, *, share: str = "node", parent: int | None = None, user: int = 0) -> Run:
        """A run that begins now."""
        run = self.come(share=share, parent=parent, user=user)
        run.begin()
        self.here[run.number] = run
        return run

    def come(self, *, share: str = "node", parent: int | None = None, user: int = 0) -> Run:
        """A run that has its seat, and the lock where that is free, and has not looked yet."""
        above = None if parent is None else self.here[parent]
        return Run(self, next(self._numbers), share=share, parent=above, user=user)

    def advance(self, duration_s: float = TICK_S) -> None:
        """Time passes, and then each run looks, in the order of its start."""
        self.clock.advance(duration_s)
        for run in list(self.here.values()):
            if not (self.hangs and run.reads):
                run.source.wait(Flag(), 0.0)  # a knock is heard here
                run.source.tick()

    def answer(self) -> None:
        """Whoever reads looks, as somebody goes and waits for that, unless it hangs."""
        for run in list(self.here.values()):
            if run.reads and not self.hangs:
                run.source.tick()


class Run:
    """One run of a fake machine; each user has a runtime directory of his own."""

    def __init__(self, node: Node, number: int, *, share: str, parent: Run | None, user: int = 0) -> None:
        none = str(node.folder / "none")
        first = {"stat": (node.clock.monotonic_s(), b"")}
        machine = Machine(sysfs=none, procfs=none, environ=node.environ, clock=node.clock, first=first)
        self.number, self.user, self._node = number, user, node
        self.parts: list[Run] = []
        self.source = Source(
            machine,
            Settings(
                home=node.folder,
                runtime_dir=node.folder / f"run{user or ''}",
                sysfs=none,
                procfs=none,
                share=share,
                node_socket=node.socket,
            ),
            run=f"run-{number}",
            parent=None if parent is None else f"run-{parent.number}",
            group=None,
            find=node.find,
            warn=node.warned.append,
        )
        self.source.open()
        self.source.find()
        self.start_s = node.clock.monotonic_s()
        journal = Journal(node.folder / "journal" / f"run-{number}.jsonl")
        self.recorder = Recorder(node.clock.monotonic_s, fold=Fold(), journal=journal, start_s=self.start_s)
        self.recorder.emit(head() | {"parent": self.source.parent})

    def begin(self) -> None:
        """Its first look."""
        self.source.begin(self.recorder)

    def leave(self) -> None:
        """The run ends."""
        if self._node.here.pop(self.number, None) is None:
            return
        if self.source._seat is not None:
            self.source._seat.wake = self._node.answer  # type: ignore[method-assign]
        self.source.end()
        self.recorder.emit({"k": "end", "s": self.recorder.now_s(), "why": "finished"})
        self.source.close()
        if self.recorder.journal is not None:
            self.recorder.journal.remove()

    def kill(self) -> None:
        """Its process is killed: the kernel closes its files, and nothing else happens."""
        self._node.here.pop(self.number, None)
        assert self.source._seat is not None
        self.source._seat.close()

    @property
    def reads(self) -> bool:
        """Whether it reads for all."""
        return self.source._seat is not None and self.source._seat.reads

    @property
    def energy_j(self) -> float:
        """Energy that its record states [J]."""
        return sum(state.energy_j + fill_j(state) for state in self.recorder.fold.used())

    @property
    def gaps(self) -> list[str]:
        """Reasons of its gaps."""
        return [reason for _, _, _, reason, _ in self.recorder.fold.gaps]


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs are in one thread, so that nobody answers while one waits."""
    monkeypatch.setattr(sources, "ANSWER_S", 0.0)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """A machine of its own."""
    return Node(tmp_path / "node")


def knock(node: Node) -> None:
    """The first run looks now, as one does that is woken."""
    run = next(iter(node.here.values()))
    if node.hangs and run.reads:
        return
    assert run.source._seat is not None
    run.source._seat.knocked = True
    run.source.tick()


def test_one_that_is_alone_reads_for_itself(node: Node):
    """No board is written, and nothing is split."""
    alone = node.join()
    for _ in range(RESCAN_TICKS + 1):
        node.advance()
    (folder,) = (node.folder / "run").iterdir()
    assert {path.name for path in folder.iterdir()} == {"reader.lock", "wake", "runs"}
    alone.leave()
    assert alone.energy_j == pytest.approx(POWER_W * TICK_S * (RESCAN_TICKS + 1))
    assert (alone.gaps, node.warned) == ([], [])


def test_two_share_from_the_knock_on(node: Node):
    """3 s alone, 4 s for two, 2 s alone: 300 + 200 + 200 J and 200 J."""
    first = node.join()
    for _ in range(3):
        node.advance()
    second = node.join()
    knock(node)
    for _ in range(4):
        node.advance()
    second.leave()
    knock(node)
    for _ in range(2):
        node.advance()
    first.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(700.0), pytest.approx(200.0))
    assert (first.gaps, second.gaps) == ([], [])


def test_account_is_told_anew_to_who_asks_between_two_looks(node: Node, monkeypatch: pytest.MonkeyPatch):
    """Whoever reads is woken, and looks; who reads itself, or is not answered, goes on with what it has."""
    first, second = node.join(), node.join()
    for _ in range(2):
        node.advance()
    before_j = second.energy_j
    node.clock.advance(0.5)
    second.source.refresh(0.0)
    first.source.refresh(60.0)
    assert second.energy_j == before_j
    monkeypatch.setattr(guest.time, "sleep", lambda _: node.answer())
    second.source.refresh(60.0)
    assert second.energy_j == pytest.approx(before_j + 0.5 * 0.5 * POWER_W)
    second.leave()
    first.leave()
    assert first.energy_j + second.energy_j == pytest.approx(250.0)


def test_lost_knock_costs_a_look(node: Node):
    """Who is not seen yet asks again at each of its looks; the first run is charged alone until it hears that."""
    first = node.join()
    second = node.join()
    first.source.wait(Flag(), 0.0)
    assert first.source._seat is not None
    first.source._seat.knocked = False  # lost
    for _ in range(4):
        node.advance()
    second.leave()
    first.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(200.0 + 100.0), pytest.approx(100.0))


@pytest.mark.parametrize(("late_s", "second_j"), [(0.0, 200.0), (1.0, 200.0), (2.0, 50.0)])
def test_those_who_come_while_meters_load_share_from_the_first_look(
    node: Node, monkeypatch: pytest.MonkeyPatch, late_s: float, second_j: float
):
    """They load for 3 s, and 1 s follows: all 400 J, in halves to one who was there for most of it."""

    def seen_first(machine: Machine) -> list[Meter]:
        (meter,) = found(machine)
        seen = meter.read()
        monkeypatch.setattr(meter, "first", lambda: seen, raising=False)
        return [meter]

    found = node.find
    monkeypatch.setattr(node, "find", seen_first)
    first = node.come()
    node.clock.advance(late_s)
    second = node.come()
    node.clock.advance(3.0 - late_s)
    for run in (first, second):
        run.begin()
        node.here[run.number] = run
    node.advance()
    second.leave()
    first.leave()
    assert second.energy_j == pytest.approx(second_j)
    assert first.energy_j + second.energy_j == pytest.approx(400.0)
    assert (first.gaps, second.gaps) == ([], [])


def test_part_is_charged_inside_its_run(node: Node):
    """The run pays for all, its part for what is left to it: all, as nobody else is there."""
    whole = node.join()
    node.advance()
    part = node.join(parent=whole.number)
    knock(node)
    node.advance()
    part.leave()
    whole.leave()
    assert (whole.energy_j, part.energy_j) == (pytest.approx(200.0), pytest.approx(100.0))


@pytest.mark.parametrize("end", ["leave", "kill"])
@pytest.mark.parametrize("first", [0, 1])
def test_part_that_outlives_its_run_tells_what_came_after(node: Node, end: str, first: int):
    """One in one in one, beside another: the inner ones are inside of the outer one that is left, then on their own."""
    nest = [node.join()]
    for _ in range(2):
        node.advance()
        nest.append(node.join(parent=nest[-1].number))
        knock(node)
    beside = node.join()
    knock(node)
    for gone in (nest[first], nest[1 - first]):
        node.advance()
        getattr(gone, end)()
        knock(node)
    node.advance()
    inner = nest[2]
    inner.leave()
    beside.leave()
    apart = [sum(state.without_j for state in run.recorder.fold.states) for run in nest]
    assert apart[2] == pytest.approx(50.0)
    assert apart[1] == pytest.approx(50.0 if first == 0 else 0.0)
    lost_j = 100.0 if end == "kill" else 0.0  # what a killed run used since its last look is lost to it
    counted_j = nest[0].energy_j + apart[1] + apart[2] + beside.energy_j
    assert counted_j == pytest.approx(500.0, abs=lost_j + 1e-6)
    assert inner.energy_j == pytest.approx(50.0 + 50.0 + 50.0)


def test_run_that_starts_as_the_reader_dies_goes_on_for_all(node: Node):
    """It finds the seat free and others waiting: it is not alone, and nothing is charged twice."""
    first, second = node.join(), node.join()
    knock(node)
    for _ in range(3):
        node.advance()
    first.kill()
    third = node.join()
    for _ in range(3):
        node.advance()
    third.leave()
    second.leave()
    assert second.energy_j == pytest.approx(150.0 + 150.0)
    assert third.energy_j == pytest.approx(150.0)
    assert first.energy_j == pytest.approx(150.0)


@pytest.mark.parametrize("waiting", [1, 3])
@pytest.mark.parametrize("killed", [1, 2])
def test_reader_that_dies_before_its_first_look_costs_nothing(node: Node, waiting: int, killed: int):
    """It has the lock and has charged nobody: those who wait fill the time since they began, at their own power."""
    first = node.come()
    others = [node.join() for _ in range(waiting)]
    for _ in range(3):
        node.advance()
    first.kill()
    for _ in range(killed - 1):  # and so does the next one
        node.come().kill()
    for _ in range(4):
        node.advance()
    for run in others:
        run.leave()
        assert run.energy_j == pytest.approx(700.0 / waiting)
        assert run.gaps == ["before the first reading"]
    assert first.energy_j == 0.0


@pytest.mark.parametrize("between", [0, 2])
def test_lone_reader_that_dies_deaf_is_gone_on_from_its_last_look(node: Node, between: int):
    """It hears no knock, so that there is no board: its journal tells where the counter was, and nothing is lost."""
    first = node.join()
    for _ in range(3):
        node.advance()
    node.hangs = True
    others = [node.join(), node.join()]
    for _ in range(3):
        node.advance()
    first.kill()
    for _ in range(between):  # takes the lock, and dies before it has looked
        node.come().kill()
    node.hangs = False
    for _ in range(2):
        node.advance()
    for run in others:
        run.leave()
    assert first.energy_j == pytest.approx(300.0)
    assert [run.energy_j for run in others] == pytest.approx([250.0, 250.0])


@pytest.mark.parametrize("later_s", [30.0, 3600.0])
def test_note_of_one_long_dead_charges_nobody(node: Node, later_s: float):
    """A lone run has died and left its note; two that begin at the same time know nothing of it."""
    first = node.join()
    node.advance()
    first.kill()
    node.clock.advance(later_s)
    runs = [node.come(), node.come()]
    for run in runs:
        run.begin()
        node.here[run.number] = run
    node.advance()
    for run in runs:
        run.leave()
    assert [run.energy_j for run in (first, *runs)] == pytest.approx([100.0, 50.0, 50.0])


def test_old_note_charges_nobody_again(node: Node):
    """A lone run has died and left its note; hours later one that reads dies unseen, beside one that waits."""
    first = node.join()
    node.advance()
    first.kill()
    node.clock.advance(3600.0)
    second = node.join()
    node.advance()
    node.hangs = True
    third = node.join()
    node.advance()
    second.kill()
    node.hangs = False
    node.advance()
    third.leave()
    assert [run.energy_j for run in (first, second, third)] == pytest.approx([100.0, 100.0, 200.0])


def test_lone_reader_that_ends_deaf_leaves_a_board(node: Node):
    """It ends before it has heard of the one that waits, which goes on from its last look."""
    first = node.join()
    for _ in range(3):
        node.advance()
    node.hangs = True
    second = node.join()
    node.advance()
    first.leave()
    node.hangs = False
    for _ in range(3):
        node.advance()
    second.leave()
    assert first.energy_j == pytest.approx(400.0)
    assert second.energy_j == pytest.approx(300.0)


def test_late_heir_of_a_shared_node_loses_nothing(node: Node):
    """Those who go on look only 3 s after the kill, and the first of them dies with the lock."""
    first, second = node.join(), node.join()
    knock(node)
    for _ in range(3):
        node.advance()
    first.kill()
    node.clock.advance(3.0)
    node.come().kill()
    for _ in range(2):
        node.advance()
    second.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(150.0), pytest.approx(150.0 + 500.0))


class ModelledNode(Node):
    """A machine whose only meter is a model, which counts from its process' first look or from where it is found."""

    def find(self, machine: Machine) -> list[Meter]:
        """The model, as each process finds it."""
        since_s = machine.first["stat"][0] if machine.first else self.clock.monotonic_s()
        return [
            ScriptMeter(
                self.clock,
                lambda at_s: {"energy_j": POWER_W * (at_s - since_s)},
                name="cpu",
                component="cpu",
                basis="modelled",
            )
        ]


def test_model_of_an_older_run_doubles_nothing_where_it_takes_over(tmp_path: Path):
    """The one that began at 0 s follows one that began at 10 s: the 10 s between are not counted again.

    Each of the two that are killed loses one look at most.
    """
    node = ModelledNode(tmp_path / "node")
    first, second = node.join(), node.join()
    for _ in range(10):
        node.advance()
    third = node.join()
    for _ in range(3):
        node.advance()
    first.kill()
    node.clock.advance(TICK_S)
    third.source.tick()  # of those who wait it comes first
    assert third.reads
    for _ in range(3):
        node.advance()
    third.kill()
    for _ in range(3):
        node.advance()
    second.leave()
    charged_j = first.energy_j + second.energy_j + third.energy_j
    assert 18 * POWER_W * TICK_S <= charged_j <= 20 * POWER_W * TICK_S


def test_lost_counter_is_one_gap_in_each_record(node: Node):
    """The driver was loaded again in the third second; it is filled at the mean of the others."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.advance()
    node.reset_s = node.clock.monotonic_s() + 0.5
    for _ in range(2):
        node.advance()
    second.leave()
    first.leave()
    for run in (first, second):
        assert run.gaps == ["counter reset"]
        assert run.energy_j == pytest.approx(200.0)


def test_device_that_does_not_answer_is_said_in_each_record(node: Node):
    """Whoever reads knows why; the others' records say the same."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.broken = "GPU is lost"
    for _ in range(3):
        node.advance()
    second.leave()
    first.leave()
    assert first.gaps == second.gaps == ["GPU is lost"]


def test_device_that_answers_again_is_bridged_in_each_record(node: Node):
    """Its counter went on."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.broken = "busy"
    node.advance()
    node.broken = None
    for _ in range(2):
        node.advance()
    second.leave()
    first.leave()
    assert first.gaps == second.gaps == ["busy"]
    assert (first.energy_j, second.energy_j) == (pytest.approx(200.0), pytest.approx(200.0))


def test_powers_are_shared_as_counters_are(tmp_path: Path):
    """A card without a counter; who takes over begins to integrate, and what lay between is a gap that is filled."""
    node = Node(tmp_path / "node", poll_s=0.05)
    first, second = node.join(), node.join()
    knock(node)
    for _ in range(4):
        node.advance()
    first.kill()
    for _ in range(4):
        node.advance()
    second.leave()
    assert first.energy_j == pytest.approx(200.0)
    assert second.gaps == ["counter reset"]
    assert second.energy_j == pytest.approx(
        200.0 + 300.0, rel=0.25
    )  # one second is filled at the mean so far


def test_reader_that_begins_to_see_all_cards_goes_on_integrating(tmp_path: Path):
    """Its environment hides cards that others use; what it had integrated until then is not lost."""
    node = Node(tmp_path / "node", poll_s=0.05, environ={"CUDA_VISIBLE_DEVICES": "0"})
    first = node.join()
    for _ in range(3):
        node.advance()
    second = node.join()
    knock(node)
    for _ in range(2):
        node.advance()
    second.leave()
    first.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(400.0), pytest.approx(100.0))
    assert (first.gaps, second.gaps) == ([], [])


def test_garbage_on_the_board_is_a_new_beginning(node: Node):
    """Who takes over finds no accounts; from its own last look on it is charged its part of what the counter shows."""
    first, second = node.join(), node.join()
    knock(node)
    for _ in range(3):
        node.advance()
    first.kill()
    (folder,) = (node.folder / "run").iterdir()
    (folder / "board.json").write_text("{", encoding="ascii")
    for _ in range(3):
        node.advance()
    second.leave()
    assert second.gaps == ["the reader of this machine began anew"]
    state = second.recorder.fold.states[0]
    assert (state.energy_j, state.bridged_j, state.lost_s) == pytest.approx((150.0 + 50.0 + 200.0, 50.0, 0.0))
    assert node.warned == []


def test_strict_run_is_charged_its_own_use_alone_or_not(node: Node):
    """None of its processes is on the card: it pays nothing, and the rest is nobody's."""
    strict = node.join(share="process")
    for _ in range(3):
        node.advance()
    strict.leave()
    (state,) = strict.recorder.fold.states
    assert (state.energy_j, state.rest_j) == (0.0, pytest.approx(300.0))


def test_folder_that_cannot_be_used_leaves_each_run_alone(node: Node):
    """One line says so, and the run is charged all."""
    (node.folder / "run").write_text("", encoding="ascii")
    run = node.join()
    node.advance()
    run.leave()
    assert run.energy_j == pytest.approx(100.0)
    assert [text for text in node.warned if "cannot be used" in text] == node.warned
    assert len(node.warned) == 1


def test_registration_that_cannot_be_written_leaves_a_run_alone(node: Node):
    """Unseen, it would be charged nothing; the seat stays free for others."""
    (node.folder / "run").mkdir(mode=0o700)
    blocked = node.join()
    assert blocked.source._seat is not None
    runs = blocked.source._seat.folder / "runs"
    blocked.leave()
    (runs / "run-1.new").mkdir()
    run = node.join()
    node.advance()
    run.leave()
    assert run.energy_j == pytest.approx(100.0)
    assert [text.partition(":")[0] for text in node.warned] == ["runtime directory"]


def test_run_that_is_seen_late_is_charged_from_the_last_look_on(node: Node):
    """The first look for both comes 1 s after the last one of the first run: half of that second is each one's."""
    first = node.join()
    node.advance()
    second = node.join()
    node.clock.advance(0.5)
    assert first.source.sampler is not None
    knock(node)
    node.clock.advance(0.5)
    knock(node)
    node.here[second.number].source.tick()
    (state,) = second.recorder.fold.states
    assert state.energy_j / state.covered_s == pytest.approx(0.5 * POWER_W)


def test_run_that_goes_while_the_reader_hangs_leaves_its_part_to_the_others(node: Node):
    """2 s for both, 1 s more until one gives up, 2 s more in the device: all that goes to the one that stays."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.advance()
    node.hangs = True
    node.advance()
    second.leave()
    node.advance()
    node.advance()
    node.hangs = False
    node.advance()
    first.leave()
    assert second.energy_j == pytest.approx(100.0)
    assert first.energy_j == pytest.approx(100.0 + 400.0)
    assert second.gaps == [TO_OTHERS]
    assert any("1.0 s are not in this record" in text for text in second.recorder.fold.notes)
    assert first.gaps == []


def test_run_that_goes_while_its_reader_hangs_beside_another_user_keeps_its_part(node: Node):
    """Whoever reads for the other user has left it that, and nobody else would be charged: 1 s at its mean of 50 W."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.advance()
    node.hangs = True
    node.advance()
    neighbours: Any = SimpleNamespace(any=True, others=list, kin=list, close=bool)
    second.source._service._neighbours = neighbours
    second.leave()
    assert second.energy_j == pytest.approx(100.0 + 50.0)
    assert second.gaps == [AFTER_LAST]
    assert not any(TO_OTHERS in text for text in second.recorder.fold.notes)
    node.hangs = False
    first.leave()


def test_run_that_comes_and_goes_while_the_reader_hangs_says_so(node: Node):
    """It was never seen: nothing is charged to it, and its record tells why."""
    first = node.join()
    node.advance()
    node.hangs = True
    second = node.join()
    node.advance()
    second.leave()
    node.hangs = False
    node.advance()
    first.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(300.0), 0.0)
    assert any(TO_OTHERS in text for text in second.recorder.fold.notes)


def test_run_that_is_killed_between_two_looks_costs_the_others_nothing_new(node: Node):
    """What was spent since the look before is charged to the run that is left; nobody would read it else."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.advance()
    second.kill()
    node.advance()
    first.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(200.0), pytest.approx(100.0))


def test_run_that_goes_is_told_what_it_is_charged_until_then(node: Node):
    """The one that reads answers: 1.5 s for both."""
    first, second = node.join(), node.join()
    knock(node)
    node.advance()
    node.clock.advance(0.5)
    second.leave()
    node.advance()
    first.leave()
    assert (first.energy_j, second.energy_j) == (pytest.approx(175.0), pytest.approx(75.0))
    assert (first.gaps, second.gaps) == ([], [])


def test_settled_run_that_could_read_next_keeps_what_it_was_charged(node: Node):
    """It was busy until its end; meanwhile the reader charges it, ends and lets go of the seat."""
    first, second = node.join(), node.join()
    knock(node)
    node.clock.advance(3.0)
    seat = second.source._seat
    assert seat is not None
    node.here.clear()

    def settles_and_goes() -> None:
        seat.wake = node.answer  # type: ignore[method-assign]
        first.source.tick()
        node.here[first.number] = first
        first.leave()

    seat.wake = settles_and_goes  # type: ignore[method-assign]
    second.source.end()
    assert (first.energy_j, second.energy_j) == (pytest.approx(150.0), pytest.approx(150.0))
    second.source.close()


def test_who_comes_as_the_card_hangs_is_charged_from_where_the_others_went(node: Node):
    """A run and its part go together while a third one waits: what was spent until then is theirs alone."""
    whole = node.join()
    knock(node)
    part = node.join(parent=whole.number)
    knock(node)
    node.hangs = True
    late = node.join()
    knock(node)
    node.advance(3.0)
    part.leave()
    whole.leave()
    node.hangs = False
    node.advance()
    late.leave()
    assert (whole.energy_j, late.energy_j) == (pytest.approx(300.0), pytest.approx(100.0))
    assert late.gaps == []


def test_who_comes_as_the_card_hangs_is_charged_where_all_others_are_lost(node: Node):
    """One gives up and one is killed: nobody is charged from the last look on but the one that came right after it."""
    first, second = node.join(), node.join()
    knock(node)
    node.hangs = True
    late = node.join()
    knock(node)
    node.advance(3.0)
    second.leave()
    first.kill()
    knock(node)
    node.hangs = False
    node.advance()
    late.leave()
    assert (first.energy_j, second.energy_j, late.energy_j) == (0.0, 0.0, pytest.approx(400.0))


STEPS = st.lists(
    st.sampled_from(["join", "part", "leave", "kill", "look", "look", "remove", "hang"]), max_size=25
)


@cases(max_examples=60, deadline=None)
@given(steps=STEPS, data=st.data())
def test_no_course_of_events_doubles_or_loses_a_joule(steps: list[str], data: st.DataObject):
    """Top-level runs are charged what the card drew while there was any, but for kills and removals of the folder."""
    with tempfile.TemporaryDirectory() as folder:
        happens(Node(Path(folder) / "node"), steps, data)


def happens(node: Node, steps: list[str], data: st.DataObject) -> None:
    """Let a course of events happen, and compare what was charged with what was drawn."""
    everybody: list[Run] = []
    truth_j, hung_j, kills, removals = 0.0, 0.0, 0, 0
    unread_j, unseen_j = 0.0, 0.0  # since the card answered last; of it, what nobody was left to read
    for step in [*steps, "look"]:
        if step == "join" or (step == "part" and not node.here):
            everybody.append(node.join())
            knock(node)
        elif step == "part":
            whole = data.draw(st.sampled_from([run for run in everybody if run.number in node.here]))
            whole.parts.append(node.join(parent=whole.number))
            knock(node)
        elif step in ("leave", "kill") and node.here:
            run = node.here[data.draw(st.sampled_from(sorted(node.here)))]
            for part in run.parts:
                part.leave()
            getattr(run, step)()
            kills += step == "kill"
            if node.here:
                knock(node)
            elif step == "kill":
                unseen_j += unread_j
        elif step == "remove" and node.here:
            shutil.rmtree(node.folder / "run", ignore_errors=True)
            removals += 1
        elif step == "hang":
            node.hangs = not node.hangs
        elif step == "look" and node.here:
            node.advance()
            truth_j += POWER_W * TICK_S
            hung_j += POWER_W * TICK_S if node.hangs else 0.0
            unread_j = unread_j + POWER_W * TICK_S if node.hangs else 0.0
    node.hangs = False
    for run in reversed(list(node.here.values())):
        run.leave()
    charged_j = sum(run.energy_j for run in everybody)
    look_j = POWER_W * TICK_S
    # each fills the time in which it changes its reader: a second, or as long as one hangs whose folder is removed
    filled_j = removals * len(everybody) * (look_j + hung_j)
    lost_j = (kills + removals) * 2.0 * look_j + (hung_j if removals else unseen_j)
    assert charged_j <= truth_j + filled_j + 1e-6
    assert charged_j >= truth_j - lost_j - 1e-6
