"""A record with a better intensity: its interval energies are read again and multiplied step by step.

Energy x PUE x intensity is done interval by interval, as when the record was made; the energies stay as they are.
"""

from __future__ import annotations

import dataclasses
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sootprint.core import carbon, intervals, utc
from sootprint.core.errors import RecordError
from sootprint.core.protocols import Intensity
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint
from sootprint.core.units import SECONDS_PER_MINUTE

MARK = "grid: "  # begins a warning that goes when the intensity is read again


class Weighted(NamedTuple):
    """Energy-weighted intensity of a run, and what it rests on.

    Args:
        quantity: Mean with its bounds [gCO2e/kWh].
        unknown: Share of the energy in times without a figure [0-1].
        forecast: Share of the energy that counts at a forecast [0-1].
    """

    quantity: Quantity
    unknown: float
    forecast: float


def with_hours(record: Footprint, steps: Sequence[Intensity], *, warnings: Sequence[str] = ()) -> Footprint:
    """Record whose emissions are those of its own hours.

    Args:
        record: Record with interval energies.
        steps: Intensities of one source and method over the run, in order; gaps left out.
        warnings: What to know about the steps.

    Raises:
        RecordError: The record has no interval energies, or there are no steps or several methods.
    """
    factor = _factor_of(record, steps)
    found = weighted(record, steps)
    pue = record.pue or intervals.exact(1.0, "assumed")
    stated = dataclasses.replace(
        factor, value=found.quantity.value, low=found.quantity.low, high=found.quantity.high
    )
    told = [*warnings, *_remarks(found, factor.source or "the source")]
    return dataclasses.replace(
        record,
        intensity_g_per_kwh=found.quantity,
        emissions_kg=carbon.emissions(record.energy_kwh, found.quantity, pue) if record.energy_kwh else None,
        factors=(*(one for one in record.factors if one.kind != "intensity"), stated),
        unknown=tuple(name for name in record.unknown if name != "intensity_g_per_kwh"),
        warnings=(*without_remarks(record.warnings), *(f"{MARK}{text}" for text in dict.fromkeys(told))),
    )


def has_hours(record: Footprint) -> bool:
    """Whether a record's emissions are already those of its own hours."""
    return any(one.kind == "intensity" and "/" in (one.period or "") for one in record.factors)


def is_provisional(record: Footprint) -> bool:
    """Whether a part of a record's hours were forecasts or unknown when they were read."""
    return any(text.startswith(MARK) for text in record.warnings)


def without_remarks(warnings: Sequence[str]) -> tuple[str, ...]:
    """Warnings without those of an earlier reading."""
    return tuple(text for text in warnings if not text.startswith(MARK))


def span(record: Footprint) -> tuple[datetime, datetime]:
    """Start and end of a record's interval energies.

    Raises:
        RecordError: It has none, as an estimate or a claim of others.
    """
    if not record.intervals or record.energy_kwh is None:
        raise RecordError(f"record {record.name or record.id} has no interval energies: it was not measured")
    return min(instant(one.start) for one in record.intervals), max(
        instant(one.end) for one in record.intervals
    )


def instant(text: str) -> datetime:
    """Instant of a record's time.

    Raises:
        RecordError: It is none.
    """
    try:
        return utc.instant(text)
    except ValueError:
        raise RecordError(f"{text!r:.40} is no time of ISO 8601") from None


def weighted(record: Footprint, steps: Sequence[Intensity]) -> Weighted:
    """Intensity weighted with a record's energies; energy in a gap counts at the mean of the rest.

    An interval that several steps cover is cut among them by time. The bounds are those of the steps, which err
    together; energy in a gap widens them to the least and the greatest step.
    """
    spent_j = [0.0] * len(steps)
    starts, ends = [one.start for one in steps], [one.end for one in steps]
    total_j = 0.0
    for one in record.intervals:
        start, end = instant(one.start), instant(one.end)
        total_j += one.energy_j
        length = (end - start) or timedelta(microseconds=1)
        for at in range(bisect_right(ends, start), bisect_left(starts, end)):
            part = (min(end, ends[at]) - max(start, starts[at])) / length
            spent_j[at] += max(0.0, part) * one.energy_j
    known_j = math.fsum(spent_j)
    if known_j <= 0.0:  # nothing was drawn while a figure is known
        spent_j = [(one.end - one.start).total_seconds() for one in steps]
    unknown = max(0.0, 1.0 - known_j / total_j) if total_j > 0.0 else 0.0
    foreseen = math.fsum(part for part, one in zip(spent_j, steps, strict=True) if one.forecast)
    return Weighted(_mean(spent_j, steps, unknown), unknown, (1.0 - unknown) * foreseen / math.fsum(spent_j))


def _mean(spent_j: Sequence[float], steps: Sequence[Intensity], unknown: float) -> Quantity:
    def of(values: Sequence[float]) -> float:
        return carbon.weighted_intensity(spent_j, values)

    values = [one.factor.value or 0.0 for one in steps]
    lows = [
        value if one.factor.low is None else one.factor.low for value, one in zip(values, steps, strict=True)
    ]
    highs = [
        value if one.factor.high is None else one.factor.high
        for value, one in zip(values, steps, strict=True)
    ]
    value = of(values)
    low = (1.0 - unknown) * of(lows) + unknown * min(lows)
    high = (1.0 - unknown) * of(highs) + unknown * max(highs)
    return Quantity(value=value, low=min(low, value), high=max(high, value), basis="derived")


def _factor_of(record: Footprint, steps: Sequence[Intensity]) -> Factor:
    """Factor of the whole run, with the span and the step in its period."""
    methods = list(dict.fromkeys(one.factor.method for one in steps))
    if len(methods) != 1:
        raise RecordError(f"{len(methods)} methods of intensity cannot be weighted together: ask one source")
    span(record)
    first = steps[0].factor
    step_s = steps[0].step_s or (steps[0].end - steps[0].start).total_seconds()
    period = f"{_stamp(steps[0].start)}/{_stamp(steps[-1].end)}"
    source = f"{first.source}, steps of {step_s / SECONDS_PER_MINUTE:g} min weighted with the run's energy"
    return dataclasses.replace(first, period=period, source=source)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="minutes").replace("+00:00", "Z")


def _remarks(found: Weighted, source: str) -> list[str]:
    told = []
    if found.unknown > 0.005:
        told.append(
            f"{found.unknown:.0%} of the energy is in times for which {source} has no figure: it counts at the mean"
        )
    if found.forecast > 0.005:
        told.append(
            f"{found.forecast:.0%} of the energy counts at a forecast, for no measured figure is there yet: "
            "`sootprint refresh` asks again"
        )
    return told
