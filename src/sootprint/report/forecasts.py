"""Section on what the run was forecast to take, and what it took."""

from __future__ import annotations

from sootprint.charts.foreseen import Foreseen, expected, foreseen
from sootprint.charts.scale import ENERGY, MASS, Unit, percent
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.report import figures
from sootprint.report.parts import Section, table

COLUMNS = ("Done", "Energy", "90 % interval", "CO2e", "Time", "Error")


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """Forecasts against what came, where a record has any."""
    found = foreseen(footprint)
    if not found:
        return ()
    quantities = [one.energy_kwh for one in found]
    scored = any(one.energy_error is not None for one in found)
    actual = footprint.energy_kwh if scored else None
    unit = figures.unit_of(
        max([*quantities, *([actual] if actual else [])], key=lambda one: one.value), ENERGY
    )
    rows = [_row(one, unit) for one in found]
    if actual is not None:
        rows.append(_actual(footprint, actual, unit))
    caption = f"Energy of the whole run [{unit.name}], as it was forecast from its first part"
    shown = table(caption, COLUMNS, rows, numbers=(1, 2, 3, 4, 5), total=actual is not None)
    return (
        Section(key="forecasts", title="Forecasts of the run", lead=_lead(footprint, found), table=shown),
    )


def _lead(footprint: Footprint, found: tuple[Foreseen, ...]) -> str:
    stated = expected(footprint)
    told = f"The run was expected to do {clean(stated)[:80]}. " if stated else ""
    earlier = max(one.earlier for one in found)
    if earlier > 0:
        known = "an earlier run of this name" if earlier == 1 else f"{earlier} earlier runs of this name"
        told += f"How {known} went on is part of the forecasts. "
    scored = [one for one in found if one.inside is not None]
    if not scored:
        return f"{told}The forecasts are not scored, as it is not known to have done just that."
    held = sum(1 for one in scored if one.inside)
    return f"{told}The energy in the end lies in {held} of {len(scored)} intervals."


def _row(one: Foreseen, unit: Unit) -> tuple[str, ...]:
    return (
        percent(one.progress),
        figures.value(one.energy_kwh, unit),
        figures.interval(one.energy_kwh, unit),
        figures.amount(one.emissions_kg, MASS),
        figures.duration(one.duration_s.value) if one.duration_s else figures.NOT_KNOWN,
        _error(one),
    )


def _actual(footprint: Footprint, actual: Quantity, unit: Unit) -> tuple[str, ...]:
    duration = figures.NOT_KNOWN if footprint.duration_s is None else figures.duration(footprint.duration_s)
    return (
        "In the end",
        figures.value(actual, unit),
        "",
        figures.amount(footprint.emissions_kg, MASS),
        duration,
        "",
    )


def _error(one: Foreseen) -> str:
    if one.energy_error is None:
        return ""
    outside = ", outside" if one.inside is False else ""
    return f"{100.0 * one.energy_error:+.1f} %{outside}"
