"""Energy of a job: which of Slurm's rows has it, counted once.

The controller adds to a job what its steps used: with PrologFlags=Contain that of the step `extern` alone, which is
there for the whole job on all nodes; without, that of the steps that have ended by then, and those that run at once
each have the same node's energy. On a Slurm 22.05 at 100 W a job of 4 s was told 195 J in its own row, 416 J in that
of `batch`, and 195 J in that of its one step. So `extern` is taken where there is one, then what cannot overlap.

Source:
    SchedMD, Slurm 25.05, src/stepmgr/stepmgr.c, _internal_step_complete; src/sacct/print.c, PRINT_CONSUMED_ENERGY_RAW:
    a job's row has the resource `energy` of the job, 0 where there is none.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sootprint.core.errors import InputError
from sootprint.importers.slurm_sacct import fields

Cells = Mapping[str, str]
MOST_NODE_W = 100_000.0  # a rack of 2025 draws 130 kW, a node of it below 15 kW
LEAST_NODE_W = 1.0
_CELLS = ("consumedenergyraw", "consumedenergy")
EXTERN, BATCH = "extern", "batch"


class Found(NamedTuple):
    """Energy of a job.

    Args:
        energy_j: Energy [J]; None where it is not known.
        row: Row that it is of: the job's or a step's.
        doubts: What a reader must know of it.
    """

    energy_j: float | None
    row: str | None = None
    doubts: tuple[str, ...] = ()


def of_job(job: Cells, steps: Sequence[Cells], *, elapsed_s: float, nodes: int | None) -> Found:
    """Energy of a job, counted once.

    Args:
        job: Cells of the job's row.
        steps: Cells of the rows of its steps.
        elapsed_s: Wall time of the job [s].
        nodes: Number of its nodes; None where that is not told.
    """
    told = {_name(step): _amount(step) for step in steps}
    own = _amount(job)
    doubts = tuple(dict.fromkeys(one.why for one in (own, *told.values()) if one.why))
    known = {name: one.energy_j for name, one in told.items() if one.energy_j is not None}
    found = _chosen(own.energy_j, known, steps, nodes)
    return _plausible(found._replace(doubts=(*doubts, *found.doubts)), elapsed_s=elapsed_s, nodes=nodes or 1)


def _name(step: Cells) -> str:
    return step["jobid"].partition(".")[2]


def _amount(cells: Cells) -> fields.Amount:
    """Energy of the first cell that tells one."""
    raw, rounded = (fields.energy(cells.get(name, "")) for name in _CELLS)
    return raw if raw.energy_j is not None or raw.why else rounded


def _chosen(own_j: float | None, known: dict[str, float], steps: Sequence[Cells], nodes: int | None) -> Found:
    if EXTERN in known:
        return Found(known[EXTERN], f"step {EXTERN}")
    numbered = {name: spent for name, spent in known.items() if name != BATCH}
    if own_j is not None and not (BATCH in known and numbered):
        return Found(own_j, "job")
    if BATCH in known and nodes == 1:
        return Found(known[BATCH], f"step {BATCH}")
    if numbered and _follow_each_other([one for one in steps if _name(one) in numbered]):
        summed_j = sum(numbered.values())
        if known.get(BATCH, 0.0) <= summed_j:
            return Found(summed_j, f"{len(numbered)} steps", (_ONLY_STEPS,))
    if len(known) == 1:
        name, spent_j = next(iter(known.items()))
        return Found(spent_j, f"step {name}", (_ONLY_STEPS,))
    if known:
        return Found(
            None, None, ("its steps ran at once and each has the energy of the nodes: not added up",)
        )
    return Found(own_j, None if own_j is None else "job")


_ONLY_STEPS = "its energy is that of its steps alone; what the nodes drew between them is not in"


def _follow_each_other(steps: Sequence[Cells]) -> bool:
    """Whether no two steps ran at the same time, as far as their times tell."""
    times: list[tuple[datetime, datetime]] = []
    for step in steps:
        try:
            start, end = (fields.instant(step.get(name, "")) for name in ("start", "end"))
        except InputError:
            return False
        if start is None or end is None:
            return len(steps) == 1
        times.append((start, end))
    times.sort()
    return all(after[0] >= before[1] for before, after in itertools.pairwise(times))


def _plausible(found: Found, *, elapsed_s: float, nodes: int) -> Found:
    """An energy that nodes can have drawn in that time; else none, with the reason."""
    if found.energy_j is None:
        return found
    mean_w = found.energy_j / (elapsed_s * nodes)
    if mean_w > MOST_NODE_W:
        why = f"its energy of {found.energy_j:.4g} J is {mean_w:.3g} W for each node, which none draws: not used"
        return Found(None, None, (*found.doubts, why))
    if mean_w < LEAST_NODE_W:
        why = f"its energy is {mean_w:.2g} W for each node, which is less than any draws without work"
        return found._replace(doubts=(*found.doubts, why))
    return found
