"""What an estimate is asked for, checked before anything is computed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import NamedTuple, Required, TypedDict

from sootprint.core import pue
from sootprint.core.errors import InputError
from sootprint.core.quantity import finite

METHODS = ("full", "survey")
MAX_DEVICE_W = 3000.0  # the largest accelerator of 2025 is rated 1,400 W


class _Rule(NamedTuple):
    low: float
    high: float
    words: str
    way_out: str
    above_low: bool = False


_RULES = {
    "count": _Rule(1, 10_000_000, "a number of devices from 1 to 10,000,000", "it counts devices, not nodes"),
    "hours": _Rule(
        0.0,
        1_000_000,
        "above 0 and at most 1,000,000",
        "give the wall hours of one device, and the number of devices as count",
        above_low=True,
    ),
    "intensity": _Rule(
        0.0, 3000.0, "between 0 and 3000 g CO2e per kWh", "1 kg/kWh is 1000; or name the place as zone"
    ),
    "pue": _Rule(pue.LEAST, pue.MOST, pue.RULE, "leave it out where it is unknown"),
    "utilisation": _Rule(
        0.0, 1.0, "a share between 0 and 1", "85 % is 0.85; leave it out where it is unknown"
    ),
    "idle": _Rule(
        0.0,
        10.0,
        "energy of devices that are held but idle over that of the work, 0 to 10",
        "20 % is 0.2; leave it out where the hours hold it already",
    ),
    "restarts": _Rule(
        0.0,
        10.0,
        "work done again over the work that counted, 0 to 10",
        "10 % is 0.1; leave it out where the hours hold it already",
    ),
    "year": _Rule(1990, 2100, "a calendar year from 1990 to 2100", "leave it out for the latest year known"),
}


class Asked(TypedDict, total=False):
    """Arguments of an estimate; `sootprint.estimate` describes each."""

    hours: Required[float]
    hardware: str | None
    power_w: float | None
    count: int
    zone: str | None
    year: int | None
    intensity: float | None
    pue: float | None
    utilisation: float | None
    work: str
    method: str
    idle: float | None
    restarts: float | None
    params: float | None
    tokens: float | None
    flops: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that is to be estimated, as given.

    Args:
        hours: Wall hours of one device, above 0 and at most 1,000,000 [h].
        hardware: Name of the device.
        power_w: Mean power of one device at the boundary, above 0 [W].
        count: Number of devices, 1 to 10,000,000.
        zone: Grid zone or cloud region.
        year: Year of the grid's intensity.
        intensity: Carbon intensity, 0 to 3000 [gCO2e/kWh].
        pue: Facility energy over IT energy, 1 to 10 [1].
        utilisation: Mean power over rated power [0-1].
        work: Kind of work, see `factors.WORKS`.
        method: "full", or "survey" for the plain product P x T x I.
        idle: Energy of idle devices over that of the work, where the hours leave them out [1].
        restarts: Work done again over the work that counted, where the hours leave it out [1].
        params: Parameters that one token passes, to check the hours against the tokens [1].
        tokens: Tokens trained on, to check the hours [1].
        flops: Operations of the training, in place of parameters and tokens [1].

    Raises:
        InputError: A value is outside its range, or values contradict each other.
    """

    hours: float
    hardware: str | None = None
    power_w: float | None = None
    count: int = 1
    zone: str | None = None
    year: int | None = None
    intensity: float | None = None
    pue: float | None = None
    utilisation: float | None = None
    work: str = "unknown"
    method: str = "full"
    idle: float | None = None
    restarts: float | None = None
    params: float | None = None
    tokens: float | None = None
    flops: float | None = None

    def __post_init__(self) -> None:
        for name in _RULES:
            _check(name, getattr(self, name))
        for name in ("count", "year"):
            _check_whole(name, getattr(self, name))
        _check_words(self)
        _check_together(self)

    @property
    def device_hours(self) -> float:
        """Hours summed over the devices [h]."""
        return self.count * self.hours


JOB_FIELDS = tuple(spec.name for spec in dataclasses.fields(Job))


def check_power(power_w: float | None, *, rated_power_w: float | None) -> None:
    """Nothing where a given power is one that a device can draw.

    Args:
        power_w: Mean power of one device as given [W].
        rated_power_w: Power that the catalogue states for the device, where one is named [W].

    Raises:
        InputError: The power is not above 0, or above 3000 W and above what the catalogue states.
    """
    limit_w = max(MAX_DEVICE_W, rated_power_w or 0.0)
    if power_w is not None and not 0.0 < power_w <= limit_w:
        raise InputError(
            f"power_w is {power_w:g}: the mean power of one device is above 0 and at most {limit_w:g} W; "
            "for several devices give count, and name a larger system as hardware"
        )


def _check(name: str, value: float | None) -> None:
    rule = _RULES[name]
    if value is None:
        return
    number = finite(value)
    if number is None:
        raise InputError(f"{name} is {value!r:.40}: it is {rule.words}; {rule.way_out}")
    if not rule.low <= number <= rule.high or (rule.above_low and number == rule.low):
        raise InputError(f"{name} is {number:g}: it is {rule.words}; {rule.way_out}")


def _check_whole(name: str, value: float | None) -> None:
    if value is not None and value != int(value):
        raise InputError(f"{name} is {value:g}: it is a whole number; give it without a fraction")


def _check_words(job: Job) -> None:
    from sootprint.estimator.factors import WORKS

    for name, value, known in (("work", job.work, tuple(WORKS)), ("method", job.method, METHODS)):
        if value not in known:
            raise InputError(f"{name} is {value!r}: it is one of {', '.join(known)}")


def _check_together(job: Job) -> None:
    if job.hardware is None and job.power_w is None:
        raise InputError(
            "neither hardware nor power_w is given: name the device, or give its mean power in W",
            here="; `sootprint catalogue hardware` lists devices",
        )
    if job.power_w is not None and job.utilisation is not None:
        raise InputError(
            f"utilisation is {job.utilisation:g} beside power_w {job.power_w:g} W, which is a mean already: "
            "give one of the two"
        )
    if job.method == "survey":
        for name in ("pue", "utilisation", "idle", "restarts"):
            if getattr(job, name) is not None:
                raise InputError(
                    f"{name} is {getattr(job, name):g}, which the survey's P x T x I does not have: "
                    "leave it out, or use method full"
                )
