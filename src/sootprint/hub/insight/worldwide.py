"""Where trainings ran: records, energy and carbon a kilowatt-hour by country."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.catalogue import tables
from sootprint.charts.scale import ENERGY, MASS
from sootprint.core.units import G_PER_KG
from sootprint.hub.insight import maps, rollups
from sootprint.hub.insight.sheets import Grid, Part, Sheet, link, options
from sootprint.report import figures
from sootprint.survey.words import country as in_a_sentence

MEASURES = {
    "records": ("Footprints", "footprints"),
    "energy": ("Energy", "energy [kWh]"),
    "intensity": ("Carbon a kilowatt-hour", "gCO₂e/kWh"),
}


def countries(engine: Engine) -> list[dict[str, Any]]:
    """Countries with records, those with the most first."""
    found = []
    for row in rollups.sums(engine, rollups.PLACE):
        energy = row["emitting_kwh"]
        found.append(
            {
                "country": row["key"],
                "name": name_of(row["key"]),
                "records": row["n"],
                "energy": row["energy_kwh"] if row["n_energy"] else None,
                "emissions": row["emissions_kg"] if row["n_emissions"] else None,
                "intensity": row["emissions_kg"] / energy * G_PER_KG if energy > 0.0 else None,
            }
        )
    return sorted(found, key=lambda row: (-row["records"], row["country"]))


def sheet(engine: Engine, measure: str) -> Sheet:
    """The page."""
    rows = countries(engine)
    words = _finding(rows, measure)
    return Sheet(
        title="Where trainings ran",
        lead="Countries of the footprints in this hub. Energy and emissions are the hub's own "
        "recomputations, with "
        "location-based factors of one method; footprints that are to be reviewed are left out.",
        choices=[
            (
                "Colour",
                options("/map", "by", [(key, said[0]) for key, said in MEASURES.items()], {"by": measure}),
            )
        ],
        parts=[
            Part(
                says=[words],
                drawing=maps.world(rows, value=measure, title=MEASURES[measure][1], words=words),
                grid=_grid(rows),
            )
        ],
        actions=[link("Carbon of electricity in all zones", "/methodology")],
    )


def _finding(rows: list[dict[str, Any]], measure: str) -> str:
    if not rows:
        return "No footprint here names its country yet."
    total, first = sum(row["records"] for row in rows), rows[0]
    if measure == "records":
        share = figures.share(first["records"] / total)
        most = in_a_sentence(first["name"])
        return (
            f"{total:,} footprints name one of {len(rows)} countries; {most} has the most, {share} of them."
        )
    known = sorted((row for row in rows if row[measure] is not None), key=lambda row: -row[measure])
    if not known:
        return f"No footprint here has its {measure} computed yet."
    top, low = known[0], known[-1]
    if measure == "energy":
        whole = sum(row["energy"] for row in known)
        said = figures.amount(whole, ENERGY)
        share = figures.share(top["energy"] / whole)
        return f"{said} in {len(known)} countries; {in_a_sentence(top['name'])} has {share} of it."
    return (
        "With the overhead of the facility, a kilowatt-hour of training emitted from "
        f"{figures.number(low['intensity'])} g in {in_a_sentence(low['name'])} to "
        f"{figures.number(top['intensity'])} g in {in_a_sentence(top['name'])}: a factor of "
        f"{figures.number(top['intensity'] / low['intensity'], 2)}."
    )


def _grid(rows: list[dict[str, Any]]) -> Grid:
    return Grid(
        caption="Countries, those with the most footprints first",
        columns=("Country", "Footprints", "Energy", "CO2e", "gCO2e/kWh"),
        numbers=(1, 2, 3, 4),
        rows=[
            (
                link(row["name"], "/explore", country=row["country"]),
                f"{row['records']:,}",
                figures.amount(row["energy"], ENERGY),
                figures.amount(row["emissions"], MASS),
                figures.NOT_KNOWN if row["intensity"] is None else figures.number(row["intensity"]),
            )
            for row in rows
        ],
    )


def name_of(country: str) -> str:
    """Name of a country, or its code where no table has it."""
    return _names().get(country, country)


@cache
def _names() -> dict[str, str]:
    return {row["zone"]: row["name"] for row in tables.all_rows("zones") if len(row["zone"]) == 2}
