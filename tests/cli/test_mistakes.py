"""Mistakes that people make on the command line: one line each, which names the value and the way out, exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sootprint.cli.app import app

GERMAN = "hardware;hours;zone\nA100;48,5;FR\n"
ESTIMATE = ("estimate", "--hardware", "A100", "--zone", "FR")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's with a table of another country in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOOTPRINT_HOME", str(tmp_path / "home"))
    (tmp_path / "de.csv").write_text(GERMAN, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((*ESTIMATE, "--hours", "48,5"), "'48,5' is not a number: write a point for the comma, 48.5"),
        ((*ESTIMATE, "--hours", "1,000"), "a comma means two things, so write 1000 or 1.000"),
        ((*ESTIMATE, "--hours", "1.234,5"), "write 1234.5"),
        ((*ESTIMATE, "--hours", "9", "--utilisation", "60 %"), "a share is written 0.6"),
        ((*ESTIMATE, "--hours", "2d"), "write the number alone, without 'd'"),
        (("predict", "--params", "7B", "--tokens", "2T"), "write 7e9"),
        (("estimate", "--from", "de.csv"), "semicolons between its columns: save it with commas"),
        (("hub", "serve", "--port", "99999"), "'99999' is not a port"),
        (("audit", "8 V100 for 3 days emitted 2.1 t"), "a sentence goes to standard input"),
        (("audit", "card.md"), "give a model card, a table or a text"),
        (("report", "latest", "--out", "r.docx"), "tells no form by its ending"),
        (("hub", "push", "none.csv"), "there is no file none.csv"),
    ],
)
def test_mistake_is_one_line(here: Path, given: tuple[str, ...], words: str) -> None:
    """The value, the rule and the way out; nothing is written."""
    if given[0] == "report":
        record = CliRunner().invoke(app, [*ESTIMATE, "--hours", "1", "--json"], prog_name="sootprint").stdout
        (here / "r.json").write_text(record, encoding="utf-8")
        given = tuple(part.replace("latest", "r.json") for part in given)
    answer = CliRunner().invoke(app, list(given), prog_name="sootprint")
    assert answer.exit_code == 2, answer.output
    assert words in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert not list(here.glob("*.docx"))


def test_intensity_of_kilograms_is_warned_of(here: Path) -> None:
    """0.4 is what 400 g is in kilograms; 0 is what a contract states, and nothing is said of it."""
    told = CliRunner().invoke(app, [*ESTIMATE[:3], "--hours", "9", "--intensity", "0.4", "--json"])
    assert "below every grid: if it is in kg, give 400" in told.stdout
    for one in ("0", "6"):
        told = CliRunner().invoke(app, [*ESTIMATE[:3], "--hours", "9", "--intensity", one, "--json"])
        assert "below every grid" not in told.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("calibrate", "--from", "no.csv"), "give a CSV of time and watts"),
        (("estimate", "--stages", "no.toml"), "give a TOML file"),
        (("estimate", "--from", "no.toml"), "give a file of jobs"),
        (("catalogue", "update", "--from", "no.csv"), "no.csv cannot be read as CSV in UTF-8: No such file"),
    ],
)
def test_file_that_is_not_there_is_told_with_what_is_wanted(call, words, said):
    """One line, exit code 2, and the kind of file that the option takes."""
    found = call(*words)
    assert (found.exit_code, said in found.stderr) == (2, True), found.stderr
    assert len(found.stderr.splitlines()) == 1
