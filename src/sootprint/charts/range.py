"""The emissions of a run: a best estimate in its 90 % interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts import logarithm
from sootprint.charts.logarithm import LEAST, MOST
from sootprint.charts.scale import MASS, digits, fitting, number

if TYPE_CHECKING:
    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint

HEIGHT = 46
WIDE = 20.0  # a ratio of the bounds above which equal steps are factors, not differences


def emissions_interval(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of the emissions as a dot in its interval, or None where they are unknown.

    Args:
        footprint: Record with emissions.
        width: Width of the plot [pixel].
    """
    emissions = footprint.emissions_kg
    if emissions is None:
        return None
    unit = fitting(MASS, emissions.value or emissions.high or 0.0)
    row = _row(emissions, unit.size)
    base = alt.Chart(alt.InlineData(values=[row])).encode(x=_x(row, unit.name))
    layers = [base.mark_point(size=110, opacity=1.0, style="accent")]
    if emissions.low is not None and emissions.high is not None:
        band = base.mark_rule(strokeWidth=5, strokeCap="round", opacity=0.4, style="accent")
        layers.insert(0, band.encode(x="low:Q", x2="high:Q"))
    return alt.layer(*layers).properties(width=width, height=HEIGHT, description=_description(row, unit.name))


def _x(row: dict[str, float | None], unit: str) -> Any:
    low, high = row["low"], row["high"]
    title = f"CO₂e [{unit}]"
    if low and high and high > WIDE * low:
        held = logarithm.decades(low, high)
        scale, axis = logarithm.scale(held), logarithm.axis(held)
        return alt.X("value:Q", title=f"{title}, logarithmic scale", scale=scale, axis=axis)
    return alt.X("value:Q", title=title, scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(tickCount=5))


def _row(emissions: Quantity, size: float) -> dict[str, float | None]:
    known = {"value": emissions.value, "low": emissions.low, "high": emissions.high}
    return {name: None if value is None else _drawable(value / size) for name, value in known.items()}


def _drawable(value: float) -> float:
    """A value of at least 0 whose powers of ten are floats, too, whatever a record holds."""
    return 0.0 if value == 0.0 else min(max(value, LEAST), MOST)


def _description(row: dict[str, float | None], unit: str) -> str:
    low, high, value = row["low"], row["high"], row["value"] or 0.0
    told = digits(value, low, high)
    if low is None or high is None:
        known = "interval unknown"
    else:
        known = f"90 % interval {number(low, told)} to {number(high, told)} {unit}"
    return f"Emissions: {number(value, told)} {unit} of CO2e, {known}."
