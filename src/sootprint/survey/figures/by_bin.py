"""A measure by bin of years: dots, means with their intervals, and the average over all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts import logarithm
from sootprint.survey.figures.cells import heights
from sootprint.survey.figures.scatter import Measure, placed
from sootprint.survey.figures.style import DOT_OPACITY, HEIGHT, MOST_POINTS, STAR, Categories

if TYPE_CHECKING:
    import polars as pl

BIN_WIDTH, MOST_WIDTH = 108, 900  # pixels, of a bin and of all
LEGEND = "large: trimmed mean and its interval · small: one row · star: mean over all"
PLACE: dict[str, Any] = {"orient": "top", "columns": 5, "symbolSize": 80}
DOT_AREA, DOT_WIDTH = 4, 2.3  # of a ring without a hole: a dot that has the colour of an edge
NAME_OF_BIN = "replace(datum.value, '-', '–')"
GUTTER = 6  # pixels above the axis, for what a logarithmic axis cannot show


def by_bin(
    points: pl.DataFrame,
    means: pl.DataFrame,
    grand: pl.DataFrame,
    measure: Measure,
    group: str,
    *,
    bins: Sequence[str],
    known: dict[str, tuple[str, str]],
) -> alt.TopLevelMixin:
    """Chart of a measure by bin and group: small dots are rows, large marks trimmed means with their intervals.

    The line with stars is the mean over all groups. An interval stands only where the estimate has one.
    What is 0 or less has no place on a logarithmic axis: it is drawn as a hollow triangle at its foot.

    Args:
        points: Rows with `bin`, `model`, the group and the measure.
        means: One row for each bin and group: `bin`, the group, `n`, `mean`, `low`, `high`.
        grand: One row for each bin, over all groups.
        measure: What is shown.
        group: Column of the groups.
        bins: Bins in their order.
        known: Colour and shape of the known groups.
    """
    kinds = Categories(points[group], known)
    layers = [
        *_dots(points, measure, group, kinds),
        _rules(means, group, kinds),
        _means(means, group, kinds),
        *_grand(grand, bins),
    ]
    y = _y(measure, points, means)
    x = alt.X(
        "bin:N",
        sort=list(bins),
        scale=alt.Scale(domain=list(bins), paddingInner=0.12, paddingOuter=0.06),
        title="year of publication",
        axis=alt.Axis(labelAngle=0, labelExpr=_labels(points, bins), ticks=False, labelPadding=6, grid=False),
    )
    placed_layers = [layer.encode(x=x, y=y(field)) for layer, field in layers]
    words = f"{measure.title} by year of publication and {group}, {points.height} rows."
    return alt.layer(*placed_layers).properties(width=width_of(bins), height=HEIGHT, description=words)


def width_of(bins: Sequence[str]) -> int:
    """Width of a plot with some bins side by side [pixel]."""
    return min(BIN_WIDTH * len(bins), MOST_WIDTH)


def _labels(points: pl.DataFrame, bins: Sequence[str]) -> str:
    """Expression that writes the number of rows below each bin."""
    counts = dict(points["bin"].cast(str).value_counts().iter_rows())
    chosen = "".join(
        f"datum.value == '{name}' ? [{NAME_OF_BIN}, 'n = {counts.get(name, 0):,}'] : " for name in bins
    )
    return f"{chosen}datum.value"


def _y(measure: Measure, points: pl.DataFrame, means: pl.DataFrame) -> Any:
    """Axis of the measure, by the field that a layer shows; None is the foot of the axis."""
    if not measure.log:
        return lambda field: alt.Y(f"{field}:Q", title=measure.title, scale=alt.Scale(zero=True, nice=True))
    held = logarithm.span([*points[measure.field], *means["high"]])
    scale = alt.Scale(type="log", domain=[held.low, held.high], nice=False, clamp=True)
    axis = logarithm.axis(held)
    return lambda field: (
        alt.value(HEIGHT - GUTTER)
        if field is None
        else alt.Y(f"{field}:Q", title=measure.title, scale=scale, axis=axis)
    )


def _dots(
    points: pl.DataFrame, measure: Measure, group: str, kinds: Categories
) -> list[tuple[Any, str | None]]:
    import polars as pl

    data = points.select("bin", "model", pl.col(group).alias("group"), pl.col(measure.field).alias("value"))
    shown = placed(data, measure._replace(field="value"))
    rows = shown.to_dicts() if shown.height <= MOST_POINTS else list(_counted(shown, log=measure.log))
    dots = alt.Chart(alt.InlineData(values=rows)).mark_point(
        filled=False, size=DOT_AREA, strokeWidth=DOT_WIDTH, opacity=DOT_OPACITY
    )
    tooltip = [alt.Tooltip("model:N"), alt.Tooltip("group:N"), alt.Tooltip("value:Q", format=".3~s")]
    encoded = dots.encode(xOffset=_offset(kinds), stroke=_edge(kinds), tooltip=tooltip)
    made: list[tuple[Any, str | None]] = [(encoded, "value")]
    below = data.filter(pl.col("value") <= 0.0) if measure.log else data.clear()
    if below.height:
        feet = alt.Chart(alt.InlineData(values=below.head(MOST_POINTS).to_dicts()))
        triangles = feet.mark_point(shape="triangle-down", size=36, filled=False)
        made.append((triangles.encode(xOffset=_offset(kinds), stroke=_edge(kinds), tooltip=tooltip), None))
    return made


def _counted(data: pl.DataFrame, *, log: bool) -> Iterable[dict[str, Any]]:
    """One dot for each cell of each bin and group."""
    for (name, group), part in data.partition_by("bin", "group", as_dict=True, maintain_order=True).items():
        for middle, count in heights(part["value"].to_numpy(), log=log):
            yield {"bin": name, "group": group, "value": middle, "model": f"{count:,} rows"}


def _estimates(means: pl.DataFrame, group: str) -> pl.DataFrame:
    return (
        means.rename({group: "group"}).select("bin", "group", "n", "mean", "low", "high").drop_nulls("mean")
    )


def _rules(means: pl.DataFrame, group: str, kinds: Categories) -> tuple[Any, str]:
    known = _estimates(means, group).drop_nulls(["low", "high"])
    rules = alt.Chart(alt.InlineData(values=known.to_dicts())).mark_rule(strokeWidth=1.5)
    return rules.encode(xOffset=_offset(kinds), stroke=_edge(kinds), y2="high:Q"), "low"


def _means(means: pl.DataFrame, group: str, kinds: Categories) -> tuple[Any, str]:
    data = alt.InlineData(values=_estimates(means, group).to_dicts())
    chart = alt.Chart(data).mark_point(filled=True, size=110, opacity=1.0, strokeWidth=1)
    tooltip = [alt.Tooltip("group:N"), alt.Tooltip("mean:Q", format=".3~s"), alt.Tooltip("n:Q")]
    colour, shape = (look("group", LEGEND, **PLACE) for look in (kinds.colour, kinds.shape))
    encoded = chart.encode(color=colour, stroke=_edge(kinds), shape=shape)
    return encoded.encode(xOffset=_offset(kinds), tooltip=tooltip), "mean"


def _grand(grand: pl.DataFrame, bins: Sequence[str]) -> list[tuple[Any, str]]:
    """Line through the means over all groups."""
    order = {name: at for at, name in enumerate(bins)}
    rows = [{**row, "at": order[row["bin"]]} for row in grand.select("bin", "n", "mean").to_dicts()]
    data = alt.InlineData(values=[row for row in rows if row["mean"] is not None])
    line = alt.Chart(data).mark_line(style="equal").encode(order="at:O")
    stars = alt.Chart(data).mark_point(shape=STAR, filled=True, size=90, opacity=1.0, style="equal")
    tooltip = [alt.Tooltip("mean:Q", format=".3~s", title="mean over all"), alt.Tooltip("n:Q")]
    return [(line, "mean"), (stars.encode(tooltip=tooltip), "mean")]


def _offset(kinds: Categories) -> alt.XOffset:
    return alt.XOffset("group:N", scale=alt.Scale(domain=kinds.names, paddingOuter=0.3))


def _edge(kinds: Categories) -> alt.Stroke:
    return kinds.edge("group", LEGEND, **PLACE)
