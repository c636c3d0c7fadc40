"""Cursors: where a page of a list begins, as a text that only the list reads."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from sootprint.core.errors import InputError

NEWEST = "newest"
MOST = 1 << 62  # what a record's number is below


def written(order: str, values: Sequence[Any]) -> str:
    """Cursor behind a record.

    Args:
        order: Order of the list.
        values: What the list is ordered by, the number of the record last.
    """
    return base64.urlsafe_b64encode(json.dumps([order, *values]).encode()).decode().rstrip("=")


def read(order: str, text: str) -> list[Any]:
    """Values that a cursor was written with.

    Raises:
        InputError: It is none of a list in this order.

    >>> read("newest", written("newest", [7]))
    [7]
    """
    values: list[Any] = [-1]
    try:
        data = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        said, *values = data
        wanted = [int] if order == NEWEST else [float, int]
        fits = said == order and [type(one) for one in values] == wanted
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fits = False
    if not fits or not 0 <= values[-1] < MOST:
        raise InputError(f"cursor {text!r:.60} is none of this list: leave it out to begin at the start")
    return values
