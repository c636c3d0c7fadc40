"""Charts of the hub's pages, drawn on the server as SVG in the page's own colours; no script is needed to see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
from altair.utils.schemapi import debug_mode

from sootprint.charts import svg
from sootprint.charts.scale import ENERGY, MASS, Unit, fitting
from sootprint.core.quantity import Quantity
from sootprint.hub import plot
from sootprint.hub.leaderboards import Standing
from sootprint.report import figures
from sootprint.report.figures import amount

Point = tuple[float, float]  # cost and value
Points = tuple[Point, ...]
WIDE, NARROW = 700, 340  # plot widths for a desk and for a phone [pixel]
_PLAIN = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"|<desc>.*?</desc>', re.DOTALL)


class Drawing(NamedTuple):
    """A chart in two widths, and what it shows in words."""

    wide: str
    narrow: str
    described: str


@lru_cache(maxsize=512)
def beside(claimed: Quantity | None, recomputed: Quantity | None, name: str = "claimed") -> Drawing | None:
    """Claimed and recomputed emissions with their intervals, one below the other; None where neither is known.

    Args:
        claimed: As the record has them.
        recomputed: As the hub computes them, or None.
        name: What the first is called.
    """
    known = [(name, one) for name, one in ((name, claimed), ("recomputed", recomputed)) if one is not None]
    if not known or max(one.value for _, one in known) <= 0.0:
        return None
    unit = fitting(MASS, max(one.value for _, one in known))
    rows = [_row(said, one, unit) for said, one in known]
    words = [f"{said} {figures.value(one, unit)} {unit.name}{_spread(one, unit)}" for said, one in known]
    bounds = [(row["name"], row["low"], row["value"], row["high"]) for row in rows]
    wide, narrow = (plot.intervals(bounds, title=f"CO₂e [{unit.name}]", width=one) for one in (WIDE, NARROW))
    return Drawing(wide, narrow, f"Emissions: {'; '.join(words)}.")


def rates(rows: Sequence[tuple[str, float | None, float | None, float | None]]) -> Drawing | None:
    """Response rates with their intervals, one below the other; None where nobody was asked.

    Args:
        rows: Name, low, rate and high [0-1]; None where it is not known.
    """
    told = [
        (name, _percent(low), 100.0 * rate, _percent(high))
        for name, low, rate, high in rows
        if rate is not None
    ]
    if not told:
        return None
    shown: dict[str, Any] = {"title": "response rate [%]", "shares": True}
    wide, narrow = (plot.intervals(told, width=one, **shown) for one in (WIDE, NARROW))
    said = "; ".join(f"{name} {rate:.3g} %{_of_rate(low, high)}" for name, low, rate, high in told)
    return Drawing(wide, narrow, f"Response rate by stratum with 95 % intervals: {said}.")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100.0 * share


def _of_rate(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"


def standing(found: Standing, *, metric: str, cost: str, before: int = 0) -> Drawing | None:
    """Quality over cost, with the front as a step line; None where no entry has both.

    Args:
        found: A leaderboard with the entries of a page, and its fronts.
        metric: Name of the metric.
        cost: emissions_kg or energy_kwh.
        before: Entries that stand before those of this page.
    """
    front = tuple(point for point in found.fronts[cost] if point[0] > 0.0)
    others = tuple((row[cost], row["value"]) for row in found.entries if row[cost] and row[cost] > 0.0)
    if not front:
        return None
    named = metric, _TITLES[cost].partition(" ")[0]
    words = _told(found, front, others, named, before=before)
    if not before:
        words += f" The best value is {front[-1][1]:.4g}, at {_best(found, front[-1], cost)}."
    return _standing(front, others, (metric, cost, words))


def _told(found: Standing, front: Points, others: Points, named: tuple[str, str], *, before: int) -> str:
    """What a chart of a leaderboard shows, in words."""
    metric, of = named
    words = (
        f"{metric} over {of}: {found.n:,} {'record' if found.n == 1 else 'records'}, "
        f"{len(front)} of them on the front (diamonds)."
    )
    if before and found.entries:
        return (
            f"{words} Beside the front, entries {before + 1:,} to {before + len(found.entries):,} are drawn."
        )
    n = sum(point not in front for point in others)
    if found.n > len(others) and found.n > len(front):
        words += f" Beside the front {f'the {n:,} best are' if n else 'none is'} drawn."
    return words


def _best(found: Standing, best: Point, cost: str) -> str:
    """Cost of the best entry in the digits that its interval supports, as the table below has it."""
    row = next((one for one in found.entries if (one[cost], one["value"]) == best), {})
    name, _, unit = cost.rpartition("_")
    low, high = (row.get(f"{name}_{end}_{unit}") for end in ("low", "high"))
    return amount(Quantity(value=best[0], low=low, high=high), _UNITS[cost])


@lru_cache(maxsize=64)
def _standing(front: Points, entries: Points, said: tuple[str, str, str]) -> Drawing:
    metric, cost, words = said
    others = [point for point in entries if point not in front]
    shown = [(*point, False) for point in others] + [(*point, True) for point in front]
    title = _TITLES[cost]
    wide, narrow = (plot.quality(shown, metric=metric, title=title, width=width) for width in (WIDE, NARROW))
    return Drawing(wide, narrow, words)


_UNITS = {"emissions_kg": MASS, "energy_kwh": ENERGY}
_TITLES = {"emissions_kg": "emissions [kg CO₂e]", "energy_kwh": "energy [kWh]"}


def drawn(draw: Callable[[int], alt.TopLevelMixin], words: str) -> Drawing:
    """Drawing of a chart in both widths.

    Args:
        draw: Function that gives the chart for a width of the plot [pixel].
        words: What it shows.
    """
    with debug_mode(False):  # checking each part takes as long as the rest
        wide, narrow = (_PLAIN.sub("", svg(draw(width), "page")) for width in (WIDE, NARROW))
    return Drawing(wide, narrow, words)


def _row(name: str, one: Quantity, unit: Unit) -> dict[str, Any]:
    low, high = (None if bound is None else bound / unit.size for bound in (one.low, one.high))
    return {"name": name, "value": one.value / unit.size, "low": low, "high": high}


def _spread(one: Quantity, unit: Unit) -> str:
    if one.low is None or one.high is None or one.low == one.high:
        return ""
    return f", 90 % interval {figures.interval(one, unit)} {unit.name}"
