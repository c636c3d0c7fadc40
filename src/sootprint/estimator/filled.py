"""What an imported record leaves out and its inputs give: energy from hardware and hours, emissions from energy.

Nothing that a record states is changed, and what was filled in carries its factors.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from sootprint.catalogue import regions, zones
from sootprint.core import carbon, instants, intervals
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Factor
from sootprint.core.records import Footprint
from sootprint.core.units import hours
from sootprint.estimator import hours as estimator
from sootprint.estimator.inputs import Job

if TYPE_CHECKING:
    from sootprint.settings import Settings


def filled(footprint: Footprint, settings: Settings) -> Footprint:
    """A record with an estimate of what it left out, or with a warning why there is none.

    Args:
        footprint: Record, as an importer made it.
        settings: Settings; the hub's are nobody's.
    """
    if footprint.energy_kwh is None and footprint.hardware and footprint.duration_s:
        return _estimated(footprint, settings)
    if footprint.energy_kwh is not None and footprint.emissions_kg is None and footprint.place.zone:
        return _emitted(footprint)
    return footprint


def _estimated(stated: Footprint, settings: Settings) -> Footprint:
    main = stated.hardware[0]
    job = {
        "hours": hours(stated.duration_s or 0.0),
        "hardware": main.name,
        "count": main.count,
        "zone": stated.place.zone or zones.WORLD,
        "year": year_of(stated),
        "pue": stated.pue.value if stated.pue else None,
    }
    try:
        made = estimator.footprint(Job(**job), settings)  # type: ignore[arg-type]
    except (InputError, CatalogueError) as err:
        return _known(stated, warnings=(*stated.warnings, f"no estimate could be made: {err}"))
    return _known(
        stated,
        components=made.components,
        energy_kwh=made.energy_kwh,
        intensity_g_per_kwh=made.intensity_g_per_kwh,
        emissions_kg=stated.emissions_kg or made.emissions_kg,
        pue=stated.pue or made.pue,
        boundary=made.boundary,
        hardware=made.hardware,
        factors=(*stated.factors, *made.factors),
        warnings=(*stated.warnings, *made.warnings),
    )


def _emitted(stated: Footprint) -> Footprint:
    """A record with energy and a zone, with the emissions of both."""
    found = _intensity(stated.place.zone or "", year_of(stated))
    if found is None or stated.energy_kwh is None:
        return stated
    grid, pue = found.quantity(), stated.pue or intervals.exact(1.0, "assumed")
    return _known(
        stated,
        intensity_g_per_kwh=grid,
        emissions_kg=carbon.emissions(stated.energy_kwh, grid, pue),
        factors=(*stated.factors, found),
    )


def _intensity(zone: str, year: int | None) -> Factor | None:
    try:
        return zones.intensity(regions.region(zone, year).zone if "/" in zone else zone, year).factor
    except (CatalogueError, InputError):
        return None


def year_of(footprint: Footprint) -> int | None:
    """Year that a record states: of its start, else as given."""
    started = instants.written_year(footprint.started)
    if started is not None:
        return started
    given = footprint.given.get("year")
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def _known(stated: Footprint, **changes: object) -> Footprint:
    """A record with changes, in which what is known now is not called unknown."""
    made = dataclasses.replace(stated, **changes)  # type: ignore[arg-type]
    left = tuple(name for name in made.unknown if changes.get(name) is None)
    return dataclasses.replace(made, unknown=left)
