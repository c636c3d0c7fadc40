"""How the whole node's energy became known, in words: at the wall, by the node's calibration, or as a sum."""

from __future__ import annotations

from typing import NamedTuple

from sootprint.charts.families import wall_of
from sootprint.core.records import Footprint
from sootprint.report import words

CALIBRATION = "calibration"


class Told(NamedTuple):
    """Where a total and the rest of the node come from, and what a reader must know of it."""

    total: str
    rest: str | None
    lead: str


SUM = Told("sum of the components", None, "")


def told(footprint: Footprint) -> Told:
    """Where the total of a record comes from."""
    wall = wall_of(footprint)
    if wall is not None and len(footprint.components) > 1:
        meter = words.METERS.get(wall.meter, wall.meter)
        return Told(
            f"{words.BASES[wall.energy_kwh.basis]}: {meter} ({wall.meter})",
            "what the components leave of it",
            f"The total is that of the wall meter ({wall.meter}); the components are its parts, and the rest of the "
            "node is what they leave.",
        )
    fitted = next((factor for factor in footprint.factors if factor.kind == CALIBRATION), None)
    if fitted is not None:
        return Told(
            "components, by the node's calibration",
            "modelled: calibrated at the wall",
            f"This node was calibrated: {fitted.method}.",
        )
    return SUM
