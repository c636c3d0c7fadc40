"""Faults while records come in: after a restart, what was acknowledged is there once, and the client sends the rest."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core.errors import HubError
from sootprint.exporters import hub as exporting
from sootprint.exporters.hub import HubExporter
from sootprint.hub import chain, database, ingest, reading
from sootprint.hub.tables import FootprintVersion, table_of
from tests.hub import postgres, records
from tests.hub.test_serve import ANSWERS_S, _serving, _stop

LOCAL = ingest.Submission(actor="local", may_correct_all=True)
MANY, SOME = 80, 15  # records that wait, and those that are acknowledged before the strike


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(condition: Callable[[], object], what: str) -> None:
    end_s = time.monotonic() + ANSWERS_S
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


def _filled(home: Path, address: str) -> tuple[HubExporter, set[str]]:
    """A client whose outbox holds many records."""
    exporter = HubExporter(home, address)
    made = [records.footprint(1.0 + index % 7, name=f"run {index}") for index in range(MANY)]
    for one in made:
        exporter.outbox.put(one)
    return exporter, {one.id for one in made}


def _sent_until_it_fails(exporter: HubExporter, strike: Callable[[], None]) -> int:
    """Records that wait on after a send that a strike broke."""
    failed: list[HubError] = []

    def send() -> None:
        try:
            exporter.send()
        except HubError as err:
            failed.append(err)

    client = threading.Thread(target=send)
    client.start()
    _until(lambda: len(exporter.outbox.waiting()) <= MANY - SOME, "nothing was acknowledged")
    strike()
    client.join(timeout=3 * ANSWERS_S)
    assert failed, "the send went through before the strike"
    return len(exporter.outbox.waiting())


def _takes_the_rest(address: str, exporter: HubExporter, left: int) -> None:
    """A hub whose database is back takes what a client has left."""
    _until(lambda: _status(address, "/readyz") == 200, "the hub does not find its database again")
    sent = exporter.send()
    assert sent.accepted + sent.duplicate == left
    assert exporter.outbox.waiting() == []
    exporter.close()


def _all_once(engine: Engine, wanted: set[str]) -> None:
    """Each record is there once, in one version, and the audit log fits."""
    with engine.connect() as connection:
        found = list(connection.scalars(sa.select(table_of(FootprintVersion).c.id)))
    assert len(found) == len(wanted)
    assert set(found) == wanted
    assert chain.verify(engine).count == 0


def test_client_sends_the_rest_after_kill_9_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite: what was acknowledged has left the outbox and is there; what was not is sent by the next push."""
    monkeypatch.setattr(exporting, "AT_ONCE", 5)
    home, port = tmp_path / "home", str(_free_port())
    with _serving(home, "--port", port) as (server, address):
        exporter, wanted = _filled(tmp_path / "client", address)
        left = _sent_until_it_fails(exporter, lambda: os.kill(server.pid, signal.SIGKILL))
    assert 0 < left <= MANY - SOME
    with _serving(home, "--port", port) as (server, address):
        assert exporter.address == address
        sent = exporter.send()
        assert sent.accepted + sent.duplicate == left
        assert exporter.outbox.waiting() == []
        assert _stop(server) == 0
    exporter.close()
    engine = database.connect(database.url_of(None, home / "hub"))
    _all_once(engine, wanted)
    engine.dispose()


def _kill_postgres(data: Path) -> None:
    """Kill -9 of the server of a folder with all of its processes, and wait until they are gone."""
    main = int(data.joinpath("postmaster.pid").read_text().split()[0])
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(main)], capture_output=True, text=True, check=True
    )
    pids = [main, *map(int, listed.stdout.split())]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _until(lambda: not any(_runs(pid) for pid in pids), "PostgreSQL outlives kill -9")
    for lock in (data / "postmaster.pid", *data.parent.glob(".s.PGSQL.*")):  # its number lives on in a zombie
        lock.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_client_sends_the_rest_after_kill_9_of_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub says 503 while its database is gone, is ready again when that is back, and nothing is lost or double."""
    monkeypatch.setattr(exporting, "AT_ONCE", 5)
    programs = postgres.programs()
    if programs is None or not Path("/proc").is_dir():
        pytest.skip(postgres.MISSING)
    with (
        postgres.running(programs) as url,
        _serving(tmp_path / "home", "--database-url", url) as (server, address),
    ):
        engine = database.connect(database.url_of(url, tmp_path))
        with engine.connect() as connection:
            data = Path(str(connection.scalar(sa.text("SHOW data_directory"))))
        engine.dispose()
        exporter, wanted = _filled(tmp_path / "client", address)
        left = _sent_until_it_fails(exporter, lambda: _kill_postgres(data))
        assert 0 < left <= MANY - SOME
        assert _status(address, "/healthz") == 200
        assert _status(address, "/readyz") == 503
        postgres.start(programs, data, urlsplit(url).port or 0)
        _takes_the_rest(address, exporter, left)
        assert _stop(server) == 0
        _all_once(engine, wanted)
        engine.dispose()


def _status(address: str, path: str) -> int:
    import httpx

    return httpx.get(f"{address}{path}", timeout=ANSWERS_S).status_code


@contextlib.contextmanager
def _small_disk(folder: Path, size: str = "8m") -> Iterator[None]:
    """A disk of some megabytes."""
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True).returncode != 0:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _leave_room(disk: Path, size: int) -> Path:
    """File that takes all of a disk but some bytes."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    os.truncate(ballast, ballast.stat().st_size - size)
    return ballast


def test_full_disk_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub answers 503 and keeps serving; with room again the client sends the rest."""
    monkeypatch.setattr(exporting, "AT_ONCE", 20)
    home = tmp_path / "home"
    with _small_disk(home), _serving(home) as (server, address):
        ballast = _leave_room(home, 250_000)
        exporter, wanted = _filled(tmp_path / "client", address)
        with pytest.raises(HubError, match="answered 503: the database does not answer: nothing was stored"):
            exporter.send()
        left = len(exporter.outbox.waiting())
        assert 0 < left < MANY
        assert _status(address, "/") == 200
        ballast.unlink()
        sent = exporter.send()
        assert (sent.accepted, sent.duplicate) == (left, 0)
        exporter.close()
        assert _stop(server) == 0
        engine = database.connect(database.url_of(None, home / "hub"))
        _all_once(engine, wanted)
        engine.dispose()


def test_connection_that_is_lost_in_mid_batch_stores_nothing_twice(tmp_path: Path) -> None:
    """Half a body is no batch; a whole one whose sender has gone is stored once, whoever sends it again."""
    home = tmp_path / "home"
    texts = [json.dumps([records.record() for _ in range(20)]).encode() for _ in range(2)]
    with _serving(home) as (server, address):
        for text, part in ((texts[0], len(texts[0]) // 2), (texts[1], len(texts[1]))):
            _sent_and_gone(address, text, part)
        _until(lambda: _count(address) == 20, "the whole batch was not stored")
        assert [_posted(address, text)["accepted"] for text in texts] == [20, 0]
        assert _count(address) == 40
        assert _stop(server) == 0


def _sent_and_gone(address: str, text: bytes, part: int) -> None:
    """Send the first bytes of a body, and cut the connection."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=ANSWERS_S) as line:
        head = (
            f"POST /api/v1/footprints HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: {len(text)}\r\n\r\n"
        )
        line.sendall(head.encode() + text[:part])
        if part == len(text):
            line.shutdown(socket.SHUT_WR)


def _posted(address: str, text: bytes) -> dict[str, Any]:
    import httpx

    answer: dict[str, Any] = httpx.post(
        f"{address}/api/v1/footprints", content=text, timeout=ANSWERS_S
    ).json()
    return answer


def _count(address: str) -> int:
    import httpx

    found = httpx.get(f"{address}/api/v1/facets", timeout=ANSWERS_S).json()
    return sum(found["evidence"].values())


def test_two_clients_with_one_id_and_other_contents_make_versions_in_a_row(engine: Engine) -> None:
    """Eight clients change one record at once: eight versions, one after the other, the newest is shown."""
    one = records.record()
    texts = [json.dumps({**one, "name": f"client {n}"}).encode() for n in range(8)]
    threads = [threading.Thread(target=ingest.take_in, args=(engine, text, LOCAL)) for text in texts * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    history = reading.history(engine, one["id"])
    assert [row["version"] for row in history] == list(range(1, 9))
    newest = reading.one(engine, one["id"])
    assert newest is not None
    assert newest.row["name"] == newest.footprint.name
    assert chain.verify(engine).count == 0


def test_every_migration_goes_down_and_up_on_a_filled_database(engine: Engine) -> None:
    """Step by step to the first tables and back: records, versions and the log are the same."""
    sent = [records.record(1.0 + n, project="thesis", name=f"run {n}") for n in range(5)]
    ingest.take_in(engine, json.dumps(sent).encode(), LOCAL)
    ingest.take_in(engine, json.dumps({**sent[0], "name": "changed"}).encode(), LOCAL)
    before = chain.verify(engine)
    steps = database.revisions()
    for revision in reversed(steps[:-1]):
        database.downgrade(engine, revision)
        assert _versions(engine) == 6
    for revision in steps[1:]:
        database.upgrade(engine, revision)
        assert _versions(engine) == 6
    database.upgrade(engine)
    assert chain.verify(engine) == before
    assert len(reading.page(engine, reading.Question(words="thesis"))[0]) == 5
    assert dict(reading.tallies(engine, "country")) == {"FR": 5}
    assert ingest.take_in(engine, records.batch(2), LOCAL)["accepted"] == 2


def _versions(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM footprint_version")) or 0)
