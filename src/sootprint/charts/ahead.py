"""Forecasts of a run against what came in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts.foreseen import Foreseen, foreseen
from sootprint.charts.scale import ENERGY, Unit, digits, digits_of, fitting, number, percent

if TYPE_CHECKING:
    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint

HEIGHT = 150


def forecasts(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of the energy that was forecast at each share of a run, or None for a record without forecasts.

    Args:
        footprint: Record with forecasts.
        width: Width of the plot [pixel].
    """
    found = foreseen(footprint)
    if not found:
        return None
    actual = footprint.energy_kwh if any(one.energy_error is not None for one in found) else None
    unit = fitting(ENERGY, max(one.energy_kwh.high or one.energy_kwh.value for one in found))
    rows = [_row(one, unit) for one in found]
    axis = alt.Axis(labelAngle=0, grid=False)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("done:N", sort=[row["done"] for row in rows], title="done when it was made", axis=axis)
    )
    bands = base.mark_rule(strokeWidth=5, strokeCap="round", opacity=0.4, style="accent")
    layers: list[Any] = [
        bands.encode(y=_y("low", unit), y2="high:Q"),
        base.mark_point(size=70, opacity=1.0, style="accent").encode(y=_y("value", unit)),
    ]
    if actual is not None:
        line = alt.Chart(alt.InlineData(values=[{"actual": actual.value / unit.size}]))
        layers.insert(0, line.mark_rule(strokeDash=[5, 4], strokeWidth=1.5).encode(y=_y("actual", unit)))
    described = _description(rows, unit, actual)
    return alt.layer(*layers).properties(width=width, height=HEIGHT, description=described)


def _y(name: str, unit: Unit) -> Any:
    axis = alt.Axis(tickCount=4)
    return alt.Y(f"{name}:Q", title=f"energy [{unit.name}]", scale=alt.Scale(zero=True), axis=axis)


def _row(one: Foreseen, unit: Unit) -> dict[str, Any]:
    energy = one.energy_kwh
    low = energy.value if energy.low is None else energy.low
    high = energy.value if energy.high is None else energy.high
    return {
        "done": percent(one.progress),
        "value": energy.value / unit.size,
        "low": low / unit.size,
        "high": high / unit.size,
    }


def _description(rows: list[dict[str, Any]], unit: Unit, actual: Quantity | None) -> str:
    listed = "; ".join(_told(row, unit) for row in rows)
    came = (
        ""
        if actual is None
        else f"; actual {number(actual.value / unit.size, digits_of(actual))} {unit.name}"
    )
    return f"Energy of the whole run as it was forecast: {listed}{came}."


def _told(row: dict[str, Any], unit: Unit) -> str:
    sure = digits(row["value"], row["low"], row["high"])
    value, low, high = (number(row[name], sure) for name in ("value", "low", "high"))
    return f"at {row['done']} {value} {unit.name} ({low} to {high})"
