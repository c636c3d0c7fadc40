"""Units that fit, one for all numbers of a chart or table, as reports and records in a notebook write them, too."""

from sootprint.core.scale import (
    DEVICE_TIME,
    ENERGY,
    MASS,
    POWER,
    TIME,
    VOLUME,
    WIDE,
    Unit,
    digits,
    digits_of,
    fitting,
    number,
    percent,
)

__all__ = [
    "DEVICE_TIME",
    "ENERGY",
    "MASS",
    "POWER",
    "TIME",
    "VOLUME",
    "WIDE",
    "Unit",
    "digits",
    "digits_of",
    "fitting",
    "number",
    "percent",
]
