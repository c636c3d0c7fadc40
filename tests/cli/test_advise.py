"""`sootprint advise` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sootprint import Footprint, estimate


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A file with an estimate in Germany."""
    file = tmp_path / "plan.json"
    file.write_text(estimate(hardware="V100", count=8, hours=20, zone="DE").to_json(), encoding="utf-8")
    return file


def test_json_has_the_stable_names(call, plan: Path) -> None:
    """Each measure has the fields that other programs rely on."""
    done = call("advise", plan, "--json")
    assert done.exit_code == 0
    measures = json.loads(done.stdout)["measures"]
    for name in ("name", "saving_kg", "saving_share", "time_factor", "evidence", "boundary"):
        assert all(name in one for one in measures)
    saving = [one for one in measures if one["saving_kg"]]
    assert all(one["saving_kg"]["low"] > 0 for one in saving) and saving


def test_text_has_saving_evidence_and_refusal(call, plan: Path) -> None:
    """The view names the numbers, where they are from, and what is refused."""
    text = call("advise", plan, "--with", "region,power_cap").stdout
    for word in ("region", "Evidence", "Holds", "No evidence", "Refused", "straddles zero", "Together"):
        assert word in text


def test_plan_is_read_from_standard_input(call, plan: Path) -> None:
    """What `estimate --json` prints can be piped in."""
    done = call("advise", "-", "--only-zones", "FR", input=plan.read_text(encoding="utf-8"))
    assert done.exit_code == 0 and "run it in FR" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no run is named"),
        (["PLAN", "--with", "batch_size"], "straddles zero"),
        (["PLAN", "--with", "magic"], "is not one of"),
        (["PLAN", "--only-zones", "Frnce"], "Frnce"),
        (["PLAN", "--only-zones", ","], "is empty"),
        (["PLAN", "--keep"], "is a file"),
        (["--score", "PLAN"], "--against"),
        (["--score", "PLAN", "--against", "PLAN"], "--with"),
    ],
)
def test_wrong_use_is_one_line(program, plan: Path, arguments: list[str], words: str) -> None:
    """Each mistake is answered with one line and exit code 2."""
    done = program("advise", *[str(plan) if one == "PLAN" else one for one in arguments])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr


def test_advice_is_kept_and_scored_in_the_ledger(call, stored: list[Footprint]) -> None:
    """The promise stands in the plan of the first run, the score in the savings of the second."""
    assert call("advise", "small", "--with", "power_cap", "--keep").exit_code == 0
    kept = json.loads(call("show", "small", "--json").stdout)
    assert kept["plan"]["advice"]["chosen"] == ["power_cap"]
    done = call("advise", "--score", "large", "--against", "small", "--json")
    score = json.loads(done.stdout)
    assert score["against"] == stored[0].id and score["predicted_share"]["value"] > 0
    after = json.loads(call("show", "large", "--json").stdout)
    assert after["savings"]["advice"]["verdict"] == score["verdict"]
    assert "predicted" in call("advise", "--score", "large", "--against", "small").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--batch-sizes", "32"], "nothing to probe"),
        (["--batch-sizes", "32,x"], "whole number"),
        (["--batch-sizes", "32,64", "--rounds", "1"], "2 to 50"),
        (["--batch-sizes", "32,64", "--slice", "soon"], "--slice"),
        (["--batch-sizes", "32,64", "--target", "accuracy"], "METRIC=VALUE"),
        (["--batch-sizes", "32,64", "--by", "target"], "--target"),
    ],
)
def test_tuning_that_cannot_be_done_starts_nothing(
    program, tmp_path: Path, options: list[str], words: str
) -> None:
    """One line and exit code 2, before the command has run."""
    done = program("tune", *options, "--", "touch", "begun", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert words in done.stderr and list(tmp_path.iterdir()) == []


def test_present_setting_that_fails_is_said(program, tmp_path: Path) -> None:
    """Where the command as it is fails, there is nothing to compare with."""
    done = program("tune", "--batch-sizes", "1,2", "--", "sh", "-c", "echo broken; exit 3", cwd=tmp_path)
    assert done.returncode == 1 and "exit code 3" in done.stderr and "broken" in done.stderr


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_measures_are_drawn(call, plan: Path, tmp_path: Path, ending: str) -> None:
    """`--chart` writes the picture beside the words."""
    file = tmp_path / f"advice.{ending}"
    done = call("advise", plan, "--chart", file)
    assert done.exit_code == 0 and "region" in done.stdout
    assert file.stat().st_size > 1_000


def test_nothing_to_draw_is_one_line(program, tmp_path: Path) -> None:
    """Where no measure saves, no file is made; a score has no measures to draw."""
    bare = estimate(power_w=100.0, hours=100_000.0, intensity=10.0)
    (tmp_path / "bare.json").write_text(bare.to_json(), encoding="utf-8")
    done = program("advise", "bare.json", "--chart", "none.svg", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "nothing to draw" in done.stderr and not (tmp_path / "none.svg").exists()
    done = program("advise", "--score", "a", "--against", "b", "--chart", "none.svg", cwd=tmp_path)
    assert done.returncode == 2 and "--score" in done.stderr
