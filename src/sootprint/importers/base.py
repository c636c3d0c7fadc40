"""What the importers share: tables read row by row, numbers that are numbers, identities that follow from contents."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sootprint.catalogue import zones
from sootprint.core import pue, utc
from sootprint.core.errors import CatalogueError, InputError, RecordError
from sootprint.core.ids import uuid7
from sootprint.core.merging.times import Span, span
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Place
from sootprint.core.units import G_PER_KG, energy_j

MOST_ROWS = 100_000
MOST_CELL = 20_000  # characters of a cell that are read
LEAST_GRID_G, MOST_GRID_G = 1.0, 1500.0  # cleanest and dirtiest grids are near 10 and 1,000 g/kWh
LEAST_W = 1.0  # of a computer that trains
CLOCK_S = 1.0  # by which a tool's times may be off, as whole seconds are
NEAR = 1.01  # ratio of two numbers that should be the same
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_BLANK_LINES = re.compile(r"(?:[ \t\ufeff]*\r?\n)*")
Row = Mapping[str, str]
Names = Callable[[str, str], str | None]  # what stands for a user, account or node: of its kind and name
CORE = "CPU core"  # of a processor that is not named
UNNAMED = "accelerator"  # one that is not named


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something of a file that became no record.

    Args:
        where: Its place, e.g. line 7.
        why: The value, the rule and the way out.
    """

    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file held.

    Args:
        form: Form of the file.
        records: Records in the order of the file.
        left_out: What became no record.
    """

    form: str
    records: tuple[Footprint, ...]
    left_out: tuple[LeftOut, ...] = ()


def rows(
    text: str, name: str, *, as_written: bool = False, most: int = MOST_ROWS
) -> Iterator[tuple[int, Row | str]]:
    """Line and cells of each row of a table with a head, or what is wrong with the row.

    The cells are parted by what parts the names of the head: a comma, a semicolon or a tab.

    Args:
        text: Text of the table.
        name: Name of its file, for messages.
        as_written: Whether the names of the head keep their capitals.
        most: Rows that are read at most.

    Raises:
        InputError: The table has too many rows, or a name stands twice in its head.
    """
    blank = _BLANK_LINES.match(text)
    begin = blank.end() if blank else 0
    before = text.count("\n", 0, begin)
    parted = max(",;\t", key=text[begin:].partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text[begin:]), delimiter=parted)
    try:
        head = [cell.strip() if as_written else cell.strip().lower() for cell in next(reader)]
        again = twice(cell for cell in head if cell)
        if again is not None:
            raise InputError(f"{name}: column {again!r:.40} stands twice in the head: leave one")
        for number, cells in enumerate(reader):
            if number >= most:
                raise InputError(f"{name} has more than {most:,} rows: give it in parts")
            if any(cell.strip() for cell in cells):
                yield before + reader.line_num, _row(head, cells)
    except csv.Error as err:
        raise InputError(f"{name}, line {before + reader.line_num}: {err}; is it a CSV?") from None


def twice(names: Iterable[str]) -> str | None:
    """The first of some names that stood before; None where all differ."""
    known: set[str] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return None


def _row(head: list[str], cells: list[str]) -> Row | str:
    if len(cells) != len(head):
        return f"it has {len(cells)} cells where the head has {len(head)}: it was cut off or written over"
    if any(len(cell) > MOST_CELL for cell in cells):
        return f"a cell has more than {MOST_CELL:,} characters: shorten it"
    return {name: cell.strip() for name, cell in zip(head, cells, strict=True) if name}


def names_in(line: str) -> set[str]:
    """Names that the head of a table has, in small letters."""
    return {cell.strip(' "') for cell in re.split(r"[,;\t]", line.strip().lower())}


def number(row: Row, name: str, *, least: float = 0.0, most: float = math.inf) -> float | None:
    """Number in a cell; None where it is empty, or says that it is not known.

    Raises:
        InputError: It is no number with a decimal point, or not in the range.
    """
    text = row.get(name, "")
    if not text or text.lower() in ("nan", "none", "null", "na", "n/a", "unknown"):
        return None
    if _NUMBER.fullmatch(text) is None:
        hint = "with a decimal point" if "," in text else "without a unit"
        raise InputError(
            f"{name} is {text!r:.40}: give a number {hint}, or leave it empty where it is unknown"
        )
    value = float(text)
    if not least <= value <= most or math.isinf(value):
        limit = f"at least {least:g}" if math.isinf(most) else f"between {least:g} and {most:g}"
        raise InputError(f"{name} is {text:.40}: it is {limit}")
    return value


def pue_of(row: Row) -> float | None:
    """PUE in the cell `pue`, as `number`."""
    return number(row, "pue", least=pue.LEAST, most=pue.MOST)


def whole(row: Row, name: str, *, least: int = 0, most: int = 10_000_000) -> int | None:
    """Whole number in a cell, as `number`; 4.0 is one."""
    value = number(row, name, least=least, most=most)
    if value is not None and value != int(value):
        raise InputError(f"{name} is {value:g}: it is a whole number")
    return None if value is None else int(value)


def claimed(value: float | None, basis: str = "claimed") -> Quantity | None:
    """A number of somebody's, without bounds; None where it is unknown."""
    return None if value is None else Quantity(value=value, basis=basis)


def text_of(row: Row, name: str) -> str | None:
    """Text of a cell, None where it is empty."""
    return row.get(name, "") or None


def place_of(*texts: str | None) -> Place | None:
    """Place that the first of some texts means which a table knows; None where none does."""
    for text in texts:
        if text:
            try:
                return zones.locate(text).place
            except CatalogueError:
                continue
    return None


def slips(energy_kwh: float | None, emissions_kg: float | None) -> tuple[str, ...]:
    """Warning where emissions over energy is what no grid has, which a slip of units explains."""
    if not energy_kwh or not emissions_kg:
        return ()
    implied = emissions_kg * G_PER_KG / energy_kwh
    if LEAST_GRID_G <= implied <= MOST_GRID_G:
        return ()
    side = "grams typed as kilograms" if implied > MOST_GRID_G else "tonnes typed as kilograms"
    return (
        f"emissions over energy is {implied:.3g} g/kWh, which no grid has: is one of them in another unit, "
        f"as with {side}?",
    )


def faint(energy_kwh: float | None, duration_s: float | None) -> tuple[str, ...]:
    """Warning where an energy over its time [s] is less than any computer draws, as where nothing was read."""
    if energy_kwh is None or not duration_s:
        return ()
    power_w = energy_j(energy_kwh) / duration_s
    if power_w >= LEAST_W:
        return ()
    return (
        f"its energy over its time is {power_w:.2g} W, less than any computer draws: much of it was not read",
    )


def grade_of(components: Sequence[Component], hardware: Sequence[Hardware]) -> str:
    """Grade of a tool's numbers: C where a sensor was read, D where hardware is named, else E."""
    if any(part.energy_kwh.basis == "sensor" for part in components):
        return "C"
    return "D" if hardware else "E"


def identity(at_s: float | None, *contents: Any) -> str:
    """Identity that follows from contents: their instant, or the first of 1970, and a hash for what is random [s]."""
    head = uuid7(max(0.0, at_s or 0.0))[:13]
    tail = hashlib.sha256("\n".join(str(one) for one in contents).encode("utf-8", "replace")).hexdigest()
    return f"{head}-7{tail[:3]}-{'89ab'[int(tail[3], 16) % 4]}{tail[4:7]}-{tail[7:19]}"


def instant(text: str) -> datetime | None:
    """Instant of ISO 8601, UTC where it has no zone; None for what is none."""
    return utc.found(text.strip())


def stamp(at: datetime) -> str:
    """Instant as the records write it."""
    return utc.text_of(at, "seconds")


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object as it is, and an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects in a JSON list, and none for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def gathered(form: str, name: str, made: Iterator[tuple[str, Footprint | str]]) -> Imported:
    """Records and what was left out, of pairs of a place and either.

    Raises:
        InputError: Nothing of it became a record; the line has the first reason.
    """
    records, left_out = [], []
    for where, one in made:
        if isinstance(one, str):
            left_out.append(LeftOut(where=where, why=one))
        else:
            records.append(one)
    if not records:
        first = f"{left_out[0].where}: {left_out[0].why}" if left_out else "it has no rows"
        raise InputError(f"{name} holds no record: {first}")
    return Imported(form=form, records=tuple(records), left_out=tuple(left_out))


FAULTS = (InputError, RecordError)


def nobody(kind: str, name: str) -> None:
    """Nothing in place of a name."""


def tried(where: str, make: Callable[[], Footprint]) -> tuple[str, Footprint | str]:
    """Place of a record, with it or with why there is none."""
    try:
        return where, make()
    except FAULTS as err:
        return where, str(err)


def beside(times: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """Number of the others that ran at the same time as each, of starts and ends [s].

    >>> beside({"a": (0.0, 60.0), "b": (30.0, 120.0), "c": (60.0, 70.0)})
    {'a': 1, 'b': 2, 'c': 1}
    """
    starts, ends = (sorted(one[index] for one in times.values()) for index in (0, 1))
    return {
        key: bisect_left(starts, end_s) - bisect_right(ends, start_s) - 1
        for key, (start_s, end_s) in times.items()
        if start_s < end_s
    }


def machine(footprint: Footprint) -> Hashable:
    """What tells the machine of a record from others, as far as its tool tells it: place, devices, threads, memory."""
    devices = tuple((one.kind, one.name, one.count) for one in footprint.hardware)
    sizes = tuple(str(footprint.given.get(name)) for name in ("cpu_count", "ram_total_size"))
    return footprint.place.zone, devices, sizes


def busy(footprint: Footprint) -> Span | None:
    """Time of a record but for its last second, as tools write whole ones; None where it is no longer than that."""
    when = span(footprint)
    if when is None or when.end_s - when.start_s <= CLOCK_S:
        return None
    return Span(when.start_s, when.end_s - CLOCK_S)


def crowded(records: Iterable[Footprint]) -> dict[str, int]:
    """Number of others that ran at the same time on like hardware, by the identity of each record that has some."""
    times: dict[Hashable, dict[str, tuple[float, float]]] = {}
    for one in records:
        when = busy(one)
        if when is not None:
            times.setdefault(machine(one), {})[one.id] = when
    return {key: count for group in times.values() for key, count in beside(group).items() if count}


def warned(footprint: Footprint, why: str) -> Footprint:
    """A record with one more warning."""
    return dataclasses.replace(footprint, warnings=(*footprint.warnings, why))


def finite(value: Any) -> float | None:
    """Finite number that a tool wrote, as a number or a text; None for what is none."""
    try:
        number_ = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number_ if math.isfinite(number_) else None


def amount(text: str, what: str, *, hint: str = "") -> float:
    """Number of at least 0 that a text is.

    Args:
        text: The text.
        what: What it tells, for the message.
        hint: What explains a negative one.

    Raises:
        InputError: It is none.
    """
    if _NUMBER.fullmatch(text.strip()) is None:
        raise InputError(f"{what} is {text!r:.40}: it is a number with a decimal point")
    value = float(text)
    if not 0.0 <= value < math.inf:
        raise InputError(f"{what} is {text:.40}: it is at least 0{hint if value < 0.0 else ''}")
    return value
