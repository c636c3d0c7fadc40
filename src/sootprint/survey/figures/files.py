"""Figures as files: SVG, PNG, PDF, and the plotted points as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint import charts

if TYPE_CHECKING:
    from sootprint.survey.figures.gallery import Figure

THEME = "web"


def drawing(figure: Figure) -> str | None:
    """SVG of a figure, or None where the data give nothing to draw."""
    return None if figure.chart is None else charts.svg(figure.chart, THEME)


def contents(figure: Figure, drawn: str | None) -> dict[str, bytes]:
    """Files of a figure by name: its drawing in three formats where there is one, its points, and each of its layers.

    Args:
        figure: Figure.
        drawn: Its SVG.
    """
    made = {}
    if drawn is not None:
        made = {f"{figure.key}{end}": charts.converted(drawn, end) for end in charts.FORMATS}
    frames = {figure.key: figure.drawn.points} | {
        f"{figure.key}_{name}": frame for name, frame in figure.drawn.layers.items()
    }
    return made | {f"{name}.csv": frame.write_csv().encode() for name, frame in frames.items()}
