"""Truth: each record computed again from its inputs, with the hub's own factors, beside what it claims.

Energy comes from what the record says of its parts: measured components, else hardware x hours x the power that such
devices draw, else the energy as stated. Emissions are that energy x PUE x the intensity of the zone and year. A claim
outside 0.5-2 x of it is marked for review; it is neither repaired nor held back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sootprint import __version__
from sootprint.catalogue import regions, zones
from sootprint.catalogue.tables import PACKAGED
from sootprint.charts.families import MEASURED, WALL
from sootprint.core import carbon, intervals
from sootprint.core.errors import CatalogueError, InputError, SootprintError
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, device_count, main_device
from sootprint.core.units import G_PER_KG, J_PER_KWH, W_PER_KW, hours
from sootprint.core.utc import written_year
from sootprint.estimator import devices, factors
from sootprint.estimator.audit import Finding
from sootprint.estimator.inputs import Job
from sootprint.hub import findings
from sootprint.report.figures import number
from sootprint.settings import Settings

CREDIBLE = (0.5, 2.0)  # claimed over recomputed
_MILLION = G_PER_KG**2
_YEARS = (1900, 2200)  # between which a year of a record lies
_CLAIMED = {"emissions_kg": "the emissions are", "energy_kwh": "the energy is"}
SLIPS = {
    "emissions_kg": (
        (G_PER_KG, "looks like grams typed as kilograms"),
        (1.0 / G_PER_KG, "looks like tonnes typed as kilograms"),
        (_MILLION, "looks off by a million, as where grams and tonnes are mixed up"),
        (1.0 / _MILLION, "looks off by a million, as where grams and tonnes are mixed up"),
    ),
    "energy_kwh": (
        (G_PER_KG, "looks like watt-hours typed as kilowatt-hours"),
        (1.0 / G_PER_KG, "looks like megawatt-hours typed as kilowatt-hours"),
        (J_PER_KWH, "looks like joules typed as kilowatt-hours"),
        (J_PER_KWH / _MILLION, "looks like megajoules typed as kilowatt-hours"),
    ),
}
NEAR_SLIP = 1.6  # ratio to a slip within which it is named: the spread of a recomputation
# Electricity of all data centres of the world in 2024: IEA, Energy and AI (2025), 415 TWh; and that at 1 kg/kWh
MOST_KWH = MOST_KG = 4.15e11
MAX_SPIKE = 1.2  # over its rated power, what a device may draw on average by its own sensor
_NOWHERE = Path("/nonexistent")  # the hub's settings are nobody's: no user's hardware, no site


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What the hub made of a record.

    Args:
        engine: Release of the program, and a hash of its tables.
        method: components, hardware or stated; None where no energy could be had.
        energy_kwh: IT energy [kWh].
        emissions_kg: Operational emissions [kgCO2e].
        energy_ratio: Claimed over recomputed [1].
        emissions_ratio: Claimed over recomputed [1].
        factors: What was multiplied.
        marks: Why the record is to be reviewed; empty where nothing speaks against it.
        notes: What could not be had, or was taken from the record itself.
        findings: What the audit says of it.
    """

    engine: str
    method: str | None
    energy_kwh: Quantity | None
    emissions_kg: Quantity | None
    energy_ratio: float | None
    emissions_ratio: float | None
    factors: tuple[Factor, ...]
    marks: tuple[str, ...]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether the emissions are of the hub's own intensity, so that they may enter sums."""
        return self.emissions_kg is not None and any(one.kind == "intensity" for one in self.factors)

    @property
    def verification(self) -> str:
        """Grade of checking: recomputed where a claim was compared with ours and held, else schema-checked."""
        compared = self.emissions_ratio is not None or (
            self.energy_ratio is not None and self.method != "stated"
        )
        return "recomputed" if compared and not self.marks else "schema-checked"


def recompute(footprint: Footprint) -> Recomputed:
    """A record computed again from its inputs, and audited."""
    method, energy, used, notes = _energy(footprint) if not footprint.stages else _LIFE_CYCLE
    emissions, more, remarks = _emissions(footprint, energy)
    energy_ratio = _ratio(footprint.energy_kwh, energy)
    emissions_ratio = _ratio(footprint.emissions_kg, emissions)
    audited = findings.of(footprint)
    marks = [
        *_outside("energy_kwh", energy_ratio),
        *_outside("emissions_kg", emissions_ratio),
        *_beyond_rated(footprint),
        *_beyond_world(footprint, energy, emissions),
        *findings.marks(audited),
    ]
    return Recomputed(
        engine=engine(),
        method=method,
        energy_kwh=energy,
        emissions_kg=emissions,
        energy_ratio=energy_ratio,
        emissions_ratio=emissions_ratio,
        factors=(*used, *more),
        marks=tuple(marks),
        notes=(*notes, *remarks),
        findings=audited,
    )


@cache
def engine() -> str:
    """Release of the program, and a hash of the tables that it computes with."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGED.glob("*.csv")):
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


Energy = tuple[str | None, Quantity | None, tuple[Factor, ...], tuple[str, ...]]
_LIFE_CYCLE: Energy = (
    None,
    None,
    (),
    ("a life cycle is not computed again: each of its stages has factors of its own",),
)


def _energy(footprint: Footprint) -> Energy:
    """Method, IT energy, factors and notes."""
    measured = any(part.energy_kwh.basis in MEASURED for part in footprint.components)
    if measured or (footprint.components and not _is_estimate(footprint)):
        return "components", _sum_of_components(footprint), (), ()
    modelled = _hardware_energy(footprint)
    if isinstance(modelled, tuple):
        return "hardware", modelled[0], modelled[1], ()
    if footprint.energy_kwh is not None:
        return "stated", footprint.energy_kwh, (), (f"{modelled}; the energy is taken as stated",)
    return None, None, (), (modelled,)


def _is_estimate(footprint: Footprint) -> bool:
    return all(part.meter in ("estimate", "given") for part in footprint.components)


def _sum_of_components(footprint: Footprint) -> Quantity:
    """Energy at the wall where a component has it, else the sum of all, whose bounds add."""
    wall = [part.energy_kwh for part in footprint.components if family_of(part.component) == WALL]
    parts = wall or [part.energy_kwh for part in footprint.components]
    lows, highs = [part.low for part in parts], [part.high for part in parts]
    return Quantity(
        value=sum(part.value for part in parts),
        low=None if None in lows else sum(low for low in lows if low is not None),
        high=None if None in highs else sum(high for high in highs if high is not None),
        basis="derived",
    )


def _hardware_energy(footprint: Footprint) -> tuple[Quantity, tuple[Factor, ...]] | str:
    """Energy of the main device for its hours with the factors, or why there is none."""
    main = main_device(footprint.hardware)
    if main is None:
        return "no hardware is named"
    spent_h = _device_hours(footprint)
    if isinstance(spent_h, str):
        return spent_h
    per_hour = _per_device_hour(main.name, *_work(footprint), footprint.boundary == "accelerator")
    if per_hour is None:
        return f"{main.name:.60} is in no table"
    if spent_h.low is None and spent_h.high is None:  # stated without bounds: as exact as it can be taken
        return intervals.scaled(per_hour[0], spent_h.value), per_hour[1]
    return intervals.product(per_hour[0], spent_h, basis="modelled"), per_hour[1]


def _device_hours(footprint: Footprint) -> Quantity | str:
    """Hours of all devices as stated, else wall hours of each, or why there are none [h]."""
    if footprint.device_hours is not None:
        return footprint.device_hours
    if footprint.duration_s is None:
        return "no hours are given"
    count = device_count(footprint)
    if count is None:
        return "the number of devices is not known"
    return Quantity(value=hours(footprint.duration_s) * count)


def _work(footprint: Footprint) -> tuple[str, float | None]:
    """Kind of work and utilisation that the record was estimated with, as far as it tells."""
    work, share = footprint.given.get("work"), footprint.given.get("utilisation")
    known = work if isinstance(work, str) and work in factors.WORKS else "unknown"
    stated = isinstance(share, int | float) and not isinstance(share, bool) and 0.0 < share <= 1.0
    return known, float(share) if stated and share is not None else None


@lru_cache(maxsize=4096)
def _per_device_hour(
    name: str, work: str, utilisation: float | None, without_host: bool
) -> tuple[Quantity, tuple[Factor, ...]] | None:
    """Energy of one hour of one device [kWh] with its factors; None for one that no table has."""
    try:
        job = Job(hours=1.0, hardware=name, work=work, utilisation=utilisation)
        power = devices.power(job, Settings(home=_NOWHERE, runtime_dir=_NOWHERE))
    except SootprintError:
        return None
    used = power.device if power.host is None or without_host else (*power.device, power.host)
    mean_w = intervals.product(*(factor.quantity() for factor in used), basis="modelled")
    return intervals.scaled(mean_w, 1.0 / W_PER_KW), used


Emissions = tuple[Quantity | None, tuple[Factor, ...], tuple[str, ...]]


def _emissions(footprint: Footprint, energy: Quantity | None) -> Emissions:
    """Emissions, factors and notes."""
    if energy is None:
        return None, (), ()
    zone, pue = footprint.place.zone or footprint.place.country, _pue(footprint)
    found = _intensity(zone, _year_of_training(footprint)) if zone else None
    if found is not None:
        grid = found.quantity()
        return carbon.emissions(energy, grid, pue), (found,), ()
    if footprint.intensity_g_per_kwh is None:
        return None, (), ("neither a known zone nor an intensity is given",)
    why = f"zone {zone:.40} is in no table" if zone else "no zone is given"
    note = f"{why}; the intensity is taken as stated"
    return carbon.emissions(energy, footprint.intensity_g_per_kwh, pue), (), (note,)


def _pue(footprint: Footprint) -> Quantity:
    if footprint.pue is not None:
        return footprint.pue
    return intervals.exact(1.0, "assumed")


def year_of(footprint: Footprint) -> int | None:
    """Year of a record: that of its start, else of its publication, else the one that it was estimated for."""
    published = footprint.paper.published if footprint.paper else None
    return _likely(footprint.started) or _likely(published) or _year_given(footprint)


def _year_of_training(footprint: Footprint) -> int | None:
    """Year whose grid counts: that of the start, else the one that it was estimated for, else of its publication."""
    return _likely(footprint.started) or _year_given(footprint) or year_of(footprint)


def _likely(text: str | None) -> int | None:
    year = written_year(text)
    return year if year is not None and _YEARS[0] < year < _YEARS[1] else None


def _year_given(footprint: Footprint) -> int | None:
    given = footprint.given.get("year")
    return given if isinstance(given, int) and _YEARS[0] < given < _YEARS[1] else None


@lru_cache(maxsize=8192)
def _intensity(zone: str, year: int | None) -> Factor | None:
    """Annual intensity of a zone or cloud region; None where no table has it."""
    try:
        where = regions.region(zone, year).zone if "/" in zone else zone
        return zones.intensity(where, year).factor
    except (CatalogueError, InputError):
        return None


def _ratio(claimed: Quantity | None, recomputed: Quantity | None) -> float | None:
    if claimed is None or recomputed is None or recomputed.value <= 0.0:
        return None
    return claimed.value / recomputed.value


def _outside(name: str, ratio: float | None) -> tuple[str, ...]:
    if ratio is None or CREDIBLE[0] <= ratio <= CREDIBLE[1]:
        return ()
    said = f"{_CLAIMED[name]} {number(ratio)} × what the inputs give"
    slips = [words for size, words in SLIPS[name] if 1 / NEAR_SLIP <= ratio / size <= NEAR_SLIP]
    return (f"{said}: {slips[0]}" if slips else said,)


def _beyond_rated(footprint: Footprint) -> tuple[str, ...]:
    """A mark where the accelerators' energy is more than their rated power can give."""
    main, duration_s = main_device(footprint.hardware), footprint.duration_s
    if main is None or main.kind != "accelerator" or not main.rated_power_w or not duration_s:
        return ()
    count = device_count(footprint)
    if count is None:
        return ()
    listed = [part for part in footprint.components if family_of(part.component) == "accelerator"]
    limit_kwh = main.rated_power_w * count * hours(duration_s) / W_PER_KW * MAX_SPIKE
    spent_kwh = sum(part.energy_kwh.value for part in listed)
    if spent_kwh <= limit_kwh:
        return ()
    return (f"the accelerators spent {spent_kwh:.3g} kWh, more than their rated power allows in the time",)


def _beyond_world(
    footprint: Footprint, energy: Quantity | None, emissions: Quantity | None
) -> tuple[str, ...]:
    """A mark where one training would take more than all data centres: in a sum nothing else would be left of it."""
    most_kwh = max(one.value for one in (footprint.energy_kwh, energy, _NONE) if one is not None)
    most_kg = max(one.value for one in (footprint.emissions_kg, emissions, _NONE) if one is not None)
    if most_kwh <= MOST_KWH and most_kg <= MOST_KG:
        return ()
    return ("it is more than all data centres of the world take in a year, 415 TWh",)


_NONE = Quantity(value=0.0)


def detail(made: Recomputed) -> dict[str, object]:
    """What is kept of a recomputation beside its numbers."""
    return {
        "method": made.method,
        "marks": list(made.marks),
        "notes": list(made.notes),
        "factors": [{key: getattr(factor, key) for key in _KEPT} for factor in made.factors],
        "findings": findings.plain(made.findings),
    }


_KEPT = ("kind", "key", "value", "low", "high", "unit", "period")


def kept(row: Mapping[str, Any]) -> Recomputed:
    """A recomputation as it is kept, which an earlier engine may have made; without its findings.

    Args:
        row: Columns of `Recomputation`.

    Raises:
        RecordError: A number of it cannot be.
        ValueError: Its detail cannot be read.
    """
    told = json.loads(row["detail"])
    return Recomputed(
        engine=row["engine"],
        method=told["method"],
        energy_kwh=_kept(row, "energy", "kwh"),
        emissions_kg=_kept(row, "emissions", "kg"),
        energy_ratio=row["energy_ratio"],
        emissions_ratio=row["emissions_ratio"],
        factors=tuple(Factor(**one) for one in told["factors"]),
        marks=tuple(told["marks"]),
        notes=tuple(told["notes"]),
    )


def _kept(row: Mapping[str, Any], name: str, unit: str) -> Quantity | None:
    value, low, high = (row[f"{name}{end}_{unit}"] for end in ("", "_low", "_high"))
    return None if value is None else Quantity(value=value, low=low, high=high)
