"""The reference pages against the code: nothing that a user can name is left out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import reference
import sootprint
from sootprint import cli, settings
from sootprint.core import quantity, records

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"


def _text(name: str) -> str:
    return FOLDER.joinpath(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", reference.PAGES)
def test_made_page_is_up_to_date(name: str) -> None:
    """The page in docs/reference is the one that `make reference` makes now."""
    assert _text(name) == reference.PAGES[name]()


def test_every_public_name_is_described() -> None:
    """Each name in `sootprint.__all__` has a heading and a description of its own."""
    sections = dict(re.findall(r"^## (\w+)\n\n((?:.|\n(?!## ))*)", _text("python.md"), re.MULTILINE))
    assert set(sections) == set(sootprint.__all__)
    assert [name for name, text in sections.items() if len(text.split()) < 3] == []


def _commands(path: str, command: object) -> Iterator[tuple[str, object]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            if not below.hidden:
                yield from _commands(f"{path} {name}", below)
    else:
        yield path, command


def test_every_command_and_option_is_described() -> None:
    """Each command has a heading and a help text, and each of its options a meaning."""
    page = _text("commands.md")
    for path, command in _commands("sootprint", get_command(cli.app)):
        assert f"\n## {path}\n" in page
        assert command.help, path
        silent = [option.name for option in command.params if not getattr(option, "help", None)]
        assert silent == [], f"{path} does not say what these are for"


def test_every_setting_and_variable_is_described() -> None:
    """Each key of the files and each variable stands in the settings page, and no other variable does."""
    page = _text("settings.md")
    keys = settings._KEYS.values()
    assert [
        key.name
        for key in keys
        if key.in_files and f"`{key.name}`" not in page and f"[{key.name}." not in page
    ] == []
    named = set(re.findall(r"`(SOOTPRINT_\w+)`", page)) - {"SOOTPRINT_ZNOE"}
    assert named == {key.variable for key in keys if key.variable}


def test_settings_and_their_table_of_keys_agree() -> None:
    """Every field of `Settings` can be given, apart from where the others came from."""
    assert {spec.name for spec in dataclasses.fields(settings.Settings)} - {"origins"} == set(settings._KEYS)


def test_every_record_field_is_described() -> None:
    """Each field of each record stands in the record's page with a meaning."""
    page = _text("record.md")
    classes = [
        one for one in vars(records).values() if isinstance(one, type) and dataclasses.is_dataclass(one)
    ]
    assert quantity.Quantity in classes
    assert records.Footprint in classes
    for record in classes:
        section = page.partition(f"## {record.__name__}\n")[2].partition("\n## ")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", section, re.MULTILINE))
        assert set(rows) == {spec.name for spec in dataclasses.fields(record)}
