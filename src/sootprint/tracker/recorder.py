"""The lines of one run: what its meters or its account tell, in its journal and in its sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from sootprint.core.asleep import Asleep
from sootprint.core.protocols import Reading
from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import ANEW, BEFORE_FIRST, HELD, TO_OTHERS, Fold
from sootprint.tracker.journal import Journal
from sootprint.tracker.sampler import Part
from sootprint.tracker.sound import MOST_J

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.tracker.accounts import Held
    from sootprint.tracker.entry import Entry
    from sootprint.tracker.sampler import Glance

MOST_WAITING = 10  # ticks that are journalled and not counted yet
UNMOVED_TICKS = 3
UNMOVED_S = 1.5  # a slow counter moves some times a second, so that it is not judged before this [s]
UNMOVED_LAST_S = 0.5  # nor in a run that is shorter than this [s]


class Recorder:
    """Lines of one run.

    Args:
        monotonic_s: The monotonic clock [s].
        fold: Sums that each line is applied to.
        journal: File that each line goes to first, or None where none could be opened.
        start_s: Monotonic instant that the run's times count from [s].
    """

    def __init__(
        self, monotonic_s: Callable[[], float], *, fold: Fold, journal: Journal | None, start_s: float
    ) -> None:
        self.monotonic_s = monotonic_s
        self._asleep = Asleep(monotonic_s)
        self.start_s = start_s
        self._sums = fold
        self._waiting: list[dict[str, Any]] = []  # ticks in the journal that are not counted yet
        self.journal = journal
        self.journal_failed = False
        self._index: dict[str, dict[str, int]] = {}  # of each component, by meter and its name there
        self._uncounted: set[tuple[str, str]] = set()  # components that never gave a sound reading
        self.added = 0  # components so far
        self._judged = False  # whether the counters that stand still were left out
        self._taken: dict[int, Entry] = {}
        self.held: Held = {}  # see `Accounts.held`
        self.until_s: float | None = None  # when the run was told to stop [s]

    @property
    def fold(self) -> Fold:
        """Sums of all lines so far."""
        while self._waiting:
            self._sums.apply(self._waiting.pop(0))
        return self._sums

    def dump(self) -> list[dict[str, Any]]:
        """Lines that stand for everything so far."""
        return self.fold.dump()

    def now_s(self) -> float:
        """Seconds since the run's start [s]."""
        return self.monotonic_s() - self.start_s

    def emit(self, line: dict[str, Any]) -> None:
        """Write a line to the journal and count it."""
        if self.journal is not None:
            self.journal_failed = not self.journal.append(line)
        self.fold.apply(line)

    def note(self, text: str) -> None:
        """Count a remark for the reader of the record."""
        self._sums.apply({"k": "note", "text": text})

    def failed(self, text: str) -> None:
        """Count a tick that did not go through."""
        self.note(f"a sample failed: {text}")

    def record_first(self, parts: Sequence[Part]) -> None:
        """Journal what was seen as the run began, before its meters were found."""
        rows = [self._row(reading, None) for part in parts for reading in part.readings]
        if rows:
            self._tick(rows, {}, max(row[1] for row in rows))

    def record(self, parts: Sequence[Part], *, last: bool = False) -> None:
        """Journal what the meters told, all of it being the run's own."""
        rows: list[list[Any]] = []
        missing: dict[int, str] = {}
        for part in parts:
            if part.seen.faults:
                self._note_uncounted(part)
            if part.variances_j2 is None:
                rows += [self._row(reading, None) for reading in part.readings]
            else:
                both = zip(part.readings, part.variances_j2, strict=True)
                rows += [self._row(reading, variance_j2) for reading, variance_j2 in both]
            known = self._index.get(part.meter, {})
            for component, reason in part.absent(known).items():
                missing[known[component]] = reason
        if last and self.until_s is not None:
            self._bring_back(rows, self.until_s)
            self._tick(rows, missing, max(self.until_s, self.fold.last_s))
        else:
            self._tick(rows, missing)
        self._judge(last=last)

    def _judge(self, *, last: bool) -> None:
        if not self._judged and self._may_judge(last):
            self._judged = True
            self._drop([index for index, state in enumerate(self.fold.states) if stands_still(state)])

    def glances(self, looks: Sequence[Glance]) -> Callable[[], bool]:
        """Whether counters were journalled, as every component of the meters that told them is known and there.

        Not where those that stand still are to be left out now, nor after a suspend: a whole look does that.

        Args:
            looks: Meters and how to look at their counters.
        """
        start_s, monotonic_s, journal, waiting = self.start_s, self.monotonic_s, self.journal, self._waiting
        (boot_s, most_apart_s), most_s = self._asleep.watch, math.inf if self._judged else start_s + UNMOVED_S
        pairs = [(self._index.get(meter, {}), look) for meter, look in looks]

        def take() -> bool:
            rows: list[list[Any]] = []
            texts: list[str] = []
            for known, look in pairs:
                counters = look()
                if counters is None or len(known) != len(counters):
                    return False
                for component, at_s, energy_j, busy in counters:
                    index = known.get(component)
                    if index is None or at_s < start_s or not 0.0 <= energy_j <= MOST_J:
                        return False
                    since_s = round(at_s - start_s, 5)
                    rows.append([index, since_s, energy_j, None, busy, 0.0])
                    told = "null" if busy is None else repr(busy)  # as the encoder writes it
                    texts.append(f"[{index},{since_s!r},{energy_j!r},null,{told},0.0]")
            at_s = monotonic_s()
            if not rows or at_s >= most_s or boot_s() - at_s > most_apart_s:
                return False
            now_s = round(at_s - start_s, 4)
            line = {"k": "tick", "s": now_s, "r": rows, "miss": []}
            if journal is not None:
                text = f'{{"k":"tick","s":{now_s!r},"r":[{",".join(texts)}],"miss":[]}}\n'
                self.journal_failed = not journal.append(line, text)
            waiting.append(line)
            if len(waiting) >= MOST_WAITING:
                _ = self.fold
            return True

        return take

    def states(self) -> list[tuple[str, ComponentState]]:
        """Components so far, each with its name at its meter."""
        states = self.fold.states
        return [(source, states[index]) for known in self._index.values() for source, index in known.items()]

    def _bring_back(self, rows: list[list[Any]], until_s: float) -> None:
        """Set the last counters to the stop, between them and those before: what came later is not the run's.

        The measuring thread is woken by the stop, which takes some milliseconds where the processors are busy.
        """
        states = self.fold.states
        for row in rows:
            at_s, counter_j, before = row[1], row[2], states[row[0]]
            step_j = None if at_s <= until_s else before.step_j(at_s, counter_j)
            if step_j is not None and before.at_s is not None and before.at_s < until_s:
                row[1] = until_s
                row[2] = counter_j - step_j * (at_s - until_s) / (at_s - before.at_s)

    def _tick(self, rows: list[list[Any]], missing: dict[int, str], at_s: float | None = None) -> None:
        """Journal a tick at once; it is counted with some others, as together they cost half as much as one by one."""
        now_s = round(self.now_s() if at_s is None else at_s, 4)
        line = {"k": "tick", "s": now_s, "r": rows, "miss": list(missing.items())}
        if slept_s := self._asleep.since_s():
            line["slept"] = round(slept_s, 3)
        if self.journal is not None:
            self.journal_failed = not self.journal.append(line)
        self._waiting.append(line)
        if self._sums.progress is not None or len(self._waiting) >= MOST_WAITING:
            _ = self.fold

    def _may_judge(self, last: bool) -> bool:
        """Whether the counters were watched for long enough to tell that one stands still."""
        long_enough = self.fold.ticks >= UNMOVED_TICKS and self.fold.last_s >= UNMOVED_S
        return long_enough or (last and self.fold.last_s >= UNMOVED_LAST_S)

    def _row(self, reading: Reading, variance_j2: float | None) -> list[Any]:
        known = self._index.get(reading.meter)
        index = known.get(reading.component) if known is not None else None
        if index is None:
            index = self._add(ComponentState.of(reading, integrated=variance_j2 is not None))
        at_s = round(reading.at_s - self.start_s, 5)
        return [index, at_s, reading.energy_j, reading.power_w, reading.utilisation, variance_j2 or 0.0]

    def _add(self, state: ComponentState) -> int:
        index = sum(map(len, self._index.values()))
        self.added = index + 1
        self._index.setdefault(state.meter, {})[state.component] = index
        state.component = free_name(state.component, {known.component for known in self.fold.states})
        self.emit({"k": "comp", "c": state.dump()})
        return index

    def _note_uncounted(self, part: Part) -> None:
        for component in part.seen.faults:
            key = (part.meter, component)
            if component not in self._index.get(part.meter, ()) and key not in self._uncounted:
                self._uncounted.add(key)
                self.note(f"{component} was not counted: {part.meter}: {part.seen.why_not(component)}")

    def _drop(self, unmoved: list[int]) -> None:
        """Leave out counters that stand still while others move: they exist and measure nothing."""
        if unmoved:
            named = ", ".join(self.fold.states[index].component for index in unmoved)
            meters = ", ".join(sorted({self.fold.states[index].meter for index in unmoved}))
            why = f"{meters}: the counter of {named} does not move; not used"
            self.emit({"k": "drop", "i": unmoved, "why": why})

    def take(self, entries: Sequence[Entry]) -> None:
        """Journal what the run's account tells: its part of what the machine's one reader saw."""
        rows: list[list[Any]] = []
        missing: dict[int, str] = {}
        for entry in entries:
            index = self._index.get(entry.meter, {}).get(entry.component)
            if index is None:
                index = self._add(entry.state())
            before = self._taken.get(index)
            if before is None or (before.origin, before.since_s) != (entry.origin, entry.since_s):
                self._begin_anew(index, entry, before)
                before = self._taken[index] = _unspent(entry)
            elif before.losses != entry.losses:
                until = [self._at_s(entry.lost_from_s), entry.lost_at_j]
                self._rebase(index, until, [entry.lost_until_s, entry.lost_at_j, entry.reason])
            if entry.at_s <= before.at_s:
                if entry.missing is not None:
                    missing[index] = entry.missing
                if entry.at_s == before.at_s:  # somebody came or went since, whom no look has charged yet
                    self._taken[index] = before._replace(share=entry.share)
                continue
            if entry.gaps != before.gaps:
                missing[index] = entry.reason or "no reading"
            rows.append(self._charged(index, entry, before))
            self._taken[index] = entry
        self._tick(rows, missing)
        still = [self._index[entry.meter][entry.component] for entry in entries if entry.dropped]
        self._drop([index for index in still if not self.fold.states[index].dropped])

    def take_rest(self, entries: Sequence[Entry]) -> None:
        """Journal the end of an account that was not taken until then, where another one has begun since."""
        rest = []
        for entry in entries:
            before = self._taken.get(self._index.get(entry.meter, {}).get(entry.component, -1))
            is_same = before is not None and (before.origin, before.since_s) == (entry.origin, entry.since_s)
            since_s = self.start_s if before is None else before.at_s
            if entry.at_s >= since_s and (is_same or entry.since_s >= since_s):
                rest.append(entry)
        if rest:
            self.take(rest)

    def _begin_anew(self, index: int, entry: Entry, before: Entry | None) -> None:
        """Tell that an account begins; what its reader has charged to others by then is not filled in.

        The time between two readers is bridged by the counter that went on, where there is one.
        """
        at_s = self.fold.states[index].at_s
        if at_s is None:
            why = BEFORE_FIRST if entry.is_first else ANEW
            self._rebase(index, None, [entry.since_s, 0.0, why])
            return
        told_s = math.inf if before is None else before.at_s
        for held_s, held_j in self.held.get((entry.meter, entry.component), ()):
            if told_s <= held_s < (entry.held_s or entry.since_s):
                entry = entry._replace(held_s=held_s, held_j=held_j)
        held_s = entry.since_s if entry.held_s is None else min(entry.held_s, entry.since_s)
        until_j = before.until_j(entry, held_s) if before is not None else None
        self._rebase(index, None if until_j is None else [self._at_s(held_s), until_j], [held_s, 0.0, ANEW])
        if held_s < entry.since_s:
            self._rebase(index, None, [entry.since_s, 0.0, HELD])

    def leave_to_others(self) -> None:
        """Tell that nobody answers: from the last readings on, the runs that go on are charged for this one too."""
        now_s = self.now_s()
        last_s = [state.at_s for state in self.fold.states if state.at_s is not None]
        for index, state in enumerate(self.fold.states):
            if state.at_s is not None:
                self.emit({"k": "base", "r": [[index, None, now_s, state.counter_j or 0.0, TO_OTHERS]]})
        for_s = now_s - min(last_s, default=0.0)
        self.note(f"the last {for_s:.1f} s are not in this record: {TO_OTHERS}")

    def resume(self, entries: Sequence[Entry]) -> None:
        """Go on with an account after a restart, where its journal ends; `fold` is that of the journal."""
        known = {(state.meter, state.component): index for index, state in enumerate(self.fold.states)}
        for entry in entries:
            index = known.get((entry.meter, entry.component))
            if index is not None:
                self._index.setdefault(entry.meter, {})[entry.component] = index
                self._taken[index] = entry

    def _at_s(self, instant_s: float) -> float:
        return max(0.0, round(instant_s - self.start_s, 5))  # it may have been seen just before its start

    def _charged(self, index: int, entry: Entry, before: Entry) -> list[Any]:
        variance_j2 = max(0.0, entry.variance_j2 - before.variance_j2)
        row = [index, self._at_s(entry.at_s), entry.energy_j, None, entry.utilisation, variance_j2]
        more = (entry.rest_j - before.rest_j, entry.without_j - before.without_j)
        if self._sums.head.get("parent") is None:
            more = (more[0], 0.0)
        return [*row, *(max(0.0, one) for one in more)] if max(more) > 0.0 else row

    def _rebase(self, index: int, until: list[float] | None, since: list[Any]) -> None:
        """Tell from when on a counter counts anew, and up to where it had counted."""
        since_s, counter_j, reason = since
        self.emit({"k": "base", "r": [[index, until, self._at_s(since_s), counter_j, reason]]})


def _unspent(entry: Entry) -> Entry:
    """Entry as it was when its account began."""
    return entry._replace(energy_j=0.0, rest_j=0.0, variance_j2=0.0, without_j=0.0, at_s=entry.since_s)


def free_name(component: str, taken: set[str]) -> str:
    """Name of a component, with the next index where another meter has taken it.

    >>> free_name("accelerator:0", {"accelerator:0"}), free_name("wall", {"wall"}), free_name("cpu", {"wall"})
    ('accelerator:1', 'wall:1', 'cpu')
    """
    kind, _, index = component.partition(":")
    while component in taken:
        index = str(int(index or 0) + 1)
        component = f"{kind}:{index}"
    return component


def stands_still(state: ComponentState) -> bool:
    """Whether a device's counter was read at two instants and never moved.

    A model may well say that nothing was spent, and a meter that looks every few seconds tells the same instant twice.
    """
    is_counter = state.counter_j is not None and not state.integrated and state.basis != "modelled"
    return is_counter and not state.moved and state.missing is None and state.covered_s > 0.0
