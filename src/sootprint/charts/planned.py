"""The intensity ahead in each zone of a plan, with the hours that were chosen."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from sootprint.core import utc

if TYPE_CHECKING:
    from sootprint.planner.outcomes import Option
    from sootprint.planner.proposal import Plan
    from sootprint.planner.views import View

HEIGHT = 150
INTERVAL = "dashed: 90 % interval, from how earlier forecasts missed"
CHOSEN, ELSEWHERE = "hours chosen", "other hours"


def planned(plan: Plan, *, width: int = 640) -> alt.TopLevelMixin:
    """Chart of the intensity in each zone, one above the other, with the chosen hours filled.

    Args:
        plan: Plan of a job.
        width: Width of the plot [pixel].
    """
    most = max(float(_high(view).max()) for view in plan.views)
    rows = [
        _zone(
            view,
            plan.chosen,
            most=most,
            width=width,
            first=view is plan.views[0],
            last=view is plan.views[-1],
        )
        for view in plan.views
    ]
    return alt.vconcat(*rows, spacing=14).properties(description=_description(plan))


def _zone(view: View, chosen: Option, *, most: float, width: int, first: bool, last: bool) -> Any:
    rows = _rows(view, chosen)
    base = alt.Chart(alt.InlineData(values=rows))
    axis = alt.Axis(format="%a %H:%M", tickCount=8, grid=False)
    x = alt.X("start:T", title="UTC" if last else None, scale=alt.Scale(type="utc"), axis=axis)
    y_axis = alt.Axis(tickCount=4)
    y = alt.Y(
        "expected:Q", title=f"{view.zone} [gCO₂e/kWh]", scale=alt.Scale(domain=[0.0, most]), axis=y_axis
    )
    shown = alt.Color(
        "runs:N",
        scale=alt.Scale(domain=[CHOSEN, ELSEWHERE], range=["#009E73", "#B8C0C8"]),
        legend=alt.Legend(title=None, orient="top", offset=4),
    )
    layers: list[Any] = [base.mark_bar().encode(x=x, x2="end:T", y=y, y2="zero:Q", color=shown)]
    chart = alt.layer(*layers, *_bounds(view)).properties(width=width, height=HEIGHT)
    if view.misses is None or not first:
        return chart
    words = alt.TitleParams(INTERVAL, anchor="end", fontWeight="normal", fontSize=11, orient="top", offset=4)
    return chart.properties(title=words)


def _bounds(view: View) -> list[Any]:
    """Lines of the interval of each step, or none where nobody says how sure the figures are."""
    if view.misses is None:
        return []
    stamps = [utc.text_of(view.start + step * view.step, "seconds") for step in range(view.expected.size + 1)]
    lines = []
    for bound in (_low(view), _high(view)):
        drawn = [float(value) for value in (*bound, bound[-1])]
        rows = [{"start": at, "bound": value} for at, value in zip(stamps, drawn, strict=True)]
        base = alt.Chart(alt.InlineData(values=rows))
        mark = base.mark_line(interpolate="step-after", strokeWidth=1, strokeDash=[3, 2], style="accent")
        lines.append(mark.encode(x="start:T", y="bound:Q"))
    return lines


def _rows(view: View, chosen: Option) -> list[dict[str, Any]]:
    hours = set(chosen.hours) if chosen.zone == view.zone else set()
    return [
        {
            "start": utc.text_of(view.start + step * view.step, "seconds"),
            "end": utc.text_of(view.start + (step + 1) * view.step, "seconds"),
            "expected": float(view.expected[step]),
            "zero": 0.0,
            "runs": CHOSEN if (view.start + step * view.step).astimezone(UTC) in hours else ELSEWHERE,
        }
        for step in range(view.expected.size)
    ]


def _low(view: View) -> Any:
    drawn = view.draws()
    return view.expected if drawn is None else np.quantile(drawn, 0.05, axis=0)


def _high(view: View) -> Any:
    drawn = view.draws()
    return view.expected if drawn is None else np.quantile(drawn, 0.95, axis=0)


def _description(plan: Plan) -> str:
    zones = "; ".join(
        f"{view.zone} {float(view.expected.min()):.0f} to {float(view.expected.max()):.0f} g/kWh"
        for view in plan.views
    )
    chosen = plan.chosen
    return (
        f"Carbon intensity ahead: {zones}. Chosen: {len(chosen.hours)} steps in {chosen.zone} "
        f"from {chosen.start:%Y-%m-%d %H:%M} to {chosen.end:%Y-%m-%d %H:%M} UTC."
    )
