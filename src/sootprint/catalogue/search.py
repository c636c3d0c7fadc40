"""Search of the catalogue for a person: rows as plain dictionaries, each with its source and licence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sootprint.catalogue import factors, regions, tables, zones
from sootprint.catalogue.names import key, nearest
from sootprint.core.errors import CatalogueError

if TYPE_CHECKING:
    from sootprint.settings.tables import UserHardware

Found = dict[str, Any]


def search(kind: str, query: str = "", *, user: Mapping[str, UserHardware] | None = None) -> list[Found]:
    """Entries of one kind that have every word of the query, all of them where it is empty.

    Args:
        kind: "hardware", "zones", "regions" or "factors".
        query: Words of a name, alias or code; case and punctuation do not matter.
        user: Devices of the settings, listed first.

    Raises:
        CatalogueError: The kind is another one.
    """
    if kind not in _KINDS:
        near = nearest(kind, _KINDS, count=1)[0]
        raise CatalogueError(
            f"the catalogue has no {kind!r}, only {', '.join(_KINDS)}; the nearest is {near}"
        )
    return _of_user(query, user) + _KINDS[kind](query) if kind == "hardware" else _KINDS[kind](query)


def _fits(query: str, texts: Iterable[str]) -> bool:
    """Whether each word of the query stands in a text."""
    joined = " ".join(key(text) for text in texts)
    return all(key(word) in joined for word in query.split())


def _of_user(query: str, user: Mapping[str, UserHardware] | None) -> list[Found]:
    own = [device for device in (user or {}).values() if _fits(query, (device.name, *device.aliases))]
    return [
        _device(device.name, device.vendor, device.kind, rated_power_w=device.rated_power_w)
        | {"memory_gb": device.memory_gb, "cores": device.cores, "note": device.note}
        | {"source": "settings of the user", "licence": "own"}
        for device in own
    ]


def _hardware(query: str) -> list[Found]:
    """Accelerators by name or alias, then processors."""
    called = {row["name"]: [row["name"]] for row in tables.all_rows("accelerators")}
    for row in tables.all_rows("accelerator_names"):
        called.setdefault(row["name"], []).append(row["alias"])
    return [
        *(_device_row(row) for row in tables.all_rows("accelerators") if _fits(query, called[row["name"]])),
        *(_device_row(row) for row in tables.all_rows("cpus") if _fits(query, (row["name"],))),
    ]


def _device_row(row: tables.Row) -> Found:
    power_w = tables.cell(row, "rated_power_w")
    return _device(row["name"], row["vendor"], row.get("kind") or "cpu", rated_power_w=power_w) | {
        "memory_gb": tables.cell(row, "memory_gb"),
        "cores": tables.integer(row, "cores"),
        "year": tables.integer(row, "year"),
        "note": row["note"] or None,
        "source": tables.source_title(row),
        "licence": row["licence"],
    }


def _device(name: str, vendor: str | None, kind: str, *, rated_power_w: float | None) -> Found:
    return {"name": name, "vendor": vendor, "kind": kind, "rated_power_w": rated_power_w}


def _zones(query: str) -> list[Found]:
    """Zones by code, name or alias with their latest figure: those that are called so, that begin so, and the rest."""
    aliases: dict[str, list[str]] = {}
    for row in tables.all_rows("zone_names"):
        aliases.setdefault(row["zone"], []).append(row["key"])
    asked = key(query)
    called = {
        row["zone"]: (row["zone"], row["name"], *aliases.get(row["zone"], ()))
        for row in tables.all_rows("zones")
    }
    found = [row for row in tables.all_rows("zones") if _fits(query, called[row["zone"]])]
    return [_zone(row) for row in sorted(found, key=lambda row: _nearness(asked, called[row["zone"]]))]


def _nearness(asked: str, texts: Sequence[str]) -> int:
    """Rank of an entry by its texts, the code first: 0 is the code, 1 another name, 2 a beginning, 3 the rest.

    >>> [_nearness("fr", texts) for texts in (("FR", "France"), ("ZA", "Fr"), ("PF", "French P."), ("CF", "Africa"))]
    [0, 1, 2, 3]
    """
    keys = [key(text) for text in texts]
    if asked in keys:
        return 0 if asked == keys[0] else 1
    return 2 if any(one.startswith(asked) for one in keys) else 3


def _zone(row: tables.Row) -> Found:
    latest = _latest(row["zone"])
    return {
        "zone": row["zone"],
        "name": row["name"],
        "kind": row["kind"],
        "parent": row["parent"] or None,
    } | latest


_LATEST = ("intensity_g_per_kwh", "low", "high", "year", "method", "source", "licence")


def _latest(zone: str) -> Found:
    """Latest figure of a zone: life-cycle, or direct where it has no other; nothing for a new one without any."""
    own = {row["method"] for row in tables.rows("intensity", zone)}
    method = "lifecycle" if "lifecycle" in own or not own else "direct"
    try:
        found = zones.intensity(zone, method=method)
    except CatalogueError as err:
        return dict.fromkeys(_LATEST) | {"warnings": [str(err)]}
    factor = found.factor
    return {
        "intensity_g_per_kwh": factor.value,
        "low": factor.low,
        "high": factor.high,
        "year": factor.period,
        "method": factor.method,
        "source": factor.source,
        "licence": factor.licence,
        "warnings": list(found.warnings),
    }


def _regions(query: str) -> list[Found]:
    """Cloud regions by provider, code or place."""
    rows = tables.all_rows("regions")
    return [_region(row) for row in rows if _fits(query, (row["region"], row["name"], row["zone"]))]


def _region(row: tables.Row) -> Found:
    found = regions.region(row["region"])
    return {
        "region": found.key,
        "name": found.name,
        "zone": found.zone,
        "pue": found.pue.value if found.pue else None,
        "water_l_per_kwh": found.water.value if found.water else None,
        "own_intensity_g_per_kwh": found.own_intensity.value if found.own_intensity else None,
        "own_method": found.own_intensity.method if found.own_intensity else None,
        "own_year": found.own_intensity.period if found.own_intensity else None,
        "cfe_share": found.cfe_share,
        "source": tables.source_title(row),
        "licence": row["licence"],
    }


def _factors(query: str) -> list[Found]:
    """Emission factors of fuels, embodied emissions, PUE and water of fleets."""
    found = [
        *(_fuel(row) for row in tables.all_rows("emission_factors")),
        *(_embodied(row) for row in tables.all_rows("embodied")),
        *(_fleet(row) for row in tables.all_rows("facilities") if "/" not in row["place"]),
    ]
    return [entry for entry in found if _fits(query, (entry["kind"], entry["key"], entry["name"]))]


def _fuel(row: tables.Row) -> Found:
    value = tables.cell(row, "intensity_g_per_kwh")
    method = zones.METHODS[row["method"]]
    return _factor("emission_factor", row["fuel"], value, row) | {"unit": zones.UNIT, "method": method}


def _embodied(row: tables.Row) -> Found:
    factor = factors.embodied(row["item"])
    named = {"name": row["name"], "unit": factor.unit, "method": factor.method}
    return _factor("embodied", row["item"], factor.value, row) | named


def _fleet(row: tables.Row) -> Found:
    return _factor("pue", row["place"], tables.cell(row, "pue"), row) | {"unit": "1", "method": row["scope"]}


def _factor(kind: str, of: str, value: float | None, row: tables.Row) -> Found:
    return {
        "kind": kind,
        "key": of,
        "name": of,
        "value": value,
        "low": tables.cell(row, "low"),
        "high": tables.cell(row, "high"),
        "year": tables.integer(row, "year"),
        "checked": row.get("checked") or row.get("confidence"),
        "source": tables.source_title(row),
        "licence": row["licence"],
    }


_KINDS: dict[str, Callable[[str], list[Found]]] = {
    "hardware": _hardware,
    "zones": _zones,
    "regions": _regions,
    "factors": _factors,
}
