"""Figures as files: SVG, PNG and PDF in light and in dark, and the plotted points as CSV."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint import charts

if TYPE_CHECKING:
    from sootprint.survey.figures.gallery import Figure

THEMES = {"": "web", "dark/": "dark"}  # folder of the drawings, and their theme


class Drawing(NamedTuple):
    """A figure that is being drawn.

    Args:
        figure: Figure.
        spec: Its specification in the light theme, or None where the data give nothing to draw.
        files: Its drawings to come, by folder.
    """

    figure: Figure
    spec: dict[str, Any] | None
    files: dict[str, Future[dict[str, bytes]]]


def begun(figure: Figure, studio: charts.Studio) -> Drawing:
    """Figure whose drawings are asked for."""
    if figure.chart is None:
        return Drawing(figure, None, {})
    made = charts.spec(figure.chart, THEMES[""])
    files = {folder: studio.draw(charts.themed(made, theme)) for folder, theme in THEMES.items()}
    return Drawing(figure, made, files)


def svg(drawing: Drawing) -> str | None:
    """Light drawing of a figure, or None where there is none."""
    return drawing.files[""].result()[".svg"].decode() if drawing.files else None


def narrow(drawing: Drawing) -> str | None:
    """Drawing of a figure for a phone, or None where there is none."""
    from sootprint.charts import narrow as phone

    return None if drawing.spec is None else phone.svg(charts.both_grounds(drawing.spec))


def contents(drawing: Drawing) -> dict[str, bytes]:
    """Files of a figure by name: its drawings where there are any, its points, and each of its layers."""
    figure = drawing.figure
    drawn = {
        f"{folder}{figure.key}{end}": data
        for folder, files in drawing.files.items()
        for end, data in files.result().items()
    }
    frames = {figure.key: figure.drawn.points} | {
        f"{figure.key}_{name}": frame for name, frame in figure.drawn.layers.items()
    }
    return drawn | {f"{name}.csv": frame.write_csv().encode() for name, frame in frames.items()}
