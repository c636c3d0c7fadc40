"""Sums over records by year, place, model and architecture, kept up to date with each batch.

They hold the hub's own recomputations alone: energy from a record's inputs, emissions with the hub's location-based
factors. So no sum mixes methods, and a claim with a slip of units enters none. Records that are to be reviewed are out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core.quantity import Quantity
from sootprint.hub import columns
from sootprint.hub.insight.tables import Rollup
from sootprint.hub.tables import table_of

TIME, PLACE, MODEL, DESIGN = "time", "place", "model", "design"
YEARS = (1990, 2100)
_COUNTRY = re.compile(r"[A-Z]{2}")
_rollup = table_of(Rollup)
SUMS = tuple(one.name for one in _rollup.columns if one.name not in ("kind", "key"))
COUNTS = tuple(name for name in SUMS if name.partition("_")[0] in ("n", "bounded"))


class Changes:
    """Changes of the sums that a batch brings."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], list[float]] = {}

    def add(self, row: Mapping[str, Any], sign: int = 1) -> None:
        """Add the row of a record, or take it away with sign -1."""
        if row["state"] != columns.PUBLISHED or row["marked"]:
            return
        terms = _terms(row)
        for key in keys(row):
            sums = self._sums.setdefault(key, [0.0] * len(SUMS))
            for index, term in enumerate(terms):
                sums[index] += sign * term

    def __len__(self) -> int:
        return len(self._sums)

    def items(self) -> Iterator[tuple[tuple[str, str], list[float]]]:
        """Kind and key of each group with its terms."""
        yield from self._sums.items()

    def write(self, connection: Connection) -> None:
        """Write them; the caller holds the writer's lock."""
        write(connection, sorted(self.items()))


def write(connection: Connection, terms: Iterable[tuple[tuple[str, str], Sequence[float]]]) -> None:
    """Add terms to the sums of groups by kind and key; the caller holds the writer's lock."""
    rows = [
        {"kind": kind, "key": key, **dict(zip(SUMS, sums, strict=True))}
        for (kind, key), sums in terms
        if any(sums)
    ]
    if not rows:
        return
    from sqlalchemy.dialects import postgresql, sqlite

    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(_rollup)
    together = {name: _rollup.c[name] + made.excluded[name] for name in SUMS}
    connection.execute(
        made.on_conflict_do_update(index_elements=["kind", "key"], set_=together),
        [_whole(row) for row in rows],
    )


def keys(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Groups that a record belongs to."""
    year, country = row["year"], row["country"]
    if year is not None and YEARS[0] <= year <= YEARS[1]:
        yield TIME, f"{year}|{row['stage']}|{row['evidence']}"
    if country is not None and _COUNTRY.fullmatch(country):
        yield PLACE, country
    if row["model"]:
        yield MODEL, f"{row['stage']}|{row['model']}"
    if row["architecture"]:
        yield DESIGN, f"{row['stage']}|{row['architecture']}"


def _terms(row: Mapping[str, Any]) -> list[float]:
    """Terms of the sums in their order."""
    energy, emitted = _spread(row, "energy", "kwh"), _spread(row, "emissions", "kg")
    emitting = energy[1] if emitted[0] else 0.0
    return [1.0, *energy, *emitted, emitting]


def _spread(row: Mapping[str, Any], name: str, unit: str) -> list[float]:
    value = row[f"our_{name}_{unit}"]
    if value is None or not 0.0 < value < math.inf:
        return [0.0] * 7
    low, high = row[f"our_{name}_low_{unit}"], row[f"our_{name}_high_{unit}"]
    log = math.log(value)
    ends = [value if bound is None else bound for bound in (low, high)]
    return [1.0, value, *ends, log, log * log, 0.0 if low is None or high is None else 1.0]


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{name: round(row[name]) for name in COUNTS}}


def sums(engine: Engine, kind: str, *, like: str | None = None, most: int = 5_000) -> list[dict[str, Any]]:
    """Sums of one kind; those whose key ends with a text after its first `|` where one is given.

    Args:
        engine: Database.
        kind: time, place, model or design.
        like: Name of a model or architecture.
        most: Groups at most.
    """
    query = sa.select(_rollup).where(_rollup.c.kind == kind, _rollup.c.n > 0).limit(most)
    if like is not None:
        from sootprint.core.records import STAGES

        query = query.where(_rollup.c.key.in_([f"{stage}|{like}" for stage in STAGES]))
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def total(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Sums of several groups together."""
    return {name: sum(row[name] for row in rows) for name in SUMS}


def quantity(sums: Mapping[str, float], name: str, unit: str) -> Quantity:
    """Sum of a measure; its bounds add where each of its parts has both, and are unknown else.

    Args:
        sums: Sums of a group.
        name: energy or emissions.
        unit: Its unit in the names of the sums, kwh or kg.
    """
    value, low, high = (sums[f"{name}{part}_{unit}"] for part in ("", "_low", "_high"))
    if sums[f"bounded_{name}"] < sums[f"n_{name}"]:
        return Quantity(value=value, basis="derived")
    return Quantity(value=value, low=min(low, value), high=max(high, value), basis="derived")


def untold(sums: Mapping[str, float], name: str) -> str:
    """How many parts of a sum have no interval, so that it has none; nothing where each has one."""
    n, bounded = int(sums[f"n_{name}"]), int(sums[f"bounded_{name}"])
    return f"no interval is known for {n - bounded:,} of {n:,}" if bounded < n else ""
