"""The data set: what a table becomes, and what is said where it is none."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import sootprint
from sootprint import survey
from sootprint.core.errors import InputError
from sootprint.survey import schema

from .conftest import COLUMNS, ROWS, cells, write


def column(data: survey.Dataset, name: str) -> list:
    """Values of a column."""
    return data.frame.get_column(name).to_list()


def test_module_is_reached_from_the_package() -> None:
    """`import sootprint` is enough for a notebook."""
    assert sootprint.survey is survey


def test_the_module_is_called_as_the_command_is(table: Path, tmp_path: Path) -> None:
    """`sootprint.survey(DATA)` gives the summary, and writes nothing unasked."""
    before = set(tmp_path.iterdir())
    found = sootprint.survey(table, how=survey.Settings(resamples=100))
    assert found["n_models"] == len(ROWS)
    assert set(tmp_path.iterdir()) == before


def test_columns_are_those_of_the_schema(small: survey.Dataset) -> None:
    """Each column has its place and type, whatever the table had."""
    assert small.frame.columns == list(schema.COLUMNS)
    assert dict(small.frame.schema) == schema.types()


def test_wall_hours_and_device_hours_are_two_quantities(small: survey.Dataset) -> None:
    """2 GPUs for 360,000 s are 100 wall hours and 200 device hours."""
    assert (column(small, "wall_hours")[0], column(small, "device_hours")[0]) == (100.0, 200.0)


def test_given_and_recomputed_are_kept_apart(small: survey.Dataset) -> None:
    """244 W x 200 h is 48.8 kWh, at 10 g 0.488 kg; the eighth row gives 2 kg where 2.5 kWh x 400 g is 1 kg."""
    assert column(small, "energy_recomputed_kwh")[0] == pytest.approx(48.8)
    assert column(small, "emissions_recomputed_kg")[0] == pytest.approx(0.488)
    assert (column(small, "emissions_given_kg")[7], column(small, "emissions_from_energy_kg")[7]) == (
        2.0,
        1.0,
    )
    assert column(small, "emissions_kg")[7] == 2.0


def test_values_may_be_recomputed(table: Path) -> None:
    """The same table read as equation 1 gives it."""
    assert column(survey.load(table, values="recomputed"), "emissions_kg")[7] == pytest.approx(1.0)


def test_places_are_understood(small: survey.Dataset) -> None:
    """A state is found in its country; what is no country stays one of its own kind: unknown."""
    assert column(small, "zone")[:3] == ["CA-QC", "CN-BJ", "US-MI"]
    assert column(small, "country_name")[6:8] == [None, None]


def test_devices_get_a_family(small: survey.Dataset) -> None:
    """`v100` and `Tesla V100 PCIe 32 GB` are one family; `?` is unknown."""
    families = column(small, "hardware_family")
    assert [families[1], families[9]] == ["Tesla V100", "Tesla V100"]
    assert families[7] is None


def test_no_year_is_lost(tmp_path: Path) -> None:
    """Years before 2012 and after 2021 have bins of their own."""
    rows = [cells((*ROWS[0][:2], year, *ROWS[0][3:])) for year in (2009, 2013, 2024)]
    data = survey.load(write(tmp_path / "t.csv", rows))
    assert data.bins == ("before 2012", "2012-2016", *map(str, range(2017, 2025)))
    assert column(data, "bin") == ["before 2012", "2012-2016", "2024"]


@pytest.mark.parametrize(
    ("years", "bins"),
    [([2013], ("2012-2016",)), ([2019, 2020], ("2019", "2020")), ([2000], ("before 2012",)), ([], ())],
)
def test_bins_begin_and_end_with_the_data(years: list[int], bins: tuple[str, ...]) -> None:
    """A bin is there for each year from the first to the last, and for no other."""
    from sootprint.survey.bins import labels

    assert labels(years) == bins


def test_impossible_numbers_are_set_aside_and_counted(tmp_path: Path) -> None:
    """A negative emission and zero devices are unknown afterwards, and said."""
    row = cells(ROWS[0]) | {"CO₂eq emitted [kg]": -3, "Number of GPUs": 0}
    data = survey.load(write(tmp_path / "t.csv", [row, cells(ROWS[1])]))
    assert column(data, "emissions_kg") == [None, 12.0]
    assert [(one.what, one.count) for one in data.excluded] == [("devices", 1), ("emissions_given_kg", 1)]


def test_cells_in_other_units_are_counted(tmp_path: Path) -> None:
    """A cell with a unit of its own is left out, counted and shown."""
    rows = [cells(row) for row in ROWS]
    rows[0]["Energy consumed [kWh]"] = "0.0488 MWh"
    (one,) = survey.load(write(tmp_path / "t.csv", rows)).excluded
    assert (one.what, one.count, one.example) == ("energy_given_kwh", 1, "0.0488 MWh")


def test_a_column_of_words_is_no_column_of_numbers(tmp_path: Path) -> None:
    """Where most cells are no numbers, the wrong column was mapped."""
    rows = [cells(row) | {"Energy consumed [kWh]": "5 kWh"} for row in ROWS]
    with pytest.raises(InputError, match="energy_given_kwh is read from cells such as '5 kWh'"):
        survey.load(write(tmp_path / "t.csv", rows))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x7fELF\0\0\0\0", "is no table: it holds bytes"),
        (b"just words\nand more\n", "is no table: its first line has one column"),
        (b"\xff\xfe,a\n", "no table in UTF-8"),
        (b"a,b\n1,2\n", "has columns that no known table has"),
        (b"energy_given_kwh,year\n", "has no rows"),
        (b"energy_given_kwh,year\n,\n,\n", "has no rows"),
        (b"energy_given_kwh,year,year\n1,2020,2021\n", "has the column 'year' 2 times"),
        (b"energy_given_kwh,year\n1,2020,3\n", "cannot be read as a table"),
        (b"energy_given_kwh,model\n1,\xe9\n", "invalid utf-8"),
    ],
)
def test_what_is_no_table_costs_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    """Each says what it is and what to give."""
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        survey.load(path)
    assert "\n" not in str(caught.value)


def test_a_huge_file_that_is_no_table_is_refused_unread(tmp_path: Path) -> None:
    """Two gigabytes of zeros are known from their first megabyte."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(InputError, match="is no table"):
        survey.load(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """The way out is a table or records."""
    with pytest.raises(InputError, match=r"nothing\.csv cannot be read"):
        survey.load(tmp_path / "nothing.csv")


HEAD = "model,year,energy_given_kwh,emissions_given_kg\n"


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ("a,1890,1,1", ("year", "no year from 1950 to 2100", 1)),
        ("a,2020.5,1,1", ("year", "no year from 1950 to 2100", 1)),
        ("a,2020,inf,1", ("energy_given_kwh", "no number in the stated unit", 1)),
        ("a,2020,1e300,1", ("energy_given_kwh", "not at least 0, or above 1e+30", 1)),
        (",,,", ("rows", "nothing in any column", 1)),
    ],
)
def test_what_cannot_be_is_left_out_and_counted(tmp_path: Path, row: str, left: tuple[str, str, int]) -> None:
    """Beside good rows, which stay."""
    path = tmp_path / "t.csv"
    path.write_text(f"{HEAD}{row}\nb,2021,2,2\nc,2021,3,3\n", encoding="utf-8")
    (one,) = survey.load(path).excluded
    assert (one.what, one.reason, one.count) == left


@pytest.mark.parametrize("row", ["a,2020,,", "a,,,", "a,2020,0,0", "a,2020,1,1"])
def test_one_poor_row_is_surveyed(tmp_path: Path, row: str) -> None:
    """N = 1, zeros and unknowns give answers, none of them made up."""
    path = tmp_path / "t.csv"
    path.write_text(f"{HEAD}{row}\n", encoding="utf-8")
    found = sootprint.survey(path, how=survey.Settings(resamples=100))
    assert len(found["findings"]) == 4
    assert json.loads(json.dumps(found, allow_nan=False))["n_models"] == 1


def test_own_schema_needs_no_mapping(tmp_path: Path) -> None:
    """A table with the schema's names is read as it is."""
    path = tmp_path / "t.csv"
    path.write_text("model,year,energy_given_kwh,emissions_given_kg\nA,2020,10,4\n", encoding="utf-8")
    data = survey.load(path)
    assert (column(data, "emissions_kg"), column(data, "run")) == ([4.0], ["row 1"])


def test_a_run_counts_once(tmp_path: Path) -> None:
    """Two rows of one run: one of them enters totals."""
    path = tmp_path / "t.csv"
    path.write_text("run,task,energy_given_kwh\na,X,10\na,Y,10\n,Z,3\n", encoding="utf-8")
    assert column(survey.load(path), "counts") == [True, False, True]


def test_the_table_has_the_authors_columns() -> None:
    """The fixture is in the schema of the authors' file: 23 columns and an index without a name."""
    assert len(COLUMNS) == 24
    assert pl.DataFrame([cells(row) for row in ROWS]).height == 10


@pytest.mark.parametrize("row", ["<script>alert(1)</script>,2020,1,1", "a,,,"])
def test_poor_and_hostile_rows_are_written(tmp_path: Path, row: str) -> None:
    """Every file, twice in one process, and no text of a table becomes a script of the page."""
    path = tmp_path / "t.csv"
    path.write_text(f"{HEAD}{row}\n", encoding="utf-8")
    sootprint.survey(path, tmp_path / "out", how=survey.Settings(resamples=100))
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert (tmp_path / "out/summary.json").is_file()
