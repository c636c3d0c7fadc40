"""What is known of one component while a run goes on: its energy, its gaps, and how busy it was."""

from __future__ import annotations

import math

from sootprint.core import classes, energy
from sootprint.core.classes import dataclass, field
from sootprint.core.protocols import Reading
from sootprint.meters.wall import NAMES as WALL_METERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IDLE_UTILISATION = 0.05
BUCKET_S = 1.0  # at first, so that the course of a short run can be seen
COARSER = {1.0: 5, 5.0: 3, 15.0: 4}  # buckets that are joined when there are too many, until one is a minute
MAX_SHORT_BUCKETS, MAX_BUCKETS = 48, 1440
WALL = "wall"
ENOUGH = 0.9  # of the time that another wall meter measured, for a preferred one to be kept


@dataclass(slots=True, kw_only=True)
class ComponentState:
    """Sums over the readings of one component; plain numbers, so that a journal can hold them."""

    meter: str
    component: str
    basis: str
    low_ratio: float = 1.0
    high_ratio: float = 1.0
    wraps_at_j: float | None = None
    max_power_w: float | None = None
    integrated: bool = False  # a power that the sampler integrates: energy of a gap is not in it
    dropped: bool = False
    at_s: float | None = None
    counter_j: float | None = None
    power_w: float | None = None
    energy_j: float = 0.0
    rest_j: float = 0.0  # that nobody is charged with, of a run that pays for its own processes alone
    without_j: float = 0.0  # charged while no run around this one was measured
    variance_j2: float = 0.0
    covered_s: float = 0.0
    bridged_s: float = 0.0
    bridged_j: float = 0.0
    lost_s: float = 0.0
    late_s: float = 0.0  # of it, before the first reading
    filled_s: float = 0.0  # of it, what is filled already, with the energy of that time
    filled_j: float = 0.0
    idle_j: float = 0.0
    busy_s: float = 0.0
    judged_s: float = 0.0  # time for which a utilisation is known
    min_w: float | None = None
    max_w: float | None = None
    latest_w: float | None = None
    missing: str | None = None
    moved: bool = False
    bucket_s: float = BUCKET_S
    buckets: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, reading: Reading, *, integrated: bool) -> ComponentState:
        """State of a component that was just seen for the first time."""
        return cls(
            meter=reading.meter,
            component=reading.component,
            basis=reading.basis,
            low_ratio=reading.low_ratio,
            high_ratio=reading.high_ratio,
            wraps_at_j=reading.wraps_at_j,
            max_power_w=reading.max_power_w,
            integrated=integrated,
        )

    @classmethod
    def load(cls, data: dict[str, Any]) -> ComponentState:
        """State as a journal holds it.

        Raises:
            ValueError: Its times are impossible.
        """
        state = cls(**data)
        if not (BUCKET_S <= state.bucket_s < math.inf and (state.at_s or 0.0) >= 0.0):
            raise ValueError(f"buckets of {state.bucket_s} s, read at {state.at_s} s")
        return state

    def dump(self) -> dict[str, Any]:
        """Plain numbers for a journal."""
        return {spec.name: getattr(self, spec.name) for spec in classes.fields(self)}

    def spend(
        self,
        at_s: float,
        counter_j: float | None,
        power_w: float | None,
        *,
        max_gap_s: float,
        slept_s: float = 0.0,
    ) -> energy.Spend:
        """Energy between the last reading and a later one.

        Args:
            at_s: Instant of the later one [s].
            counter_j: Its counter [J].
            power_w: Its power [W].
            max_gap_s: Longest time that two powers may stand for [s].
            slept_s: Time in between that the monotonic clock left out, in which a counter may have gone on [s].
        """
        duration_s = at_s - (self.at_s or 0.0)
        if counter_j is not None and self.counter_j is not None:
            if self.missing is not None and self.integrated:
                return energy.Spend(None, self.missing)
            return energy.counted(
                self.counter_j,
                counter_j,
                duration_s + slept_s,
                wraps_at_j=self.wraps_at_j,
                max_power_w=self.max_power_w,
            )
        if power_w is not None and self.power_w is not None:
            if self.missing is not None:
                return energy.Spend(None, self.missing)
            # a modelled power is the mean since the look before, however long ago that was
            limit_s = math.inf if self.basis == "modelled" else max_gap_s
            return energy.integrated(self.power_w, power_w, duration_s, max_gap_s=limit_s)
        return energy.Spend(None, "meter changed between counter and power")

    def step_j(self, at_s: float, counter_j: float | None, *, slept_s: float = 0.0) -> float | None:
        """Energy of a usual step of a counter, as `spend` tells it too; None where there is more to settle [J]."""
        if counter_j is None or self.counter_j is None or self.at_s is None or self.missing is not None:
            return None
        step_j = counter_j - self.counter_j
        limit_j = math.inf
        if self.max_power_w is not None:
            limit_j = self.max_power_w * (at_s - self.at_s + slept_s + energy.COUNTER_STEP_S)
            if self.wraps_at_j is not None and limit_j >= self.wraps_at_j:
                return None
        return step_j if 0.0 <= step_j <= limit_j and counter_j < math.inf else None

    def share(self) -> None:
        """Fill the gaps so far at the mean power so far: from now on the run is charged a part only."""
        if self.covered_s > 0.0:
            self.filled_j += (self.lost_s - self.filled_s) * self.energy_j / self.covered_s
            self.filled_s = self.lost_s

    def fill_begin(self, step_s: float, least_s: float, *, is_shared: bool) -> None:
        """Fill what was lost as the run began at the power of the first looks, once these are long enough.

        That is as long as the time before them, as a training begins at another power than it has later. A run that
        shares does not wait for that: it may be charged another part of the machine soon.

        Args:
            step_s: Time that was measured since the look before [s].
            least_s: Shortest time to judge a power by [s].
            is_shared: Whether others are charged for the machine, too.
        """
        enough_s = least_s if is_shared else max(least_s, self.late_s)
        if not self.covered_s >= enough_s > self.covered_s - step_s:
            return
        if is_shared:
            self.share()
        elif self.moved:
            self.filled_j += self.late_s * self.energy_j / self.covered_s
            self.filled_s += self.late_s

    def add(self, spent_j: float, start_s: float, end_s: float, utilisation: float | None) -> None:
        """Count energy that was spent in `[start_s, end_s)` since the run's start [s]."""
        duration_s = end_s - start_s
        self.energy_j += spent_j
        self.covered_s += duration_s
        self.moved = self.moved or spent_j > 0.0
        self.latest_w = mean_w = spent_j / duration_s
        if self.min_w is None or mean_w < self.min_w:
            self.min_w = mean_w
        if self.max_w is None or mean_w > self.max_w:
            self.max_w = mean_w
        if utilisation is not None:
            self.judged_s += duration_s
            self.busy_s += utilisation * duration_s
            self.idle_j += spent_j if utilisation < IDLE_UTILISATION else 0.0
        self.place(spent_j, start_s, end_s)

    def pending_j(self, until_s: float) -> float:
        """Energy since the last look, at the mean power so far [J]; none while a reading is missing."""
        if self.at_s is None or self.covered_s <= 0.0 or self.missing is not None:
            return 0.0
        return self.energy_j / self.covered_s * max(0.0, until_s - self.at_s)

    def place(self, spent_j: float, start_s: float, end_s: float) -> None:
        """Spread energy over the buckets that `[start_s, end_s)` touches, in proportion to time."""
        while end_s > self.bucket_s * (MAX_SHORT_BUCKETS if self.bucket_s in COARSER else MAX_BUCKETS):
            self._coarsen(COARSER.get(self.bucket_s, 2))
        bucket_s, buckets = self.bucket_s, self.buckets
        last = int(end_s / bucket_s)
        while len(buckets) <= last:
            buckets.append(0.0)
        at_s, share_w = start_s, spent_j / (end_s - start_s)
        for index in range(int(start_s / bucket_s), last + 1):
            until_s = end_s if index == last else (index + 1) * bucket_s
            if until_s > at_s:
                buckets[index] += share_w * (until_s - at_s)
                at_s = until_s

    def _coarsen(self, count: int) -> None:
        """Join each `count` buckets to one."""
        self.buckets = [
            sum(self.buckets[first : first + count]) for first in range(0, len(self.buckets), count)
        ]
        self.bucket_s *= count


def kind_of(state: ComponentState) -> str:
    """Kind of a component: its name without its index."""
    return state.component.partition(":")[0]


def superseded(states: list[ComponentState]) -> set[int]:
    """Indices of components that another meter measures better: a model beside a counter of the same kind.

    Of several meters of the whole node one is kept; a node's own counters of its parts stand in only where no other
    sensor reads the part.
    """
    sensed = {kind_of(state) for state in states if state.basis != "modelled" and not state.dropped}
    out = {
        index
        for index, state in enumerate(states)
        if state.dropped or (state.basis == "modelled" and kind_of(state) in sensed)
    }
    kept = {index: state for index, state in enumerate(states) if index not in out}
    if any(state.meter in WALL_METERS for state in kept.values()):
        out |= _told_twice(kept)
    return out


def unsummed(states: list[ComponentState]) -> set[int]:
    """Indices of components whose energy is not added to that of the others: the superseded, and a meter around them.

    The parts tell when energy was spent; a wall meter that is looked at seldom does not.
    """
    out = superseded(states)
    walls = {index for index, state in enumerate(states) if kind_of(state) == WALL}
    return out | walls if len(out | walls) < len(states) else out


def _told_twice(kept: dict[int, ComponentState]) -> set[int]:
    """Indices of components that two sensors read, but for the one that counts."""
    walls = [index for index, state in kept.items() if kind_of(state) == WALL]
    most_s = max((kept[index].covered_s for index in walls), default=0.0)
    enough = [index for index in walls if kept[index].covered_s >= ENOUGH * most_s]
    best = min(enough, key=lambda index: _preference(kept[index].meter), default=None)
    by_others = {kind_of(state) for state in kept.values() if state.meter not in WALL_METERS}
    parts = {
        index
        for index, state in kept.items()
        if state.meter in WALL_METERS and kind_of(state) != WALL and kind_of(state) in by_others
    }
    return parts | {index for index in walls if index != best}


def _preference(meter: str) -> int:
    return WALL_METERS.index(meter) if meter in WALL_METERS else len(WALL_METERS)
