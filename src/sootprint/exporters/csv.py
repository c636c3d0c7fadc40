"""Records as rows of a table at the end of a CSV file, with a head whose names end in their units."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sootprint.core.cells import cell, line
from sootprint.core.records import BOUNDARIES, Footprint
from sootprint.exporters import figures
from sootprint.exporters.lines import Form, add, target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings

# The last one is a word of a few, so that a row that was cut off can be told.
COLUMNS = (
    *(name for name in figures.WORDS if name != "boundary"),
    *figures.NUMBERS,
    *("tags", "unknown", "warnings", "boundary"),
)
MOST_LETTERS = 20_000
_ID = re.compile(rb"[0-9a-f-]{36},.*|[0-9a-f-]{0,36}", re.DOTALL)


def opened(at: str, settings: Settings) -> Table:
    """Exporter to a CSV file.

    Raises:
        InputError: It cannot be written.
    """
    return Table(target(at))


class Table:
    """A file to which each record is added as one row; what is not known is an empty cell, named in `unknown`."""

    name = "csv"

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, footprint: Footprint) -> None:
        """Add the row of a record, unless the file has the same one.

        Raises:
            ExportError: The file cannot be written, or has other columns.
        """
        add(
            self._path,
            _line([_cell(value) for value in _row(footprint)]),
            Form("a table", _line(COLUMNS), lambda piece: bool(_ID.fullmatch(piece)), _is_whole),
        )


def _cell(value: Any) -> Any:
    """Cell that every reader of tables takes; Python's own refuses one of more than 128 Ki letters."""
    made = cell(value)
    return f"{made[: MOST_LETTERS - 1]}…" if isinstance(made, str) and len(made) > MOST_LETTERS else made


def _row(footprint: Footprint) -> list[Any]:
    told: dict[str, Any] = {
        **figures.words(footprint),
        **figures.numbers(footprint),
        "tags": "; ".join(f"{name}={text}" for name, text in sorted(footprint.tags.items())),
        "unknown": "; ".join(footprint.unknown),
        "warnings": len(footprint.warnings),
    }
    return [told.get(name) for name in COLUMNS]


def _line(cells: Iterable[Any]) -> bytes:
    return line(cells).encode("utf-8", "replace")


def _is_whole(last: bytes) -> bool:
    try:
        cells = next(csv.reader([last.decode("utf-8", "replace")]), [])
    except csv.Error:
        return False
    return len(cells) == len(COLUMNS) and cells[-1] in BOUNDARIES
