"""Cells of a CSV that no spreadsheet obeys."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from sootprint.core.letters import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A spreadsheet takes a cell that begins so for a formula (OWASP), some also one that is as wide as a Chinese letter
OBEYED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where a comma is in numbers, ; parts cells
_PARTED = re.compile("(;[\\s\"']*)(?=[=+@\uff1d\uff0b\uff0d\uff20-])")


def cell(value: Any) -> Any:
    """Cell of a CSV: texts that a spreadsheet would obey begin with an apostrophe.

    >>> cell("=1+1"), cell("a; =1+1"), cell(-1.5), cell(None)
    ("'=1+1", "a; '=1+1", -1.5, '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        text = clean(value)
        if ";" in text:
            text = _PARTED.sub(r"\1'", text)
        return f"'{text}" if text.lstrip().startswith(OBEYED) or text.startswith(OBEYED) else text
    return value


def line(cells: Iterable[Any]) -> str:
    r"""Line of a CSV, its end included.

    >>> line(["a, b", 1.5, None])
    '"a, b",1.5,\n'
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
