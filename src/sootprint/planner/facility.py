"""PUE of each zone of a plan: as stated for it, else that of this place, else as a cloud region publishes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sootprint import place
from sootprint.catalogue import factors, regions
from sootprint.core import intervals
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Quantity

if TYPE_CHECKING:
    from sootprint.core.quantity import Factor
    from sootprint.settings import Settings
    from sootprint.settings.pues import StatedPue

NOT_IN = "PUE is 1: the facility's overhead (a PUE is typically 1.1 to 1.6) is not in"


class Facility(NamedTuple):
    """PUE of a zone with its bounds [1], and who told it; None where nobody has.

    One that is stated without bounds is certain, as in the record of a run.
    """

    zone: str
    pue: Quantity | None
    source: str | None


def facilities(
    zones: Sequence[str], stated: float | Mapping[str, float] | None, *, at: datetime, settings: Settings
) -> tuple[Facility, ...]:
    """PUE of each zone.

    Args:
        zones: Zones of the plan; the first is where the job would run now.
        stated: PUE in all zones, or by zone [1].
        at: Start of the plan, aware.
        settings: Settings of this place, whose PUE is that of its own zone alone.

    Raises:
        InputError: One is stated for a zone that is not in the plan.
    """
    by_zone = stated if isinstance(stated, Mapping) else {}
    foreign = sorted(set(by_zone) - set(zones))
    if foreign:
        raise InputError(
            f"a PUE is stated for {foreign[0]!r}, which is not among the zones {', '.join(zones)}: add it there"
        )
    here = place.resolve(settings.stated_places(), clusters=settings.cluster_places(), sysfs=settings.sysfs)
    own = settings.pue_on(at.date(), site=here.site)
    found = []
    for zone in zones:
        told = by_zone.get(zone) if isinstance(stated, Mapping) else stated
        is_here = zone == zones[0] if here.zone is None else here.zone.casefold() == zone.casefold()
        if told is not None:
            found.append(Facility(zone, intervals.exact(told), "stated"))
        elif own is not None and is_here:
            found.append(Facility(zone, _bounded(own), own.source))
        else:
            found.append(_published(zone, at))
    return tuple(found)


def counted(known: Sequence[Facility]) -> list[tuple[str, Quantity]]:
    """Facility and PUE that each zone counts with: 1 in all where one is not known, for no guess ranks places [1].

    >>> lab = Facility("DE", intervals.exact(1.5), "stated")
    >>> [pue.value for _, pue in counted([lab, Facility("FR", None, None)])]
    [1.0, 1.0]
    """
    found = [(f"pue:{one.zone}", one.pue) for one in known if one.pue is not None]
    return found if len(found) == len(known) else [("", intervals.exact(1.0))] * len(known)


def note(known: Sequence[Facility]) -> str | None:
    """What to know where the PUE of a zone is not known; None where all are."""
    missing = [one.zone for one in known if one.pue is None]
    if not missing:
        return None
    if len(missing) == len(known):
        return NOT_IN
    text = f"no PUE is in, as that of {', '.join(missing)} is not known and no guess ranks places: state it for each"
    fleets = filter(None, (_fleet(zone) for zone in missing))
    return "; ".join((text, *dict.fromkeys(fleets)))


def of_region(zone: str, year: int | None = None) -> Factor | None:
    """PUE that a cloud region publishes in the nearest year; None for another zone, and where none is published [1]."""
    if "/" not in zone:
        return None
    with suppress(CatalogueError):
        return regions.region(zone, year).pue
    return None


def _bounded(own: StatedPue) -> Quantity:
    low, high = own.low or own.value, own.high or own.value
    return Quantity(value=own.value, low=low, high=high, basis="assumed")


def _published(zone: str, at: datetime) -> Facility:
    found = of_region(zone, at.year)
    if found is None or found.value is None:
        return Facility(zone, None, None)
    return Facility(zone, found.quantity(), f"{found.source}, {found.period}")


def _fleet(zone: str) -> str | None:
    """What the provider of a region that publishes no PUE of its own states for all of its regions."""
    provider, slash, _ = zone.partition("/")
    found = factors.pue(provider) if slash else None
    return None if found is None else f"{provider} states {found.known:g} for all of its regions"
