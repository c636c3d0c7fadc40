"""The data behind each figure: what is drawn, as frames, with what could not be drawn and why.

One pure function a figure, from a `Dataset` to `Drawn`: `points` are the single models, `layers` what lies over them
(means with their intervals, fronts, counts). Values are in the units of `survey.schema`; nothing is rounded. `bin` and
`task` are in the orders of `Dataset.bins` and `Dataset.tasks`, sources in that of `SOURCES`. Points whose value is 0
stay in `points` (they belong in the gutter of a logarithmic axis) and are counted in `excluded`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sootprint.survey import fronts
from sootprint.survey.cells import Progress, cells, left_out, positive
from sootprint.survey.concentration import lorenz as lorenz_curve
from sootprint.survey.dataset import Dataset
from sootprint.survey.estimates import Settings
from sootprint.survey.exclusions import Exclusion

if TYPE_CHECKING:
    import polars as pl

SOURCES = ("Coal", "Gas", "Oil", "Nuclear", "Hydro", "Wind", "Solar", "Geothermal", "Biomass", "Unknown")
FACTORS = {"time": "device_hours", "intensity": "intensity_g_per_kwh", "power": "rated_power_w"}
_NAMED = ("row", "run", "model", "task", "dataset", "metric", "bin", "year", "source", "country_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Data of one figure.

    Args:
        points: One row a model.
        layers: Frames over the points, by name.
        excluded: What is not in `points`, or not on the axis, counted.
    """

    points: pl.DataFrame
    layers: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    excluded: tuple[Exclusion, ...] = ()


def figure1(data: Dataset) -> Drawn:
    """Countries: models, median intensity and its range, most frequent main source (ties are by name, and marked).

    points: country_code, country_name, models, median, least, most, source, tied; the most models first.
    """
    import polars as pl

    frame, excluded = left_out(_sourced(data.frame), ["country_code"], what="figure 1")
    keys = ["country_code", "country_name"]
    intensity = pl.col("intensity_g_per_kwh")
    by_country = frame.group_by(keys).agg(
        pl.len().alias("models"),
        intensity.median().alias("median"),
        intensity.min().alias("least"),
        intensity.max().alias("most"),
    )
    counts = frame.group_by([*keys, "source"]).agg(pl.len().alias("times")).sort("source")
    best = counts.filter(pl.col("times") == pl.col("times").max().over(keys))
    modal = best.group_by(keys, maintain_order=True).agg(
        pl.col("source").first(), (pl.len() > 1).alias("tied")
    )
    points = by_country.join(modal, on=keys, how="left").sort(
        ["models", "country_name"], descending=[True, False]
    )
    return Drawn(points=points, excluded=tuple(excluded))


def figure2(data: Dataset) -> Drawn:
    """Energy and emissions of each model; colour is the main source, size the intensity.

    points: the naming columns, energy_kwh, emissions_kg, intensity_g_per_kwh.
    """
    frame, excluded = left_out(_sourced(data.frame), ["energy_kwh", "emissions_kg"], what="figure 2")
    _, gutter = positive(frame, ["energy_kwh", "emissions_kg"], what="figure 2")
    points = frame.select(*_NAMED, "energy_kwh", "emissions_kg", "intensity_g_per_kwh")
    return Drawn(points=points, excluded=(*excluded, *gutter))


def over_time(
    data: Dataset,
    value: str = "emissions_kg",
    *,
    by: str = "task",
    how: Settings | None = None,
    progress: Progress | None = None,
) -> Drawn:
    """A column by year bin and group: figure 3, and 6a for the intensity by source.

    points: the naming columns and the value. layers: "means" by group and bin, "grand" by bin over all groups, rows
    weighted equally; both with the fields of `Estimate` (n, mean, trimmed, low, high, note, median, ...).
    """
    import polars as pl

    name = f"{value} by {by} and bin"
    frame, excluded = left_out(_sourced(data.frame), [value, "bin", by], what=name)
    _, gutter = positive(frame, [value], what=name)
    order = [pl.col("bin").cast(pl.Enum(data.bins))]
    frame = frame.sort(order, maintain_order=True)
    groups = _ordered(data, by, frame[by].unique().to_list())
    means = cells(
        frame.sort(pl.col(by).cast(pl.Enum(groups)), maintain_order=True),
        [by, "bin"],
        value,
        how=how,
        progress=progress,
    )
    grand = cells(frame, ["bin"], value, how=how)
    return Drawn(
        points=frame.select(*dict.fromkeys((*_NAMED, by)), value),
        layers={"means": means, "grand": grand},
        excluded=(*excluded, *gutter),
    )


def figure3(data: Dataset, *, how: Settings | None = None, progress: Progress | None = None) -> Drawn:
    """Emissions by year bin and task, with means, intervals and the grand average."""
    return over_time(data, how=how, progress=progress)


def versus_metric(data: Dataset, cost: str = "emissions_kg") -> Drawn:
    """A cost and the metric of each model, by panel (task, data set and metric): figures 4 and 5.

    points: the naming columns, panel, the cost, metric_value, on_front. layers: "front", the members by panel and
    cost, for a right-continuous step line; "panels" with n, members, and the rank correlation.
    """
    import polars as pl

    from sootprint.survey.relations import rank_correlation

    name = f"metric by {cost}"
    frame, excluded = left_out(_sourced(data.frame), [cost, "metric_value", "panel"], what=name)
    _, gutter = positive(frame, [cost], what=name)
    front = fronts.front(frame, cost=cost)
    points = frame.with_columns(on_front=pl.col("row").is_in(front["row"].to_list()))
    rows = []
    for panel, part in points.partition_by("panel", as_dict=True, maintain_order=True).items():
        found = rank_correlation(part[cost].to_numpy(), part["metric_value"].to_numpy())
        first = part.row(0, named=True)
        rows.append(
            {"panel": str(panel[0]), **{key: first[key] for key in ("task", "dataset", "metric")}}
            | {"n": part.height, "members": int(part["on_front"].sum()), "rho": found.rho, "p": found.p}
        )
    kinds: dict[str, Any] = {"n": pl.Int64, "members": pl.Int64, "rho": pl.Float64, "p": pl.Float64}
    names = ("panel", "task", "dataset", "metric")
    panels = pl.DataFrame(rows, schema={**dict.fromkeys(names, pl.String), **kinds}).sort(
        ["n", "panel"], descending=[True, False]
    )
    columns = (*_NAMED, "panel", "metric_split", cost, "metric_value")
    return Drawn(
        points=points.select(*columns, "on_front"),
        layers={"front": front.select(columns), "panels": panels},
        excluded=(*excluded, *gutter),
    )


def figure4(data: Dataset) -> Drawn:
    """Emissions and metric of each model, with the Pareto fronts."""
    return versus_metric(data, "emissions_kg")


def figure5(data: Dataset) -> Drawn:
    """Energy and metric of each model, with the Pareto fronts."""
    return versus_metric(data, "energy_kwh")


def figure6a(data: Dataset, *, how: Settings | None = None) -> Drawn:
    """Intensity by year bin and main source, with means, intervals and the grand average."""
    return over_time(data, "intensity_g_per_kwh", by="source", how=how)


def figure6b(data: Dataset) -> Drawn:
    """Models by main source and year bin, empty cells as 0.

    points: source, bin, models.
    """
    import polars as pl

    frame, excluded = left_out(_sourced(data.frame), ["bin"], what="figure 6b")
    there = _ordered(data, "source", frame["source"].unique().to_list())
    sources = pl.DataFrame({"source": there}, schema={"source": pl.String})
    grid = sources.join(pl.DataFrame({"bin": list(data.bins)}, schema={"bin": pl.String}), how="cross")
    counts = frame.group_by("source", "bin").agg(pl.len().cast(pl.Int64).alias("models"))
    points = grid.join(counts, on=["source", "bin"], how="left", maintain_order="left")
    return Drawn(points=points.with_columns(pl.col("models").fill_null(0)), excluded=tuple(excluded))


def scatter(data: Dataset, x: str, y: str) -> Drawn:
    """Two columns of each model, e.g. energy and intensity, parameters and emissions, wall and device hours.

    points: the naming columns, x and y. layers: "slope", the log-log line with its interval and n.
    """
    import polars as pl

    from sootprint.survey.relations import log_slope

    frame, excluded = left_out(_sourced(data.frame), [x, y], what=f"{y} by {x}")
    _, gutter = positive(frame, [x, y], what=f"{y} by {x}")
    line = log_slope(frame[x].to_numpy(), frame[y].to_numpy())
    slope = {
        "slope": line.slope,
        "low": line.low,
        "high": line.high,
        "intercept": line.intercept,
        "r2": line.r2,
    }
    layer = pl.DataFrame({**{key: [value] for key, value in slope.items()}, "n": [line.n]})
    points = frame.select(*dict.fromkeys((*_NAMED, x, y)))
    return Drawn(points=points, layers={"slope": layer}, excluded=(*excluded, *gutter))


def given_and_recomputed(data: Dataset) -> Drawn:
    """Emissions as given and as recomputed, of the models that have both.

    points: the naming columns, given, recomputed, ratio.
    """
    import polars as pl

    names = ["emissions_given_kg", "emissions_recomputed_kg"]
    frame, excluded = left_out(_sourced(data.frame), names, what="emissions as given and recomputed")
    given, recomputed = pl.col(names[0]).alias("given"), pl.col(names[1]).alias("recomputed")
    points = frame.select(*_NAMED, given, recomputed).with_columns(
        ratio=pl.col("given") / pl.col("recomputed")
    )
    return Drawn(points=points, excluded=tuple(excluded))


def spread(data: Dataset) -> Drawn:
    """Shares of time, intensity and power in the variance of the logarithm of their product.

    points: factor, share, n (rows with all three); empty below three such rows.
    """
    import polars as pl

    from sootprint.survey.relations import log_variance_shares

    frame, excluded = left_out(data.frame, FACTORS.values(), what="shares of the spread")
    frame, gutter = positive(frame, FACTORS.values(), what="shares of the spread")
    shares = log_variance_shares({key: frame[name].to_numpy() for key, name in FACTORS.items()})
    rows = [{"factor": key, "share": share, "n": frame.height} for key, share in shares.items()]
    points = pl.DataFrame(rows, schema={"factor": pl.String, "share": pl.Float64, "n": pl.Int64})
    return Drawn(points=points, excluded=(*excluded, *gutter))


def grid_mix(data: Dataset, *, most: int = 10) -> Drawn:
    """Sources of the electricity of the grids with the most models, in the median year of their models.

    A zone whose generation is unknown counts with the area around it, such as a province with its country.

    points: zone, name, models, year (of the mix), source, share; the most models first, sources in order.
    """
    import polars as pl

    from sootprint.survey import places

    frame, excluded = left_out(data.frame, ["zone", "year"], what="electricity mix")
    pairs = frame.select("zone", "year").unique(maintain_order=True)
    within = [places.mix(*row).zone for row in pairs.iter_rows()]
    frame = frame.join(pairs.with_columns(pl.Series("area", within, dtype=pl.String)), on=["zone", "year"])
    frame, unknown = left_out(frame, ["area"], what="electricity mix")
    areas = frame.group_by("area").agg(pl.len().alias("models"), pl.col("year").median())
    rows = []
    for area, models, year in areas.sort(["models", "area"], descending=[True, False]).head(most).iter_rows():
        found = places.mix(area, int(year))
        shares = {places.source_name(name): share for name, share in found.shares.items()}
        head = {"zone": area, "name": places.name_of(area), "models": models, "year": found.year}
        order = [
            *(name for name in SOURCES if name in shares),
            *(name for name in shares if name not in SOURCES),
        ]
        rows += [{**head, "source": name, "share": shares[name]} for name in order]
    kinds = {"zone": pl.String, "name": pl.String, "models": pl.Int64, "year": pl.Int64}
    points = pl.DataFrame(rows, schema={**kinds, "source": pl.String, "share": pl.Float64})
    return Drawn(points=points, excluded=(*excluded, *unknown))


def by_group(data: Dataset, by: str, *, how: Settings | None = None) -> Drawn:
    """Emissions by a column of names, such as the family of architecture or the stage.

    points: the naming columns, group, emissions_kg. layers: "means" by group with the fields of `Estimate`, the
    greatest median first.
    """
    import polars as pl

    name = f"emissions_kg by {by}"
    frame, excluded = left_out(_sourced(data.frame), ["emissions_kg", by], what=name)
    frame, gutter = positive(frame, ["emissions_kg"], what=name)
    frame = frame.with_columns(pl.col(by).alias("group"))
    means = cells(frame, ["group"], "emissions_kg", how=how).sort("median", "group", descending=[True, False])
    return Drawn(
        points=frame.select(*_NAMED, "group", "emissions_kg"),
        layers={"means": means},
        excluded=(*excluded, *gutter),
    )


def lorenz(data: Dataset, value: str = "emissions_kg") -> Drawn:
    """Lorenz curve of a total over runs, least first.

    points: runs and total, cumulative shares from 0 to 1.
    """
    import polars as pl

    frame, excluded = left_out(data.frame.filter("counts"), [value], what="Lorenz curve")
    rows, shares = lorenz_curve(frame[value].to_numpy())
    return Drawn(points=pl.DataFrame({"runs": rows, "total": shares}), excluded=tuple(excluded))


def _sourced(frame: pl.DataFrame) -> pl.DataFrame:
    """Frame whose unknown source is the word Unknown."""
    import polars as pl

    return frame.with_columns(pl.col("source").fill_null("Unknown"))


def _ordered(data: Dataset, by: str, there: Sequence[str]) -> list[str]:
    known: Iterable[str] = SOURCES if by == "source" else data.tasks
    first = [name for name in known if name in there]
    return [*first, *sorted(set(there) - set(first))]
