"""All figures of a data set: chart, data and what is not in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sootprint.survey import panels
from sootprint.survey.figures import captions
from sootprint.survey.figures.by_bin import by_bin
from sootprint.survey.figures.countries import countries
from sootprint.survey.figures.counts import counts
from sootprint.survey.figures.fronts import fronts
from sootprint.survey.figures.scatter import DEVICE_HOURS, EMISSIONS, ENERGY, INTENSITY, Measure, scatter
from sootprint.survey.figures.shares import concentration
from sootprint.survey.figures.style import SOURCES, TASKS

if TYPE_CHECKING:
    import altair as alt

    from sootprint.survey.dataset import Dataset
    from sootprint.survey.estimates import Settings
    from sootprint.survey.panels import Drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    Args:
        key: Name of its files, e.g. figure6a.
        title: What it shows.
        chart: Chart, or None where the data give nothing to draw.
        drawn: Data behind it.
        caption: Its finding in words, with the number of rows and of those left out.
    """

    key: str
    title: str
    chart: alt.TopLevelMixin | None
    drawn: Drawn
    caption: str


def figures(data: Dataset, *, how: Settings | None = None) -> Iterator[Figure]:
    """The figures of the survey, then the further ones, each made when it is asked for.

    Args:
        data: Data set.
        how: Settings of the means and their intervals.
    """
    for key in TITLES:
        yield figure(data, key, how=how)


def figure(data: Dataset, key: str, *, how: Settings | None = None) -> Figure:
    """One figure of a data set by its key, e.g. figure4."""
    make, caption = _MAKERS[key]
    chart, drawn = make(data, how)
    return Figure(key=key, title=TITLES[key], chart=chart, drawn=drawn, caption=caption(data, drawn))


TITLES = {
    "figure1": "Where models were trained, and how carbon-intensive the electricity was",
    "figure2": "Emissions over energy, by main energy source",
    "figure3": "Emissions by year of publication and task",
    "figure4": "Quality over emissions",
    "figure5": "Quality over energy",
    "figure6a": "Carbon intensity by year of publication and main energy source",
    "figure6b": "Models by year of publication and main energy source",
    "figure7": "Energy by year of publication and task",
    "figure8": "Device hours by year of publication and task",
    "figure9": "Energy over carbon intensity",
    "figure10": "Concentration of the emissions",
}

_Made = tuple["alt.TopLevelMixin | None", "Drawn"]
_Maker = Callable[["Dataset", "Settings | None"], _Made]


def _figure1(data: Dataset, how: Settings | None) -> _Made:
    drawn = panels.figure1(data)
    return countries(drawn.points), drawn


def _figure2(data: Dataset, how: Settings | None) -> _Made:
    drawn = panels.figure2(data)
    return scatter(drawn.points, ENERGY, EMISSIONS, size=INTENSITY), drawn


def _over_time(measure: Measure, by: str, known: dict[str, tuple[str, str]]) -> _Maker:
    def made(data: Dataset, how: Settings | None) -> _Made:
        drawn = panels.over_time(data, measure.field, by=by, how=how)
        means, grand = drawn.layers["means"], drawn.layers["grand"]
        return by_bin(drawn.points, means, grand, measure, by, bins=data.bins, known=known), drawn

    return made


def _quality(cost: Measure) -> _Maker:
    def made(data: Dataset, how: Settings | None) -> _Made:
        drawn = panels.versus_metric(data, cost.field)
        return fronts(drawn.points, drawn.layers["front"], cost), drawn

    return made


def _figure6b(data: Dataset, how: Settings | None) -> _Made:
    drawn = panels.figure6b(data)
    return counts(drawn.points, bins=data.bins), drawn


def _figure9(data: Dataset, how: Settings | None) -> _Made:
    drawn = panels.scatter(data, INTENSITY.field, ENERGY.field)
    return scatter(drawn.points, INTENSITY, ENERGY), drawn


def _figure10(data: Dataset, how: Settings | None) -> _Made:
    drawn = panels.lorenz(data)
    return concentration(drawn.points), drawn


_MAKERS: dict[str, tuple[_Maker, Callable[[Dataset, Drawn], str]]] = {
    "figure1": (_figure1, captions.of_countries),
    "figure2": (_figure2, captions.of_slope),
    "figure3": (_over_time(EMISSIONS, "task", TASKS), captions.over_time("emissions_kg")),
    "figure4": (_quality(EMISSIONS), captions.of_fronts("emissions_kg")),
    "figure5": (_quality(ENERGY), captions.of_fronts("energy_kwh")),
    "figure6a": (_over_time(INTENSITY, "source", SOURCES), captions.over_time("intensity_g_per_kwh")),
    "figure6b": (_figure6b, captions.of_counts),
    "figure7": (_over_time(ENERGY, "task", TASKS), captions.over_time("energy_kwh")),
    "figure8": (_over_time(DEVICE_HOURS, "task", TASKS), captions.over_time("device_hours")),
    "figure9": (_figure9, captions.of_scatter),
    "figure10": (_figure10, captions.of_concentration),
}
