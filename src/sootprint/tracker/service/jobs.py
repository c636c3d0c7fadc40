"""A job that the node service charges whether or not it uses Sootprint: its sums, its journal and its record."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint.core.errors import RecordError
from sootprint.core.ids import uuid7
from sootprint.core.protocols import Clock
from sootprint.tracker.books import Member
from sootprint.tracker.cgroups import Container
from sootprint.tracker.entry import Entry
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import SUFFIX, Journal, discard
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.replay import replay
from sootprint.tracker.usage import Tracked

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

COMPACT_TICKS = 600


class Order(NamedTuple):
    """What a prolog tells of a job.

    Args:
        name: Its identity at the scheduler.
        uid: User who owns it.
        pid: Process that it descends from, or None.
        cgroup: Folder of its control group, or None where it is to be found.
        environ: Variables that say which accelerators it may use.
    """

    name: str
    uid: int
    pid: int | None = None
    cgroup: str | None = None
    environ: Mapping[str, str] = {}


class Job:
    """A job that goes on.

    Args:
        order: What the prolog told.
        record: Identity of its record.
        recorder: Its lines.
    """

    def __init__(self, order: Order, record: str, recorder: Recorder) -> None:
        self.order, self.record, self._recorder = order, record, recorder
        self.container = _container(order)

    @property
    def member(self) -> Member:
        """Whose processes it charges."""
        pids = () if self.order.pid is None else (self.order.pid,)
        tracked = Tracked(key_of(self.order.name), pids, self.container)
        return Member(tracked, environ=self.order.environ, is_run=False)

    def take(self, entries: Sequence[Entry]) -> None:
        """Journal what its account tells."""
        self._recorder.take(entries)
        journal = self._recorder.journal
        if journal is not None and (self._recorder.fold.ticks % COMPACT_TICKS == 0 or not journal.complete):
            with contextlib.suppress(OSError):  # the lines stay where they are
                journal.replace(self._recorder.fold.dump())

    def resume(self, entries: Sequence[Entry]) -> None:
        """Go on with its account after a restart of the service."""
        self._recorder.resume(entries)

    def end(self, why: str = "finished") -> Footprint:
        """Record of the job, which is over."""
        self._recorder.emit({"k": "end", "s": self._recorder.now_s(), "why": why})
        return footprint_of(self._recorder.fold)

    def discard(self) -> None:
        """Delete its journal, once its record is kept elsewhere."""
        if self._recorder.journal is not None:
            with contextlib.suppress(OSError):
                self._recorder.journal.remove()

    def dump(self) -> dict[str, Any]:
        """Plain values from which a restarted service goes on."""
        return {
            "order": [*self.order[:-1], dict(self.order.environ)],
            "record": self.record,
            "start_s": self._recorder.start_s,
        }


def key_of(name: str) -> str:
    """Identity of a job among everybody who is charged."""
    return f"job:{name}"


def begun(
    order: Order, head: Mapping[str, Any], facts: Mapping[str, Any], *, clock: Clock, folder: Path
) -> Job:
    """A job that begins now.

    Args:
        order: What the prolog tells.
        head: What the service knows of the place.
        facts: Facts of the meters.
        clock: The clocks.
        folder: Where the journals lie, in a folder for each user.
    """
    wall_s = clock.wall_s()
    record = uuid7(wall_s)
    try:
        journal: Journal | None = Journal(_journal_of(folder, order.uid, record))
    except OSError:
        journal = None
    recorder = Recorder(clock.monotonic_s, fold=Fold(), journal=journal, start_s=clock.monotonic_s())
    about = {"id": record, "name": f"job {order.name}", "tags": {"job": order.name}, "wall_s": wall_s}
    recorder.emit({"k": "head", "v": 1, **head, **about})
    for meter, known in facts.items():
        recorder.emit({"k": "facts", "meter": meter, **known})
    return Job(order, record, recorder)


def resumed(left: Mapping[str, Any], *, clock: Clock, folder: Path) -> Job:
    """A job that a service which has gone had begun.

    Raises:
        RecordError: Its journal or what was left of it cannot be read.
    """
    order, record, start_s = _left(left)
    path = _journal_of(folder, order.uid, record)
    fold = replay(path, skip_unreadable=True)
    lines = fold.dump()
    try:
        discard(path)
        journal = Journal(path)
    except OSError:
        journal = None
    recorder = Recorder(clock.monotonic_s, fold=fold, journal=journal, start_s=start_s)
    if journal is not None:
        for line in lines:
            journal.append(line)
    return Job(order, record, recorder)


def cut_off(path: Path) -> Footprint:
    """Record of a job whose node went down, complete up to the last line of its journal.

    Raises:
        RecordError: The journal cannot be read.
    """
    fold = replay(path, skip_unreadable=True)
    if fold.ended is None:
        fold.notes.append("recovered: the node service was cut off; complete up to its last look")
    return footprint_of(fold)


def footprint_of(fold: Fold) -> Footprint:
    """Footprint of a job's sums.

    Raises:
        RecordError: They hold values that no job writes.
    """
    from sootprint.tracker.recover import footprint_of as checked

    return checked(fold)


def _journal_of(folder: Path, uid: int, record: str) -> Path:
    return folder / str(uid) / f"{record}{SUFFIX}"


def _left(left: Mapping[str, Any]) -> tuple[Order, str, float]:
    try:
        name, uid, pid, cgroup, environ = left["order"]
        order = Order(str(name), int(uid), pid, cgroup, dict(environ))
        return order, str(left["record"]), float(left["start_s"])
    except (KeyError, TypeError, ValueError) as err:
        raise RecordError(f"the state of a job cannot be read: {err!r}") from err


def _container(order: Order) -> Container | None:
    if order.cgroup is None:
        return None
    return Container("slurm", order.name, None, order.cgroup, "2")
