"""The review queue: what is to be looked at, and why."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import reading
from sootprint.hub.insight.tables import Review
from sootprint.hub.tables import Recomputation, table_of

_reviews, _recomputed = table_of(Review), table_of(Recomputation)


def page(engine: Engine, cursor: str | None = None) -> tuple[list[dict[str, Any]], str | None]:
    """Records that are to be looked at, the newest first, each with why; and the cursor of the next page."""
    rows, following = reading.page(engine, reading.Question(limit=25, filters={"marked": "1"}, cursor=cursor))
    whys = _marks(engine, {row["id"]: row["version"] for row in rows})
    said = _last(engine, [row["id"] for row in rows])
    return [
        {**row, "marks": whys.get(row["id"], []), "review": said.get(row["id"])} for row in rows
    ], following


def _marks(engine: Engine, versions: dict[str, int]) -> dict[str, list[str]]:
    """Marks of versions of records; by their ids alone, for SQLite has no way by index to a list of pairs."""
    query = (
        sa.select(_recomputed.c.id, _recomputed.c.version, _recomputed.c.detail)
        .where(_recomputed.c.id.in_(list(versions)))
        .order_by(_recomputed.c.at)
    )
    with engine.connect() as connection:
        found = connection.execute(query)
        return {row.id: json.loads(row.detail)["marks"] for row in found if row.version == versions[row.id]}


def _last(engine: Engine, keys: list[str]) -> dict[str, dict[str, Any]]:
    query = sa.select(_reviews).where(_reviews.c.footprint.in_(keys)).order_by(_reviews.c.seq)
    with engine.connect() as connection:
        return {row["footprint"]: dict(row) for row in connection.execute(query).mappings()}
