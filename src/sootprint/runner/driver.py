"""The driver of a plan: when the job starts, pauses and resumes, and that it ends by its deadline.

It can be killed at any moment: what it is about to do stands in the book, and another driver goes on from there. The
guard of the deadline asks nobody. A job that was never seen to save is not paused.
"""

from __future__ import annotations

import hashlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sootprint.engines.book import Book, Plan, Segment, State
from sootprint.engines.shell import UnreachableError
from sootprint.engines.state import MARGIN
from sootprint.planner.replan import must_run
from sootprint.runner.choice import goes
from sootprint.runner.foreseen import keep, likely_s, window
from sootprint.runner.outlook import Ahead, Outlook
from sootprint.runner.power import expected

if TYPE_CHECKING:
    from sootprint.core.protocols import Engine, Handle
    from sootprint.runner.roaming import Roaming

TICK_S = 0.2
LOOK_SHARE, LOOK_MOST_S = 0.02, 30.0  # of the time that a job runs, between two choices of its place
JITTER_SHARE, JITTER_MOST_S = 0.1, 300.0  # of a step: jobs that waited for it do not start all at once
GRACE_S = 300.0  # within which a job should answer a pause
AGAIN_S = 5.0  # before a job that did not listen is asked again
SETTLE_S = 60.0  # within which a record should be fetched from another place
RETRY_S = 2.0
CANCELLED = 128 + signal.SIGINT


class Driver:
    """What drives one plan to its end.

    Args:
        book: Its book, of which this process is the driver.
        engine: What starts the job.
        outlook: Forecast of the grid.
        say: Called with one line for a person.
        roaming: Places where the job may run, in place of the one of `engine` and `outlook`.
    """

    def __init__(
        self,
        book: Book,
        engine: Engine,
        outlook: Outlook,
        *,
        say: Callable[[str], object],
        roaming: Roaming | None = None,
    ) -> None:
        self._book, self._engine, self._outlook, self._say = book, engine, outlook, say
        self._roaming = roaming
        self._chosen: tuple[float, str | None] | None = None
        self._settling: tuple[int, float] | None = None
        self._handle: Handle | None = None
        self._decided: tuple[int, bool | None, bool] | None = None
        self._foreseen: tuple[int, bool | None] | None = None
        self._asked_s: float | None = None
        self._unpausable = False
        self._waits = False
        self._ahead: Ahead | None = None
        self._complaint = ""
        self._signals: list[int] = []

    def drive(self) -> int:
        """Exit code of the job, once it has ended; 130 where it was cancelled while it waited."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda got, _: self._signals.append(got))
        while True:
            state = self._book.state()
            if state.result is not None:
                return self._ended(state.result)
            try:
                self._step(state)
            except OSError as err:  # a full disk: what is not in the book could be done twice
                self._complain(f"plan {state.plan.id} cannot go on yet: {err.strerror or err}")
                if self._signals:
                    return self._left(state)
                time.sleep(RETRY_S)

    def _step(self, state: State) -> None:
        """Do the next thing, once it is in the book."""
        if state.open_segment is not None:
            self._watch(state, state.open_segment)
        elif not self._is_settled(state):
            time.sleep(TICK_S)
        elif (code := state.ended_with) is not None:
            if self._roaming is not None:
                self._roaming.finish(state)
            self._book.write("done", code=code)
        elif self._signals:
            self._book.write("done", code=CANCELLED)
            self._say(f"cancelled while it waited: the job is not started (plan {state.plan.id})")
        elif (place := self._place(state)) is not None:
            self._begin(state, place)
        else:
            self._told_to_wait(state)
            time.sleep(TICK_S)

    def _begin(self, state: State, place: str) -> None:
        """Start the job in a place; one that cannot be reached, or is full by now, is left out for a while."""
        self._asked_s, self._decided, self._chosen = None, None, None
        resume = bool(state.segments) and state.plan.pausable
        if self._roaming is None:
            self._handle = self._engine.start(self._book, resume=resume)
            return
        try:
            engine = self._roaming.ready(state, place, must=self._must(state))
            with self._roaming.slot(place):
                self._handle = engine.start(self._book, resume=resume)
        except (UnreachableError, BlockingIOError) as err:
            if self._book.state().open_segment is not None:
                raise  # it may have begun: it is looked at until it is known
            self._roaming.shun(place, err)

    def _is_settled(self, state: State) -> bool:
        """Whether a segment that has ended in one of several places has left its record, or is waited for no more."""
        if self._roaming is None or not state.segments:
            return True
        segment, now_s = state.segments[-1], time.monotonic()
        if self._settling is None or self._settling[0] != segment.number:
            self._settling = (segment.number, now_s)
        if now_s > self._settling[1] + SETTLE_S:
            return True
        try:
            self._handle = self._handle or self._roaming.engine(segment.target).found(self._book, segment)
            running = self._handle.is_running()
        except UnreachableError as err:
            self._complain(f"{err}: its record is waited for {SETTLE_S:.0f} s")
            running = True
        if not running:
            self._handle, self._settling = None, (segment.number, -math.inf)
        return not running

    def _left(self, state: State) -> int:
        """Exit code where neither the job nor the book can be told that it is cancelled."""
        self._say(
            f"plan {state.plan.id} is left as it is, and its job may run: `sootprint recover` drives it on"
        )
        self._book.release()
        return CANCELLED

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            self._say(text)

    def _ended(self, code: int) -> int:
        """Exit code of the job, after its runner has written the record."""
        until_s = time.monotonic() + GRACE_S
        while self._handle is not None and self._handle.is_running() and time.monotonic() < until_s:
            time.sleep(TICK_S)
        self._book.release()
        return code

    def _watch(self, state: State, segment: Segment) -> None:
        """Look at a segment that was begun: pass signals on, ask for a pause where it is time, see that it was cut."""
        engine = self._engine if self._roaming is None else self._roaming.engine(segment.target)
        handle = self._handle = self._handle or engine.found(self._book, segment)
        if not handle.is_running():
            if self._book.state().open_segment is not None:  # its end is not in the book even now
                self._close(segment, handle.code())
            self._handle, self._settling = None, (segment.number, -math.inf)
            return
        for number in self._taken():
            if engine.name != "local" or not _sent_by_terminal(number):
                handle.send(number)
        if state.plan.pausable and not self._unpausable:
            self._pause(state, handle)
        time.sleep(TICK_S)

    def _close(self, segment: Segment, code: int | None) -> None:
        """Write the end of a segment whose runner could not, or that it was cut off."""
        if code is not None:
            ran_s = 0.0 if segment.started_s is None else max(0.0, time.time() - segment.started_s)
            self._book.write("ended", segment=segment.number, code=code, ran_s=ran_s)
            if segment.job is None:
                self._say(f"segment {segment.number} ended with {code} before its command was seen to begin")
            return
        self._book.write("cut", segment=segment.number)
        self._say(f"segment {segment.number} of the job was cut off; {after_cut(self._book.state())}")

    def _pause(self, state: State, handle: Handle) -> None:
        segment = state.segments[-1]
        settled = time.time() - (segment.started_s or 0.0) > GRACE_S
        if segment.deaf:  # it may still load what it needs before it listens
            self._cannot_pause("it does not catch SIGUSR1, which would end it", for_good=settled)
            if settled or time.monotonic() < (self._asked_s or 0.0) + AGAIN_S:
                return
            self._asked_s = None
        if self._asked_s is not None:
            if time.monotonic() - self._asked_s > GRACE_S:
                self._unpausable = True
                self._say(
                    f"the job has not answered a pause in {GRACE_S:.0f} s: it is not asked again, and runs on"
                )
            return
        place = segment.target if segment.job is None else self._place(state, running=True)
        if place == segment.target or not self._answers(place):
            return
        refusal = handle.pause()
        if refusal is not None:
            self._cannot_pause(refusal, for_good=settled)
            return
        self._asked_s = time.monotonic()
        why = "a dirtier time begins" if place is None else f"it is cleaner in {place}"
        self._say(f"{why}: the job is asked to save and to pause")

    def _answers(self, place: str | None) -> bool:
        """Whether a place to move to can be reached; where it cannot, the job goes on where it is."""
        if self._roaming is None or place is None:
            return True
        try:
            self._roaming.engine(place).probe()
        except UnreachableError as err:
            self._roaming.shun(place, err)
            self._chosen = None
            return False
        return True

    def _cannot_pause(self, why: str, *, for_good: bool) -> None:
        self._unpausable = for_good
        self._complain(f"the job is not paused: {why}; call sootprint.pause_requested() between two steps")

    def _place(self, state: State, *, running: bool | None = None) -> str | None:
        """Name of the place where the job runs now, or None where it waits; "" is this machine."""
        if self._roaming is None:
            return "" if self._goes(state, running=running) else None
        now_s = time.monotonic()
        if self._chosen is None or now_s >= self._chosen[0]:
            kind = running if running or not state.segments else False
            left_s, must = _left_s(state, time.time()), self._must(state)
            found = self._roaming.choose(state, left_s, running=kind, must=must)
            again_s = min(LOOK_MOST_S, max(TICK_S, LOOK_SHARE * state.plan.expect_s))
            self._chosen = (now_s + again_s, found)
        return self._chosen[1]

    def _must(self, state: State) -> bool:
        """Whether its deadline lets the job wait no more; nobody is asked for that."""
        now_s = time.time()
        return must_run(_left_s(state, now_s), state.plan.deadline_s - now_s, margin=MARGIN)

    def _goes(self, state: State, *, running: bool | None = None) -> bool:
        """Whether the job runs now; decided once for each step of the forecast, the guard at every look."""
        now_s, plan = time.time(), state.plan
        kind = running if running or not state.segments else False
        left_s, until_s = _left_s(state, now_s), plan.deadline_s - now_s
        if self._must(state):
            return True
        ahead = self._ahead = self._outlook.ahead(now_s)
        if ahead is None:
            return True  # nobody knows of a better time
        if self._decided is None or self._decided[:2] != (ahead.index, kind):
            priced = replace(plan, resume_s=state.resume_s, power_w=self._power_w(state))
            self._decided = (ahead.index, kind, decided(priced, ahead, left_s, until_s, running=kind))
        free_s = until_s - left_s * (1.0 + MARGIN)
        held = (
            not kind and self._waits and now_s < ahead.index * ahead.step_s + _jitter_s(plan, ahead, free_s)
        )
        return self._decided[2] and not held

    def _power_w(self, state: State) -> float | None:
        """Power of the job, where something is weighed against it [W]."""
        if not state.plan.idle_w:
            return None
        power_w, source = expected(self._book.folder.parents[1], state)
        self._complain(
            f"{state.plan.idle_w:g} W that stay on while it waits are weighed against {power_w:.0f} W "
            f"of its own ({source})"
        )
        return power_w

    def _told_to_wait(self, state: State) -> None:
        if self._ahead is not None and self._decided is not None and self._foreseen != self._decided[:2]:
            self._foreseen = self._decided[:2]
            keep(self._book, state, self._ahead)
        if not self._waits:
            self._waits = True
            likely = None if self._ahead is None else likely_s(state, self._ahead)
            when = "" if likely is None else f"as it looks now {_clock(likely)}, "
            self._say(
                f"the job waits for a cleaner time, {when}until {_clock(state.latest_s)} at the latest "
                f"(plan {state.plan.id}); Ctrl-C cancels it"
            )

    def _taken(self) -> list[int]:
        taken, self._signals = self._signals, []
        return taken


def decided(plan: Plan, ahead: Ahead, left_s: float, until_s: float, *, running: bool | None) -> bool:
    """Whether a job runs in the first of the steps ahead.

    Args:
        plan: The plan.
        ahead: Steps ahead.
        left_s: Time that the job still runs [s].
        until_s: Time until its deadline [s].
        running: Whether it runs; False in a pause, None before its first start.
    """
    length, slack = window(ahead, left_s, until_s)
    if slack < 1:
        return True
    return goes(plan, ahead, left=length, slack=slack, running=running)


def after_cut(state: State) -> str:
    """What becomes of a job that was cut off, for a person."""
    if state.ended_with is None:
        return "it is started again"
    return f"it is given up after {state.cuts or len(state.segments)} such ends: see why, and start it anew"


def _jitter_s(plan: Plan, ahead: Ahead, free_s: float) -> float:
    """Time of a step that a job which has waited for it lets pass, each its own [s]."""
    most_s = max(0.0, min(JITTER_SHARE * ahead.step_s, JITTER_MOST_S, free_s))
    drawn = int.from_bytes(hashlib.blake2b(plan.id.encode(), digest_size=4).digest(), "big")
    return most_s * drawn / 2**32


def _left_s(state: State, now_s: float) -> float:
    """Time that the job still runs; what the open segment has done so far is done [s]."""
    segment = state.open_segment
    if segment is None or segment.started_s is None:
        return state.left_s
    return max(0.05 * state.plan.expect_s, state.left_s - max(0.0, now_s - segment.started_s))


def _sent_by_terminal(number: int) -> bool:
    """Whether a terminal has sent a signal to the job already, as it does Ctrl-C to all in its foreground."""
    try:
        return number == signal.SIGINT and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _clock(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
