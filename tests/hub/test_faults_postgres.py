"""Faults of PostgreSQL's hub while records come in: one worker of two is killed, and its disk is full."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sootprint.exporters import hub as exporting
from sootprint.hub import database
from tests.hub import postgres
from tests.hub.test_faults import (
    MANY,
    SOME,
    _all_once,
    _filled,
    _leave_room,
    _sent_until_it_fails,
    _small_disk,
    _status,
    _takes_the_rest,
    _until,
)
from tests.hub.test_serve import _serving, _stop

ESTABLISHED = "01"  # state of a connection in /proc/net/tcp


@contextlib.contextmanager
def _working(home: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server with two workers, which end with it."""
    with _serving(home, "--database-url", url, "--workers", "2") as (server, address):
        try:
            _until(lambda: len(_children(server.pid)) >= 2, "the workers do not start")
            _until(lambda: _status(address, "/readyz") == 200, "the hub is not ready")
            yield server, address
        finally:
            if server.poll() is None:
                _stop(server)


def _children(pid: int) -> list[int]:
    """Workers of a server: its children that were started as processes of Python."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True
    )
    rows = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return [int(row[0]) for row in rows if len(row) > 1 and "spawn_main" in row[1]]


def _talking(pids: list[int], port: int) -> list[int]:
    """Processes that hold an established connection to a port of loopback."""
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        cells = line.split()
        if cells[3] == ESTABLISHED and int(cells[1].rpartition(":")[2], 16) == port:
            inodes.add(f"socket:[{cells[9]}]")
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            held = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}
            found += [pid] if held & inodes else []
    return found


def test_client_sends_the_rest_after_kill_9_of_one_worker_of_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_url: str
) -> None:
    """The worker that takes in is killed: the other takes the rest, a new one takes its place, all is there once."""
    monkeypatch.setattr(exporting, "AT_ONCE", 5)
    with _working(tmp_path / "home", fresh_url) as (server, address):
        before = _children(server.pid)
        struck: list[int] = []

        def strike() -> None:
            struck.extend(_talking(before, urlsplit(address).port or 0))
            for pid in struck:
                os.kill(pid, signal.SIGKILL)

        exporter, wanted = _filled(tmp_path / "client", address)
        left = _sent_until_it_fails(exporter, strike)
        assert len(struck) == 1
        assert 0 < left <= MANY - SOME
        sent = exporter.send()
        assert sent.accepted + sent.duplicate == left
        assert exporter.outbox.waiting() == []
        exporter.close()
        _until(
            lambda: len({*_children(server.pid)} - {*struck}) == 2,
            "no worker took the place of the killed one",
        )
        assert {*_children(server.pid)} & {*before} == {*before} - {*struck}
        assert _stop(server) == 0
    engine = database.connect(database.url_of(fresh_url, tmp_path))
    _all_once(engine, wanted)
    engine.dispose()


def test_full_disk_of_postgresql_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills up in mid-push: the hub says 503 and stays; with room again, and PostgreSQL, the rest is taken."""
    monkeypatch.setattr(exporting, "AT_ONCE", 5)
    programs = postgres.programs()
    if programs is None:
        pytest.skip(postgres.MISSING)
    with contextlib.ExitStack() as undo:
        place = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="soot-disk-", dir="/tmp")))
        place.chmod(0o755)  # PostgreSQL runs as a user of its own
        disk = place / "disk"
        undo.enter_context(_small_disk(disk, "64m"))
        url = undo.enter_context(postgres.running(programs, disk))
        server, address = undo.enter_context(_serving(tmp_path / "home", "--database-url", url))
        exporter, wanted = _filled(tmp_path / "client", address)
        ballast: list[Path] = []
        left = _sent_until_it_fails(exporter, lambda: ballast.append(_leave_room(disk, 0)))
        assert 0 < left <= MANY - SOME
        assert _status(address, "/healthz") == 200
        ballast[0].unlink()
        if not postgres.runs(programs, disk / "data"):
            postgres.start(programs, disk / "data", urlsplit(url).port or 0)
        _takes_the_rest(address, exporter, left)
        assert _stop(server) == 0
        engine = database.connect(database.url_of(url, tmp_path))
        _all_once(engine, wanted)
        engine.dispose()
