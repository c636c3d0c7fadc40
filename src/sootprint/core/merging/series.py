"""What lies along the time of the sum: intervals on one grid, spans and logged values of the first node, gaps."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from sootprint.core import intervals
from sootprint.core.merging.choose import Span, overlap_s, seconds, span, stamp
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, CurvePoint, Footprint, Gap, Interval
from sootprint.core.records import Span as NamedSpan
from sootprint.core.units import SECONDS_PER_HOUR, energy_j

MOST_ROWS = 50_000
Grid = dict[str, list[float]]  # energy in each slot, by component [J]
Names = Mapping[str, str]  # of a record's components in the sum


def width_s(records: Sequence[Footprint], when: Span, components: int) -> float:
    """Width of the common grid: the coarsest record's, up to an hour where that were too many rows [s]."""
    found = 0.0
    for record in records:
        for row in record.intervals[:1]:  # the first is as wide as all but the last
            found = max(found, seconds(row.end) - seconds(row.start))
    if found <= 0.0:
        return max(when.end_s - when.start_s, 1.0)
    while (when.end_s - when.start_s) / found * components > MOST_ROWS and 2.0 * found <= SECONDS_PER_HOUR:
        found *= 2.0
    return found


def pour(grid: Grid, record: Footprint, names: Names, *, start_s: float, step_s: float) -> None:
    """Add a record's intervals to a grid; one that lies across an edge is split by its time."""
    instants: dict[str, float] = {}
    for row in record.intervals:
        name = names.get(row.component, row.component)
        for text in (row.start, row.end):
            if text not in instants:
                instants[text] = (seconds(text) - start_s) / step_s
        _spread(grid.setdefault(name, []), instants[row.start], instants[row.end], row.energy_j)


def _spread(slots: list[float], start: float, end: float, spent_j: float) -> None:
    """Add an energy to slots of width 1 in proportion to the time in each; the rest of rounding goes to the last."""
    first, last = max(0, math.floor(start)), max(0, math.ceil(end) - 1)
    last = max(first, last)
    slots += [0.0] * (last + 1 - len(slots))
    left_j = spent_j
    for slot in range(first, last):
        part_j = spent_j * (min(end, slot + 1.0) - max(start, float(slot))) / (end - start)
        slots[slot] += part_j
        left_j -= part_j
    slots[last] += max(0.0, left_j)


def add(grid: Grid, component: str, slots_j: Sequence[float]) -> None:
    """Add energies to the slots of a component [J]."""
    into = grid.setdefault(component, [])
    into += [0.0] * (len(slots_j) - len(into))
    for slot, spent_j in enumerate(slots_j):
        into[slot] += spent_j


def like(grid: Grid, kind: str, filled: Component) -> list[float]:
    """Energy that stands for lost nodes, spread over the slots as that of the others of its kind [J].

    Where the kind is not listed, it goes as all the others do.
    """
    of_kind = [slots for name, slots in grid.items() if name.partition(":")[0] == kind] or list(grid.values())
    length = max((len(slots) for slots in of_kind), default=0)
    sums_j = [math.fsum(slots[slot] for slots in of_kind if slot < len(slots)) for slot in range(length)]
    whole_j = math.fsum(sums_j)
    filled_j = energy_j(filled.energy_kwh.value)
    return [one_j / whole_j * filled_j for one_j in sums_j] if whole_j > 0.0 else []


def rows(
    grid: Mapping[str, Sequence[float]], when: Span, step_s: float, order: Sequence[str]
) -> tuple[Interval, ...]:
    """Intervals of a grid in the order of the components, the last of which ends with the run."""
    made = []
    for component, slots in sorted(
        grid.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)
    ):
        for slot, spent_j in enumerate(slots):
            end_s = when.start_s + (slot + 1) * step_s
            made.append(
                Interval(
                    start=stamp(when.start_s + slot * step_s),
                    end=stamp(min(end_s, max(when.end_s, when.start_s + slot * step_s))),
                    component=component,
                    energy_j=round(spent_j, 6),
                )
            )
    return tuple(made)


def leaders(records: Sequence[Footprint], nodes: Mapping[str, int]) -> list[Footprint]:
    """Records of the first node that followed one another, as the restarts of a job do."""
    found: list[Footprint] = []
    for record in records:
        if nodes[record.id] == nodes[records[0].id] and all(
            overlap_s(record, other) <= 0.0 for other in found
        ):
            found.append(record)
    return found


def spans(of: Sequence[Footprint], ratio: float, total: Quantity) -> tuple[NamedSpan, ...]:
    """Spans of the leaders, their energies times the ratio of the sum to the leaders' own."""
    spread = (
        (total.low or 0.0) / total.value if total.value else 1.0,
        (total.high or 0.0) / total.value if total.value else 1.0,
    )
    known = total.low is not None and total.high is not None
    return tuple(
        dataclasses.replace(one, energy_kwh=_like(one.energy_kwh.value * ratio, spread if known else None))
        for record in of
        for one in record.spans
    )


def _like(value: float, spread: tuple[float, float] | None) -> Quantity:
    return Quantity(value=value) if spread is None else intervals.around(value, *spread, basis="derived")


def curve(of: Sequence[Footprint], ratio: float) -> tuple[CurvePoint, ...]:
    """Logged values of the leaders over the energy of the sum."""
    points, before_kwh = [], 0.0
    for record in of:
        points += [
            dataclasses.replace(point, energy_kwh=(before_kwh + point.energy_kwh) * ratio)
            for point in record.curve
        ]
        before_kwh += record.energy_kwh.value if record.energy_kwh else 0.0
    return tuple(points)


def gaps(record: Footprint, names: Names) -> list[Gap]:
    """Gaps of a record, its components named as in the sum."""
    return [
        dataclasses.replace(gap, component=names.get(gap.component, gap.component)) for gap in record.gaps
    ]


def hull(records: Sequence[Footprint]) -> Span | None:
    """Time from the first start to the last end; None where no record tells its own."""
    known = [one for record in records if (one := span(record)) is not None]
    return Span(min(one.start_s for one in known), max(one.end_s for one in known)) if known else None


def longest_hole_s(records: Sequence[Footprint]) -> float:
    """Longest time between the first start and the last end in which no record ran [s]."""
    longest_s, covered_s = 0.0, -math.inf
    for one in sorted(found for record in records if (found := span(record)) is not None):
        if covered_s > -math.inf:
            longest_s = max(longest_s, one.start_s - covered_s)
        covered_s = max(covered_s, one.end_s)
    return longest_s
