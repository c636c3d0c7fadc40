"""Evidence: the grade that a record's own parts support, beside the one that it states.

A grade never rises without evidence, so what counts is the weaker of the two. Whether somebody checked the record
(`verification`) is another thing and never changes its grade.
"""

from __future__ import annotations

from sootprint.charts.families import MEASURED, WALL
from sootprint.core.protocols import family_of
from sootprint.core.records import GRADES, Component, Footprint

_MAIN = ("accelerator", "cpu")


def supported(footprint: Footprint) -> str:
    """Best grade that the components and the hardware of a record support."""
    measured = {family_of(part.component) for part in footprint.components if _is_measured(part)}
    if _has_meter(footprint):
        return "A"
    present = {family_of(part.component) for part in footprint.components} & set(_MAIN)
    present |= {one.kind for one in footprint.hardware} & set(_MAIN)
    if present and present <= measured:
        return "B"
    if "accelerator" in measured:
        return "C"
    has_hours = footprint.device_hours is not None or footprint.duration_s is not None
    return "D" if footprint.components or (footprint.hardware and has_hours) else "E"


def counted(footprint: Footprint) -> str:
    """Grade that leaderboards and filters go by: the weaker of the stated and the supported one."""
    return max(footprint.grade or GRADES[-1], supported(footprint))


def _has_meter(footprint: Footprint) -> bool:
    return any(
        part.energy_kwh.basis == "metered" and family_of(part.component) == WALL
        for part in footprint.components
    )


def _is_measured(part: Component) -> bool:
    return part.energy_kwh.basis in MEASURED
