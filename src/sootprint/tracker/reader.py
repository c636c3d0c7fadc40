"""The machine's one reader: it looks at the meters for all runs that are here, and keeps their accounts."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker.accounts import Accounts, Held
from sootprint.tracker.alone import left_by
from sootprint.tracker.beside import members
from sootprint.tracker.board import BOARD, FACTS, Board
from sootprint.tracker.books import Books, Member
from sootprint.tracker.cgroups import Container, container_of
from sootprint.tracker.entry import Entry
from sootprint.tracker.namespaces import pid_here
from sootprint.tracker.neighbours import BESIDE, Neighbour
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.registration import Registration, boot_of
from sootprint.tracker.sampler import Sampler
from sootprint.tracker.seat import Seat
from sootprint.tracker.usage import Tracked


def _nobody() -> tuple[Sequence[Neighbour], Sequence[Neighbour]]:
    return (), ()


class Reader:
    """Meters, accounts and board of the runs on one machine.

    Args:
        machine: Where the meters look.
        sampler: The meters that are looked at.
        meters: The same meters, with what they tell of processes.
        own: The run that reads.
        seat: Files of the runs that are here, or None where only this one is seen.
        beside: Runs of other users that are here, which others charge: they have their part, and nobody reads it; and
            those of this user, as others see them.
    """

    def __init__(
        self,
        machine: Machine,
        sampler: Sampler,
        meters: Sequence[Meter],
        *,
        own: Registration,
        seat: Seat | None,
        beside: Callable[[], tuple[Sequence[Neighbour], Sequence[Neighbour]]] = _nobody,
    ) -> None:
        self._machine, self._own, self._seat, self._beside = machine, own, seat, beside
        self._books = Books(machine, sampler, meters)
        self._board = Board(seat.folder, machine.procfs) if seat else None
        self._noted = False  # whether it is said that the board tells
        self._others = set[str]()  # who was charged besides
        self._places: dict[str, tuple[int | None, Container | None]] = {}  # of each run's first process

    def begin(self, recorder: Recorder) -> None:
        """Go on from what the run that reads has seen while it was alone.

        Who came nearer to its last look than to now is charged from that look on, and else from the next one.
        """
        states, now_s = recorder.states(), self._machine.clock.monotonic_s()
        looked_s = recorder.start_s + max((state.at_s or 0.0 for _, state in states), default=0.0)
        here, others = self._present(), self._seat.others() if self._seat else {}
        here = {run: one for run, one in here.items() if _was_here(others.get(run), looked_s, now_s)}
        self._books.adopt(states, recorder.start_s, own=self._own.id, here=here)
        self._publish()

    def resume(self, *, waited: bool, heir_of: str | None = None) -> None:
        """Go on from the board of a reader that has gone; where there is none, begin anew.

        Args:
            waited: Whether another one read while this run was here, for itself at least.
            heir_of: Run whose processes this one has taken over, as a rank does of the one that wrote before.
        """
        here = self._present(with_own=True)
        left = self._board.read(BOARD) if self._board else None
        before = None if self._seat is None else self._seat.before
        now_s = self._machine.clock.monotonic_s()
        lone, untold = left_by(before, boot_of(self._machine.procfs), now_s)
        try:
            heirs = {} if heir_of is None else {heir_of: self._own.id}
            anew = waited and untold
            self._books.resume(left or {}, here, is_owed=self._is_owed, anew=anew, heirs=heirs, lone=lone)
        except RecordError:
            self._books.resume({}, here, lone=lone)
        self._publish()

    def tick(self) -> None:
        """Charge what was spent, see who came and who went, and tell the others."""
        self._books.tick(self._present(), is_owed=self._is_owed)
        self._publish()

    def end(self) -> None:
        """Charge what was spent to everybody, and tell that nobody goes on from here: the node service charges them."""
        self._books.end(self._own.id, is_owed=self._is_owed)
        self._write(moved=True)

    def _is_owed(self, run: str) -> bool:
        """Whether a run is charged until now: not where it went without a word, or gave up as the meters hung."""
        is_elsewhere = run.startswith(BESIDE)  # it may have gone, and was charged until then
        return is_elsewhere or run == self._own.id or self._seat is None or self._seat.is_owed(run)

    def entries(self, run: str) -> list[Entry]:
        """Account of a run, or its last one where it has left."""
        return self._books.accounts.entries(run) or self._books.accounts.closed(run) or []

    def earlier(self, run: str) -> list[Entry]:
        """Account that a run had before the one that it has."""
        return self._books.accounts.earlier(run)

    @property
    def held(self) -> Held:
        """Since when runs of this user were charged before, for the run that reads."""
        return self._books.accounts.held(self._own.id)

    def tell(self, facts: Mapping[str, Any]) -> None:
        """Tell the others the facts of the meters."""
        if self._board is not None:
            with contextlib.suppress(OSError):
                self._board.write(FACTS, {"facts": facts})

    def _present(self, *, with_own: bool = False) -> dict[str, Member]:
        """Runs that are here and write a record; the processes of ranks that do not are theirs."""
        here = self._seat.others() if self._seat else {}
        if with_own or not self._seat:
            here = here | {self._own.id: self._own}
        self._places = {
            run: self._places[run] if run in self._places else self._placed(one) for run, one in here.items()
        }
        attached = [one for one in here.values() if not one.writes]
        mine = {run: self._member(one, attached) for run, one in here.items() if one.writes}
        others, kin = self._beside()
        return self._with_late(mine, kin) | members(others, self._machine.procfs, self._machine.sysfs)

    def _with_late(self, mine: dict[str, Member], kin: Sequence[Neighbour]) -> dict[str, Member]:
        """Runs of this user, one of them with the processes of those that have yet to be seen here.

        Runs of other users see them and leave them their part, as they hear of a service that has died one by one.
        """
        seen = {pid for pid, _ in self._places.values()}
        late = [one.pid for one in kin if one.pid is not None and one.pid not in seen]
        if late and mine:
            run = self._own.id if self._own.id in mine else next(iter(mine))
            tracked = mine[run].tracked
            mine[run] = mine[run]._replace(tracked=tracked._replace(pids=(*tracked.pids, *late)))
        return mine

    def _member(self, one: Registration, attached: Sequence[Registration]) -> Member:
        ranks = [other.id for other in attached if other.group == one.group and one.group is not None]
        pids = [self._places[run][0] for run in (one.id, *ranks)]
        seen = [pid for pid in pids if pid is not None]
        tracked = Tracked(one.id, seen, self._places[one.id][1], one.parent)
        return Member(tracked, one.strict, one.environ)

    def _placed(self, one: Registration) -> tuple[int | None, Container | None]:
        """Number of a run's process here, or None where it cannot be seen, and its container."""
        procfs, space = self._machine.procfs, one.namespace
        pid = one.pid if space is None else pid_here(one.pid, space, procfs)
        return pid, None if pid is None else container_of(pid, procfs, self._machine.sysfs)

    def _publish(self) -> None:
        if self._board is None:
            return
        accounts = self._books.accounts
        runs = accounts.runs
        self._others = {one for one in self._others | runs if one in runs or accounts.closed(one)} - {
            self._own.id
        }
        if not runs and not self._others:  # who may have yet to read its last account
            self._board.clear()
            return
        self._write()
        if self._seat is not None and not self._noted:
            self._seat.note(None)
            self._noted = True

    def _write(self, *, moved: bool = False) -> None:
        if self._board is not None:
            with contextlib.suppress(OSError):  # the others see that it is old
                self._board.write(BOARD, self._books.dump() | {"moved": moved})


def _was_here(one: Registration | None, looked_s: float, now_s: float) -> bool:
    """Whether a run that is here now was so for most of the time since a look."""
    return one is None or one.since_s is None or 2.0 * one.since_s <= looked_s + now_s


def has_ended(seat: Seat, procfs: str) -> bool | None:
    """Whether the run that read has charged everybody and gone to the node service; None if it told no account."""
    content = Board(seat.folder, procfs).read(BOARD) if seat.before is None else None
    if content is None:
        return None
    return True if content.get("moved") is True else (False if content["lines"] else None)


def on_board(
    folder_of: Seat, procfs: str, run: str, *, closed: bool = False, after_s: float = -math.inf
) -> tuple[list[Entry], list[Entry] | None, Held]:
    """Account that a run had before, and the one that it has as the reader told it last, or None where it told none.

    The last tells since when runs of this user were charged before, as `Accounts.held` does.

    Args:
        folder_of: Seat of a run.
        procfs: Root of the process tree.
        run: Identity of the run.
        closed: Whether only an account that the reader has settled is wanted.
        after_s: Monotonic instant from which on it was told; an older one is none [s].
    """
    content = Board(folder_of.folder, procfs).read(BOARD, run=run)
    if content is None:
        return [], None, {}
    accounts = Accounts(max_gap_s=0.0)
    try:
        accounts.load(content)
    except RecordError:
        return [], None, {}
    found = accounts.closed(run) if closed else accounts.entries(run) or accounts.closed(run)
    is_told = found and max(entry.at_s for entry in found) >= after_s
    return accounts.earlier(run), found if is_told else None, accounts.held(run)


def held_on_board(folder_of: Seat, procfs: str, run: str) -> Held:
    """Since when runs of this user were charged by one of them, where the last one has gone to the node service.

    Args:
        folder_of: Seat of a run.
        procfs: Root of the process tree.
        run: Its identity.
    """
    content = Board(folder_of.folder, procfs).read(BOARD)
    accounts = Accounts(max_gap_s=0.0)
    if content is not None and content.get("moved") is True:
        with contextlib.suppress(RecordError):
            accounts.load(content)
    return accounts.held(run)


def facts_on_board(seat: Seat, procfs: str) -> dict[str, Any]:
    """Facts of the meters as the reader told them, empty where it told none."""
    content = Board(seat.folder, procfs).read(FACTS)
    facts = content.get("facts") if content else None
    return facts if isinstance(facts, dict) else {}
