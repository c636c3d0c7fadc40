"""Nodes that left no record: how many there are, and what fills their place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.merging.choose import EXPECTED, RANK, merged_ids, number
from sootprint.core.merging.parts import scaled
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint

NODES = "merged_nodes"  # in `given`: nodes whose energy is in the sum
RANKS = "merged_ranks"  # in `given`: their indices, where each is known
METER = "lost_node"  # in the place of a meter: filled in at the mean of the other nodes
LOST = "lost nodes: "  # begins the warning
FILL_LOW, FILL_HIGH = 0.5, 1.5  # least spread of what is filled in, as in the gaps of a run


class Attendance(NamedTuple):
    """Nodes of one job, as far as its records tell.

    Args:
        seen: Nodes whose energy is known [1].
        expected: Nodes that took part [1]; None where nobody told, or the records disagree.
        ranks: Indices of the nodes seen, or None where one is not known.
        disagree: Numbers of nodes that the records told, where they differ and more were told than seen.
    """

    seen: int
    expected: int | None
    ranks: tuple[int, ...] | None
    disagree: tuple[int, ...] = ()

    @property
    def missing(self) -> int:
        """Nodes without a known energy, where another node can stand for them [1]."""
        return 0 if self.expected is None or self.seen == 0 else max(0, self.expected - self.seen)

    def problem(self) -> str | None:
        """What is amiss, for a person; None where nothing is."""
        if self.disagree:
            told = " and ".join(map(str, self.disagree))
            return (
                f"the records tell of {told} nodes and {self.seen} are there: state the number with --nodes"
            )
        if not self.missing:
            return None
        absent = sorted(set(range(self.expected or 0)) - set(self.ranks)) if self.ranks is not None else []
        listed = ", ".join(map(str, absent[:8])) + (", ..." if len(absent) > 8 else "")
        which = f" (index {listed})" if absent else ""
        others = "the other one" if self.seen == 1 else f"the other {self.seen}"
        return (
            f"{LOST}{self.missing} of {self.expected} nodes left no record or no reading{which}; "
            f"filled in at the mean of {others}"
        )


def attendance(
    records: Sequence[Footprint], keys: Mapping[str, object], expected: int | None = None
) -> Attendance:
    """Nodes of a job that are there and that were told.

    Args:
        records: Records of one job.
        keys: Machine of each record.
        expected: Nodes as the user states them, which wins over what the records tell.

    Raises:
        InputError: More nodes are there than the user states.
    """
    measured = [record for record in records if record.energy_kwh is not None]
    blind = {keys[one.id] for one in records} - {keys[one.id] for one in measured}
    listed = [ranks(record) for record in measured]
    known = None if None in listed else tuple(sorted({rank for found in listed for rank in found or ()}))
    seen = _count(measured, keys) if known is None else len(known)
    if expected is not None:
        if expected < seen:
            raise InputError(
                f"{expected} nodes were stated, but {seen} left a record: state how many took part"
            )
        return Attendance(seen, expected, known)
    told = {found for record in records if (found := number(record, EXPECTED)) is not None}
    if len(told) > 1 and max(told) > seen:
        return Attendance(seen, None, known, tuple(sorted(told)))
    return Attendance(seen, max(told, default=seen + len(blind) if blind else None), known)


def _count(records: Sequence[Footprint], keys: Mapping[str, object]) -> int:
    merged = sum(number(record, NODES) or 1 for record in records if merged_ids(record))
    return merged + len({keys[record.id] for record in records if not merged_ids(record)})


def ranks(record: Footprint) -> list[int] | None:
    """Indices of a record's nodes; None where they are not known."""
    if merged_ids(record):
        listed = record.given.get(RANKS)
        return listed if isinstance(listed, list) and all(isinstance(one, int) for one in listed) else None
    rank = number(record, RANK)
    return None if rank is None else [rank]


def stripped(record: Footprint) -> Footprint:
    """Record without what an earlier merge filled in for lost nodes, so that they can be looked for again."""
    filled = {part.component: part.energy_kwh.value for part in record.components if part.meter == METER}
    if not filled or record.energy_kwh is None or number(record, EXPECTED) is None:
        return record
    whole_kwh = record.energy_kwh.value
    share = max(0.0, 1.0 - math.fsum(filled.values()) / whole_kwh) if whole_kwh > 0.0 else 1.0
    spans = (
        dataclasses.replace(one, energy_kwh=intervals.scaled(one.energy_kwh, share)) for one in record.spans
    )
    return dataclasses.replace(
        record,
        components=tuple(part for part in record.components if part.meter != METER),
        energy_kwh=scaled(record.energy_kwh, share),
        emissions_kg=scaled(record.emissions_kg, share),
        device_hours=_without_fill(record),
        intervals=tuple(row for row in record.intervals if row.component not in filled),
        gaps=tuple(gap for gap in record.gaps if gap.component not in filled),
        spans=tuple(spans),
        curve=tuple(dataclasses.replace(one, energy_kwh=one.energy_kwh * share) for one in record.curve),
        warnings=tuple(text for text in record.warnings if not text.startswith(LOST)),
    )


def _without_fill(record: Footprint) -> Quantity | None:
    """Device hours of the nodes that are there, each lost node having had half to one and a half times their mean."""
    hours, seen, expected = record.device_hours, number(record, NODES) or 1, number(record, EXPECTED) or 1
    if hours is None or expected <= seen:
        return hours
    value = hours.value * seen / expected
    filled = fill(value, Attendance(seen, expected, None))
    low = None if hours.low is None else max(0.0, min(value, hours.low - (filled.low or 0.0)))
    high = None if hours.high is None else max(value, hours.high - (filled.high or 0.0))
    return dataclasses.replace(hours, value=value, low=low, high=high)


def fill(total: float, there: Attendance, each: Sequence[float] = ()) -> Quantity:
    """Quantity of the lost nodes at the mean of those that are there.

    Args:
        total: Sum over the nodes that are there.
        there: How many those are, and how many are lost.
        each: What each of them had; the least and the greatest may be further off than half the mean.

    >>> there = Attendance(seen=3, expected=4, ranks=(0, 1, 3))
    >>> fill(6.0, there, [1.8, 2.0, 2.2])
    Quantity(value=2.0, low=1.0, high=3.0, basis='assumed')
    """
    mean = total / there.seen
    low, high = min(FILL_LOW * mean, *each, mean), max(FILL_HIGH * mean, *each, mean)
    return Quantity(
        value=there.missing * mean, low=there.missing * low, high=there.missing * high, basis="assumed"
    )
