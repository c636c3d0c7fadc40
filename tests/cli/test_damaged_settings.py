"""A sootprint.toml that is no TOML: each command names the file and its line, once, and goes on without it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_plan_pue import START, traced

import sootprint
from sootprint import SettingsError, settings

DAMAGED = b'zone = "FR"\n[sites.lab\npue = 1.2\n'
Call = Callable[..., Any]


@pytest.fixture
def damaged(own_home: Path) -> Path:
    """The user's file, whose second line has no bracket at its end."""
    path = own_home / "sootprint.toml"
    path.write_bytes(DAMAGED)
    return path


def told(stderr: str, path: Path) -> str:
    """The one line about the file; a command may have others to say."""
    [line] = [one for one in stderr.splitlines() if "cannot be read as TOML" in one]
    assert line.startswith(f"sootprint: {path}: ")
    return line


@pytest.mark.parametrize(
    "words",
    [
        ("config",),
        ("runs",),
        ("summary",),
        ("estimate", "--power-w", "100", "--count", "1", "--hours", "1", "--zone", "FR"),
        ("catalogue", "hardware", "V100"),
        ("grid", "FR"),
        ("recover",),
        ("plan", "--expect", "2h", "--deadline", "4h", "--zones", "FR,DE"),
    ],
    ids=lambda words: words[0],
)
def test_each_command_names_the_file_and_goes_on(call: Call, damaged: Path, words: tuple[str, ...]) -> None:
    """One line with the file, the line in it and what follows from it; else all is as without the file."""
    found = call(*words)
    assert "line 2" in (line := told(found.stderr, damaged))
    assert line.endswith("; nothing that it states counts")
    damaged.unlink()
    without = call(*words)
    assert found.exit_code == without.exit_code
    assert found.stderr.replace(f"{line}\n", "") == without.stderr


def test_a_plan_from_traces_is_made(call: Call, damaged: Path, tmp_path: Path) -> None:
    """The plan and its JSON are as without the file."""
    asked = ("plan", "--expect", "2h", "--deadline", "4h", "--at", START.isoformat(), "--json")
    words = (*asked, *traced(tmp_path, DE=300), "--pue", "1.2")
    found = call(*words)
    assert "line 2" in told(found.stderr, damaged)
    damaged.unlink()
    assert json.loads(found.stdout) == json.loads(call(*words).stdout)


def test_a_byte_that_is_no_text_is_found_in_its_line(call: Call, damaged: Path) -> None:
    """The line of the first byte that no text in UTF-8 has is named."""
    damaged.write_bytes(b'zone = "FR"\n# caf\xe9\n')
    assert "line 2 is no text in UTF-8" in told(call("config").stderr, damaged)


def test_both_damaged_files_are_named(
    call: Call, damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's and the user's file have a line each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sootprint.toml").write_bytes(DAMAGED)
    lines = call("config").stderr.strip().splitlines()
    assert sorted(line.split(":")[1].strip() for line in lines) == sorted(
        [str(damaged), str(tmp_path / "sootprint.toml")]
    )


def test_a_value_that_cannot_be_used_still_stops_a_command(call: Call, damaged: Path) -> None:
    """A file that is whole says what it means: a wrong value is refused."""
    damaged.write_text("pue = 0.5\n", encoding="utf-8")
    found = call("plan", "--expect", "2h", "--deadline", "4h", "--zones", "FR")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "pue = 0.5" in found.stderr


def test_in_python_a_damaged_file_is_an_error(call: Call, damaged: Path) -> None:
    """Whoever calls the library decides, also after a command went on in the same process."""
    call("config")
    for asked in (settings.load, lambda: sootprint.plan("2h", "4h", ["FR"])):
        with pytest.raises(SettingsError, match=r"cannot be read as TOML: .*line 2"):
            asked()
