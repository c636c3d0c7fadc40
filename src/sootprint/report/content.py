"""What a report says, before any format: a headline, an alert, and sections of text, lists and tables."""

from __future__ import annotations

from dataclasses import dataclass

from sootprint.charts.scale import DEVICE_TIME, ENERGY, MASS, Unit
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.ledger.rows import STATEMENT
from sootprint.report import (
    advice,
    carbon,
    cycle,
    energy,
    evidence,
    figures,
    forecasts,
    provenance,
    sharing,
    waiting,
    words,
)
from sootprint.report.kin import Kin
from sootprint.report.parts import Section

LONG_ENOUGH = 30  # letters that two warnings cannot share by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the headline."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a reader must know first, and what to do about it."""

    title: str
    fix: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A record in words and figures.

    Args:
        title: Name of the run or estimate.
        about: When, where to and for what, in one line.
        alert: Loud remark on the place, or None.
        figures: Emissions, energy and duration.
        equation: The factors and their product in one line, or None where one is unknown or they do not make it.
        sections: The rest, the most important first; those with `detail` are left out of a terminal.
    """

    title: str
    about: str
    alert: Alert | None
    figures: tuple[Figure, ...]
    equation: str | None
    sections: tuple[Section, ...]


def report(footprint: Footprint, kin: Kin | None = None) -> Report:
    """Report of a record, with the runs around and inside of it where a ledger tells."""
    alert, warnings = _alert(footprint)
    sections = (
        *cycle.sections(footprint),
        *waiting.sections(footprint),
        *sharing.sections(footprint, kin),
        *energy.sections(footprint),
        *forecasts.sections(footprint),
        *advice.sections(footprint),
        *carbon.sections(footprint),
        *evidence.sections(footprint, warnings),
        *energy.details(footprint),
        *provenance.sections(footprint),
    )
    return Report(
        title=_title(footprint),
        about=_about(footprint),
        alert=alert,
        figures=_figures(footprint),
        equation=_equation(footprint),
        sections=sections,
    )


def _title(footprint: Footprint) -> str:
    if footprint.name:
        return clean(footprint.name)
    if footprint.model is not None and footprint.model.name:
        return clean(footprint.model.name)
    if footprint.hardware and any(part.meter in ("estimate", "given") for part in footprint.components):
        first = footprint.hardware[0]
        times = "" if "hardware.count" in footprint.unknown else f"{first.count} × "
        return clean(f"Estimate: {times}{first.name}")
    return f"Run {footprint.id[-8:]}"


def _about(footprint: Footprint) -> str:
    said = [figures.moment(footprint.started) if footprint.started else None, footprint.project]
    said += [f"{name}={value}" for name, value in sorted(footprint.tags.items())]
    return " · ".join(clean(text) for text in said if text)


def _alert(footprint: Footprint) -> tuple[Alert | None, tuple[str, ...]]:
    """Remark on an unknown place, and the warnings that do not repeat it."""
    if footprint.place.zone is not None or STATEMENT in footprint.tags:
        return None, footprint.warnings
    for warning in footprint.warnings:
        if warning.startswith("place unknown"):
            title, _, fix = clean(warning).partition("; ")
            others = tuple(other for other in footprint.warnings if not _is_told(other, warning))
            return Alert(title=words.capital(title), fix=words.capital(fix) or None), others
    if footprint.intensity_g_per_kwh is None and footprint.emissions_kg is None:
        title = "Place unknown: without it the emissions cannot be told"
        return Alert(title=title, fix="State the place: --zone FR, or SOOTPRINT_ZONE=FR"), footprint.warnings
    return None, footprint.warnings


def _is_told(other: str, warning: str) -> bool:
    """Whether a warning says again what the one on the place says."""
    said = other.partition(":")[0]
    return other == warning or (len(said) >= LONG_ENOUGH and said in warning)


def _figures(footprint: Footprint) -> tuple[Figure, ...]:
    made = [_quantity("Emissions", footprint.emissions_kg, MASS, of=" CO2e")]
    made.append(_quantity("Energy", footprint.energy_kwh, ENERGY))
    if footprint.duration_s is not None:
        hours = footprint.device_hours
        note = "" if hours is None else _device_hours(hours)
        made.append(Figure(label="Duration", value=figures.duration(footprint.duration_s), note=note))
    elif footprint.device_hours is not None:
        shown = figures.amount(footprint.device_hours, DEVICE_TIME)
        made.append(Figure(label="Device hours", value=shown, note=""))
    return (*made, _place(footprint), _evidence(footprint))


_LONG = {"h": "hours", "min": "minutes", "s": "seconds"}


def _device_hours(hours: Quantity) -> str:
    """Device hours in words, of a short run in minutes or seconds, with their interval where they are not exact."""
    unit = figures.unit_of(hours, DEVICE_TIME)
    spread = figures.spread(hours, DEVICE_TIME)
    around = "" if spread in (figures.NOT_KNOWN, figures.EXACT) else f", 90 % interval {spread}"
    return f"{figures.value(hours, unit)} device {_LONG[unit.name]}{around}"


def _place(footprint: Footprint) -> Figure:
    intensity = footprint.intensity_g_per_kwh
    note = "" if intensity is None else _grid(intensity)
    return Figure(label="Place", value=carbon.place_in_words(footprint.place), note=note)


def _grid(intensity: Quantity) -> str:
    unit = figures.plain_unit("g/kWh")
    return f"{figures.amount(intensity, unit)}, {figures.interval(intensity, unit[0])}"


def _evidence(footprint: Footprint) -> Figure:
    if footprint.grade is None:
        note = "the record does not tell how the energy was obtained"
        return Figure(label="Evidence", value="No grade", note=note)
    note = f"{words.GRADES[footprint.grade]}; A is best, E weakest"
    return Figure(label="Evidence", value=f"Grade {footprint.grade}", note=note)


def _quantity(label: str, quantity: Quantity | None, units: tuple[Unit, ...], *, of: str = "") -> Figure:
    if quantity is None:
        return Figure(label=label, value=words.capital(figures.NOT_KNOWN), note="")
    spread = figures.spread(quantity, units)
    note = f"interval {spread}" if spread == figures.NOT_KNOWN else spread
    if spread not in (figures.NOT_KNOWN, figures.EXACT):
        note = f"90 % interval {spread}"
    return Figure(label=label, value=f"{figures.amount(quantity, units)}{of}", note=note)


def _equation(footprint: Footprint) -> str | None:
    energy_kwh, intensity, emissions = (
        footprint.energy_kwh,
        footprint.intensity_g_per_kwh,
        footprint.emissions_kg,
    )
    if energy_kwh is None or intensity is None or emissions is None or not carbon.is_product(footprint):
        return None
    terms = [
        figures.amount(energy_kwh, ENERGY),
        *_pue(footprint),
        f"{figures.number(intensity.value, figures.digits_of(intensity))} g/kWh",
    ]
    return f"{' × '.join(terms)} = {figures.amount(emissions, MASS)} CO2e"


def _pue(footprint: Footprint) -> list[str]:
    """PUE as a factor of the product; nothing where the record has none."""
    if footprint.pue is None:
        return []
    taken = "taken as " if "pue" in footprint.unknown else ""
    return [f"PUE {taken}{figures.number(footprint.pue.value)}"]
