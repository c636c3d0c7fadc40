"""A real server: what it promised is there after kill -9, and SIGTERM lets it finish."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sootprint.cli import app
from sootprint.hub import chain, database, metrics, serve
from tests.e2e.harness import SOOTPRINT, environment
from tests.hub import records

STARTS_S, STOPS_S, ANSWERS_S = 120.0, 120.0, 60.0


@contextlib.contextmanager
def _serving(home: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server and its address."""
    home.mkdir(exist_ok=True)
    with (home / "log").open("a") as log:
        server = subprocess.Popen(
            [SOOTPRINT, "hub", "serve", "--port", "0", *more],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert server.stdout is not None
        timer = threading.Timer(STARTS_S, server.kill)
        timer.start()
        line = server.stdout.readline()
        timer.cancel()
        assert line.startswith("The hub is at "), (home / "log").read_text()
        yield server, line.split()[-1].rstrip("/")
    finally:
        server.kill()
        server.wait(timeout=STOPS_S)


def _post(address: str, body: bytes) -> dict[str, Any]:
    request = urllib.request.Request(f"{address}/api/v1/footprints", data=body, method="POST")
    with urllib.request.urlopen(request, timeout=ANSWERS_S) as answer:
        made: dict[str, Any] = json.load(answer)
        return made


def _stop(server: subprocess.Popen[str]) -> int:
    server.send_signal(signal.SIGTERM)
    return server.wait(timeout=STOPS_S)


def test_the_survey_reads_a_real_hub_and_the_ledger(tmp_path: Path) -> None:
    """Seeded records over the public interface, and the runs of a machine, by the command and its option alone."""
    home = tmp_path / "home"
    home.mkdir()

    def survey(*source: str) -> dict[str, Any]:
        found = subprocess.run(
            [SOOTPRINT, "survey", *source, "--resamples", "100", "--json"],
            env=environment(home),
            capture_output=True,
            text=True,
            timeout=ANSWERS_S * 4,
        )
        assert found.returncode == 0, found.stderr
        answer: dict[str, Any] = json.loads(found.stdout)
        return answer

    subprocess.run([SOOTPRINT, "hub", "seed"], env=environment(home), check=True, timeout=ANSWERS_S * 4)
    with _serving(home) as (server, address):
        with urllib.request.urlopen(f"{address}/api/v1/footprints?limit=500", timeout=ANSWERS_S) as answer:
            there = len(json.load(answer)["items"])
        found = survey("--from-hub", address)
        assert _stop(server) == 0
    assert found["data"] == "records" and found["n_models"] == there > 100
    assert found["total_emissions_kg"] > 0 and len(found["findings"]) == 4
    run = [SOOTPRINT, "run", "--", sys.executable, "-c", "print(sum(range(1_000_000)))"]
    subprocess.run(run, env=environment(home), check=True, timeout=ANSWERS_S, capture_output=True)
    assert survey("--dataset", "ledger")["n_models"] == 1


def test_what_was_acknowledged_survives_kill_9_once(tmp_path: Path) -> None:
    """The server dies in mid-batch; the client sends again what had no answer; each record is there exactly once."""
    home = tmp_path / "home"
    batches = [records.batch(60) for _ in range(40)]
    answered: list[int] = []

    def send(address: str) -> None:
        for number in range(len(batches)):
            try:
                _post(address, batches[number])
            except (OSError, urllib.error.URLError, ValueError):
                return
            answered.append(number)

    with _serving(home) as (server, address):
        client = threading.Thread(target=send, args=(address,))
        client.start()
        until_s = time.monotonic() + ANSWERS_S
        while len(answered) < 3 and time.monotonic() < until_s:
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        server.wait(timeout=STOPS_S)
        client.join(timeout=ANSWERS_S)
    assert 3 <= len(answered) < len(batches)
    with _serving(home) as (server, address):
        for number in range(len(answered)):
            assert _post(address, batches[number]) == {"accepted": 0, "duplicate": 60, "rejected": []}
        for number in range(len(answered), len(answered) + 3):
            answer = _post(address, batches[number])
            assert answer["accepted"] + answer["duplicate"] == 60
        assert _stop(server) == 0
    engine = database.connect(database.url_of(None, home / "hub"))
    found = chain.verify(engine)
    engine.dispose()
    assert (found.count, found.versions) == (0, 60 * (len(answered) + 3))


def test_log_is_json_and_holds_no_content(tmp_path: Path) -> None:
    """Each line is an object; neither names nor search words of a request are in it."""
    home = tmp_path / "home"
    with _serving(home) as (server, address):
        _post(address, json.dumps(records.record(name="very-private-name")).encode())
        urllib.request.urlopen(f"{address}/api/v1/footprints?q=very-private-word", timeout=ANSWERS_S).read()
        assert _stop(server) == 0
    text = (home / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["event"] for line in lines} >= {"request"}
    assert "very-private" not in text


def test_workers_share_a_postgresql(tmp_path: Path, fresh_url: str) -> None:
    """Two processes serve one database, and their log is one chain."""
    with _serving(tmp_path / "home", "--workers", "2", "--database-url", fresh_url) as (server, address):
        batches = [records.batch(20) for _ in range(8)]
        answers: list[dict[str, Any]] = []
        threads = [
            threading.Thread(target=lambda body=body: answers.append(_post(address, body)))
            for body in batches
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join(timeout=ANSWERS_S)
        assert sum(one["accepted"] for one in answers) == 160
        assert _stop(server) == 0
    engine = database.connect(database.url_of(fresh_url, tmp_path))
    found = chain.verify(engine)
    engine.dispose()
    assert (found.versions, found.count) == (160, 0)


def _counted(address: str) -> float:
    """Requests for /healthz, as a scrape over a connection of its own has them."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=ANSWERS_S) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
    known = [float(n) for name, n in lines.items() if "requests_total" in name and '"/healthz"' in name]
    return sum(known)


def test_each_scrape_has_the_counts_of_all_workers(tmp_path: Path, fresh_url: str) -> None:
    """Whichever worker answers, no sum is less than one before, and all requests are in it, once."""
    with _serving(tmp_path / "home", "--workers", "2", "--database-url", fresh_url) as (server, address):
        ends, seen, sent = time.monotonic() + STARTS_S, [_counted(address)], 0
        while len(list(tmp_path.rglob("counts-*/*.json"))) < 2:
            assert time.monotonic() < ends
            time.sleep(0.1)
        while seen[-1] != sent or sent < 40:
            assert time.monotonic() < ends, seen[-5:]
            if sent < 40:
                urllib.request.urlopen(f"{address}/healthz", timeout=ANSWERS_S).read()
                sent += 1
            else:
                time.sleep(0.1)
            seen.append(_counted(address))
        assert seen == sorted(seen)
        assert {_counted(address) for _ in range(10)} == {40.0}
        assert _stop(server) == 0
    assert not list(tmp_path.rglob("counts-*"))


def test_counts_of_processes_add_up_and_outlive_them(tmp_path: Path) -> None:
    """Counters, durations and their classes of two processes are one, in whichever is asked."""
    first, second = metrics.Metrics(tmp_path), metrics.Metrics(tmp_path)
    alone = metrics.Metrics()
    for n, one in enumerate((first, second, second)):
        for counting in (one, alone):
            counting.request("GET", "/x", status=200 + n // 2, duration_s=0.01 * (1 + 9 * n))
            counting.count("sootprint_hub_footprints_total", n, outcome='a "b"')
    first.text()
    for told in (second.text(), first.text()):
        lines = {line for line in told.splitlines() if "cpu_seconds" not in line}
        assert lines == {line for line in alone.text().splitlines() if "cpu_seconds" not in line}
    assert second.requests() == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "2"], "need PostgreSQL"),
        (["--database-url", "mysql://x/y"], "sqlite:////folder/hub.sqlite"),
        (["--public-url", "hub"], "give e.g. https://hub.example.org"),
        (["--public-url", "https://example.org/hub"], "a hub needs a name of its own"),
    ],
)
def test_wrong_use_gets_one_line_and_code_2(tmp_path: Path, words: list[str], said: str) -> None:
    """The line names the value and the way out."""
    home = {"SOOTPRINT_HOME": str(tmp_path)}
    done = CliRunner().invoke(app, ["hub", "serve", "--port", "0", *words], env=home)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_small_answers_do_not_wait() -> None:
    """The listener and what it accepts send at once: with Nagle's algorithm each page took 40 ms more."""
    listener = serve._listener("127.0.0.1", 0)
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
