"""Projections made again from the records: rows, results, facets and sums of a hub that an earlier program filled.

The versions of the records are the truth; everything here follows from them and from the reviews.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core.records import Footprint
from sootprint.hub import columns, ingest, truth
from sootprint.hub.database import writing
from sootprint.hub.insight import reviews, rollups
from sootprint.hub.insight.tables import Review, Rollup
from sootprint.hub.tables import FootprintRow, FootprintVersion, ResultRow, Tally, table_of

STATE = 2  # of the projections that this program makes; one more with each change of what they hold
MADE = "made"
CHUNK = 500
_rows, _versions, _results = table_of(FootprintRow), table_of(FootprintVersion), table_of(ResultRow)
_tally, _rollup, _reviews = table_of(Tally), table_of(Rollup), table_of(Review)


def ensure(engine: Engine) -> int:
    """Number of records whose projections were made again; 0 where they are those of this program."""
    query = sa.select(_rollup.c.n).where(_rollup.c.kind == MADE)
    with engine.connect() as connection:
        if connection.scalar(query) == STATE:
            return 0
    with writing(engine) as connection:
        if connection.scalar(query) == STATE:  # another worker was first
            return 0
        n = rebuild(connection)
        nothing = dict.fromkeys(rollups.SUMS, 0)
        connection.execute(sa.insert(_rollup), {**nothing, "kind": MADE, "key": "projections", "n": STATE})
    return n


def rebuild(connection: Connection) -> int:
    """Number of published records, whose projections are made again; the caller holds the writer's lock."""
    for table in (_results, _tally, _rollup):
        connection.execute(sa.delete(table))
    last, n = 0, 0
    while True:
        query = (
            sa.select(_rows, _versions.c.body)
            .join(_versions, sa.and_(_versions.c.id == _rows.c.id, _versions.c.version == _rows.c.version))
            .where(_rows.c.seq > last, _rows.c.state == columns.PUBLISHED)
            .order_by(_rows.c.seq)
            .limit(CHUNK)
        )
        found = [dict(row) for row in connection.execute(query).mappings()]
        if not found:
            return n
        _chunk(connection, found)
        last, n = found[-1]["seq"], n + len(found)


def _chunk(connection: Connection, found: list[dict[str, Any]]) -> None:
    verdicts = _verdicts(connection, [row["id"] for row in found])
    sums, counts = rollups.Changes(), Counter[tuple[str, str]]()
    rows, results = [], []
    for before in found:
        footprint = Footprint.from_json(zlib.decompress(before.pop("body")))
        made = truth.recompute(footprint)
        row = {**before, **columns.row(footprint, made)}
        verdict = verdicts.get((row["id"], row["version"]))
        if verdict is not None:
            held = verdict in reviews.CHECKED_AS
            row |= {
                "marked": int(not held),
                "verification": reviews.CHECKED_AS.get(verdict, "schema-checked"),
            }
        listed = columns.results(footprint, row["marked"])
        sums.add(row)
        counts.update(columns.facets(row, listed))
        rows.append({**row, "the_seq": row["seq"]})
        results += [{**one, "seq": row["seq"]} for one in listed]
    values: dict[str, Any] = {
        name: sa.bindparam(name) for name in rows[0] if name not in ("seq", "id", "the_seq")
    }
    connection.execute(sa.update(_rows).where(_rows.c.seq == sa.bindparam("the_seq")).values(values), rows)
    ingest.insert(connection, _results, results)
    ingest.count(connection, counts)
    sums.write(connection)


def _verdicts(connection: Connection, keys: list[str]) -> dict[tuple[str, int], str]:
    """Last verdict on each version of some records."""
    query = sa.select(_reviews).where(_reviews.c.footprint.in_(keys)).order_by(_reviews.c.seq)
    return {(row.footprint, row.version): row.verdict for row in connection.execute(query)}
