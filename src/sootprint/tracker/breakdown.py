"""Energy of a run and its parts: as the sum of the parts, or where the whole node is known as its breakdown.

The whole is known from a wall meter, or from the node's calibration. It is then the total; the measured parts stay as
they are, and `node` is what is left of it. Either way the parts and the rows add up to the total.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from sootprint.core import classes, intervals, records
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.units import energy_j
from sootprint.meters.wall import NAMES as WALL_METERS
from sootprint.tracker import quantities
from sootprint.tracker.components import WALL, ComponentState, kind_of
from sootprint.tracker.course import NODE, Course, Row, course_of, inside
from sootprint.tracker.fold import Fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from sootprint.core.calibration import Calibration
    from sootprint.tracker.whole import Whole
else:
    from sootprint.core.named import NamedTuple

MEASURED = ("sensor", "metered")


class Energy(NamedTuple):
    """Energy of a run.

    Args:
        components: Parts, the node's rest after the others, and the wall meter last.
        total: IT energy, or None where nothing was measured [kWh].
        rows: Start, end, component and energy of each bucket; they add up to the total.
        unallocated: Energy that nobody is charged with, of a run that pays for its own processes alone [kWh].
        factors: Factors that the meters in use stated.
        wall: State of the wall meter that gave the total, or None.
        filled_j: What was filled in of the wall meter's gaps [J].
        calibration: Calibration that gave the total, or None.
        warnings: What a reader must know of the above.
    """

    components: tuple[records.Component, ...]
    total: Quantity | None
    rows: list[Row]
    unallocated: Quantity | None
    factors: Sequence[Factor]
    wall: ComponentState | None = None
    filled_j: float = 0.0
    calibration: Calibration | None = None
    warnings: tuple[str, ...] = ()


def energy_of(fold: Fold) -> Energy:
    """Energy of a run and its parts.

    Args:
        fold: Sums of a run.
    """
    factors = [Factor(**data) for data in fold.known("factors")]
    losses = quantities.losses_of(factors)
    parts, summed = _parts(fold, losses)
    course = course_of(fold, losses.value)
    seen, calibration, warnings = _known_whole(fold, parts, course)
    strict = fold.head.get("share") == "process"
    if seen is None:
        alone = next((state for state in inside(fold) if kind_of(state) == WALL), None)
        return Energy(
            parts,
            summed,
            course.rows(),
            _rest_of_parts(fold, losses) if strict else None,
            factors,
            wall=alone,
            filled_j=quantities.fill_j(alone) if alone else 0.0,
            warnings=warnings,
        )
    components, rows = _broken_down(parts, course, seen)
    if seen.wall is not None:
        components += (records.Component(component=WALL, meter=seen.meter, energy_kwh=seen.energy),)
    return Energy(
        components,
        classes.replace(seen.energy, basis="derived"),
        rows,
        seen.unallocated if strict else None,
        factors,
        wall=seen.wall,
        filled_j=seen.filled_j,
        calibration=calibration,
        warnings=warnings,
    )


def prepare(fold: Fold) -> None:
    """Make what `energy_of` needs and what depends on no reading, so that the end of a run finds it."""
    intervals.prepare({_shared_name(state.meter) for state in fold.states})


def _known_whole(
    fold: Fold, parts: Sequence[records.Component], course: Course
) -> tuple[Whole | None, Calibration | None, tuple[str, ...]]:
    """Energy of the whole node at the wall, else by its calibration, else None; and what a reader must know of it."""
    at_wall = any(meter in WALL_METERS for meter in fold.facts)
    at_wall = at_wall or any(kind_of(state) == WALL for state in fold.states)
    if not (at_wall or fold.known("calibrations")):  # as on most machines
        return None, None, ()
    if not any(kind_of(state) not in (NODE, WALL) for state in inside(fold)):
        return None, None, ()
    from sootprint.tracker import whole

    seen, warnings = whole.at_wall(fold, parts, course)
    if seen is not None:
        return seen, None, warnings
    calibration, more = whole.calibration_of(fold)
    if calibration is None:
        return None, None, (*warnings, *more)
    seen, further = whole.fitted(fold, calibration, parts, course)
    return seen, calibration if seen else None, (*warnings, *more, *further)


def _terms(parts: Iterable[tuple[str, Quantity]]) -> Iterator[tuple[str, Quantity]]:
    """Energy of each meter by a name: all its devices err together, as they share its calibration [kWh]."""
    by_meter: dict[str, list[Quantity]] = {}
    for meter, energy_kwh in parts:
        by_meter.setdefault(meter, []).append(energy_kwh)
    return ((_shared_name(meter), intervals.together(several)) for meter, several in by_meter.items())


def _shared_name(meter: str) -> str:
    return f"meter:{meter}"


def _parts(fold: Fold, losses: quantities.Losses) -> tuple[tuple[records.Component, ...], Quantity | None]:
    """Components that are added up, the node last, and their sum [kWh]."""
    within = inside(fold)
    busy = {kind_of(state): state for state in fold.states if state.judged_s > 0.0}
    made = [_component(state, busy) for state in within if state.component != NODE]
    parts = [component for component in made if component is not None]
    node = next((state for state in within if state.component == NODE), None)
    base = None if node is None else quantities.energy_quantity(node)
    summed = intervals.Total().add(_terms((part.meter, part.energy_kwh) for part in parts))
    if node is not None and base is not None and parts:
        energy = quantities.node_quantity(base, summed.value, losses)
        parts.append(records.Component(component=NODE, meter=node.meter, energy_kwh=energy))
        summed.add(_terms([(node.meter, energy)]))
    return tuple(parts), summed.quantity() if parts else None


def _component(state: ComponentState, busy: dict[str, ComponentState]) -> records.Component | None:
    energy = quantities.energy_quantity(state)
    if energy is None:
        return None
    judge = state if state.judged_s > 0.0 else busy.get(kind_of(state))
    idle_share = None if judge is None or judge.energy_j <= 0.0 else judge.idle_j / judge.energy_j
    return records.Component(
        component=WALL if kind_of(state) == WALL else state.component,
        meter=state.meter,
        energy_kwh=energy,
        idle_kwh=None if idle_share is None else min(1.0, idle_share) * energy.value,
        utilisation=None if judge is None else min(1.0, judge.busy_s / judge.judged_s),
    )


def _rest_of_parts(fold: Fold, losses: quantities.Losses) -> Quantity:
    """Energy of the parts that nobody is charged with [kWh]."""
    rests = {state.component: quantities.rest_quantity(state) for state in inside(fold)}
    node = rests.pop(NODE, None)
    meters = {state.component: state.meter for state in fold.used()}
    total = intervals.total(_terms((meters[name], rest) for name, rest in rests.items()))
    if node is None:
        return total
    return intervals.total([(NODE, quantities.node_quantity(node, total.value, losses)), ("rest", total)])


def _broken_down(
    parts: Sequence[records.Component], course: Course, seen: Whole
) -> tuple[tuple[records.Component, ...], list[Row]]:
    """Parts and rows that add up to a known whole; modelled parts give way where they exceed it."""
    others = [part for part in parts if part.component != NODE]
    ratios = _ratios(others, seen.energy.value)
    scaled = [_scaled(part, ratios[part.component]) for part in others]
    table = {
        name: [ratios[name] * spent_j for spent_j in buckets]
        for name, buckets in course.table.items()
        if name in ratios
    }
    rest_kwh = max(0.0, seen.energy.value - math.fsum(part.energy_kwh.value for part in scaled))
    node = records.Component(component=NODE, meter=seen.meter, energy_kwh=_rest(rest_kwh, scaled, seen))
    inside = Course(course.width_s, course.last_s, table)
    table[NODE] = _spread(energy_j(rest_kwh), seen.course, inside.summed())
    return (*scaled, node), Course(course.width_s, course.last_s, table).rows()


def _ratios(others: Sequence[records.Component], whole_kwh: float) -> dict[str, float]:
    """What each part is multiplied with so that they do not exceed the whole: the modelled first, then all."""
    sensed_kwh = math.fsum(p.energy_kwh.value for p in others if p.energy_kwh.basis in MEASURED)
    modelled_kwh = math.fsum(p.energy_kwh.value for p in others) - sensed_kwh
    of_sensed = min(1.0, whole_kwh / sensed_kwh) if sensed_kwh > 0.0 else 1.0
    left_kwh = max(0.0, whole_kwh - sensed_kwh)
    of_modelled = min(1.0, left_kwh / modelled_kwh) if modelled_kwh > 0.0 else 1.0
    return {p.component: of_sensed if p.energy_kwh.basis in MEASURED else of_modelled for p in others}


def _scaled(part: records.Component, ratio: float) -> records.Component:
    if ratio == 1.0:
        return part
    idle_kwh = None if part.idle_kwh is None else part.idle_kwh * ratio
    return classes.replace(part, energy_kwh=intervals.scaled(part.energy_kwh, ratio), idle_kwh=idle_kwh)


def _rest(rest_kwh: float, others: Sequence[records.Component], seen: Whole) -> Quantity:
    """What is left of the whole; its bounds join those of the whole and of the others [kWh]."""
    down = [seen.energy.value - (seen.energy.low or 0.0)]
    up = [(seen.energy.high or seen.energy.value) - seen.energy.value]
    for part in others:
        energy = part.energy_kwh
        down.append((energy.high or energy.value) - energy.value)
        up.append(energy.value - (energy.low or 0.0))
    low_kwh, high_kwh = max(0.0, rest_kwh - math.hypot(*down)), rest_kwh + math.hypot(*up)
    return Quantity(value=rest_kwh, low=low_kwh, high=high_kwh, basis="derived" if seen.wall else "modelled")


def _spread(rest_j: float, whole_j: Sequence[float], others_j: Sequence[float]) -> list[float]:
    """A rest over the buckets, in proportion to what the whole leaves there, `(n,)` [J]."""
    left = [max(0.0, w - o) for w, o in zip(whole_j, others_j, strict=False)]
    weights = left if math.fsum(left) > 0.0 else list(whole_j)
    total = math.fsum(weights)
    return [rest_j * weight / total for weight in weights] if total > 0.0 else [0.0] * len(weights)
