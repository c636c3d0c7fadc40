"""What every command shares: help, exit codes, one line for each error."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sootprint import __version__
from sootprint.cli import app
from sootprint.cli.headings import HEADINGS
from sootprint.cli.shell import exit_code
from sootprint.core import errors

from .conftest import PROGRAM

COMMANDS = get_command(app).commands
LEAVES = {name: command for name, command in COMMANDS.items() if not hasattr(command, "commands")}
LEAVES |= {
    f"{group} {name}": command
    for group in ("catalogue", "hub")
    for name, command in COMMANDS[group].commands.items()
    if not hasattr(command, "commands") and name != "serve"  # it answers to a browser
}
ROOT = Path(__file__).resolve().parents[2]


def test_commands_are_those_of_the_documents() -> None:
    """No command is offered that does nothing yet, and none is left out of the help of the whole."""
    reference = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^## sootprint ([a-z ]+)$", reference, flags=re.MULTILINE))
    assert {name.partition(" ")[0] for name in described} == set(COMMANDS)
    assert set(LEAVES) <= described


@pytest.mark.parametrize("name", LEAVES)
def test_help_has_an_example_and_json(call, name: str) -> None:
    """Each command's help shows how to call it, and that it can answer in JSON."""
    result = call(*name.split(), "--help")
    assert result.exit_code == 0
    assert f"\n      sootprint {name}" in result.stdout
    assert "--json" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def _all(path: str, command: Any) -> Iterator[str]:
    """Commands and groups below a command, by their words."""
    for name, below in getattr(command, "commands", {}).items():
        words = f"{path} {name}".strip()
        yield words
        yield from _all(words, below)


@pytest.mark.parametrize("name", list(_all("", get_command(app))))
def test_every_help_fits_80_columns_and_shows_how_to_call_it(call, name: str) -> None:
    """Groups, and commands of groups of groups, as those above."""
    shown = call(*name.split(), "--help").stdout
    assert f"\n      sootprint {name}" in shown
    assert [line for line in shown.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", ["hub", "hub venue", "hub token", "node", "node jobs", "catalogue"])
def test_help_of_a_group_has_an_example_a_line(call, name: str) -> None:
    """Examples of a group stand below each other, as those of a command do."""
    shown = call(*name.split(), "--help").stdout
    assert f"\n      sootprint {name}" in shown
    assert all(line.count("sootprint ") < 2 for line in shown.splitlines())


def test_version_is_that_of_the_package(call) -> None:
    """`--version` names program and version."""
    assert call("--version").stdout == f"sootprint {__version__}\n"


def test_no_command_shows_the_help_as_wrong_use(call) -> None:
    """Without a command, the help is there and the exit code is 2."""
    result = call()
    assert (result.exit_code, result.stdout.startswith("Usage: sootprint")) == (2, True)
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ran"], ["'ran'", "'run'"]),
        (["runs", "--jsn"], ["--jsn", "sootprint runs --help"]),
        (["estimate", "--hours", "ten"], ["--hours", "'ten' is not a number"]),
        (["estimate", "--count", "1.5"], ["--count", "'1.5' is not a whole number"]),
        (["estimate", "--work", "play"], ["--work", "'play'", "llm-pretrain"]),
        (["show"], ["RUN|FILE"]),
        (["run"], ["COMMAND"]),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(program, arguments: list[str], words: list[str]) -> None:
    """What the shell of the program refuses gets one line on stderr, too."""
    done = program(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sootprint: ")
    assert done.stderr.count("\n") == 1
    assert [word for word in words if word not in done.stderr] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("x"), 2),
        (errors.SettingsError("x"), 2),
        (errors.CatalogueError("x"), 2),
        (errors.IntensityError("x"), 2),
        (errors.RecordError("x"), 2),
        (errors.MissingExtraError("x"), 2),
        (errors.MeterError("x"), 1),
        (errors.HubError("x"), 1),
        (errors.SootprintError("x"), 1),
    ],
)
def test_exit_code_tells_wrong_use_from_failure(error: errors.SootprintError, code: int) -> None:
    """2 where other input helps, 1 where the machine or a network failed."""
    assert exit_code(error) == code


def test_record_error_of_the_disk_is_a_failure() -> None:
    """A full disk is no wrong use."""
    error = errors.RecordError("could not store")
    error.__cause__ = OSError(28, "No space left on device")
    assert exit_code(error) == 1


def test_help_loads_nothing_heavy() -> None:
    """`--help` answers without Rich, numpy, httpx or a table, so that it is quick."""
    code = (
        "import sys; sys.argv = ['sootprint', '--help']\n"
        "from sootprint.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = 'rich numpy httpx psutil sqlite3 altair sootprint.catalogue sootprint.report'.split()\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_reader_that_goes_away_is_no_error(own_home: Path) -> None:
    """A pipe that closes early leaves no trace on stderr."""
    process = subprocess.Popen(
        [*PROGRAM, "catalogue", "hardware", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", [["schema"], ["config"], ["catalogue", "hardware", "--json"]])
def test_output_that_cannot_be_written_is_one_line(command: list[str]) -> None:
    """A full disk below stdout is exit code 1 and one line."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [*PROGRAM, *command], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == "sootprint: the output: No space left on device\n"


def test_terminal_without_unicode_gets_its_text(program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that a terminal cannot show is replaced, not fatal."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = program("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "? cpu" in done.stdout


def test_settings_that_cannot_be_read_are_one_line(program, tmp_path: Path) -> None:
    """A wrong key in the project's file stops with its nearest name, wherever it is read."""
    tmp_path.joinpath("sootprint.toml").write_text('zon = "FR"\n', encoding="utf-8")
    done = program("config", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "zon" in done.stderr and "zone" in done.stderr


def test_config_tells_where_each_value_came_from(call, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable is named as the origin of its value."""
    monkeypatch.setenv("SOOTPRINT_ZONE", "FR")
    listed = {one["key"]: one for one in json.loads(call("config", "--json").stdout)}
    assert (listed["zone"]["value"], listed["zone"]["origin"]) == ("FR", "SOOTPRINT_ZONE")
    assert listed["share"]["origin"] == "default"
    assert "SOOTPRINT_ZONE" in call("config").stdout


@pytest.mark.parametrize("name", HEADINGS)
def test_headings_name_each_option_once_and_no_other(call, name: str) -> None:
    """What a heading names is an option of that command, and the help has the heading above it."""
    offered = {flag for one in COMMANDS[name].params for flag in one.opts}
    named = [flag for flags in HEADINGS[name].values() for flag in flags]
    assert (set(named) - offered, len(named)) == (set(), len(set(named)))
    shown = call(name, "--help").stdout
    at = [shown.index(f"\n{heading}:\n") for heading in (*HEADINGS[name], "Options")]
    assert at == sorted(at)
    for heading, flags in HEADINGS[name].items():
        below = shown.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        assert [flag for flag in flags if f"{flag} " not in below and f"{flag}\n" not in below] == []


def test_commands_with_many_options_have_headings() -> None:
    """A list of more than fifteen options is read under headings."""
    many = {name for name, command in LEAVES.items() if len(command.params) > 15}
    assert many <= set(HEADINGS)
