"""A run's ways to and from the node service: with all runs of its user at a time, so that two never read for them."""

from __future__ import annotations

import abc
import contextlib
import math
import time

from sootprint.core.protocols import Machine
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.registration import Registration
from sootprint.tracker.seat import Seat
from sootprint.tracker.service_place import ServicePlace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from sootprint.settings import Settings
    from sootprint.tracker.accounts import Held
    from sootprint.tracker.entry import Entry
    from sootprint.tracker.reader import Reader

ANSWER_S = 0.5  # longest time that a run waits for the reader to see it come or go
SURE_TICKS = 2  # one who is about to go to the service holds the lock for an instant
TICK_S = 0.1  # and for the node service at a tick; what comes later is taken at the next one


class Guest(abc.ABC):
    """A run that the node service charges where it is there.

    Whoever reads for the runs of a user goes to the service first, and takes all of them along: it looks a last time,
    charges everybody, and lets go of the reader's lock. Nobody goes there while another one holds that lock, and nobody
    reads for all before it has the lock and has seen that the service is not there. So the service and a run never
    charge the runs of one user at the same time, whenever each of them hears that the service has gone or is back.

    Args:
        machine: Where the meters look.
        settings: Settings of the run.
        warn: Called with one line for a person.
    """

    def __init__(self, machine: Machine, settings: Settings, warn: Callable[[str], object]) -> None:
        self._machine, self._settings, self._warn = machine, settings, warn
        self._own: Registration
        self._recorder: Recorder
        self._seat: Seat | None = None
        self._service = ServicePlace(settings, machine.sysfs, warn)
        self._reader: Reader | None = None  # for all runs here, where this one reads for others too
        self._adrift_s: float | None = (
            None  # since when the service has gone, and nobody charges this run yet [s]
        )
        self._led = 0  # looks in turn at which another run of this user read while this one was served
        self._was_served = self._ends = False

    def _enter(self) -> bool:
        """Whether the node service charges this run from now on; who reads for others goes there first, with all."""
        if self._seat is None or not self._service.is_there:
            return self._join(ANSWER_S)
        with self._seat.passage() as is_free:
            return (is_free or not self._is_led()) and self._join(ANSWER_S)

    def _is_led(self, *, by_known: bool = False) -> bool:
        """Whether who holds the reader's lock goes to the node service too, or may only be about to say so."""
        assert self._seat is not None
        holder = self._seat.holder()
        return not by_known if holder is None else holder.service == self._service.path

    def _join(self, wait_s: float) -> bool:
        """Whether the node service charges this run from now on."""
        if not self._service.join(self._own, wait_s=wait_s):
            return False
        self._own = self._own._replace(parent=self._own.parent or self._service.parent)
        return True

    def _return(self) -> bool:
        """Whether the node service charges this run from now on, as nobody else reads and all until now is charged."""
        if self._ends or not self._service.is_there:
            return False
        told, has_ended = self._entries(), self._has_ended()
        if has_ended is False or (
            self._adrift_s is None and not has_ended
        ):  # an account goes on, which ends first
            return False
        if not self._join(TICK_S):
            return False
        if told:
            self._recorder.take(told)
        return self._follow()

    def _has_ended(self) -> bool | None:
        """Whether who read for this run has taken all to the node service; None where nobody told an account."""
        from sootprint.tracker.reader import has_ended

        return None if self._seat is None else has_ended(self._seat, self._machine.procfs)

    def _move(self) -> bool:
        """Whether the node service charges this run and those that it reads for from now on, as it is there."""
        if not self._join(TICK_S):
            if self._own.service != self._service.path:
                self._register()
            return False
        if self._reader is None and self._has_company():
            self._share()
        if self._reader is not None:
            self._reader.end()
            self._recorder.take(self._reader.entries(self._own.id))
        self._give_way()
        self._follow()
        return True

    def _follow(self) -> bool:
        """Whether the node service charges this run, which lets another one read."""
        if self._seat is not None:
            self._recorder.held = self._held() if self._adrift_s is not None else {}
            self._seat.rest()
        self._adrift_s = None
        is_served = self._service.follow(self._recorder, ANSWER_S)
        if not is_served:
            self._drift()
        return is_served

    def _held(self) -> Held:
        """Since when others of this user were charged meanwhile, of whom one has read."""
        from sootprint.tracker.reader import held_on_board

        assert self._seat is not None
        return held_on_board(self._seat, self._machine.procfs, self._own.id)

    def _is_served(self) -> bool:
        """Whether the node service charges this run, and told what; not where one reads who will go back there."""
        if self._service.is_idle:
            return False
        was_served = self._service.joined
        if self._service.follow(self._recorder, TICK_S):
            self._led = self._led + 1 if self._is_led_elsewhere() else 0
            if self._led < SURE_TICKS:
                return True
            self._led = 0
            self._service.close()
        if was_served:
            self._drift()
        return False

    def _is_led_elsewhere(self) -> bool:
        """Whether another run of this user reads, though this one is served: it left a service that hung."""
        if self._seat is None:
            return False
        with self._seat.passage() as is_free:
            return not is_free and self._is_led(by_known=True)

    def _drift(self) -> None:
        """Be seen by the others, as the service has gone and nobody charges this run."""
        self._was_served, self._adrift_s = True, self._machine.clock.monotonic_s()
        self._register()

    def _register(self) -> None:
        """Be seen by the other runs of this user."""
        self._own = self._own._replace(service=self._service.path)
        if self._seat is not None:
            with contextlib.suppress(OSError):
                self._seat.register(self._own)

    def refresh(self, wait_s: float) -> None:
        """Let who reads for this run look now, and take the account of that; at most `wait_s` [s]."""
        if self._seat is None or self._seat.has_pipe or self._service.joined:
            return
        asked_s = self._machine.clock.monotonic_s()
        self._seat.wake()
        until_s = time.monotonic() + wait_s
        while time.monotonic() < until_s:
            entries = self._entries() or []
            if any(entry.at_s >= asked_s for entry in entries):
                self._recorder.take(entries)
                return
            time.sleep(0.001)

    def _entries(self, *, closed: bool = False) -> list[Entry] | None:
        """Account of this run as another one told it."""
        from sootprint.tracker.reader import on_board

        assert self._seat is not None
        after_s = -math.inf if self._adrift_s is None else self._adrift_s
        procfs, run = self._machine.procfs, self._own.id
        rest, found, held = on_board(self._seat, procfs, run, closed=closed, after_s=after_s)
        self._recorder.take_rest(rest)
        self._recorder.held = held
        self._adrift_s = None if found else self._adrift_s
        return found

    def _has_company(self) -> bool:
        """Whether another run is here, of this user or of others."""
        return (self._seat is not None and self._seat.has_company()) or self._service.has_neighbours

    def _is_left_a_part(self) -> bool:
        """Whether who reads for another user has left this run its part until now, with which nobody is charged."""
        return self._recorder.added > 0 and self._service.has_neighbours

    @abc.abstractmethod
    def _share(self) -> None:
        """Read for the others too."""

    @abc.abstractmethod
    def _give_way(self) -> None:
        """Read no longer."""
