"""From the sums of a run to its footprint: energy x PUE x intensity, interval by interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sootprint.core import carbon, classes, intervals, records
from sootprint.core.classes import dataclass
from sootprint.core.instants import stamp
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.units import energy_kwh, hours
from sootprint.tracker import quantities
from sootprint.tracker.breakdown import Energy, energy_of
from sootprint.tracker.components import WALL, ComponentState, kind_of
from sootprint.tracker.course import inside
from sootprint.tracker.fold import BEFORE_FIRST, HELD, TO_OTHERS, Fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from sootprint.core.named import NamedTuple

SENSED = ("sensor", "metered")
MOST_LOST = 0.1  # of the time, before the grade falls
PRIOR_OF_THE_NODE = (
    "base_power",
    "loss_share",
)  # kinds of factor that a wall meter or a calibration replaces
SHARED = "node_shared"  # in `given`: whether others were charged for the machine, too
APART = "apart_kwh"  # and energy that was charged while no run around this one was measured [kWh]
_STATED = ("id", "tool_version", "name", "project", "run_group", "parent", "node")
STRICT_SHARE = (
    "share: charged for the CPU time and the accelerator use of the run's own processes only; what the machine spent "
    "besides is in unallocated_kwh"
)


class InForce(NamedTuple):
    """A carbon intensity and when it holds, in seconds since 1970 [s]."""

    factor: Factor
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run's energy is multiplied with.

    Args:
        place: Where the electricity came from.
        pue: Facility energy over IT energy with its source, or None where unknown.
        intensities: Carbon intensities that cover the run, in order; empty where none is known.
        warnings: What was assumed or could not be found.
    """

    place: records.Place
    pue: Factor | None
    intensities: Sequence[InForce]
    warnings: tuple[str, ...] = ()


def footprint(fold: Fold, around: Surroundings) -> records.Footprint:
    """Footprint of the lines that a fold has counted.

    Args:
        fold: Sums of a run, live, ended or cut off.
        around: PUE, intensities and place of the run.
    """
    energy = energy_of(fold)
    total = energy.total
    apart = _apart_kwh(fold, total)
    pue = around.pue.quantity() if around.pue else intervals.exact(1.0, "assumed")
    intensity = _intensity(energy.rows, around.intensities, start_s=fold.head["wall_s"])
    return records.Footprint(
        **_identity(fold, {} if apart is None else {APART: apart}),
        boundary="facility" if around.pue else "node",
        process_share=_process_share(fold),
        device_hours=_device_hours(fold),
        place=around.place,
        components=energy.components,
        energy_kwh=total,
        unallocated_kwh=energy.unallocated,
        intervals=_intervals(fold, energy.rows),
        spans=_spans(fold, total),
        gaps=_gaps(fold, energy),
        pue=pue,
        intensity_g_per_kwh=intensity,
        emissions_kg=carbon.emissions(total, intensity, pue) if total and intensity else None,
        factors=_factors(around, energy),
        forecasts=_forecasts(fold, total),
        grade=_grade(fold, energy),
        unknown=_unknown(around, total, intensity),
        warnings=_warnings(fold, around, energy),
    )


def _forecasts(fold: Fold, total: Quantity | None) -> tuple[dict[str, Any], ...]:
    if fold.progress is None:
        return ()
    from sootprint.tracker.foresight import scored

    return scored(fold, total)


def _apart_kwh(fold: Fold, total: Quantity | None) -> float | None:
    """Energy of a part while no run around it was measured [kWh]; None of others, and where no account told."""
    if total is None or not fold.head.get("parent") or not fold.head.get("shared"):
        return None
    parts = inside(fold)
    whole_j = math.fsum(state.energy_j for state in parts)
    return total.value * math.fsum(s.without_j for s in parts) / whole_j if whole_j > 0.0 else None


def _identity(fold: Fold, told: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that the lines state as they are: who, when, on what."""
    head = fold.head
    given = (head.get("given") or {}) | ({SHARED: True} if head.get("shared") else {})
    return {
        **{name: head.get(name) for name in _STATED},
        **{name: head.get(name) or {} for name in ("tags", "software")},
        "given": {**given, **told},
        "started": _stamp(head, 0.0),
        "ended": _stamp(head, fold.last_s),
        "duration_s": fold.last_s,
        "hardware": _hardware(fold),
        "model": records.Model(name=head["model"]) if head.get("model") else None,
        "results": tuple(records.Result(**one) for one in fold.results),
        "curve": tuple(
            records.CurvePoint(energy_kwh=energy_kwh(j), metric=m, value=v) for j, m, v in fold.curve
        ),
    }


def _hardware(fold: Fold) -> tuple[records.Hardware, ...]:
    """Devices of the run; of a machine that it shares, as many accelerators as it is charged with.

    Which of several kinds they are is not told, so that all of them are listed then.
    """
    listed = tuple(records.Hardware(**data) for data in fold.known("hardware"))
    cards = [one for one in listed if one.kind == "accelerator"]
    charged = sum(1 for state in fold.used() if kind_of(state) == "accelerator")
    if not fold.head.get("shared") or not cards or (charged and len(cards) > 1):
        return listed
    others = tuple(one for one in listed if one.kind != "accelerator")
    return (classes.replace(cards[0], count=charged), *others) if charged else others


def _stamp(head: dict[str, Any], at_s: float) -> str:
    return stamp(head["wall_s"] + at_s)


def _intervals(fold: Fold, rows: list[tuple[float, float, str, float]]) -> Any:
    edges = sorted({edge_s for row in rows for edge_s in row[:2]})
    stamps = {edge_s: _stamp(fold.head, edge_s) for edge_s in edges}  # of all components alike
    values = [
        (stamps[start_s], stamps[end_s], component, round(spent_j, 6))
        for start_s, end_s, component, spent_j in rows
    ]
    if not all(0.0 <= row[3] < math.inf for row in values):
        return tuple(classes.several(records.Interval, values))  # which says what is wrong
    return classes.Table(records.Interval, values)


def _intensity(
    rows: list[tuple[float, float, str, float]], intensities: Sequence[InForce], *, start_s: float
) -> Quantity | None:
    """Energy-weighted intensity; its bounds are those of the factor in force at most of the energy."""
    if not intensities:
        return None
    spent = dict.fromkeys(range(len(intensities)), 0.0)
    for from_s, to_s, _, spent_j in rows:
        spent[_in_force(intensities, start_s + 0.5 * (from_s + to_s))] += spent_j
    values = [intensity.factor.value or 0.0 for intensity in intensities]
    mean = carbon.weighted_intensity(list(spent.values()), values)
    leading = intensities[max(spent, key=lambda index: spent[index])].factor.quantity()
    if leading.low is None or leading.high is None or leading.value <= 0.0:
        return Quantity(value=mean, basis="assumed")
    return intervals.around(mean, leading.low / leading.value, leading.high / leading.value)


def _in_force(intensities: Sequence[InForce], at_s: float) -> int:
    for index, intensity in enumerate(intensities):
        if intensity.start_s <= at_s < intensity.end_s:
            return index
    return len(intensities) - 1 if at_s >= intensities[-1].end_s else 0


def _spans(fold: Fold, total: Quantity | None) -> tuple[records.Span, ...]:
    """Spans, with each joule scaled from what was measured to what the run is charged."""
    if total is None:
        return ()
    measured_j = fold.total_j()
    scale = total.value / measured_j if measured_j > 0.0 else 0.0
    spread = (
        (total.low or 0.0) / total.value if total.value else 1.0,
        (total.high or 0.0) / total.value if total.value else 1.0,
    )
    made = []
    for name, start_s, end_s, start_j, end_j in fold.spans:
        spent_j = measured_j - start_j if end_s is None else end_j - start_j
        made.append(
            records.Span(
                name=name,
                start=_stamp(fold.head, start_s),
                end=_stamp(fold.head, fold.last_s if end_s is None else end_s),
                energy_kwh=intervals.around(max(0.0, spent_j) * scale, *spread, basis="derived"),
            )
        )
    return tuple(made)


def _gaps(fold: Fold, energy: Energy) -> tuple[records.Gap, ...]:
    skip = {id(state) for state in fold.used()}
    made = []
    for index, start_s, end_s, reason, bridged in fold.gaps:
        state = fold.states[index]
        if id(state) not in skip or end_s - start_s < 0.5 * fold.period_s:
            continue
        filled = (
            "; filled from the other components"
            if state is energy.wall
            else "; filled at the power of the first looks"
            if reason == BEFORE_FIRST and state.filled_s >= end_s - start_s
            else "; filled at the run's mean power"
        )
        treated = (
            ""
            if reason in (HELD, TO_OTHERS)
            else "; the counter went on and bridges it"
            if bridged
            else filled
        )
        made.append(
            records.Gap(
                component=state.component,
                start=_stamp(fold.head, start_s),
                end=_stamp(fold.head, end_s),
                reason=f"{reason}{treated}",
            )
        )
    return tuple(made)


def _device_hours(fold: Fold) -> Quantity | None:
    """Hours summed over the accelerators seen, or over the CPUs where there is none."""
    used = fold.used()
    accelerators = sum(1 for state in used if kind_of(state) == "accelerator")
    listed = sum(data.get("count", 1) for data in fold.known("hardware") if data.get("kind") == "cpu")
    count = accelerators or listed
    return intervals.exact(count * hours(fold.last_s)) if count else None


def _process_share(fold: Fold) -> float | None:
    """CPU time of the run's processes over the machine's busy CPU time [0-1]."""
    spent_s, threads = fold.head.get("cpu_s"), fold.head.get("cpu_threads")
    judge = next((s for s in fold.states if kind_of(s) == "cpu" and s.judged_s > 0.0), None)
    if spent_s is None or not threads or judge is None or judge.busy_s <= 0.0:
        return None
    return float(min(1.0, spent_s / (judge.busy_s * threads)))


def _factors(around: Surroundings, energy: Energy) -> tuple[Factor, ...]:
    found = list(energy.factors)
    if energy.wall is not None or energy.calibration is not None:
        found = [factor for factor in found if factor.kind not in PRIOR_OF_THE_NODE]
    if energy.calibration is not None:
        found += energy.calibration.factors()
    found += [intensity.factor for intensity in around.intensities]
    if around.pue is not None:
        found.append(around.pue)
    return tuple(dict.fromkeys(found))


def _grade(fold: Fold, energy: Energy) -> str | None:
    """Evidence grade: A wall meter, B sensors on all main components, C on the accelerators, else D."""
    used = fold.used()
    if not used:
        return None
    if _is_metered(energy.wall, fold.last_s):
        return "A"
    used = [state for state in used if kind_of(state) != WALL]
    by_kind: dict[str, list[ComponentState]] = {}
    for state in used:
        by_kind.setdefault(kind_of(state), []).append(state)
    grade = "D"
    if _all_sensed(by_kind.get("cpu")) and (
        "accelerator" not in by_kind or _all_sensed(by_kind["accelerator"])
    ):
        grade = "B"
    elif _all_sensed(by_kind.get("accelerator")):
        grade = "C"
    lost = sum(state.lost_s for state in used) > MOST_LOST * len(used) * fold.last_s
    return "D" if lost and grade in ("B", "C") else grade


def _is_metered(wall: ComponentState | None, duration_s: float) -> bool:
    """Whether a meter of this node alone measured nearly all of the run."""
    return wall is not None and wall.basis == "metered" and wall.lost_s <= MOST_LOST * duration_s


def _all_sensed(states: list[ComponentState] | None) -> bool:
    return bool(states) and all(state.basis in SENSED for state in states or ())


def _unknown(around: Surroundings, total: Quantity | None, intensity: Quantity | None) -> tuple[str, ...]:
    names = []
    if around.place.zone is None:
        names.append("place.zone")
    if around.pue is None:
        names.append("pue")
    if total is None:
        names.append("energy_kwh")
    if intensity is None:
        names.append("intensity_g_per_kwh")
    return (*names, "embodied_kg", "water_l", "market_based_kg")


def _warnings(fold: Fold, around: Surroundings, energy: Energy) -> tuple[str, ...]:
    found = [*around.warnings, *fold.known("warnings"), *energy.warnings, *fold.notes]
    if around.pue is None:
        found.append(carbon.NO_PUE)
    if fold.head.get("share") == "process":
        found.append(STRICT_SHARE)
    for index, state in enumerate(fold.states):
        if state.lost_s >= fold.period_s and any(state is one for one in fold.used()):
            filled_j = energy.filled_j if state is energy.wall else quantities.fill_j(fold.states[index])
            filled_kwh = energy_kwh(filled_j)
            found.append(
                f"{state.component}: {state.lost_s:.0f} s without readings, {filled_kwh:.3g} kWh filled in"
            )
    for what, count in fold.not_kept.items():
        if count:
            found.append(
                f"{count} {what} beyond the limit are not listed one by one; their energy is counted"
            )
    return tuple(dict.fromkeys(found))
