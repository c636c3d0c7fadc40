"""Jobs of a TOML, YAML or JSON text: one table, or several under `jobs`."""

from __future__ import annotations

import json
import tomllib
from pathlib import PurePath
from typing import Any

from sootprint.core.errors import InputError

SUFFIXES = (".toml", ".yaml", ".yml", ".json")


def is_spec(name: str) -> bool:
    """Whether a file of this name is read as TOML, YAML or JSON, not as CSV."""
    return PurePath(name).suffix.lower() in SUFFIXES


def jobs(text: str, name: str) -> list[dict[str, Any]]:
    """Arguments of each job of a text.

    Beside `jobs`, the top of the file holds arguments for all of them.

    Args:
        text: Text of the file.
        name: Name of the file, which tells its form.

    Raises:
        InputError: The text cannot be read, or holds no job.
    """
    found = _loaded(text, name)
    if isinstance(found, dict) and "jobs" in found:
        shared = {key: value for key, value in found.items() if key != "jobs"}
        found = [{**shared, **one} if isinstance(one, dict) else one for one in found["jobs"] or []]
    listed = found if isinstance(found, list) else [found]
    if not listed or not all(isinstance(one, dict) and one for one in listed):
        raise InputError(
            f'{name} holds no job: give its arguments by name, e.g. hardware = "A100", or a list of such under jobs'
        )
    if any("schema" in one and "tool" in one for one in listed):
        raise InputError(f"{name} is a record, not the arguments of an estimate: see `sootprint show {name}`")
    return [{str(key): value for key, value in one.items()} for one in listed]


def _loaded(text: str, name: str) -> Any:
    suffix = PurePath(name).suffix.lower()
    import yaml

    try:
        if suffix == ".toml":
            return tomllib.loads(text)
        if suffix == ".json":
            return json.loads(text)
        return _numbers(yaml.safe_load(text))
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, yaml.YAMLError, RecursionError) as err:
        raise InputError(f"{name} cannot be read: {' '.join(str(err).split())}") from None


def _numbers(found: Any) -> Any:
    """YAML reads 7e9 as text, for it has no point; a number is meant."""
    if isinstance(found, dict):
        return {key: _numbers(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_numbers(value) for value in found]
    if isinstance(found, str) and found[:1].isdigit():
        try:
            return float(found)
        except ValueError:
            return found
    return found
