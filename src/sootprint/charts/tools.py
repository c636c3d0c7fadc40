"""One run under the formulas of several tools, as bars of emissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from sootprint.charts.scale import MASS, fitting
from sootprint.charts.theme import COLOURS, edge_of
from sootprint.estimator.compare import ToolFigure

ROW_HEIGHT = 30
PIXELS_PER_TICK = 90
LABEL_ROOM = 170  # pixels right of the longest bar, for the words behind it


def emissions_by_tool(figures: Sequence[ToolFigure], *, width: int = 560) -> alt.TopLevelMixin | None:
    """Chart of the emissions of one run by each tool, or None where no tool has a figure.

    Ours is the coloured one; the words behind a bar say the factor that makes most of the difference.

    Args:
        figures: Figures of `estimator.compare.by_tools`.
        width: Width of the plot without its labels [pixel].
    """
    known = [one for one in figures if one.emissions_kg is not None]
    if not known:
        return None
    largest = max(one.emissions_kg or 0.0 for one in known)
    unit = fitting(MASS, largest)
    rows = [_row(one, unit.size, first=one is figures[0]) for one in known]
    axis = alt.Axis(tickCount=max(2, width // PIXELS_PER_TICK), domain=False, ticks=False)
    room = largest / unit.size * (1.0 + LABEL_ROOM / width)
    x = alt.X(
        "value:Q", title=f"CO₂e [{unit.name}]", axis=axis, scale=alt.Scale(domain=[0, room], nice=False)
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=x,
        y=alt.Y(
            "tool:N",
            sort=[row["tool"] for row in rows],
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=8, labelLimit=200),
        ),
    )
    height = ROW_HEIGHT // 2
    bars = [
        base.transform_filter("datum.ours").mark_bar(height=height, style="accent"),
        base.transform_filter("!datum.ours").mark_bar(height=height, color=edge_of(COLOURS["node"])),
    ]
    words = base.mark_text(align="left", dx=6, style="muted").encode(text="words:N")
    return alt.layer(*bars, words).properties(
        width=width, height=ROW_HEIGHT * len(rows), description=_description(rows, unit.name)
    )


def _row(one: ToolFigure, size: float, *, first: bool) -> dict[str, Any]:
    over = "" if one.over_ours is None or first else f"× {one.over_ours:.2f}"
    words = ", ".join(filter(None, [over, one.makes_it.partition(" (")[0]]))
    return {"tool": one.tool, "value": (one.emissions_kg or 0.0) / size, "words": words, "ours": first}


def _description(rows: list[dict[str, Any]], unit: str) -> str:
    listed = (f"{row['tool']} {row['value']:.3g} {unit} {row['words']}".strip() for row in rows)
    return f"Emissions of one run by tool: {'; '.join(listed)}."
