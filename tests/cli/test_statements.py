"""Statements on the command line: what is missing is told with a command that adds it, and nothing is half-written."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from sootprint import Footprint
from sootprint.ledger import Ledger


def test_way_out_that_boamps_names_works_as_it_stands(call, stored: list[Footprint], tmp_path: Path) -> None:
    """The command in the message, copied, is what makes the report; before it no file is written."""
    out = tmp_path / "boamps.json"
    refused = call("report", "small", "--format", "boamps", "--out", out)
    assert refused.exit_code == 2
    assert not out.exists()
    (command,) = re.findall(r"`sootprint (tag [^`]+)`", " ".join(refused.stderr.split()))
    assert call(*shlex.split(command)).exit_code == 0
    assert call("report", "small", "--format", "boamps", "--out", out).exit_code == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["task"]["taskStage"] == "finetuning"
    assert found["measures"][0]["powerConsumption"] == stored[0].energy_kwh.value
    before = json.loads(call("summary", "--json").stdout)["total"]
    assert "1 record in the ledger" in call("import", "boamps", out).stdout
    after = json.loads(call("summary", "--json").stdout)["total"]
    assert after["energy_kwh"] == before["energy_kwh"]  # it is the same joules


def test_a_file_is_said_to_be_imported_first(call, stored: list[Footprint], tmp_path: Path) -> None:
    """A record in a file has no run to tag: the message says the step before."""
    path = tmp_path / "run.json"
    path.write_text(stored[0].to_json(), encoding="utf-8")
    refused = call("report", path, "--format", "boamps")
    assert refused.exit_code == 2
    assert "sootprint import sootprint" in " ".join(refused.stderr.split())


def test_work_and_stage_are_stated_after_the_run(call, own_home: Path, stored: list[Footprint]) -> None:
    """A new version has them, energies are as before, and what is listed can be read."""
    stated = ["--stage", "pretrain", "--scope", "project_total", "--params", "7e9", "--tokens", "2e12"]
    done = call("tag", "small", *stated)
    assert done.exit_code == 0, done.output
    assert "stage: pretrain" in done.stdout and "tokens: 2e+12" in done.stdout
    with Ledger(own_home) as ledger:
        record = ledger.get("small")
        assert len(ledger.versions("small")) == 2
    assert (record.stage, record.scope, record.model.params) == ("pretrain", "project_total", 7e9)
    assert (record.work.tokens, record.energy_kwh) == (2e12, stored[0].energy_kwh)
    call("tag", "small", "--steps", "10")
    with Ledger(own_home) as ledger:
        assert (ledger.get("small").work.tokens, ledger.get("small").work.steps) == (2e12, 10.0)
    found = json.loads(call("report", "small", "--format", "sci", "--json").stdout)["sci"]
    assert found["gross_or_effective"] == "gross"
    assert found["scores"][0]["r_unit"] == "training token"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--params", "0"], "not above 0"),
        (["--tokens", "-2e9"], "not above 0"),
        (["--flops", "inf"], "not above 0"),
        (["--samples", "nan"], "not above 0"),
        (["--params", "7,5"], "not a number"),
        (["--stage", "training"], "training"),
        (["--params", "7e9", "--active-params", "8e9"], "more than --params"),
    ],
)
def test_numbers_that_are_none_change_nothing(
    call, own_home: Path, stored: list[Footprint], arguments: list[str], words: str
) -> None:
    """A slip is one line with exit code 2, and the record stays as it is."""
    refused = call("tag", "small", *arguments)
    assert refused.exit_code == 2
    assert words in " ".join(refused.stderr.split())
    with Ledger(own_home) as ledger:
        assert ledger.get("small") == stored[0]


@pytest.mark.parametrize("name", ["sci", "form", "checklist"])
def test_shape_follows_the_name_of_the_file(call, stored: list[Footprint], tmp_path: Path, name: str) -> None:
    """Text, Markdown or JSON; --json is JSON; a page, and LaTeX of a table, is refused and nothing is written."""
    starts = {"txt": r"[A-Z]", "md": r"# [A-Z]", "json": r"\{"}
    for ending, start in starts.items():
        out = tmp_path / f"x.{ending}"
        assert call("report", "small", "--format", name, "--out", out).exit_code == 0
        assert re.match(start, out.read_text(encoding="utf-8"))
    assert json.loads(call("report", "small", "--format", name, "--json").stdout)
    if name != "checklist":
        assert call("report", "small", "--format", name, "--out", tmp_path / "x.tex").exit_code == 2
    out = tmp_path / "x.html"
    refused = call("report", "small", "--format", name, "--out", out)
    assert refused.exit_code == 2
    assert "end it with .txt, .md, .json" in " ".join(refused.stderr.split())
    assert not out.exists()


def test_json_contradicts_what_is_no_statement(call, stored: list[Footprint]) -> None:
    """A paragraph in LaTeX is no JSON."""
    refused = call("report", "small", "--format", "latex", "--json")
    assert refused.exit_code == 2
    assert "contradict each other" in refused.stderr


def test_boamps_is_written_to_json_alone(call, stored: list[Footprint], tmp_path: Path) -> None:
    """Markdown of it there is none, and the message is of the file's name and of nothing else."""
    refused = call("report", "small", "--format", "boamps", "--out", tmp_path / "x.md")
    assert refused.exit_code == 2
    assert "end it with .json" in refused.stderr and "import" not in refused.stderr


@pytest.mark.parametrize("form", ["text", "sci", "checklist"])
def test_text_is_no_wider_than_its_terminal(
    call, stored: list[Footprint], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: str
) -> None:
    """A table that the terminal breaks within a cell cannot be read; a file has its 96 columns all the same."""
    monkeypatch.setenv("COLUMNS", "64")
    out = tmp_path / "report.txt"
    lines = call("report", "small", "--format", form).stdout.splitlines()
    assert call("report", "small", "--format", form, "--out", out).exit_code == 0
    widest = max(map(len, out.read_text(encoding="utf-8").splitlines()))
    assert max(map(len, lines)) <= 64 < widest <= 96
