"""The sampling loop: looks at every meter once a period, and never lets an error out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from sootprint.core import energy
from sootprint.core.errors import MeterError, SootprintError
from sootprint.core.protocols import Clock, Machine, Meter, Reading
from sootprint.tracker.glance import RESCAN_TICKS
from sootprint.tracker.sound import sound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    Counters = list[
        tuple[str, float, float, float | None]
    ]  # component, instant [s], energy [J] and utilisation
    Glance = tuple[
        str, Callable[[], Counters | None]
    ]  # of a meter, which answers None where `read` has more to tell
else:
    from sootprint.core.named import NamedTuple

SELDOM_S = 10.0  # between two looks at a model beside a sensor of its kind, as it adds the utilisation alone
HASTE = 0.4  # of the polling period, while a power moves so much that its energy is uncertain
UNCERTAIN = 0.005  # standard error of one tick's energy over that energy
JITTER = 0.5  # polls come at 0.5 to 1.5 of their period, so that no wave is met always at the same phase
YOUNG_S = 0.1  # between the first ticks of a run [s]
YOUNG_SHARE = 0.1  # of its age, until that is a period: whenever it is killed, no larger part is lost
YOUNG_STEP = 0.11  # of its age at a tick, until the next one: under a tenth of its age by then


class Seen(NamedTuple):
    """What one look at a meter gave: its sound readings, and why there is none of the others."""

    readings: Sequence[Reading]
    faults: Mapping[str, str] = MappingProxyType({})
    reason: str | None = None

    def why_not(self, component: str) -> str:
        """Why a component was not read."""
        return self.faults.get(component) or self.reason or "no reading"


class _Slow:
    """A meter that is looked at once a period or less often, how often, and when it is due again [s]."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.poll_s = _poll_s(meter)
        self.glance = None if self.poll_s else getattr(meter, "glance", None)  # a cheap look at each tick
        self.due_s = 0.0
        self.settled = False  # whether `poll_s` is what it stays
        self.models = False  # whether it may settle only once a sensor of its kind does, at a whole look
        self._before: dict[str, float | None] = {}

    def settle(self, readings: Sequence[Reading], sensed: set[str]) -> None:
        """Add the kinds that a sensor measures here to `sensed`, once it moves; slow a model of such a kind down."""
        if any(reading.basis != "modelled" for reading in readings):
            now = {reading.component: reading.energy_j for reading in readings}
            moved = {_kind(name) for name, value in now.items() if self._before.get(name, value) != value}
            self._before, self.settled = now, bool(moved)
            sensed |= moved
        elif readings and sensed.issuperset(_kind(reading.component) for reading in readings):
            self.poll_s, self.settled = max(SELDOM_S, self.poll_s), True
        else:
            self.models = bool(readings)


class Integrator:
    """A meter that is polled faster than the run's period: its powers are summed into counters of our own."""

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
        has_power = reading.power_w is not None and before is not None and before.power_w is not None
        if has_power and before is not None and reading.at_s > before.at_s:
            spent = energy.power_spend(before, reading, max_gap_s=self._max_gap_s)
            if spent.energy_j is None:
                self._broken[reading.component] = spent.reason or "no reading"
            else:
                sums[0] += spent.energy_j
                step_s = reading.at_s - before.at_s
                sums[1] += energy.step_variance_j2(before.power_w or 0.0, reading.power_w or 0.0, step_s)
        self._last[reading.component] = reading

    def go_on(self, other: Integrator) -> None:
        """Go on from the sums of another one that looked at the same meter until now."""
        self._last, self._busy = dict(other._last), dict(other._busy)
        self._sums = {component: list(sums) for component, sums in other._sums.items()}

    def take(self) -> tuple[list[tuple[Reading, float | None]], dict[str, str]]:
        """Readings as of the last poll with the variance of each sum [J^2], and the components that had a gap.

        A device's own counter is given as it is, without a variance.
        """
        taken: list[tuple[Reading, float | None]] = []
        self.moves = False
        for component, reading in self._last.items():
            busy = self._busy.pop(component, [])
            sums = self._sums[component]
            mean = sum(busy) / len(busy) if busy else None
            if reading.power_w is None:
                taken.append((reading._replace(utilisation=mean), None))
                continue
            taken.append((_as_counter(reading, sums[0], mean), sums[1]))
            self.moves = self.moves or sums[1] > (UNCERTAIN * (sums[0] - sums[2])) ** 2
            sums[1:] = 0.0, sums[0]
        broken, self._broken = self._broken, {}
        return taken, broken


def look(meter: Meter, clock: Clock, start_s: float) -> Seen:
    """Sound readings of a meter in a run that began at `start_s` [s]: any error of a device is caught here alone."""
    try:
        readings, faults = sound(meter.read(), start_s=start_s, now_s=clock.monotonic_s())
        return Seen(readings, faults) if faults else Seen(readings)
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
    return f"{type(err).__name__}: {(isinstance(err, OSError) and err.strerror) or err}"


class Part(NamedTuple):
    """What one meter gave at one look.

    Args:
        meter: Name of the meter.
        readings: Sound readings.
        variances_j2: Variance of each reading's energy since the tick before [J^2], None for a device's own counter; or
            None where nothing is integrated.
        seen: The look itself, with the reasons for what is absent.
    """

    meter: str
    readings: Sequence[Reading]
    variances_j2: Sequence[float | None] | None
    seen: Seen

    def absent(self, known: Collection[str]) -> dict[str, str]:
        """Known components that gave no sound reading or had a gap since the last tick, each with the reason."""
        if not self.seen.faults and len(self.readings) == len(known):
            return {}
        whole = {reading.component for reading in self.readings} - self.seen.faults.keys()
        return {component: self.seen.why_not(component) for component in known if component not in whole}


class Sampler:
    """The meters of this machine, each looked at when it is due.

    Args:
        machine: Where the clock is.
        meters: Meters in order of preference.
        start_s: Monotonic instant before which no reading is sound [s].
        period_s: Time between two ticks [s].
        max_gap_s: Longest time that two powers may stand for [s].
    """

    def __init__(
        self,
        machine: Machine,
        meters: Sequence[Meter],
        *,
        start_s: float,
        period_s: float,
        max_gap_s: float,
    ) -> None:
        self._clock = machine.clock
        self._start_s = start_s
        self._period_s = period_s
        self.max_gap_s = max_gap_s
        self._fast = [
            Integrator(meter, self._look, max_gap_s) for meter in meters if 0.0 < _poll_s(meter) < period_s
        ]
        self._slow = [_Slow(meter) for meter in meters if not 0.0 < _poll_s(meter) < period_s]
        self._often = self._looked_at_often()
        self._sensed: set[str] = set()  # kinds of component that a sensor measures
        self.poll_s = min((_poll_s(one.meter) for one in self._fast), default=0.0)

    def _looked_at_often(self) -> list[_Slow]:
        """Meters that are due between two whole looks; the others wait for these."""
        return [slow for slow in self._slow if slow.poll_s < RESCAN_TICKS * self._period_s]

    def _look(self, meter: Meter) -> Seen:
        return look(meter, self._clock, self._start_s)

    def go_on(self, before: Sampler) -> None:
        """Go on from the sums of another one that looked at the power-only meters until now."""
        for one in self._fast:
            for other in before._fast:
                if other.meter.name == one.meter.name:
                    one.go_on(other)

    def first(self) -> list[Part]:
        """What was seen before the meters were found, where a meter can tell."""
        parts = []
        for slow in self._slow:
            if hasattr(slow.meter, "first"):
                readings, _ = sound(
                    slow.meter.first(), start_s=self._start_s, now_s=self._clock.monotonic_s()
                )
                parts.append(Part(slow.meter.name, readings, None, Seen(readings)))
        return [part for part in parts if part.readings]

    def poll(self) -> None:
        """Look at the power-only meters."""
        for integrator in self._fast:
            integrator.poll()

    def glances(self) -> tuple[list[Glance], float]:
        """Looks at the counters that are due, by meter, and until when they suffice; then `collect` tells more."""
        found, until_s, now_s = [], -math.inf if self._fast else math.inf, self._clock.monotonic_s()
        for slow in self._often:
            if slow.glance is not None and (slow.settled or slow.models) and slow.due_s <= now_s:
                found.append((slow.meter.name, slow.glance))
            else:
                until_s = min(until_s, slow.due_s)
        return found, until_s

    def collect(self, *, last: bool = False) -> list[Part]:
        """What every meter that is due tells now; at the last tick that is all of them."""
        parts = []
        for integrator in self._fast:
            integrator.poll()
            taken, broken = integrator.take()
            readings = [reading for reading, _ in taken]
            variances = [variance_j2 for _, variance_j2 in taken]
            parts.append(Part(integrator.meter.name, readings, variances, Seen(readings, broken)))
        now_s = self._clock.monotonic_s()
        for slow in self._slow:
            if now_s < slow.due_s and not last:
                continue
            seen = look(slow.meter, self._clock, self._start_s)
            so_far_s = max(self._period_s, now_s - self._start_s)  # a young run does not know the power yet
            if not slow.settled:
                slow.settle(seen.readings, self._sensed)
                self._often = self._looked_at_often()
            slow.due_s = now_s + min(slow.poll_s, so_far_s) - 0.5 * self._period_s
            parts.append(Part(slow.meter.name, seen.readings, None, seen))
        return parts

    def pause_s(self) -> float:
        """Time until the next look at the power-only meters [s]."""
        pause_s = self.poll_s * (1.0 + JITTER * (os.urandom(1)[0] / 127.5 - 1.0))
        return HASTE * pause_s if any(one.moves for one in self._fast) else pause_s


def close_all(meters: Sequence[Meter]) -> None:
    """Let go of what some meters hold open."""
    for meter in meters:
        if hasattr(meter, "close"):
            meter.close()


class Beat:
    """When the next tick of a run is due: once a period, and sooner in a young run.

    Args:
        now_s: Instant at which the run begins on the monotonic clock [s].
        period_s: Time between two ticks [s].
        is_dense: Whether ticks may come sooner than a period.
    """

    __slots__ = ("_begun_s", "_period_s", "_step_s", "due_s")

    def __init__(self, now_s: float, period_s: float, *, is_dense: bool) -> None:
        self._begun_s, self._period_s = now_s, period_s
        self._step_s = min(period_s, YOUNG_S) if is_dense else period_s
        self.due_s = now_s + self._step_s

    @property
    def is_young(self) -> bool:
        """Whether ticks come sooner than a period."""
        return self._step_s < self._period_s

    def go_on(self, now_s: float, *, is_dense: bool = True) -> None:
        """Find when the tick after the one that was taken now [s] is due."""
        step_s = self._period_s
        if self._step_s < step_s:
            young_s = max(YOUNG_S, YOUNG_STEP * (now_s - self._begun_s))
            step_s = self._step_s = young_s if is_dense and young_s < step_s else step_s
        self.due_s += step_s
        if self.due_s <= now_s:
            self.due_s = now_s + step_s


def _stay_awake(beat: Beat) -> None:
    """No tick but whole ones."""


def loop(
    wait: Callable[[float], bool],
    tick: Callable[[], object],
    *,
    now_s: Callable[[], float],
    period_s: float,
    sampler: Callable[[], Sampler | None],
    hurry: Callable[[], bool] = bool,
    is_dense: Callable[[], bool] = bool,
    lull: Callable[[Beat], object] = _stay_awake,
) -> None:
    """Tick every `period_s` until `wait(seconds)` answers True; sooner in a young run, where `is_dense` allows it.

    Args:
        wait: Sleeps for at most the given seconds and tells whether to stop.
        tick: Called once a period; raises nothing.
        now_s: The monotonic clock [s].
        period_s: Time between two ticks [s].
        sampler: Answers whose power-only meters are looked at in between, if there are any now.
        hurry: Whether a tick is wanted at once; the next one comes when it would have come.
        is_dense: Whether ticks may come sooner than a period, so that a kill of a young run costs little.
        lull: Called after each tick; takes the next ones itself as long as they need no more than it offers.
    """
    beat = Beat(now_s(), period_s, is_dense=is_dense())
    lull(beat)
    while True:
        left_s = max(0.0, beat.due_s - now_s())
        polled = sampler()
        pause_s = min(left_s, polled.pause_s()) if polled and polled.poll_s else left_s
        if wait(pause_s):
            return
        if hurry():
            tick()
        elif now_s() < beat.due_s:
            if polled:
                polled.poll()
            continue
        else:
            tick()
            beat.go_on(now_s(), is_dense=beat.is_young and is_dense())
        lull(beat)


def _kind(component: str) -> str:
    return component.partition(":")[0]


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
