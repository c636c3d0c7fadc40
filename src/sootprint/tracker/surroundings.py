"""PUE, carbon intensity and place of a run, from what its journal's head states."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from sootprint.catalogue import regions, zones
from sootprint.core.errors import CatalogueError, IntensityError
from sootprint.core.protocols import Intensity
from sootprint.core.quantity import Factor
from sootprint.core.records import Place
from sootprint.intensity.annual import AnnualSource
from sootprint.tracker.assemble import Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WORLD = "WORLD"


def look_up(head: dict[str, Any], last_s: float) -> Surroundings:
    """Surroundings of a run that lasted `last_s` [s].

    A zone that no table knows is treated as unknown, and the warning says so.
    """
    warnings: list[str] = []
    zone = head.get("zone")
    place = Place(source=head.get("place_source"))
    if zone is not None:
        try:
            found = zones.intensity(zone, None)
            place = dataclasses.replace(found.place, source=head.get("place_source"))
        except CatalogueError as err:
            warnings.append(str(err))
            zone = None
    if zone is None:
        warnings.insert(0, _unknown_place(head))
    listed = _intensities(zone or WORLD, head, last_s)
    for intensity in listed:
        warnings += [text for text in intensity.warnings if text not in warnings]
    return Surroundings(place=place, pue=_pue(head, zone), intensities=listed, warnings=tuple(warnings))


def _unknown_place(head: dict[str, Any]) -> str:
    fix = head.get("place_fix") or "state the place: --zone FR, or SOOTPRINT_ZONE=FR"
    return (
        f"place unknown: the intensity is the world's average and its interval spans the world's grids; {fix}"
    )


def _intensities(zone: str, head: dict[str, Any], last_s: float) -> list[Intensity]:
    start = datetime.fromtimestamp(head["wall_s"], UTC)
    end = start + timedelta(seconds=max(last_s, 1.0))
    year = head.get("year")
    if year is not None:
        asked = datetime(year, 1, 1, tzinfo=UTC)
        listed = AnnualSource().between(zone, asked, asked + timedelta(days=1))
        return [dataclasses.replace(one, start=start, end=end) for one in listed]
    try:
        return list(AnnualSource().between(zone, start, end))
    except IntensityError:
        return []


def _pue(head: dict[str, Any], zone: str | None) -> Factor | None:
    """PUE that was stated, else the cloud region's own, else None."""
    stated = head.get("pue")
    if stated is not None:
        value, low, high, origin = stated
        bounds = (value, value) if low is None or high is None else (low, high)
        return Factor(
            kind="pue",
            key=zone or "stated",
            value=value,
            low=bounds[0],
            high=bounds[1],
            method="as stated",
            source=origin,
        )
    if zone is not None and "/" in zone:
        return regions.region(zone).pue
    return None
