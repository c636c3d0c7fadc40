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
