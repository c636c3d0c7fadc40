"""All figures of a data set: chart, data and what is not in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from altair.utils.schemapi import debug_mode

from sootprint.core.errors import InputError
from sootprint.survey import panels
from sootprint.survey.figures import captions
from sootprint.survey.figures.by_bin import by_bin
from sootprint.survey.figures.countries import countries, models
from sootprint.survey.figures.counts import counts
from sootprint.survey.figures.fronts import fronts
from sootprint.survey.figures.groups import groups
from sootprint.survey.figures.mixes import mixes
from sootprint.survey.figures.scatter import (
    DEVICE_HOURS,
    EMISSIONS,
    ENERGY,
    GIVEN,
    INTENSITY,
    RECOMPUTED,
    Measure,
    pairs,
    scatter,
)
from sootprint.survey.figures.shares import concentration, spread
from sootprint.survey.figures.style import SOURCES, TASKS

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

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


def figures(
    data: Dataset, *, how: Settings | None = None, drawn: Mapping[str, Drawn] | None = None
) -> Iterator[Figure]:
    """The figures of the survey, then the further ones, each made when it is asked for.

    Args:
        data: Data set.
        how: Settings of the means and their intervals.
        drawn: Data of figures that are known already, by key.
    """
    for key in TITLES:
        yield figure(data, key, how=how, drawn=(drawn or {}).get(key))


def figure(data: Dataset, key: str, *, how: Settings | None = None, drawn: Drawn | None = None) -> Figure:
    """One figure of a data set by its key, e.g. figure4.

    Raises:
        InputError: There is no such figure.
    """
    if key not in _MAKERS:
        raise InputError(f"figure {key!r} is not one of {', '.join(TITLES)}")
    made = _MAKERS[key]
    drawn = drawn or made.panel(data, how)
    with debug_mode(False):  # checking each part takes as long as the rest; the tests check the whole
        chart = made.chart(data, drawn)
    return Figure(
        key=key,
        title=TITLES[key],
        chart=chart,
        drawn=drawn,
        caption=made.caption(data, drawn),
    )


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
    "figure11": "What the emissions of models differ by",
    "figure12": "Emissions as given and as recomputed",
    "figure13": "Where models were trained, by number of models",
    "figure14": "Electricity of the grids with the most models",
    "figure15": "Emissions by family of architecture",
    "figure16": "Emissions by stage of the life cycle",
}


class _Maker(NamedTuple):
    panel: Callable[[Dataset, Settings | None], Drawn]
    chart: Callable[[Dataset, Drawn], alt.TopLevelMixin | None]
    caption: Callable[[Dataset, Drawn], str]


def _over_time(measure: Measure, by: str, known: dict[str, tuple[str, str]]) -> _Maker:
    def chart(data: Dataset, drawn: Drawn) -> alt.TopLevelMixin:
        means, grand = drawn.layers["means"], drawn.layers["grand"]
        return by_bin(drawn.points, means, grand, measure, by, bins=data.bins, known=known)

    return _Maker(
        panel=lambda data, how: panels.over_time(data, measure.field, by=by, how=how),
        chart=chart,
        caption=captions.over_time(measure.field),
    )


def _quality(cost: Measure) -> _Maker:
    return _Maker(
        panel=lambda data, how: panels.versus_metric(data, cost.field),
        chart=lambda data, drawn: fronts(drawn.points, drawn.layers["front"], cost),
        caption=captions.of_fronts(cost.field),
    )


def _grouped(by: str, what: str) -> _Maker:
    return _Maker(
        panel=lambda data, how: panels.by_group(data, by, how=how),
        chart=lambda data, drawn: groups(drawn.points, drawn.layers["means"]),
        caption=captions.of_groups(what),
    )


def _of_points(
    panel: Callable[[Dataset], Drawn],
    chart: Callable[[pl.DataFrame], alt.TopLevelMixin | None],
    caption: Callable[[Dataset, Drawn], str],
) -> _Maker:
    """A figure that needs the data alone, and of what is drawn from it the points."""
    return _Maker(lambda data, how: panel(data), lambda data, drawn: chart(drawn.points), caption)


_MAKERS = {
    "figure1": _of_points(panels.figure1, countries, captions.of_countries),
    "figure2": _Maker(
        panel=lambda data, how: panels.figure2(data),
        chart=lambda data, drawn: scatter(drawn.points, ENERGY, EMISSIONS, size=INTENSITY),
        caption=captions.of_slope,
    ),
    "figure3": _over_time(EMISSIONS, "task", TASKS),
    "figure4": _quality(EMISSIONS),
    "figure5": _quality(ENERGY),
    "figure6a": _over_time(INTENSITY, "source", SOURCES),
    "figure6b": _Maker(
        panel=lambda data, how: panels.figure6b(data),
        chart=lambda data, drawn: counts(drawn.points, bins=data.bins),
        caption=captions.of_counts,
    ),
    "figure7": _over_time(ENERGY, "task", TASKS),
    "figure8": _over_time(DEVICE_HOURS, "task", TASKS),
    "figure9": _Maker(
        panel=lambda data, how: panels.scatter(data, INTENSITY.field, ENERGY.field),
        chart=lambda data, drawn: scatter(drawn.points, INTENSITY, ENERGY),
        caption=captions.of_scatter,
    ),
    "figure10": _of_points(panels.lorenz, concentration, captions.of_concentration),
    "figure11": _of_points(panels.spread, spread, captions.of_spread),
    "figure12": _Maker(
        panel=lambda data, how: panels.given_and_recomputed(data),
        chart=lambda data, drawn: pairs(drawn.points, RECOMPUTED, GIVEN),
        caption=captions.of_given,
    ),
    "figure13": _of_points(panels.figure1, models, captions.of_models),
    "figure14": _of_points(panels.grid_mix, mixes, captions.of_mixes),
    "figure15": _grouped("architecture_family", "families of architecture"),
    "figure16": _grouped("stage", "stages of the life cycle"),
}
