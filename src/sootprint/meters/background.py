"""A slow meter read on a thread of its own: a look that takes seconds, or for ever, delays no other meter.

The thread sums powers into a counter of joules. A meter's `read` only tells where the counter stood at the last look.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from sootprint.core.asleep import Asleep
from sootprint.core.errors import MeterError
from sootprint.core.protocols import Clock, MeterFacts, Reading
from sootprint.meters.wall import share_of_nodes

MISSED_LOOKS = 3.0  # periods that two powers may stand for, and after which a silent meter is a gap
FIRST_EPOCH_J = 1e6  # each epoch begins a joule below the one before, so that the sums see a reset
JOIN_S = 0.2


class Look(NamedTuple):
    """What one look gave: the node's power [W], an energy since any origin [J], or both."""

    power_w: float | None = None
    energy_j: float | None = None


class Background:
    """A component read in the background.

    Args:
        name: Name of the meter.
        look: Answers what the meter says now, or None where it says what it said before; raises `MeterError`.
        clock: Clock that stamps the looks.
        period_s: Time between two looks [s].
        bounds: Lowest and highest true over read energy.
        facts: Facts of the meter.
        nodes: Nodes that the meter covers, of which this one is charged an equal share [1].
        interrupt: Called when the run ends, so that a look which hangs is given up.
    """

    def __init__(
        self,
        name: str,
        look: Callable[[], Look | None],
        clock: Clock,
        *,
        period_s: float,
        bounds: tuple[float, float],
        facts: MeterFacts,
        nodes: int = 1,
        interrupt: Callable[[], object] = bool,
    ) -> None:
        self.name = name
        self.poll_s: float | None = max(1.0, 0.5 * period_s)
        self._look, self._clock, self._period_s = look, clock, period_s
        self._facts, self._interrupt, self._nodes = facts, interrupt, nodes
        self._low, self._high, self._basis = share_of_nodes(nodes, bounds)
        self._stopping = threading.Event()
        self._looked = threading.Event()
        self._thread: threading.Thread | None = None
        self._counter = Counter(MISSED_LOOKS * period_s)
        self._asleep = Asleep(clock.monotonic_s)
        self._problem: str | None = None
        self._tried_s = clock.monotonic_s()

    def read(self) -> tuple[Reading, ...]:
        """The counter as of the last look; nothing before the first look came back. The first call begins to look.

        Raises:
            MeterError: The last look failed, or the meter has been silent for several periods.
        """
        self._begin()
        silent_s = self._clock.monotonic_s() - max(self._tried_s, self._counter.at_s)
        if self._problem is not None:
            raise MeterError(self._problem)
        if silent_s > MISSED_LOOKS * self._period_s:
            raise MeterError(f"{self.name}: no new reading for {silent_s:.0f} s")
        return (self._reading(),) if self._counter.seen else ()

    def _begin(self) -> None:
        if self._thread is None:
            self._tried_s = self._clock.monotonic_s()
            self._thread = threading.Thread(target=self._run, name=f"sootprint-{self.name}", daemon=True)
            self._thread.start()

    def _reading(self) -> Reading:
        at_s, energy_j = self._counter.stand
        return Reading(
            meter=self.name,
            component="wall",
            at_s=at_s,
            energy_j=energy_j / self._nodes,
            low_ratio=self._low,
            high_ratio=self._high,
            basis=self._basis,
        )

    def wait(self, limit_s: float) -> None:
        """Wait until the first look came back, for at most `limit_s` [s]; only for those who have the time."""
        self._begin()
        self._looked.wait(limit_s)

    def facts(self) -> MeterFacts:
        """Facts of the meter."""
        return self._facts

    def close(self) -> None:
        """End the thread, and whatever it waits for."""
        self._stopping.set()
        self._interrupt()
        if self._thread is not None:
            self._thread.join(JOIN_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look_once()
            self._stopping.wait(self._period_s)

    def look_once(self) -> None:
        """Look, and add what was spent since the look before."""
        try:
            seen = self._look()
            if seen is not None:
                self._counter.add(self._clock.monotonic_s(), seen, slept=self._asleep.since_s() > 0.0)
            self._problem = None
        except MeterError as err:
            self._problem = str(err)
        except (OSError, ValueError, LookupError, TypeError, ArithmeticError) as err:
            # whatever a device answers, the thread goes on; without the file's path, which may enter the record
            self._problem = f"{self.name}: {getattr(err, 'strerror', None) or type(err).__name__}"
        self._looked.set()


class Counter:
    """Joules summed from powers, or told by the device's own counter; a gap begins a new epoch.

    Args:
        max_gap_s: Longest time that two powers may stand for [s].
    """

    def __init__(self, max_gap_s: float) -> None:
        self._max_gap_s = max_gap_s
        self._last = Look()
        self._apart_j = (
            0.0  # most that the counter has told beyond the powers, as one of large steps does [J]
        )
        self._epoch_j = FIRST_EPOCH_J
        self.seen = False
        self.stand = (0.0, FIRST_EPOCH_J)

    @property
    def at_s(self) -> float:
        """Instant of the last look [s]."""
        return self.stand[0]

    def add(self, at_s: float, look: Look, *, slept: bool = False) -> None:
        """Count a look: by the power, across a gap by the device's counter, else in a new epoch.

        Args:
            at_s: Its instant on the monotonic clock [s].
            look: What the meter says.
            slept: Whether the machine was suspended since the look before, which that clock leaves out.
        """
        spent_j = self._spent_j(at_s - self.stand[0], look, slept) if self.seen else 0.0
        if spent_j is None:
            self._epoch_j -= 1.0
            self.stand = (at_s, self._epoch_j)
        else:
            self.stand = (at_s, self.stand[1] + spent_j)
        self.seen = True
        self._last = look

    def _spent_j(self, duration_s: float, look: Look, slept: bool) -> float | None:
        counted_j, power_j = self._counted_j(look), self._power_j(duration_s, look)
        if counted_j is None or power_j is None:
            return counted_j if power_j is None else power_j
        apart_j = counted_j - power_j
        if (
            slept
        ):  # nobody has looked at the power meanwhile; what is within a step of the counter tells nothing
            return counted_j if apart_j > self._apart_j else power_j
        self._apart_j = max(self._apart_j, apart_j)
        return power_j

    def _power_j(self, duration_s: float, look: Look) -> float | None:
        before_w = self._last.power_w
        if before_w is None or look.power_w is None or duration_s > self._max_gap_s:
            return None
        return 0.5 * (before_w + look.power_w) * duration_s

    def _counted_j(self, look: Look) -> float | None:
        before_j = self._last.energy_j
        if before_j is None or look.energy_j is None or look.energy_j < before_j:
            return None
        return look.energy_j - before_j
