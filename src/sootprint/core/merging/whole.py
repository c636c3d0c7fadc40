"""The record of the sum, from records that are known to add up."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sootprint.core.currency import common_currency, currency_of
from sootprint.core.instants import stamp
from sootprint.core.merging import common, lost, series, sums
from sootprint.core.merging.choose import EXPECTED, MERGED, leaves, merged_ids, number
from sootprint.core.merging.lost import METER, NODES, RANKS, Attendance
from sootprint.core.merging.sums import Carbon, Device, Piece
from sootprint.core.merging.times import Span
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Gap

AGREES = 1e-6  # relative difference of a record's energy and the sum of its components
MOSTLY_FILLED = 0.1  # share of the energy; where more is filled in, the grade is D, as with the gaps of a run
_ADDED = ("market_based_kg", "embodied_kg", "water_l", "cost")
_QUANTITIES = (
    "energy_kwh",
    "pue",
    "intensity_g_per_kwh",
    "emissions_kg",
    "device_hours",
    "duration_s",
    *_ADDED,
)


class Parts(NamedTuple):
    """Records that are added.

    Args:
        records: Records in the order of their nodes.
        nodes: Index of each record's node, by the record's identity.
        there: Nodes of each job.
    """

    records: Sequence[Footprint]
    nodes: Mapping[str, int]
    there: Mapping[str | None, Attendance]

    def of(self, job: str | None) -> list[Footprint]:
        """Records of one job whose energy is known."""
        return [one for one in self.records if one.run_group == job and one.energy_kwh is not None]


def whole(parts: Parts, problems: tuple[str, ...], *, name: str | None = None) -> Footprint:
    """Footprint of the sum.

    Args:
        parts: Records that add up.
        problems: What is amiss about the sum; becomes its first warnings.
        name: Name of the sum; else the one that all records have.
    """
    from sootprint import __version__

    records = parts.records
    pieces = {one.id: _pieces(one, parts.nodes[one.id]) for one in records}
    fills = {job: _fills(parts, job, len(records) + index) for index, job in enumerate(parts.there)}
    every = [piece for listed in (*pieces.values(), *fills.values()) for piece in listed]
    named = sums.names(piece.device for piece in every)
    made = common.fields(records, parts.nodes) | _carbon(parts, pieces, fills) | _added(parts)
    made |= _along(parts, named, fills, made["energy_kwh"])
    made["given"] |= _told(parts)
    made["name"] = name or made["name"]
    made["grade"] = _grade(made["grade"], fills, made["energy_kwh"])
    return Footprint(
        id=_identity(records),
        tool_version=__version__,
        components=tuple(sums.added(every, named)),
        unknown=_unknown(records, made),
        warnings=tuple(dict.fromkeys((*problems, *common.warnings(records, parts.nodes)))),
        **made,
    )


def _identity(records: Sequence[Footprint]) -> str:
    """UUID of version 7 that follows from the job and its first record: merging again gives a version of it."""
    import hashlib

    first = min(leaf for record in records for leaf in leaves(record))
    jobs = sorted({record.run_group or "" for record in records})
    digest = hashlib.sha256("\0".join((MERGED, first, *jobs)).encode("utf-8", "replace")).hexdigest()
    return f"{first[:13]}-7{digest[:3]}-{'89ab'[int(digest[3], 16) % 4]}{digest[4:7]}-{digest[7:19]}"


def _told(parts: Parts) -> dict[str, Any]:
    """What the record keeps of its making, so that it can be merged again."""
    told: dict[str, Any] = {MERGED: sorted({leaf for record in parts.records for leaf in leaves(record)})}
    if len(parts.there) == 1:
        there = next(iter(parts.there.values()))
        told[NODES] = there.seen
        if there.ranks is not None:
            told[RANKS] = list(there.ranks)
        if there.expected is not None:
            told[EXPECTED] = there.expected
    return told


def _pieces(record: Footprint, node: int) -> list[Piece]:
    if record.energy_kwh is None:
        return []
    spent_s = record.duration_s or 0.0
    return [Piece(Device(node, part.component, part.meter), part, spent_s) for part in record.components]


def _is_itemised(record: Footprint) -> bool:
    """Whether a record's components make up its energy."""
    parts_kwh = math.fsum(part.energy_kwh.value for part in record.components)
    return record.energy_kwh is not None and math.isclose(parts_kwh, record.energy_kwh.value, rel_tol=AGREES)


def _fills(parts: Parts, job: str | None, index: int) -> list[Piece]:
    """What stands for the lost nodes of a job, by kind of component; as a whole where a record does not itemise.

    Args:
        parts: Records that are added.
        job: The job.
        index: Index of the node that the lost ones get in the sum.
    """
    there, members = parts.there[job], parts.of(job)
    if not there.missing:
        return []
    spent: dict[str, dict[int, float]] = {}  # energy by kind and node [kWh]
    itemised = all(_is_itemised(one) for one in members)
    counts = {parts.nodes[one.id]: number(one, NODES) or 1 for one in members if merged_ids(one)}
    for one in members:
        listed = [(family_of(part.component), part.energy_kwh) for part in one.components]
        for kind, quantity in listed if itemised else [("node", one.energy_kwh)]:
            on, node = spent.setdefault(kind, {}), parts.nodes[one.id]
            on[node] = on.get(node, 0.0) + (quantity.value if quantity else 0.0)
    made = []
    for kind, on in spent.items():
        each = [kwh / counts.get(node, 1) for node, kwh in on.items()]
        each += [0.0] * (there.seen > sum(counts.get(node, 1) for node in on))  # a node without such a device
        quantity = lost.fill(math.fsum(on.values()), there, each)
        filled = Component(component=kind, meter=METER, energy_kwh=quantity)
        made.append(Piece(Device(index, kind, METER), filled, 0.0))
    return made


def _carbon(
    parts: Parts, pieces: Mapping[str, Sequence[Piece]], fills: Mapping[str | None, Sequence[Piece]]
) -> dict[str, Any]:
    """Energy, PUE, intensity and emissions of the sum."""
    carbons = [Carbon(_terms(one, pieces[one.id]), one) for job in parts.there for one in parts.of(job)]
    if not carbons:
        return dict.fromkeys(("energy_kwh", "pue", "intensity_g_per_kwh", "emissions_kg"))
    carbons += [_filled(carbons, job, filled) for job, filled in fills.items() if filled]
    mixed = common.mixes_methods(parts.records)
    return {
        "energy_kwh": sums.total([term for one in carbons for term in one.terms]),
        "pue": sums.pue(carbons),
        "intensity_g_per_kwh": None if mixed else sums.intensity(carbons),
        "emissions_kg": None if mixed else sums.emissions(carbons),
    }


def _terms(record: Footprint, pieces: Sequence[Piece]) -> list[sums.Term]:
    """Energy of a record by what errs together; as a whole where its components do not make it up."""
    assert record.energy_kwh is not None
    if _is_itemised(record):
        return [(sums.term_name(piece), piece.component.energy_kwh) for piece in pieces]
    return [(f"record:{record.id}", record.energy_kwh)]


def _filled(carbons: Sequence[Carbon], job: str | None, filled: Sequence[Piece]) -> Carbon:
    """Carbon of the lost nodes: their energy at the mean PUE and intensity of the job."""
    members = [one for one in carbons if one.record.run_group == job]
    measured_kwh = math.fsum(one.energy_kwh for one in members)
    filled_kwh = math.fsum(piece.component.energy_kwh.value for piece in filled)
    known = [one.record.emissions_kg.value for one in members if one.record.emissions_kg is not None]
    kg = math.fsum(known) / measured_kwh * filled_kwh if measured_kwh > 0.0 else 0.0
    record = dataclasses.replace(
        members[0].record,
        pue=sums.pue(members),
        intensity_g_per_kwh=sums.intensity(members),
        emissions_kg=Quantity(value=kg) if len(known) == len(members) else None,
    )
    return Carbon([(sums.term_name(piece), piece.component.energy_kwh) for piece in filled], record)


def _added(parts: Parts) -> dict[str, Quantity | None]:
    """Quantities that add up; what lost nodes would add to them is not known, but for their hours."""
    records, missing = parts.records, any(there.missing for there in parts.there.values())
    unallocated = [one.unallocated_kwh for one in records if one.unallocated_kwh is not None]
    made: dict[str, Quantity | None] = {
        name: None if missing else sums.together([getattr(one, name) for one in records]) for name in _ADDED
    }
    if common_currency(records) is None and len({currency_of(one) for one in records}) > 1:
        made["cost"] = None
    made["unallocated_kwh"] = sums.together(unallocated) if unallocated else None
    hours = [one.device_hours for one in records]
    for job, there in parts.there.items():
        spent = sums.together([one.device_hours for one in parts.of(job)]) if there.missing else None
        hours += [lost.fill(spent.value, there)] if spent else []
    made["device_hours"] = sums.together(hours)
    return made


def _along(
    parts: Parts,
    named: Mapping[Device, str],
    fills: Mapping[str | None, Sequence[Piece]],
    total: Quantity | None,
) -> dict[str, Any]:
    """Fields that lie along the time of the sum."""
    records, when = parts.records, series.hull(parts.records)
    renames = {one.id: _renames(one, parts.nodes[one.id], named) for one in records}
    first = series.leaders(records, parts.nodes)
    own_kwh = math.fsum(one.energy_kwh.value for one in first if one.energy_kwh)
    ratio = total.value / own_kwh if total and own_kwh > 0.0 else 0.0
    found: dict[str, Any] = {
        "gaps": tuple(gap for one in records for gap in series.gaps(one, renames[one.id])),
        "spans": series.spans(first, ratio, total) if total else (),
        "curve": series.curve(first, ratio),
        **dict.fromkeys(("started", "ended", "duration_s")),
    }
    if when is None:
        return found
    step_s = series.width_s(records, len(set(named.values())))
    grid: series.Grid = {}
    for job, there in parts.there.items():
        of_job: series.Grid = {}
        for one in parts.of(job):
            series.pour(of_job, one, renames[one.id], start_s=when.start_s, step_s=step_s)
        for piece in fills[job]:
            found["gaps"] += (_lost_gap(named[piece.device], there, when),)
            series.add(grid, named[piece.device], series.like(of_job, piece.device.kind, piece.component))
        for component, slots in of_job.items():
            series.add(grid, component, slots)
    length_s = when.end_s - when.start_s
    found |= {"started": stamp(when.start_s), "ended": stamp(when.end_s), "duration_s": length_s}
    return found | {"intervals": series.rows(grid, when, step_s, list(dict.fromkeys(named.values())))}


def _renames(record: Footprint, node: int, named: Mapping[Device, str]) -> dict[str, str]:
    """Names in the sum of a record's components."""
    devices = [Device(node, part.component, part.meter) for part in record.components]
    return {device.component: named[device] for device in devices if device in named}


def _lost_gap(component: str, there: Attendance, when: Span) -> Gap:
    problem = (there.problem() or "").removeprefix(lost.LOST)
    return Gap(component=component, start=stamp(when.start_s), end=stamp(when.end_s), reason=problem)


def _grade(
    grade: str | None, fills: Mapping[str | None, Sequence[Piece]], total: Quantity | None
) -> str | None:
    """Worst grade of the records; D at best where much of the energy is filled in."""
    filled_kwh = math.fsum(piece.component.energy_kwh.value for listed in fills.values() for piece in listed)
    if grade is not None and total is not None and filled_kwh > MOSTLY_FILLED * total.value:
        return max(grade, "D")
    return grade


def _unknown(records: Sequence[Footprint], made: Mapping[str, Any]) -> tuple[str, ...]:
    """Names that were unknown in a record and still are, and of what the sum does not know though a record did."""
    listed = dict.fromkeys(name for one in records for name in one.unknown)
    kept = [name for name in listed if name not in _QUANTITIES or made.get(name) is None or name == "pue"]
    new = [
        name
        for name in _QUANTITIES
        if made.get(name) is None and any(getattr(one, name) is not None for one in records)
    ]
    return tuple(dict.fromkeys((*kept, *new)))
