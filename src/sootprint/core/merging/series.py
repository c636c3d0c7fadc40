"""What lies along the time of the sum: intervals on one grid, spans and logged values of the first node, gaps."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from sootprint.core import intervals
from sootprint.core.instants import stamp
from sootprint.core.merging.choose import overlap_s
from sootprint.core.merging.times import Span, seconds, span
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, CurvePoint, Footprint, Gap, Interval
from sootprint.core.records import Span as NamedSpan
from sootprint.core.units import SECONDS_PER_HOUR, energy_j

MOST_ROWS = 50_000
Slots = dict[int, float]  # energy by number of the slot [J]; a slot in which nothing ran is not there
Grid = dict[str, Slots]  # by component
Names = Mapping[str, str]  # of a record's components in the sum


def width_s(records: Sequence[Footprint], components: int) -> float:
    """Width of the common grid: the coarsest interval's, up to an hour where that were too many rows [s]."""
    found = max(
        (seconds(row.end) - seconds(row.start) for record in records for row in record.intervals), default=0.0
    )
    found = max(found, 1e-3)
    rows_at_found = _covered_s(records) / found * components
    while rows_at_found > MOST_ROWS and 2.0 * found <= SECONDS_PER_HOUR:
        found, rows_at_found = 2.0 * found, 0.5 * rows_at_found
    return found


def pour(grid: Grid, record: Footprint, names: Names, *, start_s: float, step_s: float) -> None:
    """Add a record's intervals to a grid; one that lies across an edge is split by its time."""
    for row in record.intervals:
        slots = grid.setdefault(names.get(row.component, row.component), {})
        start, end = ((seconds(text) - start_s) / step_s for text in (row.start, row.end))
        _spread(slots, start, end, row.energy_j)


def _spread(slots: Slots, start: float, end: float, spent_j: float) -> None:
    """Add an energy to slots of width 1 in proportion to the time in each; the rest of rounding goes to the last."""
    first = max(0, math.floor(start))
    last = max(first, math.ceil(end) - 1)
    left_j = spent_j
    for slot in range(first, last):
        part_j = spent_j * (min(end, slot + 1.0) - max(start, float(slot))) / (end - start)
        slots[slot] = slots.get(slot, 0.0) + part_j
        left_j -= part_j
    slots[last] = slots.get(last, 0.0) + max(0.0, left_j)


def add(grid: Grid, component: str, slots: Slots) -> None:
    """Add energies to the slots of a component."""
    into = grid.setdefault(component, {})
    for slot, spent_j in slots.items():
        into[slot] = into.get(slot, 0.0) + spent_j


def like(grid: Grid, kind: str, filled: Component) -> Slots:
    """Energy that stands for lost nodes, spread over the slots as that of the others of its kind [J].

    Where the kind is not listed, it goes as all the others do.
    """
    of_kind = [slots for name, slots in grid.items() if family_of(name) == kind] or list(grid.values())
    numbers = sorted({slot for slots in of_kind for slot in slots})
    spent_j = {slot: math.fsum(slots.get(slot, 0.0) for slots in of_kind) for slot in numbers}
    whole_j = math.fsum(spent_j.values())
    filled_j = energy_j(filled.energy_kwh.value)
    return {slot: one_j / whole_j * filled_j for slot, one_j in spent_j.items()} if whole_j > 0.0 else {}


def rows(grid: Grid, when: Span, step_s: float, order: Sequence[str]) -> tuple[Interval, ...]:
    """Intervals of a grid in the order of the components, the last of which ends with the run."""
    names = [*(name for name in order if name in grid), *sorted(grid.keys() - set(order))]
    return tuple(
        Interval(
            start=stamp(when.start_s + slot * step_s),
            end=stamp(when.start_s + min((slot + 1) * step_s, max(when.end_s - when.start_s, slot * step_s))),
            component=name,
            energy_j=round(grid[name][slot], 6),
        )
        for name in names
        for slot in sorted(grid[name])
    )


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


def _covered_s(records: Sequence[Footprint]) -> float:
    """Time in which at least one record ran [s]."""
    total_s, until_s = 0.0, -math.inf
    for one in sorted(found for record in records if (found := span(record)) is not None):
        total_s += max(0.0, one.end_s - max(one.start_s, until_s))
        until_s = max(until_s, one.end_s)
    return total_s


def longest_hole_s(records: Sequence[Footprint]) -> float:
    """Longest time between the first start and the last end in which no record ran [s]."""
    longest_s, covered_s = 0.0, -math.inf
    for one in sorted(found for record in records if (found := span(record)) is not None):
        if covered_s > -math.inf:
            longest_s = max(longest_s, one.start_s - covered_s)
        covered_s = max(covered_s, one.end_s)
    return longest_s
