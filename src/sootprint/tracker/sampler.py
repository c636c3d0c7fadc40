"""The sampling loop: reads every meter once a period, journals what it saw, and never lets an error out."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sootprint.core import energy
from sootprint.core.errors import MeterError, SootprintError
from sootprint.core.protocols import Clock, Machine, Meter, Reading
from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import Journal
from sootprint.tracker.sound import sound

HASTE = 0.4  # of the polling period, while a power moves so much that its energy is uncertain
UNCERTAIN = 0.005  # standard error of one tick's energy over that energy
JITTER = 0.5  # polls come at 0.5 to 1.5 of their period, so that no wave is met always at the same phase
UNMOVED_TICKS = 3
UNMOVED_S = 1.5  # a slow counter moves some times a second, so that it is not judged before this [s]
UNMOVED_LAST_S = 0.5  # nor in a run that is shorter than this [s]


class Seen(NamedTuple):
    """What one look at a meter gave: its sound readings, and why there is none of the others."""

    readings: Sequence[Reading]
    faults: Mapping[str, str] = MappingProxyType({})
    reason: str | None = None

    def why_not(self, component: str) -> str:
        """Why a component was not read."""
        return self.faults.get(component) or self.reason or "no reading"


class _Slow:
    """A meter that is looked at once a period or less often, and when it is due again [s]."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.due_s = 0.0


class Integrator:
    """A power-only meter, polled faster than the run's period and summed into a counter of our own."""

    def __init__(self, meter: Meter, look: Callable[[Meter], Seen], max_gap_s: float) -> None:
        self.meter = meter
        self._look = look
        self._max_gap_s = max_gap_s
        self._last: dict[str, Reading] = {}
        self._sums: dict[str, list[float]] = {}  # energy [J], variance since a tick [J^2], energy then
        self._busy: dict[str, list[float]] = {}
        self._broken: dict[str, str] = {}
        self.moves = (
            False  # whether the last tick's energy was uncertain, as the power moved between two polls
        )

    def poll(self) -> None:
        """Look once and add what was spent since the look before."""
        seen = self._look(self.meter)
        for component in self._last.keys() - {reading.component for reading in seen.readings}:
            self._broken[component] = seen.why_not(component)
            del self._last[component]
        for reading in seen.readings:
            self._add(reading)

    def _add(self, reading: Reading) -> None:
        sums = self._sums.setdefault(reading.component, [0.0, 0.0, 0.0])
        before = self._last.get(reading.component)
        if reading.utilisation is not None:
            self._busy.setdefault(reading.component, []).append(reading.utilisation)
        if before is not None and reading.at_s > before.at_s:
            spent = energy.power_spend(before, reading, max_gap_s=self._max_gap_s)
            if spent.energy_j is None:
                self._broken[reading.component] = spent.reason or "no reading"
            else:
                sums[0] += spent.energy_j
                step_s = reading.at_s - before.at_s
                sums[1] += energy.step_variance_j2(before.power_w or 0.0, reading.power_w or 0.0, step_s)
        self._last[reading.component] = reading

    def take(self) -> tuple[list[tuple[Reading, float]], dict[str, str]]:
        """Readings as of the last poll with their variance [J^2], and the components that had a gap."""
        taken = []
        self.moves = False
        for component, reading in self._last.items():
            busy = self._busy.pop(component, [])
            sums = self._sums[component]
            mean = sum(busy) / len(busy) if busy else None
            taken.append((_as_counter(reading, sums[0], mean), sums[1]))
            self.moves = self.moves or sums[1] > (UNCERTAIN * (sums[0] - sums[2])) ** 2
            sums[1:] = 0.0, sums[0]
        broken, self._broken = self._broken, {}
        return taken, broken


def look(meter: Meter, clock: Clock, start_s: float) -> Seen:
    """Sound readings of a meter in a run that began at `start_s` [s]: any error of a device is caught here alone."""
    try:
        return Seen(*sound(meter.read(), start_s=start_s, now_s=clock.monotonic_s()))
    except MeterError as err:
        return Seen((), reason=str(err))
    except (Exception, SystemExit) as err:  # a driver may raise anything, and training goes on
        return Seen((), reason=getattr(err, "strerror", None) or type(err).__name__)


def guarded(step: Callable[[], object], on_error: Callable[[str], object]) -> bool:
    """Whether a step of the measuring thread went through; no error of it ever reaches the training."""
    try:
        step()
    except Exception as err:  # the last line of defence of the measuring thread
        on_error(_in_words(err))
        return False
    return True


def _in_words(err: Exception) -> str:
    """One line about an error; without the file's path, as the line may enter the record."""
    if isinstance(err, SootprintError):
        return str(err)
    return f"{type(err).__name__}: {err.strerror if isinstance(err, OSError) else err}"


class Sampler:
    """Meters of one run and the lines that they make.

    Args:
        machine: Where the clock is.
        meters: Meters in order of preference.
        fold: Sums that each line is applied to.
        journal: File that each line goes to first, or None where none could be opened.
        start_s: Monotonic instant that the run's times count from [s].
    """

    def __init__(
        self,
        machine: Machine,
        meters: Sequence[Meter],
        *,
        fold: Fold,
        journal: Journal | None,
        start_s: float,
    ) -> None:
        self._machine = machine
        self._start_s = start_s
        self.fold = fold
        self.journal = journal
        self._meters = meters
        self._fast: list[Integrator] = []
        self._slow: list[_Slow] = []
        self.poll_s = 0.0
        self._index: dict[tuple[str, str], int] = {}
        self._uncounted: set[tuple[str, str]] = set()  # components that never gave a sound reading
        self._judged = False  # whether the counters that stand still were left out
        self.journal_failed = False

    def begin(self, head: dict[str, Any]) -> None:
        """Write the first line, whose period tells which meters are polled in between."""
        self.emit(head)
        for meter in self._meters:
            if 0.0 < _poll_s(meter) < self.fold.period_s:
                self._fast.append(Integrator(meter, self._look, self.fold.max_gap_s))
            else:
                self._slow.append(_Slow(meter))
        self.poll_s = min((_poll_s(one.meter) for one in self._fast), default=0.0)

    def now_s(self) -> float:
        """Seconds since the run's start [s]."""
        return self._machine.clock.monotonic_s() - self._start_s

    def emit(self, line: dict[str, Any]) -> None:
        """Write a line to the journal and count it."""
        if self.journal is not None:
            self.journal_failed = not self.journal.append(line)
        self.fold.apply(line)

    def _look(self, meter: Meter) -> Seen:
        return look(meter, self._machine.clock, self._start_s)

    def poll(self) -> None:
        """Look at the power-only meters."""
        for integrator in self._fast:
            integrator.poll()

    def tick(self, *, last: bool = False) -> None:
        """Look at every meter that is due, at the last tick at all of them, and journal the result."""
        rows: list[list[Any]] = []
        missing: dict[int, str] = {}
        for integrator in self._fast:
            integrator.poll()
            taken, broken = integrator.take()
            rows += [self._row(reading, variance_j2, integrated=True) for reading, variance_j2 in taken]
            self._miss(integrator.meter, Seen([reading for reading, _ in taken], broken), missing)
        for slow in self._slow:
            if self.now_s() < slow.due_s and not last:
                continue
            seen = self._look(slow.meter)
            slow.due_s = self.now_s() + _poll_s(slow.meter) - 0.5 * self.fold.period_s
            rows += [self._row(reading, 0.0, integrated=False) for reading in seen.readings]
            self._miss(slow.meter, seen, missing)
        self.emit({"k": "tick", "s": round(self.now_s(), 4), "r": rows, "miss": list(missing.items())})
        if not self._judged and self._may_judge(last):
            self._judged = True
            self._drop_unmoved()

    def _may_judge(self, last: bool) -> bool:
        """Whether the counters were watched for long enough to tell that one stands still."""
        long_enough = self.fold.ticks >= UNMOVED_TICKS and self.fold.last_s >= UNMOVED_S
        return long_enough or (last and self.fold.last_s >= UNMOVED_LAST_S)

    def _row(self, reading: Reading, variance_j2: float, *, integrated: bool) -> list[Any]:
        key = (reading.meter, reading.component)
        if key not in self._index:
            self._index[key] = len(self._index)
            state = ComponentState.of(reading, integrated=integrated)
            state.component = self._free_name(state.component)
            self.emit({"k": "comp", "c": state.dump()})
        at_s = round(reading.at_s - self._start_s, 5)
        return [self._index[key], at_s, reading.energy_j, reading.power_w, reading.utilisation, variance_j2]

    def _free_name(self, component: str) -> str:
        """Name of a component, with the next index where a meter of another vendor has taken it."""
        taken = {state.component for state in self.fold.states}
        kind, colon, index = component.partition(":")
        while colon and component in taken:
            index = str(int(index) + 1)
            component = f"{kind}:{index}"
        return component

    def _miss(self, meter: Meter, seen: Seen, missing: dict[int, str]) -> None:
        """Note each component of a meter that gave no sound reading, or had a gap since the last tick."""
        if not seen.faults and len(seen.readings) == self._count(meter.name):
            return
        whole = {reading.component for reading in seen.readings} - seen.faults.keys()
        for (name, component), index in self._index.items():
            if name == meter.name and component not in whole:
                missing[index] = seen.why_not(component)
        for component in seen.faults:
            key = (meter.name, component)
            if key not in self._index and key not in self._uncounted:
                self._uncounted.add(key)
                self._note(f"{component} was not counted: {meter.name}: {seen.why_not(component)}")

    def _count(self, name: str) -> int:
        return sum(1 for meter, _ in self._index if meter == name)

    def _drop_unmoved(self) -> None:
        """Leave out counters that stand still while others move: they exist and measure nothing."""
        unmoved = [index for index, state in enumerate(self.fold.states) if _stands_still(state)]
        if unmoved:
            named = ", ".join(self.fold.states[index].component for index in unmoved)
            meters = ", ".join(sorted({self.fold.states[index].meter for index in unmoved}))
            self.emit(
                {
                    "k": "drop",
                    "i": unmoved,
                    "why": f"{meters}: the counter of {named} does not move; not used",
                }
            )

    def _note(self, text: str) -> None:
        self.fold.apply({"k": "note", "text": text})

    def _failed(self, text: str) -> None:
        self._note(f"a sample failed: {text}")

    def _poll_pause_s(self, jitter: random.Random) -> float:
        """Time until the next look at the power-only meters [s]."""
        pause_s = self.poll_s * jitter.uniform(1 - JITTER, 1 + JITTER)
        return HASTE * pause_s if any(one.moves for one in self._fast) else pause_s

    def loop(self, wait: Callable[[float], bool], period_s: float, each_tick: Callable[[], None]) -> None:
        """Tick every `period_s` until `wait(seconds)` answers True.

        Args:
            wait: Sleeps for at most the given seconds and tells whether to stop.
            period_s: Time between two ticks [s].
            each_tick: Called after each tick, for what the run does then.
        """
        due_s = self.now_s() + period_s
        jitter = random.Random()
        while True:
            left_s = due_s - self.now_s()
            pause_s = min(left_s, self._poll_pause_s(jitter)) if self.poll_s else left_s
            if wait(max(0.0, pause_s)):
                return
            if self.now_s() < due_s:
                self.poll()
                continue
            guarded(each_tick, self._failed)
            guarded(self.tick, self._failed)
            due_s += period_s
            if due_s <= self.now_s():
                due_s = self.now_s() + period_s


def _stands_still(state: ComponentState) -> bool:
    """Whether a device's counter was read and never moved; a model may well say that nothing was spent."""
    is_counter = state.counter_j is not None and not state.integrated and state.basis != "modelled"
    return is_counter and not state.moved and state.missing is None


def _poll_s(meter: Meter) -> float:
    return float(getattr(meter, "poll_s", None) or 0.0)


def _as_counter(reading: Reading, energy_j: float, utilisation: float | None) -> Reading:
    return Reading(
        meter=reading.meter,
        component=reading.component,
        at_s=reading.at_s,
        energy_j=energy_j,
        utilisation=utilisation,
        max_power_w=reading.max_power_w,
        low_ratio=reading.low_ratio,
        high_ratio=reading.high_ratio,
        basis=reading.basis,
    )
