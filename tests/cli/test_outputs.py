"""Every command that writes a file: what cannot be written is one line and exit code 2, before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from sootprint.charts.render import FORMATS
from sootprint.cli import app, options

Call = Callable[..., Any]

# Each with what it would have to read, which is not there: it is refused before it looks.
WRITERS = {
    "plan": (["plan", "--expect", "1h", "--deadline", "2h", "--zones", "XX", "--chart"], ".png"),
    "estimate": (["estimate", "--hardware", "none", "--hours", "1", "--chart"], ".svg"),
    "predict": (["predict", "--params", "1e9", "--hardware", "none", "--chart"], ".pdf"),
    "compare": (["compare", "nothing", "--tools", "--chart"], ".png"),
    "report": (["report", "nothing", "--out"], ".html"),
    "backtest": (["backtest", "--trace", "nothing.csv", "--plans"], ".csv"),
    "import": (["import", "codecarbon", "nothing.csv", "--out"], ".json"),
    "merge": (["merge", "nothing", "--out"], ".json"),
    "run": (["run", "--record", "FILE", "--", "touch", "begun"], ".json"),
    "pull": (["hub", "pull", "--hub", "http://127.0.0.1:9", "--out"], ".jsonl"),
}
FOLDERS = {
    "survey": ["survey", "nothing.csv", "--out"],
    "dump": ["hub", "dump", "--out"],
    "campaign": ["hub", "campaign", "remind", "nothing", "--out"],
}


def _refused(call: Call, words: list[str], path: Path) -> None:
    given = [str(path) if word == "FILE" else word for word in words]
    done = call(*given, *([] if "FILE" in words else [path]))
    told = " ".join(done.stderr.split())
    assert (done.exit_code, done.stdout) == (2, ""), told
    assert told.startswith("sootprint: ") and done.stderr.count("\n") == 1, told
    assert "cannot be written" in told and path.name in told


@pytest.mark.parametrize("name", WRITERS)
def test_file_that_cannot_be_written_is_told_first(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In no folder, below a file, and where a folder stands."""
    monkeypatch.chdir(tmp_path)
    words, end = WRITERS[name]
    (tmp_path / "file").touch()
    (tmp_path / f"folder{end}").mkdir()
    for path in (Path("none", f"x{end}"), Path("file", f"x{end}"), Path(f"folder{end}")):
        _refused(call, words, path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", f"folder{end}"]


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_that_cannot_be_written_is_told_first(call: Call, tmp_path: Path, name: str) -> None:
    """Where a file stands, and below one."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        _refused(call, FOLDERS[name], path)


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "--expect", "1h", "--deadline", "2h", "--zones", "XX", "--chart"],
        ["compare", "nothing", "--tools", "--chart"],
        ["estimate", "--hardware", "none", "--hours", "1", "--chart"],
    ],
)
def test_chart_of_no_format_is_told_first(call: Call, tmp_path: Path, words: list[str]) -> None:
    """The formats are those of the renderer."""
    assert options.CHARTS == FORMATS
    done = call(*words, tmp_path / "x.jpeg")
    assert done.exit_code == 2
    assert "ends in none of .svg, .png, .pdf" in " ".join(done.stderr.split())


def test_full_device_is_a_failure_in_one_line(call: Call, stored: Any) -> None:
    """It was no wrong use: exit code 1."""
    done = call("report", "large", "--out", "/dev/full")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "/dev/full was not written" in done.stderr


def _parameters(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, one in getattr(command, "commands", {}).items():
        yield from _parameters(one, f"{path} {name}")
    for parameter in getattr(command, "params", ()):
        yield path.strip(), parameter


def test_no_command_that_writes_is_left_out() -> None:
    """Each option or argument whose help speaks of writing a file or folder looks at it first."""
    looks = {options.new_file, options.new_folder, options.new_chart}
    found = {}
    for path, parameter in _parameters(typer.main.get_command(app)):
        told = (getattr(parameter, "help", "") or "").lower()
        if str(parameter.metavar or "").strip("[]") in ("FILE", "DIR") and any(
            word in told for word in ("write", "draw", "folder for", "folder of all releases")
        ):
            found[path, parameter.name] = getattr(parameter.type, "func", None) in looks
    assert len(found) >= 13
    assert [name for name, good in found.items() if not good] == []
