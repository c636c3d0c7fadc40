"""World map by country, drawn from packaged outlines: no tiles, no network.

The outlines are those of Natural Earth 1:110m, which is in the public domain; `tools/build_map.py` made the file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import altair as alt

POINT_AREA = 40  # of a country that has no outline [square pixel]
MOST_STEPS = 6  # of a logarithmic legend
HEIGHT_OVER_WIDTH = 0.46  # of the projection without Antarctica


def world_map(
    rows: Sequence[Mapping[str, Any]],
    *,
    value: str,
    title: str,
    width: int = 640,
    log: bool = False,
    ticks: Sequence[float] | None = None,
) -> alt.TopLevelMixin:
    """Chart of the countries filled by a value; those without one are left pale.

    Args:
        rows: One for each country, with `country` (two letters of ISO 3166-1), `name` and the value.
        value: Name of the value in the rows.
        title: Name and unit of the value for the legend; it may have several lines.
        width: Width of the map [pixel].
        log: Whether colours follow the logarithm of the value, which must be above 0.
        ticks: Values that the legend labels; where they are given it stands below the map. Else even
            steps of a logarithmic scale, or what the renderer chooses.
    """
    outlines = _outlines()
    named = list(ticks) if ticks is not None else _steps(rows, value) if log else []
    legend = alt.Legend(
        title=title.splitlines(),
        orient="bottom-left" if ticks is None else "bottom",
        gradientLength=160,
        gradientThickness=10,
        format="~s",
        tickCount=3,
        values=named if named else alt.Undefined,
    )
    scale = alt.Scale(type="log" if log else "linear", range="ramp", nice=not log)
    fill = alt.Color(f"{value}:Q", scale=scale, legend=legend)
    of_value = alt.Tooltip(f"{value}:Q", title=title.replace("\n", " "), format=".3~g")
    tooltip = [alt.Tooltip("name:N", title="country"), of_value]
    return alt.layer(
        alt.Chart(outlines).mark_geoshape(style="land"),
        _filled(outlines, rows, value).encode(color=fill, tooltip=tooltip),
        _points(rows).encode(color=fill, tooltip=tooltip),
    ).properties(
        width=width,
        height=round(HEIGHT_OVER_WIDTH * width),
        projection=alt.Projection(type="equalEarth"),  # areas can be compared
    )


def _steps(rows: Sequence[Mapping[str, Any]], value: str) -> list[float]:
    """Values that a logarithmic legend names: 1, 3, 10 and so on, or the powers of ten alone where these are many."""
    known = [float(row[value]) for row in rows if row[value]]
    if not known:
        return []
    powers = range(math.floor(math.log10(min(known))), math.floor(math.log10(max(known))) + 1)
    found = [step * 10.0**power for power in powers for step in (1, 3)]
    inside = [one for one in found if min(known) <= one <= max(known)]
    return (
        inside
        if len(inside) <= MOST_STEPS
        else [one for one in inside if one in {10.0**power for power in powers}]
    )


def _filled(outlines: alt.InlineData, rows: Sequence[Mapping[str, Any]], value: str) -> Any:
    """Outlines of the countries that have a value."""
    data = alt.InlineData(values=[dict(row) for row in rows])
    found = alt.LookupData(data=data, key="country", fields=["name", value])
    shapes = alt.Chart(outlines).mark_geoshape(style="filled-land")
    return shapes.transform_lookup(lookup="id", from_=found).transform_filter(f"isValid(datum['{value}'])")


def _points(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Circles for the countries that are too small for an outline."""
    places = _topology()["points"]
    small = [
        {**row, "longitude": places[row["country"]][0], "latitude": places[row["country"]][1]}
        for row in rows
        if row["country"] in places
    ]
    circles = alt.Chart(alt.InlineData(values=small)).mark_circle(
        size=POINT_AREA, opacity=1, style="filled-land"
    )
    return circles.encode(longitude="longitude:Q", latitude="latitude:Q")


def has_place(country: str) -> bool:
    """Whether the map can show a country.

    >>> has_place("SG"), has_place("QQ")
    (True, False)
    """
    return country in _topology()["points"] or country in _codes()


@cache
def _codes() -> frozenset[str]:
    return frozenset(shape["id"] for shape in _topology()["objects"]["countries"]["geometries"])


@cache
def _topology() -> dict[str, Any]:
    text = (resources.files("sootprint.charts") / "data" / "world.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def _outlines() -> alt.InlineData:
    return alt.InlineData(values=_shapes(), format=alt.TopoDataFormat(type="topojson", feature="countries"))


@cache
def _shapes() -> str:
    """Outlines as one text: an object of so many numbers is copied dozens of times on its way, which takes seconds."""
    shapes = {key: value for key, value in _topology().items() if key != "points"}
    return json.dumps(shapes, separators=(",", ":"))
