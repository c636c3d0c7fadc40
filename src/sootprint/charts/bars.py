"""Energy by component, as bars with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts.families import Part, parts
from sootprint.charts.scale import ENERGY, Unit, digits_of, fitting, number
from sootprint.charts.theme import colour_of, edge_of

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

ROW_HEIGHT = 32
OBTAINED = ["measured", "modelled or stated"]
FAINT = 0.4  # opacity of what no meter saw
LEGEND_COLOUR = "#808080"  # the legend is about the filling, whatever the colour
PIXELS_PER_TICK = 90
LONGEST_LABEL = 200  # pixels
PIXELS_PER_LETTER = 7  # room for labels in a page whose font is wider than ours


def energy_by_component(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of the energy of each family with its 90 % interval, or None for a record without components.

    Args:
        footprint: Record with components.
        width: Width of the plot without its labels [pixel].
    """
    found = parts(footprint)
    if not found:
        return None
    unit = fitting(ENERGY, max(part.energy_kwh.high or part.energy_kwh.value for part in found))
    rows = [_row(part, unit) for part in found]
    extent = min(LONGEST_LABEL, PIXELS_PER_LETTER * max(len(row["component"]) for row in rows))
    labels = alt.Axis(ticks=False, domain=False, labelPadding=8, labelLimit=LONGEST_LABEL, minExtent=extent)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("component:N", sort=[row["component"] for row in rows], title=None, axis=labels)
    )
    rules = base.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q")
    ends = [base.mark_tick(size=10, thickness=1.5).encode(x=f"{end}:Q") for end in ("low", "high")]
    return alt.layer(*_bars(base, unit=unit, width=width), rules, *ends).properties(
        width=width, height=ROW_HEIGHT * len(rows), description=_description(found, rows, unit)
    )


def _bars(base: alt.Chart, *, unit: Unit, width: int) -> list[alt.Chart]:
    """Bars filled by how they were obtained, and their outlines, so that a faint one has an edge."""
    axis = alt.Axis(tickCount=max(2, width // PIXELS_PER_TICK), domain=False, ticks=False)
    bars = base.encode(x=alt.X("value:Q", title=f"energy [{unit.name}]", axis=axis))
    legend = alt.Legend(title=None, orient="top", offset=4, symbolFillColor=LEGEND_COLOUR)
    filled = bars.mark_bar(height=ROW_HEIGHT // 2).encode(
        fill=alt.Fill("colour:N", scale=None),
        opacity=alt.Opacity(
            "obtained:O", scale=alt.Scale(domain=OBTAINED, range=[1.0, FAINT]), legend=legend
        ),
    )
    edges = bars.mark_bar(height=ROW_HEIGHT // 2, filled=False, strokeWidth=1)
    return [filled, edges.encode(stroke=alt.Stroke("edge:N", scale=None))]


def _row(part: Part, unit: Unit) -> dict[str, Any]:
    energy = part.energy_kwh
    return {
        "component": part.label,
        "colour": colour_of(part.family),
        "edge": edge_of(colour_of(part.family)),
        "value": energy.value / unit.size,
        "low": None if energy.low is None else energy.low / unit.size,
        "high": None if energy.high is None else energy.high / unit.size,
        "obtained": OBTAINED[0] if part.measured else OBTAINED[1],
    }


def _description(found: tuple[Part, ...], rows: list[dict[str, Any]], unit: Unit) -> str:
    listed = (
        f"{part.label} {number(row['value'], digits_of(part.energy_kwh))} {unit.name}, {row['obtained']}"
        for part, row in zip(found, rows, strict=True)
    )
    return f"Energy by component: {'; '.join(listed)}."
