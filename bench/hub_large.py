"""What a hub with very many records is to stand: kill -9 while records come in, a backup while it serves, a dump.

    python bench/hub_large.py kill    --home DIR [--database-url URL | --cluster DIR]
    python bench/hub_large.py strike  --home DIR --cluster DIR
    python bench/hub_large.py backup  --home DIR --into DIR
    python bench/hub_large.py dump    --home DIR --into DIR [--database-url URL | --cluster DIR]
    python bench/hub_large.py verify  --home DIR [--database-url URL | --cluster DIR]
    python bench/hub_large.py migrate --home DIR [--database-url URL | --cluster DIR]

The home is one that `hub_million.py fill` made; `--cluster` is the folder of its PostgreSQL, which is started with
fsync and stopped at the end. `kill` kills the hub and `strike` PostgreSQL while batches come in, and both add some
thousand records; `backup` and `dump` write their files into a folder of their own and delete them at the end;
`verify` checks all while the hub serves; `migrate` takes the newest migration back and makes it again.
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
import hub_postgres
import sqlalchemy as sa
from bench_hub import SOOTPRINT, about, batch, written
from hub_million import serving
from hub_postgres import MIB, Cluster
from sqlalchemy.engine import Engine

from sootprint.hub import database
from sootprint.hub.tables import FootprintVersion, table_of

BATCHES, KILLED_AFTER_S = 16, 2.0
CLIENTS, STRUCK_AT = 2, 2_500  # records that are acknowledged when PostgreSQL is killed
_versions = table_of(FootprintVersion)


def main() -> int:
    """Exit code 0, or 1 where something that was acknowledged is not there once."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("what", choices=("kill", "strike", "backup", "dump", "verify", "migrate"))
    asked.add_argument("--home", type=Path, required=True, help="folder of the hub")
    asked.add_argument("--database-url", help="else SQLite in the home")
    asked.add_argument("--cluster", type=Path, help="folder of a PostgreSQL that is started and stopped")
    asked.add_argument("--into", type=Path, default=Path("/tmp"), help="folder with room for the file")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    if given.what == "strike" and given.cluster is None:
        asked.error("strike needs --cluster: only a PostgreSQL that was started here is killed")
    began = about()
    with hub_postgres.given(given.cluster) as cluster:
        given.database_url = cluster.url if cluster else given.database_url
        row = _struck(given, cluster) if given.what == "strike" and cluster else _DOES[given.what](given)
        began |= {"postgresql": hub_postgres.settings(given.database_url)} if given.database_url else {}
    print(json.dumps(row))
    if not given.no_file:
        backend = "-postgresql" if given.database_url else ""
        written(f"hub-large{backend}-{given.what}", began, [row])
    return 1 if row.get("lost") or row.get("doubled") else 0


def _struck(given: argparse.Namespace, cluster: Cluster) -> dict[str, Any]:
    """Records that come in when PostgreSQL is killed, and the time until the hub takes in again."""
    bodies = [batch("estimate") for _ in range(BATCHES)]
    shares = [bodies[start::CLIENTS] for start in range(CLIENTS)]
    acknowledged: list[str] = []
    engine = _engine(given)
    before = _stored(engine)
    with serving(given.home, given.database_url, CLIENTS) as (_, address):
        senders = [
            threading.Thread(target=_send, args=(address, some, acknowledged, True)) for some in shares
        ]
        for one in senders:
            one.start()
        while len(acknowledged) < STRUCK_AT:
            time.sleep(0.01)
        cluster.kill()
        for one in senders:
            one.join()
        known, began_s = list(acknowledged), time.monotonic()
        recovered_s = cluster.start()
        while httpx.get(f"{address}/readyz", timeout=60.0).status_code != 200:
            time.sleep(0.01)
        ready_s = time.monotonic() - began_s
        there, after = _there(engine, known), _stored(engine)
        for some in shares:
            _send(address, some, [])
    every = [one["id"] for body in bodies for one in json.loads(body)]
    whole, now = _there(engine, every), _stored(engine)
    return {
        "what": "kill -9 of PostgreSQL while batches come in",
        "workers": CLIENTS,
        "records_before": before,
        "acknowledged": len(known),
        "lost": len(known) - there + len(every) - whole,  # then, and of all after they were sent again
        "not_acknowledged_yet_there": after - before - len(known),
        "doubled": now - before - len(every),
        "postgresql_recovered_s": round(recovered_s, 2),
        "ready_again_s": round(ready_s, 2),
    }


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


def _engine(given: argparse.Namespace) -> Engine:
    return database.connect(database.url_of(given.database_url, given.home / "hub"))


def _there(engine: Engine, ids: list[str]) -> int:
    """How many of some ids the database has a version of."""
    found = 0
    with engine.connect() as connection:
        for start in range(0, len(ids), 500):
            some = _versions.c.id.in_(ids[start : start + 500])
            found += int(
                connection.scalar(sa.select(sa.func.count(sa.distinct(_versions.c.id))).where(some)) or 0
            )
    return found


def _stored(engine: Engine) -> int:
    """Versions that the database holds."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(_versions)) or 0)


def _send(address: str, bodies: list[bytes], acknowledged: list[str], broken: bool = False) -> None:
    """Send batches until the server is gone, or says so where that is expected; keep what it acknowledged."""
    with httpx.Client(timeout=60.0) as client:
        for body in bodies:
            try:
                packed = gzip.compress(body, compresslevel=1)
                answer = client.post(
                    f"{address}/api/v1/footprints", content=packed, headers={"Content-Encoding": "gzip"}
                )
            except httpx.TransportError:
                return
            if broken and answer.status_code >= 500:
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
    files = {"backup": [str(place / "hub.sqlite")], "dump": ["--out", str(place)]}
    words = [given.what, *files.get(given.what, ())]
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


def _migrated(given: argparse.Namespace) -> dict[str, Any]:
    """Times of the newest migration back and forth, with what the program makes again behind it."""
    engine = _engine(given)
    before, newest = database.revisions()[-2:]
    began_s = time.monotonic()
    database.downgrade(engine, before)
    down_s, began_s = time.monotonic() - began_s, time.monotonic()
    database.upgrade(engine)
    return {
        "what": f"migration {newest} down and up",
        "records": _stored(engine),
        "down_s": round(down_s, 1),
        "up_s": round(time.monotonic() - began_s, 1),
    }


_DOES = {"kill": _killed, "backup": _beside, "dump": _beside, "verify": _beside, "migrate": _migrated}


if __name__ == "__main__":
    sys.exit(main())
