"""What the electricity of the grids is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.survey.figures.names import LETTER
from sootprint.survey.figures.style import SOURCES, Categories

if TYPE_CHECKING:
    import polars as pl

WIDTH = 520
ROW_HEIGHT = 26


def mixes(points: pl.DataFrame) -> alt.TopLevelMixin | None:
    """Bars of the sources of electricity, one for each grid.

    Args:
        points: `name`, `models`, `year`, `source`, `share`; in the order of the bars and of their parts.
    """
    if not points.height:
        return None
    kinds = Categories(points["source"], SOURCES)
    rank = {name: at for at, name in enumerate(kinds.names)}
    rows = [
        {**row, "grid": _label(row), "rank": rank[row["source"]]}
        for row in points.select("name", "models", "year", "source", "share").to_dicts()
    ]
    grids = list(dict.fromkeys(row["grid"] for row in rows))
    legend: dict[str, Any] = {"orient": "top", "columns": 5, "symbolSize": 80}
    tooltip = [alt.Tooltip("grid:N"), alt.Tooltip("source:N"), alt.Tooltip("share:Q", format=".1%")]
    room = round(LETTER * max(map(len, grids)))
    axis = alt.Axis(ticks=False, domain=False, labelLimit=240, labelPadding=6, minExtent=room)
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(height=ROW_HEIGHT - 8, strokeWidth=0.75)
        .encode(
            y=alt.Y("grid:N", sort=grids, title=None, axis=axis),
            x=alt.X(
                "share:Q",
                stack="normalize",
                title="share of the generation",
                axis=alt.Axis(format="%", tickCount=5),
            ),
            color=kinds.colour("source", "source of electricity", **legend),
            stroke=kinds.edge("source", "source of electricity", **legend),
            order=alt.Order("rank:Q"),
            tooltip=tooltip,
        )
    )
    words = f"Sources of the electricity of {len(grids)} grids."
    drawn: alt.TopLevelMixin = chart.properties(
        width=WIDTH, height=ROW_HEIGHT * len(grids), description=words
    )
    return drawn


def _label(row: dict[str, Any]) -> str:
    return f"{row['name']}, {row['year']} (n = {row['models']:,})"
