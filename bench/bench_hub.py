"""What a hub takes in: footprints a second in batches, with the CPU of the server and of PostgreSQL counted.

    python bench/bench_hub.py                                    on SQLite
    python bench/bench_hub.py --cluster DIR [--workers 2 --clients 2]
    python bench/bench_hub.py --database-url postgresql+psycopg://hub@127.0.0.1:5432/hub

With `--cluster` it starts PostgreSQL on a folder, with fsync, and measures each kind of record in a new database
there. The server is a process of its own, or several; the batches are made and packed before the clock starts. A last
round sends the first batches again, which must change nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import gzip
import itertools
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import hub_postgres
import hub_tables
import psutil
from hub_postgres import Cluster, spent_s

from sootprint.core.ids import uuid7
from sootprint.core.records import Footprint, Interval, Model, Result
from sootprint.estimator import estimate

SOOTPRINT = str(Path(sys.executable).with_name("sootprint"))
RESULTS = Path("bench/results")
BATCH, BATCHES = 500, 20
STARTS_S = 60.0
QUIET_S = 0.02  # of CPU in half a second


def main() -> int:
    """Exit code 0, after printing the figures and writing them to a file."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--database-url", help="an empty database; else SQLite in a folder of its own")
    asked.add_argument("--cluster", type=Path, help="folder of a PostgreSQL that is started and stopped")
    asked.add_argument("--workers", type=int, default=1, help="processes of the hub")
    asked.add_argument("--clients", type=int, default=1, help="that send batches at once")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    backend = "PostgreSQL" if given.database_url or given.cluster else "SQLite"
    began, rows = about(), []
    with hub_postgres.given(given.cluster) as cluster:
        url = cluster.url if cluster else given.database_url
        began |= {"postgresql": hub_postgres.settings(url)} if url else {}
        for kind in ("estimate", "run of an hour"):
            with hub_postgres.empty(url) if cluster else contextlib.nullcontext(url) as fresh:
                row = _measured(kind, given, fresh, cluster)
            rows.append({"backend": backend, **row})
            print(json.dumps(rows[-1]), flush=True)
    if not given.no_file:
        several = f"-{given.workers}-workers" if given.workers > 1 else ""
        written(f"hub-{backend.lower()}{several}", began, rows)
        hub_tables.taken_in(backend, began, rows)
    return 0


def written(name: str, began: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write a file of results: figures with what they are of and where they were taken."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}-{datetime.now(UTC).date()}.json"
    ended = {"load_1_min_after": round(os.getloadavg()[0], 2)}
    path.write_text(json.dumps({**began, **ended, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}")


def about() -> dict[str, Any]:
    """What the figures depend on, taken before the first of them; no name of the machine."""
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "src", "bench/*.py")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": f"{commit} with changes" if changed else commit,
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "system": platform.system(),
            "sqlite": sqlite3.sqlite_version,
        },
        "load_1_min_before": round(os.getloadavg()[0], 2),
    }


def _git(*words: str) -> str:
    found = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _measured(
    kind: str, given: argparse.Namespace, url: str | None, cluster: Cluster | None
) -> dict[str, Any]:
    """Figures of one kind of record."""
    bodies = [gzip.compress(batch(kind), compresslevel=6) for _ in range(BATCHES)]
    with tempfile.TemporaryDirectory(prefix="soot-bench-") as home:
        server, address = _started(Path(home), url, given.workers)
        try:
            warm, bodies = bodies[: given.clients], bodies[given.clients :]
            _sent_by(address, warm, given.clients)  # tables are read and plans are made once
            before_s, began_s = _cpu_s(server, url, cluster), time.monotonic()
            accepted = sum(one["accepted"] for one in _sent_by(address, bodies, given.clients))
            wall_s, cpu_s = time.monotonic() - began_s, _cpu_s(server, url, cluster) - before_s
            again = _sent_by(address, bodies[:5], given.clients)
            held = processes_memory(server) | (cluster.memory() if cluster else {})
        finally:
            server.terminate()
            server.wait(timeout=STARTS_S)
    assert accepted == BATCH * len(bodies)
    assert all(one["accepted"] == 0 and one["duplicate"] == BATCH for one in again)
    return {
        "record": kind,
        "workers": given.workers,
        "clients": given.clients,
        "bytes_of_a_record": len(batch(kind)) // BATCH,
        "footprints": accepted,
        "footprints_per_s": round(accepted / wall_s),
        "cpu_ms_per_footprint": round(1000.0 * cpu_s / accepted, 3),
        "footprints_per_cpu_s": round(accepted / cpu_s),
        "server_memory_mib": held.pop("most_mib"),
        **{name: n for name, n in held.items() if name == "postgres_mib"},
        "resent_and_new": sum(one["accepted"] for one in again),
    }


def _started(home: Path, url: str | None, workers: int) -> tuple[subprocess.Popen[str], str]:
    words = [SOOTPRINT, "hub", "serve", "--port", "0", *(["--database-url", url] if url else [])]
    words += ["--workers", str(workers)] if workers > 1 else []
    environ = {**os.environ, "SOOTPRINT_HOME": str(home)}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().split()[-1].rstrip("/")
    ready(server, address, workers)
    return server, address


def ready(server: subprocess.Popen[str], address: str, workers: int) -> None:
    """Wait until a hub answers, and all of its workers have started and have nothing more to do."""
    end_s, before_s, used_s = time.monotonic() + STARTS_S, 0.0, 1.0
    while used_s > QUIET_S or len(processes_of(server)) < (workers + 1 if workers > 1 else 1):
        assert time.monotonic() < end_s, "the hub does not come to rest"
        time.sleep(0.5)
        before_s, used_s = (now_s := sum(map(spent_s, processes_of(server)))), now_s - before_s
    httpx.get(f"{address}/readyz", timeout=STARTS_S).raise_for_status()


def _sent_by(address: str, bodies: list[bytes], clients: int) -> list[dict[str, Any]]:
    """Answers to batches that some clients send at once, each one after the other."""

    def sent(some: list[bytes]) -> list[dict[str, Any]]:
        with httpx.Client(timeout=120.0) as client:
            return list(send(client, address, some))

    with ThreadPoolExecutor(clients) as pool:
        shares = [bodies[start::clients] for start in range(clients)]
        return [one for answers in pool.map(sent, shares) for one in answers]


def send(client: httpx.Client, address: str, bodies: list[bytes]) -> Iterator[dict[str, Any]]:
    """Answers to packed batches, sent one after the other."""
    for body in bodies:
        answer = client.post(
            f"{address}/api/v1/footprints", content=body, headers={"Content-Encoding": "gzip"}
        )
        answer.raise_for_status()
        yield answer.json()


def processes_of(server: subprocess.Popen[str]) -> list[psutil.Process]:
    """A server's process and its workers."""
    main = psutil.Process(server.pid)
    return [main, *main.children(recursive=True)]


def processes_memory(server: subprocess.Popen[str]) -> dict[str, int]:
    """Resident memory of a server's largest process, pages that it shares included: now, and the most ever [MiB]."""
    now, most = [], []
    for one in processes_of(server):
        status = Path(f"/proc/{one.pid}/status").read_text(encoding="ascii")
        held = dict(line.split(":", 1) for line in status.splitlines())
        now.append(round(int(held["VmRSS"].split()[0]) / 1024))
        most.append(round(int(held["VmHWM"].split()[0]) / 1024))
    return {"mib": max(now), "most_mib": max(most)}


def _cpu_s(server: subprocess.Popen[str], url: str | None, cluster: Cluster | None) -> float:
    """CPU time of the server with its workers, and of all processes of PostgreSQL [s]."""
    ours_s = sum(spent_s(one) for one in processes_of(server))
    if cluster is not None:
        return ours_s + cluster.cpu_s()
    if url is None:
        return ours_s
    return ours_s + sum(spent_s(one) for one in psutil.process_iter() if one.name() == "postgres")


def batch(kind: str) -> bytes:
    """JSON of a batch of new records of a kind, estimate or run of an hour."""
    return ("[" + ",".join(_record(kind, index).to_json() for index in range(BATCH)) + "]").encode()


def _record(kind: str, index: int) -> Footprint:
    made = dataclasses.replace(
        _base(),
        id=uuid7(time.time()),
        name=f"run {index}",
        model=Model(name=f"model {index % 50}"),
        results=(
            Result(task="Image Classification", dataset="ImageNet", metric="Top-1", value=70.0 + index % 20),
        ),
    )
    if kind == "estimate":
        return made
    minutes = [f"2026-01-01T{n // 60:02}:{n % 60:02}:00Z" for n in range(61)]
    slots = tuple(
        Interval(start=start, end=end, component="accelerator:0", energy_j=24_000.0 + n)
        for n, (start, end) in enumerate(itertools.pairwise(minutes))
    )
    return dataclasses.replace(made, intervals=slots)


_made: list[Footprint] = []


def _base() -> Footprint:
    if not _made:
        _made.append(estimate(hours=48, hardware="A100", count=8, zone="FR", year=2024))
    return _made[0]


if __name__ == "__main__":
    sys.exit(main())
