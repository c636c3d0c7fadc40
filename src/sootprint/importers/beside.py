"""What we write beside a report of BoAmps, read back: quantities with their bounds, for which the format has no field.

Where the format has one, for the energy and the intensity, that counts: somebody may have corrected it. Ours gives it
its bounds back where both still are the same number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sootprint.core.quantity import Quantity
from sootprint.core.records import BOUNDARIES
from sootprint.importers.base import MOST_CELL, mapping, number

OURS = "sootprint"  # the name that they stand under
ADDED = ("emissions_kg", "market_based_kg", "embodied_kg", "pue", "water_l", "device_hours")
BOUNDED = ("energy_kwh", "intensity_g_per_kwh")


def written(data: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a record as we wrote them beside a report.

    Args:
        data: The report.
        made: Quantities that the fields of the format give.
    """
    ours = mapping(data.get(OURS))
    found = {name: _quantity(ours, name) or made.get(name) for name in ADDED}
    for name in BOUNDED:
        told, one = _quantity(ours, name), made.get(name)
        found[name] = told if told is not None and one is not None and told.value == one.value else one
    return found


def boundary(data: Mapping[str, Any]) -> dict[str, Any]:
    """Boundary that we wrote; nothing where it is none."""
    told = mapping(data.get(OURS)).get("boundary")
    return {"boundary": told} if told in BOUNDARIES else {}


def kept(data: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parts of a report as given, without ours, and a warning where they are more than a record keeps.

    The smallest parts are kept first, so that one long list does not take all else with it.
    """
    sizes = {name: len(json.dumps({name: value})) for name, value in data.items() if name != OURS}
    fit, left = set(), MOST_CELL
    for name in sorted(sizes, key=lambda one: sizes[one]):
        left -= sizes[name]
        if left >= 0:
            fit.add(name)
    lost = [f"{name:.40} ({sizes[name]:,})" for name in sizes if name not in fit]
    said = (
        f"too long to be kept in given, of which at most {MOST_CELL:,} characters are: {', '.join(lost[:8])}"
    )
    return {name: data[name] for name in sizes if name in fit}, (said,) if lost else ()


def _quantity(ours: Mapping[str, Any], name: str) -> Quantity | None:
    told = mapping(ours.get(name))
    cells = {key: "" if told.get(key) is None else str(told[key]) for key in ("value", "low", "high")}
    value = number(cells, "value", least=1.0 if name == "pue" else 0.0)
    if value is None:
        return None
    return Quantity(value=value, low=number(cells, "low"), high=number(cells, "high"), basis="claimed")
