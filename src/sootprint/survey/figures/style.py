"""Colours, shapes and order of the categories that the survey's figures tell apart.

Each category has a colour of Okabe & Ito (Color Universal Design, 2008) and a shape, so that a figure can be read in
grey and by readers with any colour vision. Filled marks have an edge, and lines and dots the colour of that edge, which
can be told from a light and from a dark ground.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt

from sootprint.charts.theme import edge_of

WIDTH = 560  # of a figure with one panel [pixel]
HEIGHT = 340
FILL_OPACITY, DOT_OPACITY = 0.75, 0.85  # of points that may hide each other, and of small dots
MOST_POINTS = 20_000  # above it points are counted in cells, as no reader could tell them apart
UNKNOWN = "Unknown"

X_MARK = "M-.9,-.6L-.6,-.9L0,-.3L.6,-.9L.9,-.6L.3,0L.9,.6L.6,.9L0,.3L-.6,.9L-.9,.6L-.3,0Z"
SOURCES = {
    "Coal": ("#6b6b6b", "square"),
    "Gas": ("#D55E00", "diamond"),
    "Oil": ("#E69F00", "triangle-down"),
    "Nuclear": ("#CC79A7", "cross"),
    "Hydro": ("#0072B2", "circle"),
    "Wind": ("#56B4E9", "triangle-up"),
    "Solar": ("#F0E442", "triangle-right"),
    "Biomass": ("#009E73", "triangle-left"),
    "Other": ("#c8c8c8", "circle"),
    "Unknown": ("#b4b4b4", X_MARK),
}
TASKS = {
    "Image Classification": ("#0072B2", "circle"),
    "Machine Translation": ("#D55E00", "square"),
    "Named Entity Recognition": ("#009E73", "diamond"),
    "Question Answering": ("#CC79A7", "cross"),
    "Object Detection": ("#E69F00", "triangle-up"),
    "Language Modelling": ("#56B4E9", "triangle-down"),
    "Segmentation": ("#F0E442", "triangle-left"),
}
SPARE = ("#882255", "#999999", "#44AA99", "#117733", "#332288")
SPARE_SHAPES = ("circle", "square", "diamond", "cross", "triangle-up")
STAR = (
    "M0,-1L0.2245,-0.309L0.9511,-0.309L0.3633,0.118L0.5878,0.809L0,0.382"
    "L-0.5878,0.809L-0.3633,0.118L-0.9511,-0.309L-0.2245,-0.309Z"
)


class Categories:
    """Categories of one figure in a fixed order, those without a place of their own last, by name.

    Args:
        found: Categories in the data; None is "Unknown".
        known: Colour and shape of those that always look the same.
    """

    def __init__(self, found: Iterable[str | None], known: dict[str, tuple[str, str]]) -> None:
        names = {name or UNKNOWN for name in set(found)}
        others = sorted(names - set(known))
        spare = {
            name: (SPARE[at % len(SPARE)], SPARE_SHAPES[at % len(SPARE_SHAPES)])
            for at, name in enumerate(others)
        }
        self.names = [name for name in known if name in names] + others
        self._looks = [(known | spare)[name] for name in self.names]

    def colour(self, field: str, title: str, **legend: Any) -> alt.Color:
        """Colours of fillings by a field; the legend is shared with the shapes and edges of the same title."""
        return alt.Color(f"{field}:N", **self._scaled([colour for colour, _ in self._looks], title, legend))

    def edge(self, field: str, title: str, **legend: Any) -> alt.Stroke:
        """Colours of edges, lines and small dots by a field."""
        return alt.Stroke(f"{field}:N", **self._scaled(self._edges(), title, legend))

    def shape(self, field: str, title: str, **legend: Any) -> alt.Shape:
        """Shapes by a field."""
        return alt.Shape(f"{field}:N", **self._scaled([shape for _, shape in self._looks], title, legend))

    def _edges(self) -> list[str]:
        return [edge_of(colour) for colour, _ in self._looks]

    def _scaled(self, looks: list[str], title: str, legend: dict[str, Any]) -> dict[str, Any]:
        return {
            "scale": alt.Scale(domain=self.names, range=looks),
            "legend": alt.Legend(title=title, symbolOpacity=1.0, symbolStrokeWidth=1.0, **legend),
        }
