"""Section on the life cycle: a line for each stage, and what is left out."""

from __future__ import annotations

from sootprint.charts.scale import ENERGY, MASS
from sootprint.core.letters import clean
from sootprint.core.records import Footprint, Stage
from sootprint.report import figures, words
from sootprint.report.parts import Section, table

COLUMNS = ("Stage", "Energy", "CO2e", "90 % interval", "Share", "Basis")
APART = ("embodied",)  # not in the operational total
_OPERATIONAL = "Operational"


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """Stages of a record, where it has any."""
    if not footprint.stages:
        return ()
    largest = max((one.emissions_kg.value for one in footprint.stages if one.emissions_kg), default=0.0)
    rows = [_row(one, footprint) for one in footprint.stages if one.stage not in APART]
    rows.append(_total(footprint))
    rows += [_row(one, footprint) for one in footprint.stages if one.stage in APART]
    caption = "Operational emissions by stage, location-based; what stands below their sum is not in it"
    lead = "" if largest == 0.0 else _largest(footprint, largest)
    shown = table(caption, COLUMNS, rows, numbers=(1, 2, 3, 4))
    notes = tuple(f"{clean(one.stage)}: {clean(one.note)}" for one in footprint.stages if one.note)
    return (Section(key="stages", title="Life cycle", lead=lead, table=shown, items=notes),)


def _largest(footprint: Footprint, largest: float) -> str:
    name = next(
        one.stage for one in footprint.stages if one.emissions_kg and one.emissions_kg.value == largest
    )
    return f"The largest line is {clean(name)}."


def _row(one: Stage, footprint: Footprint) -> tuple[str, ...]:
    kg, whole = one.emissions_kg, footprint.emissions_kg
    part = (
        None
        if kg is None or whole is None or not whole.value or one.stage in APART
        else kg.value / whole.value
    )
    return (
        clean(one.stage),
        "" if one.energy_kwh is None else figures.amount(one.energy_kwh, ENERGY).strip(),
        figures.amount(kg, MASS).strip(),
        "" if kg is None else figures.spread(kg, MASS).strip(),
        "" if part is None else figures.share(part),
        words.BASES[one.basis],
    )


def _total(footprint: Footprint) -> tuple[str, ...]:
    kwh, kg = footprint.energy_kwh, footprint.emissions_kg
    return (
        _OPERATIONAL,
        "" if kwh is None else figures.amount(kwh, ENERGY).strip(),
        figures.amount(kg, MASS).strip(),
        "" if kg is None else figures.spread(kg, MASS).strip(),
        "100 %",
        "sum",
    )
