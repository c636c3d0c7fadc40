"""How an energy came about, in about a hundred words made of the record's facts; and where it ends."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.charts.families import Part, name_of, parts
from sootprint.charts.scale import ENERGY
from sootprint.core.letters import clean
from sootprint.core.merging.choose import MERGED
from sootprint.core.records import Footprint
from sootprint.report import figures, whole, words
from sootprint.report.carbon import source_of
from sootprint.report.statements import facts

MOST_PARTS = 3
LONGEST_NAME = 60  # letters of a text of the record in a sentence
_INTERVAL = "The interval holds the true value with 90 % confidence."


def of_energy(footprint: Footprint) -> str:
    """Methodology of the energy; N/A where there is none."""
    if facts.training_kwh(footprint) is None:
        return "N/A"
    return " ".join(_sentences(footprint))


def boundary(footprint: Footprint) -> str:
    """Where the energy ends: which machines, with or without the facility, and what is not in it."""
    if not facts.is_training(footprint):
        return f"The record is of {words.STAGES[footprint.stage]}, not of a training."
    energy = facts.training_kwh(footprint)
    over = facts.facility_kwh(footprint, energy)
    if energy is None or over is None:
        return "No energy is recorded, so there is no boundary to state."
    before = figures.amount(energy, ENERGY)
    around = words.BOUNDARIES[footprint.boundary]
    if facts.has_pue(footprint) and footprint.pue is not None:
        pue = figures.number(footprint.pue.value)
        return (
            f"The energy includes the facility's overhead: {before} of IT energy times a PUE of {pue} is "
            f"{figures.amount(over, ENERGY)}. It is that of {words.SCOPES[footprint.scope]}. {_outside(footprint)}"
        )
    ends = around if footprint.boundary != "facility" else "the machines, as the record states"
    return (
        f"The energy is that of {ends}, before the facility's overhead, which is not known and not in it "
        f"(typically 10 to 60 % on top). It is that of {words.SCOPES[footprint.scope]}. {_outside(footprint)}"
    )


def _outside(footprint: Footprint) -> str:
    inside, outside = facts.staged(footprint)
    if footprint.stages:
        left = f", nor are the stages {', '.join(outside)} of the record" if outside else ""
        return f"It holds the stages {', '.join(inside)}. Making the hardware is not in it{left}."
    if footprint.scope == "project_total":
        return "Making the hardware and using the model are not in it."
    return "Other attempts, data preparation, making the hardware and using the model are not in it."


def _sentences(footprint: Footprint) -> Iterator[str]:
    found = parts(footprint)
    on = facts.devices(footprint)
    yield f"The energy is {facts.obtained(footprint)} (recorded by {words.program(footprint)}){_on(on)}."
    merged = footprint.given.get(MERGED)
    if isinstance(merged, list | tuple) and merged:
        yield f"It is the sum of the records of {len(merged)} nodes or parts, each joule counted once."
    if footprint.stages:
        yield f"It is the sum of the stages {', '.join(facts.staged(footprint)[0])} of a life cycle."
    if found:
        more = len(found) - MOST_PARTS
        largest = "; ".join(_part(one) for one in _largest(found))
        yield f"The largest parts: {largest}{f'; {more} more' if more > 0 else ''}."
        if whole.told(footprint) is not whole.SUM:
            yield f"The total comes from: {clean(whole.told(footprint).total)}."
    if footprint.gaps:
        times = "1 time was" if len(footprint.gaps) == 1 else f"{len(footprint.gaps):,} times were"
        yield f"{times} not read; the record lists how each was treated."
    yield _pue(footprint)
    energy = facts.training_kwh(footprint)
    if energy is not None and energy.low is not None:
        yield _INTERVAL
    grade = footprint.grade
    told = "not stated" if grade is None else f"grade {grade} of A to E, {words.GRADES[grade]}"
    yield f"Evidence: {told}."


def _on(devices: str | None) -> str:
    return (
        ""
        if devices is None
        else f" on {devices if len(devices) < 4 * LONGEST_NAME else 'the devices of the record'}"
    )


def _largest(found: tuple[Part, ...]) -> list[Part]:
    return sorted(found, key=lambda one: -one.energy_kwh.value)[:MOST_PARTS]


def _part(one: Part) -> str:
    """A part of the energy with how it was obtained, e.g. 49 kWh accelerators (sensor, nvml)."""
    name = clean(name_of(one.family))[:LONGEST_NAME].lower().replace("cpu", "CPU")
    meter = clean(one.meter)[:LONGEST_NAME]
    return f"{figures.amount(one.energy_kwh, ENERGY)} {name} ({words.BASES[one.energy_kwh.basis]}, {meter})"


def _pue(footprint: Footprint) -> str:
    if footprint.pue is None or not facts.has_pue(footprint):
        return "The facility's overhead (PUE) is not known and not included."
    told = next((clean(source_of(one)) for one in footprint.factors if one.kind == "pue"), "")
    source = f" ({told})" if told else f" ({words.BASES[footprint.pue.basis]})"
    return (
        f"The energy of the machines is multiplied by a PUE of {figures.number(footprint.pue.value)}{source}."
    )
