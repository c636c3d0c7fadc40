"""Sums of a life cycle: embodied share, water, market-based emissions, break-even and the parent's share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sootprint.catalogue import hardware
from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint
from sootprint.core.units import G_PER_KG, W_PER_KW
from sootprint.estimator.beside import PLANT_WATER, SITE_WATER
from sootprint.estimator.lifecycle import embodied
from sootprint.estimator.lifecycle.lines import Drawn, Line


class Part(NamedTuple):
    """A sum with the factors that entered it and what to know of it."""

    quantity: Quantity | None
    factors: tuple[Factor, ...] = ()
    notes: tuple[str, ...] = ()


def total(values: Sequence[float], draws: Sequence[Sequence[float]], *, basis: str) -> Quantity:
    """Sum whose terms were drawn together."""
    summed = [math.fsum(each) for each in zip(*draws, strict=True)] if draws else [0.0]
    return intervals.from_draws(math.fsum(values), summed, basis=basis)


def embodied_kg(lines: Sequence[Line], stated: Mapping[str, Any], drawn: Drawn) -> Part:
    """Share of the making of all devices that worked, and of their servers [kgCO2e]."""
    life = embodied.life(stated.get("lifetime_years"), stated.get("busy_share"))
    spread = [drawn.of_factor(one) for one in life]
    value, summed = 0.0, [0.0] * intervals.DRAWS
    used: dict[str, Factor] = {}
    for worked in (device for one in lines for device in one.devices):
        for factor in _made(worked.name, worked.kind, drawn):
            used[factor.key] = factor
            per_hour = factor.known / embodied.HOURS_PER_YEAR
            value += per_hour * worked.hours / (life[0].known * life[1].known)
            each = zip(summed, drawn.of_factor(factor), worked.drawn, *spread, strict=True)
            summed = [
                before + made / embodied.HOURS_PER_YEAR * hours / (years * busy)
                for before, made, hours, years, busy in each
            ]
    notes = ["the making of storage and networks is not in it"]
    bare = [one.name for one in lines if one.on_site and not one.devices and (one.energy_kwh or 0.0) > 0.0]
    if bare:
        notes.append(f"it has no device hours for {', '.join(bare)}")
    if not used:
        return Part(None, (), tuple(notes))
    return Part(intervals.from_draws(value, summed, basis="modelled"), (*used.values(), *life), tuple(notes))


def _made(name: str, kind: str, drawn: Drawn) -> tuple[Factor, ...]:
    """Device and its share of a server; a processor is in its server's figure."""
    user = drawn.settings.hardware
    device = hardware.find_accelerator(name, user=user)
    if kind == "cpu" or device is None:
        return (embodied.of_host("cpu"),)
    return embodied.of_device(device), embodied.of_host("accelerator")


def water_l(lines: Sequence[Line], stated: Mapping[str, Any], drawn: Drawn) -> Part:
    """Water on site, for IT energy, and at the power plants, for facility energy [L].

    The PUE stands with the power plants alone: a site states its water for IT energy.

    Source:
        Li et al., Making AI Less Thirsty (2023, arXiv 2304.03271).
    """
    site = _given(SITE_WATER, stated.get("site_l_per_kwh"))
    plant = _given(PLANT_WATER, stated.get("plant_l_per_kwh"))
    here = [one for one in lines if one.on_site]
    values = [(one.energy_kwh or 0.0) * site.known for one in here]
    values += [one.facility_kwh * plant.known for one in lines]
    draws = [_times(one.energy, drawn.of_factor(site)) for one in here]
    draws += [_times(one.facility, drawn.of_factor(plant)) for one in lines]
    places = ((site, "the site's water"), (plant, "the power plants' water"))
    assumed = [name for one, name in places if one.source != "given"]
    notes = (f"assumed: {' and '.join(assumed)}",) if assumed else ()
    return Part(total(values, draws, basis="assumed" if assumed else "modelled"), (site, plant), notes)


def market_kg(lines: Sequence[Line], stated: Mapping[str, Any]) -> Part:
    """Market-based emissions: what contracts cover at their own intensity, the rest at the residual mix [kgCO2e].

    Offsets are a note and lower nothing.

    Source:
        GHG Protocol, Scope 2 Guidance (2015), market-based method.
    """
    offsets = stated.get("offsets_kg")
    notes = () if not offsets else (f"offsets of {offsets:,.0f} kg are stated; they lower no total",)
    if not {"residual_mix_g_per_kwh", "certificates_kwh", "ppa_kwh"} & stated.keys():
        return Part(None, (), notes)
    ppa, certificates = float(stated.get("ppa_kwh", 0.0)), float(stated.get("certificates_kwh", 0.0))
    if ppa and "ppa_g_per_kwh" not in stated:
        raise InputError("[market] has ppa_kwh without ppa_g_per_kwh: give the intensity of the contract")
    electricity = [one for one in lines if one.energy_kwh is not None]
    mix = stated.get("residual_mix_g_per_kwh")
    value = math.fsum(one.facility_kwh for one in electricity)
    drawn = [math.fsum(each) for each in zip(*(one.facility for one in electricity), strict=True)]
    if mix is None and (max(drawn, default=value)) > ppa + certificates:
        why = "not known: the contracts cover less than the energy, and no residual mix is given"
        return Part(None, (), (*notes, why))
    own = float(stated.get("ppa_g_per_kwh", 0.0))

    def emitted(kwh: float) -> float:
        covered = min(ppa, kwh)
        rest = max(0.0, kwh - ppa - certificates)
        return (covered * own + rest * (mix or 0.0)) / G_PER_KG

    covered = min(1.0, (ppa + certificates) / value) if value else 1.0
    told = f"contracts cover {100 * covered:.0f} % of the electricity over the whole life cycle, not hour by hour"
    made = intervals.from_draws(emitted(value), [emitted(kwh) for kwh in drawn], basis="claimed")
    return Part(made, (), (*notes, told))


def break_even(lines: Sequence[Line], drawn: Drawn) -> list[Line]:
    """Lines in which inference until break-even has the energy of all that came before it."""
    open_lines = [one for one in lines if one.stage == "inference" and one.energy_kwh == 0.0 and one.note]
    if not open_lines:
        return list(lines)
    before = [one for one in lines if one.stage not in ("inference", "other")]
    if len(open_lines) > 1 or not before:
        raise InputError("break-even needs one inference stage and stages before it")
    each_kwh = float(open_lines[0].note or 0.0)
    spent = math.fsum(one.energy_kwh or 0.0 for one in before)
    ratio = [math.fsum(each) for each in zip(*(one.energy for one in before), strict=True)]
    requests = intervals.from_draws(spent / each_kwh, [one / each_kwh for one in ratio])
    facility, emissions = spent, spent / G_PER_KG
    facility_draws, emitted = list(ratio), [one / G_PER_KG for one in ratio]
    for factor in open_lines[0].factors:
        emissions *= factor.known
        emitted = _times(emitted, drawn.of_factor(factor))
        if factor.kind == "pue":
            facility *= factor.known
            facility_draws = _times(facility_draws, drawn.of_factor(factor))
    made = dataclasses.replace(
        open_lines[0],
        energy_kwh=spent,
        facility_kwh=facility,
        emissions_kg=emissions,
        energy=tuple(ratio),
        facility=tuple(facility_draws),
        emissions=tuple(emitted),
        note=f"break-even after {_rounded(requests)} requests of {each_kwh * W_PER_KW:g} Wh",
    )
    return [made if one is open_lines[0] else one for one in lines]


def parent_line(stated: Mapping[str, Any], drawn: Drawn) -> tuple[Line, Footprint | None]:
    """Share of the parent's footprint, and its record where one is named.

    Raises:
        InputError: Neither a share nor a number of descendants is given, or the parent has no emissions.
    """
    if ("share" in stated) == ("descendants" in stated):
        raise InputError("[parent]: give either share, or descendants, the number of models that share it")
    if "descendants" in stated and stated["descendants"] < 1:
        raise InputError(
            f"[parent]: descendants is {stated['descendants']:g}; it is at least 1, this model included"
        )
    share = stated.get("share", 1.0 / stated.get("descendants", 1.0))
    record = drawn.records(stated["record"]) if "record" in stated else None
    if record is not None:
        kg, kwh = record.emissions_kg, record.energy_kwh
        making = record.embodied_kg
    else:
        kg = Quantity(value=stated["emissions_kg"], basis="claimed") if "emissions_kg" in stated else None
        kwh = Quantity(value=stated["energy_kwh"], basis="claimed") if "energy_kwh" in stated else None
        making = None
    if kg is None:
        raise InputError("[parent]: give record, or emissions_kg of the parent")
    name = stated.get("name") or (record.name if record else None) or "parent model"
    emitted = drawn.of("parent", kg)
    extra = "" if making is None else "; its embodied share is not in it"
    line = Line(
        stage="parent",
        name=f"share of {name}",
        energy_kwh=None if kwh is None else kwh.value * share,
        facility_kwh=0.0,
        emissions_kg=kg.value * share,
        energy=(0.0,) * intervals.DRAWS
        if kwh is None
        else tuple(one * share for one in drawn.of("parent kwh", kwh)),
        facility=(0.0,) * intervals.DRAWS,
        emissions=tuple(one * share for one in emitted),
        basis=kg.basis,
        note=f"{share:.3g} of {kg.value:,.4g} kg{extra}",
        on_site=False,
    )
    return line, record


def _rounded(quantity: Quantity) -> str:
    words = [f"{one:.2g}" for one in (quantity.value, quantity.low or 0.0, quantity.high or 0.0)]
    return f"{words[0]} ({words[1]} to {words[2]})"


def _given(prior: Factor, stated: float | None) -> Factor:
    if stated is None:
        return prior
    return dataclasses.replace(prior, key="given", value=stated, low=stated, high=stated, source="given")


def _times(first: Sequence[float], second: Sequence[float]) -> list[float]:
    return [a * b for a, b in zip(first, second, strict=True)]
