"""Charts over years and over the world, drawn on the server in the page's own colours."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt

from sootprint.charts import logarithm
from sootprint.charts.scale import ENERGY, MASS, fitting
from sootprint.charts.world import has_place, world_map
from sootprint.hub.drawings import NARROW, WIDE, Drawing, drawn
from sootprint.hub.insight.trends import Fit, Year
from sootprint.hub.plot import BAND_OPACITY

HEIGHT = 300
_DIGITS = re.compile(r"(\d+\.\d)\d+(?=[^<>]*>)")  # of the geometry; the labels stay as they are
UNITS = {"emissions": MASS, "energy": ENERGY}
TITLES = {"emissions": "CO₂e a training", "energy": "IT energy a training"}


def over_years(years: Sequence[Year], fit: Fit | None, measure: str, words: str) -> Drawing | None:
    """Mean and spread of each year with the line through all records; None where there is no year."""
    return _over_years(tuple(years), fit, measure, words) if years else None


@lru_cache(maxsize=64)
def _over_years(years: tuple[Year, ...], fit: Fit | None, measure: str, words: str) -> Drawing:
    ends_of = [bound for one in years for bound in (one.low, one.mean, one.high) if bound]
    unit = fitting(UNITS[measure], math.sqrt(min(ends_of) * max(ends_of)))  # the middle of the axis
    rows = [
        {
            "year": str(one.year),
            "mean": one.mean / unit.size,
            "low": None if one.low is None else one.low / unit.size,
            "high": None if one.high is None else one.high / unit.size,
        }
        for one in years
    ]
    ends: list[dict[str, Any]] = []
    if fit is not None:
        named = (rows[0]["year"], rows[-1]["year"])
        ends = [{"year": year, "mean": at / unit.size} for year, at in zip(named, fit.at, strict=True)]
    title = f"{TITLES[measure]} [{unit.name}]"
    every = [str(year) for year in range(years[0].year, years[-1].year + 1)]
    return drawn(lambda width: _chart(rows, ends, every, title=title, width=width), words)


def _chart(
    rows: list[dict[str, Any]], ends: list[dict[str, Any]], every: list[str], *, title: str, width: int
) -> alt.TopLevelMixin:
    within = logarithm.span([row[name] for row in rows for name in ("low", "mean", "high")], most=6)
    few = width == NARROW and len(every) > 6
    x = alt.X(
        "year:N",
        title=None,
        sort=every,
        scale=alt.Scale(domain=every),
        axis=alt.Axis(labelAngle=0, ticks=False, values=every[:: 1 + (len(every) > 6)] if few else every),
    )
    scale = logarithm.scale(within)
    axis = logarithm.axis(within)
    y = alt.Y("mean:Q", title=f"{title}, logarithmic scale", scale=scale, axis=axis)
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x)
    bars = base.transform_filter("isValid(datum.low)").mark_rule(
        strokeWidth=6, strokeCap="round", opacity=BAND_OPACITY, style="accent"
    )
    layers = [
        bars.encode(
            y=alt.Y("low:Q", title=f"{title}, logarithmic scale", scale=scale, axis=axis), y2="high:Q"
        ),
        base.mark_point(
            size=110, opacity=1.0, stroke="var(--ground)", strokeWidth=1.5, style="accent"
        ).encode(y=y),
    ]
    if ends:
        fitted = alt.Chart(alt.InlineData(values=ends)).mark_line(
            strokeDash=[5, 4], opacity=0.9, style="front"
        )
        layers.append(fitted.encode(x=x, y=y))
    return alt.layer(*layers).properties(width=width - 60, height=HEIGHT)


def world(rows: Sequence[dict[str, Any]], *, value: str, title: str, words: str) -> Drawing | None:
    """Countries filled by a value, on a logarithmic scale; None where the map can show none of them."""
    shown = [row for row in rows if row[value] and row[value] > 0.0 and has_place(row["country"])]
    if not shown:
        return None
    return _world(tuple((row["country"], row["name"], row[value]) for row in shown), title, words)


@lru_cache(maxsize=16)
def _world(shown: tuple[tuple[str, str, float], ...], title: str, words: str) -> Drawing:
    rows = [{"country": country, "name": name, "value": value} for country, name, value in shown]
    values = [value for _, _, value in shown]
    log = max(values) > 20.0 * min(values)
    ticks = _ticks(min(values), max(values)) if log else None

    def draw(width: int) -> alt.TopLevelMixin:
        whole = width + (40 if width == WIDE else 30)
        return world_map(rows, value="value", title=title, width=whole, log=log, ticks=ticks)

    made = drawn(draw, words)
    return Drawing(_DIGITS.sub(r"\1", made.wide), _DIGITS.sub(r"\1", made.narrow), made.described)


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten within a range, and where they are fewer than three also twice and five times of them."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    whole = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(whole) > 2:
        return whole
    return [step * 10.0**power for power in powers for step in (1, 2, 5) if low <= step * 10.0**power <= high]
