"""Estimates and predictions of a file: one CSV row or one table of a TOML, YAML or JSON text for each job.

Rows are read one at a time. A row that breaks a rule stops the reading with one line, unless the caller takes the
line instead and goes on.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import CatalogueError, InputError
from sootprint.estimator import plan
from sootprint.estimator.hours import Lookups, footprint
from sootprint.estimator.inputs import JOB_FIELDS as JOB_COLUMNS
from sootprint.estimator.inputs import Job
from sootprint.estimator.prediction import foreseen

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

NAMES = ("name", "project")
_TEXT = ("hardware", "zone", "work", "method", "architecture", "technique", "precision", "currency")
_WHOLE = ("count", "year")
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_FLAGS = ("recompute",)
Skip = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the rows of a file are.

    Args:
        columns: Names of the arguments.
        make: Record of the arguments of one row.
        example: Head of a table, for messages.
    """

    columns: tuple[str, ...]
    make: Callable[[dict[str, Any], Lookups], Footprint]
    example: str


def _estimate(given: dict[str, Any], known: Lookups) -> Footprint:
    if "hours" not in given:
        raise InputError("hours is not given: give the wall hours of one device, e.g. with --hours")
    return footprint(Job(**given), known.settings, known=known)


ESTIMATES = Kind(columns=JOB_COLUMNS, make=_estimate, example="hardware,count,hours,zone")
PREDICTIONS = Kind(
    columns=plan.NAMES,
    make=lambda given, known: foreseen(plan.plan(given), known),
    example="params,tokens,hardware,count,zone",
)


def estimates(
    lines: Iterable[str],
    *,
    name: str,
    settings: Settings,
    defaults: Mapping[str, Any],
    kind: Kind = ESTIMATES,
    skip: Skip | None = None,
) -> Iterator[Footprint]:
    """Footprints of the rows of a CSV text, in their order, one at a time.

    Args:
        lines: Lines of the text; the first names the columns.
        name: Name of the file, for messages.
        settings: Settings that were read.
        defaults: Values for columns that are missing and cells that are empty.
        kind: What the rows are: `ESTIMATES` or `PREDICTIONS`.
        skip: Told of each row that breaks a rule, in place of the error.

    Raises:
        InputError: A column or cell breaks a rule; the line names row, column and rule.
    """
    reader = csv.DictReader(lines, restkey="", restval=None, strict=True)
    known = Lookups(settings)
    number = 0
    try:
        _check_head(reader.fieldnames, name, kind)
        for number, row in enumerate(reader, start=1):
            where = f"{name} row {number} (line {reader.line_num})"
            try:
                yield _of_cells(row, where, kind=kind, known=known, defaults=defaults)
            except InputError as err:
                if skip is None:
                    raise
                skip(str(err))
    except csv.Error as err:
        raise InputError(f"{name} after row {number} cannot be read as CSV: {err}") from None
    if number == 0:
        raise InputError(
            f"{name} has no rows below its head: give one row a job, e.g. columns {kind.example}"
        )


def from_values(
    values: Mapping[str, Any],
    *,
    where: str,
    known: Lookups,
    defaults: Mapping[str, Any],
    kind: Kind = ESTIMATES,
) -> Footprint:
    """Footprint of the arguments of one job.

    Args:
        values: Arguments by their names, besides name and project.
        where: Where they stand, for messages.
        known: What was looked up already, and the settings.
        defaults: Values for arguments that are missing.
        kind: What the job is.

    Raises:
        InputError: An argument is unknown or breaks a rule; the line names it.
    """
    for name in values:
        if name not in (*NAMES, *kind.columns):
            raise InputError(
                f"{where} has {name!r}, which is not one of {', '.join((*NAMES, *kind.columns))}"
            )
    given = {name: value for name, value in defaults.items() if value is not None}
    given |= {name: value for name, value in values.items() if value is not None and name not in NAMES}
    for name in (one for one in _TEXT if one in given):
        if not isinstance(given[name], str):
            raise InputError(f"{where}, column {name}: {given[name]!r} is no text")
    try:
        made = kind.make(given, known)
    except (InputError, CatalogueError) as err:
        raise InputError(f"{where}, column {_column(str(err), kind)}: {err}") from err
    return dataclasses.replace(made, name=_name(values, "name"), project=_name(values, "project"))


def _name(values: Mapping[str, Any], which: str) -> str | None:
    return None if values.get(which) is None else str(values[which])


def _check_head(columns: Any, name: str, kind: Kind) -> None:
    known = (*NAMES, *kind.columns)
    if not columns:
        raise InputError(f"{name} is empty: the first line names the columns, e.g. {kind.example}")
    if len(columns) == 1 and (mark := next((one for one in ";\t" if one in columns[0]), "")):
        raise InputError(
            f"{name} has {'tabs' if mark == chr(9) else 'semicolons'} between its columns: save it with commas, "
            "and with points for decimals"
        )
    for column in columns:
        if column not in known:
            raise InputError(f"{name} has a column {column!r}, which is not one of {', '.join(known)}")
    repeated = {column for column in columns if columns.count(column) > 1}
    if repeated:
        raise InputError(f"{name} has the column {repeated.pop()!r} twice: keep one")


def _of_cells(
    row: dict[str, Any], where: str, *, kind: Kind, known: Lookups, defaults: Mapping[str, Any]
) -> Footprint:
    if "" in row or None in row.values():
        raise InputError(f"{where} has not as many cells as the head has columns")
    cells = {column: text.strip() for column, text in row.items() if text.strip()}
    values = {column: _parsed(column, cells[column], where) for column in kind.columns if column in cells}
    if kind is ESTIMATES and "hours" not in {**defaults, **values}:
        raise InputError(f"{where}, column hours: it is empty; give the wall hours of one device")
    values |= {name: cells[name] for name in NAMES if name in cells}
    return from_values(values, where=where, known=known, defaults=defaults, kind=kind)


def _parsed(column: str, text: str, where: str) -> Any:
    if column in _TEXT:
        return text
    if column in _FLAGS:
        if text.lower() not in _YES_NO:
            raise InputError(f"{where}, column {column}: {text!r} is not yes or no")
        return _YES_NO[text.lower()]
    try:
        return int(text) if column in _WHOLE else float(text)
    except ValueError:
        rule = "a whole number" if column in _WHOLE else "a number, with a point for decimals"
        raise InputError(f"{where}, column {column}: {text!r} is not {rule}") from None


def _column(message: str, kind: Kind) -> str:
    """Column that a message is about: those of the checks begin with it, those on devices with other words."""
    return next((column for column in kind.columns if message.startswith(f"{column} ")), "hardware")
