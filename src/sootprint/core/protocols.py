"""What a plug-in must offer: meters, intensity sources, exporters and engines; and the clock they read."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from sootprint.core.asleep import MONOTONIC_S
from sootprint.core.classes import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any, NamedTuple, Protocol

    from sootprint.core.calibration import Calibration
    from sootprint.core.quantity import Factor
    from sootprint.core.records import Footprint, Hardware
else:
    from sootprint.core.named import NamedTuple

    Protocol = object


class Clock(Protocol):
    """The time: durations from a monotonic clock, wall time only as a label."""

    def monotonic_s(self) -> float:
        """Seconds of the monotonic clock [s]."""

    def wall_s(self) -> float:
        """Seconds since 1970-01-01 UTC [s]."""


class SystemClock:
    """The machine's own clocks."""

    # seconds of CLOCK_MONOTONIC [s], which does not advance while the machine is suspended; it is asked at each look
    monotonic_s = staticmethod(MONOTONIC_S)
    wall_s = staticmethod(time.time)  # seconds since 1970-01-01 UTC [s]; may step


class FakeClock:
    """A clock that a test moves by hand.

    >>> clock = FakeClock()
    >>> clock.advance(2.5)
    >>> clock.monotonic_s()
    2.5
    """

    def __init__(self, *, monotonic_s: float = 0.0, wall_s: float = 1_700_000_000.0) -> None:
        self._monotonic_s = monotonic_s
        self._wall_s = wall_s

    def monotonic_s(self) -> float:
        """Seconds that the test has advanced [s]."""
        return self._monotonic_s

    def wall_s(self) -> float:
        """Wall time that the test has set [s]."""
        return self._wall_s

    def advance(self, duration_s: float) -> None:
        """Move both clocks on by `duration_s` [s]."""
        self._monotonic_s += duration_s
        self._wall_s += duration_s

    def step_wall(self, step_s: float) -> None:
        """Step the wall clock alone by `step_s` [s], as a time server does."""
        self._wall_s += step_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where the meters look: file trees, environment and clock, so that a test can give its own.

    Args:
        sysfs: Root of the kernel's device tree, normally /sys.
        procfs: Root of the process tree, normally /proc.
        environ: Environment variables of the tracked command.
        clock: Clock that stamps the readings.
        hardware: Devices that the user added to the settings, by name.
        wall: Wall meters that the user configured, by the meter's name.
        home: Directory of the user's data, where the node's calibrations lie, or None.
        first: Raw numbers that were read before the meters were found, each with its instant, by path or name.
    """

    sysfs: str = "/sys"
    procfs: str = "/proc"
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    wall: Mapping[str, Any] = field(default_factory=dict)
    home: str | None = None
    first: Mapping[str, tuple[float, bytes]] = field(default_factory=dict)


def family_of(component: str) -> str:
    """Family of a component: its name without its index.

    >>> family_of("accelerator:3"), family_of("node")
    ('accelerator', 'node')
    """
    return component.partition(":")[0]


class Reading(NamedTuple):
    """One look at a meter: an energy counter, or a power where there is none.

    Args:
        meter: Name of the meter, e.g. "nvml".
        component: What was measured, e.g. "accelerator:0".
        at_s: Monotonic clock at the look [s].
        energy_j: Energy since the counter's origin [J].
        power_w: Power at the look [W].
        wraps_at_j: Energy at which the counter starts again from zero [J], if it does.
        utilisation: Busy share of the device since the previous look, or None [0-1].
        max_power_w: Highest power that the device can draw; a step that implies more is no step [W].
        low_ratio: True energy over reading, 5th percentile.
        high_ratio: True energy over reading, 95th percentile.
        basis: sensor, metered or modelled.
    """

    meter: str
    component: str
    at_s: float
    energy_j: float | None = None
    power_w: float | None = None
    wraps_at_j: float | None = None
    utilisation: float | None = None
    max_power_w: float | None = None
    low_ratio: float = 1.0
    high_ratio: float = 1.0
    basis: str = "sensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """What a meter knows about its devices: hardware, the factors that its model uses, warnings, calibrations."""

    hardware: tuple[Hardware, ...] = ()
    factors: tuple[Factor, ...] = ()
    warnings: tuple[str, ...] = ()
    calibrations: tuple[Calibration, ...] = ()


class ProcessUse(NamedTuple):
    """A process on an accelerator: its memory there [byte] and busy share [0-1], None where not told."""

    pid: int
    memory_bytes: int | None = None
    busy: float | None = None


class Meter(Protocol):
    """A source of readings, one for each component. `discover(machine)` makes it or raises `MeterError`.

    Optional members, used when present: `poll_s` (wanted seconds between two looks: shorter than the run's period for
    a power that varies fast, longer for a model that hardly varies), `facts() -> MeterFacts` (called once, off the
    training thread), `first() -> Sequence[Reading]` (readings of the machine's first look, which are earlier than any
    `read`; called once, before it), `glance()` (component, instant [s], counter [J] and utilisation [0-1] or None of
    each reading that `read` would give, where nothing else about them has changed since the last `read`; None where
    it has, or that cannot be told; it saves a look most of its cost) and `close()`. A meter of accelerators may say
    who uses them: `processes() -> Mapping[str, Sequence[ProcessUse]]` (by component, since the last call; a component
    whose processes are not told is left out) and `visible_to(environ) -> frozenset[str]` (components of the machine
    that a job with these environment variables may use).
    """

    name: str

    def read(self) -> Sequence[Reading]:
        """Readings of all components now; raises `MeterError` where nothing can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """Mean carbon intensity of a grid zone over `[start, end)`, past or forecast [gCO2e/kWh].

    Args:
        zone: Zone as it was asked for.
        start: Start, in UTC.
        end: End, in UTC; what was asked for cuts the first and last step of a source.
        factor: Figure with its bounds, method, source and licence.
        forecast: Whether it is not a measured one.
        step_s: Length of the source's own steps, or None where it has none [s].
        warnings: What to know about it.
    """

    zone: str
    start: datetime
    end: datetime
    factor: Factor
    forecast: bool = False
    step_s: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginalIntensity:
    """Emissions that one kilowatt-hour more or less would cause over `[start, end)` [gCO2/kWh].

    It is a signal for decisions and a type of its own: no footprint is multiplied with it, and it is never ranked,
    mixed or summed together with an average. The fields are those of `Intensity`.
    """

    zone: str
    start: datetime
    end: datetime
    factor: Factor
    forecast: bool = False
    step_s: float | None = None
    warnings: tuple[str, ...] = ()


class MarginalSource(Protocol):
    """A source of marginal intensities."""

    name: str

    def marginal_between(self, zone: str, start: datetime, end: datetime) -> Sequence[MarginalIntensity]:
        """Marginal intensities of `[start, end)` in order; raises `IntensityError` where none is known."""


class IntensitySource(Protocol):
    """A source of average carbon intensities."""

    name: str

    def between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        """Intensities that cover `[start, end)` in order; raises `IntensityError` where none is known."""


class Exporter(Protocol):
    """A place where finished footprints go. `opened(at, settings)` makes it; `at` is what follows its name and a colon.

    `opened` looks at what can be looked at without a network and without a change: `InputError` where the address or
    file cannot be used, `MissingExtraError` where a package is not installed. It is called in a process of its own
    after a run has ended, never on the thread of a training, and may be killed at any moment: what has not been
    written is written again, so that to write a footprint twice must be as to write it once. An optional member is
    `close()`.
    """

    name: str

    def write(self, footprint: Footprint) -> None:
        """Send one footprint; when this returns, it is there.

        `ExportError` where it is not taken now and another time may be; `RefusedError` where it never will be.
        """


class Handle(Protocol):
    """A segment of a job: one start of it, which runs or has ended."""

    def pause(self) -> str | None:
        """Why the job is not asked to save and to end with exit code 75; None where it was asked."""

    def send(self, number: int) -> None:
        """Pass a signal on to the job."""

    def code(self) -> int | None:
        """Exit code, where this process knows it without the plan's book."""

    def is_running(self) -> bool:
        """Whether it still runs."""


class Engine(Protocol):
    """A way to start and pause work. What it does for a plan stands in the plan's book before it is done."""

    name: str

    def probe(self) -> None:
        """Nothing where a job can be started there now; `OSError` with one line for a person where it cannot."""

    def start(self, book: Any, *, resume: bool) -> Handle:
        """Begin the next segment of a plan; `OSError` where it cannot."""

    def found(self, book: Any, segment: Any) -> Handle:
        """A segment that another process has begun."""
