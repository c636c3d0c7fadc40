"""What a claim implies for one device and one kilowatt-hour, beside what is usual."""

from __future__ import annotations

from typing import NamedTuple

from sootprint.core.units import G_PER_KG, W_PER_KW
from sootprint.estimator.audit import computation, facts
from sootprint.estimator.audit.claim import Claim


class Implied(NamedTuple):
    """A number that a claim implies, and the range of published ones.

    Args:
        name: watts_per_device, utilisation_of_peak or intensity_g_per_kwh.
        value: What the claim implies.
        low: Low end of what is published, or None.
        high: High end of what is published, or None.
        unit: Unit of the three.
        of: What the range is of.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    unit: str
    of: str


def implied(claim: Claim) -> tuple[Implied, ...]:
    """Watts per device, utilisation of peak and intensity, as far as the claim implies them."""
    return tuple(one for one in (_watts(claim), _utilisation(claim), _intensity(claim)) if one is not None)


def _watts(claim: Claim) -> Implied | None:
    hours, device = claim.hours_of_devices, facts.device_of(claim)
    if claim.energy_kwh is None or hours is None:
        return None
    inside = claim.pue if claim.pue and claim.energy_scope == "facility" else 1.0
    value = claim.energy_kwh / inside * W_PER_KW / hours
    rated = device.rated_w if device else None
    if rated is None:
        return Implied("watts_per_device", value, None, None, "W", "no rated power is known")
    most = rated[1] if claim.energy_scope == "accelerator" else rated[1] * facts.MOST_NODE
    return Implied(
        "watts_per_device", value, facts.LEAST_POWER * rated[0], most, "W", device.name if device else ""
    )


def _utilisation(claim: Claim) -> Implied | None:
    value = computation.implied_mfu(claim)
    if value is None:
        return None
    return Implied("utilisation_of_peak", value, 0.19, 0.52, "1", "published whole runs of language models")


def _intensity(claim: Claim) -> Implied | None:
    if not claim.emissions_kg or claim.emissions_kg < 0.0 or claim.energy_kwh is None:
        return None
    before = claim.pue if claim.pue and claim.energy_scope != "facility" else 1.0
    grid = facts.grid_of(claim)
    value = claim.emissions_kg * G_PER_KG / (claim.energy_kwh * before)
    if grid is None:
        return Implied(
            "intensity_g_per_kwh", value, facts.LEAST_INTENSITY, facts.MOST_INTENSITY, "g/kWh", "all grids"
        )
    return Implied("intensity_g_per_kwh", value, grid.low, grid.high, "g/kWh", grid.place)
