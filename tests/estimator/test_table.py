"""Estimates of a CSV table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sootprint import Footprint, InputError
from sootprint.estimator.table import estimates
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))


def _rows(text: str, **defaults: Any) -> list[Footprint]:
    return list(estimates(text.splitlines(keepends=True), name="jobs.csv", settings=BARE, defaults=defaults))


def test_rows_become_records_in_order() -> None:
    """Each row gives the record that the same arguments give, with its name."""
    found = _rows("name,power_w,count,hours,intensity\na,300,1,100,500\nb,300,2,100,100\n")
    assert [(one.name, one.emissions_kg.value) for one in found] == [("a", 15.0), ("b", 6.0)]


def test_empty_cells_and_missing_columns_take_the_defaults() -> None:
    """A zone for all rows is given once; a cell of a row wins over it."""
    found = _rows("name,power_w,hours,zone\na,300,100,\nb,300,100,DE\n", zone="FR", method="survey")
    assert [one.place.zone for one in found] == ["FR", "DE"]


def test_rows_are_read_one_at_a_time() -> None:
    """The first record is there before the second row is looked at."""
    lines = iter(["power_w,hours,intensity\n", "300,100,500\n", "300,ten,500\n"])
    stream = estimates(lines, name="jobs.csv", settings=BARE, defaults={})
    assert next(stream).emissions_kg.value == 15.0
    with pytest.raises(InputError):
        next(stream)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("power_w,hours\n300,100\n300,-5\n", ["row 2 (line 3)", "column hours", "hours is -5", "above 0"]),
        ("power_w,hours\n300,ten\n", ["row 1", "column hours", "'ten' is not a number"]),
        ("power_w,hours,count\n300,1,1.5\n", ["row 1", "column count", "'1.5' is not a whole number"]),
        ("hardware,hours\nV1000,1\n", ["row 1", "column hardware", "V100"]),
        ("power_w,hours,zone\n300,1,Frnce\n", ["row 1", "column zone", "France"]),
        ("power_w,hours\n300,\n", ["row 1", "column hours", "empty"]),
        ("power_w,hours\n300,1,7\n", ["row 1", "cells"]),
        ("power_w,hours\n300\n", ["row 1", "cells"]),
        ("power_w,hours,tdp\n300,1,2\n", ["column 'tdp'", "power_w"]),
        ("power_w,hours,hours\n300,1,2\n", ["'hours' twice"]),
        ("power_w,hours\n", ["no rows"]),
        ("", ["is empty"]),
        ('power_w,hours\n"300,1\n', ["after row 0", "CSV"]),
    ],
)
def test_bad_row_gets_one_line(text: str, words: list[str]) -> None:
    """The message names row, column and rule."""
    with pytest.raises(InputError) as caught:
        _rows(text)
    assert [word for word in words if word not in str(caught.value)] == []
    assert "\n" not in str(caught.value)
