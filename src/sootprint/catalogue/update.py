"""Newer tables without a release: rows of a file, checked one by one, laid over the packaged ones."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sootprint.catalogue import tables, zones
from sootprint.catalogue.schema import TABLES, Table
from sootprint.catalogue.tables import Row
from sootprint.core import files
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.locks import taken
from sootprint.settings.folders import make_home

LOCK_S = 10.0  # wait for another update


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What an update did: the table, its file, and how many rows were new or took the place of another."""

    table: str
    path: Path
    added: int
    replaced: int


def update(file: Path) -> Update:
    """Rows of a file laid over the packaged table that has the same columns.

    Rows of earlier updates stay unless the file has them again. Nothing is written unless every row is right,
    and then in one step.

    Args:
        file: CSV in UTF-8 with the columns of one packaged table, in any order.

    Raises:
        InputError: The file cannot be read, a row breaks a rule (the line names row, column, value and rule), or
            the new table cannot be written.
    """
    rows = _read(file)
    name = _table_of(file, rows)
    _check(file, name, rows)
    path = tables.overlay_directory() / f"{name}.csv"
    identity = TABLES[name].identity
    newer = {identity(row): row for row in rows}
    with _alone(path.parent):  # another update would lose these rows, or these its own
        known = {identity(row) for row in tables.all_rows(name)}
        earlier = tables.parse(path.read_text(encoding="utf-8")) if path.is_file() else ()
        joined = {identity(row): row for row in tables.whole(name, earlier)} | newer
        _write(path, TABLES[name], [joined[key] for key in sorted(joined)])
    return Update(table=name, path=path, added=len(newer.keys() - known), replaced=len(newer.keys() & known))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Time in which no other program updates the tables of a folder, which is made if it is missing.

    Raises:
        InputError: The folder cannot be made or opened, or another update does not end.
    """
    try:
        make_home(folder.parent)
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY) if hasattr(os, "O_DIRECTORY") else None
    except OSError as err:
        raise InputError(f"{folder} cannot be written ({err.strerror}): nothing was changed") from err
    if descriptor is None:  # a system that opens no folder
        yield
        return
    try:
        if not taken(descriptor, LOCK_S):
            raise InputError(
                f"another update of {folder} has not ended in {LOCK_S:.0f} s: try again after it"
            )
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines(), strict=True)
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        why = getattr(err, "strerror", None) or err
        raise InputError(f"{file} cannot be read as CSV in UTF-8: {why}") from None
    if not rows:
        raise InputError(f"{file} has no rows: give a CSV with the columns of a packaged table")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{file} line {number}: has not as many cells as the header")
    return rows


def _table_of(file: Path, rows: list[dict[str, str]]) -> str:
    """Name of the packaged table with the same columns."""
    columns = set(rows[0])
    for name, table in TABLES.items():
        if columns == set(table.columns):
            return name
    likest = max(TABLES, key=lambda name: len(columns & set(TABLES[name].columns)))
    wrong = sorted(columns ^ set(TABLES[likest].columns))
    raise InputError(
        f"{file} has the columns of no table; of {likest} it lacks or has too many: {', '.join(wrong)}"
    )


def _check(file: Path, name: str, rows: list[dict[str, str]]) -> None:
    """Nothing where every row keeps the rules of its table and points to what is known."""
    table, seen = TABLES[name], set()
    for number, row in enumerate(rows, start=2):
        try:
            table.check(row)
            _check_pointer(name, row)
        except (ValueError, CatalogueError) as err:
            raise InputError(f"{file} line {number}: {err}") from err
        if table.identity(row) in seen:
            raise InputError(
                f"{file} line {number}: {', '.join(table.identity(row))} stands twice in the file"
            )
        seen.add(table.identity(row))


def _check_pointer(name: str, row: Row) -> None:
    """Nothing where the row's zone, region or device is in its own table.

    Raises:
        ValueError: It is not.
        CatalogueError: The zone of a cloud region is in no table.
    """
    if name == "regions":
        zones.locate(row["zone"])
    column, other = _POINTERS.get(name, ("", ""))
    if column and row[column] and not tables.rows(other, row[column]):
        raise ValueError(f"{column} = {row[column]!r} is in no row of {other}: update that table first")


_POINTERS = {
    "accelerator_names": ("name", "accelerators"),
    "intensity": ("zone", "zones"),
    "region_intensity": ("region", "regions"),
    "zone_names": ("zone", "zones"),
}


def _write(path: Path, table: Table, rows: list[Row]) -> None:
    """A table's file, written whole or not at all."""
    out = io.StringIO()
    writer = csv.DictWriter(out, table.columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        files.put(path, out.getvalue().encode(), forces=True)
    except OSError as err:
        raise InputError(f"{path} cannot be written ({err.strerror}): nothing was changed") from err
