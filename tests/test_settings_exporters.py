"""The setting `exporters`: what is taken, what is refused, and that no password is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sootprint.core.errors import SettingsError
from sootprint.settings import load

SECRET = "pa55word"


def stated(folder: Path, text: str) -> tuple[str, ...]:
    """Places of the variable."""
    return load({"SOOTPRINT_HOME": str(folder), "SOOTPRINT_EXPORTERS": text}, folder).exporters


def test_places_are_named_once_with_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the text; a slash at the end of an address counts nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    text = "jsonl:a.jsonl, csv:~/b.csv,mlflow,opentelemetry:https://c.example/, jsonl:./a.jsonl,mine:x:y z"
    assert stated(tmp_path, text) == (
        f"jsonl:{tmp_path}/a.jsonl",
        f"csv:{tmp_path}/me/b.csv",
        "mlflow",
        "opentelemetry:https://c.example",
        "mine:x:y z",
    )


def test_argument_counts_in_place_of_the_others(tmp_path: Path) -> None:
    """And `none` sends nothing, where a file says otherwise."""
    (tmp_path / "sootprint.toml").write_text('exporters = ["mlflow", "wandb:thesis"]\n')
    env = {"SOOTPRINT_HOME": str(tmp_path)}
    assert load(env, tmp_path).exporters == ("mlflow", "wandb:thesis")
    assert load(env, tmp_path, exporters=["csv:/x,y.csv"]).exporters == ("csv:/x,y.csv",)
    assert load(env, tmp_path, exporters=["none"]).exporters == ()
    assert load(env | {"SOOTPRINT_EXPORTERS": "none"}, tmp_path).exporters == ()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "must be places"),
        ([1], "must be places"),
        ([":x"], "must be places"),
        (["a b:x"], "must be places"),
        (["jsonl"], "must name a file"),
        (["none", "mlflow"], "alone"),
        (["hub"], "must be an address"),
        ([f"hub:https://me:{SECRET}@x.example"], "without a password"),
        ([f"hub:https://me:{SECRET[:3]}/{SECRET[3:]}@x.example"], "without a password"),
        ([f"opentelemetry:https://x.example/v1?token={SECRET}"], "without"),
        ([f"mlflow:postgresql://me:{SECRET}@db/x"], "no password or query"),
        (["jsonl:a\nb"], "one line"),
    ],
)
def test_wrong_place_is_one_line_without_its_password(tmp_path: Path, given, words: str) -> None:
    """Neither in the argument nor in the user's own file."""
    env = {"SOOTPRINT_HOME": str(tmp_path)}
    with pytest.raises(SettingsError, match=words) as caught:
        load(env, tmp_path, exporters=given)
    for part in (SECRET, SECRET[:3] + "/", SECRET[3:]):
        assert part not in str(caught.value)
    assert os.linesep not in str(caught.value)


def test_project_that_was_cloned_may_not_name_places(tmp_path: Path) -> None:
    """It would write files of the user and send runs away."""
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    (project / "sootprint.toml").write_text('exporters = ["jsonl:~/.bashrc"]\n')
    with pytest.raises(SettingsError, match="`exporters` may stand only in your own"):
        load({"SOOTPRINT_HOME": str(home)}, project)
