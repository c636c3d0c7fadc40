"""Unit conversions: the one place where factors such as 3.6e6 and 1000 stand (SI Brochure, 9th ed., 2019)."""

from __future__ import annotations

J_PER_KWH = 3.6e6
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_MINUTE = 60.0
G_PER_KG = 1000.0
W_PER_KW = 1000.0
G_PER_KWH_PER_LB_PER_MWH = 0.45359237  # by the international pound, exactly (1959)


def energy_kwh(energy_j: float) -> float:
    """Energy [kWh] of an energy in joules [J].

    >>> energy_kwh(7.2e6)
    2.0
    """
    return energy_j / J_PER_KWH


def energy_j(energy_kwh: float) -> float:
    """Energy [J] of an energy in kilowatt-hours [kWh]."""
    return energy_kwh * J_PER_KWH


def hours(duration_s: float) -> float:
    """Duration [h] of a duration in seconds [s]."""
    return duration_s / SECONDS_PER_HOUR


def seconds(duration_h: float) -> float:
    """Duration [s] of a duration in hours [h]."""
    return duration_h * SECONDS_PER_HOUR
