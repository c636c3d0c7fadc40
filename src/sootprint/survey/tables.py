"""Tables 1 to 3 of the survey, for any data set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from sootprint.survey.dataset import Dataset

TOP = 5  # kinds of hardware in the survey's table 3


def table1(data: Dataset) -> pl.DataFrame:
    """Tasks: data sets, models, first and last year; the most models first.

    Data sets that the groupings pool, such as the two language pairs of WMT2014, are one row.
    """
    import polars as pl

    pooled = {one: name for name, several in data.groupings["datasets"].items() for one in several}
    frame = data.frame.with_columns(pl.col("dataset").replace(pooled))
    counted = frame.group_by("task", "dataset").agg(
        pl.len().cast(pl.Int64).alias("models"),
        pl.col("run").n_unique().cast(pl.Int64).alias("runs"),
        pl.col("year").min().alias("first_year"),
        pl.col("year").max().alias("last_year"),
    )
    return counted.sort(["models", "task", "dataset"], descending=[True, False, False])


def table2(data: Dataset) -> pl.DataFrame:
    """Main energy sources: models, the low-carbon flag and the intensity, to a tenth as printed.

    The mean weighs models equally, as the survey's; the energy-weighted one is emissions over energy.
    """
    import polars as pl

    intensity = pl.col("intensity_g_per_kwh")
    both = pl.col("energy_kwh").is_not_null() & pl.col("emissions_kg").is_not_null() & pl.col("counts")
    energy_kwh = pl.col("energy_kwh").filter(both).sum()
    weighted = pl.when(energy_kwh > 0.0).then(pl.col("emissions_kg").filter(both).sum() * 1e3 / energy_kwh)
    names = dict(data.groupings["source_names"])
    counted = (
        data.frame.with_columns(pl.col("source").fill_null("Unknown"))
        .group_by("source")
        .agg(
            pl.len().cast(pl.Int64).alias("models"),
            pl.col("low_carbon").first().fill_null(False),
            intensity.mean().round(1).alias("mean_intensity_g_per_kwh"),
            intensity.median().round(1).alias("median_intensity_g_per_kwh"),
            intensity.log().mean().exp().round(1).alias("geometric_mean_intensity_g_per_kwh"),
            weighted.round(1).alias("energy_weighted_intensity_g_per_kwh"),
        )
    )
    flag = pl.when(pl.col("source") == "Unknown").then(pl.lit("?")).when("low_carbon").then(pl.lit("Yes"))
    ordered = counted.with_columns(
        pl.col("source").replace(names).alias("main_energy_source"),
        flag.otherwise(pl.lit("No")).alias("low_carbon"),
    ).sort(["models", "source"], descending=[True, False])
    return ordered.select("main_energy_source", pl.all().exclude("main_energy_source"))


def table3(data: Dataset, *, top: int | None = TOP) -> pl.DataFrame:
    """Families of hardware: models, rated power as given and in the catalogue, and devices used.

    Args:
        data: Data set.
        top: So many families with the most models; all where None.
    """
    import polars as pl

    known = data.frame.drop_nulls("hardware_family")
    power = pl.col("rated_power_w")
    counted = known.group_by("hardware_family").agg(
        pl.len().cast(pl.Int64).alias("models"),
        power.drop_nulls().mode().sort().last().alias("rated_power_w"),
        power.min().alias("least_rated_power_w"),
        power.max().alias("most_rated_power_w"),
        pl.col("catalogue_power_w").drop_nulls().mode().sort().last(),
        pl.col("devices").min().cast(pl.Int64).alias("least_devices"),
        pl.col("devices").max().cast(pl.Int64).alias("most_devices"),
    )
    ordered = counted.sort(["models", "hardware_family"], descending=[True, False])
    return ordered if top is None else ordered.head(top)
