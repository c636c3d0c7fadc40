"""Tables from files: looked at before they are read, so that what is no table costs one line and no memory."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sootprint.catalogue.names import nearest
from sootprint.core.errors import InputError
from sootprint.survey import mapping as mappings
from sootprint.survey.mapping import UNITS, Metric, Source, TableMapping
from sootprint.survey.schema import GIVEN

if TYPE_CHECKING:
    import polars as pl

LOOKED_AT = 1 << 20  # bytes of a file that tell whether it is a table
BIGGEST = 4 << 30  # bytes; a table of a million models has some 300 MB
YEARS_KNOWN = (1950, 2100)
LEAST_NUMBERS = 0.5  # share of the filled cells of a number column that must be numbers


@dataclass(frozen=True, slots=True)
class Unread:
    """Cells that were left out because they could not be read.

    Args:
        column: Column of the schema.
        reason: Why.
        count: Number of cells.
        example: First of them, as given.
    """

    column: str
    reason: str
    count: int
    example: str


def head(path: Path, *, delimiter: str = ",") -> list[str]:
    """Names of the columns of a table, without reading it.

    Raises:
        InputError: The file is none, is empty, or is no table.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}; give a CSV table or JSON records") from None
    if not start.strip():
        raise InputError(f"{path} is empty: the first line of a table names its columns")
    if b"\0" in start:
        raise InputError(f"{path} is no table: it holds bytes that no text has; give a CSV file in UTF-8")
    first = start.partition(b"\n")[0]
    if len(first) == LOOKED_AT:
        raise InputError(f"{path} is no table: its first line is longer than {LOOKED_AT >> 20} MiB")
    if size > BIGGEST:
        raise InputError(f"{path} has {size / 2**30:.1f} GiB, more than {BIGGEST >> 30}: split it")
    try:
        names = next(csv.reader([first.decode("utf-8-sig").rstrip("\r")], delimiter=delimiter))
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{path} is no table in UTF-8: give a CSV file") from None
    if len(names) < 2:
        raise InputError(
            f"{path} is no table: its first line has one column, {first[:40].decode(errors='replace')!r}; "
            "a mapping file can name another delimiter"
        )
    return names


def holds_zero(path: Path) -> bool:
    """Whether a file has a zero byte anywhere, as no text has: it is looked through in parts, and held in none."""
    with path.open("rb") as file:
        return any(b"\0" in part for part in iter(lambda: file.read(LOOKED_AT), b""))


def mapping_for(columns: Iterable[str], path: Path) -> TableMapping:
    """Mapping that fits the columns of a table: a packaged one, or the schema's own names.

    Raises:
        InputError: None fits.
    """
    there = set(columns)
    for key in mappings.PACKAGED:
        known = mappings.packaged(key)
        if set(known.needed()) <= there:
            return known
    own = mappings.identity(columns)
    if {"energy_given_kwh", "emissions_given_kg", "device_hours", "wall_hours"} & set(own.columns):
        return own
    raise InputError(
        f"{path} has columns that no known table has ({', '.join(sorted(there))[:120]}): "
        "say which is which in a mapping file, --mapping FILE"
    )


def table(path: Path, mapping: TableMapping) -> tuple[pl.DataFrame, list[Unread]]:
    """Given columns of a table by a mapping, and the cells that could not be read.

    Raises:
        InputError: A mapped column is missing, or the text is no table.
    """
    import polars as pl

    names = head(path, delimiter=mapping.delimiter)
    if holds_zero(path):
        raise InputError(f"{path} is no table: it holds bytes that no text has; give a CSV file in UTF-8")
    _need(names, mapping, path)
    _once(names, mapping, path)
    try:
        raw = pl.read_csv(
            path,
            separator=mapping.delimiter,
            columns=list(mapping.needed()),
            infer_schema=False,
            null_values=[""],
            truncate_ragged_lines=False,
        )
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as err:
        line = str(err).strip().splitlines()[0]
        raise InputError(f"{path} cannot be read as a table: {line}; give a CSV file in UTF-8") from None
    blank = raw.height
    raw = raw.filter(~pl.all_horizontal(pl.all().is_null()))
    blank -= raw.height
    if raw.height == 0:
        raise InputError(f"{path} has no rows below its head: give one row a model")
    given, unread = mapped(raw, mapping, where=str(path))
    return given, [*unread, *([Unread("rows", "nothing in any column", blank, "")] if blank else [])]


def _once(names: list[str], mapping: TableMapping, path: Path) -> None:
    twice = [name for name in mapping.needed() if names.count(name) > 1]
    if twice:
        raise InputError(f"{path} has the column {twice[0]!r} {names.count(twice[0])} times: keep one")


def _need(names: list[str], mapping: TableMapping, path: Path) -> None:
    missing = [name for name in mapping.needed() if name not in names]
    if missing:
        near = nearest(missing[0], names, count=1)
        raise InputError(
            f"{path} has no column {missing[0]!r}, which the mapping {mapping.key!r} names"
            f"{f' ({len(missing)} are missing)' if len(missing) > 1 else ''}: the nearest is {near[0]!r}"
        )


def mapped(raw: pl.DataFrame, mapping: TableMapping, *, where: str) -> tuple[pl.DataFrame, list[Unread]]:
    """Given columns of a frame of texts by a mapping, and the cells that could not be read.

    Raises:
        InputError: More than half of the cells of a column of numbers are none.
    """
    import polars as pl

    found: dict[str, pl.Series] = {}
    unread: list[Unread] = []
    for name in GIVEN:
        source = mapping.columns.get(name)
        texts = pl.Series(name, [None], dtype=pl.String).new_from_index(0, raw.height)
        if source is not None:
            texts = _texts(raw, name, source, mapping)
        found[name], lost = _typed(texts, name, raw, source, where)
        unread += lost
    if mapping.metrics:
        unread += _metrics(raw, mapping.metrics, found, where)
    return pl.DataFrame(list(found.values())), unread


def _texts(raw: pl.DataFrame, name: str, source: Source, mapping: TableMapping) -> pl.Series:
    """Texts of one column: trimmed, the missing ones null, words in our vocabulary."""
    import polars as pl

    if source.value is not None:
        return pl.Series(name, [source.value]).new_from_index(0, raw.height)
    cells = [pl.col(column).str.strip_chars() for column in source.columns]
    cells = [pl.when(cell.str.len_bytes() > 0).then(cell) for cell in cells]
    text = pl.coalesce(cells)
    if name in mapping.missing:
        text = pl.when(~text.is_in(list(mapping.missing[name]))).then(text)
    if name in mapping.vocabulary:
        text = text.replace(dict(mapping.vocabulary[name]))
    return raw.select(text.alias(name)).to_series()


def _typed(
    texts: pl.Series, name: str, raw: pl.DataFrame, source: Source | None, where: str
) -> tuple[pl.Series, list[Unread]]:
    """Column with its type and unit, and what could not be read."""
    import polars as pl

    kind = GIVEN[name].kind
    if kind == "text":
        return texts, []
    numbers, lost = _numbers(texts, name, where)
    if kind == "year":
        fits = numbers.is_between(*YEARS_KNOWN) & (numbers == numbers.floor())
        whole = pl.select(pl.when(fits).then(numbers).cast(pl.Int32)).to_series()
        bad = numbers.filter(~fits.fill_null(True))
        if len(bad):
            reason = f"no year from {YEARS_KNOWN[0]} to {YEARS_KNOWN[1]}"
            lost = [*lost, Unread(name, reason, len(bad), f"{bad[0]:g}")]
        return whole.alias(name), lost
    factor = source.factor if source is not None else 1.0
    if source is not None and source.unit_column:
        factors, strange = _unit_factors(raw, name, source.unit_column)
        return (numbers * factors).alias(name), [*lost, *strange]
    return (numbers * factor).alias(name), lost


def _numbers(texts: pl.Series, name: str, where: str) -> tuple[pl.Series, list[Unread]]:
    import polars as pl

    numbers = texts.cast(pl.Float64, strict=False)
    numbers = pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series().alias(name)
    bad = texts.filter(numbers.is_null() & texts.is_not_null())
    filled = len(texts) - texts.null_count()
    if not len(bad):
        return numbers, []
    if len(bad) > (1 - LEAST_NUMBERS) * filled:
        raise InputError(
            f"{where}: {name} is read from cells such as {bad[0]!r:.40}, of which {len(bad)} of {filled} are no "
            "numbers: map another column, or write plain numbers in one unit"
        )
    return numbers, [Unread(name, "no number in the stated unit", len(bad), str(bad[0]))]


def _unit_factors(raw: pl.DataFrame, name: str, column: str) -> tuple[pl.Series, list[Unread]]:
    """Factor of each row from a column of units; null where the unit is unknown."""
    import polars as pl

    allowed = UNITS[GIVEN[name].unit]
    given = raw.get_column(column).str.strip_chars()
    factors = given.replace_strict(
        list(allowed), list(allowed.values()), default=None, return_dtype=pl.Float64
    )
    bad = given.filter(factors.is_null() & given.is_not_null())
    lost = [Unread(name, f"unit is none of {', '.join(allowed)}", len(bad), str(bad[0]))] if len(bad) else []
    return factors, lost


def _metrics(
    raw: pl.DataFrame, metrics: Iterable[Metric], found: dict[str, pl.Series], where: str
) -> list[Unread]:
    """Metric and value of each row from the first column of the mapping that is for its task and filled."""
    import polars as pl

    unread: list[Unread] = []
    name, value = found["metric"], found["metric_value"]
    for one in metrics:
        numbers, lost = _numbers(
            raw.get_column(one.column).str.strip_chars().replace("", None), "metric_value", where
        )
        unread += lost
        free = value.is_null() & numbers.is_not_null()
        fits = free & found["task"].is_in(list(one.tasks)) if one.tasks else free
        fits = fits.fill_null(False)
        value = pl.select(pl.when(fits).then(numbers * one.factor).otherwise(value)).to_series()
        name = pl.select(pl.when(fits).then(pl.lit(one.metric)).otherwise(name)).to_series()
    found["metric"], found["metric_value"] = name.alias("metric"), value.alias("metric_value")
    return unread
