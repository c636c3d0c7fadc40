"""From the sums of a run to its footprint: energy x PUE x intensity, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sootprint.core import carbon, intervals, records
from sootprint.core.protocols import Intensity
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.units import energy_kwh, hours
from sootprint.tracker import quantities
from sootprint.tracker.components import ComponentState
from sootprint.tracker.fold import Fold

SENSED = ("sensor", "metered")
_STATED = ("id", "tool_version", "name", "project", "run_group", "parent", "node")
STRICT_SHARE = (
    "share: charged for the CPU time and the accelerator use of the run's own processes only; what the machine spent "
    "besides is in unallocated_kwh"
)


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
    intensities: Sequence[Intensity]
    warnings: tuple[str, ...] = ()


def footprint(fold: Fold, around: Surroundings) -> records.Footprint:
    """Footprint of the lines that a fold has counted.

    Args:
        fold: Sums of a run, live, ended or cut off.
        around: PUE, intensities and place of the run.
    """
    components = _components(fold)
    total = _total_kwh(components)
    pue = around.pue.quantity() if around.pue else intervals.exact(1.0, "assumed")
    rows = _rows(fold)
    intensity = _intensity(rows, around.intensities, start=_instant(fold.head, 0.0))
    return records.Footprint(
        **_identity(fold),
        boundary="facility" if around.pue else "node",
        process_share=_process_share(fold),
        device_hours=_device_hours(fold),
        place=around.place,
        components=components,
        energy_kwh=total,
        unallocated_kwh=_unallocated_kwh(fold),
        intervals=_intervals(fold, rows),
        spans=_spans(fold, total),
        gaps=_gaps(fold),
        pue=pue,
        intensity_g_per_kwh=intensity,
        emissions_kg=carbon.emissions(total, intensity, pue) if total and intensity else None,
        factors=_factors(fold, around),
        grade=_grade(fold),
        unknown=_unknown(around, total, intensity),
        warnings=_warnings(fold, around),
    )


def _identity(fold: Fold) -> dict[str, Any]:
    """Fields that the lines state as they are: who, when, on what."""
    head = fold.head
    return {
        **{name: head.get(name) for name in _STATED},
        **{name: head.get(name) or {} for name in ("tags", "software", "given")},
        "started": _stamp(head, 0.0),
        "ended": _stamp(head, fold.last_s),
        "duration_s": fold.last_s,
        "hardware": tuple(records.Hardware(**data) for data in fold.known("hardware")),
        "curve": tuple(
            records.CurvePoint(energy_kwh=energy_kwh(j), metric=m, value=v) for j, m, v in fold.curve
        ),
    }


def _instant(head: dict[str, Any], at_s: float) -> datetime:
    return datetime.fromtimestamp(head["wall_s"], UTC) + timedelta(seconds=at_s)


def _stamp(head: dict[str, Any], at_s: float) -> str:
    return _instant(head, at_s).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _components(fold: Fold) -> tuple[records.Component, ...]:
    busy = {_kind(state): state for state in fold.states if state.judged_s > 0.0}
    losses = quantities.losses_of([Factor(**data) for data in fold.known("factors")])
    made = [_component(state, busy) for state in fold.used() if state.component != "node"]
    others = [component for component in made if component is not None]
    node = next((state for state in fold.used() if state.component == "node"), None)
    base = None if node is None else quantities.energy_quantity(node)
    subtotal = _total_kwh(tuple(others))
    if node is not None and base is not None and subtotal is not None:
        energy = quantities.node_quantity(base, subtotal, losses)
        others.append(records.Component(component="node", meter=node.meter, energy_kwh=energy))
    return tuple(others)


def _component(state: ComponentState, busy: dict[str, ComponentState]) -> records.Component | None:
    energy = quantities.energy_quantity(state)
    if energy is None:
        return None
    judge = state if state.judged_s > 0.0 else busy.get(_kind(state))
    idle_share = None if judge is None or judge.energy_j <= 0.0 else judge.idle_j / judge.energy_j
    return records.Component(
        component=state.component,
        meter=state.meter,
        energy_kwh=energy,
        idle_kwh=None if idle_share is None else min(1.0, idle_share) * energy.value,
        utilisation=None if judge is None else min(1.0, judge.busy_s / judge.judged_s),
    )


def _unallocated_kwh(fold: Fold) -> Quantity | None:
    """Energy that a run which pays for its own processes only is not charged with, nor anybody else [kWh]."""
    if fold.head.get("share") != "process":
        return None
    losses = quantities.losses_of([Factor(**data) for data in fold.known("factors")])
    rests = {state.component: quantities.rest_quantity(state) for state in fold.used()}
    node = rests.pop("node", None)
    total = intervals.total(
        (f"meter:{state.meter}", rests[state.component]) for state in fold.used() if state.component in rests
    )
    return (
        total
        if node is None
        else intervals.total([("node", quantities.node_quantity(node, total, losses)), ("rest", total)])
    )


def _kind(state: ComponentState) -> str:
    return state.component.partition(":")[0]


def _total_kwh(components: tuple[records.Component, ...]) -> Quantity | None:
    """Sum of the components; all devices of one meter err together, as they share its calibration."""
    if not components:
        return None
    return intervals.total((f"meter:{part.meter}", part.energy_kwh) for part in components)


def _rows(fold: Fold) -> list[tuple[float, float, str, float]]:
    """Start, end, component and energy [J] of each bucket, gaps filled and node losses added."""
    used = fold.used()
    width_s = max((state.bucket_s for state in used), default=0.0)
    table = {state.component: _buckets(state, width_s) for state in used}
    losses = quantities.losses_of([Factor(**data) for data in fold.known("factors")])
    for index, state in enumerate(fold.states):
        if state in used and state.lost_s > 0.0:
            _fill(table[state.component], fold, index, width_s)
    if "node" in table and losses.value > 0.0:
        others = [buckets for component, buckets in table.items() if component != "node"]
        for slot in range(len(table["node"])):
            table["node"][slot] += losses.value * sum(b[slot] for b in others if slot < len(b))
    return [
        (slot * width_s, min((slot + 1) * width_s, fold.last_s), component, spent_j)
        for component, buckets in table.items()
        for slot, spent_j in enumerate(buckets)
        if slot * width_s < fold.last_s
    ]


def _buckets(state: ComponentState, width_s: float) -> list[float]:
    """Energies of a component in buckets of the coarsest width in use, `(n,)` [J]."""
    factor = max(1, round(width_s / state.bucket_s))
    return [sum(state.buckets[i : i + factor]) for i in range(0, len(state.buckets), factor)]


def _fill(buckets: list[float], fold: Fold, index: int, width_s: float) -> None:
    """Add the energy of unmeasured gaps at the component's mean power, where they lie."""
    state = fold.states[index]
    if state.covered_s <= 0.0:
        return
    mean_w = quantities.fill_j(state) / state.lost_s
    for component, start_s, end_s, _, bridged in fold.gaps:
        if component != index or bridged:
            continue
        for slot in range(int(start_s / width_s), int(end_s / width_s) + 1):
            while len(buckets) <= slot:
                buckets.append(0.0)
            overlap_s = min(end_s, (slot + 1) * width_s) - max(start_s, slot * width_s)
            buckets[slot] += mean_w * max(0.0, overlap_s)


def _intervals(fold: Fold, rows: list[tuple[float, float, str, float]]) -> tuple[records.Interval, ...]:
    return tuple(
        records.Interval(
            start=_stamp(fold.head, start_s),
            end=_stamp(fold.head, end_s),
            component=component,
            energy_j=round(spent_j, 6),
        )
        for start_s, end_s, component, spent_j in rows
    )


def _intensity(
    rows: list[tuple[float, float, str, float]], intensities: Sequence[Intensity], *, start: datetime
) -> Quantity | None:
    """Energy-weighted intensity; its bounds are those of the factor in force at most of the energy."""
    if not intensities:
        return None
    spent = dict.fromkeys(range(len(intensities)), 0.0)
    for start_s, end_s, _, spent_j in rows:
        middle = start + timedelta(seconds=0.5 * (start_s + end_s))
        spent[_in_force(intensities, middle)] += spent_j
    values = [intensity.factor.value or 0.0 for intensity in intensities]
    mean = carbon.weighted_intensity(list(spent.values()), values)
    leading = intensities[max(spent, key=lambda index: spent[index])].factor.quantity()
    if leading.low is None or leading.high is None or leading.value <= 0.0:
        return Quantity(value=mean, basis="assumed")
    return intervals.around(mean, leading.low / leading.value, leading.high / leading.value)


def _in_force(intensities: Sequence[Intensity], at: datetime) -> int:
    for index, intensity in enumerate(intensities):
        if intensity.start <= at < intensity.end:
            return index
    return len(intensities) - 1 if at >= intensities[-1].end else 0


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


def _gaps(fold: Fold) -> tuple[records.Gap, ...]:
    skip = {id(state) for state in fold.used()}
    made = []
    for index, start_s, end_s, reason, bridged in fold.gaps:
        state = fold.states[index]
        if id(state) not in skip or end_s - start_s < 0.5 * fold.period_s:
            continue
        treated = "the counter went on and bridges it" if bridged else "filled at the run's mean power"
        made.append(
            records.Gap(
                component=state.component,
                start=_stamp(fold.head, start_s),
                end=_stamp(fold.head, end_s),
                reason=f"{reason}; {treated}",
            )
        )
    return tuple(made)


def _device_hours(fold: Fold) -> Quantity | None:
    """Hours summed over the accelerators seen, or over the CPUs where there is none."""
    used = fold.used()
    accelerators = sum(1 for state in used if _kind(state) == "accelerator")
    listed = sum(data.get("count", 1) for data in fold.known("hardware") if data.get("kind") == "cpu")
    count = accelerators or listed
    return intervals.exact(count * hours(fold.last_s)) if count else None


def _process_share(fold: Fold) -> float | None:
    """CPU time of the run's processes over the machine's busy CPU time [0-1]."""
    spent_s, threads = fold.head.get("cpu_s"), fold.head.get("cpu_threads")
    judge = next((s for s in fold.states if _kind(s) == "cpu" and s.judged_s > 0.0), None)
    if spent_s is None or not threads or judge is None or judge.busy_s <= 0.0:
        return None
    return float(min(1.0, spent_s / (judge.busy_s * threads)))


def _factors(fold: Fold, around: Surroundings) -> tuple[Factor, ...]:
    found = [Factor(**data) for data in fold.known("factors")]
    found += [intensity.factor for intensity in around.intensities]
    if around.pue is not None:
        found.append(around.pue)
    return tuple(dict.fromkeys(found))


def _grade(fold: Fold) -> str | None:
    """Evidence grade: A wall meter, B sensors on all main components, C on the accelerators, else D."""
    used = fold.used()
    if not used:
        return None
    by_kind: dict[str, list[ComponentState]] = {}
    for state in used:
        by_kind.setdefault(_kind(state), []).append(state)
    grade = "D"
    if "wall" in by_kind:
        grade = "A"
    elif _all_sensed(by_kind.get("cpu")) and (
        "accelerator" not in by_kind or _all_sensed(by_kind["accelerator"])
    ):
        grade = "B"
    elif _all_sensed(by_kind.get("accelerator")):
        grade = "C"
    lost = sum(state.lost_s for state in used) > 0.1 * len(used) * fold.last_s
    return "D" if lost and grade in ("B", "C") else grade


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


def _warnings(fold: Fold, around: Surroundings) -> tuple[str, ...]:
    found = [*around.warnings, *fold.known("warnings"), *fold.notes]
    if around.pue is None:
        found.append(
            "PUE unknown: the facility's overhead (typically x 1.1-1.6) is not in these numbers; state it with --pue"
        )
    if fold.head.get("share") == "process":
        found.append(STRICT_SHARE)
    for index, state in enumerate(fold.states):
        if state.lost_s >= fold.period_s and state in fold.used():
            filled_kwh = energy_kwh(quantities.fill_j(fold.states[index]))
            found.append(
                f"{state.component}: {state.lost_s:.0f} s without readings, {filled_kwh:.3g} kWh filled in"
            )
    for what, count in fold.not_kept.items():
        if count:
            found.append(
                f"{count} {what} beyond the limit are not listed one by one; their energy is counted"
            )
    return tuple(dict.fromkeys(found))
