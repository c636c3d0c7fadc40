"""A job that is to be planned, checked before anything is looked up for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sootprint.core import pue as rule
from sootprint.core.errors import InputError
from sootprint.core.units import hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job to plan.

    Args:
        expect: Time that it runs.
        deadline: Time from the start of the plan until it must have ended.
        power_w: Mean power of its IT equipment [W]; None where not known.
        pausable: Whether it saves its state and goes on later.
        resume_cost: Time of running that each resume costs.
        idle_w: Power of what stays on while it waits or pauses [W]; 0 where the node is released.
        scaling: Work that each worker adds, over that of the first [1].
        pue: Facility energy over IT energy, 1 to 10, in all zones or by zone; for a zone of which none is stated, that
            of this place or of the cloud region [1].
        transfer_kwh: Energy of moving its data to another zone [kWh].
        traces: File of intensity of each zone that has one.
    """

    expect: timedelta
    deadline: timedelta
    power_w: float | None = None
    pausable: bool = False
    resume_cost: timedelta = timedelta(0)
    idle_w: float = 0.0
    scaling: tuple[float, ...] = (1.0,)
    pue: float | Mapping[str, float] | None = None
    transfer_kwh: float = 0.0
    traces: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.deadline < self.expect:
            raise InputError(
                f"the deadline is in {in_hours(self.deadline)}, before a job of {in_hours(self.expect)} can end: "
                "give a later deadline, or a shorter expected time"
            )
        if self.expect <= timedelta(0):
            raise InputError(f"the job takes {in_hours(self.expect)}: give a time above 0")
        if self.power_w is not None and not 0.0 < self.power_w < math.inf:
            raise InputError(f"power is {self.power_w} W: give a power above 0")
        if not 0.0 <= self.idle_w <= (self.power_w or math.inf):
            raise InputError(
                f"idle power is {self.idle_w} W: it is at least 0 and at most the power of the run"
            )
        if self.idle_w and self.power_w is None:
            raise InputError("idle power is stated without the power of the run: give both")
        if not 0.0 <= self.transfer_kwh < math.inf:
            raise InputError(f"the transfer takes {self.transfer_kwh} kWh: it is at least 0")
        by_zone = self.pue if isinstance(self.pue, Mapping) else {"": self.pue}
        for zone, pue in by_zone.items():
            if pue is not None and not rule.LEAST <= pue <= rule.MOST:
                raise InputError(f"the PUE{zone and f' of {zone}'} is {pue:g}: it is {rule.RULE}")


def in_hours(time: timedelta) -> str:
    """A time in words.

    >>> in_hours(timedelta(minutes=90))
    '1.5 h'
    """
    return f"{hours(time.total_seconds()):g} h"
