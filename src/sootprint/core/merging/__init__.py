"""One footprint of several: the records of a job's nodes, added so that each joule counts once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sootprint.core.errors import InputError, SootprintError
from sootprint.core.merging import common, lost, series
from sootprint.core.merging.choose import (
    EXPECTED,
    MERGED,
    RANK,
    SHARED,
    choose,
    conflicts,
    leaves,
    merged_ids,
    node_keys,
    number,
)
from sootprint.core.merging.whole import Parts, whole
from sootprint.core.records import Footprint

__all__ = ["EXPECTED", "MERGED", "RANK", "SHARED", "choose", "leaves", "merge", "merged_ids"]

HOLE_S = 600.0  # a restart takes less than this [s]


def merge(
    records: Iterable[Footprint],
    *,
    expected_nodes: int | None = None,
    name: str | None = None,
    allow_overlap: bool = False,
    strict: bool = False,
) -> Footprint:
    """Footprint of several records, e.g. those of the nodes of one job, each joule counted once.

    Its identity and all its numbers follow from the records, in whatever order they come. A record that is given
    twice, that ran inside of another (`parent`), or that is already in a merged one counts once. A node that left no
    record is filled in at the mean of the others, and a warning says so.

    Args:
        records: Records to add; merged ones may be among them.
        expected_nodes: Nodes that took part; else as the launcher told the records [1].
        name: Name of the sum; else the one that all records have.
        allow_overlap: Whether records that were each charged the whole of one node at one time are added all the same.
        strict: Whether anything that would be a warning about the sum is an error.

    Raises:
        InputError: There is no record, two overlap on one node, or `strict` and something is amiss.
    """
    chosen = choose(records)
    if len(chosen) == 1 and merged_ids(chosen[0]) and expected_nodes is None and name is None:
        return chosen[0]
    parts, problems = _parts(chosen, expected_nodes)
    clashes = conflicts(parts.records)
    if clashes and (strict or not allow_overlap):
        more = f" (and {len(clashes) - 1} more such pairs)" if len(clashes) > 1 else ""
        raise InputError(f"{clashes[0]}{more}: name one of the two, or add both with --allow-overlap")
    problems += [f"{clash}: that energy may count twice" for clash in clashes]
    problems += common.differences(parts.records)
    hole_s = series.longest_hole_s(parts.records)
    if hole_s > HOLE_S:
        problems.append(
            f"for {hole_s:.0f} s none of the records ran: if they are not of one job, name those that are"
        )
    if strict and problems:
        raise InputError(f"{problems[0]}; without --strict this is a warning")
    try:
        return whole(parts, tuple(problems), name=name)
    except SootprintError:
        raise
    except (ArithmeticError, ValueError) as err:  # records of others may hold any number and year
        raise InputError(
            f"a number or instant of the records is beyond what can be added ({err}): `sootprint show` each"
        ) from err


def _parts(chosen: Sequence[Footprint], expected_nodes: int | None) -> tuple[Parts, list[str]]:
    """Records in the order of their nodes, and what is amiss about the nodes of their jobs."""
    if not chosen:
        raise InputError("there is no record to merge: name runs, files, or a --group")
    records = sorted((lost.stripped(record) for record in chosen), key=_order)
    keys = node_keys(records)
    indices = {key: index for index, key in enumerate(dict.fromkeys(keys[one.id] for one in records))}
    jobs = dict.fromkeys(record.run_group for record in records)
    if expected_nodes is not None and len(jobs) > 1:
        raise InputError(
            f"{expected_nodes} nodes were stated for records of {len(jobs)} jobs: merge each job alone"
        )
    there = {
        job: lost.attendance([one for one in records if one.run_group == job], keys, expected_nodes)
        for job in jobs
    }
    problems = [text for found in there.values() if (text := found.problem()) is not None]
    return Parts(records, {one.id: indices[keys[one.id]] for one in records}, there), problems


def _order(record: Footprint) -> tuple[object, ...]:
    """Place of a record in the order of nodes: by rank, then by start."""
    rank = number(record, RANK)
    ranks = lost.ranks(record) or [1 << 60]
    return (record.run_group or "", min(ranks) if rank is None else rank, record.started or "", record.id)
