"""What the pages of live runs show: numbers in words, power and energy over time as charts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import altair as alt

from sootprint.charts.scale import ENERGY, MASS, fitting
from sootprint.core.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE
from sootprint.hub.drawings import Drawing, drawn
from sootprint.report import figures

MOST_POINTS = 240  # of a chart; longer runs show means over several minutes
HEIGHT = 150
MINUTES_PER_HOUR = SECONDS_PER_HOUR / SECONDS_PER_MINUTE
SAYS = {
    "live": "It reports each minute.",
    "lost": "It has not reported for three minutes. It may go on without a connection; its record comes later.",
    "finished": "It has ended.",
}


def shown(run: dict[str, Any]) -> dict[str, Any]:
    """A run with its numbers in words."""
    return {
        **run,
        "title": run["name"] or f"Run {run['id'][-8:]}",
        "says": SAYS[run["state"]],
        "took": figures.NOT_KNOWN if run["duration_s"] is None else figures.duration(run["duration_s"]),
        "energy": figures.amount(run["energy_kwh"], ENERGY),
        "emissions": figures.amount(run["emissions_kg"], MASS),
    }


def course(run: dict[str, Any]) -> list[Drawing]:
    """Power and energy over time, as far as they are known."""
    minutes = run["minutes"]
    power = tuple((one["minute"], one["power_w"]) for one in minutes if one["power_w"] is not None)
    energy = tuple((one["minute"], one["energy_kwh"]) for one in minutes if one["energy_kwh"] is not None)
    made = [_power(power)] if len(power) > 1 else []
    took = "" if run["duration_s"] is None else f" after {figures.duration(run['duration_s'])}"
    return [*made, _energy(energy, took)] if len(energy) > 1 else made


@lru_cache(maxsize=128)
def _power(points: tuple[tuple[int, float], ...]) -> Drawing:
    mean_w, last_w = sum(one for _, one in points) / len(points), points[-1][1]
    words = f"Power over time: {_watts(last_w)} in the last minute, {_watts(mean_w)} on average."
    return _lines(points, "power [W]", words, area=False)


@lru_cache(maxsize=128)
def _energy(points: tuple[tuple[int, float], ...], took: str) -> Drawing:
    unit = fitting(ENERGY, points[-1][1])
    scaled = tuple((minute, value / unit.size) for minute, value in points)
    words = f"Energy since the start: {scaled[-1][1]:.3g} {unit.name}{took}."
    return _lines(scaled, f"energy [{unit.name}]", words, area=True)


def _lines(points: tuple[tuple[int, float], ...], title: str, words: str, *, area: bool) -> Drawing:
    kept = _thinned(points)
    hours = points[-1][0] > 3 * MINUTES_PER_HOUR
    size, unit = (MINUTES_PER_HOUR, "h") if hours else (1.0, "min")
    rows = [{"x": minute / size, "y": value} for minute, value in kept]

    axis = alt.Axis(tickMinStep=0.5 if hours else 1)

    def chart(width: int) -> alt.TopLevelMixin:
        base = alt.Chart(alt.InlineData(values=rows)).encode(
            x=alt.X("x:Q", title=f"time since the start [{unit}]", scale=alt.Scale(nice=False), axis=axis),
            y=alt.Y("y:Q", title=title, scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(tickCount=4)),
        )
        line = base.mark_line(strokeWidth=2, style="accent")
        layers = alt.layer(base.mark_area(opacity=0.15, style="accent"), line) if area else alt.layer(line)
        return layers.properties(width=width - 60, height=HEIGHT)

    return drawn(chart, words)


def _thinned(points: tuple[tuple[int, float], ...]) -> list[tuple[float, float]]:
    """Means over so many neighbours that at most `MOST_POINTS` are left; the last point stays as it is."""
    step = -(-len(points) // MOST_POINTS)
    groups = [points[start : start + step] for start in range(0, len(points), step)]
    means = [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups
    ]
    return [*means[:-1], (float(points[-1][0]), points[-1][1])]


def _watts(value: float) -> str:
    return f"{value:,.0f} W" if value < 10_000 else f"{value / 1000:,.1f} kW"
