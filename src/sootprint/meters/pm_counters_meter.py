"""How Cray's node counters are read: all of them between two equal looks at their freshness."""

from __future__ import annotations

import re
from typing import NamedTuple

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Clock, Machine, MeterFacts, Reading
from sootprint.meters import files
from sootprint.meters.wall import Stated, accuracy_facts, share_of_nodes, stated

TRIES = 3
STALE_S = (
    3.0  # the counters are refreshed ten times a second; one that stands still for so long measures nothing
)
PARTS = {"cpu_energy": "cpu", "memory_energy": "dram"}
_ACCELERATOR = re.compile(r"accel(\d{1,2})_energy")
# The counters are behind the cabinet's rectifiers, which lose 3 to 8 % more, and without the cabinet's cooling.
BOUNDS = (0.95, 1.10)
PART_BOUNDS = (0.93, 1.07)
SOURCE = "Prior of Sootprint (2026); scope: HPE Cray EX, Power Management Guide S-0043 (2021)"


class Counter(NamedTuple):
    """A file of joules and the component that it counts."""

    path: str
    component: str


class PmCountersMeter:
    """Energy counters of a Cray node and of its parts; where another sensor reads a part, that one counts."""

    name = "pm_counters"
    poll_s: float | None = None

    def __init__(self, folder: str, counters: tuple[Counter, ...], clock: Clock, known: Stated) -> None:
        self._freshness = f"{folder}/freshness"
        self._counters = counters
        self._clock = clock
        self._known = known
        self._fresh: int | None = None
        self._fresh_s = clock.monotonic_s()

    def read(self) -> list[Reading]:
        """Readings of all counters of one refresh.

        Raises:
            MeterError: The counters stand still, or the node's own is gone.
        """
        joules = self._joules()
        at_s = self._clock.monotonic_s()
        self._check_fresh(at_s)
        if joules.get("wall") is None:
            raise MeterError("pm_counters: the node's energy cannot be read any more")
        return [
            self._reading(name, energy_j, at_s) for name, energy_j in joules.items() if energy_j is not None
        ]

    def _joules(self) -> dict[str, float | None]:
        """Energies of one refresh; where a refresh came between, they are read again [J]."""
        joules: dict[str, float | None] = {}
        for _ in range(TRIES):
            before = files.number(self._freshness)
            joules = {counter.component: _joules(counter.path) for counter in self._counters}
            after = files.number(self._freshness)
            if before == after:
                break
        if after != self._fresh or after is None:
            self._fresh, self._fresh_s = after, self._clock.monotonic_s()
        return joules

    def _check_fresh(self, at_s: float) -> None:
        if at_s - self._fresh_s > STALE_S:
            raise MeterError(
                f"pm_counters: not refreshed for {at_s - self._fresh_s:.0f} s, so its numbers are old"
            )

    def _reading(self, component: str, energy_j: float, at_s: float) -> Reading:
        is_wall = component == "wall"
        low, high, basis = share_of_nodes(self._known.nodes, self._known.bounds or BOUNDS)
        if not is_wall:
            low, high, basis = *PART_BOUNDS, "sensor"
        return Reading(
            meter=self.name,
            component=component,
            at_s=at_s,
            energy_j=energy_j / self._known.nodes if is_wall else energy_j,
            low_ratio=low,
            high_ratio=high,
            basis=basis,
        )

    def facts(self) -> MeterFacts:
        """Accuracy of the counters."""
        bounds = self._known.bounds or BOUNDS
        return accuracy_facts("pm_counters node", bounds, source=SOURCE, nodes=self._known.nodes)


def meter_of(machine: Machine, folder: str) -> PmCountersMeter:
    """Meter of the counters in a folder.

    Raises:
        MeterError: The node's counter may not be read or is no number, or the settings leave it out.
    """
    known = stated(machine, "pm_counters")
    try:
        files.read(f"{folder}/energy", limit=64)
    except PermissionError:
        raise MeterError(
            f"pm_counters: {folder}/energy may not be read",
            fix="ask whoever runs the system to let jobs read it",
        ) from None
    except OSError:
        raise MeterError("pm_counters: the folder is there and has no energy counter of the node") from None
    if _joules(f"{folder}/energy") is None:
        raise MeterError("pm_counters: the node's energy is no number of joules")
    return PmCountersMeter(folder, tuple(_counters(folder)), machine.clock, known)


def _counters(folder: str) -> list[Counter]:
    found = [Counter(f"{folder}/energy", "wall")]
    for name in files.entries(folder):
        accelerator = _ACCELERATOR.fullmatch(name)
        component = f"accelerator:{accelerator[1]}" if accelerator else PARTS.get(name)
        if component is not None and _joules(f"{folder}/{name}") is not None:
            found.append(Counter(f"{folder}/{name}", component))
    return found


def _joules(path: str) -> float | None:
    """Joules of a file such as "124872 J 1638553862101234 us"; None where it holds none."""
    words = (files.text(path, limit=128) or "").split()
    energy_j = files.whole(words[0]) if len(words) >= 2 and words[1] == "J" else None
    return None if energy_j is None else float(energy_j)
