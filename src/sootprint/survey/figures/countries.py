"""Where trainings were run: a map of intensities, and the countries by number of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts.world import has_place, world_map
from sootprint.survey.figures.style import SOURCES, Categories

if TYPE_CHECKING:
    import polars as pl

MAP_WIDTH = 620
BAR_WIDTH = 150
ROW_HEIGHT = 17
MOST_BARS = 20
LEAST_LOG = 10  # models of the country with the most, from which the colours follow the logarithm


def countries(points: pl.DataFrame) -> alt.TopLevelMixin | None:
    """Chart of a world map filled by median intensity, beside bars of the number of models by their main source.

    Args:
        points: One row for each country, the most models first: `country_code`, `country_name`, `models`, `median`
            (of the intensity), `source`.
    """
    if not points.height:
        return None
    on_map = _places(points, "median")
    title = "median carbon intensity\n[gCO₂e/kWh]"
    drawn: Any = world_map(on_map, value="median", title=title, width=MAP_WIDTH)
    words = f"Map of {len(on_map)} countries by median carbon intensity, and number of models of each."
    made: alt.TopLevelMixin = (
        alt.hconcat(drawn, _bars(points.head(MOST_BARS)), spacing=20)
        .resolve_scale(color="independent", stroke="independent")
        .properties(description=words)
    )
    return made


def models(points: pl.DataFrame) -> alt.TopLevelMixin | None:
    """Chart of a world map filled by the number of models, in logarithmic steps.

    Args:
        points: One row for each country: `country_code`, `country_name`, `models`.
    """
    if not points.height:
        return None
    on_map = _places(points, "models")
    log = int(points["models"].max() or 0) >= LEAST_LOG  # type: ignore[arg-type]
    drawn: Any = world_map(on_map, value="models", title="models", width=MAP_WIDTH, log=log)
    made: alt.TopLevelMixin = drawn.properties(
        description=f"Map of {len(on_map)} countries by number of models."
    )
    return made


def _places(points: pl.DataFrame, value: str) -> list[dict[str, Any]]:
    """Rows of the countries that the map can show."""
    return [
        {"country": row["country_code"], "name": row["country_name"], value: row[value]}
        for row in points.to_dicts()
        if has_place(row["country_code"]) and row[value] is not None
    ]


def _bars(points: pl.DataFrame) -> Any:
    kinds = Categories(points["source"], SOURCES)
    legend: dict[str, Any] = {"orient": "bottom", "columns": 3, "symbolSize": 80}
    names = points["country_name"].to_list()
    data = alt.InlineData(values=points.select("country_name", "models", "source").to_dicts())
    axis = alt.Axis(ticks=False, domain=False, labelLimit=160, labelPadding=6)
    base = alt.Chart(data).encode(y=alt.Y("country_name:N", sort=names, title=None, axis=axis))
    x = alt.X("models:Q", axis=None)
    looks = {"color": kinds.colour, "stroke": kinds.edge}
    shown = {name: look("source", "most frequent main source", **legend) for name, look in looks.items()}
    bars = base.mark_bar(height=ROW_HEIGHT - 5, strokeWidth=1).encode(x=x, **shown)
    counts = base.mark_text(align="left", dx=4).encode(x=x, text="models:Q")
    title = alt.TitleParams("models", anchor="start", frame="group")
    return alt.layer(bars, counts).properties(width=BAR_WIDTH, height=ROW_HEIGHT * len(names), title=title)
