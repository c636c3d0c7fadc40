"""The whole node's energy where it is known better than as a sum of parts: at the wall, or by its calibration."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

from sootprint.core import records
from sootprint.core.calibration import Calibration, signature, why_not
from sootprint.core.intervals import Z90
from sootprint.core.quantity import Quantity
from sootprint.core.units import energy_j, energy_kwh
from sootprint.meters.wall import NAMES as WALL_METERS
from sootprint.tracker import quantities
from sootprint.tracker.components import WALL, ComponentState, kind_of
from sootprint.tracker.course import NODE, Course, buckets_of, unread
from sootprint.tracker.fold import Fold

LEAST_COVERED = 0.5  # of the run, for a wall meter to give its total
# A wall meter's gap is filled from the parts, scaled to what it read in the same run; between kinds of load such a
# scale was off by 3 to 13 % (wall power of 318 runs, data of Fischer, 2025).
FILL_LOW, FILL_HIGH = 0.8, 1.25


class Whole(NamedTuple):
    """Energy of the whole node over a run.

    Args:
        energy: What is charged to the run [kWh].
        course: Its buckets, `(n,)` [J].
        meter: Meter that gave it.
        unallocated: What nobody is charged with [kWh].
        wall: State of the wall meter, or None where a calibration gave it.
        filled_j: Energy in it of the wall meter's gaps [J].
    """

    energy: Quantity
    course: list[float]
    meter: str
    unallocated: Quantity
    wall: ComponentState | None = None
    filled_j: float = 0.0


def at_wall(
    fold: Fold, parts: Sequence[records.Component], course: Course
) -> tuple[Whole | None, tuple[str, ...]]:
    """Energy at the wall, or None and why a wall meter does not count.

    Args:
        fold: Sums of a run.
        parts: Its other components.
        course: Their course.
    """
    wall = next((state for state in fold.used() if kind_of(state) == WALL), None)
    if wall is None or wall.covered_s <= 0.0:
        return None, _silent(fold)
    if wall.covered_s < LEAST_COVERED * fold.last_s:
        return None, (
            f"{wall.meter}: the wall meter measured {wall.covered_s:.0f} s of {fold.last_s:.0f} s, which is too little "
            "for a total; the total is the sum of the components",
        )
    filled, filled_j = _filled(fold, wall, course)
    spread_j = (FILL_LOW * filled_j, FILL_HIGH * filled_j)
    energy = quantities.energy_quantity(wall, fill=quantities.Fill(filled_j, *spread_j))
    assert energy is not None
    sensed = [part.energy_kwh for part in parts if part.energy_kwh.basis in ("sensor", "metered")]
    least_kwh = math.fsum(quantity.low or 0.0 for quantity in sensed)
    if energy.high is not None and least_kwh > energy.high:
        return None, (
            f"{wall.meter}: the wall meter read {energy.value:.3g} kWh, less than the {least_kwh:.3g} kWh of "
            "processors and accelerators, so it does not measure this node; the total is the sum of the components",
        )
    found = Whole(energy, filled, wall.meter, quantities.rest_quantity(wall), wall=wall, filled_j=filled_j)
    return found, _exceeded(parts, energy.value, f"the wall meter ({wall.meter})")


def _silent(fold: Fold) -> tuple[str, ...]:
    """Warning of each wall meter that was found and never measured."""
    return tuple(
        f"{meter}: the wall meter gave no energy in this run, `sootprint doctor` tells why; the total is the sum of "
        "the components"
        for meter in WALL_METERS
        if meter in fold.facts
    )


def _exceeded(parts: Sequence[records.Component], whole_kwh: float, of: str) -> tuple[str, ...]:
    others_kwh = math.fsum(part.energy_kwh.value for part in parts if part.component != NODE)
    if others_kwh <= whole_kwh:
        return ()
    return (
        f"the components read {others_kwh:.3g} kWh, more than the {whole_kwh:.3g} kWh of {of}: they are scaled down to "
        "it, the modelled ones first",
    )


def _filled(fold: Fold, wall: ComponentState, course: Course) -> tuple[list[float], float]:
    """Buckets of a wall meter with its gaps filled from the parts, scaled to the rest of the run, and the fill [J]."""
    index = next(order for order, state in enumerate(fold.states) if state is wall)
    parts = course.summed()
    own = buckets_of(wall, course.width_s) if course.width_s >= wall.bucket_s else _finer(wall, course)
    lost = _with_unlisted(fold, unread(fold, index, course.width_s), wall.lost_s, course)
    shares = [_at(lost, slot) / _width(course, slot) for slot in range(len(parts))]
    in_gaps = [min(1.0, share) * spent_j for share, spent_j in zip(shares, parts, strict=True)]
    measured_j = math.fsum(parts) - math.fsum(in_gaps)
    scale = wall.energy_j / measured_j if measured_j > 0.0 else 0.0
    filled = [scale * spent_j for spent_j in in_gaps]
    return [_at(own, slot) + fill_j for slot, fill_j in enumerate(filled)], math.fsum(filled)


def _with_unlisted(fold: Fold, lost: Sequence[float], lost_s: float, course: Course) -> Sequence[float]:
    """Lost time by bucket with that of gaps too many to be listed, which lie evenly after the last one that is [s].

    Args:
        fold: Sums of a run.
        lost: Time of the listed ones in each bucket [s].
        lost_s: All time that was lost [s].
        course: Course of the parts.
    """
    if not fold.not_kept["gaps"]:
        return lost
    listed_s, width_s = max(end_s for _, _, end_s, *_ in fold.gaps), course.width_s
    after = [
        max(0.0, slot * width_s + _width(course, slot) - max(slot * width_s, listed_s))
        for slot in range(course.slots)
    ]
    unlisted_s = max(0.0, lost_s - math.fsum(lost)) / max(1e-9, math.fsum(after))
    return [_at(lost, slot) + unlisted_s * time_s for slot, time_s in enumerate(after)]


def _finer(wall: ComponentState, course: Course) -> list[float]:
    """Buckets of a wall meter whose own are coarser than the parts', evenly spread [J]."""
    factor = max(1, round(wall.bucket_s / course.width_s))
    return [spent_j / factor for spent_j in wall.buckets for _ in range(factor)]


def _at(values: Sequence[float], slot: int) -> float:
    return values[slot] if slot < len(values) else 0.0


def _width(course: Course, slot: int) -> float:
    """Time of a bucket that lies in the run [s]."""
    return max(1e-9, min((slot + 1) * course.width_s, course.last_s) - slot * course.width_s)


def calibration_of(fold: Fold) -> tuple[Calibration | None, tuple[str, ...]]:
    """Calibration of the node that holds for a run, or None and why those that exist do not."""
    known = [Calibration.load(data) for data in fold.known("calibrations")]
    meters = [state.meter for state in fold.used() if kind_of(state) not in (NODE, WALL)]
    devices = [
        (data.get("kind", ""), data.get("name", ""), data.get("count", 1)) for data in fold.known("hardware")
    ]
    reasons = [why_not(one, meters, signature(devices)) for one in known]
    for one, reason in zip(known, reasons, strict=True):
        if reason is None:
            return one, ()
    if not known:
        return None, ()
    return None, (
        f"the calibration of this node of {known[-1].made} was not applied: {reasons[-1]}; `sootprint calibrate` makes "
        "one that holds",
    )


def fitted(
    fold: Fold, known: Calibration, parts: Sequence[records.Component], course: Course
) -> tuple[Whole | None, tuple[str, ...]]:
    """Energy at the wall by a node's calibration, and what a reader must know of it; None without the node's time.

    Args:
        fold: Sums of a run.
        known: Calibration that holds for it.
        parts: Its components.
        course: Their course.
    """
    node = next((state for state in fold.used() if state.component == NODE), None)
    base_w = _base_w(fold)
    if node is None or base_w is None:
        return None, ()
    held_s = (node.energy_j + quantities.fill_j(node)) / base_w
    others_j = energy_j(math.fsum(part.energy_kwh.value for part in parts if part.component != NODE))
    value_j = known.energy_j(held_s, others_j)
    missed_j = [known.slope * side for side in _sampling_j(fold)]
    half_j = Z90 * known.error_j(held_s, others_j)
    energy = Quantity(
        value=energy_kwh(value_j),
        low=energy_kwh(max(0.0, value_j - math.hypot(half_j, missed_j[0]))),
        high=energy_kwh(value_j + math.hypot(half_j, missed_j[1])),
        basis="modelled",
    )
    others = course.summed(without=NODE)
    time_s = held_s / max(1e-9, fold.last_s)
    buckets = [known.energy_j(time_s * _width(course, slot), spent_j) for slot, spent_j in enumerate(others)]
    rest_j = known.energy_j(node.rest_j / base_w, _rest_j(fold))
    ratio = rest_j / value_j if value_j > 0.0 else 0.0
    unallocated = dataclasses.replace(
        energy,
        value=energy_kwh(rest_j),
        low=(energy.low or 0.0) * ratio,
        high=(energy.high or 0.0) * ratio,
    )
    components_w = others_j / held_s if held_s > 0.0 else known.least_w
    return Whole(energy, buckets, NODE, unallocated), _beyond(known, components_w)


def _beyond(known: Calibration, components_w: float) -> tuple[str, ...]:
    """Warning that the components' power lay outside of what was calibrated."""
    if known.covers(components_w):
        return ()
    return (
        f"calibration: the components drew {components_w:.0f} W, and it was made at {known.least_w:.0f} to "
        f"{known.most_w:.0f} W: the total is extrapolated",
    )


def _base_w(fold: Fold) -> float | None:
    """Constant power that the node's meter counts [W]."""
    for data in fold.known("factors"):
        if data["kind"] == "base_power" and data["value"]:
            return float(data["value"])
    return None


def _inside(fold: Fold) -> list[ComponentState]:
    return [state for state in fold.used() if kind_of(state) not in (NODE, WALL)]


def _rest_j(fold: Fold) -> float:
    return math.fsum(state.rest_j for state in _inside(fold))


def _sampling_j(fold: Fold) -> tuple[float, float]:
    """What sampling and gaps may have missed of the components, below and above; a fit takes up their bias [J]."""
    down, up = [0.0], [0.0]
    for state in _inside(fold):
        unbiased = quantities.energy_quantity(dataclasses.replace(state, low_ratio=1.0, high_ratio=1.0))
        if unbiased is not None:
            down.append(energy_j(unbiased.value - (unbiased.low or 0.0)))
            up.append(energy_j((unbiased.high or unbiased.value) - unbiased.value))
    return math.hypot(*down), math.hypot(*up)
