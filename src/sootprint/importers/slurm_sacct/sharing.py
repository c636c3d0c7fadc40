"""Jobs that shared a node while each was told the energy of the whole node, so that their sum counts it again."""

from __future__ import annotations

from collections import defaultdict

from sootprint.core.merging.times import span
from sootprint.core.records import Footprint
from sootprint.importers.slurm_sacct.records import METER


class Nodes:
    """Times of the jobs of one node that have an energy of Slurm."""

    def __init__(self) -> None:
        self._spans: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    def note(self, footprint: Footprint) -> None:
        """Take a record of any kind; those of several nodes, or without such an energy, tell nothing here."""
        when = span(footprint) if footprint.node is not None else None
        if when is not None and any(one.meter == METER for one in footprint.components):
            self._spans[footprint.node or ""].append((when.start_s, when.end_s))

    def sharing(self) -> int:
        """Number of jobs that ran while another one did on their node."""
        return sum(_overlapping(sorted(spans)) for spans in self._spans.values())


def _overlapping(spans: list[tuple[float, float]]) -> int:
    """Number of spans, in the order of their starts, that overlap another one.

    >>> _overlapping([(0.0, 9.0), (1.0, 2.0), (3.0, 4.0), (9.0, 10.0)])
    3
    """
    found: set[int] = set()
    longest = 0
    for index in range(1, len(spans)):
        if spans[index][0] < spans[longest][1]:
            found |= {index, longest}
        if spans[index][1] > spans[longest][1]:
            longest = index
    return len(found)
