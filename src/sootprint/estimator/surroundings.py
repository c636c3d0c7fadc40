"""What an estimate's energy is multiplied with: place, carbon intensity and PUE, each with its source."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sootprint import place as whereabouts
from sootprint.catalogue import regions, zones
from sootprint.core.carbon import OF_THE_WORLD
from sootprint.core.quantity import Factor
from sootprint.core.records import Place
from sootprint.core.units import G_PER_KG
from sootprint.estimator import factors

if TYPE_CHECKING:
    from sootprint.estimator.inputs import Job
    from sootprint.settings import Settings

LEAST = 5.0  # gCO2e/kWh; life-cycle figures of hydro and wind alone begin above it (UNECE 2021)
UNKNOWN_PLACE = f"place unknown: {OF_THE_WORLD}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Place, intensity and PUE of an estimate.

    Args:
        place: Where the electricity comes from.
        intensity: Carbon intensity [gCO2e/kWh].
        pue: Facility energy over IT energy [1], or None where it is unknown or not asked for.
        warnings: What was assumed or could not be found.
    """

    place: Place
    intensity: Factor
    pue: Factor | None
    warnings: tuple[str, ...] = ()


def look_up(job: Job, settings: Settings) -> Surroundings:
    """Surroundings of a job: what was given, else what the settings and this machine tell, else the world.

    Raises:
        CatalogueError: The zone is in no table.
    """
    here = whereabouts.ResolvedPlace(zone=job.zone, source="argument")
    if job.zone is None and job.intensity is None:
        stated, clusters = settings.stated_places(), settings.cluster_places()
        here = whereabouts.resolve(stated, clusters=clusters, sysfs=settings.sysfs)
    intensity, place, warnings = _intensity(job, here)
    return Surroundings(place=place, intensity=intensity, pue=_pue(job, settings, here), warnings=warnings)


def _intensity(job: Job, here: whereabouts.ResolvedPlace) -> tuple[Factor, Place, tuple[str, ...]]:
    if job.intensity is not None:
        given = factors.given("intensity", job.intensity, unit=zones.UNIT)
        place = Place() if here.zone is None else zones.locate(here.zone).place
        return given, dataclasses.replace(place, source="argument"), _too_small(job.intensity)
    found = zones.intensity(zones.WORLD if here.zone is None else here.zone, job.year)
    if here.zone is None:
        return found.factor, Place(), (f"{UNKNOWN_PLACE}; {here.fix}",)
    return found.factor, dataclasses.replace(found.place, source=here.source), found.warnings


def _too_small(intensity_g_per_kwh: float) -> tuple[str, ...]:
    """Warning of an intensity that no grid has, as of kilograms; none for 0, which a contract may state."""
    if not 0.0 < intensity_g_per_kwh < LEAST:
        return ()
    grams = f"{intensity_g_per_kwh * G_PER_KG:g}"
    return (
        f"intensity is {intensity_g_per_kwh:g} gCO2e/kWh, below every grid: if it is in kg, give {grams}",
    )


def _pue(job: Job, settings: Settings, here: whereabouts.ResolvedPlace) -> Factor | None:
    """PUE that was given; unless the power is that at the boundary, also that of the site or cloud region."""
    if job.pue is not None:
        return factors.given("pue", job.pue, unit="1")
    if job.power_w is not None or job.method == "survey":
        return None
    stated = None if job.zone is not None else settings.pue_on(_day(job.year), site=here.site)
    if stated is not None:
        low, high = stated.low or stated.value, stated.high or stated.value
        return Factor(
            kind="pue",
            key=here.site or "stated",
            value=stated.value,
            low=low,
            high=high,
            source=stated.source,
        )
    if here.zone is not None and "/" in here.zone:
        return regions.region(here.zone, job.year).pue
    return None


def _day(year: int | None) -> date:
    """Middle of a year, or today."""
    return datetime.now(UTC).date() if year is None else date(year, 7, 1)
