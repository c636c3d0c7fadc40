"""The figures are drawn, in each theme, from few rows and from very many."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from sootprint import survey
from sootprint.charts import draw
from sootprint.charts.theme import edge_of
from sootprint.survey.figures import cells, gallery, names
from sootprint.survey.figures.fronts import fronts
from sootprint.survey.figures.scatter import EMISSIONS
from sootprint.survey.figures.style import MOST_POINTS, SOURCES, TASKS, Categories


@pytest.mark.parametrize("key", gallery.TITLES)
def test_figure_is_drawn_and_told(key: str, told: survey.Dataset) -> None:
    """Each figure has a chart, a finding with its number of rows, and a text for those who cannot see it."""
    made = gallery.figure(told, key)
    assert made.chart is not None
    made.chart.to_dict(validate=True)
    drawn = draw.svg(made.chart, "paper")
    assert "<desc>" in drawn and drawn.count("<path") > 5
    assert any(letter.isdigit() for letter in made.caption)


@pytest.mark.parametrize("key", ["figure1", "figure2", "figure3", "figure4", "figure6b", "figure14"])
def test_filled_marks_have_an_edge(key: str, small: survey.Dataset) -> None:
    """Each colour of a category comes with its edge, in the marks and in the legend: yellow is lost on white."""
    drawn = draw.svg(gallery.figure(small, key).chart).lower()
    looks = {look[0].lower() for look in (*SOURCES.values(), *TASKS.values())}
    filled = looks & set(re.findall(r'fill="(#[0-9a-f]{6})"', drawn))
    assert filled
    for path in re.findall(r"<path[^>]*>", drawn):
        for colour in filled:
            assert f'fill="{colour}"' not in path or f'stroke="{edge_of(colour)}"' in path, path[:200]


def test_caption_counts_what_is_not_drawn(small: survey.Dataset) -> None:
    """Two rows of the small table name no country."""
    caption = gallery.figure(small, "figure1").caption
    assert "8 models from 5 countries" in caption
    assert caption.endswith("Not drawn, or at the foot of the axis: country not known: 2.")


def test_caption_of_fronts_tells_members_and_correlation(small: survey.Dataset) -> None:
    """Three of the four image models with an accuracy are on the front."""
    assert "3 of 4 on the front, rank correlation" in gallery.figure(small, "figure4").caption


def test_zero_is_drawn_at_the_foot_of_a_logarithmic_axis(small: survey.Dataset) -> None:
    """A hollow triangle stands where the axis has no place for it."""
    zero = pl.when(pl.col("row") == 1).then(0.0).otherwise(pl.col("emissions_kg")).alias("emissions_kg")
    with_zero = replace(small, frame=small.frame.with_columns(zero))
    shapes = [
        layer["mark"].get("shape") for layer in gallery.figure(with_zero, "figure3").chart.to_dict()["layer"]
    ]
    assert "triangle-down" in shapes
    assert "emissions is 0" in gallery.figure(with_zero, "figure3").caption


@pytest.mark.parametrize("key", ["figure2", "figure3", "figure4", "figure9"])
def test_very_many_points_are_counted_in_cells(key: str, small: survey.Dataset) -> None:
    """Above 20,000 rows a figure stays small."""
    times = 2 * MOST_POINTS // small.frame.height
    spread = pl.Series(np.random.default_rng(1).lognormal(0.0, 1.0, times * small.frame.height))
    frame = pl.concat([small.frame] * times).with_columns(
        row=pl.int_range(pl.len()).cast(pl.Int32),
        run=pl.int_range(pl.len()).cast(pl.String),
        emissions_kg=pl.col("emissions_kg") * spread,
        energy_kwh=pl.col("energy_kwh") * spread,
    )
    made = gallery.figure(replace(small, frame=frame), key, how=survey.Settings(resamples=100))
    assert len(str(made.chart.to_dict())) < 2_000_000
    assert "<path" in draw.svg(made.chart)


def test_cells_hold_every_point() -> None:
    """No point falls off the edge of the grid, and equal points fill one cell."""
    values = np.array([1.0, 10.0, 1000.0, 1000.0])
    assert sum(cell["count"] for cell in cells.cells(values, values)) == 4
    assert [cell["count"] for cell in cells.cells(np.ones(3), np.ones(3))] == [3]
    assert sum(count for _, count in cells.heights(values)) == 4


def test_unknown_categories_get_looks_of_their_own() -> None:
    """What has no fixed colour comes last, by name."""
    kinds = Categories(["Tidal", "Coal", None], SOURCES)
    assert kinds.names == ["Coal", "Unknown", "Tidal"]


def test_data_sets_of_one_task_have_fronts_of_their_own(small: survey.Dataset) -> None:
    """The points of all but the largest data set are hollow, and each front is named."""
    drawn = gallery.panels.figure4(small)
    other = pl.when(pl.col("row") == 1).then(pl.lit("CIFAR-10")).otherwise(pl.col("dataset")).alias("dataset")
    chart = fronts(drawn.points.with_columns(other), drawn.layers["front"].with_columns(other), EMISSIONS)
    drawing = draw.svg(chart)
    assert "CIFAR-10 (hollow)" in drawing and "ImageNet (filled)" in drawing
    untold = pl.when(pl.col("row") == 1).then(pl.lit(None)).otherwise(pl.col("dataset")).alias("dataset")
    chart = fronts(drawn.points.with_columns(untold), drawn.layers["front"].with_columns(untold), EMISSIONS)
    assert "data set not told (" in draw.svg(chart)


def test_nothing_to_draw_is_none(small: survey.Dataset) -> None:
    """Without a metric there is no figure of quality, and the caption says how many rows lack it."""
    bare = replace(small, frame=small.frame.with_columns(panel=pl.lit(None, pl.String)))
    made = gallery.figure(bare, "figure4")
    assert made.chart is None
    assert "task and metric not known" in made.caption or "result not known" in made.caption


def test_name_of_a_front_covers_no_point_where_there_is_room() -> None:
    """Rows right of the end of a front push its name elsewhere; it stays inside the plot."""
    front = [(40.0, 100.0), (120.0, 60.0)]
    first = names.placed("ImageNet", front, [], width=300, height=220)
    in_the_way = [(first.x + at, first.y) for at in range(0, 50, 5)]
    moved = names.placed("ImageNet", front, in_the_way, width=300, height=220)
    assert any(first.covers(point) for point in in_the_way)
    assert not any(moved.covers(point) for point in in_the_way)
    assert moved.x >= 0.0 and moved.x + names.LETTER * len(moved.text) <= 300.0 and 0.0 < moved.y < 220.0


def test_panels_of_the_paper_come_first_in_its_order(small: survey.Dataset) -> None:
    """Translation, classification, answering and recognition stand as printed; what else there is comes after them."""
    drawn = gallery.panels.figure4(small)
    tasks = ["Object Detection", "Named Entity Recognition", "Image Classification", "Machine Translation"]
    image = drawn.points.filter(pl.col("task") == "Image Classification")
    points = pl.concat([image.with_columns(task=pl.lit(task)) for task in tasks])
    members = drawn.layers["front"].clear()
    made = fronts(points, members, EMISSIONS).to_dict()
    headings = [made["datasets"][panel["layer"][-1]["data"]["name"]][0]["text"] for panel in made["concat"]]
    assert headings == [tasks[3], tasks[2], tasks[1], tasks[0]]


def test_small_points_are_drawn_over_large_ones(small: survey.Dataset) -> None:
    """Where size tells the intensity, a large point hides none."""
    made = gallery.figure(small, "figure2").chart.to_dict()
    rows = made["datasets"][made["data"]["name"]]
    sizes = [row["intensity_g_per_kwh"] for row in rows if row["intensity_g_per_kwh"] is not None]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) > 1


def test_groups_stand_in_the_order_of_their_medians(told: survey.Dataset) -> None:
    """Medians by hand from the table: 11.1 kg of the even rows, 488 g of the odd ones."""
    made = gallery.figure(told, "figure15")
    means = made.drawn.layers["means"]
    odd = sorted([0.488, 100.0, 1.2, 0.12, 0.108])
    even = sorted([12.0, 120.0, 1.2, 2.0, 11.1])
    assert means.select("group", "n", "median").rows() == [
        ("convolutional", 5, even[2]),
        ("transformer", 5, odd[2]),
    ]
    assert "the median goes from 11.1 kg (convolutional, n = 5) to 488 g (transformer, n = 5)" in made.caption


def test_one_group_is_nothing_to_compare(small: survey.Dataset) -> None:
    """A table that tells no architecture has no such figure, and the caption says why."""
    made = gallery.figure(small, "figure15")
    assert made.chart is None and "family of architecture not known: 10" in made.caption


def test_very_many_rows_of_a_group_are_counted(told: survey.Dataset) -> None:
    """Above 20,000 rows the figure of groups stays small."""
    times = 2 * MOST_POINTS // told.frame.height
    frame = pl.concat([told.frame] * times).with_columns(run=pl.int_range(pl.len()).cast(pl.String))
    made = gallery.figure(replace(told, frame=frame), "figure16", how=survey.Settings(resamples=100))
    assert len(str(made.chart.to_dict())) < 100_000
