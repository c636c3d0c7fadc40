"""PUE, carbon intensity and place of a run, from what its journal's head states."""

from __future__ import annotations

from sootprint.catalogue import regions, zones
from sootprint.core import classes
from sootprint.core.carbon import OF_THE_WORLD
from sootprint.core.errors import CatalogueError
from sootprint.core.instants import start_of_year_s, year_of
from sootprint.core.quantity import Factor
from sootprint.core.records import Place
from sootprint.tracker.assemble import InForce, Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.tracker.fold import Fold

WORLD = "WORLD"


def look_up(head: dict[str, Any], last_s: float) -> Surroundings:
    """Surroundings of a run that lasted `last_s` [s].

    A zone that no table knows is treated as unknown, and the warning says so.
    """
    warnings: list[str] = []
    zone, why = head.get("zone"), ""
    place = Place(source=head.get("place_source"))
    if zone is not None:
        try:
            found = zones.intensity(zone, None)
            place = classes.replace(found.place, source=head.get("place_source"))
        except CatalogueError as err:
            why = f", for {err}".replace("; ", ", ")
            zone = None
    if zone is None:
        warnings.append(_unknown_place(head, why))
    listed, remarks = _intensities(zone or WORLD, head, last_s)
    warnings += [text for text in remarks if text not in warnings]
    return Surroundings(place=place, pue=_pue(head, zone), intensities=listed, warnings=tuple(warnings))


class LookUp:
    """What a run that goes on is multiplied with, looked up again once it has come into another year.

    Args:
        fold: Sums of the run, whose head is complete.
    """

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._known: tuple[int, Surroundings] | None = None

    def now(self) -> Surroundings:
        """Surroundings of the run so far."""
        head, last_s = self._fold.head, self._fold.last_s
        year = year_of(_end_s(head, last_s))
        if self._known is None or self._known[0] != year:
            self._known = year, look_up(head, last_s)
        return self._known[1]


def _end_s(head: dict[str, Any], last_s: float) -> float:
    return float(head["wall_s"] + max(last_s, 1.0))


def _unknown_place(head: dict[str, Any], why: str) -> str:
    fix = head.get("place_fix") or "state the place: --zone FR, or SOOTPRINT_ZONE=FR"
    return f"place unknown{why}: {OF_THE_WORLD}; {fix}"


def _intensities(zone: str, head: dict[str, Any], last_s: float) -> tuple[list[InForce], list[str]]:
    """The annual intensity of each year of the run, or of the one that was asked for; and what to know of them."""
    start_s = head["wall_s"]
    end_s = _end_s(head, last_s)
    asked, years = head.get("year"), range(year_of(start_s), year_of(end_s) + 1)
    listed: list[InForce] = []
    remarks: list[str] = []
    for year in years if asked is None else (asked,):
        try:
            found = zones.intensity(zone, year)
        except CatalogueError:
            return [], []
        turns = (start_of_year_s(year), start_of_year_s(year + 1)) if asked is None else (start_s, end_s)
        listed.append(InForce(found.factor, *turns))
        remarks += found.warnings
    return listed, remarks


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
