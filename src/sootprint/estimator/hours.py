"""Hardware x hours x place: the footprint of work that was not measured, every factor with its source."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Unpack

from sootprint import __version__
from sootprint import settings as configuration
from sootprint.catalogue.hardware import Accelerator
from sootprint.core import carbon, intervals, units
from sootprint.core.ids import uuid7
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Component, Footprint, Model, Work
from sootprint.estimator import devices, factors, surroundings, utilisation
from sootprint.estimator.flops import Workload, training_flops
from sootprint.estimator.inputs import JOB_FIELDS, Asked, Job

if TYPE_CHECKING:
    from sootprint.settings import Settings

_STAGES = {"llm-pretrain": "pretrain", "finetune": "finetune", "inference": "inference"}
USUAL = (0.05, 0.6)  # whole-run utilisation; outside, the hours or the work are worth a second look
_NOT_ESTIMATED = ("embodied_kg", "water_l", "market_based_kg")


def estimate(*, settings: Settings | None = None, **given: Unpack[Asked]) -> Footprint:
    """Footprint of devices that worked for some hours at some place, of grade D.

    The mean power of a device is what its maker measured, else its rated power times the share that such work draws
    (or `utilisation`); its host is added; emissions are energy x PUE x intensity. A given `power_w` is the mean at the
    boundary, and nothing is added to it. Numbers that were given have no bounds of ours.

    Args:
        settings: Settings that were read; read now where None.
        hours: Wall hours of one device, above 0 and at most 1,000,000 [h].
        hardware: Name of the device, as drivers, papers and people write it.
        power_w: Mean power of one device at the boundary, in place of the model [W].
        count: Number of devices, 1 to 10,000,000.
        zone: Grid zone or cloud region; the settings' and this machine's where None, else the world.
        year: Year of the grid's intensity, 1990 to 2100; the latest one known where None.
        intensity: Carbon intensity in place of the zone's, 0 to 3000 [gCO2e/kWh].
        pue: Facility energy over IT energy, 1 to 10; that of the cloud region or site where None [1].
        utilisation: Mean power over rated power, in place of the prior for `work` [0-1].
        work: llm-pretrain, finetune, vision, inference or unknown.
        method: "full", or "survey" for the plain product of rated power, device hours and intensity.
        idle: Energy of devices that are held but idle over that of the work, where the hours leave them out [1].
        restarts: Work done again over the work that counted, where the hours leave it out [1].
        params: Parameters that one token passes: with the tokens, the hours are checked against the peak rate [1].
        tokens: Tokens trained on [1].
        flops: Operations of the training, in place of parameters and tokens [1].

    Raises:
        InputError: A value is outside its range, or values contradict each other.
        CatalogueError: A name is in no table.

    Source:
        Luccioni & Hernandez-Garcia, Counting Carbon (2023), equation 1, for the method "survey".

    >>> round(estimate(power_w=300, hours=100, intensity=500, method="survey").emissions_kg.value, 9)
    15.0
    """
    return footprint(Job(**given), settings or configuration.load())


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Device hours of a job.

    Args:
        device_hours: Hours summed over the devices [h].
        factors: What they were computed from; none where they were given.
    """

    device_hours: Quantity
    factors: tuple[Factor, ...] = ()


class Lookups:
    """Devices and surroundings that were looked up with some settings, each once: the rows of a table share them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._devices: dict[str, devices.Device] = {}
        self._surroundings: dict[tuple[object, ...], surroundings.Surroundings] = {}

    def device(self, name: str | None) -> devices.Device | None:
        """Device by its name; raises as `devices.find`."""
        if name is None:
            return None
        if name not in self._devices:
            self._devices[name] = devices.find(name, self.settings)
        return self._devices[name]

    def around(self, job: Job) -> surroundings.Surroundings:
        """Surroundings of a job; raises as `surroundings.look_up`."""
        key = (job.zone, job.year, job.intensity, job.pue, job.power_w is None, job.method)
        if key not in self._surroundings:
            self._surroundings[key] = surroundings.look_up(job, self.settings)
        return self._surroundings[key]


def footprint(
    job: Job, settings: Settings, *, known: Lookups | None = None, spent: Spent | None = None
) -> Footprint:
    """Footprint of a checked job; raises as `estimate`.

    Args:
        job: What is estimated.
        settings: Settings that were read.
        known: What was looked up with them already.
        spent: Device hours with their interval, where they are not simply those of the job.
    """
    known = known or Lookups(settings)
    work, remarks = _work(job, known.device(job.hardware))
    power = devices.power(job, settings, device=known.device(job.hardware))
    around = known.around(job)
    spent = spent or Spent(device_hours=intervals.exact(job.device_hours, "claimed"))
    more = _overheads(job)
    energy = _energy_kwh(spent, (*power.device, *filter(None, [power.host]), *more), basis=power.basis)
    intensity = around.intensity.quantity(_basis(around.intensity))
    pue = around.pue.quantity(_basis(around.pue)) if around.pue else intervals.exact(1.0, "assumed")
    no_pue = (carbon.NO_PUE,) if around.pue is None and job.method == "full" else ()
    return Footprint(
        id=uuid7(time.time()),
        tool_version=__version__,
        stage=_STAGES.get(job.work, "other"),
        model=None if job.params is None else Model(params=job.params),
        work=work,
        boundary=_boundary(job, around.pue),
        duration_s=units.seconds(job.hours),
        device_hours=spent.device_hours,
        place=around.place,
        hardware=power.hardware,
        components=_components(job, power, spent),
        energy_kwh=energy,
        pue=pue,
        intensity_g_per_kwh=intensity,
        emissions_kg=dataclasses.replace(carbon.emissions(energy, intensity, pue), basis=power.basis),
        factors=tuple(
            filter(None, (*spent.factors, *power.device, power.host, *more, around.pue, around.intensity))
        ),
        grade="D",
        unknown=_unknown(around),
        warnings=tuple(dict.fromkeys((*remarks, *around.warnings, *power.warnings, *no_pue))),
        given={name: value for name in JOB_FIELDS if (value := getattr(job, name)) is not None},
    )


def _energy_kwh(spent: Spent, listed: tuple[Factor, ...], *, basis: str) -> Quantity:
    """Energy of all devices over all hours, of factors whose product is a power [kWh]."""
    terms = (spent.device_hours, *(factor.quantity() for factor in listed))
    return intervals.scaled(intervals.product(*terms, basis=basis), 1.0 / units.W_PER_KW)


def _work(job: Job, device: devices.Device | None) -> tuple[Work | None, tuple[str, ...]]:
    """Work of a job that states it, its hours checked against the peak rate of the device.

    Raises:
        InputError: The hours imply more than the peak rate.
    """
    if job.flops is None and job.params is None and job.tokens is None:
        return None, ()
    counted = training_flops(Workload(params=job.params, tokens=job.tokens, flops=job.flops)).useful
    work = Work(tokens=job.tokens, flops=counted)
    if not isinstance(device, Accelerator) or device.matmul16_dense_tflops is None:
        return work, ()
    share = utilisation.implied(counted, job, utilisation.peak(device))
    if USUAL[0] <= share <= USUAL[1]:
        return work, ()
    return work, (
        f"the hours imply a utilisation of {share:.0%} of the peak rate; whole runs reach 5 % to 60 %",
    )


def _overheads(job: Job) -> tuple[Factor, ...]:
    """Idle devices and repeated work, where they were stated."""
    stated = (("idle", job.idle), ("restarts", job.restarts))
    return tuple(factors.overhead(kind, share) for kind, share in stated if share is not None)


def _components(job: Job, power: devices.Power, spent: Spent) -> tuple[Component, ...]:
    """The devices, and the rest of their nodes where it is modelled."""
    meter = "given" if power.basis == "claimed" else "estimate"
    device = (*power.device, *_overheads(job))
    own = Component(
        component=power.component,
        meter=meter,
        energy_kwh=_energy_kwh(spent, device, basis=power.basis),
        utilisation=job.utilisation,
    )
    if power.host is None:
        return (own,)
    rest = _energy_kwh(spent, (*device, _above_one(power.host)), basis=power.basis)
    return own, Component(component="node", meter=meter, energy_kwh=rest)


def _above_one(factor: Factor) -> Factor:
    """What a ratio adds: the ratio less 1, bounds alike."""
    value, low, high = (
        None if ratio is None else ratio - 1.0 for ratio in (factor.value, factor.low, factor.high)
    )
    return dataclasses.replace(factor, value=value, low=low, high=high)


def _basis(factor: Factor) -> str:
    return "claimed" if factor.source == "given" else "assumed"


def _boundary(job: Job, pue: Factor | None) -> str:
    if job.method == "survey":
        return "accelerator"
    return "node" if pue is None else "facility"


def _unknown(around: surroundings.Surroundings) -> tuple[str, ...]:
    missing = [("place.zone", around.place.zone), ("pue", around.pue)]
    return (*(name for name, value in missing if value is None), *_NOT_ESTIMATED)
