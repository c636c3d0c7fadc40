"""The shipped table of published runs: what it holds, and that the same analysis runs on it."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import build_survey_table
from sootprint import survey

TASKS = {
    "Image Classification",
    "Object Detection",
    "Machine Translation",
    "Question Answering",
    "Named Entity Recognition",
    "Language Modelling",
}


@pytest.fixture(scope="module")
def data() -> survey.Dataset:
    """The shipped table."""
    return survey.load("published")


@pytest.fixture(scope="module")
def found(data: survey.Dataset) -> dict[str, Any]:
    """Its summary, with few resamples."""
    return survey.summary(survey.analyse(data, how=survey.Settings(resamples=200)))


def packaged() -> list[dict[str, str]]:
    """Rows of the packaged file."""
    text = files("sootprint.survey").joinpath("data/published.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_no_row_is_from_memory_alone() -> None:
    """Each row names where its numbers were read."""
    rows = packaged()
    assert len(rows) == 148
    assert {row["confidence"] for row in rows} == {"verified-in-source", "verified-secondary"}
    assert all(row["confidence_where"] and row["licence"] == "facts" for row in rows)


def test_remembered_cells_are_empty() -> None:
    """Of a row with other good numbers."""
    by_id = {row["id"]: row for row in packaged()}
    for name, cells in build_survey_table.REMEMBERED_CELLS.items():
        assert [by_id[name][cell] for cell in cells] == [""] * len(cells)


def test_packaged_table_is_what_the_tool_makes(shared_dir: Path) -> None:
    """The same bytes from the gathered table."""
    with (shared_dir / "data/published_footprints.csv").open(encoding="utf-8", newline="") as file:
        text = build_survey_table.text_of(build_survey_table.rows(csv.DictReader(file)))
    assert text == files("sootprint.survey").joinpath("data/published.csv").read_text(encoding="utf-8")


def test_the_gathered_table_is_read_with_the_same_mapping(shared_dir: Path) -> None:
    """All 171 rows of it, in the columns of its gatherers."""
    data = survey.load(shared_dir / "data/published_footprints.csv")
    assert (data.key, data.frame.height, data.frame["run"].n_unique()) == ("published", 171, 165)


def test_reported_and_recomputed_are_kept_apart(data: survey.Dataset, found: dict[str, Any]) -> None:
    """What is analysed is recomputed throughout; what was reported stands beside it with its own count."""
    assert data.values == "recomputed"
    assert (data.frame["emissions_kg"] == data.frame["emissions_recomputed_kg"]).all()
    assert found["n_given"] == 28
    assert found["n_recomputed"] == found["n_with_emissions"] == 138


def test_fronts_and_trends_reach_2025(data: survey.Dataset, found: dict[str, Any]) -> None:
    """All five tasks of the survey and language modelling."""
    assert {panel.split(" / ")[0] for panel in found["pareto"]} == TASKS
    assert set(found["trend_by_task"]) >= TASKS
    assert data.bins[-1] == "2025"
    assert all(found["mean_emissions_kg_by_bin"][year] for year in ("2022", "2023", "2024", "2025"))


def test_an_implausible_card_is_flagged_not_repaired(data: survey.Dataset) -> None:
    """12.9 t for seven million hours of an H100."""
    (row,) = survey.flags(data).filter(flag="emissions-implausible").to_dicts()
    assert (row["model"], row["given"]) == ("Llama 3.3 70B", 12900.0)
    assert row["implied"] > 1e6


def test_emissions_grow_with_parameters(data: survey.Dataset, found: dict[str, Any]) -> None:
    """The size is read of names that have one: 7B, 1.5T, not 1B-7B and not the tokens."""
    sizes = dict(data.frame.drop_nulls("parameters").select("model", "parameters").iter_rows())
    assert (sizes["Llama 2 7B"], sizes["OLMo 1B (3T tokens)"], sizes["T5-11B"]) == (7e9, 1e9, 11e9)
    assert "OLMoE 1B-7B 0924" not in sizes
    assert found["elasticity_to_parameters"]["n"] > 20
    assert 0 < found["elasticity_to_parameters"]["slope"] < 2


def test_a_shared_run_counts_once(data: survey.Dataset) -> None:
    """ELMo stands in two tasks with one training."""
    rows = data.frame.filter(run="elmo")
    assert rows["counts"].to_list() == [True, False]


def test_market_based_intensity_is_set_aside(data: survey.Dataset) -> None:
    """Gopher's is net of contracts: the grid's counts, and it is said."""
    (one,) = [one for one in data.excluded if one.reason.startswith("market-based")]
    assert one.count == 1
    assert data.frame.filter(model="Gopher 280B")["intensity_basis"].item() == "catalogue"


def test_the_authors_claims_are_for_their_table_alone(found: dict[str, Any]) -> None:
    """Other data reproduce nothing of the survey."""
    assert (found["reproduced"], found["not_reproduced"], found["not_testable"]) == ([], [], [])


def test_every_result_has_a_meaning(found: dict[str, Any]) -> None:
    """The names of summary.json are those of the reference page, and no other."""
    from sootprint.survey.keys import KEYS

    assert list(found) == list(KEYS)
