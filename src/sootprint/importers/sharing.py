"""Records that were told the energy of one node while it was also told to others, so that their sum counts it again.

Slurm tells each job the energy of its nodes, and names them. CodeCarbon, Carbontracker and Eco2AI tell each process the
energy of the machine, or of its accelerators, and do not name it: there, machines of like hardware may be one.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import NamedTuple

from sootprint.core import units
from sootprint.core.merging.times import span
from sootprint.core.records import Footprint
from sootprint.importers import carbontracker, codecarbon, eco2ai
from sootprint.importers.base import busy, machine
from sootprint.importers.slurm_sacct.records import METER
from sootprint.importers.slurm_sacct.records import NAME as SLURM


class Drawn(NamedTuple):
    """Energy of a record [kWh], and the time that it is of [s]."""

    start_s: float
    end_s: float
    energy_kwh: float


class Shared(NamedTuple):
    """Records that ran while another one did on their node.

    Args:
        records: Their number.
        energy_kwh: What they add up to [kWh].
        again_kwh: What of it is more than the largest of their powers at each instant [kWh].
    """

    records: int
    energy_kwh: float
    again_kwh: float


class Nodes:
    """Times and energies of the records that were told the energy of a whole node, by tool and node."""

    def __init__(self) -> None:
        self._drawn: defaultdict[str, defaultdict[Hashable, list[Drawn]]] = defaultdict(
            lambda: defaultdict(list)
        )

    def note(self, footprint: Footprint) -> None:
        """Take a record of any kind; one whose energy, node or time is not known tells nothing here."""
        told = told_of_node(footprint)
        if told is None:
            return
        when = span(footprint) if told[0] == SLURM else busy(footprint)
        if when is not None and when.start_s < when.end_s:
            tool, node, energy_kwh = told
            self._drawn[tool][node].append(Drawn(when.start_s, when.end_s, energy_kwh))

    def lines(self) -> Iterator[str]:
        """A line for each tool whose records shared a node, or may have."""
        for tool, nodes in self._drawn.items():
            found = [shared(drawn) for drawn in nodes.values()]
            count = sum(one.records for one in found)
            if count:
                again, whole = (_shown(sum(one[index] for one in found)) for index in (2, 1))
                yield _LINES.get(tool, _OTHERS).format(count=count, tool=tool, again=again, whole=whole)


def _shown(value: float) -> str:
    """Number with four digits, or all before its point.

    >>> _shown(0.80001), _shown(16000.4)
    ('0.8', '16,000')
    """
    return f"{value:,.0f}" if value >= 1000.0 else f"{value:.4g}"


_LINES = {
    SLURM: "{count} jobs shared a node, whose whole energy Slurm tells each of them: their sum counts {again} of "
    "{whole} kWh again; --energy-plugin none has them estimated"
}
_OTHERS = (
    "{count} runs of {tool} ran at the same time on like hardware, and it counts a node for each of its processes: if "
    "it was one node, their sum counts {again} of {whole} kWh again"
)


def told_of_node(footprint: Footprint) -> tuple[str, Hashable, float] | None:
    """Tool of a record, what tells its node from others, and the energy that is of the whole node [kWh]; else None."""
    if any(one.meter == METER for one in footprint.components):
        if footprint.node is None or footprint.energy_kwh is None:
            return None
        return SLURM, footprint.node, footprint.energy_kwh.value
    of_node_kwh = _PER_PROCESS.get(str(footprint.tool))
    energy_kwh = of_node_kwh(footprint) if of_node_kwh else None
    return (str(footprint.tool), machine(footprint), energy_kwh) if energy_kwh else None


_PER_PROCESS: dict[str, Callable[[Footprint], float | None]] = {
    codecarbon.NAME: codecarbon.of_node_kwh,
    carbontracker.NAME: lambda footprint: footprint.energy_kwh.value if footprint.energy_kwh else None,
    eco2ai.NAME: lambda footprint: sum(
        one.energy_kwh.value for one in footprint.components if one.component == "accelerator"
    ),
}


def shared(drawn: Sequence[Drawn]) -> Shared:
    """What the records of one node count again.

    >>> whole, first, second = Drawn(0.0, 3600.0, 2.0), Drawn(0.0, 1800.0, 1.0), Drawn(1800.0, 3600.0, 0.5)
    >>> shared([whole, first, second, Drawn(3600.0, 7200.0, 2.0)])
    Shared(records=3, energy_kwh=3.5, again_kwh=1.5)
    """
    powers_w = [units.energy_j(one.energy_kwh) / (one.end_s - one.start_s) for one in drawn]
    turns = sorted(
        turn for index, one in enumerate(drawn) for turn in ((one.start_s, 1, index), (one.end_s, 0, index))
    )
    largest: list[tuple[float, int]] = []  # powers as a heap, those that ended still in it
    running: set[int] = set()
    found: set[int] = set()
    again_j, sum_w, last_s = 0.0, 0.0, 0.0
    for at_s, is_start, index in turns:
        if len(running) > 1:
            while largest[0][1] not in running:
                heapq.heappop(largest)
            again_j += max(0.0, sum_w + largest[0][0]) * (at_s - last_s)
        last_s = at_s
        if is_start:
            found |= {index, *running} if len(running) == 1 else {index} if running else set()
            running.add(index)
            heapq.heappush(largest, (-powers_w[index], index))
            sum_w += powers_w[index]
        else:
            running.remove(index)
            sum_w = sum_w - powers_w[index] if running else 0.0
    return Shared(len(found), sum(drawn[index].energy_kwh for index in found), units.energy_kwh(again_j))
