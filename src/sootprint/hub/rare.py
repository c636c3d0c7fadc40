"""Filters that few records pass, for lists by emissions or energy on PostgreSQL.

PostgreSQL knows how many records pass a filter and believes that they lie evenly in the order of the list, so it walks
through that order until a page is full. The records of a project do not lie evenly: the walk may read fifty thousand
rows where the project has three thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sootprint.hub.tables import FootprintRow, table_of

FEW = 4_000  # records that are sorted for a page; of a million, the others take a walk through 13,000 on average
_rows = table_of(FootprintRow)


def is_rare(connection: Connection, filters: Mapping[str, Any]) -> bool:
    """Whether fewer records than are sorted for a page pass one of some filters; each has an index that is counted in.

    Args:
        connection: Connection to PostgreSQL.
        filters: Values of columns by name, as the columns have them.
    """
    if not filters:
        return False
    counts = []
    for name, value in filters.items():
        some = sa.select(sa.literal(1)).where(_rows.c[name] == value).limit(FEW).subquery()
        counts.append(sa.select(sa.func.count()).select_from(some).scalar_subquery())
    fewest: int = min(connection.execute(sa.select(*counts)).one())
    return fewest < FEW
