"""A job that may run in several places: which one now, and what it takes to go on there."""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sootprint.core.errors import SootprintError
from sootprint.engines import carry, engine_of
from sootprint.engines.book import FOLDER, Book, State, open_books
from sootprint.engines.local import folder_of
from sootprint.engines.shell import UnreachableError
from sootprint.engines.state import MARGIN
from sootprint.ledger import Ledger
from sootprint.meters.network import BYTES_PER_GB
from sootprint.runner import overhead, transfer
from sootprint.runner.choice import alike, chosen
from sootprint.runner.followed import KEY
from sootprint.runner.outlook import Outlook
from sootprint.runner.power import expected
from sootprint.runner.saved import TAG, completed
from sootprint.settings.targets import Target

if TYPE_CHECKING:
    from sootprint.core.protocols import Engine
    from sootprint.core.records import Footprint
    from sootprint.engines.book import Plan
    from sootprint.settings import Settings

SHUN_S = 600.0  # before a place that could not be reached is tried again
HERE = ""
OutlookOf = Callable[["Plan", "Settings", Callable[[str], object]], Outlook]


class Roaming:
    """Places of a plan.

    Args:
        book: Its book.
        settings: Settings of this machine.
        say: Called with one line for a person.
        outlook_of: Makes what tells the hours ahead of a place.
        on_finish: Called with the last record of a job that ended on another machine.
    """

    def __init__(
        self,
        book: Book,
        settings: Settings,
        say: Callable[[str], object],
        *,
        outlook_of: OutlookOf = Outlook,
        on_finish: Callable[[Footprint], object] | None = None,
    ) -> None:
        self._book, self._settings, self._say = book, settings, say
        self._outlook_of, self._on_finish = outlook_of, on_finish
        self._plan = book.state().plan
        self._targets = [Target(**one) for one in self._plan.targets]
        self._outlooks = {one.name: self._outlook(one) for one in self._targets}
        self._shunned: dict[str, float] = {}
        self._told: set[str] = set()

    def engine(self, name: str) -> Engine:
        """Engine of a place."""
        return engine_of(self._target(name))

    def choose(self, state: State, left_s: float, *, running: bool | None, must: bool) -> str | None:
        """Name of the place where the job runs now, or None where it waits.

        Args:
            state: What the book tells.
            left_s: Time that the job still runs [s].
            running: Whether it runs; False in a pause, None before its first start.
            must: Whether its deadline lets it wait no more.
        """
        place = state.segments[-1].target if running else state.where
        if running and must:
            return place  # a move now could cost the deadline
        open_to = [one for one in self._targets if self._is_open(one, state, at=place if running else None)]
        now_s = time.time()
        told = [(one, self._outlooks[one.name].ahead(now_s)) for one in open_to]
        known, left_out = alike([(one, ahead) for one, ahead in told if ahead is not None], place)
        for text in left_out:
            self._say_once(text)
        if not known:
            return self._without_forecast(open_to, place, running=running, must=must)
        move_s = max(one.transfer_s for one, _ in known)
        free_s = 0.0 if must else self._plan.deadline_s - time.time() - left_s * (1.0 + MARGIN) - move_s
        priced = replace(self._plan, resume_s=state.resume_s, power_w=self._power_w(state))
        known = [(self._priced(one, state), ahead) for one, ahead in known]
        unknown = [one.name for one, _ in known if one.pue is None]
        if 0 < len(unknown) < len(known):
            self._say_once(
                f"places are ranked without their PUE, as that of {', '.join(unknown)} is not known"
            )
        return chosen(priced, known, place, left_s=left_s, free_s=free_s, running=running)

    def _priced(self, target: Target, state: State) -> Target:
        """A place with what goes there, and with its own PUE."""
        arguments = self._plan.arguments
        pue = overhead.pue_of(target, self._settings, arguments=arguments, at_s=time.time())
        line = overhead.unused(target, self._settings, arguments=arguments, pue=pue)
        if line is not None:
            self._say_once(line)
        return replace(target, data_gb=target.data_gb or _carried_gb(state), pue=pue)

    def ready(self, state: State, name: str, *, must: bool) -> Engine:
        """Engine of a place that answers, and where what the job needs has arrived.

        Args:
            state: What the book tells.
            name: Name of the place.
            must: Whether the deadline lets it wait no more: then it goes on from what lies there, where the place
                that has more does not answer.

        Raises:
            OSError: The place cannot be reached.
        """
        engine = self.engine(name)
        engine.probe()
        if self._plan.carry and state.where != name:
            try:
                self._carry(state, name)
            except UnreachableError as err:
                if not must or self._is_there(state.where):
                    raise  # it goes on where what it saved lies
                self._say(f"{err}; it goes on from what lies in {name or 'this machine'}")
        return engine

    def _is_there(self, name: str) -> bool:
        """Whether a place answers."""
        try:
            self.engine(name).probe()
        except OSError:
            return False
        return True

    def shun(self, name: str, error: OSError) -> None:
        """Do without a place that cannot be reached for a while, and say so once."""
        if isinstance(error, BlockingIOError):
            return  # another plan was quicker: it is full, and looked at again
        self._shunned[name] = time.monotonic() + SHUN_S
        text = str(error)
        self._say_once(f"{text}; the job runs elsewhere or waits, and in time for its deadline all the same")

    def _say_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._say(text)

    def _power_w(self, state: State) -> float | None:
        """Power of the job, where a move or idle draw is weighed against it [W]."""
        if not (self._plan.idle_w or _carried_gb(state) or any(one.data_gb for one in self._targets)):
            return None
        power_w, source = expected(self._settings.home, state)
        self._say_once(f"moves and idle draw are weighed against a job of {power_w:.0f} W ({source})")
        return power_w

    def finish(self, state: State) -> None:
        """Bring what the job has made home, and say in its last record what waiting and moving saved."""
        self._bring_home(state)
        try:
            self.complete()
        except SootprintError as err:
            self._say(f"what the plan saved is not known: {err}")

    def complete(self) -> None:
        """Give each record of the plan its place in it; those of other machines know their own part alone.

        Raises:
            RecordError: The ledger cannot be read or written.
        """
        found: dict[int, Footprint] = {}
        with Ledger(self._settings.home) as ledger:
            for row in ledger.runs():
                if row.tags.get(TAG) == self._plan.id:
                    record = ledger.get(row.id)
                    number = segment_of(record, self._plan.id)
                    if number is not None:
                        found[number] = record
        made = [completed(found[number], self._book, number, self._settings) for number in sorted(found)]
        segments = self._book.state().segments
        target = self._target(segments[-1].target) if segments else None
        if made and max(found) == segments[-1].number and target is not None and target.is_remote:
            self._hand_over(made[-1])

    def _hand_over(self, record: Footprint) -> None:
        """Give the last record to whoever waits for it here, as a runner of this machine would have done."""
        from sootprint.runner import write_record

        words = self._plan.arguments
        if "--record" in words:
            path = Path(self._plan.cwd, words[words.index("--record") + 1])
            try:
                write_record(path, record)
            except SootprintError as err:
                self._say(f"--record: {err}")
        if self._on_finish is not None:
            self._on_finish(record)

    def _bring_home(self, state: State) -> None:
        """Carry what the job has made to this machine; where that fails, say where it lies."""
        if not self._plan.carry or state.where == HERE:
            return
        try:
            self._carry(state, HERE)
        except OSError as err:
            target = self._target(state.where)
            lies = f"{target.host or 'this machine'}:{folder_of(self._plan, target)}" if target else "there"
            self._say(f"what it made stays in {lies}: {err.strerror or err}")

    @contextmanager
    def slot(self, name: str) -> Iterator[None]:
        """Time in which no other plan of this machine starts in a place, so that its cap holds.

        Raises:
            BlockingIOError: The place is full.
        """
        target = self._target(name)
        if target is None or target.max_jobs is None:
            yield
            return
        path = self._settings.home / FOLDER / f"target.{name}.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if self._running(name) >= target.max_jobs:
                raise BlockingIOError(f"target {name} has {target.max_jobs} jobs, as many as it may")
            yield
        finally:
            os.close(descriptor)

    def _outlook(self, target: Target) -> Outlook:
        name = f"{self._plan.id}/{target.name}"  # what is known of each zone is kept by itself
        (self._settings.home / FOLDER / name).mkdir(parents=True, exist_ok=True)
        trace = target.trace if target.trace is not None else self._plan.trace
        plan = replace(self._plan, id=name, zone=target.zone, trace=trace)
        return self._outlook_of(plan, self._settings, self._say)

    def _target(self, name: str) -> Target | None:
        return next((one for one in self._targets if one.name == name), None)

    def _is_open(self, target: Target, state: State, *, at: str | None) -> bool:
        """Whether the job may go to a place now: the one where it runs, or one that answers and has a free slot."""
        if target.name == at:
            return True
        if self._shunned.get(target.name, -math.inf) > time.monotonic():
            return False
        if state.segments and target.name != state.segments[-1].target and not self._plan.carry:
            return False  # nobody said what would have to go with it
        return target.max_jobs is None or self._running(target.name) < target.max_jobs

    def _running(self, name: str) -> int:
        """Plans of this machine, other than this one, that run in a place."""
        count = 0
        for book in open_books(self._settings.home):
            try:
                one = book.state()
            except SootprintError:
                continue
            segment = one.open_segment
            if segment is not None and one.result is None and one.plan.id != self._plan.id:
                count += segment.target == name
        return count

    def _without_forecast(
        self, open_to: list[Target], place: str, *, running: bool | None, must: bool
    ) -> str | None:
        """Place where nobody tells the hours ahead: where it is, the first that is open, or this machine."""
        if running:
            return place
        if open_to:
            return next((one.name for one in open_to if one.name == place), open_to[0].name)
        now_s = time.monotonic()
        answers = any(self._shunned.get(one.name, -math.inf) <= now_s for one in self._targets)
        shunned = self._shunned.get(HERE, -math.inf) > now_s
        return None if (answers or shunned) and not must else HERE

    def _carry(self, state: State, name: str) -> None:
        """Copy what goes with the job to a place, note it, and charge it.

        Raises:
            OSError: A place cannot be reached, or the book cannot be written.
        """
        began_s, source, target = time.monotonic(), self._target(state.where), self._target(name)
        ends_at = [(one, folder_of(self._plan, one)) for one in (source, target)]
        if not any(one is not None and one.is_remote for one, _ in ends_at) and _same(*ends_at):
            self._book.write("carried", **transfer.nothing(state.where, name))
            return
        size = carry.carried(self._plan.carry, source=ends_at[0], target=ends_at[1], plan=self._plan.id)
        move = transfer.Move(
            size_bytes=size,
            took_s=time.monotonic() - began_s,
            source=state.where,
            target=name,
            factor=transfer.factor(target or source),
        )
        ends = {one.name: self._outlooks[one.name].ahead(time.time()) for one in (source, target) if one}
        line = transfer.charged(move, self._plan, ends, self._settings)
        self._book.write("carried", **line)
        self._say(transfer.words(move, line))


def _carried_gb(state: State) -> float:
    """Size of what was carried last [GB]."""
    return state.carried[-1].size_bytes / BYTES_PER_GB if state.carried else 0.0


def _same(one: tuple[Target | None, str], other: tuple[Target | None, str]) -> bool:
    """Whether two places of this machine are one folder."""
    return Path(one[1]).resolve() == Path(other[1]).resolve()


def segment_of(record: Footprint, plan: str) -> int | None:
    """Number of the segment that a record is of; another machine knows its own as a plan of one."""
    told = (record.plan or {}).get(KEY) or {}
    whole, _, number = str(told.get("id")).partition(".")
    if whole != plan:
        return None
    return int(number) if number.isdigit() else told.get("segment")
