"""Searches of PostgreSQL's million for words that many old records have and none of the newest.

    python bench/hub_words.py (--cluster DIR | --database-url URL) [--others 64000] [--no-file]

The cluster is a copy of one that `hub_million.py fill` made: the words `run` and `model` of the newest records become
others, as after a batch of another project, and stay so. Each search asks for its first page, five times, and the
fastest counts, for other programs may be at work; rows of the table and of indexes that were read for it are pages of
8 kB. With the program of an earlier commit on the path the same file measures that one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import hub_postgres
import sqlalchemy as sa
from bench_hub import about, written
from sqlalchemy.engine import Engine

from sootprint.hub import database, reading

SEARCHES = (
    "run", "run 12", "run walk", "model", "model 123", "run 19748", "ImageNet FR", "A100", "family", "nothere",
)  # fmt: skip
TIMES = 5
RENAMED = "UPDATE footprint SET words = replace(replace(words, 'run ', 'walk '), 'model ', 'design ') WHERE seq > :seq"
TOUCHED = (
    "SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit, 0) + coalesce(idx_blks_read, 0)"
    " + coalesce(toast_blks_hit, 0) + coalesce(toast_blks_read, 0)) FROM pg_statio_user_tables"
)


def main() -> int:
    """Exit code 0."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--cluster", type=Path, help="folder of a PostgreSQL that is started and stopped")
    asked.add_argument("--database-url", help="address of one that runs")
    asked.add_argument("--others", type=int, default=64_000, help="newest records that get other words")
    asked.add_argument("--name", default="hub-words-postgresql", help="of the file of results")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    began = about()
    with hub_postgres.given(given.cluster) as cluster:
        url = cluster.url if cluster else given.database_url
        engine = database.connect(database.url_of(url, Path()))
        began |= {"postgresql": hub_postgres.settings(url), "records": _renamed(engine, given.others)}
        rows = [_searched(engine, one) for one in SEARCHES]
        engine.dispose()
    for row in rows:
        print(json.dumps(row))
    if not given.no_file:
        written(given.name, began, rows)
    return 0


def _renamed(engine: Engine, others: int) -> int:
    """Number of records, of which the newest have other words."""
    with database.writing(engine) as connection:
        newest = int(connection.scalar(sa.text("SELECT max(seq) FROM footprint")) or 0)
        known = connection.scalar(sa.text("SELECT words FROM footprint WHERE seq = :seq"), {"seq": newest})
        if "walk" not in str(known):
            connection.execute(sa.text(RENAMED), {"seq": newest - others})
    database.settle(engine)
    return newest


def _searched(engine: Engine, said: str) -> dict[str, Any]:
    """Time of the first page of a search, and what was read for it."""
    spent_ms, found = [], 0
    for _ in range(TIMES):
        before, began_s = _touched(engine), time.monotonic()
        rows, _cursor = reading.page(engine, reading.Question(words=said))
        spent_ms.append((time.monotonic() - began_s) * 1000.0)
        found, touched = len(rows), _touched(engine) - before
    return {"search": said, "found": found, "least_ms": round(min(spent_ms), 1), "pages_of_8_kb": touched}


def _touched(engine: Engine) -> int:
    engine.dispose()  # a backend tells what it read as it ends
    time.sleep(0.3)
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(TOUCHED)) or 0)


if __name__ == "__main__":
    sys.exit(main())
