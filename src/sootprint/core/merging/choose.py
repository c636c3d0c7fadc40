"""Which records are added, each joule once: no record twice, no part beside its whole, no node read by two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.merging.parts import Place, part, place, rest
from sootprint.core.merging.times import span
from sootprint.core.records import Footprint

MERGED = "merged"  # in `given`: identities of the records that were added
EXPECTED = "run_group_nodes"  # in `given`: nodes that the launcher or the user told
RANK = "run_group_node"  # in `given`: index of the node among them
SHARED = "node_shared"  # in `given`: whether the run was charged a share of a node that others held too
OVERLAP_S = (
    5.0  # clocks of one node agree, but the end of one process and the start of the next may cross [s]
)


def leaves(record: Footprint) -> tuple[str, ...]:
    """Identities of the measured records that a record stands for: its own, or those that it was merged from."""
    return merged_ids(record) or (record.id,)


def merged_ids(record: Footprint) -> tuple[str, ...]:
    """Identities of the records that a record was merged from; empty for one that was measured."""
    listed = record.given.get(MERGED)
    return tuple(str(one) for one in listed) if isinstance(listed, list | tuple) else ()


def number(record: Footprint, name: str) -> int | None:
    """Whole number of at least 0 in `given`; None where there is none."""
    found: Any = record.given.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def choose(records: Iterable[Footprint]) -> list[Footprint]:
    """Records whose energies add up without counting any twice, in the order of their identities.

    Of a run inside of another only what came after that one's end is left, if anything did.

    Raises:
        InputError: Two records of one identity tell different energies, or two merged ones hold the same record.
    """
    known = _each_once(records)
    whole = _without_covered(known)
    inside = {leaf for record in whole for leaf in merged_ids(record)}
    tops = [record for record in whole if record.id not in inside]
    places = _places(known, tops)
    return [one for record in tops if (one := _counted(record, places)) is not None]


def _each_once(records: Iterable[Footprint]) -> list[Footprint]:
    found: dict[str, Footprint] = {}
    for record in records:
        other = found.get(record.id, record)
        if _energy(other) != _energy(record):
            told = f"{_energy(other)} and {_energy(record)} kWh"
            raise InputError(f"record {record.id} is given twice, with {told}: give one of the two")
        found[record.id] = max(record, other, key=Footprint.to_json) if other is not record else record
    return [found[one] for one in sorted(found)]


def _energy(record: Footprint) -> float | None:
    return None if record.energy_kwh is None else record.energy_kwh.value


def _without_covered(records: Sequence[Footprint]) -> list[Footprint]:
    """Records without the merged ones whose parts are all there, singly or in a larger merged one."""
    singles = {record.id for record in records if not merged_ids(record)}
    kept: list[Footprint] = []
    held: set[str] = set()
    for record in sorted(records, key=lambda one: (-len(merged_ids(one)), one.id)):
        ids = set(merged_ids(record))
        if ids and (ids <= singles or ids <= held):
            continue
        if ids & held:
            raise InputError(
                f"two merged records hold run {min(ids & held)}: merge the records of the nodes themselves"
            )
        held |= ids
        kept.append(record)
    return sorted(kept, key=lambda one: one.id)


def _counted(record: Footprint, places: Mapping[str, Place]) -> Footprint | None:
    """A record as far as it is in no other that is added: all of it, what came after its whole, or nothing."""
    found = part(places[record.id], places)
    return record if found is None else rest(record, found)


def _places(known: Iterable[Footprint], tops: Iterable[Footprint]) -> dict[str, Place]:
    """Places of the records that are added; of one that only a merged record tells of, that one's time."""
    singles = {one.id: one for one in known}
    return {
        leaf: place(singles[leaf]) if leaf in singles else Place(leaf, None, span(top))
        for top in tops
        for leaf in (top.id, *leaves(top))
    }


def node_keys(records: Sequence[Footprint]) -> dict[str, tuple[object, ...]]:
    """Machine of each record, by the record's identity.

    Machines that were made from one image may have one pseudonym: two ranks of it at one time are two machines.
    """
    clones = {
        one.node
        for index, one in enumerate(records)
        for other in records[index + 1 :]
        if one.node is not None and one.node == other.node and _are_two_nodes(one, other)
    }
    return {record.id: _node_key(record, clones) for record in records}


def _are_two_nodes(one: Footprint, other: Footprint) -> bool:
    ranks = (number(one, RANK), number(other, RANK))
    return (
        None not in ranks
        and ranks[0] != ranks[1]
        and one.run_group == other.run_group
        and overlap_s(one, other) > 0
    )


def _node_key(record: Footprint, clones: set[str]) -> tuple[object, ...]:
    rank = number(record, RANK)
    if merged_ids(record) or (record.node is None and rank is None):
        return ("record", record.id)
    if record.node is None:
        return ("rank", record.run_group, rank)
    return ("node", record.node, rank) if record.node in clones else ("node", record.node)


def overlap_s(one: Footprint, other: Footprint) -> float:
    """Time for which two records ran at once [s]; 0 where it is not known."""
    first, second = span(one), span(other)
    if first is None or second is None:
        return 0.0
    return max(0.0, min(first.end_s, second.end_s) - max(first.start_s, second.start_s))


def conflicts(records: Sequence[Footprint]) -> list[str]:
    """One line for each two records that were both charged the whole of one node at one time."""
    keys = node_keys(records)
    found = []
    for index, one in enumerate(records):
        for other in records[index + 1 :]:
            if keys[one.id] != keys[other.id] or (one.given.get(SHARED) and other.given.get(SHARED)):
                continue
            both_s = overlap_s(one, other)
            if both_s > OVERLAP_S:
                found.append(
                    f"runs {one.id} and {other.id} were both charged the whole of one node for {both_s:.0f} s"
                )
    return found
