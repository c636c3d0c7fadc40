"""Quality over emissions or energy, one panel for each task, with the Pareto front of each data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt

from sootprint.charts import logarithm
from sootprint.survey.figures.cells import cells
from sootprint.survey.figures.scatter import Measure, counted, placed, tooltips
from sootprint.survey.figures.style import MOST_POINTS, SOURCES, Categories

if TYPE_CHECKING:
    import polars as pl

COLUMNS = 2
PANEL_WIDTH, PANEL_HEIGHT = 300, 220
GAP, ROW_GAP = 70, 78  # between the plots of two panels, their labels included
HEADING = 10  # pixels between a panel and its name
MOST_TICKS = 6  # of a panel
LEAST = 3  # rows of a panel; with fewer there is nothing to see
MARKS = ("● ", "○ ")  # of the largest data set of a panel, and of the others


class _Axes(NamedTuple):
    field: str
    x: alt.X
    y: alt.Y
    dense: bool  # whether there are so many points that they are counted


def fronts(points: pl.DataFrame, members: pl.DataFrame, cost: Measure) -> alt.TopLevelMixin | None:
    """Chart of panels side by side with one axis of costs, or None where no task has three rows.

    A front is drawn as steps: no point between two members was reached by any of the rows. Data sets of one task
    have fronts of their own, named at their right end; the points of all but the largest of them are hollow.

    Args:
        points: Rows with `task`, `dataset`, `metric`, `metric_value` and the cost.
        members: Those of them that are on a front.
        cost: Cost that is shown; what is not above 0 is left out.
    """
    import polars as pl

    shown = placed(points, cost).drop_nulls("metric_value")
    shown = shown.filter(pl.len().over("task", "metric") >= LEAST)
    if not shown.height:
        return None
    kinds = Categories(shown["source"], SOURCES)
    held = logarithm.span(shown[cost.field], most=MOST_TICKS)
    x = alt.X(f"{cost.field}:Q", title=cost.title, scale=logarithm.scale(held), axis=logarithm.axis(held))
    counts = (
        shown.group_by("task", "metric")
        .len()
        .sort(["len", "task", "metric"], descending=[True, False, False])
    )
    dense = shown.height > MOST_POINTS
    panels = []
    for task, metric, _ in counts.iter_rows():
        here = (pl.col("task") == task) & (pl.col("metric") == metric)
        scale = alt.Scale(zero=False, padding=10)
        y = alt.Y("metric_value:Q", title=metric, scale=scale, axis=alt.Axis(tickCount=6))
        made = _panel(
            shown.filter(here), placed(members, cost).filter(here), _Axes(cost.field, x, y, dense), kinds
        )
        made = alt.layer(made, _heading(str(task)))
        panels.append(made.properties(width=PANEL_WIDTH, height=PANEL_HEIGHT))
    words = f"Quality over {cost.title}: {shown.height} rows, {members.height} of them on a front."
    spacing = alt.RowColnumber(row=ROW_GAP, column=GAP)
    drawn: alt.TopLevelMixin = alt.concat(
        *panels, columns=COLUMNS, spacing=spacing, bounds="flush"
    ).properties(description=words)
    return drawn


def _heading(text: str) -> Any:
    """Name of a panel above its frame; a title would stand higher where the axis has a label at its end."""
    words = alt.Chart(alt.InlineData(values=[{"text": text}])).mark_text(
        align="left", baseline="bottom", style="heading"
    )
    return words.encode(x=alt.value(0), y=alt.value(-HEADING), text="text:N")


def _panel(points: pl.DataFrame, members: pl.DataFrame, axes: _Axes, kinds: Categories) -> Any:
    import polars as pl

    counts = points["dataset"].value_counts().sort(["count", "dataset"], descending=[True, False])
    datasets = counts["dataset"].to_list()
    steps, rings = _front(members, axes)
    if axes.dense:
        clouds = [_density(points, axes)]
    else:
        first = pl.col("dataset").eq_missing(datasets[0])
        parts = [(points.filter(first), True), (points.filter(~first), False)]
        clouds = [_points(part, axes, kinds, filled=filled) for part, filled in parts if part.height]
    layers = [steps, *clouds, rings]
    if len(datasets) > 1:
        layers.append(_names(members, axes, datasets))
    return alt.layer(*layers)


def _points(points: pl.DataFrame, axes: _Axes, kinds: Categories, *, filled: bool) -> Any:
    fields = ["model", "dataset", "year", "source", "metric_value", axes.field]
    legend: dict[str, Any] = {"orient": "right", "symbolSize": 80}
    return (
        alt.Chart(alt.InlineData(values=points.select(fields).to_dicts()))
        .mark_point(filled=filled, opacity=0.75, size=60, strokeWidth=0 if filled else 1.5)
        .encode(
            x=axes.x,
            y=axes.y,
            color=kinds.colour("source", "main source", **legend),
            shape=kinds.shape("source", "main source", **legend),
            tooltip=tooltips(*fields),
        )
    )


def _density(points: pl.DataFrame, axes: _Axes) -> Any:
    found = [
        {
            axes.field: cell["x"],
            "x2": cell["x2"],
            "metric_value": cell["y"],
            "y2": cell["y2"],
            "count": cell["count"],
        }
        for cell in cells(points[axes.field].to_numpy(), points["metric_value"].to_numpy(), log_y=False)
    ]
    chart = alt.Chart(alt.InlineData(values=found)).mark_rect()
    return chart.encode(x=axes.x, x2="x2:Q", y=axes.y, y2="y2:Q", color=counted())


def _front(members: pl.DataFrame, axes: _Axes) -> tuple[Any, Any]:
    """Steps through the members of each data set, and a ring around each member."""
    data = alt.InlineData(values=members.select("dataset", axes.field, "metric_value").to_dicts())
    steps = alt.Chart(data).mark_line(interpolate="step-after", style="front")
    rings = alt.Chart(data).mark_point(filled=False, size=120, style="front")
    return steps.encode(x=axes.x, y=axes.y, detail="dataset:N"), rings.encode(x=axes.x, y=axes.y)


def _names(members: pl.DataFrame, axes: _Axes, datasets: list[str]) -> Any:
    """Name of the data set at the right end of each front."""
    last = members.sort(axes.field).unique("dataset", keep="last", maintain_order=True)
    data = [
        {**row, "label": MARKS[row["dataset"] != datasets[0]] + _short(row["dataset"], datasets)}
        for row in last.select("dataset", axes.field, "metric_value").to_dicts()
    ]
    text = alt.Chart(alt.InlineData(values=data)).mark_text(align="left", dx=9, dy=-8)
    return text.encode(x=axes.x, y=axes.y, text="label:N")


def _short(name: str, others: list[str]) -> str:
    """Name without the words that all names begin with.

    >>> _short("WMT2014 English-French", ["WMT2014 English-French", "WMT2014 English-German"])
    'English-French'
    """
    words = [other.split() for other in others]
    common = 0
    while all(len(found) > common + 1 for found in words) and len({found[common] for found in words}) == 1:
        common += 1
    return " ".join(name.split()[common:])
