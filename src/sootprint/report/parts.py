"""Parts of a report that every format can draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sootprint.core.letters import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under named columns.

    Args:
        caption: What the table shows, in one line.
        columns: Names of the columns.
        rows: Cells, each row as long as `columns`.
        numbers: Columns that hold numbers and stand on the right, by index.
        total: Whether the last row is a total.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with what stands below it.

    Args:
        key: Short name, unique in a report; formats hang their charts on it.
        title: Heading.
        lead: Sentences below the heading.
        table: Table, or None.
        items: List below the table.
        detail: Whether a terminal leaves it out.
        picture: Lines of letters that a page shows as a chart instead.
    """

    key: str
    title: str
    lead: str = ""
    table: Table | None = None
    items: tuple[str, ...] = ()
    detail: bool = False
    picture: tuple[str, ...] = ()


def table(
    caption: str,
    columns: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    numbers: tuple[int, ...] = (),
    total: bool = False,
) -> Table:
    """Table with its cells free of control characters."""
    cleaned = tuple(tuple(clean(cell) for cell in row) for row in rows)
    return Table(caption=caption, columns=columns, rows=cleaned, numbers=numbers, total=total)
