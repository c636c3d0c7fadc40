"""The figures by name, for notebooks: each takes a data set and gives its chart, or None where nothing can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint.survey.figures.gallery import figure

if TYPE_CHECKING:
    import altair as alt

    from sootprint.survey.dataset import Dataset


def figure1(data: Dataset) -> alt.TopLevelMixin | None:
    """Map of the countries by median carbon intensity, beside the number of models of each."""
    return figure(data, "figure1").chart


def figure2(data: Dataset) -> alt.TopLevelMixin | None:
    """Emissions over energy by main source."""
    return figure(data, "figure2").chart


def figure3(data: Dataset) -> alt.TopLevelMixin | None:
    """Emissions by year of publication and task, with means and intervals."""
    return figure(data, "figure3").chart


def figure4(data: Dataset) -> alt.TopLevelMixin | None:
    """Quality over emissions, with Pareto fronts."""
    return figure(data, "figure4").chart


def figure5(data: Dataset) -> alt.TopLevelMixin | None:
    """Quality over energy, with Pareto fronts."""
    return figure(data, "figure5").chart


def figure6a(data: Dataset) -> alt.TopLevelMixin | None:
    """Carbon intensity by year of publication and main source, with means and intervals."""
    return figure(data, "figure6a").chart


def figure6b(data: Dataset) -> alt.TopLevelMixin | None:
    """Models by year of publication and main source."""
    return figure(data, "figure6b").chart
