"""Zones: what a name of a place means, and the carbon intensity of its grid.

A look-up goes from the most to the least specific place and from the year of the run to the nearest one; what
was used, and why, stands in the warnings. Life-cycle and direct figures are never mixed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sootprint.catalogue import spread, tables
from sootprint.catalogue.names import UnknownName, key, likeness, nearest
from sootprint.catalogue.tables import Row
from sootprint.core.classes import dataclass, replace
from sootprint.core.errors import CatalogueError
from sootprint.core.quantity import Factor
from sootprint.core.records import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

WORLD = "WORLD"
UNIT = "gCO2e/kWh"
METHODS = {
    "lifecycle": "average, life-cycle, location-based",
    "direct": "average, direct, location-based",
}
_IN_WORDS = {"lifecycle": "life-cycle", "direct": "direct"}
_STATES_KNOWN = (
    "US",
    "CA",
    "IN",
    "CN",
)  # every code of these is in the table, so another one is a misspelling
_MEANT = "name a country, a state or a cloud region, e.g. FR, US-WA, aws/us-east-1"
_NEAR = 0.7  # likeness of a name that somebody may have meant
_ABBREVIATED = ("US", "CA")  # countries whose states people write with two letters alone
_SUBDIVISION = r"([A-Z]{2})-([A-Z0-9]{1,3})"
_GRID_ZONE = r"([A-Z]{2})(?:\d|-[A-Z0-9]+(?:-[A-Z0-9]+)?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneIntensity:
    """Carbon intensity of a place with its interval, the place as it was understood, and what to know about it."""

    factor: Factor
    place: Place
    warnings: tuple[str, ...] = ()


class Located(NamedTuple):
    """A name as it was understood: the place, its zones from the most to the least specific, and remarks."""

    place: Place
    chain: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Mix(NamedTuple):
    """Shares of the sources of electricity [0-1], and the zone and year that they are of; None where none is known."""

    zone: str | None
    year: int | None
    shares: dict[str, float]


def intensity(zone: str, year: int | None = None, *, method: str = "lifecycle") -> ZoneIntensity:
    """Annual carbon intensity of a zone, or of the nearest place and year that is known [gCO2e/kWh].

    Args:
        zone: Grid zone, cloud region, name of a country or state, or "WORLD"; case does not matter.
        year: Year of the run; the latest one known when None.
        method: "lifecycle" or "direct"; the other one is never given in its stead.

    Raises:
        CatalogueError: No table knows the zone, or has a figure of the method for it.
    """
    if method not in METHODS:
        raise CatalogueError(f"method {method!r} is not one of {', '.join(METHODS)}")
    place = locate(zone)
    for step, at in enumerate(place.chain):
        listed = _of_method(at, method)
        if listed:
            row = tables.nearest_year(listed, year)
            warnings = (*place.notes, *_fallbacks(place.chain, step, method), *_remarks(row, year))
            return ZoneIntensity(factor=_factor(row, year), place=place.place, warnings=warnings)
    raise CatalogueError(
        f"zone {zone!r} has no {_IN_WORDS[method]} intensity: ask for another method or zone"
    )


def locate(zone: str) -> Located:
    """Place that a name means.

    Raises:
        CatalogueError: No table knows the name; the message has the three nearest.
    """
    text = zone.strip() if isinstance(zone, str) else ""
    found = _cloud(text) if "/" in text else _coded(text) or _named(text) or _grid_zone(text)
    if found is None:
        raise UnknownName(f"zone {zone!r}", lambda: _suggestions(text), far=_MEANT)
    return found


def namesakes(zone: str) -> tuple[str, ...]:
    """States that two letters stand for as well as for the country that they were read as, in words.

    >>> namesakes("CA"), namesakes("fr")
    (('US-CA (California)',), ())
    """
    text = zone.strip().upper()
    return tuple(_states(text)) if len(text) == 2 and tables.rows("zones", text) else ()


def require_one_method(factors: Sequence[Factor]) -> str | None:
    """Method that all intensities share, so that they may be ranked or summed; None where there are none.

    Raises:
        CatalogueError: Two of them differ.
    """
    methods = list(dict.fromkeys(factor.method or "unstated" for factor in factors))
    if len(methods) > 1:
        raise CatalogueError(
            f"intensities of different methods ({'; '.join(methods)}) cannot be ranked or summed: "
            "ask for one method for every zone"
        )
    return methods[0] if methods else None


def share_of(zone: str, year: int | None = None) -> dict[str, float]:
    """Shares of the sources of electricity of a zone in the nearest year [0-1]; a source without figure is missing.

    Raises:
        CatalogueError: No table knows the zone.
    """
    return mix(zone, year).shares


def mix(zone: str, year: int | None = None) -> Mix:
    """Sources of electricity of a zone, or of the area around it whose generation is known, in the nearest year.

    Raises:
        CatalogueError: No table knows the zone.
    """
    for at in locate(zone).chain:
        listed = tuple(row for row in _of_method(at, "lifecycle") if row["generation_twh"])
        if listed:
            row = tables.nearest_year(listed, year)
            named = {
                name.removeprefix("share_"): tables.cell(row, name)
                for name in row
                if name.startswith("share_")
            }
            shares = {name: value for name, value in named.items() if value is not None}
            return Mix(zone=at, year=int(row["year"]), shares=shares)
    return Mix(zone=None, year=None, shares={})


def _of_method(zone: str, method: str) -> tuple[Row, ...]:
    """Annual rows of a zone of one method; Google's own figures count as those of its regions."""
    if "/" in zone:
        listed = tables.rows("region_intensity", zone) if method == "direct" else ()
        return tuple(
            {"flags": "", **row} for row in listed if row["method"] == method and row["intensity_g_per_kwh"]
        )
    return tuple(row for row in tables.rows("intensity", zone) if row["method"] == method)


def _factor(row: Row, year: int | None) -> Factor:
    value = float(row["intensity_g_per_kwh"])
    of_year = int(row["year"])
    low, high = spread.bounds(row, value, years_away=abs(of_year - year) if year is not None else 0)
    return Factor(
        kind="intensity",
        key=row.get("zone") or row["region"],
        value=value,
        low=low,
        high=high,
        unit=UNIT,
        period=row["year"],
        method=METHODS[row["method"]],
        source=tables.source_title(row),
        licence=row["licence"],
    )


def _fallbacks(chain: tuple[str, ...], step: int, method: str) -> list[str]:
    """What had no figure, and what stands for it."""
    warnings = []
    for at in chain[:step]:
        other = "direct" if method == "lifecycle" else "lifecycle"
        if "/" in at:
            continue  # a region has its grid's figure, which is no loss
        known = f"only {_IN_WORDS[other]} figures" if _of_method(at, other) else "no figure of its own"
        warnings.append(f"{at} has {known}: {chain[step]} counts ({_IN_WORDS[method]})")
    return warnings


def _remarks(row: Row, year: int | None) -> list[str]:
    """What to know about the row that was used."""
    zone, remarks = row.get("zone") or row["region"], []
    if zone == WORLD:
        remarks.append("the intensity is the world's average: its interval spans the world's grids")
    if year is not None and int(row["year"]) != year:
        remarks.append(f"{zone} has no figure of {year}: that of {row['year']} counts")
    if "preliminary" in row["flags"].split():
        remarks.append(f"the figure of {zone} for {row['year']} is preliminary")
    return remarks + _below_direct(row)


def _below_direct(row: Row) -> list[str]:
    """Remark on a derived life-cycle figure below the published direct one, in its year or the nearest such."""
    if "derived" not in row["flags"].split():
        return []
    marked = tuple(
        one for one in tables.rows("intensity", row["zone"]) if "below-direct" in one["flags"].split()
    )
    if not marked:
        return []
    low = tables.nearest_year(marked, int(row["year"]))
    direct = next(one for one in _of_method(row["zone"], "direct") if one["year"] == low["year"])
    return [
        f"the life-cycle figure of {row['zone']} is derived from its generation mix and too low: in {low['year']} it "
        f"is {float(low['intensity_g_per_kwh']):.0f} g/kWh, below the published direct "
        f"{float(direct['intensity_g_per_kwh']):.0f} g/kWh"
    ]


def _cloud(text: str) -> Located | None:
    """Place of a cloud region."""
    region = text.lower().replace(" ", "")
    listed = tables.rows("regions", region)
    if not listed:
        return None
    grid = locate(listed[0]["zone"])
    provider, _, name = region.partition("/")
    place = replace(grid.place, zone=region, provider=provider, region=name)
    return Located(place=place, chain=(region, *grid.chain), notes=grid.notes)


def _coded(text: str) -> Located | None:
    """Place of a code that the table of zones has."""
    code = text.upper().replace("_", "-").replace(" ", "-")
    listed = tables.rows("zones", code)
    if not listed:
        return None
    row = listed[0]
    if row["kind"] == "subdivision":
        place = Place(zone=code, country=row["parent"], subdivision=code)
        return Located(place=place, chain=(code, row["parent"]))
    country = code if row["kind"] == "country" else None
    return Located(place=Place(zone=code, country=country), chain=(code,))


def _named(text: str) -> Located | None:
    """Place of a name or of another code; a code that breaks off at its hyphen, as in "US-", is none."""
    if text.rstrip().endswith(("-", "_", "/")):
        return None
    listed = tables.rows("zone_names", key(text))
    if not listed:
        return None
    found = _coded(listed[0]["zone"])
    note = listed[0]["note"]
    return found._replace(notes=(f"{text!r}: {note}",)) if found is not None and note else found


def _grid_zone(text: str) -> Located | None:
    """Place of a state or grid zone without a figure, in a country that has one."""
    code = text.upper().replace("_", "-")
    state, grid = re.fullmatch(_SUBDIVISION, code), re.fullmatch(_GRID_ZONE, code)
    found = state or grid
    if found is None or (state is not None and state[1] in _STATES_KNOWN):
        return None
    country = _coded(found[1])
    if country is None:
        return None
    place = replace(country.place, zone=code, subdivision=code if state else None)
    return Located(place=place, chain=(code, *country.chain))


def _states(code: str) -> list[str]:
    """States that people write with some letters alone, in words."""
    listed = [tables.rows("zones", f"{country}-{code}") for country in _ABBREVIATED]
    return [f"{rows[0]['zone']} ({rows[0]['name']})" for rows in listed if rows]


def _known_names() -> dict[str, str]:
    """Names and codes with what a person reads for them."""
    zones = {row["zone"]: f"{row['zone']} ({row['name']})" for row in tables.all_rows("zones")}
    names = {row["name"]: zones[row["zone"]] for row in tables.all_rows("zones")}
    others = {row["key"]: zones[row["zone"]] for row in tables.all_rows("zone_names") if len(row["key"]) > 3}
    regions: dict[str, str] = {}
    for row in tables.all_rows("regions"):
        provider = row["region"].partition("/")[0]
        words = f"{row['region']} ({row['name']})"
        regions |= {row["region"]: words, f"{provider}/{row['name']}": words}
    return others | zones | names | regions


def _suggestions(text: str) -> list[str]:
    """Nearest places in words, each once; empty where none is near."""
    known, states = _known_names(), _states(text.upper())
    near = nearest(text, known, count=12)
    if not states and (not near or likeness(text, near[0]) < _NEAR):
        return []
    return list(dict.fromkeys([*states, *(known[name] for name in near)]))
