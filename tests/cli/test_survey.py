"""`sootprint survey`: answers on the screen, files in a folder, and one line for each wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sootprint import Footprint

HEAD = "model,year,task,dataset,metric,metric_value,country,source,intensity_g_per_kwh,energy_given_kwh,"
HEAD += "emissions_given_kg\n"
FEW = ("--resamples", 200)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Nine models in the schema's own columns, one without a country, one without emissions."""
    rows = [
        f"m{number},{2015 + number},Translation,WMT,BLEU,{20 + number},{country},{source},{intensity},100,{mass}"
        for number, (country, source, intensity, mass) in enumerate(
            [("France", "Nuclear", 60, 6), ("China", "Coal", 600, 60), ("Atlantis", "Gas", 400, 40)] * 3
        )
    ]
    rows[-1] = rows[-1].rpartition(",")[0] + ","
    path = tmp_path / "models.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_answers_are_printed_without_a_folder(call, table: Path) -> None:
    """Four questions, what was left out, and that nothing was written."""
    result = call("survey", table, *FEW)
    assert result.exit_code == 0
    assert result.stdout.count("?") == 4
    for words in ("nuclear for 3", "8 runs emitted", "country_code is unknown"):
        assert words in result.stdout
    assert "nothing was written: add --out DIR" in result.stderr


def test_files_are_written_to_the_folder(call, table: Path, tmp_path: Path) -> None:
    """Summary, tables, models and flags; --json prints the same summary."""
    out = tmp_path / "deep/out"
    result = call("survey", table, "--out", out, "--json", *FEW)
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads((out / "summary.json").read_text(encoding="utf-8"))
    names = {path.name for path in (out / "tables").iterdir()}
    assert names >= {"table1.csv", "table2.csv", "table3.csv", "models.csv", "flags.csv"}


def test_summary_counts_what_is_left_out(call, table: Path) -> None:
    """Unknown country and unknown emissions, each with its number."""
    found = json.loads(call("survey", table, "--json", *FEW).stdout)
    left = {(one["what"], one["reason"]): one["count"] for one in found["excluded"]}
    assert left["figure 1", "country_code is unknown"] == 3
    assert left["emissions_kg by task and bin", "emissions_kg is unknown"] == 1
    assert found["total_emissions_kg"] == 3 * 6 + 3 * 60 + 2 * 40


def test_cells_of_one_model_have_no_interval(call, table: Path) -> None:
    """A bin with n = 1 has a mean and no bounds."""
    found = json.loads(call("survey", table, "--json", *FEW).stdout)
    last = found["emissions_by_bin"][-1]
    assert (last["n"], last["low"], last["note"]) == (1, None, "no interval below 3 values")


def test_the_shipped_table_needs_no_file(call) -> None:
    """It is in the package."""
    found = json.loads(call("survey", "--dataset", "published", "--json", *FEW).stdout)
    assert (found["data"], found["n_models"]) == ("published", 148)


def test_the_ledger_is_surveyed(call, stored: list[Footprint]) -> None:
    """The runs of this machine."""
    found = json.loads(call("survey", "--dataset", "ledger", "--json", *FEW).stdout)
    assert (found["data"], found["n_models"]) == ("records", len(stored))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name one of DATA, --dataset NAME or --from-hub URL"),
        (("x.csv", "--dataset", "published"), "name one of DATA"),
        (("--dataset", "published", "--mapping", "m.toml"), "--mapping is for a table"),
        (("nothing.csv",), "nothing.csv cannot be read"),
        (("--from-hub", "hub"), "'hub' is no address of a hub"),
        (("--dataset", "publishd"), "published"),
        (("x.csv", "--resamples", "3"), "--resamples"),
    ],
)
def test_wrong_use_costs_one_line(program, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, and nothing is half written."""
    result = program("survey", *arguments, "--out", tmp_path / "out", cwd=tmp_path)
    assert result.returncode == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "start", "words"),
    [
        ("big.csv", b"", "big.csv is no table"),
        ("late.csv", HEAD.encode() + b"m,2020,T,D,M,1,France,Gas,60,10,1\n" * 40_000, "late.csv is no table"),
        ("big.json", b'[{"schema":', "big.json is no text"),
        ("big.toml", b"[columns]\n", "big.toml has more than 1 MiB"),
    ],
)
def test_two_gigabytes_that_are_no_table_cost_one_line(
    program, table: Path, tmp_path: Path, name: str, start: bytes, words: str
) -> None:
    """They are looked at and not held: a process with less memory than the file has answers."""
    with (tmp_path / name).open("wb") as file:
        file.write(start)
        file.truncate(2 << 30)
    given = (table, "--mapping", name) if name.endswith(".toml") else (name,)
    result = program("survey", *given, cwd=tmp_path)
    assert result.returncode == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_poor_rows_are_counted(call, tmp_path: Path) -> None:
    """Zero and negative emissions, a number with its unit, an unknown country: each is told with its count."""
    rows = [
        "a,2020,T,D,M,1,France,Gas,60,10,0",
        "b,2020,T,D,M,2,Atlantis,Gas,60,10,-5",
        "c,2020,T,D,M,3,France,Gas,60,10 MWh,6",
        "d,2021,T,D,M,4,France,Gas,60,10,6",
    ]
    path = tmp_path / "poor.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    found = json.loads(call("survey", path, "--out", tmp_path / "out", "--json", *FEW).stdout)
    left = {one["what"]: (one["count"], one["example"]) for one in found["excluded"] if one["example"]}
    assert left == {"emissions_given_kg": (1, "-5"), "energy_given_kwh": (1, "10 MWh")}
    reasons = [one["reason"] for one in found["excluded"]]
    assert any("emissions_kg is 0" in reason for reason in reasons)
    assert "country_code is unknown" in reasons
    assert found["emissions_by_bin"][-1]["note"] == "no interval below 3 values"


def test_a_folder_that_cannot_be_written_is_said(call, table: Path, tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    result = call("survey", table, "--out", tmp_path / "out", *FEW)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
