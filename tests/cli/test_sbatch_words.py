"""What stands after `sootprint sbatch`: which word is the script, and which options no plan can keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint.cli.sbatch import parted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working directory with a script, and the output of an earlier job."""
    (tmp_path / "train.sh").write_text("#!/bin/sh\ntrue\n")
    (tmp_path / "log.txt").write_text("epoch 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "options", "arguments"),
    [
        (["train.sh", "log.txt"], [], ["log.txt"]),
        (["-o", "log.txt", "train.sh", "--lr", "log.txt"], ["-o", "log.txt"], ["--lr", "log.txt"]),
        (["--time=1:00:00", "--exclusive", "train.sh"], ["--time=1:00:00", "--exclusive"], []),
    ],
)
def test_script_is_the_file_that_is_no_value_of_an_option(
    folder: Path, words: list[str], options: list[str], arguments: list[str]
) -> None:
    """The file of an option that was there already is not submitted in the script's place."""
    assert parted(words) == (folder / "train.sh", options, arguments)


@pytest.mark.parametrize("word", ["--array=1-10", "-a1-10", "-a", "-W", "--wait", "--wrap=true"])
def test_option_that_no_plan_can_keep_is_refused_in_both_its_forms(call, folder: Path, word: str) -> None:
    """Slurm's short forms mean the same."""
    refused = call("sbatch", "--deadline", "3d", "--expect", "1h", word, "train.sh")
    assert refused.exit_code == 2
    assert f"{word} cannot be planned" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--expect", "1h", "--trace", "none.csv"], "none.csv"),
        (["--expect", "1h", "--zone", "FR", "--trace", "DE=grid.csv"], "is of DE, and the job runs in FR"),
        (["--time=0"], "sbatch needs --expect"),
    ],
)
def test_what_cannot_be_planned_is_refused_before_it_is_submitted(
    call, folder: Path, own_home: Path, words: list[str], said: str
) -> None:
    """A trace that is not there or of another place, and no time limit: one line, and no plan is begun."""
    (folder / "grid.csv").write_text(
        "timestamp_utc,ci_gco2e_kwh\n2026-01-01T00:00Z,300\n2026-01-01T01:00Z,200\n"
    )
    refused = call("sbatch", "--deadline", "3d", *words, "train.sh")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr
    assert not (own_home / "plans").exists()
