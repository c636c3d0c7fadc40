"""What the total is made of: its concentration on few trainings, and what its spread comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from sootprint.survey.figures.names import LETTER
from sootprint.survey.figures.style import WIDTH

if TYPE_CHECKING:
    import polars as pl

SIDE = 340
ROW_HEIGHT = 34
MOST_POINTS = 1_000  # of a curve; more than its pixels


def concentration(points: pl.DataFrame) -> alt.TopLevelMixin:
    """Lorenz curve of the emissions: what share of the total the smallest trainings make.

    Args:
        points: `runs` and `total`, cumulative shares from 0 to 1.
    """
    shown = points if points.height <= MOST_POINTS else points.gather_every(points.height // MOST_POINTS)
    data = alt.InlineData(values=[*shown.to_dicts(), {"runs": 1.0, "total": 1.0}])
    axis = alt.Axis(format="%", tickCount=5)
    x = alt.X("runs:Q", title="share of the trainings, smallest first", axis=axis)
    y = alt.Y(
        "total:Q", title="share of all emissions", axis=axis, stack=False, scale=alt.Scale(domain=[0, 1])
    )
    area = alt.Chart(data).mark_area(opacity=0.25, interpolate="linear", style="accent").encode(x=x, y=y)
    curve = alt.Chart(data).mark_line().encode(x=x, y=y)
    ends = alt.InlineData(values=[{"runs": end, "total": end} for end in (0.0, 1.0)])
    equal = alt.Chart(ends).mark_line(strokeDash=[4, 3], style="equal").encode(x=x, y=y)
    middle = alt.InlineData(values=[{"runs": 0.5, "total": 0.5, "text": "all equal"}])
    text = (
        alt.Chart(middle)
        .mark_text(align="right", dx=-8, dy=-4, style="muted")
        .encode(x=x, y=y, text="text:N")
    )
    words = "Lorenz curve of the emissions of the trainings."
    return alt.layer(area, equal, text, curve).properties(width=SIDE, height=SIDE, description=words)


def spread(points: pl.DataFrame) -> alt.TopLevelMixin | None:
    """Bars of the shares that time, intensity and power have in the variance of the logarithm of emissions.

    Args:
        points: `factor` and `share`; they sum to 1 and may be negative where factors move against each other.
    """
    if not points.height:
        return None
    data = [{**row, "text": f"{row['share']:.0%}"} for row in points.to_dicts()]
    room = round(LETTER * max(len(row["factor"]) for row in data))
    axis = alt.Axis(ticks=False, domain=False, labelPadding=6, minExtent=room)
    base = alt.Chart(alt.InlineData(values=data)).encode(
        y=alt.Y("factor:N", sort=points["factor"].to_list(), title=None, axis=axis),
        x=alt.X(
            "share:Q", title="share of the variance of log emissions", axis=alt.Axis(format="%", tickCount=5)
        ),
    )
    bars = base.mark_bar(height=ROW_HEIGHT // 2, style="accent")
    labels = base.mark_text(align="left", dx=5).encode(text="text:N")
    listed = ", ".join(f"{row['factor']} {row['text']}" for row in data)
    height = ROW_HEIGHT * len(data)
    return alt.layer(bars, labels).properties(
        width=WIDTH, height=height, description=f"Shares of the spread: {listed}."
    )
