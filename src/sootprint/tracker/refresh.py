"""A finished run's record with the intensity of its own hours, from the sources that the user configured.

Nothing here runs while a training does: it is for the end of `sootprint run`, and for `sootprint refresh`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from sootprint.catalogue import zones
from sootprint.core import regrid
from sootprint.core.errors import CatalogueError, IntensityError, RecordError
from sootprint.intensity import chain

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings


class Refreshed(NamedTuple):
    """A record after its hours were asked for.

    Args:
        record: The record, with the hours of a source or with a warning why not.
        source: Source that counts; "annual" where none of the others knew.
        passed: Why each source before it does not count.
    """

    record: Footprint
    source: str
    passed: tuple[str, ...]


def refreshed(record: Footprint, settings: Settings, *, source: str | None = None) -> Refreshed:
    """Record with the intensity of its own hours; with the annual one and a warning where no source knows them.

    Args:
        record: Record of a measured run.
        settings: Settings with `[grid]`.
        source: Source to ask in place of those of the settings.

    Raises:
        IntensityError: No source is configured, or the place is unknown.
        RecordError: The record was merged or not measured, so that its hours are not its own.
        SettingsError: There is no such source.
    """
    start, end = regrid.span(record)
    if record.given.get("merged"):
        raise RecordError(
            f"{record.name or record.id} is merged from several records: refresh those, and merge again"
        )
    if record.place.zone is None:
        raise IntensityError(
            f"the place of {record.name or record.id} is unknown, so that no grid can be asked for it"
        )
    configured = chain.chain(settings) if source is None else chain.ChainSource([source], settings)
    if configured is None:
        raise IntensityError(
            "no source of carbon intensity is configured: state sources in [grid] of sootprint.toml"
        )
    answer = configured.ask(record.place.zone, start, end)
    if answer.source == chain.ANNUAL:
        return Refreshed(_still_annual(record, answer.passed), answer.source, answer.passed)
    told = dict.fromkeys(text for one in answer.intensities for text in one.warnings)
    return Refreshed(
        regrid.with_hours(without_year(record), answer.intensities, warnings=list(told)),
        answer.source,
        answer.passed,
    )


def _still_annual(record: Footprint, passed: tuple[str, ...]) -> Footprint:
    """Record that says why a year's figure counts; one that has its hours already keeps them."""
    if regrid.has_hours(record) or not passed:
        return record
    reasons = (f"{regrid.MARK}the annual figure counts: {text}" for text in passed)
    return dataclasses.replace(record, warnings=(*regrid.without_remarks(record.warnings), *reasons))


def without_year(record: Footprint) -> Footprint:
    """Record without the warnings that its annual figure brought, which its own hours make void.

    Raises:
        RecordError: It has no interval energies.
    """
    try:
        of_year = zones.intensity(record.place.zone or zones.WORLD, regrid.span(record)[0].year).warnings
    except CatalogueError:
        return record
    return dataclasses.replace(
        record, warnings=tuple(text for text in record.warnings if text not in of_year)
    )
