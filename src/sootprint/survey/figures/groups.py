"""Emissions of each family of architecture, or of each stage: dots, their median, and the interval of their mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts import logarithm
from sootprint.survey.figures.cells import heights
from sootprint.survey.figures.scatter import EMISSIONS, placed
from sootprint.survey.figures.style import DOT_OPACITY, MOST_POINTS, WIDTH

if TYPE_CHECKING:
    import polars as pl

ROW_HEIGHT = 38
FEWEST = 2  # groups, below which there is nothing to compare


def groups(points: pl.DataFrame, means: pl.DataFrame) -> alt.TopLevelMixin | None:
    """Chart of the emissions by group on a logarithmic axis, the group with the largest median on top.

    Args:
        points: Rows with `group`, `model` and `emissions_kg`.
        means: One row for each group: `group`, `n`, `median`, `geometric_low`, `geometric_high`.
    """
    shown = placed(points, EMISSIONS)
    if means.height < FEWEST or not shown.height:
        return None
    held = logarithm.span([*shown["emissions_kg"], *means["geometric_low"], *means["geometric_high"]])
    x: dict[str, Any] = {
        "title": EMISSIONS.title,
        "scale": logarithm.scale(held),
        "axis": logarithm.axis(held),
    }
    named = {row["group"]: f"{row['group']} (n = {row['n']:,})" for row in means.to_dicts()}
    y = alt.Y("name:N", sort=list(named.values()), title=None, axis=alt.Axis(ticks=False, labelLimit=220))
    dots = alt.Chart(alt.InlineData(values=list(_dots(shown, named)))).mark_point(
        filled=True, size=28, opacity=DOT_OPACITY * 0.5, style="accent"
    )
    tooltip = [alt.Tooltip("model:N"), alt.Tooltip("value:Q", format=".3~s")]
    rows = [{**row, "name": named[row["group"]]} for row in means.to_dicts()]
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    known = base.transform_filter("datum.geometric_low !== null")
    layers = [
        dots.encode(x=alt.X("value:Q", **x), y=y, tooltip=tooltip),
        known.mark_rule(strokeWidth=2).encode(x=alt.X("geometric_low:Q", **x), x2="geometric_high:Q"),
        base.mark_tick(size=22, thickness=2.5).encode(x=alt.X("median:Q", **x)),
    ]
    words = f"{EMISSIONS.title} by group, {shown.height} rows in {means.height} groups."
    return alt.layer(*layers).properties(width=WIDTH, height=ROW_HEIGHT * means.height, description=words)


def _dots(points: pl.DataFrame, named: dict[str, str]) -> Iterable[dict[str, Any]]:
    """A dot for each row, or for each cell of a group where they are too many to be told apart."""
    few = points.height <= MOST_POINTS
    for (group,), part in points.partition_by("group", as_dict=True, maintain_order=True).items():
        if few:
            for row in part.to_dicts():
                yield {"name": named[group], "model": row["model"], "value": row["emissions_kg"]}
            continue
        for middle, count in heights(part["emissions_kg"].to_numpy(), log=True):
            yield {"name": named[group], "model": f"{count:,} rows", "value": middle}
