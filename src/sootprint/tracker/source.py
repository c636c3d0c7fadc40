"""Where a run's joules come from: its own meters while it is alone, else its account with this machine's one reader."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from sootprint.core import classes
from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker.alone import note
from sootprint.tracker.glance import RESCAN_TICKS, Glances
from sootprint.tracker.guest import ANSWER_S, Guest
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.registration import Registration, run_above, unhidden, visible
from sootprint.tracker.sampler import Sampler, close_all
from sootprint.tracker.seat import Seat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any

    from sootprint.settings import Settings
    from sootprint.tracker.entry import Entry
    from sootprint.tracker.group import Group
    from sootprint.tracker.ranks import Attached, Heard
    from sootprint.tracker.reader import Reader
    from sootprint.tracker.worker import Flag


class Source(Glances, Guest):
    """Readings of one run.

    Args:
        machine: Where the meters look.
        settings: Settings of the run.
        run: Its identity.
        parent: Run that it is a part of, where it knows.
        group: Job that it is a rank of.
        find: Discovers the meters of a machine.
        warn: Called with one line for a person.
    """

    def __init__(
        self,
        machine: Machine,
        settings: Settings,
        *,
        run: str,
        parent: str | None,
        group: Group | None,
        find: Callable[[Machine], Sequence[Meter]],
        warn: Callable[[str], object],
    ) -> None:
        super().__init__(machine, settings, warn)
        self._discover = find
        self._strict = settings.share == "process"
        self.group = group
        self._own = Registration(run, os.getpid(), parent, self._strict, visible(machine.environ))
        since_s = min((at_s for at_s, _ in machine.first.values()), default=None)
        self._own = self._own._replace(service=self._service.path, since_s=since_s)
        if group is not None and (group.world_size or 0) > 1:
            self._own = self._own._replace(group=group.id, rank=group.local_rank)
        self.untold = False  # whether the meters' facts are yet to be read from the board
        self.ticks = 0
        self._noted = 0  # components that the note of this run names
        self._waited = True  # whether others may have been charged by whoever read before this run does
        self._attached: Attached | None = None
        self._heir_of: str | None = None  # rank that wrote the record of this one's job until it died
        self.heard: Heard | None = None  # the other ranks of this run's job on this machine
        self.sampler: Sampler | None = None
        self.meters: list[Meter] = []

    @property
    def parent(self) -> str | None:
        """Run that this one is a part of."""
        return self._own.parent

    def open(self) -> None:
        """Take a seat among the runs of this machine."""
        try:
            seat = Seat(self._settings.runtime_dir, self._machine.sysfs)
            if self._own.parent is None:
                self._own = self._own._replace(parent=run_above(seat.others(), self._machine.procfs))
            if self._own.group is not None:
                self._own = self._own._replace(writes=seat.take_group(self._own.group, self._own.id))
            if not self._own.writes:
                from sootprint.tracker.ranks import Attached

                self._attached = Attached(seat.folder / "runs", self._own.id)
                seat.register(self._own)
                seat.wake()
                self._service.attach(self._own)
            self._seat = seat
        except (MeterError, OSError) as err:
            self._warn(str(err) if isinstance(err, MeterError) else f"runtime directory: {err.strerror}")

    @property
    def writes(self) -> bool:
        """Whether this run writes a record: not while another rank of its job does so for this machine."""
        return self._own.writes

    def attend(self, marks: deque[dict[str, Any]], start_s: float) -> bool:
        """Whether this rank writes from now on, as the one that did has gone; until then its marks are passed on."""
        assert self._seat is not None and self._attached is not None and self._own.group is not None
        self.ticks += 1
        rescan = self.ticks % RESCAN_TICKS == 0
        self._seat.keep(now=rescan)
        if rescan and not self._service.holds:
            self._service.attach(self._own)
        if self._seat.take_group(self._own.group, self._own.id):
            self._own = self._own._replace(writes=True)
            self._machine = classes.replace(self._machine, first={})  # of before the time that it is charged
            self._heir_of = self._seat.heir_of
        else:
            self._attached.write(marks, start_s)
        return self._own.writes

    def find(self) -> None:
        """Find the meters, unless the node service or another run reads them."""
        served = self._enter()
        if self._seat is not None and self._own.group is not None:
            from sootprint.tracker.ranks import Heard

            self.heard = Heard(self._seat.folder / "runs", self._own)
        begins = self._machine
        self._machine = classes.replace(begins, first={})  # a meter that is found later counts from then on
        if not served and (self._seat is None or self._sits()):
            self.meters = list(self._discover(begins))
            return
        self.untold = True
        if self._seat is not None:
            self._seat.wake()

    def _sits(self) -> bool:
        """Whether this run reads for all, or for itself where it cannot be seen: it would be charged nothing."""
        assert self._seat is not None
        self._own = self._own._replace(service=self._service.path)
        try:
            return self._seat.sit(self._own)
        except OSError as err:
            self._warn(f"runtime directory: {err.strerror}: other runs on this machine are not seen")
            self._let_go()
            return True

    def begin(self, recorder: Recorder) -> None:
        """Take the first readings, once the run's first line is written."""
        self._recorder = recorder
        was_served, charges = self._service.joined, self._service.charges
        if self._service.follow(recorder, ANSWER_S):
            return
        self._service.be_seen()
        if was_served:  # and has gone at once: whom it charged bridge the time until somebody reads
            self._waited = charges
            self._register()
            self.tick()
            return
        if self.untold and self._seat is not None:
            self._wait_for_account()
        elif self._heir_of or (self._has_company() and self._seat and self._seat.before != {}):
            self._widen()  # whoever read for them has just gone
            self._lead(waited=False)
            self._recorder.take(self._account())
        else:
            recorder.record_first(self._sample().first())
            if self._has_company():  # it came while the meters were found, and nobody was charged before
                self._share()
            self.tick()

    def _wait_for_account(self) -> None:
        """Be charged by whoever reads, or by the node service, or read for all."""
        self._adrift_s = self._recorder.start_s if self._adrift_s is None else self._adrift_s
        self._await(lambda: self._take_over() or self._entries())
        if not self._service.joined:
            self._recorder.take(self._account())

    def _account(self) -> list[Entry]:
        """What this run is charged so far."""
        if self._reader is not None:
            self._recorder.take_rest(self._reader.earlier(self._own.id))
            return self._reader.entries(self._own.id)
        if not (entries := self._entries()) and self._seat is not None:
            self._seat.wake()  # whoever reads has not seen this run yet
        return entries or []

    def _sample(self) -> Sampler:
        self.sampler = sampler = Sampler(
            self._machine,
            self.meters,
            start_s=self._recorder.start_s,
            period_s=self._settings.period_s,
            max_gap_s=self._recorder.fold.max_gap_s,
        )
        return sampler

    def tick(self, *, last: bool = False) -> None:
        """Look at what is due, or at the account, and record it."""
        self.ticks += 1
        knocked, rescan = self.hurry() or self._has_new_neighbours(), self._is_to_rescan()
        if self._seat is not None:
            self._seat.knocked = False
            if not self._seat.keep(now=rescan):
                self._give_way()
        if self._is_served():
            return
        moves = not last and self._service.is_back(asked=knocked or rescan or self._was_served)
        share = False
        if self.sampler is None and not self._take_over():
            self._recorder.take(self._account())
        elif self._reader is not None:
            self._reader.tick()
            self._recorder.take(self._account())
        elif self.sampler is not None:
            share = not last and (self._strict or ((knocked or rescan) and self._has_company()))
            self._recorder.record(self.sampler.collect(last=last or share or moves), last=last)
            if self._recorder.added != self._noted and self._seat is not None:
                self._noted = note(self._seat, self._recorder, self._own.id, self._machine.procfs)
        moved = moves and self.sampler is not None and self._move()
        if share and not moved:
            self._share()

    def hear(self) -> Iterator[dict[str, Any]]:
        """Marks of the other ranks of this run's job, where they count."""
        if self.heard is not None and self._seat is not None:
            self.heard.meet(self._seat.others())
            yield from self.heard.marks(self._recorder.start_s)

    def _share(self) -> None:
        """From now on read for the others too, and have an account like them."""
        self._widen()
        assert self.sampler is not None
        self._reader = self._new_reader(self.sampler)
        self._reader.begin(self._recorder)
        self._reader.tell(self._recorder.fold.facts)

    def _widen(self) -> None:
        """See the accelerators of the others too."""
        if self._seat is None or not visible(self._machine.environ):
            return
        found = [meter for meter in self._discover(unhidden(self._machine)) if hasattr(meter, "visible_to")]
        hidden = [meter for meter in self.meters if hasattr(meter, "visible_to")]
        self.meters = found + [meter for meter in self.meters if meter not in hidden]
        if (before := self.sampler) is not None:
            self._sample().go_on(before)
        close_all(hidden)

    def _new_reader(self, sampler: Sampler) -> Reader:
        from sootprint.tracker.reader import Reader

        beside = self._service.neighbours
        return Reader(self._machine, sampler, self.meters, own=self._own, seat=self._seat, beside=beside)

    def _take_over(self) -> bool:
        """Whether this run reads for all from now on, as whoever did has gone."""
        if self._seat is not None and not self._seat.take():
            return False
        if self._return():
            return True
        if self._seat is not None and not self._seat.reads:  # it went, and the service has gone meanwhile
            return False
        machine = self._machine if self._seat is None else unhidden(self._machine)
        self.meters = list(self._discover(machine))
        self._lead(waited=self._waited)
        self._waited = True
        return True

    def _lead(self, *, waited: bool) -> None:
        """Read for all from now on, from where whoever did so has left."""
        self._reader = self._new_reader(self._sample())
        self._reader.resume(waited=waited, heir_of=self._heir_of)
        self._recorder.held = self._reader.held
        self._heir_of = None

    def _give_way(self) -> None:
        """Read no longer, as another run or the node service does so for all."""
        close_all(self.meters)
        self.forget()

    def forget(self) -> None:
        """Let go of the meters, and so of the files that they keep open: a run is in circles of references."""
        self.meters, self.sampler, self._reader = [], None, None

    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """Facts of the meters as the reader told them, where another process reads and this run has none yet."""
        if self.untold and self._service.joined:
            self.untold = False
            return self._service.facts
        if not self.untold or self._seat is None:
            return {}
        from sootprint.tracker.reader import facts_on_board

        found = facts_on_board(self._seat, self._machine.procfs)
        self.untold = not found
        return found

    def tell(self) -> None:
        """Tell the others the facts of the meters, where this run reads for them."""
        if self._reader is not None:
            self._reader.tell(self._recorder.fold.facts)

    def wait(self, stopping: Flag, duration_s: float) -> bool:
        """Whether the run is to stop, after at most `duration_s` [s]; a knock of another run ends the wait too."""
        if not stopping.is_set and self._service.wait(duration_s):
            return stopping.is_set
        if self._seat is None or not self._seat.has_pipe:
            return stopping.wait(duration_s)
        if not stopping.is_set:
            self._seat.wait(duration_s)
        return stopping.is_set

    def interrupt(self) -> None:
        """End a wait at once."""
        self._service.ring()
        seat = self._seat  # the measuring thread may let go of it meanwhile
        if seat is not None and seat.has_pipe:
            seat.wake()

    def is_dense(self) -> bool:
        """Whether looks may come sooner: not where a card is split, as drivers seldom tell of processes."""
        return self._reader is None or not any(hasattr(meter, "processes") for meter in self.meters)

    def hurry(self) -> bool:
        """Whether another run asked for a tick now, or the node service has gone."""
        return self._service.is_broken or (self._seat is not None and self._seat.knocked)

    def end(self, at_s: float | None = None) -> None:
        """Take the last readings, as of when the run was told to stop [s], and let another run read at once."""
        self._recorder.until_s = at_s
        self._take_last()
        self._service.be_gone()
        if self._seat is not None:
            self._seat.hand_over()

    def _take_last(self) -> None:
        if not self._service.joined and self.sampler is None and self._has_ended():
            self._take_over()  # who read for it has gone to the node service, which charges the others by now
        was_served = self._service.joined
        if self._service.settle(self._recorder, 2.0 * ANSWER_S):
            return
        self._ends = True
        if was_served:
            self._drift()
            self._wait_for_account()
        if self.sampler is None:
            self._take_over()
        elif self._reader is None and self._seat is not None and self._seat.has_company():
            self._seat.knocked = True  # who waits was not heard yet
            self.tick()
        if self._seat is not None:
            self._seat.leave()
        if self.sampler is not None:
            self.tick(last=True)
            return
        assert self._seat is not None
        self._seat.wake()
        settled = self._settled()
        gives_up = self._seat.give_up()
        if not settled and not gives_up:  # whoever reads has seen it just now
            settled = self._settled()
        self._recorder.take(settled if isinstance(settled, list) else self._account())
        if not settled and gives_up and not self._is_left_a_part():
            self._recorder.leave_to_others()

    def _settled(self) -> Any:
        """Last account of this run, which has left, or True where it had to take over to have it."""
        return self._await(lambda: self._entries(closed=True) or self._take_over())

    def _await(self, answer: Callable[[], Any]) -> Any:
        until_s = time.monotonic() + ANSWER_S
        while not (found := answer()) and time.monotonic() < until_s:
            time.sleep(0.002)
        return found

    def close(self) -> None:
        """Leave the seat to another run."""
        self._service.close()
        self._service.be_gone()
        if self._seat is not None:
            self._seat.leave()
            self._seat.give_up()
            if self.heard is not None:
                self.heard.close(self._seat.others())
            self._let_go()

    def _let_go(self) -> None:
        if self._seat is not None:
            self._seat.close()
            self._seat = None
