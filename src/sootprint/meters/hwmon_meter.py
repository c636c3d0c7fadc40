"""Which drivers of the kernel's hardware monitoring measure a whole node, and how their files are read.

Only drivers of this list are taken. All others measure a part: a chip (amdgpu, i915, xe, fam15h_power, occ), a rail
(ina2xx, ltc2945), one of several supplies (pmbus), or a battery, whose power is not the node's while it charges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Clock, Machine, MeterFacts, Reading
from sootprint.meters import files
from sootprint.meters.wall import accuracy_facts, share_of_nodes, stated

UW_PER_W = 1e6
UJ_PER_J = 1e6
MOST_CHANNELS = 64  # channels that a driver may have
WHOLE_SYSTEM = ("LNXSYSTM", "LNXSYBUS")  # devices that an ACPI power meter says it measures


class Driver(NamedTuple):
    """A driver that measures a whole node.

    Args:
        name: What it calls itself in its file `name`.
        label: Label of the channel that is the node, or None for the first.
        low: True energy over reading, 5th percentile.
        high: True energy over reading, 95th percentile.
        source: Where its scope and accuracy come from.
    """

    name: str
    label: str | None
    low: float
    high: float
    source: str


_KERNEL = "Linux kernel, Documentation/hwmon"
DRIVERS = (
    Driver("power_meter", None, 0.90, 1.10, f"{_KERNEL}/acpi_power_meter.rst (2009); ACPI 6.5, 10.4"),
    Driver("ibmpowernv", "System", 0.95, 1.05, f"{_KERNEL}/ibmpowernv.rst (2015)"),
    Driver("aem1", None, 0.90, 1.10, f"{_KERNEL}/ibmaem.rst (2008)"),
    Driver("aem2", None, 0.90, 1.10, f"{_KERNEL}/ibmaem.rst (2008)"),
    # The output of the supply: what it loses itself, 6 to 18 % (80 PLUS, 2012), is not in the reading.
    Driver("corsairpsu", "power total", 0.97, 1.20, f"{_KERNEL}/corsair-psu.rst (2020)"),
    Driver("macsmc_hwmon", "Total System Power", 0.90, 1.15, f"{_KERNEL}/macsmc-hwmon.rst (2025)"),
)
_BY_NAME = {driver.name: driver for driver in DRIVERS}


class Channel(NamedTuple):
    """Files of a whole-node sensor, and the bounds of what they say."""

    driver: Driver
    power: str | None
    energy: str | None
    low: float
    high: float


class HwmonMeter:
    """Power or energy counter of a whole node."""

    name = "hwmon"
    poll_s: float | None = None

    def __init__(self, channel: Channel, clock: Clock, *, nodes: int) -> None:
        self._channel = channel
        self._clock = clock
        self._nodes = nodes

    def read(self) -> tuple[Reading, ...]:
        """The one reading.

        Raises:
            MeterError: The sensor does not answer any more.
        """
        energy_uj = files.number(self._channel.energy) if self._channel.energy else None
        power_uw = files.number(self._channel.power) if self._channel.power else None
        if energy_uj is None and (power_uw is None or self._channel.energy):
            raise MeterError(f"hwmon: {self._channel.driver.name} does not answer any more")
        low, high, basis = share_of_nodes(self._nodes, (self._channel.low, self._channel.high))
        reading = Reading(
            meter=self.name,
            component="wall",
            at_s=self._clock.monotonic_s(),
            energy_j=None if energy_uj is None else energy_uj / UJ_PER_J / self._nodes,
            power_w=None if energy_uj is not None or power_uw is None else power_uw / UW_PER_W / self._nodes,
            low_ratio=low,
            high_ratio=high,
            basis=basis,
        )
        return (reading,)

    def facts(self) -> MeterFacts:
        """Accuracy of the sensor."""
        driver = self._channel.driver
        bounds = (self._channel.low, self._channel.high)
        return accuracy_facts(f"hwmon {driver.name}", bounds, source=driver.source, nodes=self._nodes)


def meter_of(machine: Machine, folders: Sequence[str]) -> HwmonMeter:
    """Meter of the first whole-node sensor in the given folders.

    Raises:
        MeterError: There is none, it may not be read, or the settings leave it out.
    """
    known = stated(machine, "hwmon")
    seen: list[str] = []
    for folder in folders:
        name = files.text(f"{folder}/name") or ""
        seen.append(name)
        if name in _BY_NAME and _is_whole(folder, name):
            return HwmonMeter(_channel(folder, _BY_NAME[name], known), machine.clock, nodes=known.nodes)
    listed = ", ".join(sorted({name for name in seen if name})[:8]) or "none"
    raise MeterError(
        f"hwmon: no sensor here measures the whole node (drivers: {listed})",
        fix="on a server whose firmware has a power meter: sudo modprobe acpi_power_meter",
    )


def _is_whole(folder: str, name: str) -> bool:
    """Whether an ACPI power meter measures the whole system; one that does not say so is taken to."""
    measured = files.entries(f"{folder}/device/measures") if name == "power_meter" else []
    return not measured or any(device.startswith(WHOLE_SYSTEM) for device in measured)


def _channel(folder: str, driver: Driver, known: object) -> Channel:
    number = _number(folder, driver.label)
    if number is None:
        raise MeterError(f"hwmon: {driver.name} has no channel {driver.label!r}")
    base = f"{folder}/power{number}"
    power = next((f"{base}_{kind}" for kind in ("average", "input") if _answers(f"{base}_{kind}")), None)
    counter = f"{folder}/energy{_number(folder, driver.label, kind='energy') or number}_input"
    energy = counter if _answers(counter) else None
    if power is None and energy is None:
        raise _unreadable(driver, base)
    own = (driver.low, driver.high)
    low, high = getattr(known, "bounds", None) or _of_firmware(f"{base}_accuracy") or own
    return Channel(driver=driver, power=power, energy=energy, low=low, high=high)


def _number(folder: str, label: str | None, *, kind: str = "power") -> int | None:
    """Number of the channel that bears a label; the first one where no label is asked for."""
    if label is None:
        return 1
    for number in range(1, MOST_CHANNELS):
        if files.text(f"{folder}/{kind}{number}_label") == label:
            return number
    return None


def _answers(path: str) -> bool:
    return files.number(path) is not None


def _of_firmware(path: str) -> tuple[float, float] | None:
    """Bounds from the accuracy that an ACPI power meter states, e.g. "90.0%"."""
    words = (files.text(path) or "").removesuffix("%").strip()
    try:
        share = float(words) / 100.0
    except ValueError:
        return None
    return (share, 2.0 - share) if 0.5 <= share <= 1.0 else None


def _unreadable(driver: Driver, base: str) -> MeterError:
    for kind in ("average", "input"):
        try:
            files.read(f"{base}_{kind}", limit=64)
        except PermissionError:
            return MeterError(
                f"hwmon: the power of {driver.name} may be read only by root",
                fix=f"sudo chmod a+r {base}_{kind}   (lasts until the next restart)",
            )
        except OSError:
            continue
    return MeterError(f"hwmon: {driver.name} is there and gives no power")
