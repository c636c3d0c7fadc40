"""Processor without energy counters: rated power x utilisation, with the share that it draws when idle.

    P = P_rated (s_idle + (1 - s_idle) u)

A guest is charged its threads' share of one host processor with two threads a core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine, MeterFacts, Reading
from sootprint.core.quantity import Factor
from sootprint.meters import files, rated
from sootprint.meters.host import Host, host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

IDLE_SHARE = Factor(
    kind="idle_share",
    key="cpu",
    value=0.3,
    low=0.1,
    high=0.5,
    method="share of the rated power drawn when idle; linear in utilisation above",
    source="Prior of Sootprint (2026): servers idle at 30-50 % of full power, desktop processors near 10 %",
)
THREAD_POWER = Factor(
    kind="rated_power",
    key="hardware thread of an unknown processor",
    value=3.5,
    low=1.7,
    high=8.0,
    unit="W",
    method="rated power over cores, two threads a core",
    source="Median and range of 379 server processors of 16 and more cores since 2017 in the catalogue (2026)",
)
# The bounds join rated against full-load power (0.8-1.3), the idle share (0.1-0.5) and, where the processor is not
# known or shared with other guests, the rated power of a thread.
KNOWN_RATIOS = (0.5, 1.6)
SHARED_RATIOS = (0.35, 2.2)
UNKNOWN_RATIOS = (0.3, 2.5)
BLIND_RATIOS = (0.2, 3.0)
BLIND_UTILISATION = 0.5
COMPONENT = "cpu"
FIRST_LINE = 512  # bytes of /proc/stat that hold it
THREADS_PER_CORE = 2


class Ticks(NamedTuple):
    """Time that all threads of the machine spent since boot, in any one unit."""

    busy: float
    total: float


class CpuModel(NamedTuple):
    """The processors, their rated power together or that of a guest's share, and how well it is known."""

    name: str
    vendor: str | None
    sockets: int
    power_w: float
    ratios: tuple[float, float]
    factor: Factor
    warnings: tuple[str, ...] = ()


class CpuMeter:
    """Modelled energy and measured utilisation of the machine's processors."""

    name = "cpu"
    poll_s: float | None = None

    def __init__(self, machine: Machine, ticks: Callable[[], Ticks] | None) -> None:
        self._machine = machine
        self._clock = machine.clock
        self._model: CpuModel | None = None
        self._ticks = ticks
        self._last = ticks() if ticks else None
        self._last_s = machine.clock.monotonic_s()
        self._first_s: float | None = None  # instant of the machine's first look
        self._energy_j = 0.0
        at_s, raw = machine.first.get(f"{machine.procfs}/stat", (0.0, b""))
        if self._last is not None and (seen := _parse(raw.decode("ascii", "replace"))) is not None:
            self._last, self._last_s, self._first_s = seen, at_s, at_s

    def model(self) -> CpuModel:
        """The processors and their power; looked up at the first look, so that a run starts at once."""
        if self._model is None:
            self._model = _model(self._machine, blind=self._ticks is None)
        return self._model

    def first(self) -> list[Reading]:
        """The reading of the machine's first look, from which the energy counts."""
        return [] if self._first_s is None else [self._reading(self._first_s, None)]

    def read(self) -> tuple[Reading, ...]:
        """The one reading: energy since the meter's start, and the utilisation since the look before.

        Raises:
            MeterError: The kernel's times could be read before and cannot now.
        """
        return (self._reading(*self._look()),)

    def _look(self) -> tuple[float, float | None]:
        """Instant of a look [s], whose energy is counted, and the utilisation since the look before."""
        model = self.model()
        ticks = self._ticks() if self._ticks else None
        at_s = self._clock.monotonic_s()
        utilisation = None
        if ticks is None or self._last is None:
            self._add(model.power_w, BLIND_UTILISATION, at_s)
        elif ticks.total > self._last.total:
            share = (ticks.busy - self._last.busy) / (ticks.total - self._last.total)
            utilisation = min(1.0, max(0.0, share))
            self._add(model.power_w, utilisation, at_s)
            self._last = ticks
        elif ticks.total < self._last.total:
            self._last, self._last_s = ticks, at_s  # the times started anew
        return at_s, utilisation

    def glance(self) -> list[tuple[str, float, float, float | None]]:
        """What a reading tells that changes: component, instant [s], energy [J] and utilisation.

        Raises:
            MeterError: As of `read`.
        """
        at_s, utilisation = self._look()
        return [(COMPONENT, at_s, self._energy_j, utilisation)]

    def _reading(self, at_s: float, utilisation: float | None) -> Reading:
        ratios = self.model().ratios
        return Reading(
            meter=self.name,
            component=COMPONENT,
            at_s=at_s,
            energy_j=self._energy_j,
            utilisation=utilisation,
            low_ratio=ratios[0],
            high_ratio=ratios[1],
            basis="modelled",
        )

    def _add(self, rated_w: float, utilisation: float, at_s: float) -> None:
        self._energy_j += power_w(rated_w, utilisation) * (at_s - self._last_s)
        self._last_s = at_s

    def facts(self) -> MeterFacts:
        """The processors, and the constants of the model."""
        from sootprint.core.records import Hardware

        model = self.model()
        hardware = Hardware(
            kind="cpu",
            vendor=model.vendor,
            name=model.name,
            count=model.sockets,
            rated_power_w=model.power_w / model.sockets,
        )
        return MeterFacts(hardware=(hardware,), factors=(model.factor, IDLE_SHARE), warnings=model.warnings)


def power_w(rated_w: float, utilisation: float, *, idle_share: float = 0.3) -> float:
    """Power of a processor [W].

    Args:
        rated_w: Rated power [W].
        utilisation: Busy share of its threads [0-1].
        idle_share: Power when idle over rated power [1].

    Source:
        Linear model of Fan, Weber and Barroso, Power Provisioning for a Warehouse-sized Computer, ISCA (2007).

    >>> power_w(200.0, 0.5)
    130.0
    """
    return rated_w * (utilisation + idle_share * (1.0 - utilisation))


def discover(machine: Machine) -> CpuMeter:
    """Meter of a machine's processors; where the kernel tells nothing, a prior with a wide interval."""
    return CpuMeter(machine, _reader(machine))


def _model(machine: Machine, *, blind: bool) -> CpuModel:
    model = model_of(host(machine))
    if not blind:
        return model
    warning = f"cpu: the utilisation cannot be read here: {BLIND_UTILISATION:.0%} assumed"
    return model._replace(ratios=BLIND_RATIOS, warnings=(*model.warnings, warning))


def model_of(seen: Host) -> CpuModel:
    """Rated power of a machine's processors, with its bounds and where it is from.

    Args:
        seen: The machine as its kernel describes it.
    """
    known = rated.cpu(seen.model, seen.hardware)
    named = CpuModel(
        name=seen.model or "unknown processor",
        vendor=seen.vendor,
        sockets=1 if seen.virtual else seen.sockets,
        power_w=THREAD_POWER.known * seen.threads,
        ratios=UNKNOWN_RATIOS,
        factor=THREAD_POWER,
    )
    if known is None:
        warning = f"cpu: {named.name} is not in the catalogue: {THREAD_POWER.value} W a thread assumed"
        return named._replace(warnings=(warning,))
    named = named._replace(factor=known.rated_power())
    each_w = known.rated_power_w or 0.0
    if seen.virtual:
        share = guest_share(seen.threads, known.cores)
        warning = f"cpu: a guest is charged {seen.threads} threads, {share:.2f} of one {known.name}"
        return named._replace(power_w=each_w * share, ratios=SHARED_RATIOS, warnings=(warning,))
    return named._replace(power_w=each_w * seen.sockets, ratios=KNOWN_RATIOS)


def guest_share(threads: int, cores: int | None) -> float:
    """Share of one host processor that a guest's threads hold [1]; above 1 where they span several.

    >>> guest_share(16, 64)
    0.125
    """
    return threads / (THREADS_PER_CORE * cores) if cores else 1.0


def _reader(machine: Machine) -> Callable[[], Ticks] | None:
    """The way to read processor times here, or None."""
    path = f"{machine.procfs}/stat"
    if _parse(files.text(path, limit=FIRST_LINE)) is None:
        return None if sys.platform == "linux" else _from_psutil
    if machine.procfs != "/proc":
        return lambda: _known(_parse(files.text(path, limit=FIRST_LINE)))
    kernel = files.KeptOpen(
        path
    )  # its own file is never replaced, so that it need not be opened at each look
    return lambda: _known(_parse(kernel.text(limit=FIRST_LINE)))


def _known(ticks: Ticks | None) -> Ticks:
    if ticks is None:
        raise MeterError("cpu: the kernel's processor times (stat) cannot be read any more")
    return ticks


def _parse(stat: str | None) -> Ticks | None:
    """Ticks of the first line of /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice.

    Guest time is inside user; stolen time went to other guests, so it is neither busy nor idle here.
    """
    fields = (stat or "").partition("\n")[0].split()
    if len(fields) < 5 or fields[0] != "cpu":
        return None
    if not all(word.isascii() and word.isdigit() for word in fields[1:9]):
        return None
    known = [int(word) for word in fields[1:9]]
    idle = sum(known[3:5])
    busy = sum(known[:3]) + sum(known[5:7])
    return Ticks(float(busy), float(busy + idle))


def _from_psutil() -> Ticks:
    import psutil

    times = psutil.cpu_times()
    total = sum(value for name, value in times._asdict().items() if not name.startswith("guest"))
    return Ticks(total - times.idle, total)
