"""A hub with a million records: fill it, then time its pages.

    python bench/hub_million.py fill  --home DIR [--database-url URL] [--records 60000] [--at-most-s 240]
    python bench/hub_million.py copy  --home DIR [--database-url URL] [--records 1000000] [--at-most-s 240]
    python bench/hub_million.py pages --home DIR [--database-url URL]

`--cluster DIR` instead of an address starts a PostgreSQL on a folder of its own, with fsync, and stops it at the end.
The records are made from a few thousand real estimates, each under an id of its own, and stored by the hub's own
code in batches, so that versions, counts, words and the audit log are those of a hub that took them in. A fill that
was stopped goes on where it was. `copy` adds copies of these rows under other ids by SQL, for that is many times
faster; the contents of the copies still hold the first ids, so the audit log does not fit them. `pages` starts a
server of its own and asks for each kind of page many times, each time with another filter, record or leaderboard;
then, with `--ingest N`, sends it N new records in batches while more pages are asked for. `bench/hub_large.py` does
what else such a hub is to stand: kill -9, a backup, a dump.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import dataclasses
import gzip
import hashlib
import json
import mmap
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import hub_pages
import hub_postgres
import hub_tables
import sqlalchemy as sa
from bench_hub import BATCH as SENT
from bench_hub import SOOTPRINT, STARTS_S, about, batch, processes_memory, ready, send, written
from hub_pages import HARDWARE, SEED, STAGES, TASKS, ZONES
from hub_postgres import Cluster
from sqlalchemy.engine import Engine

from sootprint.core.ids import uuid7
from sootprint.core.records import Component, Footprint, Model, Quantity, Result
from sootprint.estimator import estimate
from sootprint.hub import admission, database, ingest, opening
from sootprint.hub.ingest import Prepared, Submission
from sootprint.hub.tables import FootprintRow, FootprintVersion, Recomputation, ResultRow, table_of

TEMPLATES, BATCH = 20_000, 5_000
FIRST_S = 1_600_000_000.0  # instant in the id of the first record; the others follow at ten seconds
CLIENTS = 16
WARMED = "the files read into the system's memory and held there, before the pages"
EACH, WARM = 60, 10  # requests of a kind of page that are timed, and before them
VARIANTS = 60  # data sets of a task, the first as frequent as all the others
_rows = table_of(FootprintRow)


def main() -> int:
    """Exit code 0."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("what", choices=("fill", "copy", "pages"))
    asked.add_argument("--home", type=Path, required=True, help="folder of the hub")
    asked.add_argument("--database-url", help="else SQLite in the home")
    asked.add_argument("--cluster", type=Path, help="folder of a PostgreSQL that is started and stopped")
    asked.add_argument(
        "--workers", type=int, default=1, help="processes of the hub whose pages are asked for"
    )
    asked.add_argument("--records", type=int, default=60_000)
    asked.add_argument(
        "--at-most-s", type=float, default=240.0, help="then the fill stops, to be gone on with"
    )
    asked.add_argument("--ingest", type=int, default=0, help="new records that `pages` sends at its end")
    asked.add_argument("--cold", action="store_true", help="leave SQLite's file where it is, on the disk")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    with hub_postgres.given(given.cluster) as cluster:
        given.database_url = cluster.url if cluster else given.database_url
        engine = database.connect(database.url_of(given.database_url, given.home / "hub"))
        opening.bring_up(engine)
        if given.what == "fill":
            _fill(engine, given.records, given.at_most_s)
        elif given.what == "copy":
            _copy(engine, given.records, given.at_most_s)
        else:
            _pages(engine, given, cluster)
        engine.dispose()
    return 0


def _pages(engine: Engine, given: argparse.Namespace, cluster: Cluster | None) -> None:
    """Print what the pages take, and write it into a file and into the documents."""
    began, rows = about(), []
    began |= {"postgresql": hub_postgres.settings(given.database_url)} if given.database_url else {}
    if cluster is not None:  # it was just started
        rows.append(hub_postgres.warmed(cluster.url))
        print(json.dumps(rows[-1]), flush=True)
        if not given.cold:
            rows.append(_warmed([path for path in cluster.data.glob("base/*/*") if path.is_file()]))
            print(json.dumps(rows[-1]), flush=True)
    elif not given.database_url and not given.cold:
        rows.append(_warmed([Path(str(engine.url.database))]))
        print(json.dumps(rows[-1]), flush=True)
    for row in _timed(engine, given):
        rows.append(row | (cluster.memory() if cluster is not None and "mib" in row else {}))
        print(json.dumps(rows[-1]), flush=True)
    if not given.no_file:
        backend = "postgresql" if given.database_url else "sqlite"
        written(f"hub-million-{backend}", began, rows)
        hub_tables.million("PostgreSQL" if given.database_url else "SQLite", began, rows)


def _warmed(files: Sequence[Path]) -> dict[str, Any]:
    """Time of reading a database's files into the system's memory, as the server has it done after its start.

    They are locked there until this process ends: some virtual machines hand idle file pages back to their host within
    a minute, however much memory is free, and each look would be one at a disk.
    """
    began_s, sizes = time.monotonic(), [path.stat().st_size for path in files]
    system = ctypes.CDLL(None, use_errno=True)
    system.mmap.restype, system.mmap.argtypes = (
        ctypes.c_void_p,
        [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long],
    )
    system.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    for path, size in zip(files, sizes, strict=True):
        if not size:
            continue
        with path.open("rb") as file:
            at = system.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        if system.mlock(at, size):
            why = os.strerror(ctypes.get_errno())
            sys.exit(f"{size >> 20} MiB cannot be held in memory: {why}; raise `ulimit -l`")
    took_s = time.monotonic() - began_s
    return {"kind": WARMED, "read_mib": round(sum(sizes) / 2**20), "took_s": round(took_s, 1)}


def _fill(engine: Engine, records: int, at_most_s: float) -> None:
    known = _count(engine)
    if known >= records:
        print(f"{known} records are there")
        return
    made, began_s = _templates(), time.monotonic()
    chance, first = random.Random(SEED + known), known
    while known < records and time.monotonic() - began_s < at_most_s:
        n = min(BATCH, records - known)
        batch = [_again(made[chance.randrange(TEMPLATES)], known + index) for index in range(n)]
        with database.writing(engine) as connection:
            ingest.store(connection, batch, Submission(actor="local", may_correct_all=True))
        known += n
    spent_s = time.monotonic() - began_s
    print(f"{known} records are there, {known - first} of them new in {spent_s:.0f} s")
    if known >= records:
        database.settle(engine)


def _copy(engine: Engine, records: int, at_most_s: float) -> None:
    """Copies of all rows that were taken in, under ids of their own."""
    began_s = time.monotonic()
    with engine.connect() as connection:
        base = int(
            connection.scalar(sa.text("SELECT count(*) FROM footprint WHERE name NOT LIKE 'copy%'")) or 0
        )
    while _count(engine) < records and time.monotonic() - began_s < at_most_s:
        offset = _count(engine)
        with database.writing(engine) as connection:
            for statement in _copies(engine.dialect.name):
                connection.execute(sa.text(statement), {"base": base, "offset": offset})
            for table in ("tally", "rollup"):
                _scaled(connection, table, (offset + base) / offset)
        print(f"{_count(engine)} records after {time.monotonic() - began_s:.0f} s", flush=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))


def _copies(dialect: str) -> Iterator[str]:
    number = "f.seq + :offset"
    hexed = f"printf('%012x', {number})" if dialect == "sqlite" else f"lpad(to_hex({number}), 12, '0')"
    other = {"seq": number, "id": f"substr(f.id, 1, 24) || {hexed}", "name": f"'copy ' || ({number})"}
    for model in (FootprintRow, FootprintVersion, Recomputation, ResultRow):
        table = table_of(model)
        names = [column.name for column in table.columns]
        row = "f" if model is FootprintRow else "t"
        taken = ", ".join(other.get(name, f"{row}.{name}") for name in names)
        key = "seq" if "seq" in names else "id"
        joined = "" if model is FootprintRow else f" JOIN {table.name} t ON t.{key} = f.{key}"
        into = f"INSERT INTO {table.name} ({', '.join(names)})"
        yield f"{into} SELECT {taken} FROM footprint f{joined} WHERE f.seq <= :base"


def _scaled(connection: sa.Connection, table: str, by: float) -> None:
    """Sums of a table of roll-ups as they are with the copies."""
    found = sa.inspect(connection).get_columns(table)
    sums = [one["name"] for one in found if not isinstance(one["type"], sa.String)]
    whole = [one["name"] for one in found if isinstance(one["type"], sa.Integer | sa.BigInteger)]
    changes = ", ".join(
        f"{name} = {f'CAST(round({name} * {by}) AS BIGINT)' if name in whole else f'{name} * {by}'}"
        for name in sums
    )
    where = " WHERE kind <> 'made'" if table == "rollup" else ""  # which release made them
    connection.execute(sa.text(f"UPDATE {table} SET {changes}{where}"))


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0)


def _templates() -> list[Prepared]:
    chance = random.Random(SEED)
    return [ingest.prepared(0, _admitted(_template(chance, index))) for index in range(TEMPLATES)]


def _admitted(footprint: Footprint) -> admission.Admitted:
    return admission.admitted(json.loads(footprint.to_json()))


def _template(chance: random.Random, index: int) -> Footprint:
    made = estimate(
        hours=round(chance.lognormvariate(3.0, 1.6), 3),
        hardware=chance.choice(HARDWARE),
        count=2 ** chance.randrange(8),
        zone=chance.choice(ZONES),
        year=chance.randrange(2018, 2025),
    )
    task, dataset, metric, usual = chance.choice(TASKS)
    variant = chance.randrange(1, VARIANTS) if chance.random() < 0.5 else 0
    result = Result(
        task=task,
        dataset=f"{dataset} {variant}" if variant else dataset,
        metric=metric,
        value=round(usual * chance.gauss(1.0, 0.08), 3),
    )
    return dataclasses.replace(
        made,
        name=f"run {index}",
        project=f"project {index % 300}",
        stage=chance.choice(STAGES),
        model=Model(name=f"model {index % 900}", family=f"family {index % 40}"),
        results=(result,) if chance.random() < 0.7 else (),
        **(_measured(made) if chance.random() < 0.4 else {}),
    )


def _measured(made: Footprint) -> dict[str, Any]:
    """Changes that make an estimate a run whose accelerators a sensor measured."""
    assert made.energy_kwh is not None
    energy = Quantity(value=made.energy_kwh.value, basis="sensor")
    part = Component(component="accelerator:0", meter="nvml", energy_kwh=energy)
    return {"components": (part,), "grade": "C"}


def _again(one: Prepared, number: int) -> Prepared:
    """A template under another id, as a record of its own."""
    key = uuid7(FIRST_S + 10.0 * number)
    text = zlib.decompress(one.body).replace(one.id.encode(), key.encode())
    sha256 = hashlib.sha256(text).hexdigest()
    return dataclasses.replace(one, id=key, sha256=sha256, body=zlib.compress(text, ingest.PACKING))


def _timed(engine: Engine, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Times of each kind of page at a server that was just started, and what the server then holds in memory."""
    with (
        serving(given.home, given.database_url, given.workers) as (server, address),
        httpx.Client(base_url=address, timeout=120.0, headers={"Accept": "text/html"}) as client,
    ):
        known = _count(engine)
        for kind, paths in hub_pages.pages(engine, WARM + EACH).items():
            yield _page_times(client, kind, paths) | {"records": known}
        yield {"kind": "memory of the server after the pages", **processes_memory(server)}
        yield together(address, hub_pages.pages(engine, CLIENTS)) | processes_memory(server)
        if given.ingest:
            yield _ingested(client, address, given.ingest, known)
            yield {"kind": "memory of the server after the batches", **processes_memory(server)}


def together(address: str, kinds: dict[str, list[str]]) -> dict[str, Any]:
    """Pages of all kinds for many clients at once, for what the server then holds in memory."""

    def look(place: int) -> int:
        with httpx.Client(base_url=address, timeout=120.0, headers={"Accept": "text/html"}) as client:
            for paths in kinds.values():
                client.get(paths[place]).raise_for_status()
        return len(kinds)

    began_s = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        n = sum(clients.map(look, range(CLIENTS)))
    took_s = time.monotonic() - began_s
    return {"kind": f"{CLIENTS} clients at once", "requests": n, "pages_per_s": round(n / took_s, 1)}


@contextlib.contextmanager
def serving(home: Path, url: str | None, workers: int = 1) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server on a hub's folder, ready, with its address; stopped at the end where it still runs."""
    words = ["--port", "0", *(["--database-url", url] if url else [])]
    words += ["--workers", str(workers)] if workers > 1 else []
    with tempfile.TemporaryFile("w") as log:
        server = subprocess.Popen(
            [SOOTPRINT, "hub", "serve", *words],
            env={**os.environ, "SOOTPRINT_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1].rstrip("/")
            if workers > 1:
                ready(server, address, workers)
            yield server, address
        finally:
            server.terminate()
            server.wait(timeout=STARTS_S)


def _ingested(client: httpx.Client, address: str, n: int, known: int) -> dict[str, Any]:
    """Rate of new records in batches, and times of pages meanwhile."""
    bodies = [gzip.compress(batch("estimate")) for _ in range(max(1, n // SENT))]
    spent_ms: list[float] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            began_s = time.monotonic()
            client.get("/explore").raise_for_status()
            spent_ms.append((time.monotonic() - began_s) * 1000.0)

    looking = threading.Thread(target=look)
    with httpx.Client(timeout=120.0) as sender:
        list(send(sender, address, bodies[:1]))
        began_s = time.monotonic()
        accepted = sum(one["accepted"] for one in send(sender, address, bodies[1:]))
        alone_s = time.monotonic() - began_s
        looking.start()
        list(send(sender, address, [gzip.compress(batch("estimate")) for _ in range(4)]))
        ended.set()
        looking.join()
    return {
        "kind": "batches of new estimates",
        "records": known,
        "footprints_per_s": round(accepted / alone_s),
        "explore_meanwhile_most_ms": round(max(spent_ms), 1),
    }


def _page_times(client: httpx.Client, kind: str, paths: list[str]) -> dict[str, Any]:
    spent_ms = []
    for number, path in enumerate(paths[: WARM + EACH]):
        began_s = time.monotonic()
        answer = client.get(path)
        took_ms = (time.monotonic() - began_s) * 1000.0
        answer.raise_for_status()
        if number >= WARM:
            spent_ms.append(took_ms)
    spent_ms.sort()
    at = {share: spent_ms[min(len(spent_ms) - 1, int(share * len(spent_ms)))] for share in (0.5, 0.95)}
    return {
        "kind": kind,
        "requests": len(spent_ms),
        "p50_ms": round(at[0.5], 1),
        "p95_ms": round(at[0.95], 1),
        "most_ms": round(spent_ms[-1], 1),
    }


if __name__ == "__main__":
    sys.exit(main())
