"""Carbon of energy: multiplied interval by interval, then summed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, W_PER_KW


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


def survey_emissions_kg(power_w: float, device_hours: float, intensity_g_per_kwh: float) -> float:
    """Emissions by the survey's plain formula C = P x T x I [kgCO2e].

    Args:
        power_w: Rated power of one device, at least 0 [W].
        device_hours: Hours summed over devices, at least 0 [h].
        intensity_g_per_kwh: Carbon intensity of the place, at least 0 [gCO2e/kWh].

    Raises:
        InputError: A quantity is outside its range.

    Source:
        Luccioni & Hernandez-Garcia, Counting Carbon (2023), equation 1.

    >>> survey_emissions_kg(300.0, 100.0, 500.0)
    15.0
    >>> survey_emissions_kg(300.0, 100.0, 100.0)
    3.0
    """
    _at_least(power_w, 0.0, "power_w")
    _at_least(device_hours, 0.0, "device_hours")
    return emissions_kg(power_w * device_hours / W_PER_KW, intensity_g_per_kwh)


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


def embodied_share_kg(
    embodied_kg: float, device_hours: float, *, lifetime_hours: float, utilisation: float = 1.0
) -> float:
    """Share of a device's manufacture that a run carries [kgCO2e].

    Args:
        embodied_kg: Emissions of making one device [kgCO2e].
        device_hours: Device hours of the run [h].
        lifetime_hours: Calendar hours in the device's life, above 0 [h].
        utilisation: Share of its life in which the device does work, above 0 [0-1].

    Raises:
        InputError: A quantity is outside its range.

    Source:
        Green Software Foundation, Software Carbon Intensity (ISO/IEC 21031:2024), M = TE x TS x RS.

    >>> embodied_share_kg(150.0, 876.0, lifetime_hours=35040.0)
    3.75
    """
    _at_least(embodied_kg, 0.0, "embodied_kg")
    _at_least(device_hours, 0.0, "device_hours")
    if not (lifetime_hours > 0.0 and 0.0 < utilisation <= 1.0):
        raise InputError(
            f"lifetime {lifetime_hours} h and utilisation {utilisation} must be above 0, the latter at most 1"
        )
    return embodied_kg * device_hours / (lifetime_hours * utilisation)


def _at_least(value: float, minimum: float, name: str) -> None:
    if not (value >= minimum and math.isfinite(value)):
        raise InputError(f"{name} is {value}: it is a finite number of at least {minimum:g}")
