"""Factors other than grids: PUE and water of data centres, embodied emissions, emission factors of fuels."""

from __future__ import annotations

from sootprint.catalogue import tables
from sootprint.catalogue.names import UnknownName, nearest
from sootprint.catalogue.tables import Row
from sootprint.catalogue.zones import METHODS, UNIT
from sootprint.core.errors import CatalogueError
from sootprint.core.quantity import Factor

PREFERRED_FUEL_SOURCES = ("ipcc-ar5", "ipcc-srren", "unece", "electricity-maps-defaults")
UNCONFIRMED = "not confirmed at the source"
_WIDER = 1.5  # what a facility adds, where the figure is second-hand: bounds that much farther from 1
_FUEL_NAMES = {"bio": "biomass", "wind": "wind-onshore", "solar": "solar-pv-utility", "other": "unknown"}


def pue(place: str, year: int | None = None) -> Factor | None:
    """PUE of a cloud region or fleet in the nearest year; None where none is published [1].

    Args:
        place: "aws/us-east-1", "gcp", "azure", "unknown" (the industry's average), "personal" (no facility).
        year: Year of the run; the latest one known when None.
    """
    listed = tuple(row for row in tables.rows("facilities", place.lower()) if row["pue"])
    return _facility(listed, year, kind="pue", column="pue", unit="1") if listed else None


def water(place: str, year: int | None = None) -> Factor | None:
    """Water that a data centre uses for IT energy in the nearest year; None where none is published [L/kWh]."""
    listed = tuple(row for row in tables.rows("facilities", place.lower()) if row["wue_l_per_kwh"])
    return _facility(listed, year, kind="water", column="wue_l_per_kwh", unit="L/kWh") if listed else None


def _facility(listed: tuple[Row, ...], year: int | None, *, kind: str, column: str, unit: str) -> Factor:
    row = tables.nearest_year(listed, year)
    low, high = (tables.cell(row, "low"), tables.cell(row, "high")) if kind == "pue" else (None, None)
    unsure = row["checked"].startswith("unconfirmed")
    if unsure and low is not None and high is not None:
        low, high = 1.0 + (low - 1.0) / _WIDER, 1.0 + (high - 1.0) * _WIDER
    return Factor(
        kind=kind,
        key=row["place"],
        value=tables.cell(row, column),
        low=low,
        high=high,
        unit=unit,
        period=row["year"] or None,
        method=f"annual mean, {row['scope']}" + (f", {UNCONFIRMED}" if unsure else ""),
        source=tables.source_title(row),
        licence=row["licence"],
    )


def embodied(item: str) -> Factor:
    """Emissions of making an item, such as "h100-card" or "server-without-gpu" [kgCO2e per unit].

    Raises:
        CatalogueError: No table has the item; the message has the three nearest.
    """
    listed = tables.rows("embodied", item.strip().lower())
    if not listed:
        known = [row["item"] for row in tables.all_rows("embodied")]
        raise UnknownName(f"embodied item {item!r}", lambda: nearest(item, known))
    row = listed[0]
    return Factor(
        kind="embodied",
        key=row["item"],
        value=tables.cell(row, "embodied_kg"),
        low=tables.cell(row, "low"),
        high=tables.cell(row, "high"),
        unit=f"kgCO2e/{row['unit']}",
        period=row["year"] or None,
        method=row["method"],
        source=tables.source_title(row),
        licence=row["licence"],
    )


def embodied_of_accelerator(name: str) -> Factor | None:
    """Emissions of making one accelerator of the catalogue, by its canonical name; None where none is published."""
    for family in ("H100", "A100"):
        if f" {family} " in name:
            return embodied(f"{family.lower()}-card")
    return None


def emission_factor(fuel: str, *, method: str = "lifecycle", source: str | None = None) -> Factor:
    """Emissions of electricity of one fuel, with the range that the reference prints [gCO2e/kWh].

    Use it to build the intensity of a mix, never for a grid whose main source is that fuel.

    Args:
        fuel: "coal", "gas", "oil", "nuclear", "hydro", "wind", "solar", "bio", or a name of the table.
        method: "lifecycle" or "direct".
        source: Reference, such as "ipcc-ar5"; the first of `PREFERRED_FUEL_SOURCES` that has a median when None.

    Raises:
        CatalogueError: No table has the fuel, or no reference of that method has a median.
    """
    name = fuel.strip().lower().replace("_", "-").replace(" ", "-")
    listed = tables.rows("emission_factors", _FUEL_NAMES.get(name, name))
    if not listed:
        known = [*_FUEL_NAMES, *dict.fromkeys(row["fuel"] for row in tables.all_rows("emission_factors"))]
        raise UnknownName(f"fuel {fuel!r}", lambda: nearest(fuel, known))
    wanted = PREFERRED_FUEL_SOURCES if source is None else (source,)
    fitting = [row for row in listed if row["method"] == method and row["intensity_g_per_kwh"]]
    for reference in wanted:
        for row in fitting:
            if row["source"] == reference:
                return _fuel_factor(row)
    references = ", ".join(f"{row['source']} ({row['method']})" for row in listed)
    wish = f"{method} median of {source or 'any reference'}"
    raise CatalogueError(f"fuel {fuel!r} has no {wish}; in the table are {references}")


def _fuel_factor(row: Row) -> Factor:
    return Factor(
        kind="emission_factor",
        key=row["fuel"],
        value=tables.cell(row, "intensity_g_per_kwh"),
        low=tables.cell(row, "low"),
        high=tables.cell(row, "high"),
        unit=UNIT,
        period=row["year"] or None,
        method=METHODS[row["method"]]
        + (f", {UNCONFIRMED}" if row["checked"].startswith("unconfirmed") else ""),
        source=tables.source_title(row),
        licence=row["licence"],
    )
