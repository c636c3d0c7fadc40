"""Records of Slurm's jobs: what each was given, for how long, and the energy where the site measures it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware
from sootprint.importers import clocks
from sootprint.importers.base import CORE, UNNAMED, Names, claimed, identity, stamp
from sootprint.importers.slurm_sacct import energy, fields
from sootprint.importers.slurm_sacct.rows import Job

NAME = "slurm-sacct"
METER = "slurm"
COVERS = (
    "Slurm does not tell what its energy plug-in reads: with rapl it is processors and memory alone; on a node that "
    "jobs share, each of them is told the energy of the node"
)
_GPU = re.compile(r"gres/gpu(?::([^=]{1,80}))?")
_MANY_NODES = re.compile(r"[\[,]")
_GIVEN = ("jobid", "exitcode", "alloctres", "alloccpus", "allocnodes", "consumedenergyraw", "consumedenergy")


def of(job: Job, names: Names) -> Footprint:
    """Record of a job that has ended.

    Args:
        job: Its rows.
        names: Pseudonyms of users, accounts and nodes.

    Raises:
        InputError: It has not ended, has no time, or a cell cannot be read.
        RecordError: A number breaks a rule of the record.
    """
    cells = job.cells
    if not cells["jobid"]:
        raise InputError("it has no job: a row begins with its JobID")
    state = fields.state(cells.get("state", ""))
    elapsed_s = _elapsed_s(cells)
    start, end = fields.instant(cells.get("start", "")), fields.instant(cells.get("end", ""))
    _check_ended(state, elapsed_s, has_end=end is not None or "end" not in cells)
    held = fields.resources(cells.get("alloctres", ""))
    nodes = fields.count(held.get("node")) or fields.count(cells.get("allocnodes") or cells.get("nnodes"))
    hardware, device_count, doubts = _hardware(cells, held)
    spent = energy.of_job(cells, job.steps, elapsed_s=elapsed_s, nodes=nodes)
    made: dict[str, Any] = {
        "energy_kwh": _kwh(spent.energy_j),
        "device_hours": claimed(units.hours(elapsed_s) * device_count if device_count else None),
        "started": stamp(start) if start else None,
    }
    return Footprint(
        id=_identity(cells),
        tool=NAME,
        name=_free(cells.get("jobname")),
        project=_known(names, "account", cells.get("account")),
        tags=_tags(cells, state, names),
        node=_node(cells, nodes, names),
        boundary="node",
        ended=stamp(end) if end else None,
        duration_s=elapsed_s,
        hardware=hardware,
        components=_components(made["energy_kwh"]),
        grade="D" if hardware or spent.energy_j else "E",
        unknown=(*(name for name, value in made.items() if value is None), *_NEVER),
        warnings=(
            *clocks.doubts(cells.get("start"), cells.get("end")),
            *doubts,
            *spent.doubts,
            *((COVERS,) if spent.energy_j else ()),
        ),
        given=_given(cells, elapsed_s=elapsed_s, row=spent.row),
        **made,
    )


_NEVER = ("place", "pue", "emissions_kg")  # what no row of Slurm tells


def _elapsed_s(cells: Mapping[str, str]) -> float:
    raw = fields.elapsed_s(cells.get("elapsedraw", ""), raw=True)
    told = raw if raw is not None else fields.elapsed_s(cells.get("elapsed", ""))
    if not told:
        raise InputError(
            f"it ran for {'no time' if told == 0.0 else 'a time that is not told'}: nothing to count"
        )
    if told > units.seconds(1_000_000.0):
        raise InputError(f"it ran for {told:.4g} s, which is more than a century")
    return told


def _check_ended(state: str | None, elapsed_s: float, *, has_end: bool) -> None:
    if (state is not None and state not in fields.ENDED) or not has_end:
        word = (state or "without an end").lower()
        raise InputError(
            f"it is {word:.40} after {elapsed_s:.0f} s and has not ended: import it again afterwards"
        )


def _identity(cells: Mapping[str, str]) -> str:
    """Identity by cluster, job and start: a requeued job starts again, and the numbers of jobs are used again."""
    begun = next(
        (cells[one] for one in ("start", "submit", "end") if not fields.is_nothing(cells.get(one, ""))), ""
    )
    at = fields.instant(begun)
    when = at.isoformat() if at else ""
    return identity(
        at.timestamp() if at else None, NAME, cells.get("cluster", "").lower(), cells["jobid"], when
    )


def _hardware(
    cells: Mapping[str, str], held: Mapping[str, str]
) -> tuple[tuple[Hardware, ...], int | None, tuple[str, ...]]:
    """Devices of a job, how many they are, and remarks: its accelerators, else the cores that it was given."""
    counts: dict[str, int] = {}
    for name, told in held.items():
        found, number = _GPU.fullmatch(name), fields.count(told)
        if found and number:
            counts[found[1] or ""] = number
    named = {name: number for name, number in counts.items() if name}
    if len(named) > 1:
        told = ", ".join(f"{number} x {name}" for name, number in sorted(named.items()))
        return (
            (),
            sum(named.values()),
            (f"it had accelerators of several kinds ({told:.120}): not estimated",),
        )
    for name, number in (named or counts).items():
        return (Hardware(kind="accelerator", name=name or UNNAMED, count=number),), number, ()
    cores = fields.count(held.get("cpu")) or fields.count(cells.get("alloccpus") or cells.get("ncpus"))
    if cores is None:
        return (), None, ()
    return (Hardware(kind="cpu", name=CORE, count=cores),), cores, ()


def _kwh(energy_j: float | None) -> Quantity | None:
    return None if energy_j is None else Quantity(value=units.energy_kwh(energy_j), basis="sensor")


def _components(energy_kwh: Quantity | None) -> tuple[Component, ...]:
    if energy_kwh is None:
        return ()
    return (Component(component="node", meter=METER, energy_kwh=energy_kwh),)


def _tags(cells: Mapping[str, str], state: str | None, names: Names) -> dict[str, str]:
    made = {
        "state": state,
        "user": _known(names, "user", cells.get("user")),
        "partition": _free(cells.get("partition")),
        "cluster": _free(cells.get("cluster")),
    }
    return {name: text for name, text in made.items() if text}


def _node(cells: Mapping[str, str], nodes: int | None, names: Names) -> str | None:
    """Pseudonym of the node of a job that had one."""
    listed = cells.get("nodelist", "")
    if nodes not in (None, 1) or _MANY_NODES.search(listed):
        return None
    return _known(names, "node", listed)


def _known(names: Names, kind: str, name: str | None) -> str | None:
    return None if name is None or fields.is_nothing(name) else names(kind, name)


def _free(text: str | None) -> str | None:
    """Free text without folders: a script's name, not where it lies."""
    last = (text or "").rstrip("/").rpartition("/")[2].strip()
    return last[:200] or None


def _given(cells: Mapping[str, str], *, elapsed_s: float, row: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {name: cells[name] for name in _GIVEN if cells.get(name)}
    array = cells["jobid"].partition("_")
    if array[1]:
        made["array"] = array[0]
    if row is not None:
        made["energy_of"] = row
    return made | {"elapsed_s": elapsed_s}
