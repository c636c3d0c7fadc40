"""Runs inside of runs: what of a part is in its whole's energy, and what came after and counts beside it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from sootprint.core import intervals
from sootprint.core.instants import stamp
from sootprint.core.merging.times import Span, seconds, span, within
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Interval

APART = "apart_kwh"  # in `given`: energy that was charged while no run around this one was measured [kWh]
_ADDED = (
    "energy_kwh", "emissions_kg", "unallocated_kwh", "market_based_kg", "embodied_kg", "water_l", "cost",
    "device_hours",
)  # fmt: skip


class Place(NamedTuple):
    """What tells whether a run is a part.

    Args:
        id: Its identity.
        parent: Run that it names as its parent.
        span: Its time, where it is known.
        apart: Share of its energy that was charged while no run around it was measured, where that was told [0-1].
    """

    id: str
    parent: str | None
    span: Span | None
    apart: float | None = None


class Part(NamedTuple):
    """A run as a part of another.

    Args:
        whole: Identity of the run that includes it.
        apart: Share of its energy that came after all runs around it [0-1]; None where its course has to tell.
        until_s: Instant at which the last of these ended, since 1970, where times tell [s].
    """

    whole: str
    apart: float | None
    until_s: float | None


def place(record: Footprint) -> Place:
    """What a record tells of being a part."""
    whole = record.energy_kwh.value if record.energy_kwh else 0.0
    return Place(record.id, record.parent, span(record), told(record.given.get(APART), whole))


def told(apart_kwh: object, whole_kwh: float | None) -> float | None:
    """Share of a run's energy that was charged apart from every other, None where that was not told [0-1].

    >>> told(0.5, 2.0), told(3.0, 2.0), told(None, 2.0), told(0.0, None)
    (0.25, 1.0, None, 0.0)
    """
    if isinstance(apart_kwh, bool) or not isinstance(apart_kwh, int | float) or not apart_kwh >= 0.0:
        return None
    return min(1.0, apart_kwh / whole_kwh) if whole_kwh and math.isfinite(apart_kwh) else 0.0


def part(one: Place, known: Mapping[str, Place]) -> Part | None:
    """The run that another is a part of, or None where it is a run of its own.

    A part of a part is inside of the outer one for as long as that runs. What the meter told of it wins over the
    times of the records, which a clock that was set may have moved.

    Args:
        one: The run.
        known: All runs that are there, by identity.
    """
    above = _around(one, known)
    if above is None:
        return None
    whole, passed, until_s = above, {one.id}, -math.inf
    while above is not None:
        if above.id in passed:
            return None if above.id == one.id else Part(whole.id, one.apart or 0.0, None)
        passed.add(above.id)
        until_s = max(until_s, above.span.end_s if above.span else math.inf)
        above = _around(above, known)
    end_s = one.span.end_s if one.span else -math.inf
    if one.apart is not None:
        return Part(whole.id, one.apart, until_s if until_s < end_s else None)
    return Part(whole.id, None, until_s) if until_s < end_s else Part(whole.id, 0.0, None)


def _around(one: Place, known: Mapping[str, Place]) -> Place | None:
    """The run that was measured around one when it started."""
    parent = known.get(one.parent) if one.parent is not None else None
    if parent is None or (one.apart is None and not within(one.span, parent.span)):
        return None
    return parent


def share_after(record: Footprint, at_s: float) -> float:
    """Share of a record's energy from an instant on, as its intervals lie; of its time where it has none [0-1]."""
    late_j = whole_j = 0.0
    for row in record.intervals:
        start_s, end_s = seconds(row.start), seconds(row.end)
        whole_j += row.energy_j
        late_j += row.energy_j * _late(start_s, end_s, at_s)
    if whole_j > 0.0:
        return min(1.0, late_j / whole_j)
    when = span(record)
    return _late(when.start_s, when.end_s, at_s) if when is not None else 0.0


def _late(start_s: float, end_s: float, at_s: float) -> float:
    """Share of a time that lies after an instant [0-1]."""
    if end_s <= start_s:
        return float(start_s >= at_s)
    return min(1.0, max(0.0, (end_s - at_s) / (end_s - start_s)))


def share_apart(record: Footprint, found: Part) -> float:
    """Share of a part's energy that is not in its whole's [0-1]."""
    if found.apart is not None:
        return found.apart
    return 0.0 if found.until_s is None else share_after(record, found.until_s)


def rest(record: Footprint, found: Part) -> Footprint | None:
    """What of a part came after its whole, as a record of its own; None where nothing did."""
    share = share_apart(record, found)
    if share <= 0.0:
        return None
    when = span(record)
    at_s = found.until_s if when is not None and found.until_s is not None else None
    made: dict[str, Any] = {name: scaled(getattr(record, name), share) for name in _ADDED}
    if at_s is not None and when is not None:
        made |= {"started": stamp(at_s), "duration_s": when.end_s - at_s}
    return dataclasses.replace(
        record,
        **made,
        components=tuple(_component(one, share) for one in record.components),
        intervals=_late_intervals(record, share, at_s),
        spans=tuple(one for one in record.spans if at_s is None or seconds(one.start) >= at_s),
        gaps=tuple(one for one in record.gaps if at_s is None or seconds(one.end) >= at_s),
        curve=(),
    )


def _component(one: Component, share: float) -> Component:
    idle_kwh = None if one.idle_kwh is None else one.idle_kwh * share
    return dataclasses.replace(one, energy_kwh=intervals.scaled(one.energy_kwh, share), idle_kwh=idle_kwh)


def scaled(quantity: Quantity | None, share: float) -> Quantity | None:
    """A share of a quantity, where it is known."""
    return None if quantity is None else intervals.scaled(quantity, share)


def _late_intervals(record: Footprint, share: float, at_s: float | None) -> tuple[Interval, ...]:
    """Intervals after an instant, scaled so that each component's add up to its share."""
    whole_j: dict[str, float] = {}
    late: list[tuple[Interval, float]] = []
    for row in record.intervals:
        start_s, end_s = seconds(row.start), seconds(row.end)
        whole_j[row.component] = whole_j.get(row.component, 0.0) + row.energy_j
        part_of = 1.0 if at_s is None else _late(start_s, end_s, at_s)
        if part_of > 0.0:
            start = row.start if at_s is None or start_s >= at_s else stamp(at_s)
            late.append((dataclasses.replace(row, start=start), row.energy_j * part_of))
    late_j: dict[str, float] = {}
    for row, spent_j in late:
        late_j[row.component] = late_j.get(row.component, 0.0) + spent_j
    ratios = {name: share * whole_j[name] / one_j for name, one_j in late_j.items() if one_j > 0.0}
    return tuple(
        dataclasses.replace(row, energy_j=spent_j * ratios.get(row.component, 0.0)) for row, spent_j in late
    )
