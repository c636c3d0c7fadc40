"""A small table in the columns of the authors' file, with invented rows, and data sets made of it."""

# ruff: noqa: E501 - a row of the table is a line

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sootprint import survey

COLUMNS = (
    "",
    "Data set",
    "Task",
    "Year published",
    "Local/Cloud",
    "Country",
    "Location",
    "Carbon intensity [g CO₂eq/kWh]",
    "Main energy source",
    "Source",
    "Number of GPUs",
    "GPU model",
    "Number of TPUs",
    "TPU model",
    "TDP",
    "TDP Source",
    "Training time [s]",
    "Energy consumed [kWh]",
    "CO₂eq emitted [kg]",
    "Top-5 accuracy",
    "Top-1 accuracy",
    "Hardware burden",
    "BLEU score",
    "F1 score",
)
# task, data set, year, country, location, g/kWh, source, GPUs, GPU, W, s, kWh, kg, metric
ROWS = (
    ("Image Classification", "Imagenet", 2014, "Canada", "Quebec", 10, "Hydro", 2, "GeForce GTX 580", 244, 360000, 48.8, 0.488, 60.0),
    ("Image Classification", "Imagenet", 2019, "China", "Beijing", 600, "Coal", 8, "v100", 250, 36000, 20.0, 12.0, 70.0),
    ("Image Classification", "Imagenet", 2021, "United States of America", "Michigan", 500, "Coal", 8, "v100", 250, 360000, 200.0, 100.0, 80.0),
    ("Image Classification", "Imagenet", 2021, "United States of America", "Ohio", 600, "Coal", 8, "v100", 250, 360000, 200.0, 120.0, 80.0),
    ("Machine Translation", "WMT2014 English-French", 2017, "France", "Paris", 60, "Nuclear", 4, "Tesla P40", 250, 72000, 20.0, 1.2, 40.0),
    ("Machine Translation", "WMT2014 English-German", 2017, "France", "Paris", 60, "Nuclear", 4, "Tesla P40", 250, 72000, 20.0, 1.2, 28.0),
    ("Question Answering", "SQuAD 1.1", 2018, "Multiple countries", "Here, there", 300, "Gas", 1, "p6000", 40, 36000, 0.4, 0.12, 81.0),
    ("Question Answering", "SQuAD 1.1", 2018, "Google", "Google", 400, "Gas", 1, "?", 250, 36000, 2.5, 2.0, 85.0),
    ("Named Entity Recognition", "Conll 2003", 2020, "Japan", "Tokyo", 600, "Oil", 1, "GTX 1080", 180, 3600, 0.18, 0.108, 91.0),
    ("Object Detection", "MS COCO", 2020, "China", "Wuhan", 555, "Coal", 8, "Tesla V100 PCIe 32 GB", 250, 36000, 20.0, 11.1, None),
)  # fmt: skip
METRIC = {
    "Image Classification": "Top-1 accuracy",
    "Machine Translation": "BLEU score",
    "Question Answering": "F1 score",
    "Named Entity Recognition": "F1 score",
}


def cells(row: tuple) -> dict[str, object]:
    """One row of the table by its columns."""
    (
        task,
        dataset,
        year,
        country,
        place,
        intensity,
        source,
        count,
        gpu,
        power,
        seconds,
        energy,
        mass,
        metric,
    ) = row
    found = {
        "Data set": dataset,
        "Task": task,
        "Year published": f"{year}.0",
        "Country": country,
        "Location": place,
        "Carbon intensity [g CO₂eq/kWh]": intensity,
        "Main energy source": source,
        "Number of GPUs": count,
        "GPU model": gpu,
        "TDP": power,
        "Training time [s]": seconds,
        "Energy consumed [kWh]": energy,
        "CO₂eq emitted [kg]": mass,
    }
    return found | ({METRIC[task]: metric} if metric is not None else {})


def write(path: Path, rows: list[dict[str, object]], columns: tuple[str, ...] = COLUMNS) -> Path:
    """A CSV file of rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """The small table as a file."""
    return write(tmp_path / "models.csv", [cells(row) for row in ROWS])


@pytest.fixture
def small(table: Path) -> survey.Dataset:
    """The small table as a data set."""
    return survey.load(table)


def in_groups(data: survey.Dataset) -> survey.Dataset:
    """A data set with two families of architecture and two stages, by odd and even rows."""
    odd = pl.col("row") % 2 == 1
    family = pl.when(odd).then(pl.lit("transformer")).otherwise(pl.lit("convolutional"))
    stage = pl.when(odd).then(pl.lit("pretrain")).otherwise(pl.lit("finetune"))
    return replace(data, frame=data.frame.with_columns(architecture_family=family, stage=stage))


@pytest.fixture
def told(small: survey.Dataset) -> survey.Dataset:
    """The small table with families of architecture and stages."""
    return in_groups(small)
