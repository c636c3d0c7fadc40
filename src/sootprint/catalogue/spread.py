"""Width of an annual intensity: how far a run's hours on one grid may be from the year's figure.

Independent lognormal parts, each the standard deviation of a natural logarithm, add in quadrature. Which were
found on data and which are assumed stands in `docs/reference/catalogue.md`.
"""

from __future__ import annotations

import math

from sootprint.catalogue.tables import Row, cell

Z90 = 1.6448536269514722  # standard normal, 95th percentile
# Two compilers of national life-cycle figures (Ember, Electricity Maps) differ by 0.17 at the robust standard
# deviation (867 zone-years, 2021-2025); each takes its share, 0.17 / sqrt(2).
SOURCE = 0.12
# Assumed, where the figure is direct and official: it rests on statistics of stacks and fuel.
OFFICIAL = 0.05
# A day's mean against the year's in EIA-930 hourly data of 2022, by share of wind and sun: PJM 0.085 (5 %),
# MISO 0.107 (16 %), ERCOT 0.200 (30 %), CAISO 0.228 (31 %). The line is laid by eye above them, from GSD 1.05 to 1.3.
STEADY, PER_VARIABLE_SHARE, MOST = 0.05, 0.6, 0.26
UNKNOWN_MIX = 0.15  # assumed: the middle of the line
# Countries move by 0.12 x sqrt(years) at the 90th percentile / 1.645 (2010-2025, 1,509 pairs of one year).
PER_ROOT_YEAR = 0.12
# Assumed, for a figure derived from a state's mix: factors of fuels for plants, generation for consumption.
DERIVED = 0.15
LEAST = math.log(1.1) / Z90  # never closer than 10 %


def bounds(row: Row, value: float, *, years_away: int) -> tuple[float, float]:
    """5th and 95th percentile around an annual intensity, for hours of a year `years_away` [gCO2e/kWh].

    A row that has its own bounds (the world) keeps them.
    """
    low, high = cell(row, "low"), cell(row, "high")
    if low is not None and high is not None:
        return low, high
    factor = math.exp(Z90 * sigma(row, years_away=years_away))
    return value / factor, value * factor


def sigma(row: Row, *, years_away: int) -> float:
    """Standard deviation of the logarithm of the intensity of a run's hours [1]."""
    parts = [
        OFFICIAL if row["method"] == "direct" else SOURCE,
        hours(row),
        PER_ROOT_YEAR * math.sqrt(years_away),
        DERIVED if "derived" in row["flags"].split() else 0.0,
    ]
    return max(LEAST, math.sqrt(sum(part * part for part in parts)))


def hours(row: Row) -> float:
    """Part of the hours of the year: the more wind and sun, the further a day may be from the mean [1]."""
    wind, solar = cell(row, "share_wind"), cell(row, "share_solar")
    if wind is None and solar is None:
        return UNKNOWN_MIX
    return min(MOST, STEADY + PER_VARIABLE_SHARE * ((wind or 0.0) + (solar or 0.0)))
