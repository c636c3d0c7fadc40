"""The run that is advised on: its facts, and its emissions as draws that share the grid and the PUE."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sootprint.catalogue import hardware, zones
from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Component, Footprint, main_device
from sootprint.core.units import SECONDS_PER_HOUR, W_PER_KW
from sootprint.estimator.explain import ASIDE, DIVISORS

if TYPE_CHECKING:
    from sootprint.settings import Settings

_HOST_SHARE = 1.0 / 1.3  # of a node's energy in its accelerators, where the record has no components
_MODELLED_METERS = ("estimate", "given")
_METHODS = {words: name for name, words in zones.METHODS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the record tells about the run; None is unknown.

    Args:
        planned: Whether it was estimated or predicted, not measured.
        hours: Wall hours [h].
        device: Accelerator or processor of the catalogue.
        device_name: Its name in the record.
        count: Number of devices.
        device_hours: Hours summed over the devices [h].
        power_share: Mean power of a device over its rated power [1].
        device_share: Energy of the devices over that of the node [1].
        idle_share: Energy drawn by devices that were less than 5 % busy, over that of the node [1].
        utilisation: Mean busy share of the devices [0-1].
        precision: Number format of the training.
        method: "lifecycle" or "direct" of the intensity, or None where it is of neither.
        zone: Grid zone or cloud region.
        params: Parameters of the model [1].
        active_params: Parameters used for one token [1].
        stage: Stage of the life cycle.
    """

    planned: bool
    hours: float | None
    device: hardware.Accelerator | hardware.Cpu | None
    device_name: str | None
    count: int
    device_hours: float | None
    power_share: float | None
    device_share: float
    idle_share: float | None
    utilisation: float | None
    precision: str | None
    method: str | None
    zone: str | None
    params: float | None
    active_params: float | None
    stage: str

    @property
    def accelerated(self) -> bool:
        """Whether the work is done on an accelerator."""
        return isinstance(self.device, hardware.Accelerator)


class Baseline:
    """A run's emissions with its grid and PUE as draws of their own.

    Args:
        footprint: Record of a run, an estimate or a prediction.
        settings: Settings, for the user's own hardware.
        draws: Draws of another run, so that both share their grid and PUE.

    Raises:
        InputError: The record states no emissions above 0.
    """

    def __init__(
        self, footprint: Footprint, settings: Settings, *, draws: intervals.Draws | None = None
    ) -> None:
        if footprint.emissions_kg is None or footprint.emissions_kg.value <= 0.0:
            raise InputError(
                f"record {footprint.name or footprint.id} states no emissions above 0, so nothing can be saved of "
                "them: name a run with energy and a place"
            )
        self.footprint = footprint
        self.settings = settings
        self.emissions_kg: Quantity = footprint.emissions_kg
        self.intensity = _factor(footprint, "intensity")
        self.pue = _factor(footprint, "pue")
        self.facts = _facts(footprint, settings, self.intensity)
        self.bounded = self.emissions_kg.low is not None and self.emissions_kg.high is not None
        self.draws = draws or intervals.Draws()

    def of(self, name: str, quantity: Quantity) -> list[float]:
        """Draws of a quantity, the same for all who ask with this name; its value alone where it has no bounds."""
        return self.draws.of(name, quantity) or [quantity.value] * intervals.DRAWS

    def of_factor(self, factor: Factor) -> list[float]:
        """Draws of a factor of the catalogue: one grid and year is one draw, here as in the run."""
        return self.of(intervals.drawn_as(factor), factor.quantity())

    def emissions(self) -> list[float]:
        """Draws of the run's emissions, `(n,)`, in which its factors are those of `of_factor` [kgCO2e].

        What two runs share is drawn once: their grid and PUE, the priors of two estimates, the meters of one node.
        """
        known = [one for one in (self.intensity, self.pue) if one is not None and one.value]
        if self.facts.planned:
            priors = [one for one in self.footprint.factors if one.kind not in ASIDE and one not in known]
            known += [one for one in priors if one.value and one.low and one.high]
        drawn = self.of(_errors_of(self.footprint), _rest(self.emissions_kg, known))
        for factor in known:
            scale = 1.0 / factor.known
            ratios = [one * scale for one in self.of_factor(factor)]
            if factor.kind in DIVISORS:
                ratios = [1.0 / one for one in ratios]
            drawn = [rest * one for rest, one in zip(drawn, ratios, strict=True)]
        return drawn


def _errors_of(footprint: Footprint) -> str:
    """Name of the errors that are neither of grid nor PUE: those of a node's meters are the same in each run."""
    if footprint.node is None:
        return f"rest:{footprint.id}"
    meters = sorted({part.meter for part in footprint.components})
    return f"rest:{footprint.node}:{','.join(meters)}"


def _rest(emissions_kg: Quantity, known: list[Factor]) -> Quantity:
    """What the emissions' spread leaves when that of the known factors is taken out."""
    if emissions_kg.low is None or emissions_kg.high is None:
        return Quantity(value=emissions_kg.value)

    def left(bound: float, which: str) -> float:
        squared = math.log(max(bound, 1e-12 * emissions_kg.value) / emissions_kg.value) ** 2
        for factor in known:
            limit = getattr(factor, which)
            squared -= math.log(limit / factor.value) ** 2 if limit and factor.value else 0.0
        return math.sqrt(max(0.0, squared))

    low, high = left(emissions_kg.low, "low"), left(emissions_kg.high, "high")
    value = emissions_kg.value
    return Quantity(value=value, low=value * math.exp(-low), high=value * math.exp(high))


def _factor(footprint: Footprint, kind: str) -> Factor | None:
    """Factor of the record, unless it has several of the kind, as a merged or hourly record may."""
    listed = [one for one in footprint.factors if one.kind == kind and one.value]
    return listed[0] if len(listed) == 1 else None


def _facts(footprint: Footprint, settings: Settings, intensity: Factor | None) -> Facts:
    first = main_device(footprint.hardware)
    kind = first.kind if first else "accelerator"
    own = [one for one in footprint.components if family_of(one.component) == kind]
    device = None
    if first is not None:
        user = settings.hardware
        device = hardware.find_accelerator(first.name, user=user) or hardware.find_cpu(first.name, user=user)
    hours = None if footprint.device_hours is None else footprint.device_hours.value
    model = footprint.model
    given = footprint.given
    return Facts(
        planned=any(one.meter in _MODELLED_METERS for one in footprint.components),
        hours=None if footprint.duration_s is None else footprint.duration_s / SECONDS_PER_HOUR,
        device=device,
        device_name=None if first is None else first.name,
        count=sum(one.count for one in footprint.hardware if one.kind == kind) or 1,
        device_hours=hours,
        power_share=_power_share(own, hours, first.rated_power_w if first else None),
        device_share=_share(own, footprint),
        idle_share=_idle_share(own, footprint),
        utilisation=_mean_utilisation(own),
        precision=_word(given.get("precision") or footprint.tags.get("precision")),
        method=None if intensity is None else _METHODS.get(intensity.method or ""),
        zone=footprint.place.zone,
        params=None if model is None else model.params,
        active_params=None if model is None else model.active_params,
        stage=footprint.stage,
    )


def _word(value: Any) -> str | None:
    return str(value).lower() if value else None


def _power_share(own: list[Component], device_hours: float | None, rated_w: float | None) -> float | None:
    if not own or not device_hours or not rated_w:
        return None
    mean_w = math.fsum(one.energy_kwh.value for one in own) * W_PER_KW / device_hours
    return mean_w / rated_w


def _share(own: list[Component], footprint: Footprint) -> float:
    if not own or footprint.energy_kwh is None or footprint.energy_kwh.value <= 0.0:
        return _HOST_SHARE
    return min(1.0, math.fsum(one.energy_kwh.value for one in own) / footprint.energy_kwh.value)


def _idle_share(own: list[Component], footprint: Footprint) -> float | None:
    idle = [one.idle_kwh for one in own if one.idle_kwh is not None]
    if not idle or footprint.energy_kwh is None or footprint.energy_kwh.value <= 0.0:
        return None
    return math.fsum(idle) / footprint.energy_kwh.value


def _mean_utilisation(own: list[Component]) -> float | None:
    known = [one.utilisation for one in own if one.utilisation is not None]
    return math.fsum(known) / len(known) if known else None
