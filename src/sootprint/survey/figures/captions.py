"""Captions: the finding of a figure in words, computed from what it shows, with its numbers of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sootprint.survey.checks import CLOSE
from sootprint.survey.panels import scatter
from sootprint.survey.regions import by_group
from sootprint.survey.relations import rank_correlation
from sootprint.survey.words import country, digits, energy, listed, mass, p_value, plainly, share

if TYPE_CHECKING:
    from sootprint.survey.dataset import Dataset
    from sootprint.survey.panels import Drawn

UNITS = {
    "emissions_kg": ("emissions", "kgCO₂e"),
    "energy_kwh": ("energy", "kWh"),
    "intensity_g_per_kwh": ("carbon intensity", "gCO₂e/kWh"),
    "device_hours": ("device time", "h"),
}
LEVEL_P = 0.05  # below it a correlation is called one


def of_countries(data: Dataset, drawn: Drawn) -> str:
    """How many models each country has, and the ends of the intensities."""
    points = drawn.points
    if not points.height:
        return _with_rest("No row names a country.", drawn)
    models = int(points["models"].sum())
    first = points.row(0, named=True)
    known = points.drop_nulls("median").sort("median")
    words = (
        f"{models:,} models from {points.height} countries; {first['models']:,} of them "
        f"({share(first['models'], models)}) from {country(first['country_name'])}."
    )
    if known.height > 1:
        least, most = known.row(0, named=True), known.row(-1, named=True)
        words += (
            f" The median carbon intensity goes from {digits(least['median'])} ({least['country_name']}) to "
            f"{digits(most['median'])} gCO₂e/kWh ({most['country_name']})."
        )
    return _with_rest(words, drawn)


def of_slope(data: Dataset, drawn: Drawn) -> str:
    """The log-log slope of emissions on energy."""
    line = scatter(data, "energy_kwh", "emissions_kg").layers["slope"].row(0, named=True)
    if line["slope"] is None:
        return _with_rest(f"{drawn.points.height:,} rows.", drawn)
    words = f"{line['n']:,} rows: ten times the energy goes with {digits(10 ** line['slope'])} times the emissions"
    if line["low"] is not None:
        words += f" (log-log slope {line['slope']:.2f}, interval {line['low']:.2f} to {line['high']:.2f})"
    return _with_rest(f"{words}.", drawn)


def of_scatter(data: Dataset, drawn: Drawn) -> str:
    """The rank correlation of the two measures."""
    x, y = drawn.points.columns[-2:]
    found = rank_correlation(drawn.points[x].to_numpy(), drawn.points[y].to_numpy())
    words = f"{drawn.points.height:,} rows"
    if found.rho is not None and found.p is not None:
        said = "move together" if found.p < LEVEL_P and found.rho > 0 else "do not move together"
        if found.p < LEVEL_P and found.rho < 0:
            said = "move against each other"
        words += (
            f": {UNITS[x][0]} and {UNITS[y][0]} {said} (rank correlation {found.rho:.2f}, {p_value(found.p)})"
        )
    return _with_rest(f"{words}.", drawn)


def over_time(value: str) -> Callable[[Dataset, Drawn], str]:
    """Caption of a measure by bin: mean and median of the first and the last bin."""
    name, unit = UNITS[value]
    fitting = {"emissions_kg": mass, "energy_kwh": energy}

    def told(amount: float) -> str:
        return fitting[value](amount) if value in fitting else f"{digits(amount)} {unit}"

    def caption(data: Dataset, drawn: Drawn) -> str:
        grand = drawn.layers["grand"].drop_nulls("mean")
        if grand.height < 2:
            return _with_rest(f"{drawn.points.height:,} rows.", drawn)
        first, last = grand.row(0, named=True), grand.row(-1, named=True)
        words = (
            f"{drawn.points.height:,} rows: the mean {name} of a model went from {told(first['mean'])} "
            f"in {first['bin']} (n = {first['n']}) to {told(last['mean'])} in {last['bin']} "
            f"(n = {last['n']}), the median from {told(first['median'])} to {told(last['median'])}."
        )
        return _with_rest(words, drawn)

    return caption


def of_fronts(cost: str) -> Callable[[Dataset, Drawn], str]:
    """Caption of quality over a cost: rank correlation and members of each front."""
    name = UNITS[cost][0]

    def caption(data: Dataset, drawn: Drawn) -> str:
        panels = drawn.layers["panels"].filter(drawn.layers["panels"]["n"] > 2).to_dicts()
        parts = []
        for row in panels:
            rank = "" if row["rho"] is None else f", rank correlation {row['rho']:.2f} ({p_value(row['p'])})"
            where = f"{row['task']}, {row['dataset'] or 'data set not told'}"
            parts.append(f"{where}: {row['members']} of {row['n']} on the front{rank}")
        better = [row for row in panels if row["p"] is not None and row["p"] < LEVEL_P and row["rho"] > 0.0]
        go = "go" if name.endswith("s") else "goes"
        words = f"More {name} {go} with better results in {len(better)} of {len(panels)} comparisons."
        return _with_rest(f"{words} {'; '.join(parts)}.".replace(" .", ""), drawn)

    return caption


def of_groups(what: str) -> Callable[[Dataset, Drawn], str]:
    """Caption of emissions by group: the medians of the first and the last."""

    def caption(data: Dataset, drawn: Drawn) -> str:
        means = drawn.layers["means"]
        if means.height < 2:
            return _with_rest(
                f"The data tell {means.height} of the {what}: there is nothing to compare.", drawn
            )
        most, least = means.row(0, named=True), means.row(-1, named=True)
        words = (
            f"{drawn.points.height:,} rows in {means.height} {what}: the median goes from {mass(most['median'])} "
            f"({most['group']}, n = {most['n']:,}) to {mass(least['median'])} ({least['group']}, n = {least['n']:,}). "
            "Ticks are medians, lines the intervals of the geometric means."
        )
        return _with_rest(words, drawn)

    return caption


def of_counts(data: Dataset, drawn: Drawn) -> str:
    """The source with the most models in the first and in the last bin."""
    points = drawn.points.filter(drawn.points["models"] > 0)
    if not points.height:
        return _with_rest("No row has a main source.", drawn)
    parts = []
    for name in (data.bins[0], data.bins[-1]):
        here = points.filter(points["bin"] == name).sort("models", descending=True)
        if here.height:
            top = here.row(0, named=True)
            parts.append(
                f"{top['source']} leads in {name} with {top['models']:,} of {here['models'].sum():,} models"
            )
    return _with_rest(f"{'; '.join(parts)}.", drawn)


def of_concentration(data: Dataset, drawn: Drawn) -> str:
    """The share of the total that the largest tenth of the trainings makes."""
    points = drawn.points
    n = points.height - 1
    if n < 1:
        return _with_rest("No training has emissions.", drawn)
    small = points.filter(points["runs"] <= 0.9)["total"].max()
    words = f"{n:,} trainings: the largest tenth of them makes {share(1.0 - float(small or 0.0))} of all emissions."  # type: ignore[arg-type]
    return _with_rest(words, drawn)


def of_spread(data: Dataset, drawn: Drawn) -> str:
    """The shares of time, intensity and power, the largest first."""
    points = drawn.points
    if not points.height:
        return _with_rest("Fewer than three models have hours, power and intensity.", drawn)
    shares = [
        f"{row['factor']} {share(row['share'])}" for row in points.sort("share", descending=True).to_dicts()
    ]
    words = f"{points['n'][0]:,} models: of the variance of log emissions, {listed(shares)}."
    return _with_rest(words, drawn)


def of_given(data: Dataset, drawn: Drawn) -> str:
    """How many of the given emissions follow from power, hours and intensity."""
    known = drawn.points.filter(drawn.points["ratio"].is_finite() & (drawn.points["ratio"] > 0.0))
    if not known.height:
        return _with_rest("No model has emissions both as given and as recomputed.", drawn)
    ratio = known["ratio"]
    close = int(((ratio - 1.0).abs() <= CLOSE).sum())
    words = (
        f"{known.height:,} models: {close:,} of the given emissions are within {share(CLOSE)} of rated power × device "
        f"hours × intensity; given over recomputed goes from {_ratio(ratio.min())} to {_ratio(ratio.max())}."
    )
    return _with_rest(words, drawn)


def _ratio(value: object) -> str:
    return f"{float(value):.3g}"  # type: ignore[arg-type]


def of_models(data: Dataset, drawn: Drawn) -> str:
    """How many models the first countries have, and which continents have none."""
    points = drawn.points
    if not points.height:
        return _with_rest("No row names a country.", drawn)
    total = int(points["models"].sum())
    first = [f"{row['models']:,} in {country(row['country_name'])}" for row in points.head(3).to_dicts()]
    words = f"{total:,} models in {points.height} countries: {listed(first)}."
    empty = by_group(data, "world_regions")["empty"]
    if empty:
        words += f" None in {listed(empty, 'or')}."
    return _with_rest(words, drawn)


def of_mixes(data: Dataset, drawn: Drawn) -> str:
    """The grid with the most low-carbon electricity and that with the least."""
    points = drawn.points
    if not points.height:
        return _with_rest("No row names a grid whose generation is known.", drawn)
    clean = set(data.groupings["low_carbon"]["sources"])
    grids: dict[str, float] = {}
    for row in points.to_dicts():
        grids[row["name"]] = grids.get(row["name"], 0.0) + (row["share"] if row["source"] in clean else 0.0)
    least, most = min(grids, key=lambda name: grids[name]), max(grids, key=lambda name: grids[name])
    n = int(points.unique("zone")["models"].sum())
    words = (
        f"{n:,} models on {len(grids)} grids: {share(grids[most])} of the electricity is low-carbon in {most}"
    )
    words += f", {share(grids[least])} in {least}." if len(grids) > 1 else "."
    return _with_rest(words, drawn)


def _with_rest(words: str, drawn: Drawn) -> str:
    """Caption with what the figure leaves out."""
    left = "; ".join(f"{plainly(one.reason)}: {one.count:,}" for one in drawn.excluded)
    return f"{words} Not drawn, or at the foot of the axis: {left}." if left else words
