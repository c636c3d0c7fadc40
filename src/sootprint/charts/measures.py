"""What each measure of an advice would save, as bars with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from sootprint.charts.advised import Advised, advised, time_words
from sootprint.charts.scale import MASS, digits_of, fitting, number, percent
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint

ROW_HEIGHT = 32
MOST_BARS = 12
TICKS = [0.0, 0.25, 0.5, 0.75, 1.0]
WIDE = 400  # width of a plot with room for mass and time behind each bar [pixel]
ROOM = {True: 210, False: 70}  # pixels right of all of it, for the words behind the longest bar
LONGEST_LABEL = 160  # pixels
PIXELS_PER_LETTER = 7  # room for labels in a page whose font is wider than ours


def measures_kept(footprint: Footprint, *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of the advice that a record keeps, or None where it keeps none.

    Args:
        footprint: Record of `sootprint advise --keep`.
        width: Width of the plot without its labels [pixel].
    """
    return savings_by_measure(advised(footprint), width=width)


def savings_by_measure(measures: Sequence[Advised], *, width: int = 640) -> alt.TopLevelMixin | None:
    """Chart of what each measure alone would save, or None where none saves.

    Args:
        measures: Measures that save, of `charts.advised`; the first twelve are drawn.
        width: Width of the plot without its labels [pixel].
    """
    shown = [one for one in measures if one.share.value > 0.0][:MOST_BARS]
    if not shown:
        return None
    room = ROOM[width >= WIDE]
    rows = [_row(one, wide=width >= WIDE) for one in shown]
    x = alt.X(
        "value:Q",
        title="share of the emissions that each alone would save"
        if width >= WIDE
        else "share of the emissions saved",
        scale=alt.Scale(domain=[0.0, width / (width - room)], nice=False),
        axis=alt.Axis(values=TICKS, format="%", domain=False, ticks=False),
    )
    extent = min(LONGEST_LABEL, PIXELS_PER_LETTER * max(len(row["measure"]) for row in rows))
    labels = alt.Axis(ticks=False, domain=False, labelPadding=8, labelLimit=LONGEST_LABEL, minExtent=extent)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("measure:N", sort=[row["measure"] for row in rows], title=None, axis=labels)
    )
    known = base.transform_filter("datum.low !== null && datum.high !== null")
    layers = [
        base.mark_bar(height=ROW_HEIGHT // 2, style="accent", opacity=0.75).encode(x=x),
        known.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q"),
        *(known.mark_tick(size=10, thickness=1.5).encode(x=f"{end}:Q") for end in ("low", "high")),
        base.mark_text(align="left", dx=8).encode(x="end:Q", text="words:N"),
    ]
    return alt.layer(*layers).properties(
        width=width, height=ROW_HEIGHT * len(rows), description=_description(rows)
    )


def _row(one: Advised, *, wide: bool) -> dict[str, Any]:
    share = one.share
    words = percent(share.value)
    if wide:
        mass = "" if one.kg is None else f", {_mass(one.kg)}"
        time = "" if one.time_factor is None else f"; time {time_words(one.time_factor, one.wait_h)}"
        words = f"{words}{mass}{time}"
    return {
        "measure": clean(one.name.replace("_", " ")),
        "value": share.value,
        "low": None if share.low is None else max(0.0, share.low),
        "high": share.high,
        "end": share.value if share.high is None else share.high,
        "words": words,
    }


def _mass(kg: Quantity) -> str:
    unit = fitting(MASS, kg.value)
    return f"{number(kg.value / unit.size, digits_of(kg))} {unit.name}"


def _description(rows: list[dict[str, Any]]) -> str:
    listed = []
    for row in rows:
        bounds = (
            ""
            if row["low"] is None or row["high"] is None
            else f" ({percent(row['low'])} to {percent(row['high'])})"
        )
        listed.append(f"{row['measure']} {row['words']}{bounds}")
    return f"What each measure alone would save of the emissions: {'; '.join(listed)}."
