"""The actual intensity of the hours in which a job could have run, with those planned and those in which it ran."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import altair as alt

from sootprint.charts.theme import HOURS
from sootprint.charts.waiting import Course, Span, Waiting, waiting
from sootprint.core import utc

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

HEIGHT = 130
RAN, FREE, PLANNED = "ran", "did not run", "first plan"
COLOURS = dict(zip((RAN, FREE, PLANNED), HOURS, strict=True))


def waited(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of the actual intensity of each zone, or None for a record that did not wait.

    Args:
        footprint: Record of a plan's last segment.
        width: Width of the plot [pixel].
    """
    found = waiting(footprint)
    if found is None or not found.courses:
        return None
    most = max((value or 0.0 for course in found.courses for value in course.values), default=0.0)
    rows = [
        _zone(course, found, most=most, width=width, last=course is found.courses[-1])
        for course in found.courses
    ]
    return alt.vconcat(*rows, spacing=12).properties(description=_description(found))


def _zone(course: Course, found: Waiting, *, most: float, width: int, last: bool) -> Any:
    axis = alt.Axis(format="%a %H:%M", tickCount=max(3, width // 90), grid=False)
    x = alt.X("start:T", title="UTC" if last else None, scale=alt.Scale(type="utc"), axis=axis)
    y = alt.Y(
        "top:Q",
        title=f"{course.zone} [gCO₂e/kWh]",
        scale=alt.Scale(domain=[-0.09 * most, most or 1.0], nice=False),
        axis=alt.Axis(tickCount=4),
    )
    shown = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(COLOURS)[: 3 if found.planned else 2], range=list(COLOURS.values())),
        legend=alt.Legend(title=None, orient="top", offset=4),
    )
    bars = alt.Chart(alt.InlineData(values=_bars(course, found.ran)))
    drawn: Any = bars.mark_bar(binSpacing=0, strokeWidth=0).encode(
        x=x, x2="end:T", y=y, y2="zero:Q", color=shown
    )
    marks = [
        {
            "start": utc.text_of(one.start),
            "end": utc.text_of(one.end),
            "top": -0.03 * most,
            "zero": -0.08 * most,
            "kind": PLANNED,
        }
        for one in found.planned
        if one.zone == course.zone
    ]
    planned = alt.Chart(alt.InlineData(values=marks))
    under: Any = planned.mark_bar(binSpacing=0, strokeWidth=0).encode(
        x="start:T", x2="end:T", y="top:Q", y2="zero:Q", color=shown
    )
    layers: list[Any] = [drawn, under] if marks else [drawn]
    return alt.layer(*layers).properties(width=width, height=HEIGHT)


def _bars(course: Course, ran: tuple[Span, ...]) -> list[dict[str, Any]]:
    """Steps of a zone, cut where a run begins or ends."""
    own = [one for one in ran if one.zone == course.zone]
    cuts = sorted({*course.edges, *(at for one in own for at in (one.start, one.end))})
    rows, step = [], 0
    for start, end in itertools.pairwise(cuts):
        while step + 1 < len(course.values) and course.edges[step + 1] <= start:
            step += 1
        value = course.values[step]
        if value is None or start < course.edges[0] or end > course.edges[-1]:
            continue
        inside = any(one.start <= start and end <= one.end for one in own)
        kind = RAN if inside else FREE
        rows.append(
            {"start": utc.text_of(start), "end": utc.text_of(end), "top": value, "zero": 0.0, "kind": kind}
        )
    return rows


def _description(found: Waiting) -> str:
    zones = ", ".join(course.zone for course in found.courses)
    return (
        f"Actual carbon intensity of {zones} from when the job could run; it ran in {len(found.ran)} parts."
    )
