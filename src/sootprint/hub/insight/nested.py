"""Runs that are parts of others: how much of each is in no other, so that sums hold it once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core.merging import parts
from sootprint.hub import columns, reading, unshown
from sootprint.hub.insight import rollups
from sootprint.hub.tables import FootprintRow, table_of

COUNTS = ("n", "marked", "no_energy_kwh", "no_emissions_kg")  # of a month: whole runs, not shares of them
MOST = 5_000  # newest runs with a parent among which the parts of a sum are looked for
AT_ONCE = 500  # values of one query
_rows = table_of(FootprintRow)


def apart(engine: Engine, chosen: Mapping[str, Any], most: int) -> dict[str, float]:
    """Share of the energy of each part that came after the runs around it, by identity [0-1].

    Args:
        engine: The hub's database.
        chosen: Columns that a part and the run around it have in common with their values, e.g. a project.
        most: Runs with a parent that are looked at, the newest.
    """
    around = _rows.alias("around")
    inner, outer = (
        sa.and_(
            table.c.state == columns.PUBLISHED, *(_is(table.c[name], one) for name, one in chosen.items())
        )
        for table in (_rows, around)
    )
    named = sa.select(_rows.c.id, _rows.c.parent).where(inner, _rows.c.parent.is_not(None))
    looked = named.order_by(_rows.c.seq.desc()).limit(most).subquery("looked")
    query = sa.select(looked.c.id, around.c.id).join(around, around.c.id == looked.c.parent).where(outer)
    with engine.connect() as connection:
        pairs = [tuple(row) for row in connection.execute(query)]
    return _shares(engine, [one for one, _ in pairs], {key for pair in pairs for key in pair})


def _is(column: sa.Column[Any], value: Any) -> sa.ColumnElement[bool]:
    """Whether a column has a value; SQLite would read all records without a mark, were it asked by their index."""
    return sa.and_((column + 0 if column.name == "marked" else column) == value)


def once(
    engine: Engine, sums: list[dict[str, Any]], kind: str, chosen: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Sums in which a run inside of another of them counts only for what came after that one.

    Args:
        engine: The hub's database.
        sums: Sums of one kind, each run whole.
        kind: model or design.
        chosen: Column that makes them, with its value.
    """
    shares = apart(engine, {**chosen, "marked": 0}, MOST)
    changes = rollups.Changes()
    for row in _listed(engine, list(shares)):
        changes.add(row, -1)
        if shares[row["id"]] > 0.0:
            changes.add(part(row, shares[row["id"]]))
    more = {key: terms for (of, key), terms in changes.items() if of == kind}
    zero = [0.0] * len(rollups.SUMS)
    made = [
        {
            **row,
            **{
                name: row[name] + term
                for name, term in zip(rollups.SUMS, more.get(row["key"], zero), strict=True)
            },
        }
        for row in sums
    ]
    return [row for row in made if row["n"] > 0]


def part(row: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Row of a run of which a share counts."""
    return {
        name: one * share if name.startswith("our_") and one is not None else one for name, one in row.items()
    }


def _listed(engine: Engine, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    with engine.connect() as connection:
        for start in range(0, len(keys), AT_ONCE):
            query = sa.select(_rows).where(_rows.c.id.in_(keys[start : start + AT_ONCE]))
            yield from (dict(row) for row in connection.execute(query).mappings())


def _shares(engine: Engine, children: Sequence[str], every: Iterable[str]) -> dict[str, float]:
    records = dict(unshown.readable(reading.texts(engine, sorted(every))))
    places = {key: parts.place(record) for key, record in records.items()}
    found = {key: parts.part(places[key], places) for key in children if key in places}
    return {key: parts.share_apart(records[key], one) for key, one in found.items() if one is not None}


def added(
    months: Iterable[dict[str, Any]], late: Iterable[tuple[dict[str, Any], float]]
) -> list[dict[str, Any]]:
    """Sums by month with those runs of which only a share counts, the newest month first.

    Args:
        months: Sums of all others.
        late: Sums of one run each, and its share.
    """
    by = {row["month"]: dict(row) for row in months}
    for row, share in late:
        into = by.setdefault(row["month"], dict.fromkeys(row) | {"month": row["month"], "n": 0})
        for name, value in row.items():
            if name in COUNTS:
                into[name] = (into[name] or 0) + (value or 0)
            elif name != "month" and value is not None:
                into[name] = (into[name] or 0.0) + share * value
    return sorted(by.values(), key=lambda row: row["month"] or "", reverse=True)
