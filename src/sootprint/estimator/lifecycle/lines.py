"""Lines of a life cycle: each stage's energy and emissions as draws that share grid, PUE and priors."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint.core import intervals
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, main_device
from sootprint.core.units import G_PER_KG, W_PER_KW
from sootprint.estimator import hours, inputs, surroundings
from sootprint.estimator.explain import ASIDE, DIVISORS
from sootprint.estimator.lifecycle.spec import FINAL, STAGES, WHOLE, StageSpec
from sootprint.estimator.prediction import predict

if TYPE_CHECKING:
    from sootprint.settings import Settings

Draws = tuple[float, ...]
Records = Callable[[str], Footprint]
HOURS_PER_DAY = 24.0
GB_PER_TB = 1000.0
_CCF = "Cloud Carbon Footprint, methodology (2024); its spread is assumed"
_SPREAD = (0.5, 2.0)
WH_PER_TB_H = {"ssd": 1.2, "hdd": 0.65}
KWH_PER_GB = 0.001
OF_FINAL = Quantity(value=0.6, low=0.2, high=2.0, basis="assumed")
_OF_FINAL_SOURCE = (
    "development beside the final training: about as much again (OPT, Zhang et al., 2022), experiments : training 10 : "
    "20 (Wu et al., 2022); 1.6 (1.2 to 3) in all, assumed"
)


class Worked(NamedTuple):
    """Hours of a device: its name and kind, hours summed over devices [h], and their draws."""

    name: str
    kind: str
    hours: float
    drawn: Draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One stage with its numbers.

    Args:
        stage: Stage.
        name: What it was, in words.
        energy_kwh: IT energy [kWh]; None where only emissions are known.
        facility_kwh: The same with the facility's overhead [kWh].
        emissions_kg: Operational emissions [kgCO2e].
        energy: Draws of `energy_kwh`, `(n,)`.
        facility: Draws of `facility_kwh`, `(n,)`.
        emissions: Draws of `emissions_kg`, `(n,)`.
        basis: How the energy was obtained.
        devices: Devices that worked.
        factors: What was multiplied.
        note: What a reader must know of it.
        on_site: Whether its energy was drawn in the facility, so that it has a PUE and water of its own.
    """

    stage: str
    name: str
    energy_kwh: float | None
    facility_kwh: float
    emissions_kg: float
    energy: Draws
    facility: Draws
    emissions: Draws
    basis: str
    devices: tuple[Worked, ...] = ()
    factors: tuple[Factor, ...] = ()
    note: str | None = None
    on_site: bool = True


class Drawn:
    """Draws shared by all lines, with the settings and records that they need."""

    def __init__(self, settings: Settings, records: Records) -> None:
        self.settings = settings
        self.records = records
        self._draws = intervals.Draws()

    def of(self, name: str, quantity: Quantity) -> Draws:
        """Draws of a quantity, the same for all who ask with this name; its value alone without bounds."""
        return tuple(self._draws.of(name, quantity) or [quantity.value] * intervals.DRAWS)

    def of_factor(self, factor: Factor) -> Draws:
        """Draws of a factor: one grid and year, one prior, is one draw for all lines."""
        return self.of(intervals.drawn_as(factor), factor.quantity())


def line(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    """Line of a stage.

    Args:
        spec: Stage as stated.
        drawn: Draws of the life cycle.
        final: Lines of the final training, for what is stated as a share of it.

    Raises:
        InputError: A value breaks a rule; the message names the stage.
        CatalogueError: A name is in no table.
    """
    try:
        return _FORMS[spec.form](spec, drawn, final)
    except CatalogueError as err:
        raise CatalogueError(f"{spec.where}: {err}") from err
    except InputError as err:
        raise InputError(f"{spec.where}: {err}") from err


def of_footprint(
    record: Footprint, drawn: Drawn, *, stage: str, name: str, identity: str | None = None
) -> Line:
    """Line of a record, its grid and PUE shared with the other lines.

    Args:
        record: Record with energy and emissions.
        drawn: Draws of the life cycle.
        stage: Stage that it is.
        name: What it was, in words.
        identity: What names the errors that are the record's alone; its own identity where None.

    Raises:
        InputError: The record has no energy or emissions.
    """
    energy, emitted = record.energy_kwh, record.emissions_kg
    if energy is None or emitted is None:
        raise InputError(f"record {record.name or record.id} has no energy or emissions")
    known = {one.kind: one for one in record.factors if one.kind in ("pue", "intensity") and one.value}
    modelled = any(part.meter == "estimate" for part in record.components)
    entered = [one for one in record.factors if one.kind not in (*known, *ASIDE)]
    priors = [one for one in entered if one.value and one.low and one.high]
    identity = identity or record.id
    own = _energy(energy, priors if modelled else [], drawn, identity)
    pue = record.pue.value if record.pue else 1.0
    facility = _times(own, _factor(known.get("pue"), pue, record.pue, drawn, f"pue:{identity}"))
    grams = record.intensity_g_per_kwh
    mean = grams.value if grams else emitted.value / (energy.value * pue or 1.0) * G_PER_KG
    emissions = _times(facility, _factor(known.get("intensity"), mean, grams, drawn, f"intensity:{identity}"))
    return Line(
        stage=stage,
        name=name,
        energy_kwh=energy.value,
        facility_kwh=energy.value * pue,
        emissions_kg=emitted.value,
        energy=own,
        facility=facility,
        emissions=tuple(one / G_PER_KG for one in emissions),
        basis=energy.basis,
        devices=_devices(record, drawn, identity),
        factors=tuple(one for one in record.factors if one.kind not in ASIDE),
    )


def _energy(energy: Quantity, priors: Sequence[Factor], drawn: Drawn, identity: str) -> Draws:
    """Draws of an energy whose priors are those of other lines; what they do not explain is its own."""
    made: Draws = (energy.value,) * intervals.DRAWS
    if energy.low is None or energy.high is None or energy.value <= 0.0:
        return made
    width = math.log(energy.high / max(energy.low, 1e-9 * energy.value))
    explained = math.sqrt(math.fsum(math.log((one.high or 1.0) / (one.low or 1.0)) ** 2 for one in priors))
    power = 1.0 if explained <= width or explained == 0.0 else width / explained
    for factor in priors:
        exponent = -power if factor.kind in DIVISORS else power
        ratios = (one / factor.known for one in drawn.of_factor(factor))
        made = tuple(before * ratio**exponent for before, ratio in zip(made, ratios, strict=True))
    left = math.sqrt(max(0.0, 1.0 - (power * explained / width) ** 2)) if width > 0.0 else 0.0
    if left <= 1e-6:
        return made
    rest = Quantity(
        value=1.0,
        low=(energy.low / energy.value) ** left,
        high=(energy.high / energy.value) ** left,
    )
    return _times(made, drawn.of(f"rest:{identity}", rest))


def _factor(known: Factor | None, value: float, own: Quantity | None, drawn: Drawn, name: str) -> Draws:
    if known is not None and known.value and math.isclose(known.value, value, rel_tol=1e-6):
        return drawn.of_factor(known)
    return drawn.of(name, own or Quantity(value=value))


def _devices(record: Footprint, drawn: Drawn, identity: str) -> tuple[Worked, ...]:
    if record.device_hours is None or not record.hardware:
        return ()
    first = main_device(record.hardware)
    if first is None:
        return ()
    spent = drawn.of(f"hours:{identity}", record.device_hours)
    return (Worked(first.name, first.kind, record.device_hours.value, spent),)


def _computed(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    names = {one.name for one in dataclasses.fields(inputs.Job)}
    job = inputs.Job(**{key: value for key, value in _whole(spec.values).items() if key in names})
    made = hours.footprint(job, drawn.settings)
    one_hour = dataclasses.replace(job, hours=1.0)  # two halves of a job err alike
    return of_footprint(made, drawn, stage=spec.stage, name=_name(spec), identity=str(one_hour))


def _predicted(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    """A training that has not begun, from its model and data."""
    names = spec.values.keys() - {"stage", "name"}
    stated = _whole({key: value for key, value in spec.values.items() if key in names})
    made = predict(settings=drawn.settings, **stated)
    return of_footprint(made, drawn, stage=spec.stage, name=_name(spec), identity=str(sorted(stated.items())))


def _whole(values: Any) -> dict[str, Any]:
    """Values with counts and years as whole numbers where they are."""
    return {
        key: int(value) if key in WHOLE and float(value).is_integer() else value
        for key, value in values.items()
    }


def _recorded(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    record = drawn.records(spec.values["record"])
    return of_footprint(record, drawn, stage=spec.stage, name=_name(spec) or record.name or spec.stage)


def _stated(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    return _of_energy(spec, drawn, Quantity(value=spec.values["energy_kwh"], basis="claimed"))


def _stored(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    values = spec.values
    if "days" not in values:
        raise InputError("days is not given: for how long the data is kept")
    amount_tb = values.get(
        "terabytes", values.get("gigabytes_each", 0.0) * values.get("number", 1) / GB_PER_TB
    )
    media, copies = values.get("media", "ssd"), values.get("copies", 1)
    kwh_per_tb_h = WH_PER_TB_H[media] / W_PER_KW
    factor = _assumed("storage", f"{media}, per TB and hour", kwh_per_tb_h, unit="kWh/TBh", source=_CCF)
    scale = amount_tb * copies * values["days"] * HOURS_PER_DAY
    energy = intervals.scaled(factor.quantity("modelled"), scale)
    return _of_energy(
        spec, drawn, energy, factor=factor, note=f"{amount_tb * copies:g} TB for {values['days']:g} days"
    )


def _transferred(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    factor = _assumed("network", "per GB", KWH_PER_GB, unit="kWh/GB", source=_CCF)
    energy = intervals.scaled(factor.quantity("modelled"), spec.values["gigabytes"])
    made = dataclasses.replace(spec, values={**spec.values, "pue": 1.0})
    one = _of_energy(made, drawn, energy, factor=factor)
    return dataclasses.replace(one, on_site=False, note="of networks on the way: no PUE")


def _served(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    values = spec.values
    if ("requests" in values) == ("until" in values):
        raise InputError('give either requests, their number, or until = "break-even"')
    if values["wh_per_request"] <= 0.0:
        raise InputError("wh_per_request is 0: it is above 0")
    requests = values.get("requests")
    each_kwh = values["wh_per_request"] / W_PER_KW
    if requests is None:  # as much energy as everything before it: see `sums.break_even`
        return _of_energy(spec, drawn, Quantity(value=0.0, basis="claimed"), note=f"{each_kwh}")
    energy = Quantity(value=each_kwh * requests, basis="claimed")
    return _of_energy(spec, drawn, energy, note=f"{requests:.3g} requests of {values['wh_per_request']:g} Wh")


def _shared(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    """A share of the final training, on its grid and with its PUE."""
    if not final:
        raise InputError(f"of_final needs a final training beside it: one of {', '.join(FINAL)}")
    stated = spec.values.get("of_final")
    share = OF_FINAL if stated is None else Quantity(value=stated, low=stated, high=stated)
    factor = Factor(
        kind="of_final",
        key=f"{spec.stage}, assumed" if stated is None else f"{spec.stage}, given",
        value=share.value,
        low=share.low,
        high=share.high,
        source=_OF_FINAL_SOURCE if stated is None else "given",
    )
    ratio = drawn.of_factor(factor)
    return Line(
        stage=spec.stage,
        name=_name(spec),
        energy_kwh=share.value * math.fsum(one.energy_kwh or 0.0 for one in final),
        facility_kwh=share.value * math.fsum(one.facility_kwh for one in final),
        emissions_kg=share.value * math.fsum(one.emissions_kg for one in final),
        energy=_times(ratio, _sum(one.energy for one in final)),
        facility=_times(ratio, _sum(one.facility for one in final)),
        emissions=_times(ratio, _sum(one.emissions for one in final)),
        basis="assumed" if stated is None else "claimed",
        devices=tuple(
            Worked(used.name, used.kind, share.value * used.hours, _times(ratio, used.drawn))
            for one in final
            for used in one.devices
        ),
        factors=(factor,),
        note=f"{share.value:g} of the final training{' (0.2 to 2), assumed' if stated is None else ''}",
    )


def _emitted(spec: StageSpec, drawn: Drawn, final: Sequence[Line]) -> Line:
    kg = spec.values["emissions_kg"]
    none: Draws = (0.0,) * intervals.DRAWS
    return Line(
        stage=spec.stage,
        name=spec.values.get("what") or _name(spec),
        energy_kwh=None,
        facility_kwh=0.0,
        emissions_kg=kg,
        energy=none,
        facility=none,
        emissions=(kg,) * intervals.DRAWS,
        basis="claimed",
        on_site=False,
    )


def _of_energy(
    spec: StageSpec, drawn: Drawn, energy: Quantity, *, factor: Factor | None = None, note: str | None = None
) -> Line:
    """Line of an energy at the place of a stage."""
    place = {key: spec.values[key] for key in ("zone", "year", "intensity", "pue") if key in spec.values}
    job = inputs.Job(hardware="A100", hours=1.0, **_whole(place))  # its place alone is asked for
    around = surroundings.look_up(job, drawn.settings)
    pue = around.pue
    own = (energy.value,) * intervals.DRAWS
    if factor is not None and factor.value:
        own = tuple(energy.value * one / factor.value for one in drawn.of_factor(factor))
    facility = own if pue is None else _times(own, drawn.of_factor(pue))
    grams = around.intensity.known
    overhead = 1.0 if pue is None or pue.value is None else pue.value
    emissions = _times(facility, drawn.of_factor(around.intensity))
    return Line(
        stage=spec.stage,
        name=_name(spec),
        energy_kwh=energy.value,
        facility_kwh=energy.value * overhead,
        emissions_kg=energy.value * overhead * grams / G_PER_KG,
        energy=own,
        facility=facility,
        emissions=tuple(one / G_PER_KG for one in emissions),
        basis=energy.basis,
        factors=tuple(filter(None, (factor, pue, around.intensity))),
        note=note,
    )


def _assumed(kind: str, key: str, value: float, *, unit: str, source: str) -> Factor:
    low, high = _SPREAD
    return Factor(
        kind=kind, key=key, value=value, low=low * value, high=high * value, unit=unit, source=source
    )


def _name(spec: StageSpec) -> str:
    return str(spec.values.get("name") or STAGES.get(spec.stage, spec.stage))


def _times(first: Draws, second: Draws) -> Draws:
    return tuple(a * b for a, b in zip(first, second, strict=True))


def _sum(listed: Any) -> Draws:
    return tuple(math.fsum(each) for each in zip(*listed, strict=True))


_FORMS: dict[str, Callable[[StageSpec, Drawn, Sequence[Line]], Line]] = {
    "record": _recorded,
    "energy_kwh": _stated,
    "params": _predicted,
    "hours": _computed,
    "terabytes": _stored,
    "gigabytes_each": _stored,
    "gigabytes": _transferred,
    "of_final": _shared,
    "wh_per_request": _served,
    "emissions_kg": _emitted,
}
