"""Reading of the gathered tables, and writing of the packaged ones."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path

from sootprint.catalogue.schema import TABLES

Row = dict[str, str]
OWN = Path(__file__).with_name("own")


def read(path: Path) -> list[Row]:
    """Rows of a table, cells as text; Namibia's code NA stays a text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    """Number of a cell, or None where it is empty."""
    return float(text) if text.strip() else None


def cell(value: float | int | str | None, *, digits: int = 6) -> str:
    """Cell of a value; a number without trailing zeros, None as an empty cell."""
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else f"{value:.{digits}g}"


def share(percent: str) -> str:
    """Cell of a share from 0 to 1, from a percentage."""
    value = number(percent)
    return cell(None if value is None else value / 100.0, digits=5)


def licences() -> dict[str, str]:
    """Licence of each source."""
    return {row["id"]: row["licence"] for row in read(OWN / "sources.csv")}


def text_of(name: str, rows: Iterable[Mapping[str, str]]) -> str:
    """Text of a packaged table: checked, sorted by its key, each row with the licence of its source.

    Raises:
        ValueError: A row breaks a rule of the schema, or two rows have one key.
    """
    table, of_source = TABLES[name], licences()
    filled = []
    for row in rows:
        full = {column: row.get(column, "") for column in table.columns}
        if "source" in full:
            full["licence"] = of_source[full["source"]]
        try:
            table.check(full)
        except ValueError as err:
            raise ValueError(f"{name} {table.identity(full)}: {err}") from err
        filled.append(full)
    filled.sort(key=table.identity)
    _refuse_twins(name, [table.identity(row) for row in filled])
    out = io.StringIO()
    writer = csv.DictWriter(out, table.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(filled)
    return out.getvalue()


def _refuse_twins(name: str, identities: list[tuple[str, ...]]) -> None:
    for one, other in itertools.pairwise(identities):
        if one == other:
            raise ValueError(f"{name}: two rows have the key {one}")
