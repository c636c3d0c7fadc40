"""The data behind the figures, worked by hand on the small table."""

from __future__ import annotations

import polars as pl
import pytest

from sootprint import survey
from sootprint.survey import panels


def test_countries_are_counted_with_median_and_source(small: survey.Dataset) -> None:
    """China has two models at 600 and 555 g/kWh; two rows have no country."""
    drawn = panels.figure1(small)
    china = drawn.points.filter(pl.col("country_code") == "CN").row(0, named=True)
    assert (china["models"], china["median"], china["source"], china["tied"]) == (2, 577.5, "Coal", False)
    assert [(one.reason, one.count) for one in drawn.excluded] == [("country_code is unknown", 2)]
    assert drawn.points["models"].sum() == 8


def test_grand_average_weighs_rows_equally(small: survey.Dataset) -> None:
    """In 2021 two models emit 100 and 120 kg: 110, with no interval at n = 2."""
    drawn = panels.figure3(small)
    last = drawn.layers["grand"].row(-1, named=True)
    assert (last["bin"], last["n"], last["mean"], last["low"]) == ("2021", 2, 110.0, None)
    assert last["note"] == "no interval below 3 values"


def test_cells_are_by_task_and_bin(small: survey.Dataset) -> None:
    """Every cell with a model is there, none other."""
    means = panels.figure3(small).layers["means"]
    assert means.select("task", "bin").unique().height == means.height == 7
    assert means["n"].sum() == 10


def test_front_has_no_dominated_model(small: survey.Dataset) -> None:
    """120 kg for the 80 that 100 kg also reach is off the front; 14 rows have no metric in the real table, here one."""
    drawn = panels.figure4(small)
    images = drawn.layers["front"].filter(pl.col("task") == "Image Classification")
    assert images.select("emissions_kg", "metric_value").rows() == [
        (0.488, 60.0),
        (12.0, 70.0),
        (100.0, 80.0),
    ]
    assert sum(one.count for one in drawn.excluded) == 1


def test_empty_cells_of_sources_are_zero(small: survey.Dataset) -> None:
    """Coal is in 2019, 2020 and twice in 2021."""
    points = panels.figure6b(small).points
    assert points.filter(pl.col("source") == "Coal")["models"].to_list() == [0, 0, 0, 1, 1, 2]


def test_points_at_zero_are_kept_for_the_gutter(small: survey.Dataset) -> None:
    """A zero is drawn beside the axis and said."""
    from dataclasses import replace

    zero = pl.when(pl.col("row") == 1).then(0.0).otherwise(pl.col("emissions_kg")).alias("emissions_kg")
    drawn = panels.figure2(replace(small, frame=small.frame.with_columns(zero)))
    assert drawn.points.height == 10
    assert [one.count for one in drawn.excluded] == [1]


def test_slope_of_energy_on_itself_is_one(small: survey.Dataset) -> None:
    """The line is the identity."""
    slope = panels.scatter(small, "energy_kwh", "energy_recomputed_kwh").layers["slope"].row(0, named=True)
    assert slope["n"] == 10
    assert slope["slope"] == pytest.approx(1.0, abs=0.1)


def test_given_and_recomputed_stand_side_by_side(small: survey.Dataset) -> None:
    """The eighth row gives twice what the product is."""
    drawn = panels.given_and_recomputed(small)
    assert drawn.points["ratio"].to_list()[7] == pytest.approx(2.0)


def test_lorenz_curve_ends_at_one(small: survey.Dataset) -> None:
    """From nothing to all, below the diagonal."""
    points = panels.lorenz(small).points
    assert points.row(0) == (0.0, 0.0)
    assert points.row(-1) == (1.0, 1.0)
    assert (points["total"] <= points["runs"] + 1e-12).all()
