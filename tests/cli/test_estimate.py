"""`sootprint estimate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sootprint import Footprint

SURVEY = ["estimate", "--power-w", "300", "--hours", "100", "--method", "survey"]


@pytest.mark.parametrize(("intensity", "emissions_kg"), [(500, 15.0), (100, 3.0)])
def test_worked_examples_of_the_survey(call, intensity: float, emissions_kg: float) -> None:
    """300 W for 100 h at 500 g/kWh are 15 kg, at 100 g/kWh 3 kg (Counting Carbon, 2023)."""
    made = Footprint.from_json(call(*SURVEY, "--intensity", intensity, "--json").stdout)
    assert made.emissions_kg.value == emissions_kg


def test_device_hours_of_the_survey(call) -> None:
    """16 GPUs for 24 h are as many device hours as 8 for 48 h: 384."""
    work = ["estimate", "--hardware", "V100", "--intensity", "100", "--json"]
    for count, hours in ((16, 24), (8, 48)):
        assert (
            json.loads(call(*work, "--count", count, "--hours", hours).stdout)["device_hours"]["value"]
            == 384.0
        )


def test_text_has_the_figure_and_its_interval(call) -> None:
    """A person reads emissions with their interval, and where the place came from."""
    result = call("estimate", "--hardware", "V100", "--hours", "100", "--zone", "FR")
    assert result.exit_code == 0
    for words in ("CO2e", "90 %", "FR (France)", "NVIDIA Tesla V100", "grade D"):
        assert words.lower() in result.stdout.lower()


def test_explain_shows_every_factor_with_its_source(call) -> None:
    """The table has each factor, its part in the interval and a source."""
    result = call("estimate", "--hardware", "V100", "--hours", "1", "--zone", "aws/us-east-1", "--explain")
    for words in ("rated power", "power fraction", "host overhead", "pue", "intensity", " %", "arXiv"):
        assert words in result.stdout


BAD: list[tuple[list[Any], list[str]]] = [
    (["--hardware", "V100", "--hours", "1", "--zone", "Frnce"], ["'Frnce'", "FR (France)"]),
    (["--hardware", "V1000", "--hours", "1"], ["'V1000'", "V100"]),
    (["--hardware", "V100", "--hours", "1", "--pue", "0.8"], ["pue is 0.8", "between 1 and 10"]),
    (["--hardware", "V100", "--hours", "nan"], ["hours is nan", "above 0"]),
    (["--hardware", "V100", "--hours", "1e9"], ["hours is 1e+09", "1,000,000"]),
    (["--power-w", "5000", "--hours", "1"], ["power_w is 5000", "3000 W"]),
    (["--hardware", "TPU v5e", "--hours", "1"], ["TPU v5e", "--power-w"]),
    (["--hardware", "V100"], ["hours is not given", "--hours"]),
    (["--hardware", "V100", "--hours", "1", "--count", "9" * 400], ["--count", "is not a whole number"]),
    (["--hours", "1"], ["neither hardware nor power_w"]),
    (["--from", "missing.csv"], ["missing.csv", "cannot be read"]),
    (["--from", "x.csv", "--explain"], ["--explain"]),
]


@pytest.mark.parametrize(("arguments", "words"), BAD, ids=[" ".join(map(str, one[0])) for one in BAD])
def test_bad_input_is_one_line_and_exit_code_2(call, arguments: list[Any], words: list[str]) -> None:
    """The line names the value and the rule, and nothing is printed beside it."""
    result = call("estimate", *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert [word for word in words if word not in result.stderr] == []


def test_table_gives_records_in_json(call, tmp_path: Path) -> None:
    """Each row of a file is one record of the list, with the options where a cell is empty."""
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("name,power_w,hours,zone\na,300,100,\nb,300,100,DE\n", encoding="utf-8")
    listed = json.loads(call("estimate", "--from", jobs, "--zone", "FR", "--json").stdout)
    assert [(one["name"], one["place"]["zone"]) for one in listed] == [("a", "FR"), ("b", "DE")]


def test_table_gives_lines_and_a_total(call, tmp_path: Path) -> None:
    """30 kWh and 60 kWh are 90 kWh, and at 500 g/kWh 45 kg."""
    jobs = tmp_path / "jobs.csv"
    jobs.write_text(
        "name,power_w,count,hours,intensity\na,300,1,100,500\nb,300,2,100,500\n", encoding="utf-8"
    )
    lines = call("estimate", "--from", jobs).stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("a ", "b "))] == ["a", "b"]
    assert lines[-1].startswith("2 jobs")
    assert "90.0 kWh" in lines[-1] and "45.0 kg" in lines[-1]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_wrong_row_prints_nothing_before_it(call, tmp_path: Path, form: list[str]) -> None:
    """The good rows above a wrong one are not half of an answer."""
    jobs = tmp_path / "jobs.csv"
    jobs.write_text("power_w,hours,intensity\n300,100,500\n300,-1,500\n", encoding="utf-8")
    result = call("estimate", "--from", jobs, *form)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "jobs.csv row 2 (line 3), column hours: hours is -1" in result.stderr


def test_table_that_is_no_text_is_refused(call, tmp_path: Path) -> None:
    """A spreadsheet in place of a CSV gets one line."""
    jobs = tmp_path / "jobs.csv"
    jobs.write_bytes(b"PK\x03\x04\xff\xfe")
    result = call("estimate", "--from", jobs)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "UTF-8" in result.stderr
