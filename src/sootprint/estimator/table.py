"""Estimates of a table: one CSV row a job, read row by row; the first wrong cell stops with one line."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import CatalogueError, InputError
from sootprint.estimator.hours import footprint
from sootprint.estimator.inputs import Job

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

JOB_COLUMNS = tuple(spec.name for spec in dataclasses.fields(Job))
COLUMNS = ("name", "project", *JOB_COLUMNS)
_WHOLE = ("count", "year")
_TEXT = ("hardware", "zone", "work", "method")


def estimates(
    lines: Iterable[str], *, name: str, settings: Settings, defaults: Mapping[str, Any]
) -> Iterator[Footprint]:
    """Footprints of the rows of a CSV text, in their order, one at a time.

    Args:
        lines: Lines of the text; the first names the columns, any of `COLUMNS`.
        name: Name of the file, for messages.
        settings: Settings that were read.
        defaults: Values for columns that are missing and cells that are empty.

    Raises:
        InputError: A column or cell breaks a rule; the line names row, column and rule.
    """
    reader = csv.DictReader(lines, restkey="", restval=None, strict=True)
    number = 0
    try:
        _check_head(reader.fieldnames, name)
        for number, row in enumerate(reader, start=1):
            yield _estimate(
                row,
                where=f"{name} row {number} (line {reader.line_num})",
                settings=settings,
                defaults=defaults,
            )
    except csv.Error as err:
        raise InputError(f"{name} after row {number} cannot be read as CSV: {err}") from None
    if number == 0:
        raise InputError(
            f"{name} has no rows below its head: give one row a job, e.g. columns hardware,count,hours,zone"
        )


def _check_head(columns: Any, name: str) -> None:
    if not columns:
        raise InputError(f"{name} is empty: the first line names the columns, e.g. hardware,count,hours,zone")
    for column in columns:
        if column not in COLUMNS:
            raise InputError(f"{name} has a column {column!r}, which is not one of {', '.join(COLUMNS)}")
    repeated = {column for column in columns if columns.count(column) > 1}
    if repeated:
        raise InputError(f"{name} has the column {repeated.pop()!r} twice: keep one")


def _estimate(
    row: dict[str, Any], *, where: str, settings: Settings, defaults: Mapping[str, Any]
) -> Footprint:
    if "" in row or None in row.values():
        raise InputError(f"{where} has not as many cells as the head has columns")
    cells = {column: text.strip() for column, text in row.items() if text.strip()}
    values = {column: _parsed(column, cells[column], where) for column in JOB_COLUMNS if column in cells}
    given = {column: value for column, value in defaults.items() if value is not None} | values
    if "hours" not in given:
        raise InputError(f"{where}, column hours: it is empty; give the wall hours of one device")
    try:
        made = footprint(Job(**given), settings)
    except (InputError, CatalogueError) as err:
        raise InputError(f"{where}, column {_column(str(err))}: {err}") from err
    return dataclasses.replace(made, name=cells.get("name"), project=cells.get("project"))


def _parsed(column: str, text: str, where: str) -> Any:
    if column in _TEXT:
        return text
    try:
        return int(text) if column in _WHOLE else float(text)
    except ValueError:
        rule = "a whole number" if column in _WHOLE else "a number, with a point for decimals"
        raise InputError(f"{where}, column {column}: {text!r} is not {rule}") from None


def _column(message: str) -> str:
    """Column that a message is about: those of the checks begin with it, those on devices with other words."""
    return next((column for column in JOB_COLUMNS if message.startswith(f"{column} ")), "hardware")
