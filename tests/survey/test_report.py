"""The report of a survey: a page that needs nothing else, and its twin in Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from sootprint import survey
from sootprint.core.errors import InputError
from sootprint.survey import tables
from sootprint.survey.figures import gallery
from sootprint.survey.report import grid

EVIL = "<script>alert(1)</script>|\x1b[31m"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a survey of the small table, whose first model has a hostile name."""
    from tests.survey.conftest import ROWS, cells, in_groups, write

    home = tmp_path_factory.mktemp("survey")
    data = survey.load(write(home / "models.csv", [cells(row) for row in ROWS]))
    named = pl.when(pl.col("row") == 1).then(pl.lit(EVIL)).otherwise(pl.lit("fine")).alias("model")
    data = in_groups(replace(data, frame=data.frame.with_columns(named)))
    analysis = survey.analyse(data, how=survey.Settings(resamples=200))
    survey.write(analysis, survey.summary(analysis), home / "out")
    return home / "out"


def test_every_figure_has_its_files(folder: Path) -> None:
    """Three drawings and the points for each figure, whole and of the kind that their names say."""
    starts = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    for key in gallery.TITLES:
        for end, start in starts.items():
            light, dark = (folder / "figures" / part / f"{key}{end}" for part in (".", "dark"))
            assert light.read_bytes().startswith(start), f"{key}{end}"
            assert dark.read_bytes().startswith(start), f"dark/{key}{end}"
            assert light.read_bytes() != dark.read_bytes()
        assert (folder / "figures" / f"{key}.csv").read_text(encoding="utf-8").count("\n") > 1
    ElementTree.fromstring((folder / "figures" / "figure1.svg").read_text(encoding="utf-8"))


def test_page_needs_nothing_else(folder: Path) -> None:
    """No address is loaded; findings, figures, tables and exclusions are on the page."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', outside)
    found = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    for finding in found["findings"]:
        assert finding["question"] in page
    for title in gallery.TITLES.values():
        assert f"<h3>{title}</h3>" in page
    assert page.count('<script type="application/json"') == len(gallery.TITLES)
    assert "Table 2. Models and mean carbon intensity" in page


def test_specifications_on_the_page_are_json(folder: Path) -> None:
    """What the script reads can be read."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, flags=re.DOTALL):
        assert json.loads(text)["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


def test_names_of_models_are_text_and_nothing_more(folder: Path) -> None:
    """A name that is markup stays a name on the page and in the table."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_page_names_what_is_left_out_in_words(folder: Path) -> None:
    """What is not in it is told by what a reader knows, not by the names of stored fields."""
    text = (
        (folder / "report.html")
        .read_text(encoding="utf-8")
        .partition('id="excluded"')[2]
        .partition("</table>")[0]
    )
    assert "not known" in text
    assert not re.search(r">[^<]*[a-z]_(?:kg|kwh|value|code)\b", text)


def test_mean_over_energy_that_nobody_knows_is_no_number(small: survey.Dataset) -> None:
    """It is empty in the table, not a NaN."""
    nowhere = small.frame.with_columns(pl.lit(None, pl.Float64).alias("energy_kwh"))
    made = tables.table2(replace(small, frame=nowhere))
    assert made["energy_weighted_intensity_g_per_kwh"].null_count() == made.height


@pytest.mark.parametrize(
    ("cells", "answer"),
    [
        (
            "V100,4,48,France,",
            "No run has known emissions as given; 1 has them as rated power × device hours × intensity "
            "(`--values recomputed`).",
        ),
        (
            ",,,,",
            "No run has known emissions: each needs its emissions or its energy, or hardware, hours and a place.",
        ),
    ],
)
def test_table_without_emissions_is_told_the_way_to_them(tmp_path: Path, cells: str, answer: str) -> None:
    """Hardware, hours and a place suffice, and who has them is told the option; no unit stands at what is unknown."""
    table = tmp_path / "own.csv"
    table.write_text(
        f"model,year,hardware,devices,wall_hours,country,note\nm,2023,{cells}\n", encoding="utf-8"
    )
    found = survey.summary(survey.analyse(survey.load(table), how=survey.Settings(resamples=100)))
    sources, magnitude, *_ = found["findings"]
    assert magnitude["answer"] == answer
    assert not any("unknown g/kWh weighted" in one for one in sources["details"])


def test_markdown_shows_figures_and_tables(folder: Path) -> None:
    """The twin links the drawings, and its tables have as many cells in each row as in the head."""
    text = (folder / "report.md").read_text(encoding="utf-8")
    for key in gallery.TITLES:
        assert f"(figures/{key}.svg)" in text
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_figures_can_be_had_by_name(small: survey.Dataset) -> None:
    """A notebook shows `survey.figure2(data)`."""
    for name in ("figure1", "figure2", "figure3", "figure4", "figure5", "figure6a", "figure6b"):
        assert getattr(survey, name)(small).to_dict()["description"]


def test_unknown_figure_is_told() -> None:
    """The message lists the figures that there are."""
    with pytest.raises(InputError, match="'figure99' is not one of figure1"):
        gallery.figure(None, "figure99")  # type: ignore[arg-type]


def test_tables_name_units_and_years_as_people_do() -> None:
    """A unit stands in brackets, a year has no comma, and what is counted has one."""
    frame = pl.DataFrame(
        {"median_power_w": [310.0], "first_year": [2012], "rows": [1200], "energy_kwh": [2.5]}
    )
    made = grid(frame, "Some")
    assert list(made.columns) == ["median power [W]", "first year", "rows", "energy [kWh]"]
    assert list(made.rows[0]) == ["310", "2012", "1,200", "2.5"]
