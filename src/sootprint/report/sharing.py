"""Section on what a run is part of, and with whom it shared its machine: what must not be added twice."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sootprint.charts.scale import ENERGY
from sootprint.core import intervals
from sootprint.core.letters import clean
from sootprint.core.merging import parts
from sootprint.core.merging.choose import EXPECTED, MERGED, SHARED
from sootprint.core.records import Footprint
from sootprint.report import figures
from sootprint.report.kin import Kin, Relative
from sootprint.report.parts import Section

MOST_PARTS = 12  # that are named one by one


def sections(footprint: Footprint, kin: Kin | None = None) -> tuple[Section, ...]:
    """One section where the run is part of another, has parts, or is of a job or of a shared machine.

    Args:
        footprint: Record of the run.
        kin: Runs around and inside of it, where a ledger tells.
    """
    kin = kin or Kin()
    related = () if kin.is_elsewhere else (*_part(footprint, kin), *_parts(kin))
    told = (*related, *_job(footprint), *_machine(footprint))
    items = tuple(clean(text) for text in told)
    return (Section(key="sharing", title="Shared and part of", items=items),) if items else ()


def _part(footprint: Footprint, kin: Kin) -> Iterator[str]:
    """Of a run that was measured inside another; the stages of a life cycle name a parent model instead."""
    if footprint.stages:
        return
    if kin.whole is None and kin.origin is not None:
        yield f"Started from run {_named(kin.origin)}; its energy is its own (`{_show(kin.origin.id)}`)."
        return
    whole = kin.whole or (Relative(footprint.parent, None, None) if footprint.parent else None)
    if whole is None:
        return
    whole_kwh = footprint.energy_kwh.value if footprint.energy_kwh else None
    apart = kin.apart if kin.whole else parts.told(footprint.given.get(parts.APART), whole_kwh) or 0.0
    if apart <= 0.0 or footprint.energy_kwh is None:
        told = "whose energy includes this one's: count one of the two"
    else:
        late = figures.amount(intervals.scaled(footprint.energy_kwh, apart), ENERGY)
        told = f"whose energy includes this one's but for {late}, which came after it and counts beside it"
    yield f"Part of run {_named(whole)}, {told} (`{_show(whole.id)}`)."


def _parts(kin: Kin) -> Iterator[str]:
    """Runs inside of this one, and what of each is in its energy."""
    for one in kin.parts[:MOST_PARTS]:
        inside = "an unknown energy"
        if one.energy_kwh is not None:
            inside = figures.amount(intervals.scaled(one.energy_kwh, 1.0 - one.apart), ENERGY)
        late = (
            ""
            if one.apart <= 0.0
            else "; it went on after this one, and the rest of its energy counts beside"
        )
        yield f"Includes run {_named(one)}: {inside}{late}."
    more = kin.parts[MOST_PARTS:]
    if more:
        known = [one.energy_kwh.value * (1.0 - one.apart) for one in more if one.energy_kwh is not None]
        spent = figures.amount(math.fsum(known), ENERGY)
        yield f"Includes {len(more)} more runs: {spent} in all (`sootprint runs`)."


def _named(one: Relative) -> str:
    return f"{one.name} ({one.id[-8:]})" if one.name else one.id[-8:]


def _show(run: str) -> str:
    return f"sootprint show {run[-8:]}"


def _job(footprint: Footprint) -> Iterator[str]:
    nodes = footprint.given.get(EXPECTED)
    if footprint.run_group is None or MERGED in footprint.given or not isinstance(nodes, int) or nodes < 2:
        return
    yield (
        f"One of {nodes} nodes of job {footprint.run_group}: each node has its own record, "
        "and `sootprint merge` adds them once."
    )


def _machine(footprint: Footprint) -> Iterator[str]:
    if not footprint.given.get(SHARED):
        return
    share = footprint.process_share
    own = (
        "" if share is None else f"; its processes had {figures.share(share)} of the machine's busy CPU time"
    )
    yield f"Shared its machine with other runs: only its own part of the machine's energy is counted here{own}."
    rest = footprint.unallocated_kwh
    if rest is not None and rest.value > 0.0:
        yield f"Energy of the machine that no run is charged with: {figures.amount(rest, ENERGY)}."
