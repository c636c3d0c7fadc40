"""Looks of the charts: paper, web, dark, and page, whose colours the page's style sheet sets.

Colours of categories are those of Okabe & Ito, Color Universal Design (2008), which readers with any common colour
vision tell apart; the scale is viridis of Smith & van der Walt (2015), none of whose steps is the grey of coal. The
font is Roboto, from a package: the renderer's own font lacks the subscript of CO₂.
"""

from __future__ import annotations

from dataclasses import dataclass
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
                "edged": {"stroke": self.background or self.ink, "strokeWidth": 0.8},
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


def colour_of(family: str) -> str:
    """Colour of a family of components."""
    return COLOURS.get(family, OTHER_COLOUR)
