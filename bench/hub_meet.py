"""Searches of a large hub for words together with a filter, of which many rarely meet: the first page of each.

    python bench/hub_meet.py (--cluster DIR | --database-url URL) [--no-file]

The database is one that `hub_million.py fill` made; nothing of it is changed. Each of nine searches is asked with the
most frequent value of each facet, a middle one and the rarest, the newest first and by emissions; the faster of two
tries counts. CPU is that of this process, which for SQLite is all of it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any

import hub_postgres
from bench_hub import about, written
from sqlalchemy.engine import Engine

from sootprint.hub import columns, database, reading

SEARCHES = ("run", "run 12", "model", "model 123", "ImageNet", "A100", "family", "H100", "run 19748")
ORDERS = ("newest", "emissions")
TIMES = 2
SHOWN = 5  # slowest searches


def main() -> int:
    """Exit code 0."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--cluster", type=Path, help="folder of a PostgreSQL that is started and stopped")
    asked.add_argument("--database-url", help="address of one that runs, or of a file of SQLite")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    began = about()
    with hub_postgres.given(given.cluster) as cluster:
        engine = database.connect(database.url_of(cluster.url if cluster else given.database_url, Path()))
        rows = [_searched(engine, *one) for one in itertools.product(SEARCHES, _filters(engine), ORDERS)]
        row = {"backend": engine.dialect.name, "searches": len(rows)} | _spread(rows)
        engine.dispose()
    print(json.dumps(row, indent=2))
    if not given.no_file:
        written(f"hub-meet-{row['backend']}", began, [row])
    return 0


def _filters(engine: Engine) -> list[tuple[str, str]]:
    """Facets with their most frequent value, a middle one and the rarest."""
    found = []
    for name in columns.FACETS:
        values = [value for value, _ in reading.tallies(engine, name, most=1_000)]
        some = [values[0], values[len(values) // 2], values[-1]] if values else []
        found += [(name, value) for value in dict.fromkeys(some)]
    return found


def _searched(engine: Engine, said: str, of: tuple[str, str], order: str) -> dict[str, Any]:
    question, tries = reading.Question(words=said, filters=dict([of]), order=order), []
    for _ in range(TIMES):
        began_s, cpu_s = time.monotonic(), time.process_time()
        found = len(reading.page(engine, question)[0])
        tries.append((time.monotonic() - began_s, time.process_time() - cpu_s))
    wall_s, spent_s = (min(each) for each in zip(*tries, strict=True))
    what = f"{said}, {of[0]} {of[1]}, by {order}"
    return {"what": what, "found": found, "ms": wall_s * 1000.0, "cpu_ms": spent_s * 1000.0}


def _spread(rows: list[dict[str, Any]]) -> dict[str, Any]:
    spread: dict[str, Any] = {}
    for name in ("ms", "cpu_ms"):
        sizes = sorted(row[name] for row in rows)
        spread |= {
            f"p50_{name}": round(sizes[len(sizes) // 2]),
            f"p95_{name}": round(sizes[int(0.95 * len(sizes))]),
            f"most_{name}": round(sizes[-1]),
        }
    slowest = sorted(rows, key=lambda row: row["ms"], reverse=True)[:SHOWN]
    return spread | {"slowest": [f"{row['what']}: {row['ms']:.0f} ms" for row in slowest]}


if __name__ == "__main__":
    sys.exit(main())
