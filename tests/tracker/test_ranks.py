"""Ranks of one job on one machine: one writes the record, and whatever happens to it or its files, no joule is lost."""

from __future__ import annotations

import itertools
import os
import shutil
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from sootprint.core.protocols import Machine
from sootprint.settings import Settings
from sootprint.tracker import ranks as ranks_module
from sootprint.tracker import source as sources
from sootprint.tracker.fold import Fold
from sootprint.tracker.group import Group
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.source import RESCAN_TICKS, Source
from tests.tracker.conftest import head
from tests.tracker.test_source import POWER_W, TICK_S, ModelledNode, Node, Run


class Rank(Run):
    """A rank of a job: it writes the record, or attaches itself to the one that does until that one goes."""

    def __init__(self, node: Node, number: int, *, rank: int) -> None:
        none = str(node.folder / "none")
        first = {"stat": (node.clock.monotonic_s(), b"")}
        machine = Machine(sysfs=none, procfs=none, environ={}, clock=node.clock, first=first)
        self.number, self._node = number, node
        self.parts: list[Run] = []
        self.marks: deque[dict[str, Any]] = deque()
        self.source = Source(
            machine,
            Settings(home=node.folder, runtime_dir=node.folder / "run", sysfs=none, procfs=none),
            run=f"rank-{number}",
            parent=None,
            group=Group("job", "torchrun", 1, 0, rank, 4, 4),
            find=node.find,
            warn=node.warned.append,
        )
        self.source.open()
        self.recorder: Recorder | None = None  # type: ignore[assignment]
        if self.source.writes:
            self._begin()
        node.here[number] = self

    def _begin(self) -> None:
        self.source.find()
        self.start_s = self._node.clock.monotonic_s()
        self.recorder = Recorder(
            self._node.clock.monotonic_s, fold=Fold(), journal=None, start_s=self.start_s
        )
        self.recorder.emit(head())
        self.source.begin(self.recorder)

    def look(self) -> None:
        """What its measuring thread does once a period."""
        if self.recorder is not None:
            self.source.tick()
            list(self.source.hear())
        elif self.source.attend(self.marks, 0.0):
            self._begin()

    @property
    def energy_j(self) -> float:
        """Energy that its record states, where it writes one [J]."""
        return super().energy_j if self.recorder is not None else 0.0


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ANSWER_S", 0.0)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """A machine of its own."""
    return Node(tmp_path / "node")


_numbers = itertools.count(100)


def ranks(node: Node, count: int) -> list[Rank]:
    """Ranks that begin together."""
    return [Rank(node, next(_numbers), rank=rank) for rank in range(count)]


def advance(node: Node, times: int = 1) -> None:
    """Time passes, and each looks, those that are charged first."""
    for _ in range(times):
        node.clock.advance(TICK_S)
        for run in sorted(node.here.values(), key=lambda one: getattr(one, "recorder", None) is None):
            if isinstance(run, Rank):
                run.look()
            else:
                run.source.wait(sources_flag(), 0.0)
                run.source.tick()


def sources_flag() -> Any:
    """A flag that nobody set."""
    from sootprint.tracker.worker import Flag

    return Flag()


@pytest.mark.parametrize("beside", [0, 1])
@pytest.mark.parametrize("reads", [True, False])
def test_rank_that_takes_over_loses_nothing(node: Node, beside: int, reads: bool) -> None:
    """The one that writes is killed: what the job used since its last look is in the record of the next rank."""
    others = [node.join() for _ in range(beside)] if not reads else []
    job = ranks(node, 3)
    others += [node.join() for _ in range(beside)] if reads else []
    advance(node, RESCAN_TICKS + 2)
    assert [one.source.writes for one in job] == [True, False, False]
    job[0].kill()
    advance(node, 4)
    assert [one.source.writes for one in job[1:]] == [True, False]
    job[2].kill()
    for one in (job[1], *others):
        one.leave()
    truth_j = POWER_W * TICK_S * (RESCAN_TICKS + 6)
    charged_j = [one.energy_j for one in (*job, *others)]
    assert sum(charged_j) == pytest.approx(truth_j, abs=1e-6), charged_j
    if not beside:
        assert job[1].energy_j == pytest.approx(4 * POWER_W * TICK_S)


def test_model_of_an_older_rank_doubles_nothing_where_it_takes_over(tmp_path: Path) -> None:
    """It was attached for 12 s longer than the one that wrote last: these are not counted again."""
    node = ModelledNode(tmp_path / "node")
    first, second = ranks(node, 2)
    advance(node, 12)
    third = Rank(node, next(_numbers), rank=2)
    advance(node, 2)
    first.kill()
    node.clock.advance(TICK_S)
    third.look()
    advance(node, 3)
    assert third.source.writes and not second.source.writes
    third.kill()
    advance(node, 3)
    second.leave()
    charged_j = first.energy_j + second.energy_j + third.energy_j
    assert 19 * POWER_W * TICK_S <= charged_j <= 21 * POWER_W * TICK_S


def test_rank_whose_files_were_cleaned_away_is_seen_again(node: Node) -> None:
    """A cleaner removes the folder: the attached rank is there again, its marks arrive, and no second one writes."""
    job = ranks(node, 2)
    advance(node, 2)
    job[1].marks.append({"k": "log", "s": 1.0, "metric": "loss", "value": 0.5})
    shutil.rmtree(node.folder / "run")
    advance(node, RESCAN_TICKS)
    assert job[0].source._seat is not None
    assert sorted(job[0].source._seat.others()) == sorted(f"rank-{one.number}" for one in job)
    assert not job[1].marks
    late = Rank(node, next(_numbers), rank=2)
    assert (job[0].source.writes, late.source.writes) == (True, False)
    job[0].kill()
    advance(node, 2)
    assert [one.source.writes for one in (job[1], late)] == [True, False]


def test_files_of_an_attached_rank_stay_young(node: Node) -> None:
    """A cleaner removes by age; the registration says whose processes the job's are."""
    job = ranks(node, 2)
    paths = [path for path in (node.folder / "run").rglob("*.json") if str(job[1].number) in path.name]
    assert len(paths) == 1
    os.utime(paths[0], (0.0, 0.0))
    advance(node, RESCAN_TICKS)
    assert paths[0].stat().st_mtime > 0.0


def test_marks_of_a_file_that_was_made_anew_are_heard(node: Node) -> None:
    """The lowest rank's metrics count, also after its file was removed in between."""
    high, low = Rank(node, next(_numbers), rank=1), Rank(node, next(_numbers), rank=0)
    heard: list[Any] = []
    for value in range(2 * RESCAN_TICKS):
        low.marks.append({"k": "log", "s": float(value), "metric": "loss", "value": float(value)})
        low.source.attend(low.marks, 50.0)
        node.clock.advance(TICK_S)
        high.source.tick()
        heard += [mark["value"] for mark in high.source.hear()]
        if value == RESCAN_TICKS:
            shutil.rmtree(node.folder / "run")
    assert heard == [float(value) for value in range(2 * RESCAN_TICKS)]


def test_marks_of_a_file_that_has_grown_large_are_all_heard(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one is begun, so that weeks of marks do not fill the runtime directory; what was not read comes first."""
    monkeypatch.setattr(ranks_module, "LARGE_BYTES", 500)
    high, low = Rank(node, next(_numbers), rank=1), Rank(node, next(_numbers), rank=0)
    heard: list[Any] = []
    for value in range(40):
        low.marks.append({"k": "log", "s": float(value), "metric": "loss", "value": float(value)})
        low.source.attend(low.marks, 50.0)
        if value % 3 == 0:
            high.source.tick()
            heard += [mark["value"] for mark in high.source.hear()]
    assert heard == [float(value) for value in range(40)]
    (file,) = (node.folder / "run").rglob("*.marks")
    assert file.stat().st_size < 700


def test_marks_that_cannot_be_written_wait(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full takes a part of them, which is taken back; with room again each is heard once."""
    high, low = Rank(node, next(_numbers), rank=1), Rank(node, next(_numbers), rank=0)
    low.marks.extend({"k": "log", "s": 0.0, "metric": "loss", "value": float(value)} for value in range(3))
    write = os.write
    monkeypatch.setattr(ranks_module.os, "write", lambda number, data: write(number, data[: len(data) // 2]))
    with pytest.raises(OSError, match="No space left"):
        low.source.attend(low.marks, 50.0)
    monkeypatch.undo()
    assert len(low.marks) == 3
    monkeypatch.setattr(sources, "ANSWER_S", 0.0)
    low.source.attend(low.marks, 50.0)
    high.source.tick()
    assert [mark["value"] for mark in high.source.hear()] == [0.0, 1.0, 2.0]
