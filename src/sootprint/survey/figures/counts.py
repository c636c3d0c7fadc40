"""How many models of each kind there are in each bin of years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.survey.figures.by_bin import NAME_OF_BIN, width_of
from sootprint.survey.figures.style import SOURCES, Categories

if TYPE_CHECKING:
    import polars as pl

HEIGHT = 260


def counts(points: pl.DataFrame, *, bins: Sequence[str]) -> alt.TopLevelMixin:
    """Chart of bars side by side, one for each main source in each bin of years, each with its number.

    Args:
        points: `source`, `bin`, `models`; empty cells are 0 and drawn as nothing.
        bins: Bins in their order.
    """
    there = points.filter(points["models"] > 0)
    kinds = Categories(there["source"], SOURCES)
    base = alt.Chart(alt.InlineData(values=there.to_dicts())).encode(
        x=alt.X(
            "bin:N",
            sort=list(bins),
            scale=alt.Scale(domain=list(bins), paddingInner=0.15),
            title="year of publication",
            axis=alt.Axis(labelAngle=0, labelExpr=NAME_OF_BIN, ticks=False, labelPadding=6),
        ),
        xOffset=alt.XOffset("source:N", scale=alt.Scale(domain=kinds.names)),
        y=alt.Y("models:Q", title="models", axis=alt.Axis(tickCount=5, tickMinStep=1)),
    )
    legend: dict[str, Any] = {"orient": "top", "symbolSize": 80}
    looks = {"color": kinds.colour, "stroke": kinds.edge}
    shown = {name: look("source", "main source", **legend) for name, look in looks.items()}
    bars = base.mark_bar(strokeWidth=1).encode(**shown)
    labels = base.mark_text(dy=-6).encode(text="models:Q")
    words = f"Number of models by year of publication and main source: {there['models'].sum()}."
    return alt.layer(bars, labels).properties(width=width_of(bins), height=HEIGHT, description=words)
