"""What the records of a sum have in common, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sootprint.core import carbon
from sootprint.core.merging.choose import EXPECTED, MERGED, RANK, SHARED, merged_ids, number
from sootprint.core.merging.lost import NODES, RANKS
from sootprint.core.merging.parts import APART
from sootprint.core.records import BOUNDARIES, Footprint, Hardware, Place

SEVERAL = "merged records"
LISTED_NODES = 8
_OF_THE_MERGE = (APART, EXPECTED, MERGED, RANK, SHARED, NODES, RANKS)


def fields(records: Sequence[Footprint], nodes: Mapping[str, int]) -> dict[str, Any]:
    """Fields of the sum that are those of its records where these agree.

    Args:
        records: Records of the sum.
        nodes: Index of the node of each record.
    """
    singles = ("project", "run_group", "parent", "node", "model", "work", "paper", "name")
    return {
        **{name: _same(records, name) for name in singles},
        "stage": _same(records, "stage", "other"),
        "scope": _same(records, "scope", "final_run"),
        "boundary": min((one.boundary for one in records), key=BOUNDARIES.index),
        "tags": _shared_items([one.tags for one in records]),
        "software": _shared_items([one.software for one in records]),
        "given": _given([one.given for one in records]),
        "results": tuple(dict.fromkeys(found for one in records for found in one.results)),
        "place": _place(records),
        "hardware": _hardware(records, nodes),
        "factors": tuple(dict.fromkeys(factor for one in records for factor in one.factors)),
        "grade": _worst([one.grade for one in records]),
        "process_share": records[0].process_share if len(records) == 1 else None,
    }


def _same(records: Sequence[Footprint], name: str, otherwise: Any = None) -> Any:
    first = getattr(records[0], name)
    return first if all(getattr(one, name) == first for one in records) else otherwise


def _shared_items(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = tables[0]
    return {
        key: value for key, value in first.items() if all(key in one and one[key] == value for one in tables)
    }


def _given(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in _shared_items(tables).items() if key not in _OF_THE_MERGE}


def _place(records: Sequence[Footprint]) -> Place:
    """Place of all records; what differs is left out."""
    places = [one.place for one in records]
    names = ("zone", "country", "subdivision", "provider", "region", "source")
    same = {
        name: getattr(places[0], name)
        for name in names
        if all(getattr(one, name) == getattr(places[0], name) for one in places)
    }
    return Place(**{"source": SEVERAL, **same})


def _hardware(records: Sequence[Footprint], nodes: Mapping[str, int]) -> tuple[Hardware, ...]:
    """Devices with their numbers added over the nodes; records of one node list the same devices."""
    counts: dict[tuple[Any, ...], dict[int, int]] = {}
    for record in records:
        for device in record.hardware:
            key = (device.kind, device.vendor, device.name, device.rated_power_w, device.memory_gb)
            on = counts.setdefault(key, {})
            node = nodes[record.id]
            on[node] = max(on.get(node, 0), device.count)
    return tuple(
        Hardware(
            kind=kind, vendor=vendor, name=name, rated_power_w=power, memory_gb=memory, count=sum(on.values())
        )
        for (kind, vendor, name, power, memory), on in counts.items()
    )


def _worst(grades: Sequence[str | None]) -> str | None:
    known = [grade for grade in grades if grade is not None]
    return max(known) if len(known) == len(grades) else None


def warnings(records: Sequence[Footprint], nodes: Mapping[str, int]) -> tuple[str, ...]:
    """Warnings of all records, each once; one that not all of them have says of which nodes it is."""
    of: dict[str, list[Footprint]] = {}
    for record in records:
        for text in record.warnings:
            of.setdefault(text, []).append(record)
    alone = len(set(nodes.values())) == 1
    return tuple(
        text
        if alone or len(found) == len(records) or any(merged_ids(one) for one in found)
        else _of(found, nodes, text)
        for text, found in of.items()
    )


def _of(records: Sequence[Footprint], nodes: Mapping[str, int], text: str) -> str:
    labels = list(dict.fromkeys(str(label(one, nodes)) for one in records))
    more = ", ..." if len(labels) > LISTED_NODES else ""
    return f"node{'s' if len(labels) > 1 else ''} {', '.join(labels[:LISTED_NODES])}{more}: {text}"


def label(record: Footprint, nodes: Mapping[str, int]) -> int:
    """Index of a record's node as its launcher told it, else in the order of the sum."""
    rank = number(record, RANK)
    return nodes[record.id] if rank is None else rank


def differences(records: Sequence[Footprint]) -> list[str]:
    """What differs between the records so that a reader of the sum must know."""
    found = []
    zones = _listed(records, lambda one: one.place.zone or "unknown")
    if len(zones) > 1:
        found.append(
            f"the nodes stand in several zones ({', '.join(zones)}): each energy counts with its own"
        )
    bounds = _listed(records, lambda one: one.boundary)
    if len(bounds) > 1:
        found.append(
            f"the records have several boundaries ({', '.join(bounds)}): the sum includes no more than each does"
        )
    if mixes_methods(records):
        found.append(
            "the intensities are of different methods, which are never added: emissions are left out"
        )
    return found


def _listed(records: Sequence[Footprint], of: Callable[[Footprint], str]) -> list[str]:
    return sorted({of(one) for one in records})


def mixes_methods(records: Sequence[Footprint]) -> bool:
    """Whether the intensities of the records are of methods that must not be summed."""
    return carbon.are_mixed({method for one in records for method in carbon.methods_of(one.factors)})
