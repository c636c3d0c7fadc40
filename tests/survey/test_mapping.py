"""Mapping files: any table in, and one clear line for each slip."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint import survey
from sootprint.core.errors import InputError
from sootprint.survey import mapping

GOOD = """
[table]
name = "Ours"
delimiter = ";"

[columns]
task = "aufgabe"
year = "jahr"
hardware = { first_of = ["gpu", "tpu"] }
devices = { value = "4" }
wall_hours = { column = "dauer", unit = "d" }
energy_given_kwh = { column = "energie", unit_column = "einheit" }
emissions_given_kg = { column = "co2", unit = "t" }
source = "quelle"

[vocabulary.source]
Kohle = "Coal"

[missing]
task = ["-"]

[[metrics]]
metric = "Top-1 accuracy"
column = "genau"
unit = "share"

[groupings.low_carbon]
sources = ["Coal"]
threshold_g_per_kwh = 100
"""
TABLE = """aufgabe;jahr;gpu;tpu;dauer;energie;einheit;co2;quelle;genau
Bild;2020;V100;;2;1.5;MWh;0.6;Kohle;0.75
-;2021;;TPU v3;0.5;20;kWh;;Wasser;
Text;2022;;;1;7;Eimer;0.002;;0.5
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A table with its mapping."""
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "m.toml").write_text(GOOD, encoding="utf-8")
    return tmp_path / "t.csv", tmp_path / "m.toml"


def test_units_words_and_origins_are_mapped(files: tuple[Path, Path]) -> None:
    """Days, a column of units, tonnes, shares, two columns for one, a constant and a vocabulary."""
    data = survey.load(files[0], mapping=files[1])
    assert data.name == "Ours"
    columns = [
        "task",
        "hardware",
        "devices",
        "wall_hours",
        "energy_given_kwh",
        "emissions_given_kg",
        "source",
    ]
    assert data.frame.select(columns).rows() == [
        ("Bild", "V100", 4.0, 48.0, 1500.0, 600.0, "Coal"),
        (None, "TPU v3", 4.0, 12.0, 20.0, None, "Wasser"),
        ("Text", None, 4.0, 24.0, None, 2.0, None),
    ]
    assert data.frame["metric_value"].to_list() == [75.0, None, 50.0]
    assert data.frame["low_carbon"].to_list() == [True, False, None]


def test_an_unknown_unit_is_left_out_and_counted(files: tuple[Path, Path]) -> None:
    """Buckets are no energy."""
    (one,) = survey.load(files[0], mapping=files[1]).excluded
    assert (one.what, one.count, one.example) == ("energy_given_kwh", 1, "Eimer")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("wall_hours =", "wall_hour =", "'wall_hour' is unknown; the nearest is 'wall_hours'"),
        ('unit = "d"', 'unit = "days"', "columns.wall_hours.unit is 'days': it is one of h, s, min, d"),
        ('unit = "d"', 'unti = "d"', "'unti' is unknown; the nearest is 'unit'"),
        ('"dauer"', '"daur"', "has no column 'daur', which the mapping 'm' names: the nearest is 'dauer'"),
        ("[columns]", "[colums]", "'colums' is unknown; the nearest is 'columns'"),
        ('task = "aufgabe"', 'task = { unit = "h" }', "columns.task names no origin"),
        ('task = "aufgabe"', "task = 3", "columns.task is 3: it is a column's name"),
        (
            'name = "Ours"',
            'values = "given by us"',
            "table.values is 'given by us': it is one of given, recomputed",
        ),
        ('delimiter = ";"', 'delimiter = "; "', "table.delimiter is '; ': it is one character"),
        ('unit = "share"', 'unit = "per mille"', ".unit is 'per mille'"),
        ('column = "genau"', "", "has no column: give both metric and column"),
        ('Kohle = "Coal"', "Kohle = 3", "vocabulary.source is a table of texts"),
        ('task = ["-"]', 'task = "-"', "missing.task is '-': it is a list"),
        ("groupings.low_carbon", "groupings.low_carb", "grouping 'low_carb' is unknown"),
        ('sources = ["Coal"]', 'sources = "Coal"', "groupings.low_carbon.sources is 'Coal'"),
        ('name = "Ours"', 'name = "Ours', "is no TOML"),
    ],
)
def test_a_slip_costs_one_line(files: tuple[Path, Path], old: str, new: str, words: str) -> None:
    """It names the place, the value and what is allowed."""
    assert old in GOOD
    files[1].write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        survey.load(files[0], mapping=files[1])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_without_columns_is_refused() -> None:
    """It would map nothing."""
    with pytest.raises(InputError, match=r"has no \[columns\]"):
        mapping.parsed("[table]\nname = 'x'\n", where="m.toml")


def test_missing_mapping_is_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(InputError, match=r"none\.toml cannot be read: .*give a mapping file"):
        survey.load(files[0], mapping=tmp_path / "none.toml")


def test_packaged_mappings_are_good() -> None:
    """Those of the authors' table and of ours."""
    for key in mapping.PACKAGED:
        assert mapping.packaged(key).needed()
