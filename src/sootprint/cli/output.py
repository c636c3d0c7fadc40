"""Ways out of a command: tables and text by Rich, JSON, and files that appear whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.cli.shell import printable
from sootprint.core import files

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

# top, head, rule below the head, rows, rule between sections, rule above the foot, foot, bottom
_RULES = "    \n    \n────\n    \n────\n────\n    \n    \n"
WARNING = "!"
FOLDED = 12  # columns of a text that goes on in the next line
PIPE_WIDTH = 120  # columns where the output goes to a file or program and no width is stated


def console(*, stderr: bool = False) -> Console:
    """Rich console on stdout or stderr; a pipe gets lines that are not cut at 80 columns."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = PIPE_WIDTH
    return made


def columns() -> int | None:
    """Columns of the terminal on stdout; None where it is a file or program and no width is stated."""
    made = console()
    return made.width if made.is_terminal or "COLUMNS" in os.environ else None


def fields(record: Any) -> dict[str, Any]:
    """Fields of a record by name, not going into its parts."""
    return {spec.name: getattr(record, spec.name) for spec in dataclasses.fields(record)}


def table(*columns: str, right: Iterable[str] = (), wraps: Iterable[str] = ()) -> Table:
    """Table with a rule below its head and between sections.

    Args:
        columns: Names of the columns.
        right: Columns of figures, which stand at the right.
        wraps: Columns whose cells may go on in the next line where the terminal is narrow.
    """
    from rich.box import Box
    from rich.table import Table

    made = Table(box=Box(_RULES), show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    at_right, wrapping = set(right), set(wraps)
    for name in columns:
        side: JustifyMethod = "right" if name in at_right else "left"
        wraps_here = name in wrapping
        made.add_column(
            name, justify=side, no_wrap=not wraps_here, overflow="fold" if wraps_here else "ellipsis"
        )
    return made


def add_row(table: Table, *cells: str | Text, style: str | None = None) -> None:
    """Add a row whose texts stand as they are, whatever brackets or control characters a name has."""
    from rich.text import Text

    texts = (cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells)
    table.add_row(*texts, style=style)


def narrowed(table: Table, console: Console, *spare: str) -> Table:
    """Table without as many of its spare columns as have to go for the others to stand whole.

    Columns that wrap need the width of a short word alone.

    Args:
        table: The table, with its rows.
        console: Where it will stand.
        spare: Columns that a reader can do without, the first to go first.
    """
    from rich.measure import Measurement

    wrapping = [column for column in table.columns if not column.no_wrap]
    for column in wrapping:
        column.max_width = FOLDED
    for name in spare:
        if Measurement.get(console, console.options.update(width=10_000), table).maximum <= console.width:
            break
        table.columns[:] = [column for column in table.columns if column.header != name]
        for place, column in enumerate(table.columns):
            column._index = place
    for column in wrapping:
        column.max_width = None
    return table


def marked(*lines: tuple[str, str], style: str = "", indent: int = 0) -> Table:
    """Marks with their texts, each text wrapped beside its mark."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    for mark, text in lines:
        grid.add_row(
            Text(" " * indent),
            Text(mark, style="yellow" if mark == WARNING else style),
            Text(text, style=style),
        )
    return grid


def print_json(data: Any) -> None:
    """Print data as JSON; records become objects."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(plain(data), indent=2, ensure_ascii=ascii_only, allow_nan=False))


def print_text(text: str) -> None:
    """Print a text that ends in one line break."""
    print(text, end="" if text.endswith("\n") else "\n")


def plain(data: Any) -> Any:
    """Data with records as dictionaries and paths as texts, ready for JSON."""
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        return {spec.name: plain(getattr(data, spec.name)) for spec in dataclasses.fields(data)}
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [plain(item) for item in data]
    if data is None or isinstance(data, str | int | float | bool):
        return data
    return str(data)


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; raises as `files.write`."""
    files.write(path, text.encode())


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write the lines of a text file as they come, whole or not at all; raises as `files.write`."""
    files.write_parts(path, (f"{line}\n".encode("utf-8", "replace") for line in lines))
