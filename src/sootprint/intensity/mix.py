"""Intensity of a generation mix: each fuel's energy with its own factor, life-cycle medians of the IPCC."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar

from sootprint.catalogue import factors, spread
from sootprint.catalogue.zones import METHODS
from sootprint.core.errors import CatalogueError
from sootprint.intensity.kinds import OUR_FACTORS
from sootprint.intensity.points import Terms

SPREAD = math.hypot(spread.SOURCE, spread.DERIVED)  # of an intensity that is computed with our factors
LEAST_KNOWN = 0.95  # of the energy that must be of a known fuel
MINOR = 0.02  # mean share below which a fuel may be missing from a step
HOUR = timedelta(hours=1)
Step = TypeVar("Step", bound=Hashable)


def terms(name: str, title: str, licence: str, *, sigma: float = SPREAD) -> Terms:
    """Terms of a source of hourly generation by fuel, whose intensity is computed with our factors.

    Args:
        name: Name of the source in the settings.
        title: What it gives.
        licence: Licence of the data.
        sigma: Standard deviation of the logarithm of a figure around the truth [1].
    """
    return Terms(
        name=name,
        title=f"{title}, {OUR_FACTORS}",
        licence=licence,
        method=METHODS["lifecycle"],
        step=HOUR,
        settles=timedelta(days=7),
        fresh=timedelta(minutes=30),
        keep=timedelta(days=400),
        window=timedelta(days=31),
        sigma=sigma,
    )


@lru_cache(maxsize=64)
def factor_g_per_kwh(fuel: str) -> float | None:
    """Life-cycle emissions of a fuel's electricity [gCO2e/kWh]; None where no table has it."""
    try:
        return factors.emission_factor(fuel).value
    except CatalogueError:
        return None


def intensity_g_per_kwh(energies: Mapping[str, float]) -> float | None:
    """Mean intensity of energies by fuel, in any one unit [gCO2e/kWh].

    None where nothing was generated, or more than a twentieth of it is of no known fuel: such an hour is a gap.

    Args:
        energies: Energy by fuel; a fuel that took more than it gave, such as a store, counts as nothing.
    """
    given = {fuel: energy for fuel, energy in energies.items() if energy > 0.0}
    total = math.fsum(given.values())
    known = {fuel: energy for fuel, energy in given.items() if factor_g_per_kwh(fuel) is not None}
    of_known = math.fsum(known.values())
    if total <= 0.0 or of_known < LEAST_KNOWN * total:
        return None
    return math.fsum(energy * (factor_g_per_kwh(fuel) or 0.0) for fuel, energy in known.items()) / of_known


def means_g_per_kwh(steps: Mapping[Step, Mapping[str, float]]) -> dict[Step, float | None]:
    """Mean intensity of each step [gCO2e/kWh]; None is a gap.

    A step that lacks a fuel which is a notable part of the others is a gap: its plants have not reported yet, and a
    mean without them would be wrong. Zero is an answer, and lacks nothing; the sun is missing at night.

    Args:
        steps: Energies by fuel of each step, in any one unit.
    """
    sums: dict[str, float] = {}
    for energies in steps.values():
        for fuel, energy in energies.items():
            sums[fuel] = sums.get(fuel, 0.0) + max(0.0, energy)
    total = math.fsum(sums.values())
    notable = {fuel for fuel, energy in sums.items() if energy >= MINOR * total and fuel != "solar"}
    return {
        step: intensity_g_per_kwh(energies) if notable <= energies.keys() else None
        for step, energies in steps.items()
    }
