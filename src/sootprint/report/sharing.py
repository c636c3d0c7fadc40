"""Section on what a run is part of, and with whom it shared its machine: what must not be added twice."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.charts.letters import clean
from sootprint.charts.scale import ENERGY
from sootprint.core.merging.choose import EXPECTED, MERGED, SHARED
from sootprint.core.records import Footprint
from sootprint.report import figures
from sootprint.report.parts import Section


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """One section where the run is part of another, of a job on several nodes, or of a shared machine."""
    items = tuple(clean(text) for text in (*_part(footprint), *_job(footprint), *_machine(footprint)))
    return (Section(key="sharing", title="Shared and part of", items=items),) if items else ()


def _part(footprint: Footprint) -> Iterator[str]:
    """Of a run that was measured inside another; the stages of a life cycle name a parent model instead."""
    if footprint.parent is None or footprint.stages:
        return
    yield (
        f"Part of run {footprint.parent[-8:]}, whose energy includes this one's: count one of the two "
        f"(`sootprint show {footprint.parent[-8:]}`)."
    )


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
