"""One number against another, each on a logarithmic or a plain axis, by main energy source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt

from sootprint.charts import logarithm
from sootprint.survey.figures.cells import cells
from sootprint.survey.figures.style import FILL_OPACITY, HEIGHT, MOST_POINTS, SOURCES, WIDTH, Categories

if TYPE_CHECKING:
    import polars as pl


MOST_TICKS = 8  # of a plain axis


class Measure(NamedTuple):
    """A column that an axis shows."""

    field: str
    title: str
    log: bool = True


ENERGY = Measure("energy_kwh", "energy [kWh]")
EMISSIONS = Measure("emissions_kg", "emissions [kgCO₂e]")
INTENSITY = Measure("intensity_g_per_kwh", "carbon intensity [gCO₂e/kWh]", log=False)
GIVEN = Measure("given", "emissions as given [kgCO₂e]")
RECOMPUTED = Measure("recomputed", "emissions recomputed [kgCO₂e]")
DEVICE_HOURS = Measure("device_hours", "device hours [h]")


def scatter(
    points: pl.DataFrame,
    x: Measure,
    y: Measure,
    *,
    size: Measure | None = None,
) -> alt.TopLevelMixin:
    """Chart of one measure over another with the source as colour and shape; above 20,000 points, their density.

    Args:
        points: Rows with the two columns; what is not above 0 has no place on a logarithmic axis and is left out.
        x: Measure of the abscissa.
        y: Measure of the ordinate.
        size: Measure that the area of a point shows.
    """
    shown = placed(points, x, y)
    axes = {"x": _axis(alt.X, x, shown), "y": _axis(alt.Y, y, shown)}
    made = _density(shown, x, y, axes) if shown.height > MOST_POINTS else _points(shown, x, y, axes, size)
    words = f"{y.title} over {x.title}, {shown.height} rows."
    drawn: alt.TopLevelMixin = made.properties(width=WIDTH, height=HEIGHT, description=words)
    return drawn


def pairs(points: pl.DataFrame, x: Measure, y: Measure) -> alt.TopLevelMixin | None:
    """Chart of two measures of one thing on equal axes, with the line on which they agree.

    Args:
        points: Rows with the two columns.
        x: Measure of the abscissa.
        y: Measure of the ordinate.
    """
    shown = placed(points, x, y)
    if not shown.height:
        return None
    held = logarithm.span([*shown[x.field], *shown[y.field]])
    scale, axis = logarithm.scale(held), logarithm.axis(held)
    axes = {
        "x": alt.X(f"{x.field}:Q", title=x.title, scale=scale, axis=axis),
        "y": alt.Y(f"{y.field}:Q", title=y.title, scale=scale, axis=axis),
    }
    ends = alt.InlineData(values=[{x.field: end, y.field: end} for end in (held.low, held.high)])
    equal = alt.Chart(ends).mark_line(strokeDash=[4, 3], style="equal").encode(x=axes["x"], y=axes["y"])
    dense = shown.height > MOST_POINTS
    made = _density(shown, x, y, axes) if dense else _points(shown, x, y, axes, None)
    words = f"{y.title} against {x.title}, {shown.height} rows."
    drawn: alt.TopLevelMixin = alt.layer(equal, made).properties(
        width=HEIGHT, height=HEIGHT, description=words
    )
    return drawn


def placed(points: pl.DataFrame, *measures: Measure) -> pl.DataFrame:
    """Rows that have a place on the axes of some measures."""
    import polars as pl

    for measure in measures:
        column = pl.col(measure.field)
        points = points.filter(column > 0.0 if measure.log else column.is_not_null())
    return points


def _axis(channel: Any, measure: Measure, points: pl.DataFrame) -> Any:
    if not measure.log:
        scale = alt.Scale(zero=True, nice=True)
        ticks = alt.Axis(tickCount=MOST_TICKS)
        return channel(f"{measure.field}:Q", title=measure.title, scale=scale, axis=ticks)
    held = logarithm.span(points[measure.field])
    return channel(
        f"{measure.field}:Q", title=measure.title, scale=logarithm.scale(held), axis=logarithm.axis(held)
    )


def _points(points: pl.DataFrame, x: Measure, y: Measure, axes: dict[str, Any], size: Measure | None) -> Any:
    fields = ["model", "task", "year", "source", x.field, y.field, *([size.field] if size else [])]
    kinds = Categories(points["source"], SOURCES)
    if size is not None:  # small points are drawn last, so that none is hidden
        points = points.sort(size.field, descending=True, maintain_order=True)
    data = alt.InlineData(values=points.select(fields).to_dicts())
    legend: dict[str, Any] = {"orient": "right", "symbolSize": 80}
    encoded = (
        alt.Chart(data)
        .mark_point(filled=True, opacity=1.0, fillOpacity=FILL_OPACITY, strokeWidth=0.75)
        .encode(
            **axes,
            color=kinds.colour("source", "main source", **legend),
            stroke=kinds.edge("source", "main source", **legend),
            shape=kinds.shape("source", "main source", **legend),
            tooltip=tooltips(*fields),
        )
    )
    if size is None:
        return encoded.encode(size=alt.value(70))
    title = size.title.replace("CO₂e", "")
    areas = alt.Legend(title=title, symbolType="circle", symbolFillColor="#808080", tickCount=3)
    return encoded.encode(size=alt.Size(f"{size.field}:Q", scale=alt.Scale(range=[20, 260]), legend=areas))


def tooltips(*fields: str) -> list[alt.Tooltip]:
    """What a page tells of a point: words as they are, numbers to three digits."""
    words = ("model", "task", "dataset", "year", "source", "bin", "country_name")
    return [
        alt.Tooltip(f"{field}:N") if field in words else alt.Tooltip(f"{field}:Q", format=".3~s")
        for field in fields
    ]


def _density(points: pl.DataFrame, x: Measure, y: Measure, axes: dict[str, Any]) -> Any:
    """Counts in the cells of a grid."""
    found = cells(points[x.field].to_numpy(), points[y.field].to_numpy(), log_x=x.log, log_y=y.log)
    edges = {name: one.copy() for name, one in axes.items()}
    edges["x"].shorthand, edges["y"].shorthand = "x:Q", "y:Q"
    chart = alt.Chart(alt.InlineData(values=found)).mark_rect()
    return chart.encode(**edges, x2="x2:Q", y2="y2:Q", color=counted())


def counted() -> alt.Color:
    """Colours of cells by the number of their rows."""
    scale = alt.Scale(type="log", range="ramp")
    return alt.Color("count:Q", scale=scale, legend=alt.Legend(title="rows in a cell"))
