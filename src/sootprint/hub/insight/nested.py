"""Runs of a project that are parts of others in it: how much of each is in no other, so that sums hold it once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core.merging import parts
from sootprint.core.records import Footprint
from sootprint.hub import columns, reading
from sootprint.hub.tables import FootprintRow, table_of

COUNTS = ("n", "marked", "no_energy_kwh", "no_emissions_kg")  # of a month: whole runs, not shares of them
_rows = table_of(FootprintRow)


def apart(engine: Engine, project: str, most: int) -> dict[str, float]:
    """Share of the energy of each part that came after the runs around it, by identity [0-1].

    Args:
        engine: The hub's database.
        project: Project.
        most: Parts that are looked at, the newest.
    """
    around = _rows.alias("around")
    of_both = [
        condition
        for table in (_rows, around)
        for condition in (table.c.project == project, table.c.state == columns.PUBLISHED)
    ]
    query = (
        sa.select(_rows.c.id, around.c.id)
        .join(around, around.c.id == _rows.c.parent)
        .where(*of_both)
        .order_by(_rows.c.seq.desc())
        .limit(most)
    )
    with engine.connect() as connection:
        pairs = [tuple(row) for row in connection.execute(query)]
    return _shares(engine, [one for one, _ in pairs], {key for pair in pairs for key in pair})


def _shares(engine: Engine, children: Sequence[str], every: Iterable[str]) -> dict[str, float]:
    records = {key: Footprint.from_json(text) for key, text in reading.texts(engine, sorted(every))}
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
