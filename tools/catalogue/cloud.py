"""Clouds: regions with their grids, Google's own figures, PUE and water use of data centres."""

from __future__ import annotations

import math
import re
from pathlib import Path

from catalogue.tables import OWN, Row, cell, number, read

# Regions in the places for which Microsoft states a PUE.
AZURE_PLACES = {
    "Arizona": ("westus3",),
    "Illinois": ("northcentralus",),
    "Iowa": ("centralus",),
    "Ireland": ("northeurope",),
    "Netherlands": ("westeurope",),
    "Poland": ("polandcentral",),
    "Singapore": ("southeastasia",),
    "Sweden": ("swedencentral",),
    "Texas": ("southcentralus",),
    "Virginia": ("eastus", "eastus2"),
    "Washington": ("westus2",),
    "Wyoming": ("westcentralus",),
}
AZURE_DESIGN_PUE = 1.12  # Microsoft's design value, printed also for regions that were not yet open
AWS_FLEET_WUE = (0.18, 0.19)  # AWS's values of the whole fleet in 2023 and 2022, repeated in rows of regions
FLEETS = {"aws": "aws-fleet", "azure": "azure-fleet", "gcp": "gcp-fleet", "meta": "meta-fleet"}
REGIONS = {"aws": "aws-regions", "azure": "azure-fact-sheets", "gcp": "gcp-campuses"}
# Assumed ln GSD of (PUE - 1): a region's own yearly figure against the hall that a run uses, and a fleet's mean
# against one of its regions (for scale, AWS 2023: 1.08 to 1.50 around 1.15).
REGION_SPREAD, FLEET_SPREAD = 0.15, 0.5
UNKNOWN_PUE_LOW, UNKNOWN_PUE_HIGH = 1.1, 2.0
Z90 = 1.645


def regions() -> list[Row]:
    """Rows of `regions`: our own mapping."""
    return [row | {"year": "2026", "source": "sootprint-regions"} for row in read(OWN / "regions.csv")]


def region_intensity(data: Path) -> list[Row]:
    """Rows of `region_intensity`: Google's own figures; a published 0 is the rounding of hydropower, not a figure."""
    rows = []
    for row in read(data / "cloud_regions.csv"):
        if row["source"] == "google-region-carbon-info":
            value = number(row["ci_gco2e_kwh"]) or None
            rows.append(
                {
                    "region": f"{row['provider']}/{row['region']}",
                    "year": row["year"],
                    "method": "lifecycle" if "lifecycle" in row["ci_basis"] else "direct",
                    "intensity_g_per_kwh": cell(value),
                    "cfe_share": row["cfe_share"],
                    "note": row["note"] if value else "published as 0: rounded, not physical",
                    "source": "google-regions",
                }
            )
    return rows


def facilities(data: Path) -> list[Row]:
    """Rows of `facilities`: PUE and water use of regions, fleets, and of a site about which nothing is known."""
    return [*_fleets(data), *_azure_places(data), *_published_regions(data)]


def _fleets(data: Path) -> list[Row]:
    """Fleets, the industry's average and the two conventions; means that others computed are left out."""
    rows = []
    for row in read(data / "pue_wue.csv"):
        fleet = row["scope"] == "global fleet"
        if fleet or row["provider"] in ("unknown", "national_lab", "personal"):
            rows.append(_facility(row["provider"], row, _source(row), spread=FLEET_SPREAD if fleet else None))
    for row in rows:
        if row["place"] == "unknown":
            pue = float(row["pue"])
            row["low"], row["high"] = cell(min(UNKNOWN_PUE_LOW, pue)), cell(max(UNKNOWN_PUE_HIGH, pue))
    return rows


def _source(row: Row) -> str:
    if "Cloud Carbon Footprint" in row["source"]:
        return "ccf"
    names = {"unknown": "uptime", "national_lab": "idris", "personal": "convention"} | FLEETS
    return names[row["provider"]]


def _azure_places(data: Path) -> list[Row]:
    """Microsoft's figures by place, at the regions of that place."""
    rows = []
    for row in read(data / "pue_wue.csv"):
        if row["provider"] == "azure" and row["scope"] in AZURE_PLACES:
            for region in AZURE_PLACES[row["scope"]]:
                rows.append(_facility(f"azure/{region}", row, "azure-places", spread=REGION_SPREAD))
    return rows


def _published_regions(data: Path) -> list[Row]:
    """PUE and water use that providers publish for a region: single facts, never the intensities beside them."""
    known = {row["region"] for row in read(OWN / "regions.csv")}
    rows = []
    for row in read(data / "cloud_regions.csv"):
        place = f"{row['provider']}/{row['region']}"
        measured = row["source"] == "gsf-real-time-cloud" and place in known and row["year"] >= "2022"
        if measured and row["pue"] and not _is_design(row):
            fact = row | {"scope": "region", "checked": "as published by the provider; second-hand"}
            rows.append(_facility(place, fact, REGIONS[row["provider"]], spread=REGION_SPREAD))
    return rows


def _is_design(row: Row) -> bool:
    return row["provider"] == "azure" and float(row["pue"]) == AZURE_DESIGN_PUE


def _facility(place: str, row: Row, source: str, *, spread: float | None) -> Row:
    overhead = float(row["pue"]) - 1.0
    factor = math.exp(Z90 * spread) if spread else 1.0
    wue = number(row["wue_l_kwh"]) or None  # a printed 0 is a rounding or a plan
    if place.startswith("aws/") and wue in AWS_FLEET_WUE:
        wue = None
    return {
        "place": place,
        "year": row["year"],
        "pue": cell(float(row["pue"])),
        "low": cell(1.0 + overhead / factor, digits=4) if spread else "",
        "high": cell(1.0 + overhead * factor, digits=4) if spread else "",
        "wue_l_per_kwh": cell(wue),
        "scope": row["scope"],
        "checked": re.sub(r" \([^)]*\)", "", row["checked"]),
        "source": source,
    }
