"""Carbon of energy: multiplied interval by interval, then summed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.units import G_PER_KG

NO_PUE = "PUE unknown: the facility's overhead (often a PUE of 1.1 to 1.6) is not in the numbers; state it if known"
OF_THE_WORLD = "the intensity is the world's average and its interval spans the world's grids"
_NEVER_ADDED = (("life-cycle", "direct"), ("average", "marginal"), ("location-based", "market-based"))


def emissions_kg(energy_kwh: float, intensity_g_per_kwh: float, *, pue: float = 1.0) -> float:
    """Operational emissions of electricity used in one interval [kgCO2e].

    Args:
        energy_kwh: Energy drawn by the IT equipment, at least 0 [kWh].
        intensity_g_per_kwh: Mean grid carbon intensity over the same interval, at least 0 [gCO2e/kWh].
        pue: Facility energy over IT energy, at least 1 [1].

    Raises:
        InputError: A quantity is outside its range.

    Source:
        GHG Protocol, Scope 2 Guidance (2015), location-based method.

    >>> emissions_kg(10.0, 400.0, pue=1.5)
    6.0
    """
    _at_least(energy_kwh, 0.0, "energy_kwh")
    _at_least(intensity_g_per_kwh, 0.0, "intensity_g_per_kwh")
    _at_least(pue, 1.0, "pue")
    return energy_kwh * intensity_g_per_kwh * pue / G_PER_KG


def weighted_intensity(energies_kwh: Sequence[float], intensities_g_per_kwh: Sequence[float]) -> float:
    """Energy-weighted mean intensity of intervals, `(n,)` and `(n,)` [gCO2e/kWh]; the plain mean if no energy.

    Raises:
        InputError: The lengths differ or are 0.
    """
    if len(energies_kwh) != len(intensities_g_per_kwh) or not energies_kwh:
        raise InputError(
            f"{len(energies_kwh)} energies and {len(intensities_g_per_kwh)} intensities do not pair"
        )
    spent_kwh = math.fsum(energies_kwh)
    if spent_kwh == 0.0:
        return math.fsum(intensities_g_per_kwh) / len(intensities_g_per_kwh)
    pairs = zip(energies_kwh, intensities_g_per_kwh, strict=True)
    return math.fsum(energy * intensity for energy, intensity in pairs) / spent_kwh


def emissions(energy_kwh: Quantity, intensity_g_per_kwh: Quantity, pue: Quantity) -> Quantity:
    """Operational emissions with their interval [kgCO2e].

    Args:
        energy_kwh: IT energy [kWh].
        intensity_g_per_kwh: Energy-weighted intensity over the same time [gCO2e/kWh].
        pue: Facility energy over IT energy, at least 1 [1].
    """
    return intervals.scaled(intervals.product(energy_kwh, intensity_g_per_kwh, pue), 1.0 / G_PER_KG)


def methods_of(factors: Iterable[Factor]) -> list[str]:
    """Methods of the carbon intensities among factors, each once."""
    return sorted({one.method or "" for one in factors if one.kind == "intensity"})


def are_mixed(methods: Collection[str]) -> bool:
    """Whether two among some methods are such that emissions by the one are never added to those by the other.

    >>> are_mixed(["average, life-cycle", "average, direct"]), are_mixed(["average, direct", ""])
    (True, False)
    """
    return any(
        any(one in text for text in methods) and any(other in text for text in methods)
        for one, other in _NEVER_ADDED
    )


def _at_least(value: float, minimum: float, name: str) -> None:
    if not (value >= minimum and math.isfinite(value)):
        raise InputError(f"{name} is {value}: it is a finite number of at least {minimum:g}")
