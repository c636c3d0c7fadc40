"""Charts for a phone: all that is drawn is as wide as a page there, and its labels can be read."""

import re

import altair as alt
import pytest

from sootprint import charts
from sootprint.charts import narrow

BINS = ("2012-2016", "2017", "2018")
ROWS = [{"bin": name, "n": n + 1, "task": f"a task with a long name {n}"} for n, name in enumerate(BINS)]


def _bars(expression: str) -> alt.Chart:
    axis = alt.Axis(labelAngle=0, labelExpr=expression)
    colour = alt.Color(
        "task:N",
        scale=alt.Scale(domain=[row["task"] for row in ROWS]),
        legend=alt.Legend(title="large · small"),
    )
    x = alt.X("bin:N", axis=axis, title="year")
    made = alt.Chart(alt.InlineData(values=ROWS)).mark_bar().encode(x=x, y="n:Q", color=colour)
    return made.properties(width=900, height=100)


@pytest.mark.parametrize("beside", [False, True])
def test_drawing_is_no_wider_than_a_phone(beside: bool) -> None:
    """Wide plots shrink, panels side by side stand one below the other, legends above."""
    counted = "datum.value == '2017' ? [replace(datum.value, '-', '–'), 'n = 1,234'] : datum.value"
    chart = _bars(counted) if not beside else alt.hconcat(_bars(counted), _bars(counted))
    drawn = narrow.svg(charts.spec(chart))
    width, height = (
        float(re.search(rf'<svg[^>]* {side}="([\d.]+)"', drawn)[1]) for side in ("width", "height")
    )
    assert width <= narrow.WIDTH
    assert (height > 330) == beside
    assert "’17" in drawn
    assert ">1,234<" in drawn


def test_bins_of_years_have_two_lines() -> None:
    """2012-2016 has no room in one."""
    drawn = narrow.svg(charts.spec(_bars("replace(datum.value, '-', '–')")))
    assert re.search(r"’12</tspan><tspan[^>]*>–16", drawn)
