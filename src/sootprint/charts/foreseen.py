"""The forecasts that a record holds, as far as they can be read: a record may come from anyone."""

from __future__ import annotations

from typing import Any, NamedTuple

from sootprint.core.quantity import Quantity, finite, read
from sootprint.core.records import Footprint

MOST = 50


class Foreseen(NamedTuple):
    """One forecast of a whole run.

    Args:
        progress: Share that was done [0-1].
        units: Units that were done, or None where a time was expected.
        energy_kwh: Energy of the whole run [kWh].
        emissions_kg: Its emissions, or None where unknown [kgCO2e].
        duration_s: Its time, or None where unknown [s].
        energy_error: Forecast over actual energy, minus 1, or None where it was not scored.
        inside: Whether the actual energy lies in the interval, or None.
        earlier: Earlier runs of the same name that it was made with.
    """

    progress: float
    units: int | None
    energy_kwh: Quantity
    emissions_kg: Quantity | None
    duration_s: Quantity | None
    energy_error: float | None
    inside: bool | None
    earlier: int = 0


def foreseen(footprint: Footprint) -> tuple[Foreseen, ...]:
    """Forecasts of a record, the earliest first; what has no progress or energy is left out."""
    found = [_one(entry) for entry in footprint.forecasts[:MOST] if isinstance(entry, dict)]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.progress))


def expected(footprint: Footprint) -> str | None:
    """What the whole run was expected to do, e.g. "90 epochs"; None where no forecast tells."""
    stated = (entry.get("expected") for entry in footprint.forecasts if isinstance(entry, dict))
    return next((text for text in stated if isinstance(text, str) and text.strip()), None)


def _one(entry: dict[str, Any]) -> Foreseen | None:
    progress, energy = finite(entry.get("progress")), _amount(entry.get("energy_kwh"))
    units, inside = finite(entry.get("units")), entry.get("energy_inside")
    if progress is None or not 0.0 <= progress <= 1.0 or energy is None:
        return None
    return Foreseen(
        progress=progress,
        units=int(units) if units else None,
        energy_kwh=energy,
        emissions_kg=_amount(entry.get("emissions_kg")),
        duration_s=_amount(entry.get("duration_s")),
        energy_error=finite(entry.get("energy_error")),
        inside=inside if isinstance(inside, bool) else None,
        earlier=int(finite(entry.get("earlier_runs")) or 0),
    )


def _amount(data: Any) -> Quantity | None:
    found = read(data)
    return found if found is not None and found.value >= 0.0 else None
