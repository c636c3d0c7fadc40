"""What a hub takes in: footprints a second in batches, with the CPU of the server and of PostgreSQL counted.

    python bench/bench_hub.py                                    on SQLite
    python bench/bench_hub.py --database-url postgresql+psycopg://hub@127.0.0.1:5432/hub

The server is a process of its own; the batches are made and packed before the clock starts. A last round sends the
first batches again, which must change nothing.
"""

from __future__ import annotations

import argparse
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import hub_tables
import psutil

from sootprint.core.ids import uuid7
from sootprint.core.records import Footprint, Interval, Model, Result
from sootprint.estimator import estimate

SOOTPRINT = str(Path(sys.executable).with_name("sootprint"))
RESULTS = Path("bench/results")
BATCH, BATCHES = 500, 20
STARTS_S = 60.0
MIB = 1 << 20


def main() -> int:
    """Exit code 0, after printing the figures and writing them to a file."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--database-url", help="an empty database; else SQLite in a folder of its own")
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    backend = "PostgreSQL" if given.database_url else "SQLite"
    began = about()
    rows = [_measured(kind, backend, given.database_url) for kind in ("estimate", "run of an hour")]
    for row in rows:
        print(json.dumps(row))
    if not given.no_file:
        RESULTS.mkdir(exist_ok=True)
        written(f"hub-{backend.lower()}", began, rows)
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


def _measured(kind: str, backend: str, url: str | None) -> dict[str, Any]:
    """Figures of one kind of record."""
    bodies = [gzip.compress(batch(kind), compresslevel=6) for _ in range(BATCHES)]
    with tempfile.TemporaryDirectory(prefix="soot-bench-") as home, httpx.Client(timeout=120.0) as client:
        server, address = _started(Path(home), url)
        try:
            list(send(client, address, bodies[:1]))  # tables are read and plans are made once
            before_s, began_s = _cpu_s(server, backend), time.monotonic()
            accepted = sum(one["accepted"] for one in send(client, address, bodies[1:]))
            wall_s, cpu_s = time.monotonic() - began_s, _cpu_s(server, backend) - before_s
            again = list(send(client, address, bodies[:5]))
            memory = psutil.Process(server.pid).memory_info().rss
        finally:
            server.terminate()
            server.wait(timeout=STARTS_S)
    assert accepted == BATCH * (BATCHES - 1)
    assert all(one["accepted"] == 0 and one["duplicate"] == BATCH for one in again)
    return {
        "backend": backend,
        "record": kind,
        "bytes_of_a_record": len(batch(kind)) // BATCH,
        "footprints": accepted,
        "footprints_per_s": round(accepted / wall_s),
        "cpu_ms_per_footprint": round(1000.0 * cpu_s / accepted, 3),
        "footprints_per_cpu_s": round(accepted / cpu_s),
        "server_memory_mib": round(memory / MIB),
        "resent_and_new": sum(one["accepted"] for one in again),
    }


def _started(home: Path, url: str | None) -> tuple[subprocess.Popen[str], str]:
    words = [SOOTPRINT, "hub", "serve", "--port", "0", *(["--database-url", url] if url else [])]
    environ = {**os.environ, "SOOTPRINT_HOME": str(home)}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1].rstrip("/")


def send(client: httpx.Client, address: str, bodies: list[bytes]) -> Iterator[dict[str, Any]]:
    """Answers to packed batches, sent one after the other."""
    for body in bodies:
        answer = client.post(
            f"{address}/api/v1/footprints", content=body, headers={"Content-Encoding": "gzip"}
        )
        answer.raise_for_status()
        yield answer.json()


def _cpu_s(server: subprocess.Popen[str], backend: str) -> float:
    """CPU time of the server, and of all processes of PostgreSQL [s]."""
    used = psutil.Process(server.pid).cpu_times()
    spent_s = used.user + used.system
    if backend == "PostgreSQL":
        for one in psutil.process_iter(["name"]):
            if one.info["name"] == "postgres":
                times = one.cpu_times()
                spent_s += times.user + times.system
    return spent_s


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
