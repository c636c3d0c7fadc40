"""Plug-ins by name."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sootprint.core import registry
from sootprint.core.errors import SettingsError
from sootprint.meters.wall import NAMES as WALL_METERS

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_built_in_plug_ins_are_registered_the_same_way_as_others() -> None:
    """The table that spares a search at start says what the package's entry points say."""
    points = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]
    assert {group: table for group, table in registry.BUILT_IN.items() if table} == points


def test_unknown_plug_in_names_those_that_are_there() -> None:
    """The message is the way out."""
    with pytest.raises(SettingsError, match=r"'nvmll' in sootprint\.meters; built in are nvml, amdsmi"):
        registry.load("sootprint.meters", "nvmll")


def test_plug_in_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of an installed package is loaded by its name."""
    point = EntryPoint(name="mine", value="sootprint.core.ids:uuid7", group="sootprint.meters")
    found = {("sootprint.meters", "mine"): [point]}
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda *, group, name: found.get((group, name), [])
    )
    assert registry.load("sootprint.meters", "mine")(0.0).startswith("00000000-0000-7")


def test_names_come_in_the_order_of_use() -> None:
    """Sensors before models, the rest of the node after them, meters of the whole node last."""
    names = registry.names("sootprint.meters")
    assert names[0] == "nvml"
    assert names[-6:] == ["node", *WALL_METERS]
