"""Places of a table: the country that a text means, its grid zone, and the zone's intensity in a year."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sootprint.catalogue import tables, zones
from sootprint.core.errors import CatalogueError
from sootprint.survey.groupings import Groupings

if TYPE_CHECKING:
    import polars as pl


class Found(NamedTuple):
    """A place as it was understood; None is unknown."""

    code: str | None
    name: str | None
    zone: str | None


def located(frame: pl.DataFrame, groupings: Groupings) -> pl.DataFrame:
    """Frame with country code, country name and zone; each distinct place is looked up once."""
    import polars as pl

    none = tuple(str(name).lower() for name in groupings["not_countries"]["names"])
    keys = ["country", "location", "zone"]
    places = frame.select(keys).unique(maintain_order=True)
    found = [find(*row, none=none) for row in places.iter_rows()]
    answers = places.with_columns(
        pl.Series("country_code", [one.code for one in found], dtype=pl.String),
        pl.Series("country_name", [one.name for one in found], dtype=pl.String),
        pl.Series("found_zone", [one.zone for one in found], dtype=pl.String),
    )
    joined = frame.join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined.with_columns(zone=pl.col("found_zone")).drop("found_zone")


@lru_cache(maxsize=4096)
def find(country: str | None, location: str | None, zone: str | None, *, none: tuple[str, ...] = ()) -> Found:
    """Place of a country, a location in it and a zone, as far as the tables know them.

    >>> find("United States of America", "Michigan", None)
    Found(code='US', name='United States', zone='US-MI')
    >>> find("Atlantis", None, None)
    Found(code=None, name=None, zone=None)
    """
    if country is not None and country.strip().lower() in none:
        country = None
    of_zone = _located(zone)
    of_country = _located(country) or of_zone
    if of_country is None or of_country.place.country is None:
        return Found(None, None, zone if of_zone else None)
    code = of_country.place.country
    if of_zone is None:
        of_zone = _inside(location, code)
    return Found(code, _name(code), of_zone.place.zone if of_zone else code)


def _inside(location: str | None, code: str) -> zones.Located | None:
    """Place of a location, if it lies in the country; the first part of it that does."""
    parts = [location or "", *(location or "").replace("/", ",").split(",")]
    for part in parts:
        found = _located(part.strip())
        if found is not None and found.place.country == code and found.chain[0] != code:
            return found
    return None


@lru_cache(maxsize=4096)
def _located(text: str | None) -> zones.Located | None:
    if not text or not text.strip():
        return None
    try:
        return zones.locate(text)
    except CatalogueError:
        return None


def _name(code: str) -> str:
    listed = tables.rows("zones", code)
    return listed[0]["name"] if listed else code


def with_intensity(frame: pl.DataFrame) -> pl.DataFrame:
    """Frame with the life-cycle intensity of each row's zone and year; each pair is looked up once."""
    import polars as pl

    keys = ["zone", "year"]
    pairs = frame.select(keys).unique(maintain_order=True)
    values = [zone_intensity(zone, year) for zone, year in pairs.iter_rows()]
    answers = pairs.with_columns(pl.Series("zone_intensity_g_per_kwh", values, dtype=pl.Float64))
    return frame.join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left")


@lru_cache(maxsize=4096)
def zone_intensity(zone: str | None, year: int | None) -> float | None:
    """Life-cycle intensity of a zone in a year, or the nearest one [gCO2e/kWh]; None where it is unknown."""
    if zone is None or year is None:
        return None
    try:
        return zones.intensity(zone, year).factor.value
    except CatalogueError:
        return None


def with_source(frame: pl.DataFrame) -> pl.DataFrame:
    """Frame with the largest source of electricity of each row's zone and year, where no row has a source."""
    import polars as pl

    if frame.get_column("source").null_count() < frame.height:
        return frame
    keys = ["zone", "year"]
    pairs = frame.select(keys).unique(maintain_order=True)
    answers = pairs.with_columns(
        pl.Series("source", [main_source(zone, year) for zone, year in pairs.iter_rows()], dtype=pl.String)
    )
    return frame.drop("source").join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left")


@lru_cache(maxsize=4096)
def main_source(zone: str | None, year: int | None) -> str | None:
    """Largest source of electricity of a zone in a year, or the nearest one; None where it is unknown.

    >>> main_source("FR", 2020)
    'Nuclear'
    """
    if zone is None:
        return None
    try:
        shares = zones.share_of(zone, year)
    except CatalogueError:
        return None
    largest = max(shares, key=lambda name: shares[name], default=None)
    return source_name(largest) if largest else None


def source_name(share: str) -> str:
    """Source of electricity as the survey names it.

    >>> source_name("bio"), source_name("coal")
    ('Biomass', 'Coal')
    """
    return {"bio": "Biomass"}.get(share, share.title())


@lru_cache(maxsize=4096)
def mix(zone: str, year: int) -> zones.Mix:
    """Sources of electricity of a zone, or of the area around it, in the nearest year."""
    try:
        return zones.mix(zone, year)
    except CatalogueError:
        return zones.Mix(zone=None, year=None, shares={})


def name_of(zone: str) -> str:
    """Name of a zone, a state's with its country's code.

    >>> name_of("US-VA"), name_of("FR")
    ('Virginia (US)', 'France')
    """
    country, dash, _ = zone.partition("-")
    return f"{_name(zone)} ({country})" if dash and _name(zone) != zone else _name(zone)
