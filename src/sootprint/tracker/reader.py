"""The machine's one reader: it looks at the meters for all runs that are here, and keeps their accounts."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker.accounts import Accounts
from sootprint.tracker.attribution import Holder
from sootprint.tracker.board import BOARD, FACTS, Board
from sootprint.tracker.cgroups import container_of
from sootprint.tracker.entry import Entry
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.sampler import Sampler
from sootprint.tracker.seat import Registration, Seat
from sootprint.tracker.usage import Tracked, Usage


class Reader:
    """Meters, accounts and board of the runs on one machine.

    Args:
        machine: Where the meters look.
        sampler: The meters that are looked at.
        meters: The same meters, with what they tell of processes.
        own: The run that reads.
        seat: Files of the runs that are here, or None where only this one is seen.
    """

    def __init__(
        self,
        machine: Machine,
        sampler: Sampler,
        meters: Sequence[Meter],
        *,
        own: Registration,
        seat: Seat | None,
    ) -> None:
        self._machine, self._sampler, self._meters = machine, sampler, meters
        self._own, self._seat = own, seat
        self._accounts = Accounts(max_gap_s=sampler.max_gap_s)
        self._board = Board(seat.folder, machine.procfs) if seat else None
        telling = [meter.processes for meter in meters if hasattr(meter, "processes")]
        self._usage = Usage(machine.procfs, machine.sysfs, accelerators=telling)
        self._here: dict[str, Registration] = {}
        self._attached: list[Registration] = []
        self._tracked: dict[str, Tracked] = {}

    def begin(self, recorder: Recorder) -> None:
        """Go on from what the run that reads has seen while it was alone."""
        self._accounts.adopt(recorder.states(), recorder.start_s)
        self._accounts.open(self._own.id, at_s=self._machine.clock.monotonic_s(), first=True)
        self._meet()
        self._publish()

    def resume(self) -> None:
        """Go on from the board of a reader that has gone; where there is none, begin anew."""
        left = self._board.read(BOARD) if self._board else None
        if left is not None:
            with contextlib.suppress(RecordError):
                self._accounts.load(left)
        self._here = self._present() | {self._own.id: self._own}
        for run in self._accounts.runs & self._here.keys():
            self._track(self._here[run])
        self._usage.look(list(self._tracked.values()))
        self.tick()

    def tick(self) -> None:
        """Charge what was spent, see who came and who went, and tell the others."""
        parts = self._sampler.collect(last=True)
        uses, whole = self._usage.look(list(self._tracked.values()))
        self._accounts.charge(parts, self._holders(), uses, whole=whole)
        self._meet()
        self._publish()

    def entries(self, run: str) -> list[Entry]:
        """Account of a run, or its last one where it has left."""
        return self._accounts.entries(run) or self._accounts.closed(run) or []

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Tell the others the facts of the meters."""
        if self._board is not None:
            with contextlib.suppress(OSError):
                self._board.write(FACTS, {"facts": facts})

    def _present(self) -> dict[str, Registration]:
        """Runs that are here and write a record; the ranks that do not are noted as parts of them."""
        here = self._seat.others() if self._seat else {self._own.id: self._own}
        self._attached = [one for one in here.values() if not one.writes]
        return {run: one for run, one in here.items() if one.writes}

    def _meet(self) -> None:
        attached = self._attached
        self._here = self._present()
        if attached != self._attached:  # a rank came or went
            for run in [one.id for one in self._here.values() if one.group is not None]:
                self._tracked.pop(run, None)
        for run in self._accounts.runs - self._here.keys():
            self._accounts.close(run)
        for run in self._tracked.keys() - self._here.keys():
            del self._tracked[run]
        came = [one for run, one in self._here.items() if run not in self._tracked]
        for one in came:
            self._track(one)
            if one.id not in self._accounts.runs:
                at_s = self._machine.clock.monotonic_s()
                self._accounts.open(one.id, at_s=at_s, sees=self._seen_by(one))
        if came:
            self._usage.look(list(self._tracked.values()))  # what it used before is not this machine's news

    def _track(self, one: Registration) -> None:
        container = container_of(one.pid, self._machine.procfs, self._machine.sysfs)
        ranks = [other.pid for other in self._attached if other.group == one.group and one.group is not None]
        self._tracked[one.id] = Tracked(one.id, (one.pid, *ranks), container, one.parent)

    def _holders(self) -> list[Holder]:
        runs = self._accounts.runs
        return [
            Holder(one.id, one.parent, one.strict, self._seen_by(one))
            for one in self._here.values()
            if one.id in runs
        ]

    def _seen_by(self, one: Registration) -> frozenset[str] | None:
        """Accelerators that a run may use; None where no meter can tell."""
        seen: set[str] = set()
        telling = [meter for meter in self._meters if hasattr(meter, "visible_to")]
        for meter in telling:
            names = self._accounts.components(meter.name)
            seen |= {names[name] for name in meter.visible_to(one.environ) if name in names}
        return frozenset(seen) if telling else None

    def _publish(self) -> None:
        if self._board is None:
            return
        if not self._here:
            self._board.clear()
            return
        with contextlib.suppress(OSError):  # the others see that it is old
            self._board.write(BOARD, self._accounts.dump())


def on_board(folder_of: Seat, procfs: str, run: str, *, closed: bool = False) -> list[Entry] | None:
    """Account of a run as the reader told it last, or None where it told none.

    Args:
        folder_of: Seat of a run.
        procfs: Root of the process tree.
        run: Identity of the run.
        closed: Whether only an account that the reader has settled is wanted.
    """
    content = Board(folder_of.folder, procfs).read(BOARD)
    if content is None:
        return None
    accounts = Accounts(max_gap_s=0.0)
    try:
        accounts.load(content)
    except RecordError:
        return None
    return accounts.closed(run) if closed else accounts.entries(run) or accounts.closed(run)


def facts_on_board(seat: Seat, procfs: str) -> dict[str, Any]:
    """Facts of the meters as the reader told them, empty where it told none."""
    content = Board(seat.folder, procfs).read(FACTS)
    facts = content.get("facts") if content else None
    return facts if isinstance(facts, dict) else {}
