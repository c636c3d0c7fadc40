"""Where the width of an estimate comes from: a bar a factor, the widest on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts.scale import MASS, Unit, fitting
from sootprint.estimator.explain import TIERS, Swing, tornado

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

ROW_HEIGHT = 30
BAR = 16
NAMES = {"below the best estimate": "#0072B2", "above the best estimate": "#D55E00"}  # Okabe & Ito (2008)
LABEL_LIMIT = 260  # pixels
SHARE_GAP = 6  # pixels


def width_by_factor(footprint: Footprint, *, width: int = 560) -> alt.TopLevelMixin | None:
    """Chart of the swing of the emissions with each factor, or None where no factor has a spread.

    Args:
        footprint: What `estimate` or `predict` made.
        width: Width of the plot without its labels [pixel].
    """
    swings = tornado(footprint)
    if not swings or footprint.emissions_kg is None:
        return None
    unit = fitting(MASS, max(swing.high for swing in swings))
    value = footprint.emissions_kg.value / unit.size
    rows = [row for swing in swings for row in _rows(swing, value, unit)]
    order = [_label(swing) for swing in swings]
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=_factors(order))
    bars = base.mark_bar(height=BAR).encode(
        x=alt.X("from:Q", title=f"emissions with one factor at its 5th and 95th percentile [{unit.name} CO2e]",
                scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(domain=False, ticks=False)),
        x2="to:Q",
        color=alt.Color("side:N", scale=alt.Scale(domain=list(NAMES), range=list(NAMES.values())),
                        legend=alt.Legend(title=None, orient="top", offset=4)),
    )  # fmt: skip
    said = base.transform_filter("datum.side == 'above the best estimate'")
    shares = said.mark_text(align="left", dx=SHARE_GAP).encode(x="to:Q", text="share:N")
    middle = (
        alt.Chart(alt.InlineData(values=[{"value": value}])).mark_rule(strokeWidth=1.5).encode(x="value:Q")
    )
    return alt.layer(bars, shares, middle).properties(
        width=width, height=ROW_HEIGHT * len(swings), description=_description(swings, value, unit)
    )


def _factors(order: list[str]) -> alt.Y:
    axis = alt.Axis(ticks=False, domain=False, labelPadding=8, labelLimit=LABEL_LIMIT)
    return alt.Y("factor:N", sort=order, title=None, axis=axis)


def _rows(swing: Swing, value: float, unit: Unit) -> list[dict[str, Any]]:
    shared = {"factor": _label(swing), "share": f"{100 * swing.share:.0f} %"}
    ends = (swing.low / unit.size, swing.high / unit.size)
    return [{**shared, "side": side, "from": value, "to": end} for side, end in zip(NAMES, ends, strict=True)]


def _label(swing: Swing) -> str:
    return f"{swing.factor.kind.replace('_', ' ')} ({TIERS[swing.tier].split(' or ')[0]})"


def _description(swings: list[Swing], value: float, unit: Unit) -> str:
    listed = (
        f"{_label(swing)} {swing.low / unit.size:.3g} to {swing.high / unit.size:.3g}, {100 * swing.share:.0f} %"
        for swing in swings
    )
    head = f"Swing of {value:.3g} {unit.name} CO2e with each factor, and its share of the variance"
    return f"{head}: {'; '.join(listed)}."
