"""A record in a line, as an interpreter shows it, and in a small table, as a notebook does."""

from __future__ import annotations

import html
from collections.abc import Iterator

from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.core.scale import ENERGY, EXACT, MASS, NOT_KNOWN, Unit, amount, duration, spread

_MOST = 60  # letters of a name in a line


def line(footprint: Footprint) -> str:
    """Name, emissions and energy with their 90 % intervals, time, place, evidence and identity of a record."""
    told = ", ".join(f"{label} {_joined(value, bounds)}" for label, value, bounds in _rows(footprint))
    return f"<Footprint {_name(footprint)}: {told}; {footprint.id}>"


def page(footprint: Footprint) -> str:
    """The same as a table of HTML."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(label.capitalize())}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td>"
        f"<td style='text-align:left'>{html.escape(f'90 % interval {bounds}' if bounds else '')}</td></tr>"
        for label, value, bounds in _rows(footprint)
    )
    name = html.escape(_name(footprint))
    return f"<table><caption style='text-align:left'>Carbon footprint of {name}</caption>{rows}</table>"


def _rows(footprint: Footprint) -> Iterator[tuple[str, str, str]]:
    """Label, value and interval of each thing that is shown."""
    yield ("emissions", *_quantity(footprint.emissions_kg, MASS, " CO2e"))
    yield ("energy", *_quantity(footprint.energy_kwh, ENERGY))
    yield "time", NOT_KNOWN if footprint.duration_s is None else duration(footprint.duration_s), ""
    yield "zone", clean(footprint.place.zone or NOT_KNOWN), ""
    yield "grade", footprint.grade or NOT_KNOWN, ""


def _quantity(quantity: Quantity | None, units: tuple[Unit, ...], of: str = "") -> tuple[str, str]:
    if quantity is None:
        return NOT_KNOWN, ""
    bounds = spread(quantity, units)
    return f"{amount(quantity, units)}{of}", "" if bounds in (NOT_KNOWN, EXACT) else bounds


def _joined(value: str, bounds: str) -> str:
    return f"{value} (90 %: {bounds})" if bounds else value


def _name(footprint: Footprint) -> str:
    name = clean(footprint.name or "without a name")
    return name if len(name) <= _MOST else f"{name[: _MOST - 1]}…"
