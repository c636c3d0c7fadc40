"""A record as one row: its numbers and words by names that end in their units, for tools that know no record."""

from __future__ import annotations

import contextlib

from sootprint.core.records import Footprint, device_count
from sootprint.core.utc import instant

# Quantities of a record that a row has, each with its bounds.
QUANTITIES = (
    "energy_kwh",
    "emissions_kg",
    "market_based_kg",
    "embodied_kg",
    "water_l",
    "device_hours",
    "intensity_g_per_kwh",
    "pue",
)
NUMBERS = ("duration_s", *(f"{name}{end}" for name in QUANTITIES for end in ("", "_low", "_high")))
MILLI = 1000
WORDS = (
    *("id", "name", "project", "parent", "run_group", "node", "model", "stage", "scope", "boundary", "grade"),
    *("started", "ended", "zone", "country", "hardware", "tool", "tool_version"),
)


def numbers(footprint: Footprint) -> dict[str, float | None]:
    """Numbers by name, in the order of `NUMBERS`; None where one is not known."""
    made: dict[str, float | None] = {"duration_s": footprint.duration_s}
    for name in QUANTITIES:
        quantity = getattr(footprint, name)
        for end, part in (("", "value"), ("_low", "low"), ("_high", "high")):
            made[f"{name}{end}"] = None if quantity is None else getattr(quantity, part)
    return made


def known(footprint: Footprint) -> dict[str, float]:
    """The numbers that are known."""
    return {name: value for name, value in numbers(footprint).items() if value is not None}


def words(footprint: Footprint) -> dict[str, str]:
    """What is known of a record in words, by name."""
    made = {name: getattr(footprint, name, None) for name in WORDS}
    made |= {"zone": footprint.place.zone, "country": footprint.place.country}
    made["model"] = footprint.model.name if footprint.model else None
    made["hardware"] = _hardware(footprint)
    return {name: str(value) for name, value in made.items() if value not in (None, "")}


def end_s(footprint: Footprint) -> float:
    """End of a run in seconds since 1970, or its start; of an estimate when its record was made [s]."""
    for text in (footprint.ended, footprint.started):
        with contextlib.suppress(ValueError):
            if text:
                return instant(text).timestamp()
    return int(footprint.id.replace("-", "")[:12], 16) / MILLI  # of a UUID of version 7 (RFC 9562)


def _hardware(footprint: Footprint) -> str:
    """Devices of a record; of the main ones only the name, where nobody knows how many there were."""
    counted = device_count(footprint) is not None
    return ", ".join(f"{one.count} x {one.name}" if counted else one.name for one in footprint.hardware)
