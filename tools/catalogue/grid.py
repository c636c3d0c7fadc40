"""Grids: annual carbon intensity of countries, states and provinces, and the names of zones."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from catalogue.tables import OWN, Row, cell, number, read, share
from sootprint.catalogue.names import key
from sootprint.catalogue.schema import SOURCES_OF_ELECTRICITY

WORLD = "WORLD"
# Average of the provinces of Canada weighted by generation, derived as the provinces are [gCO2e/kWh];
# the gathered data state it for this one year, and hold no generation by province for the others.
CANADA_AVERAGE_2020 = 120.0
LOW_SHARE, HIGH_SHARE = 0.05, 0.95


def intensity(data: Path) -> list[Row]:
    """Rows of `intensity`: world, countries and the states and provinces of four countries."""
    countries = _countries(data)
    level = {(row["zone"], row["year"]): float(row["intensity_g_per_kwh"]) for row in countries}
    direct = _egrid(data) + _china(data) + _canada_direct(data)
    derived = _states(data) + _canada(data, level=level) + _india(data, level=level)
    return countries + direct + _flagged(derived, direct)


def _countries(data: Path) -> list[Row]:
    """World and countries; a value of 0 is the rounding of a tiny grid at the source, hence missing."""
    rows = []
    for row in read(data / "grid_annual_country.csv"):
        zone = WORLD if row["iso3"] == "WLD" else row["iso2"]
        if zone and (number(row["ci_gco2e_kwh"]) or 0.0) > 0.0:
            rows.append(_mix(row) | _value(zone, row["year"], float(row["ci_gco2e_kwh"]), "owid-ember"))
    for row in rows:
        if row["zone"] == WORLD:
            row["low"], row["high"] = _range_of_grids(
                [other for other in rows if other["year"] == row["year"]]
            )
    return rows


def _range_of_grids(rows: list[Row]) -> tuple[str, str]:
    """5th and 95th percentile of the countries of one year, each counted once: any grid may be the unknown one."""
    grids = sorted(float(row["intensity_g_per_kwh"]) for row in rows if row["zone"] != WORLD)
    last = len(grids) - 1
    return cell(grids[round(LOW_SHARE * last)]), cell(grids[round(HIGH_SHARE * last)])


def _states(data: Path) -> list[Row]:
    """US states: life-cycle from the generation mix, scaled to the country's level."""
    rows = []
    for row in read(data / "generation_mix_us_state.csv"):
        flags = "derived preliminary" if row["status"] == "preliminary" else "derived"
        value = _value(row["zone"], row["year"], float(row["ci_lifecycle_country_scaled"]), "us-eia")
        main = max(SOURCES_OF_ELECTRICITY, key=lambda name: float(row[f"share_{name}"] or 0))
        rows.append(_mix(row) | value | {"flags": flags, "main_source": main})
    return rows


def _canada(data: Path, *, level: dict[tuple[str, str], float]) -> list[Row]:
    """Canadian provinces: life-cycle from the generation mix, scaled by the ratio of 2020."""
    ratio = level["CA", "2020"] / CANADA_AVERAGE_2020
    rows = []
    for row in _history(data, "CA", "lifecycle"):
        source = "canada-mix" if row["source"].startswith("canada_province_mix") else "eccc-nir"
        value = _value(row["zone"], row["year"], float(row["ci_gco2e_kwh"]) * ratio, source)
        rows.append(value | {"flags": "derived"})
    return rows


def _india(data: Path, *, level: dict[tuple[str, str], float]) -> list[Row]:
    """Indian states: life-cycle as Ember publishes it, scaled to the country's level of the year."""
    published = _history(data, "IN", "lifecycle")
    national = {row["year"]: float(row["ci_gco2e_kwh"]) for row in published if row["zone"] == "IN"}
    rows = []
    for row in published:
        if row["zone"] != "IN":
            ratio = level["IN", row["year"]] / national[row["year"]]
            value = _value(row["zone"], row["year"], float(row["ci_gco2e_kwh"]) * ratio, "ember-india")
            rows.append(value | {"flags": "derived"})
    return rows


def _egrid(data: Path) -> list[Row]:
    """Published direct figures of the US states and of the country."""
    rows = [
        row for row in read(data / "grid_annual_subnational.csv") if row["source"].startswith("EPA eGRID2023")
    ]
    return [_direct(row, "egrid") for row in rows]


def _china(data: Path) -> list[Row]:
    """Published direct figures of the Chinese provinces."""
    rows = [row for row in read(data / "grid_annual_subnational.csv") if row["country"] == "CN"]
    return [_direct(row, "china-mee") for row in rows]


def _canada_direct(data: Path) -> list[Row]:
    """Published direct figures of the Canadian provinces; a rounded 0 is no figure."""
    return [
        _direct(row, "eccc-nir") for row in _history(data, "CA", "direct") if float(row["ci_gco2e_kwh"]) > 0.0
    ]


def _history(data: Path, country: str, basis: str) -> list[Row]:
    """Rows of the history table of one country and one basis, which must never be mixed."""
    rows = read(data / "grid_annual_subnational_history.csv")
    return [row for row in rows if row["country"] == country and f", {basis}" in row["basis"]]


def _flagged(derived: list[Row], direct: list[Row]) -> list[Row]:
    """Derived rows, those below the published direct figure marked: a life cycle cannot emit less than its stack."""
    published = {(row["zone"], row["year"]): float(row["intensity_g_per_kwh"]) for row in direct}
    for row in derived:
        if float(row["intensity_g_per_kwh"]) < published.get((row["zone"], row["year"]), 0.0):
            row["flags"] = f"below-direct {row['flags']}"
    return derived


def _value(zone: str, year: str, intensity_g_per_kwh: float, source: str) -> Row:
    value = cell(round(intensity_g_per_kwh, 2), digits=7)
    return {"zone": zone, "year": year, "method": "lifecycle", "intensity_g_per_kwh": value, "source": source}


def _direct(row: Row, source: str) -> Row:
    return _value(row["zone"], row["year"], float(row["ci_gco2e_kwh"]), source) | {"method": "direct"}


def _mix(row: Row) -> Row:
    shares = {f"share_{name}": share(row[f"share_{name}"]) for name in SOURCES_OF_ELECTRICITY}
    twh = cell(number(row["generation_twh"]))
    return shares | {"generation_twh": twh, "main_source": row.get("main_source", "")}


def zones(data: Path) -> list[Row]:
    """Rows of `zones`: each zone that has a figure, and each that a cloud region lies in."""
    found: dict[str, Row] = {}
    for row in read(data / "grid_annual_country.csv"):
        if row["iso2"]:
            found[row["iso2"]] = _zone(row["iso2"], row["country"], "country", "", row["iso3"], "owid-ember")
    found[WORLD] = _zone(WORLD, "World", "world", "", "", "owid-ember")
    for row in read(data / "grid_annual_subnational.csv") + read(
        data / "grid_annual_subnational_history.csv"
    ):
        if "-" in row["zone"]:
            source = {"US": "egrid", "CN": "china-mee", "CA": "eccc-nir", "IN": "ember-india"}[row["country"]]
            name = row["name"].replace("District Of", "District of")
            found.setdefault(row["zone"], _zone(row["zone"], name, "subdivision", row["country"], "", source))
    return list(found.values())


def _zone(zone: str, name: str, kind: str, parent: str, iso3: str, source: str) -> Row:
    return {"zone": zone, "name": name, "kind": kind, "parent": parent, "iso3": iso3, "source": source}


def zone_names(data: Path) -> list[Row]:
    """Rows of `zone_names`: what people write for a zone; our own aliases decide where two zones share a name."""
    found: dict[str, Row] = {}
    for row in read(OWN / "zone_aliases.csv"):
        found[key(row["alias"])] = {"key": key(row["alias"]), "zone": row["zone"], "note": row["note"]}
    named: dict[str, set[str]] = defaultdict(set)
    for row in zones(data):
        for name in (row["name"], row["iso3"]):
            if name:
                named[key(name)].add(row["zone"])
    for name, owners in named.items():
        if name not in found:
            if len(owners) > 1:
                raise ValueError(f"{name} names {sorted(owners)}: decide in zone_aliases.csv")
            found[name] = {"key": name, "zone": next(iter(owners)), "note": ""}
    return list(found.values())
