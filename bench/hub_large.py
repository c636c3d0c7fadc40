"""What a hub with very many records is to stand: kill -9 while records come in, a backup while it serves, a dump.

    python bench/hub_large.py kill   --home DIR [--database-url URL]
    python bench/hub_large.py backup --home DIR --into DIR
    python bench/hub_large.py dump   --home DIR --into DIR

The home is one that `hub_million.py fill` made. `kill` adds some thousand records to it; `backup` and `dump` write
their files into a folder of their own and delete them at the end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from bench_hub import SOOTPRINT, about, batch, written
from hub_million import serving

from sootprint.hub import database
from sootprint.hub.tables import FootprintRow, table_of

BATCHES, KILLED_AFTER_S = 16, 2.0
_rows = table_of(FootprintRow)
MIB = 1 << 20


def main() -> int:
    """Exit code 0, or 1 where something that was acknowledged is not there once."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("what", choices=("kill", "backup", "dump"))
    asked.add_argument("--home", type=Path, required=True, help="folder of the hub")
    asked.add_argument("--database-url", help="else SQLite in the home")
    asked.add_argument("--into", type=Path, default=Path("/tmp"), help="folder with room for the file")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    began = about()
    row = _killed(given) if given.what == "kill" else _beside(given)
    print(json.dumps(row))
    if not given.no_file:
        written(f"hub-large-{given.what}", began, [row])
    return 1 if row.get("lost") or row.get("doubled") else 0


def _killed(given: argparse.Namespace) -> dict[str, Any]:
    """Records that come in when the server is killed, and the time until it answers again."""
    acknowledged: list[str] = []
    bodies = [batch("estimate") for _ in range(BATCHES)]
    with serving(given.home, given.database_url) as (server, address):
        before = _total(address)
        sender = threading.Thread(target=_send, args=(address, bodies, acknowledged))
        sender.start()
        time.sleep(KILLED_AFTER_S)
        server.kill()
        server.wait()
        sender.join()
    began_s = time.monotonic()
    with serving(given.home, given.database_url) as (_, address):
        while httpx.get(f"{address}/readyz").status_code != 200:
            time.sleep(0.01)
        ready_s = time.monotonic() - began_s
        there = sum(
            httpx.get(f"{address}/api/v1/footprints/{one}").status_code == 200 for one in acknowledged
        )
        resent: list[str] = []
        known, after = len(acknowledged), _total(address)
        _send(address, bodies, resent)
        whole = _total(address)
    return {
        "what": "kill -9 while batches come in",
        "records_before": before,
        "acknowledged": known,
        "lost": known - there,
        "not_acknowledged_yet_there": after
        - before
        - known,  # at most the batch on its way; sent again it is known
        "doubled": whole - before - len(bodies) * len(json.loads(bodies[0])),
        "ready_again_s": round(ready_s, 2),
    }


def _there(given: argparse.Namespace, ids: list[str]) -> int:
    """How many records of some ids the database holds, each once."""
    engine = database.connect(database.url_of(given.database_url, given.home / "hub"))
    found = 0
    with engine.connect() as connection:
        for start in range(0, len(ids), 500):
            query = sa.select(sa.func.count()).where(_rows.c.id.in_(ids[start : start + 500]))
            found += int(connection.scalar(query) or 0)
    return found


def _send(address: str, bodies: list[bytes], acknowledged: list[str]) -> None:
    """Send batches until the server is gone, and keep the ids of those that it acknowledged."""
    with httpx.Client(timeout=60.0) as client:
        for body in bodies:
            try:
                packed = gzip.compress(body, compresslevel=1)
                answer = client.post(
                    f"{address}/api/v1/footprints", content=packed, headers={"Content-Encoding": "gzip"}
                )
            except httpx.TransportError:
                return
            answer.raise_for_status()
            acknowledged += [one["id"] for one in json.loads(body)]


def _total(address: str) -> int:
    """Published records as the facets count them."""
    return sum(httpx.get(f"{address}/api/v1/facets", timeout=60.0).json()["evidence"].values())


def _beside(given: argparse.Namespace) -> dict[str, Any]:
    """Time and memory of a command on the hub, and the pages that are asked for meanwhile."""
    place = given.into / f"hub-large-{os.getpid()}"
    place.mkdir()
    words = ["backup", str(place / "hub.sqlite")] if given.what == "backup" else ["dump", "--out", str(place)]
    if given.database_url:
        words += ["--database-url", given.database_url]
    spent_ms: list[float] = []
    try:
        with serving(given.home, given.database_url) as (_, address):
            began_s = time.monotonic()
            job = subprocess.Popen(
                [SOOTPRINT, "hub", *words],
                env={**os.environ, "SOOTPRINT_HOME": str(given.home)},
                stdout=subprocess.DEVNULL,
            )
            while job.poll() is None:
                asked_s = time.monotonic()
                httpx.get(
                    f"{address}/explore", headers={"Accept": "text/html"}, timeout=60.0
                ).raise_for_status()
                spent_ms.append((time.monotonic() - asked_s) * 1000.0)
                time.sleep(0.2)
            took_s = time.monotonic() - began_s
            most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            size = sum(one.stat().st_size for one in place.rglob("*") if one.is_file())
    finally:
        shutil.rmtree(place)
    assert job.returncode == 0
    spent_ms.sort()
    return {
        "what": f"hub {given.what} while it serves",
        "took_s": round(took_s, 1),
        "files_mib": round(size / MIB),
        "memory_most_mib": round(most),
        "explore_meanwhile_p50_ms": round(spent_ms[len(spent_ms) // 2], 1),
        "explore_meanwhile_p95_ms": round(spent_ms[int(0.95 * len(spent_ms))], 1),
    }


if __name__ == "__main__":
    sys.exit(main())
