"""What the largest bodies take of a hub's memory, one at a time and several at once.

    python bench/hub_bodies.py --home DIR [--database-url URL | --cluster DIR] [--together 3] [--kinds legit floats]

The home is one that `hub_million.py fill` made, better a copy: what is sent stays there. A server of its own first
answers pages of all kinds for sixteen clients at once. Then it gets each kind of body, as large as the hub takes, once
and then by several senders at once. Memory is the resident memory of the server's process, pages that it shares
included: before, at most meanwhile (VmHWM, set back before each kind), and after.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bench_hub
import httpx
import hub_pages
import hub_postgres
from bench_hub import about, processes_memory, processes_of, written
from hub_million import CLIENTS, serving, together

from sootprint.core.ids import uuid7
from sootprint.hub import database
from sootprint.hub.admission import MAX_BATCH, MAX_BODY

RUNS = 2_900  # of an hour by the minute: 30 MiB
WAITS_S = 300.0  # for an answer


def main() -> int:
    """Exit code 0, after printing the figures and writing them to a file."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--home", type=Path, required=True, help="folder of the hub")
    asked.add_argument("--database-url", help="else SQLite in the home")
    asked.add_argument("--cluster", type=Path, help="folder of a PostgreSQL that is started and stopped")
    asked.add_argument("--together", type=int, default=3, help="senders at once, after one alone")
    asked.add_argument("--kinds", nargs="+", choices=[*BODIES], default=[*BODIES])
    asked.add_argument("--no-file", action="store_true", help="print only")
    given = asked.parse_args()
    began, rows = about(), []
    with hub_postgres.given(given.cluster) as cluster:
        url = cluster.url if cluster else given.database_url
        for row in _measured(given, url):
            rows.append(row)
            print(json.dumps(row), flush=True)
    if not given.no_file:
        written(f"hub-bodies-{'postgresql' if url else 'sqlite'}", began, rows)
    return 0


def _measured(given: argparse.Namespace, url: str | None) -> Iterator[dict[str, Any]]:
    engine = database.connect(database.url_of(url, given.home / "hub"))
    pages = hub_pages.pages(engine, CLIENTS)
    with serving(given.home, url) as (server, address):
        yield together(address, pages) | processes_memory(server)
        for kind in given.kinds:
            for senders in sorted({1, given.together}):
                yield _sent(server, address, kind, senders)
    engine.dispose()


def _sent(server: subprocess.Popen[str], address: str, kind: str, senders: int) -> dict[str, Any]:
    """What bodies of a kind, one from each sender at once, take of the server's memory."""
    texts = [BODIES[kind]() for _ in range(senders)]
    assert all(len(one) <= MAX_BODY for one in texts)
    packed = [gzip.compress(one, compresslevel=1) for one in texts]
    for one in processes_of(server):
        Path(f"/proc/{one.pid}/clear_refs").write_text("5", encoding="ascii")  # sets VmHWM back
    before, began_s = processes_memory(server), time.monotonic()
    with ThreadPoolExecutor(senders) as pool:
        answers = list(pool.map(lambda body: _answer(address, body), packed))
    took_s, after = time.monotonic() - began_s, processes_memory(server)
    return {
        "body": kind,
        "senders": senders,
        "mib_of_a_body": round(len(texts[0]) / 2**20, 1),
        "before_mib": before["mib"],
        "most_mib": after["most_mib"],
        "after_mib": after["mib"],
        "took_s": round(took_s, 1),
        "answers": dict(Counter(answers)),
    }


def _answer(address: str, packed: bytes) -> str:
    """Status of an answer, with how many records were accepted, known and refused, or why none."""
    answer = httpx.post(
        f"{address}/api/v1/footprints",
        content=packed,
        headers={"Content-Encoding": "gzip"},
        timeout=WAITS_S,
    )
    said = answer.json()
    if "accepted" in said:
        return f"{answer.status_code}: {said['accepted']}+{said['duplicate']}+{len(said['rejected'])}"
    return f"{answer.status_code}: {said['title']}"


def _batch(kind: str, n: int) -> bytes:
    """JSON of so many new records of a kind."""
    one = json.loads(bench_hub.batch(kind))[: min(n, bench_hub.BATCH)]
    return json.dumps([{**one[index % len(one)], "id": uuid7(time.time())} for index in range(n)]).encode()


def _with(given: str, n: int) -> bytes:
    """JSON of new estimates, each with something in its `given`."""
    listed = json.loads(_batch("estimate", n))
    marked = [json.dumps({**one, "given": {"much": "HERE"}}, ensure_ascii=False) for one in listed]
    return ("[" + ",".join(marked) + "]").replace('"HERE"', given).encode()


def _keys(n: int) -> str:
    return "{" + ",".join(f'"name of {index:06}":1' for index in range(n)) + "}"


# Bodies as near to the limits as they may be: 32 MiB, 4 MiB a record, 2,000,000 values, and what these take in memory
BODIES: dict[str, Callable[[], bytes]] = {
    "legit": lambda: _batch("run of an hour", RUNS),
    "estimates": lambda: _batch("estimate", MAX_BATCH),
    "floats": lambda: _with("[" + ",".join(["1.234567890123"] * 240_000) + "]", 8),
    "lists": lambda: _with("[" + ",".join(["[]"] * 3_000) + "]", 300),
    "deep": lambda: _with("[" + ",".join(["[" * 26 + "]" * 26] * 130) + "]", 380),
    "keys": lambda: _with(_keys(49_000), 27),
    "letters": lambda: _with('"' + "\U0001f600" * 1_000_000 + '"', 8),
    "one record": lambda: _with('"' + "x" * (31 << 20) + '"', 1),
    "one list": lambda: _with("[" + ",".join(["1.234567890123"] * 1_900_000) + "]", 1),
    "cut off": lambda: _batch("run of an hour", RUNS)[:-1_000],
}


if __name__ == "__main__":
    sys.exit(main())
