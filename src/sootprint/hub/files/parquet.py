"""Parquet by DuckDB, with the types of the columns, in little memory and without a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

Rows = Sequence[Mapping[Any, Any]]
_TYPES: tuple[tuple[type[Any], str], ...] = (
    (sa.Integer, "BIGINT"),
    (sa.Double, "DOUBLE"),
    (sa.Float, "DOUBLE"),
    (sa.String, "VARCHAR"),
)
_SETTINGS = {
    "memory_limit": "256MB",
    "threads": "2",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


@contextmanager
def table(path: Path, columns: Sequence[sa.Column[Any]]) -> Iterator[Callable[[Rows], None]]:
    """Function that takes rows, which are a Parquet file when the context ends.

    Args:
        path: File.
        columns: Columns, for their names and types.
    """
    flat = path.with_suffix(".part")
    names = [column.name for column in columns]
    with flat.open("w", encoding="utf-8") as file:
        yield lambda rows: file.writelines(
            f"{json.dumps({name: row[name] for name in names})}\n" for row in rows
        )
    try:
        _turned(flat, path, {column.name: _type(column) for column in columns})
    finally:
        flat.unlink(missing_ok=True)


def _turned(flat: Path, path: Path, types: dict[str, str]) -> None:
    import duckdb

    with duckdb.connect(config={**_SETTINGS, "temp_directory": str(path.parent)}) as connection:
        shape = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
        source = f"read_json({_text(flat)}, format='newline_delimited', columns={{{shape}}})"
        connection.execute(
            f"COPY (SELECT * FROM {source}) TO {_text(path)} (FORMAT parquet, COMPRESSION zstd)"
        )


def _type(column: sa.Column[Any]) -> str:
    return next(name for kind, name in _TYPES if isinstance(column.type, kind))


def _text(path: Path) -> str:
    """A path as a text of SQL."""
    return "'" + str(path).replace("'", "''") + "'"
