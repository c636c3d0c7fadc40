"""Quality over emissions or energy, one panel for each task, with the Pareto front of each data set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt

from sootprint.charts import logarithm
from sootprint.charts.logarithm import Span
from sootprint.survey.figures import names
from sootprint.survey.figures.cells import cells
from sootprint.survey.figures.scatter import Measure, counted, placed, tooltips
from sootprint.survey.figures.style import DOT_OPACITY, FILL_OPACITY, MOST_POINTS, SOURCES, Categories

if TYPE_CHECKING:
    import polars as pl

COLUMNS = 2
PANEL_WIDTH, PANEL_HEIGHT = 300, 220
GAP, ROW_GAP = 70, 78  # between the plots of two panels, their labels included
HEADING = 10  # pixels between a panel and its name
MOST_TICKS = 6  # of a panel
LEAST = 3  # rows of a panel; with fewer there is nothing to see
ROOM = 10  # pixels that a panel leaves free above its best row and below its worst
NAME_ROOM = 28  # the same above the best row where fronts have names
FILLINGS = ("filled", "hollow")  # of the points of the largest data set of a panel, and of the others
FIRST = (
    "Machine Translation",
    "Image Classification",
    "Question Answering",
    "Named Entity Recognition",
)  # as printed


class _Axes(NamedTuple):
    field: str
    x: alt.X
    y: alt.Y
    dense: bool  # whether there are so many points that they are counted
    costs: Span
    values: tuple[float, float]  # ends of the ordinate

    def pixels(self, rows: pl.DataFrame) -> list[names.Point]:
        """Where rows stand in the panel."""
        low, high = math.log10(self.costs.low), math.log10(self.costs.high)
        bottom, top = self.values
        return [
            (
                PANEL_WIDTH * (math.log10(cost) - low) / (high - low),
                PANEL_HEIGHT * (top - value) / (top - bottom),
            )
            for cost, value in rows.select(self.field, "metric_value").iter_rows()
        ]


def fronts(points: pl.DataFrame, members: pl.DataFrame, cost: Measure) -> alt.TopLevelMixin | None:
    """Chart of panels side by side with one axis of costs, or None where no task has three rows.

    A front is drawn as steps: no point between two members was reached by any of the rows. Data sets of one task
    have fronts of their own, each with its name beside it; the points of all but the largest of them are hollow.
    The panels of the paper come first, in its order.

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
    dense = shown.height > MOST_POINTS
    panels = []
    for task, metric in _order(shown):
        here = (pl.col("task") == task) & (pl.col("metric") == metric)
        named = shown.filter(here)["dataset"].n_unique() > 1
        ends = _ends(shown.filter(here)["metric_value"].to_list(), above=NAME_ROOM if named else ROOM)
        scale = alt.Scale(domain=list(ends), nice=False)
        y = alt.Y("metric_value:Q", title=metric, scale=scale, axis=alt.Axis(tickCount=6))
        axes = _Axes(cost.field, x, y, dense, held, ends)
        made = _panel(shown.filter(here), placed(members, cost).filter(here), axes, kinds)
        made = alt.layer(made, _heading(task))
        panels.append(made.properties(width=PANEL_WIDTH, height=PANEL_HEIGHT))
    words = f"Quality over {cost.title}: {shown.height} rows, {members.height} of them on a front."
    spacing = alt.RowColnumber(row=ROW_GAP, column=GAP)
    drawn: alt.TopLevelMixin = alt.concat(
        *panels, columns=COLUMNS, spacing=spacing, bounds="flush"
    ).properties(description=words)
    return drawn


def _order(points: pl.DataFrame) -> list[tuple[str, str]]:
    """Task and metric of each panel: first those of the paper, in its order, then those with the most rows."""
    counts = (
        points.group_by("task", "metric")
        .len()
        .sort("task", "metric")
        .sort("len", descending=True, maintain_order=True)
    )
    found = [(str(task), str(metric)) for task, metric, _ in counts.iter_rows()]
    return sorted(found, key=lambda panel: FIRST.index(panel[0]) if panel[0] in FIRST else len(FIRST))


def _ends(values: list[float], *, above: int) -> tuple[float, float]:
    """Ends of an axis that leaves some pixels free above and below all values."""
    low, high = min(values), max(values)
    pixel = (high - low or 1.0) / (PANEL_HEIGHT - ROOM - above)
    return low - ROOM * pixel, high + above * pixel


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
        layers.append(_names(points, members, axes, datasets))
    return alt.layer(*layers)


def _points(points: pl.DataFrame, axes: _Axes, kinds: Categories, *, filled: bool) -> Any:
    fields = ["model", "dataset", "year", "source", "metric_value", axes.field]
    legend: dict[str, Any] = {"orient": "right", "symbolSize": 80}
    base = alt.Chart(alt.InlineData(values=points.select(fields).to_dicts())).encode(
        x=axes.x,
        y=axes.y,
        stroke=kinds.edge("source", "main source", **legend),
        shape=kinds.shape("source", "main source", **legend),
        tooltip=tooltips(*fields),
    )
    if not filled:
        return base.mark_point(filled=False, opacity=DOT_OPACITY, size=60, strokeWidth=1.5)
    made = base.mark_point(filled=True, opacity=1.0, fillOpacity=FILL_OPACITY, size=60, strokeWidth=0.75)
    return made.encode(color=kinds.colour("source", "main source", **legend))


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


def _names(points: pl.DataFrame, members: pl.DataFrame, axes: _Axes, datasets: list[str]) -> Any:
    """Name of the data set beside each front, and how its points are drawn."""
    taken = [] if axes.dense else axes.pixels(points)
    found: list[names.Name] = []
    for (dataset,), front in members.sort(axes.field).partition_by("dataset", as_dict=True).items():
        text = f"{_short(dataset, datasets)} ({FILLINGS[dataset != datasets[0]]})"
        others = [
            *taken,
            *((one.x + names.LETTER * at, one.y) for one in found for at in range(len(one.text))),
        ]
        found.append(names.placed(text, axes.pixels(front), others, width=PANEL_WIDTH, height=PANEL_HEIGHT))
    words = alt.Chart(alt.InlineData(values=[one._asdict() for one in found]))
    return words.mark_text(align="left", baseline="middle").encode(
        x=alt.X("x:Q", scale=None, axis=None), y=alt.Y("y:Q", scale=None, axis=None), text="text:N"
    )


def _short(name: Any, others: Sequence[str | None]) -> str:
    """Name without the words that all names begin with; of a data set that is not told, that it is not.

    >>> _short("WMT2014 English-French", ["WMT2014 English-French", "WMT2014 English-German"])
    'English-French'
    >>> _short(None, [None, "ImageNet"])
    'data set not told'
    """
    if name is None:
        return "data set not told"
    words = [other.split() for other in others if other is not None]
    common = 0
    while all(len(found) > common + 1 for found in words) and len({found[common] for found in words}) == 1:
        common += 1
    return " ".join(str(name).split()[common:])
