"""Runs of other users in the books of one: they have their part of what is spent there, and nobody reads it."""

from __future__ import annotations

from collections.abc import Sequence

from sootprint.tracker.books import Member
from sootprint.tracker.cgroups import container_of
from sootprint.tracker.neighbours import Neighbour
from sootprint.tracker.trees import ancestors
from sootprint.tracker.usage import Tracked


def members(found: Sequence[Neighbour], procfs: str, sysfs: str) -> dict[str, Member]:
    """Members for runs of other users, by name; one that another of them has begun is a part of that.

    Args:
        found: The runs.
        procfs: Root of the process tree.
        sysfs: Root of the device tree.
    """
    by_pid = {one.pid: one for one in found if one.pid is not None}
    made = {one.name: Member(Tracked(one.name, ()), payer=str(one.uid)) for one in found if one.pid is None}
    for pid, one in by_pid.items():
        above = (by_pid[other] for other in ancestors(pid, procfs) if other in by_pid)
        parent = next((other.name for other in above if other.uid == one.uid), None)
        container = container_of(pid, procfs, sysfs)
        tracked = Tracked(one.name, (pid,), container, parent)
        made[one.name] = Member(tracked, payer=str(one.uid))
    return made
