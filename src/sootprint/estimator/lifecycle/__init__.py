"""The whole life cycle of a model: every stage a line of its own, what is left out named."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sootprint import __version__
from sootprint import settings as configuration
from sootprint.core import carbon, intervals
from sootprint.core.errors import InputError
from sootprint.core.ids import uuid7
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Model, Place, Stage
from sootprint.core.units import G_PER_KG
from sootprint.estimator.lifecycle import spec as specs
from sootprint.estimator.lifecycle import sums
from sootprint.estimator.lifecycle.lines import Drawn, Line, line

if TYPE_CHECKING:
    from sootprint.settings import Settings

EMBODIED = "embodied"
_DERIVED = ("development", "failed", "search")  # their overhead is that of the final training


def _no_records(ref: str) -> Footprint:
    raise InputError(f"record {ref!r} cannot be looked up here: give hours or energy_kwh")


def life_cycle(
    text: str,
    *,
    name: str = "life cycle",
    records: Callable[[str], Footprint] = _no_records,
    settings: Settings | None = None,
) -> Footprint:
    """Footprint of a whole project, with a line for each stage.

    Grid, PUE and priors that stages share are drawn once for all of them. Emissions are operational and location-based;
    embodied share, water and market-based emissions stand beside them. What is not stated is named in `unknown`.

    Args:
        text: The life cycle in TOML; see the reference page.
        name: Name of the file, for messages.
        records: Record of a run or file that a stage or the parent names.
        settings: Settings that were read; read now where None.

    Raises:
        InputError: A key or value breaks a rule.
        CatalogueError: A name is in no table.
    """
    stated = specs.parsed(text, name=name)
    drawn = Drawn(settings or configuration.load(), records)
    counted, apart = _lines(stated, drawn)
    parent = None
    if "parent" in stated.tables:
        share, parent = sums.parent_line(stated.tables["parent"], drawn)
        counted.append(share)
    made = _footprint(stated, counted, parent)
    return _with_sums(made, stated.tables, counted, apart, drawn)


def _footprint(stated: specs.Spec, counted: Sequence[Line], parent: Footprint | None) -> Footprint:
    """Record of the lines: their energy and operational emissions."""
    return Footprint(
        id=uuid7(time.time()),
        tool_version=__version__,
        name=stated.name,
        project=stated.project,
        parent=None if parent is None else parent.id,
        scope="project_total",
        stage=_main_stage(counted),
        boundary="facility" if any(one.kind == "pue" for line in counted for one in line.factors) else "node",
        model=_model(stated, parent),
        place=Place(zone=stated.place.get("zone"), source="argument" if "zone" in stated.place else None),
        device_hours=_device_hours(counted),
        energy_kwh=sums.total(
            [one.energy_kwh or 0.0 for one in counted], [one.energy for one in counted], basis="modelled"
        ),
        pue=_mean(counted, "facility_kwh", "facility", over=("energy_kwh", "energy")),
        intensity_g_per_kwh=_mean(counted, "emissions_kg", "emissions", over=("facility_kwh", "facility")),
        emissions_kg=_emissions(counted),
        grade="D",
        given={"life_cycle": {key: dict(value) for key, value in stated.tables.items()}}
        if stated.tables
        else {},
    )


def _with_sums(
    made: Footprint,
    tables: Mapping[str, Mapping[str, Any]],
    counted: Sequence[Line],
    apart: Sequence[Line],
    drawn: Drawn,
) -> Footprint:
    """Record with what stands beside the operational emissions, and with what is left out."""
    making = sums.embodied_kg(counted, tables.get("embodied", {}), drawn)
    water = sums.water_l(counted, tables.get("water", {}), drawn)
    market = sums.market_kg(counted, tables.get("market", {}))
    left_out = [words for key, words in specs.STAGES.items() if key not in {one.stage for one in counted}]
    return dataclasses.replace(
        made,
        market_based_kg=market.quantity,
        embodied_kg=making.quantity,
        water_l=water.quantity,
        stages=(*(_stage(one) for one in counted), *_embodied(making)),
        factors=_factors(counted, making.factors, water.factors),
        unknown=_unknown(counted, market, making),
        warnings=(
            *([carbon.NO_PUE] if _without_pue(counted) else []),
            *_warnings(left_out, apart, (making, water, market), has_market="market" in tables),
        ),
    )


def _lines(stated: specs.Spec, drawn: Drawn) -> tuple[list[Line], list[Line]]:
    """Lines that count, in the order of a report, and those that stand apart."""
    final = [line(one, drawn, ()) for one in stated.stages if one.stage in specs.FINAL]
    rest = [(one, line(one, drawn, final)) for one in stated.stages if one.stage not in specs.FINAL]
    apart = [made for one, made in rest if one.stage == specs.OTHER and not one.values.get("include")]
    counted = sums.break_even([*final, *(made for _, made in rest if made not in apart)], drawn)
    order = [*specs.STAGES, specs.OTHER]
    return sorted(counted, key=lambda one: order.index(one.stage)), apart


def _stage(one: Line) -> Stage:
    energy = None
    if one.energy_kwh is not None:
        energy = intervals.from_draws(one.energy_kwh, one.energy, basis=one.basis)
    own = None if one.name == specs.STAGES.get(one.stage) else one.name
    return Stage(
        stage=one.stage,
        energy_kwh=energy,
        emissions_kg=intervals.from_draws(one.emissions_kg, one.emissions, basis=one.basis),
        basis=one.basis,
        note=": ".join(filter(None, (own, one.note))) or None,
    )


def _embodied(making: sums.Part) -> tuple[Stage, ...]:
    if making.quantity is None:
        return ()
    note = "share of the making of the devices and their servers"
    return (Stage(stage=EMBODIED, emissions_kg=making.quantity, basis="modelled", note=note),)


def _emissions(lines: Sequence[Line]) -> Quantity:
    return sums.total([one.emissions_kg for one in lines], [one.emissions for one in lines], basis="modelled")


def _mean(lines: Sequence[Line], name: str, draws: str, *, over: tuple[str, str]) -> Quantity | None:
    """Energy-weighted PUE or intensity of what was drawn from a grid; the parent's share is not of it."""
    listed = [one for one in lines if one.facility_kwh > 0.0]
    below = math.fsum(getattr(one, over[0]) for one in listed)
    if not below:
        return None
    unit = G_PER_KG if name == "emissions_kg" else 1.0
    sums_of = [
        [math.fsum(each) for each in zip(*(getattr(one, key) for one in listed), strict=True)]
        for key in (draws, over[1])
    ]
    drawn = [unit * a / b for a, b in zip(*sums_of, strict=True)]
    return intervals.from_draws(
        unit * math.fsum(getattr(one, name) for one in listed) / below, drawn, basis="modelled"
    )


def _main_stage(lines: Sequence[Line]) -> str:
    final = [one for one in lines if one.stage in specs.FINAL]
    return max(final, key=lambda one: one.emissions_kg).stage if final else "other"


def _model(stated: specs.Spec, parent: Footprint | None) -> Model | None:
    base = stated.tables.get("parent", {}).get("name") or (parent.name if parent else None)
    return None if stated.name is None and base is None else Model(name=stated.name, base=base)


def _device_hours(lines: Sequence[Line]) -> Quantity | None:
    worked = [used for one in lines for used in one.devices]
    if not worked:
        return None
    return sums.total([used.hours for used in worked], [used.drawn for used in worked], basis="modelled")


def _factors(lines: Sequence[Line], *more: Sequence[Factor]) -> tuple[Factor, ...]:
    """Factors of all lines, each once."""
    found = [factor for one in lines for factor in one.factors]
    return tuple(dict.fromkeys([*found, *(factor for listed in more for factor in listed)]))


def _without_pue(lines: Sequence[Line]) -> bool:
    """Whether any line that a facility's overhead belongs to has none."""
    here = [one for one in lines if one.on_site and one.facility_kwh > 0.0]
    return any(
        all(factor.kind != "pue" for factor in one.factors) and one.stage not in _DERIVED for one in here
    )


def _unknown(lines: Sequence[Line], market: sums.Part, making: sums.Part) -> tuple[str, ...]:
    missing = [f"stages.{key}" for key in specs.STAGES if key not in {one.stage for one in lines}]
    missing += ["pue"] if _without_pue(lines) else []
    missing += [] if market.quantity is not None else ["market_based_kg"]
    return (*missing, *([] if making.quantity is not None else ["embodied_kg"]))


def _warnings(
    left_out: Sequence[str], apart: Sequence[Line], parts: Sequence[sums.Part], *, has_market: bool
) -> list[str]:
    warnings = [f"left out, for nothing is stated of them: {', '.join(left_out)}"] if left_out else []
    for one in apart:
        warnings.append(
            f"other is stated and not in the total: {one.name}, {one.emissions_kg:,.0f} kg (include = true counts it)"
        )
    if not apart:
        warnings.append("travel, transport and buildings are not in it (stage other)")
    for words, part in zip(("embodied", "water", "market-based"), parts, strict=True):
        warnings += [f"{words}: {note}" for note in part.notes]
    if has_market:
        warnings.append("location-based and market-based emissions are two answers, never added")
    return warnings
