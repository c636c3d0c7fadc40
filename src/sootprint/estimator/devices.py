"""The device of an estimate and the mean power that it draws, as factors to be multiplied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sootprint.catalogue import hardware
from sootprint.core.errors import CatalogueError
from sootprint.core.quantity import Factor
from sootprint.core.records import Hardware
from sootprint.estimator import factors
from sootprint.estimator.inputs import Job, check_power

if TYPE_CHECKING:
    from sootprint.settings import Settings

Device = hardware.Accelerator | hardware.Cpu
_CPU_WORDS = re.compile(
    r"xeon|epyc|opteron|ryzen|threadripper|processor|cpu|\bcore\b|\bi[3579]-", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """Mean power of a device and its share of the host, as factors.

    Args:
        component: accelerator or cpu.
        device: Factors whose product is the mean power of one device [W].
        host: Node energy over device energy [1], or None where nothing is added.
        hardware: The device as it stands in the record; empty where only a power is known.
        basis: modelled, or claimed where the power was given.
        warnings: What was assumed.
    """

    component: str
    device: tuple[Factor, ...]
    host: Factor | None
    hardware: tuple[Hardware, ...]
    basis: str
    warnings: tuple[str, ...] = ()


def power(job: Job, settings: Settings, *, device: Device | None = None) -> Power:
    """Mean power of the job's device.

    Args:
        job: What is estimated.
        settings: Settings that were read.
        device: Its device, where it was found already.

    Raises:
        CatalogueError: The device is in no table, or its rated power is not published.
        InputError: The given power is more than the device can draw.
    """
    if device is None and job.hardware is not None:
        device = find(job.hardware, settings)
    check_power(job.power_w, rated_power_w=None if device is None else device.rated_power_w)
    component = "cpu" if isinstance(device, hardware.Cpu) else "accelerator"
    listed = () if device is None else (_hardware(device, job.count, component),)
    if device is None or job.power_w is not None:
        mean = factors.given("mean_power", job.power_w or 0.0, unit="W")
        return Power(component=component, device=(mean,), host=None, hardware=listed, basis="claimed")
    host = None if job.method == "survey" else factors.host_overhead(_kind(device))
    return Power(
        component=component,
        device=_mean_power(job, device),
        host=host,
        hardware=listed,
        basis="modelled",
        warnings=(*device.warnings, *_remarks(job)),
    )


def find(name: str, settings: Settings) -> Device:
    """Accelerator or processor by any of its names.

    Raises:
        CatalogueError: No table has the name; the message has the three nearest.
    """
    user = settings.hardware
    found = hardware.find_accelerator(name, user=user) or hardware.find_cpu(name, user=user)
    if found is not None:
        return found
    return hardware.cpu(name, user=user) if _CPU_WORDS.search(name) else hardware.accelerator(name, user=user)


def _kind(device: Device) -> str:
    return "cpu" if isinstance(device, hardware.Cpu) else device.kind


def _mean_power(job: Job, device: Device) -> tuple[Factor, ...]:
    """Factors of the mean power: what the maker measured, else the rated power and the share of it that is drawn."""
    measured = None if isinstance(device, hardware.Cpu) else device.measured_w
    if measured is not None and job.utilisation is None and job.method == "full":
        low, mean, high = measured
        return (
            Factor(
                kind="mean_power",
                key=device.name,
                value=mean,
                low=low,
                high=high,
                unit="W",
                method="as the maker measured it",
                source=device.source,
                licence=device.licence,
            ),
        )
    if device.rated_power_w is None:
        raise CatalogueError(
            f"no rated power is published for {device.name}: give its mean power as power_w",
            here=f' (--power-w), or add [hardware."{device.name}"] with rated_power_w to sootprint.toml',
        )
    if job.method == "survey":
        return device.rated_power(), factors.rated_as_mean()
    if job.utilisation is not None:
        return device.rated_power(), factors.stated_fraction(job.utilisation)
    return device.rated_power(), factors.power_fraction(job.work, _kind(device), job.device_hours)


def _remarks(job: Job) -> tuple[str, ...]:
    if job.method == "survey":
        return (
            "method survey: rated power x device hours x intensity; the host, the facility and the share of the "
            "rated power that was really drawn (0.35-0.92) are not in these numbers",
        )
    if job.utilisation is not None and job.utilisation < factors.IDLE_SHARE:
        return (
            f"utilisation {job.utilisation:g} is below the {factors.IDLE_SHARE:g} of its rated power that a device "
            "draws without work",
        )
    return ()


def _hardware(device: Device, count: int, kind: str) -> Hardware:
    return Hardware(
        kind=kind,
        vendor=device.vendor,
        name=device.name,
        count=count,
        rated_power_w=device.rated_power_w,
        memory_gb=None if isinstance(device, hardware.Cpu) else device.memory_gb,
    )
