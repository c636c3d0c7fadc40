"""Looks of the charts: paper, web, dark, and page, whose colours the page's style sheet sets.

Colours of categories are those of Okabe & Ito, Color Universal Design (2008), which readers with any common colour
vision tell apart; the scale is viridis of Smith & van der Walt (2015), none of whose steps is the grey of coal. The
font is Roboto, from a package: the renderer's own font lacks the subscript of CO₂.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

FONT = "Roboto"
COLOURS = {
    "accelerator": "#0072B2",
    "cpu": "#E69F00",
    "dram": "#009E73",
    "storage": "#CC79A7",
    "network": "#56B4E9",
    "node": "#999999",
    "wall": "#D55E00",
}
OTHER_COLOUR = "#F0E442"
HOURS = (
    "#007F5C",
    "#8C949C",
    "#0072B2",
)  # that ran, that did not, and that were planned; told from both grounds
EDGE_LUMINANCE = 0.2  # 4.2 to 1 on the white of a light page and on #14191e of a dark one
RAMP = (
    "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26",
    "#fde725",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours and sizes of a chart around its data.

    Args:
        ink: Colour of text and of marks without a category.
        muted: Colour of axis labels and notes.
        grid: Colour of grid lines.
        shade: Colour of bands behind the data.
        accent: Colour of the one thing that a chart is about.
        background: Colour behind the chart, or None for what lies below it.
        font_size: Size of the labels [pixel].
        bright_is_more: Whether large values of a colour scale are the bright ones, as on a dark ground.
        ramp: Colours of the scale, from dark to bright.
    """

    ink: str
    muted: str
    grid: str
    shade: str
    accent: str
    background: str | None
    font_size: int
    bright_is_more: bool = False
    ramp: tuple[str, ...] = RAMP

    def config(self) -> dict[str, Any]:
        """Vega-Lite configuration of this theme."""
        labels = self._labels()
        return {
            "font": FONT,
            "background": self.background,
            "view": {"stroke": None},
            "axis": {
                **labels,
                "gridColor": self.grid,
                "domainColor": self.grid,
                "tickColor": self.grid,
                "titlePadding": 8,
                "labelFlush": False,
            },
            "legend": {**labels, "symbolType": "square", "symbolStrokeWidth": 0, "columnPadding": 24},
            "header": {name: value for name, value in labels.items() if name != "titleLimit"},
            "title": {"font": FONT, "fontSize": self.font_size + 1, "fontWeight": "bold", "color": self.ink},
            "range": {"ramp": list(self.ramp if self.bright_is_more else reversed(self.ramp))},
            **self._marks(),
        }

    def _labels(self) -> dict[str, Any]:
        """Labels and titles of axes, legends and headers."""
        return {
            "labelFont": FONT,
            "titleFont": FONT,
            "labelFontSize": self.font_size,
            "titleFontSize": self.font_size,
            "labelColor": self.muted,
            "titleColor": self.muted,
            "titleFontWeight": "normal",
            "titleLimit": 0,
        }

    def _marks(self) -> dict[str, Any]:
        """Marks without a colour of their own, and the named styles."""
        text = {"font": FONT, "fontSize": self.font_size, "color": self.ink}
        return {
            "text": text,
            "rule": {"color": self.ink},
            "tick": {"color": self.ink},
            "point": {"color": self.accent, "filled": True},
            "line": {"color": self.accent, "strokeWidth": 1.5},
            "style": {
                "gap": {"color": self.shade, "stroke": self.ink, "strokeDash": [2, 2], "strokeWidth": 1},
                "accent": {"color": self.accent},
                "muted": {**text, "color": self.muted},
                "heading": {**text, "fontSize": self.font_size + 1},
                "land": {"color": self.shade, "stroke": self.background, "strokeWidth": 0.5},
                "front": {"color": self.ink, "strokeWidth": 1.2},
                "equal": {"color": self.muted, "strokeWidth": 1.0},
                "filled-land": {"stroke": self.ink, "strokeWidth": 0.4},
            },
        }


THEMES = {
    "paper": Theme(
        ink="#000000",
        muted="#333333",
        grid="#d9d9d9",
        shade="#e6e6e6",
        accent="#0072B2",
        background="#ffffff",
        font_size=10,
    ),
    "web": Theme(
        ink="#1a1f24",
        muted="#4d5761",
        grid="#dde1e5",
        shade="#e7eaed",
        accent="#0072B2",
        background="#ffffff",
        font_size=12,
    ),
    "dark": Theme(
        ink="#eceff2",
        muted="#aeb7c0",
        grid="#39424b",
        shade="#2c343c",
        accent="#56B4E9",
        background="#14191e",
        font_size=12,
        bright_is_more=True,
    ),
    "page": Theme(
        ink="var(--ink)",
        muted="var(--muted)",
        grid="var(--line)",
        shade="var(--shade)",
        accent="var(--accent)",
        background=None,
        font_size=12,
        ramp=RAMP[2:-1],  # the ground may be light or dark: neither end is lost on it
    ),
}


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 for black and 1 for white.

    Args:
        colour: Six hexadecimal digits behind a #.

    Source:
        WCAG 2.2, definition of relative luminance.
    """
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def edge_of(colour: str) -> str:
    """The colour made as dark or as pale as can be told from both grounds: for lines, dots and outlines of marks.

    Vivid yellow is lost on white, and deep blue on black; the edge around a mark is not (WCAG 2.2, 1.4.11).

    >>> edge_of("#F0E442"), edge_of("#0072B2")
    ('#857e20', '#4380b7')
    """
    light = luminance(colour)
    parts = _linear(colour)
    if light >= EDGE_LUMINANCE:
        found = [part * EDGE_LUMINANCE / light for part in parts]
    else:
        white = (EDGE_LUMINANCE - light) / (1.0 - light)
        found = [part + white * (1.0 - part) for part in parts]
    coded = (12.92 * one if one <= 0.0031308 else 1.055 * one ** (1 / 2.4) - 0.055 for one in found)
    return "#" + "".join(f"{round(255 * one):02x}" for one in coded)


def _linear(colour: str) -> list[float]:
    """Red, green and blue of a colour in proportion to their light."""
    coded = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in coded]


def colour_of(family: str) -> str:
    """Colour of a family of components."""
    return COLOURS.get(family, OTHER_COLOUR)
