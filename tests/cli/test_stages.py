"""`sootprint estimate --stages`: a whole life cycle from one file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sootprint import Footprint, estimate

LIFE = """
name = "tiny"
zone = "FR"
pue = 1.2
[[stage]]
stage = "pretrain"
hardware = "A100"
count = 8
hours = 100
[[stage]]
stage = "development"
"""


@pytest.fixture
def life(tmp_path: Path) -> Path:
    """A file with a training and its development."""
    file = tmp_path / "life.toml"
    file.write_text(LIFE, encoding="utf-8")
    return file


def test_stages_are_lines_of_the_record_and_of_the_report(call, life: Path) -> None:
    """The JSON has a line each, and the text the same with what is left out."""
    made = Footprint.from_json(call("estimate", "--stages", life, "--json").stdout)
    assert [one.stage for one in made.stages] == ["development", "pretrain", "embodied"]
    text = call("estimate", "--stages", life).stdout
    for word in ("Life cycle", "development", "Operational", "embodied", "left out", "travel"):
        assert word in text


def test_record_of_a_file_is_a_stage(call, life: Path, tmp_path: Path) -> None:
    """A measured run stands in by its file."""
    record = tmp_path / "run.json"
    record.write_text(estimate(hardware="V100", hours=5, zone="PL").to_json(), encoding="utf-8")
    life.write_text(f'{LIFE}[[stage]]\nstage = "evaluate"\nrecord = "{record}"\n', encoding="utf-8")
    made = json.loads(call("estimate", "--stages", life, "--json").stdout)
    assert "evaluate" in [one["stage"] for one in made["stages"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hours", "3"], "leave the other options out"),
        (["--explain"], "leave the other options out"),
        (["--from", "x.csv"], "leave the other options out"),
    ],
)
def test_other_numbers_beside_the_file_are_refused(
    program, life: Path, arguments: list[str], words: str
) -> None:
    """One line, exit code 2."""
    done = program("estimate", "--stages", life, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_file_that_is_not_there_is_one_line(program, tmp_path: Path) -> None:
    """The name stands in the message."""
    done = program("estimate", "--stages", tmp_path / "none.toml")
    assert done.returncode == 2 and "none.toml" in done.stderr
