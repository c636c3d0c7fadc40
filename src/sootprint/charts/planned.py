"""The intensity ahead in each zone of a plan, with the hours that were chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

if TYPE_CHECKING:
    from sootprint.planner.proposal import Option, Plan
    from sootprint.planner.views import View

HEIGHT = 150
CHOSEN, ELSEWHERE = "hours chosen", "other hours"


def planned(plan: Plan, *, width: int = 640) -> alt.TopLevelMixin:
    """Chart of the intensity in each zone, one above the other, with the chosen hours filled.

    Args:
        plan: Plan of a job.
        width: Width of the plot [pixel].
    """
    most = max(float(_high(view).max()) for view in plan.views)
    rows = [
        _zone(view, plan.chosen, most=most, width=width, last=view is plan.views[-1]) for view in plan.views
    ]
    return alt.vconcat(*rows, spacing=14).properties(description=_description(plan))


def _zone(view: View, chosen: Option, *, most: float, width: int, last: bool) -> Any:
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
    if view.misses is not None:
        band = base.mark_area(interpolate="step-after", opacity=0.25, style="accent")
        layers.append(band.encode(x="start:T", y="low:Q", y2="high:Q"))
    return alt.layer(*layers).properties(width=width, height=HEIGHT)


def _rows(view: View, chosen: Option) -> list[dict[str, Any]]:
    hours = set(chosen.hours) if chosen.zone == view.zone else set()
    low, high = _low(view), _high(view)
    return [
        {
            "start": _stamp(view.start + step * view.step),
            "end": _stamp(view.start + (step + 1) * view.step),
            "expected": float(view.expected[step]),
            "low": float(low[step]),
            "high": float(high[step]),
            "zero": 0.0,
            "runs": CHOSEN if (view.start + step * view.step).astimezone(UTC) in hours else ELSEWHERE,
        }
        for step in range(view.expected.size)
    ]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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
