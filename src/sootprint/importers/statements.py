"""Monthly statements of cloud providers: emissions that they claim for what was used, without any energy.

A statement is no run: it holds the runs that were measured in that cloud, so it is tagged and no sum mixes the two.
Scopes stand apart in `given`. The emissions of a record are operational: scope 1 and scope 2 by one method. Scope 3
is made of purchases, buildings and hardware, and is in neither total.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sootprint.core.errors import InputError, RecordError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Place
from sootprint.importers.base import (
    FAULTS,
    MOST_ROWS,
    Imported,
    Names,
    Row,
    claimed,
    gathered,
    identity,
    number,
    place_of,
    rows,
    stamp,
)  # fmt: skip
from sootprint.ledger.rows import STATEMENT

STATED = ("scope1_kg", "scope2_location_kg", "scope2_market_kg", "scope3_kg", "scope3_market_kg", "stated_kg")
KG_PER = {"mtco2e": 1000.0, "tco2e": 1000.0, "kgco2e": 1.0, "gco2e": 0.001}  # MT is metric tons
NO_RUN = (
    "a provider's claim for a month, which holds the runs that were measured in its cloud: no sum has both"
)
_NOT_TOLD = ("energy_kwh", "pue", "intensity_g_per_kwh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One row of a provider's export, in kilograms.

    Args:
        provider: aws, gcp or azure.
        key: What makes it this row of this month: account, service, region and the like.
        start: Start of the month; None where the export does not tell it.
        end: Its end.
        project: Project that it is for.
        service: Service that was used.
        region: Region as the provider writes it.
        stated_kg: What it states, by the names of `STATED`; what it does not tell is left out [kgCO2e].
        total_location_kg: Scopes 1 and 2 where they are stated together, location-based [kgCO2e].
        total_market_kg: The same, market-based [kgCO2e].
        rank: Version of the provider's model and time of its making; of two rows with one key the higher counts.
        given: Other cells to keep.
        warnings: What a reader must know.
    """

    provider: str
    key: tuple[str, ...]
    start: datetime | None
    end: datetime | None = None
    project: str | None = None
    service: str | None = None
    region: str | None = None
    stated_kg: Mapping[str, float]
    total_location_kg: float | None = None
    total_market_kg: float | None = None
    rank: tuple[Any, ...] = ()
    given: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


Read = Callable[[Row, Names], Statement]


def imported(
    form: str, name: str, listed: Iterator[tuple[str, Row | str]], read: Read, names: Names
) -> Imported:
    """Records of the rows of an export, the latest where a month stands twice.

    Raises:
        InputError: It has too many rows, or none that is a record.
    """
    return gathered(form, name, _each(form, name, listed, read, names))


def _each(
    form: str, name: str, listed: Iterator[tuple[str, Row | str]], read: Read, names: Names
) -> Iterator[tuple[str, Footprint | str]]:
    latest: dict[str, tuple[tuple[Any, ...], str, Statement]] = {}
    for index, (where, row) in enumerate(listed):
        if index >= MOST_ROWS:
            raise InputError(f"{name} has more than {MOST_ROWS:,} rows: give it in parts")
        try:
            if isinstance(row, str):
                raise InputError(row)
            found = read(row, names)
        except FAULTS as err:
            yield where, str(err)
            continue
        key = _identity(form, found)
        kept = latest.get(key)
        if kept is not None and kept[0] >= found.rank:
            yield (
                where,
                f"the same month, service, region and account as {kept[1]}, which is as new: counted once",
            )
            continue
        if kept is not None:
            yield kept[1], f"an earlier model's figure of what {where} states: that one counts"
        latest[key] = (found.rank, where, found)
    for key, (_, where, found) in latest.items():
        try:
            yield where, _record(form, key, found)
        except RecordError as err:
            yield where, str(err)


def _identity(form: str, one: Statement) -> str:
    at_s = one.start.timestamp() if one.start else None
    more = () if one.start else (json.dumps(dict(one.stated_kg), sort_keys=True),)
    return identity(at_s, form, *one.key, one.start.isoformat() if one.start else "", *more)


def _record(form: str, key: str, one: Statement) -> Footprint:
    place = (place_of(f"{one.provider}/{one.region}") if one.region else None) or Place(
        provider=one.provider, region=one.region
    )
    made: dict[str, Any] = {
        "emissions_kg": _operational(one, "scope2_location_kg", one.total_location_kg),
        "market_based_kg": _operational(one, "scope2_market_kg", one.total_market_kg),
        "started": stamp(one.start) if one.start else None,
        "place": place,
    }
    month = f"{one.start:%Y-%m}" if one.start else None
    scope3 = one.stated_kg.get("scope3_kg", one.stated_kg.get("scope3_market_kg"))
    apart = () if scope3 is None else (f"scope 3 ({scope3:.4g} kg) stands apart and is not in the emissions",)
    return Footprint(
        id=key,
        tool=form,
        name=" ".join(part for part in (one.service or one.project, one.region, month) if part) or None,
        project=one.project,
        tags={STATEMENT: one.provider} | ({"service": one.service} if one.service else {}),
        scope="project_total",
        boundary="facility",
        ended=stamp(one.end) if one.end else None,
        grade="E",
        unknown=(
            *(name for name, value in made.items() if value is None),
            *(("place.zone",) if place.zone is None else ()),
            *_NOT_TOLD,
        ),
        warnings=(NO_RUN, *apart, *one.warnings),
        given={**one.given, **one.stated_kg},
        **made,
    )


def _operational(one: Statement, scope2: str, total_kg: float | None) -> Quantity | None:
    """Scope 1 and scope 2 by one method, or their total where they are stated together."""
    parts = (one.stated_kg.get("scope1_kg"), one.stated_kg.get(scope2))
    if None not in parts:
        return claimed(sum(part for part in parts if part is not None))
    return claimed(total_kg)


def table(text: str, name: str) -> Iterator[tuple[str, Row | str]]:
    """Place and cells of each row of a CSV; raises as `base.rows`."""
    return ((f"line {line}", row) for line, row in rows(text, name))


def tree(text: str, name: str) -> Iterator[tuple[str, Row | str]]:
    """Place and cells of each object of a JSON text: a list, a list under `value`, or one a line.

    Names of objects in objects are joined by a dot.

    Raises:
        InputError: It is no JSON.
    """
    try:
        whole = json.loads(text)
    except RecursionError:
        raise InputError(f"{name} is nested too deep to be an export") from None
    except ValueError:
        lines = ((f"line {number}", line) for number, line in enumerate(text.splitlines(), 1) if line.strip())
        yield from ((where, _of_line(line)) for where, line in lines)
        return
    listed = whole.get("value") if isinstance(whole, dict) and isinstance(whole.get("value"), list) else whole
    for index, one in enumerate(listed if isinstance(listed, list) else [listed], 1):
        yield f"row {index}", _flattened(one)


def _of_line(line: str) -> Row | str:
    try:
        return _flattened(json.loads(line))
    except (ValueError, RecursionError):
        return "it is no JSON: it was cut off or written over"


def _flattened(value: Any) -> Row | str:
    try:
        return _flat(value)
    except RecursionError:
        return "its columns are nested too deep to be an export"


def _flat(value: Any, before: str = "") -> Row | str:
    if not isinstance(value, dict):
        return "it is no object"
    made: dict[str, str] = {}
    for name, one in value.items():
        called = f"{before}{name}".lower()
        if isinstance(one, dict):
            inner = _flat(one, f"{called}.")
            made |= inner if isinstance(inner, dict) else {}
        elif one is not None and not isinstance(one, list):
            made[called] = str(one).strip()
    return made


def amounts(row: Row, columns: Mapping[str, str], *, kg_per: float) -> dict[str, float]:
    """Emissions of a row by the names of `STATED`, those that it tells [kgCO2e].

    Raises:
        InputError: A cell is no number of at least 0.
    """
    told = {name: number(row, column) for name, column in columns.items()}
    return {name: value * kg_per for name, value in told.items() if value is not None}


def month(row: Row, column: str) -> datetime:
    """Start of the month in a cell.

    Raises:
        InputError: It is no day of a month.
    """
    text = row.get(column, "")
    try:
        found = datetime.fromisoformat(text.removesuffix(" UTC").replace("Z", "+00:00"))
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2100:
        raise InputError(f"{column} is {text!r:.40}: it is a day such as 2025-03-01")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
