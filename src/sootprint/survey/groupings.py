"""Groupings behind the counts: packaged, explicit, and replaced by those of a mapping file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from sootprint.core.errors import InputError

Groupings = Mapping[str, Mapping[str, Any]]


@cache
def packaged() -> Groupings:
    """Groupings of this version."""
    text = files("sootprint.survey").joinpath("data/groupings.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def with_own(own: Mapping[str, Any], *, where: str) -> Groupings:
    """Groupings with those of a user in the places of the packaged ones of the same name.

    Raises:
        InputError: A name is unknown, or a grouping is no table.
    """
    known = packaged()
    for name, table in own.items():
        if name not in known:
            raise InputError(f"{where}: grouping {name!r} is unknown: it is one of {', '.join(known)}")
        if not isinstance(table, dict):
            raise InputError(f"{where}: grouping {name!r} is {table!r:.40}: write it as [groupings.{name}]")
        _check(table, known[name], where=f"{where}: groupings.{name}")
    return {**known, **own}


def _check(own: Mapping[str, Any], packaged_one: Mapping[str, Any], *, where: str) -> None:
    """Refuse another kind of value than the packaged grouping has."""
    example = next(iter(packaged_one.values()))
    for key, value in own.items():
        kind = type(packaged_one.get(key, example))
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            continue
        if not isinstance(value, kind):
            raise InputError(
                f"{where}.{key} is {value!r:.40}: it is written as {packaged_one.get(key, example)!r:.60}"
            )
