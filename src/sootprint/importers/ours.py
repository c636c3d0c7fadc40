"""Records of our own: one JSON object, a list of them, or one a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sootprint.core import codec
from sootprint.core.errors import InputError, RecordError
from sootprint.core.records import Footprint
from sootprint.importers.base import FAULTS, MOST_ROWS, Imported, gathered

NAME = "sootprint"


def read(text: str, name: str) -> Imported:
    """Records of a text.

    Raises:
        InputError: It is no JSON, or holds no record.
    """
    return gathered(NAME, name, _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    for where, data in _items(text, name):
        try:
            yield where, codec.from_dict(codec.parsed(data) if isinstance(data, str) else data)
        except FAULTS as err:
            yield where, str(err)


def _items(text: str, name: str) -> Iterator[tuple[str, Any]]:
    """Place of each record with its data, or with its line of JSON."""
    try:
        whole = codec.parsed(text)
    except RecordError as err:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        if len(lines) < 2:
            raise InputError(f"{name} is {err!s:.200}") from None
        listed: list[tuple[str, Any]] = [(f"line {number}", line) for number, line in lines]
    else:
        items = whole if isinstance(whole, list) else [whole]
        listed = [(f"record {index}", one) for index, one in enumerate(items, 1)]
    if len(listed) > MOST_ROWS:
        raise InputError(f"{name} has {len(listed):,} records, at most {MOST_ROWS:,}: give it in parts")
    yield from listed
