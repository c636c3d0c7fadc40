"""The course of a run: power over time, and logged metrics over energy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts import power
from sootprint.charts.families import name_of, rank
from sootprint.charts.scale import ENERGY, POWER, TIME, Unit, fitting
from sootprint.charts.theme import colour_of, edge_of

if TYPE_CHECKING:
    from sootprint.core.records import CurvePoint, Footprint

HEIGHT = 220
CURVE_HEIGHT = 110
MOST_METRICS = 4
MOST_POINTS = 500  # of one metric; more than the pixels that they would share
PIXELS_PER_TICK = 90


def power_over_time(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of the power of each family, stacked, with gaps shaded, or None for a record without intervals.

    Args:
        footprint: Record with intervals.
        width: Width of the plot without its labels [pixel].
    """
    found = power.steps(footprint)
    if not found:
        return None
    times, watts = (
        fitting(TIME, max(step.start_s for step in found)),
        fitting(POWER, max(step.high_w for step in found)),
    )
    x_axis = alt.Axis(tickCount=max(2, width // PIXELS_PER_TICK), grid=False)
    y_axis = alt.Axis(tickCount=5, domain=False, ticks=False)
    areas = alt.Chart(alt.InlineData(values=[_row(step, times, watts) for step in found]))
    stack = areas.mark_area(interpolate="step-after", strokeWidth=0.75).encode(
        x=alt.X(
            "time:Q", title=f"time since the start [{times.name}]", axis=x_axis, scale=alt.Scale(nice=False)
        ),
        y=alt.Y("low:Q", title=f"power [{watts.name}]", axis=y_axis),
        y2="high:Q",
        detail="segment:N",
        **_families({step.family for step in found}, columns=width // PIXELS_PER_TICK),
    )
    layers = [stack, *_shades(power.gaps(footprint), times)]
    return alt.layer(*layers).properties(
        width=width, height=HEIGHT, description=_power_in_words(found, watts)
    )


def curve(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Charts of the logged metrics over the energy spent, one below the other, or None where none was logged.

    Args:
        footprint: Record with a curve; its first four metrics are drawn.
        width: Width of the plots without their labels [pixel].
    """
    metrics = list(dict.fromkeys(point.metric for point in footprint.curve))[:MOST_METRICS]
    if not metrics:
        return None
    unit = fitting(ENERGY, max(point.energy_kwh for point in footprint.curve))
    title = f"energy [{unit.name}]"
    panels = []
    for metric in metrics:
        points = [point for point in footprint.curve if point.metric == metric]
        panels.append(_panel(points, unit, width=width, title=title if metric == metrics[-1] else None))
    described = f"{', '.join(metrics)} over energy, {len(footprint.curve)} points."
    return alt.vconcat(*panels, description=described)


def _panel(points: list[CurvePoint], unit: Unit, *, width: int, title: str | None) -> alt.Chart:
    """Chart of one metric over energy."""
    kept = thinned(points, MOST_POINTS)
    rows = [{"energy": point.energy_kwh / unit.size, "value": point.value} for point in kept]
    x_axis = alt.Axis(tickCount=max(2, width // PIXELS_PER_TICK), grid=False)
    y_axis = alt.Axis(tickCount=4, titleLimit=CURVE_HEIGHT)
    chart = alt.Chart(alt.InlineData(values=rows), width=width, height=CURVE_HEIGHT).encode(
        x=alt.X("energy:Q", title=title, axis=x_axis),
        y=alt.Y("value:Q", title=points[0].metric, scale=alt.Scale(zero=False), axis=y_axis),
    )
    drawn: alt.Chart = chart.mark_line(style="accent") if len(rows) > 1 else chart.mark_point(style="accent")
    return drawn


def thinned(items: list[Any], most: int) -> list[Any]:
    """Every n-th item such that at most `most` remain, the last one always among them."""
    stride = -(-len(items) // most)
    return [item for index, item in enumerate(items) if (len(items) - 1 - index) % max(1, stride) == 0]


def _row(step: power.Step, times: Unit, watts: Unit) -> dict[str, Any]:
    return {
        "family": name_of(step.family),
        "segment": step.segment,
        "time": round(step.start_s / times.size, 6),
        "low": round(step.low_w / watts.size, 6),
        "high": round(step.high_w / watts.size, 6),
    }


def _families(found: Iterable[str], *, columns: int) -> dict[str, Any]:
    """Colours of the families and of their edges, their legend in the order of the stack, the lowest first."""
    ordered = sorted(found, key=rank)
    names, colours = [name_of(family) for family in ordered], [colour_of(family) for family in ordered]
    legend = alt.Legend(title=None, orient="top", columns=columns, offset=4, symbolStrokeWidth=1.0)
    looks = {"color": (alt.Color, colours), "stroke": (alt.Stroke, [edge_of(one) for one in colours])}
    return {
        name: channel("family:N", scale=alt.Scale(domain=names, range=shown), legend=legend)
        for name, (channel, shown) in looks.items()
    }


def _shades(gaps: list[power.Span], times: Unit) -> list[Any]:
    """Bands over the times in which something was not read."""
    if not gaps:
        return []
    rows = [{"from": gap.start_s / times.size, "to": gap.end_s / times.size} for gap in gaps]
    bands = alt.Chart(alt.InlineData(values=rows)).encode(x="from:Q", x2="to:Q")
    return [bands.mark_rect(opacity=0.8, style="gap")]


def _power_in_words(found: list[power.Step], watts: Unit) -> str:
    families = ", ".join(name_of(family) for family in sorted({step.family for step in found}, key=rank))
    most = max(step.high_w for step in found) / watts.size
    return f"Power over time of {families}, stacked; at most {most:.3g} {watts.name}."
