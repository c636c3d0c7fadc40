"""Colours of marks can be told from the ground of a light and of a dark page (WCAG 2.2, 1.4.11: 3 to 1)."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from sootprint import charts
from sootprint.charts import theme
from sootprint.hub.plot import BAND_OPACITY
from sootprint.survey.figures import style

CSS = resources.files("sootprint.hub").joinpath("static", "hub.css").read_text(encoding="utf-8")
GROUNDS = re.findall(r"--ground: (#[0-9a-f]{6})", CSS)
MARKS = {
    **{name: look[0] for looks in (style.SOURCES, style.TASKS) for name, look in looks.items()},
    **{colour: colour for colour in style.SPARE},
    **theme.COLOURS,
    "other": theme.OTHER_COLOUR,
}


def _contrast(one: str, other: str) -> float:
    """Ratio of two colours, 1 to 21."""
    pale, dark = sorted((theme.luminance(one), theme.luminance(other)), reverse=True)
    return (pale + 0.05) / (dark + 0.05)


def _seen(colour: str, ground: str, opacity: float) -> str:
    """Colour that a mark of an opacity has on a ground."""
    pairs = ((int(colour[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(opacity * mark + (1.0 - opacity) * under):02x}" for mark, under in pairs)


def test_grounds_are_those_of_the_pages() -> None:
    """The themes and the hub's style sheet have one white and one dark ground."""
    assert GROUNDS == ["#ffffff", "#14191e"]
    assert {theme.THEMES[name].background for name in ("web", "paper", "dark")} == set(GROUNDS)


@pytest.mark.parametrize("name", MARKS)
def test_edge_of_each_colour_is_told_from_both_grounds(name: str) -> None:
    """Lines, small dots and the outlines of fillings, be the filling yellow or blue, and dots be they pale."""
    edge = theme.edge_of(MARKS[name])
    for ground in GROUNDS:
        assert _contrast(edge, ground) >= 4.0
        assert _contrast(_seen(edge, ground, style.DOT_OPACITY), ground) >= 3.0


def test_colours_without_an_edge_are_told_from_both_grounds() -> None:
    """Bars of hours stand side by side, where outlines would be a fence; the accent is of each theme."""
    for ground in GROUNDS:
        assert all(_contrast(colour, ground) >= 3.0 for colour in theme.HOURS)
    for name in ("web", "dark"):
        one = theme.THEMES[name]
        assert one.background is not None and _contrast(one.accent, one.background) >= 3.0
        assert _contrast(_seen(one.accent, one.background, BAND_OPACITY), one.background) >= 3.0


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21 to 1, and #767676 the palest grey of 4.5 to 1, as WCAG has it."""
    assert _contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_marks_are_drawn_with_their_edges(read) -> None:
    """A pale filling is never drawn without the darker line around it."""
    for chart in (charts.power_over_time, charts.energy_by_component):
        drawn = charts.svg(chart(read("cluster"))).lower()
        for colour in theme.COLOURS.values():
            assert f'fill="{colour.lower()}"' not in drawn or f'stroke="{theme.edge_of(colour)}"' in drawn
