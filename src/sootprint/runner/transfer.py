"""What carrying a job's files to another place costs: a record of its own, so that every sum of the plan has it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sootprint import __version__
from sootprint.core import carbon, intervals
from sootprint.core.errors import RecordError
from sootprint.core.ids import uuid7
from sootprint.core.instants import stamp
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Component, Footprint
from sootprint.intensity.kinds import unlike
from sootprint.ledger import spool
from sootprint.meters.network import BYTES_PER_GB, ENERGY_PER_GB

if TYPE_CHECKING:
    from sootprint.engines.book import Plan
    from sootprint.runner.outlook import Ahead
    from sootprint.settings import Settings
    from sootprint.settings.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What was carried.

    Args:
        size_bytes: Size [byte].
        took_s: Time that it took [s].
        source: Name of the place that it was carried from; "" is this machine.
        target: Name of the place that it was carried to.
        factor: Energy of a gigabyte [kWh/GB].
    """

    size_bytes: int
    took_s: float
    source: str
    target: str
    factor: Factor


def factor(target: Target | None) -> Factor:
    """Energy of carrying a gigabyte to a place [kWh/GB]."""
    if target is None or target.kwh_per_gb is None:
        return replace(ENERGY_PER_GB, key="move between places")
    stated = target.kwh_per_gb
    return Factor(
        kind=ENERGY_PER_GB.kind,
        key="move between places",
        value=stated,
        unit="kWh/GB",
        source=f"stated by the user for target {target.name}",
    )


def charged(move: Move, plan: Plan, ends: Mapping[str, Ahead | None], settings: Settings) -> dict[str, Any]:
    """Line of the plan's book for what was carried, whose record is kept among the runs of this machine.

    Its intensity is the mean of the grids at both ends, of which one is enough; without any its emissions are unknown.
    Of two whose figures are of different kinds the one that it comes from counts alone, and the record says so.

    Args:
        move: What was carried.
        plan: The plan.
        ends: What is known of the grids at its ends, by their names, the one that it comes from first.
        settings: Settings of this machine.
    """
    size = intervals.exact(move.size_bytes / BYTES_PER_GB, "sensor")
    energy = intervals.product(size, move.factor.quantity(), basis="modelled")
    counting, why = _alike(ends)
    listed = [float(ahead.values[0]) for ahead in counting.values()]
    intensity = (
        Quantity(value=sum(listed) / len(listed), low=min(listed), high=max(listed), basis="derived")
        if listed
        else None
    )
    emitted = None
    if intensity is not None:
        emitted = replace(
            carbon.emissions(energy, intensity, intervals.exact(1.0, "assumed")), basis="modelled"
        )
    record = _record(move, plan, energy=energy, intensity=intensity, emitted=emitted)
    grids = tuple(_grid(name, ahead) for name, ahead in counting.items())
    record = replace(
        record, factors=(*record.factors, *grids), warnings=(*record.warnings, *([why] if why else ()))
    )
    kept = None
    with contextlib.suppress(RecordError, OSError):  # a full disk: the book has it
        spool.keep(settings.home, record)
        kept = record.id
    return {
        "source": move.source,
        "target": move.target,
        "took_s": move.took_s,
        "size_bytes": move.size_bytes,
        "energy_kwh": bounds(energy),
        "emissions_kg": None if emitted is None else bounds(emitted),
        "record": kept,
        "grids": list(counting),
        "why": why,
    }


def _alike(ends: Mapping[str, Ahead | None]) -> tuple[dict[str, Ahead], str | None]:
    """Ends whose figures are of one kind, by their names, and why another one does not count."""
    known = {name: ahead for name, ahead in ends.items() if ahead is not None}
    if not known:
        return {}, None
    name, first = next(iter(known.items()))
    for other, ahead in known.items():
        reason = unlike((ahead.method, ahead.source), (first.method, first.source))
        if reason is not None:
            text = f"its intensity is that of {name} alone, not of {other}: {reason} is never mixed"
            return {name: first}, text
    return known, None


def _grid(name: str, ahead: Ahead) -> Factor:
    """Intensity at one end when it was carried [gCO2e/kWh]."""
    return Factor(
        kind="intensity",
        key=name,
        value=float(ahead.values[0]),
        unit="gCO2e/kWh",
        method=ahead.method,
        source=ahead.source,
    )


def nothing(source: str, target: str) -> dict[str, Any]:
    """Line of the plan's book for two places that are one folder: nothing is carried, and nothing charged."""
    return {
        "source": source,
        "target": target,
        "took_s": 0.0,
        "size_bytes": 0,
        "energy_kwh": [0.0, 0.0, 0.0],
        "emissions_kg": [0.0, 0.0, 0.0],
        "record": None,
    }


def bounds(quantity: Quantity) -> list[float]:
    """Value, low and high of a quantity; without bounds, the value three times."""
    value = quantity.value
    return [
        value,
        value if quantity.low is None else quantity.low,
        value if quantity.high is None else quantity.high,
    ]


def _record(
    move: Move, plan: Plan, *, energy: Quantity, intensity: Quantity | None, emitted: Quantity | None
) -> Footprint:
    """Footprint of what was carried."""
    end_s, names = time.time(), [name or "this machine" for name in (move.source, move.target)]
    return Footprint(
        id=uuid7(end_s),
        tool_version=__version__,
        name=f"move from {names[0]} to {names[1]}",
        tags={"plan": plan.id, "moved_to": names[1]},
        stage="data",
        boundary="node",
        started=stamp(end_s - move.took_s),
        ended=stamp(end_s),
        duration_s=move.took_s,
        components=(Component(component="network", meter="carried", energy_kwh=energy),),
        energy_kwh=energy,
        pue=intervals.exact(1.0, "assumed"),
        intensity_g_per_kwh=intensity,
        emissions_kg=emitted,
        factors=(move.factor,),
        grade="D",
        unknown=("embodied_kg", "water_l", *(() if emitted else ("emissions_kg", "intensity_g_per_kwh"))),
        warnings=(
            "its energy is bytes times an energy of each: no meter sees the network between two places",
        ),
    )


def words(move: Move, line: Mapping[str, Any]) -> str:
    """What was carried and charged, for a person."""
    emitted = line["emissions_kg"]
    charge = (
        "its emissions are unknown" if emitted is None else f"{emitted[0] * 1000.0:.3g} g are charged for it"
    )
    names = [name or "this machine" for name in (move.source, move.target)]
    because = f"; {line['why']}" if line.get("why") else ""
    return (
        f"{move.size_bytes / 1e6:.3g} MB were carried from {names[0]} to {names[1]} in {move.took_s:.1f} s; "
        f"{charge}{because}"
    )
