"""Clients that say nothing, little, or far too much: the hub waits for none of them for ever, and keeps none of it."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from starlette.testclient import TestClient

from sootprint.hub import admission, patience, room
from sootprint.hub.app import application
from sootprint.hub.context import Hub
from tests.hub import records, serving
from tests.hub.conftest import HOST

ANSWERS_S = 120.0  # at most, on a machine that does much else
HEAD = b"POST /api/v1/validate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"


@pytest.fixture
def hurried(open_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a hub that waits 0.3 s for a head, and as long for a part of a body."""

    class Hurried(patience.Patient):
        head_s = 0.3

    def config(app: Any, **given: Any) -> uvicorn.Config:
        return made(app, http=Hurried, ws="none", timeout_keep_alive=1, **given)

    made = uvicorn.Config
    monkeypatch.setattr(patience, "PART_S", 0.3)
    monkeypatch.setattr(serving.uvicorn, "Config", config)
    with serving.served(application(open_hub)) as address:
        yield address


def _said(address: str, *parts: bytes) -> bytes:
    """All that a hub says until it closes the connection; a timeout where it never does."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), timeout=ANSWERS_S) as connection:
        for part in parts:
            connection.sendall(part)
        heard = b""
        while block := connection.recv(4096):
            heard += block
    return heard


def test_connection_without_a_request_is_closed(hurried: str) -> None:
    """Nothing, half a head, and nothing after an answer: none of them holds a connection."""
    assert _said(hurried) == b""
    assert _said(hurried, b"GET /healthz HTTP/1.1\r\nHost: 127") == b""
    answer = _said(hurried, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


def test_body_that_does_not_come_is_answered_and_closed(hurried: str) -> None:
    """408 says what is wrong; the hub goes on to answer others."""
    answer = _said(hurried, HEAD, b"{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"did not come in time" in answer
    assert _said(hurried, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/api/v1/estimate", "/login", "/upload", "/api/v1/validate"])
def test_body_without_a_length_has_a_limit_too(
    open_client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunked body is not kept beyond what its address takes."""
    monkeypatch.setattr(patience, "MAX_PACKED", 2 << 20)
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1 << 20
            yield b" " * (1 << 20)

    answer = open_client.post(path, content=parts(), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 413), answer.text
    told = open_client.post(path, content=b"{}", headers={"content-length": str(3 << 20)})
    assert told.status_code == 413


def test_large_bodies_wait_for_room_and_small_ones_do_not(
    open_hub: Hub, open_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where other large requests have the room, 503 says when to come again; afterwards there is all of it again."""
    monkeypatch.setattr(room, "WAIT_S", 0.05)
    large = json.dumps([{"name": "x" * (room.SMALL + 1)}]).encode()
    packed, encoded = gzip.compress(large), {"content-encoding": "gzip"}
    for full, body, headers in (
        (open_hub.at_work, packed, encoded), (open_hub.arriving, large, {}), (open_hub.at_work, large, {}),
    ):  # fmt: skip
        asyncio.run(full.take(room.ARRIVING if full is open_hub.arriving else room.AT_WORK, "another"))
        answer = open_client.post("/api/v1/validate", content=body, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "6")
        assert "send this again later" in answer.json()["title"]
        assert open_client.post("/api/v1/validate", content=b"[]").status_code == 200
        full.give(room.ARRIVING if full is open_hub.arriving else room.AT_WORK, "another")
        assert open_client.post("/api/v1/validate", content=body, headers=headers).status_code == 200
    assert not open_hub.at_work._held
    assert not open_hub.arriving._held


def test_few_lists_of_all_records_are_sent_at_once(open_hub: Hub, open_client: TestClient) -> None:
    """One that was read to its end, or left, makes room; a question that is none takes none."""
    path = "/api/v1/footprints"
    for _ in range(room.EXPORTS):
        assert open_client.get(f"{path}.csv").text.startswith("id,")
        with open_client.stream("GET", f"{path}.jsonl") as left:
            assert left.status_code == 200
        assert open_client.get(f"{path}.csv", params={"year": "none"}).status_code == 400
    assert not open_hub.exports._held
    for n in range(room.EXPORTS):
        assert open_hub.exports.enter(1, f"another {n}")
    answer = open_client.get(f"{path}.csv")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "6")
    assert open_client.get(path).status_code == 200


def test_one_caller_leaves_room_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has half of it, or one request however large, and the next of its own waits until that is done."""
    monkeypatch.setattr(room, "WAIT_S", 0.05)
    whole = room.Room(8 * room.SMALL)

    async def ask() -> None:
        async with whole.held(3 * room.SMALL, "one"):
            with pytest.raises(room.BusyError):
                await whole.take(2 * room.SMALL, "one")
            async with whole.held(5 * room.SMALL, "other"):
                with pytest.raises(room.BusyError):
                    await whole.take(1, "third")
        waiting = asyncio.create_task(whole.take(8 * room.SMALL, "one"))
        await waiting
        whole.give(8 * room.SMALL, "one")

    asyncio.run(ask())


def test_few_bytes_that_are_many_values_are_refused(open_client: TestClient) -> None:
    """Empty lists take 24 times their bytes in memory: more than a full request of records has are not read."""
    for one in (b"[],", b"{},", b'{"a":[]},', b"7,"):
        bomb = b"[" + one * (30_000_000 // len(one)) + b"0]"
        with pytest.raises(admission.TooLargeError, match="values in one request"):
            admission.items(bomb)
    with pytest.raises(admission.TooLargeError, match="objects and lists in one request"):
        admission.items(b"[" + b'{"a":{"b":[1.5,"abc"]}},' * 390_000 + b"0]")
    pack = zlib.compressobj(1, wbits=31)
    packed = pack.compress(b"[" + b"[]," * 3_000_000 + b"0]") + pack.flush()
    answer = open_client.post("/api/v1/validate", content=packed, headers={"content-encoding": "gzip"})
    assert answer.status_code == 413
    many = b"[{" + b",".join(b'"%d":1' % n for n in range(admission.MAX_NAMES + 1)) + b"}]"
    assert "50,000 names" in open_client.post("/api/v1/validate", content=many).json()["title"]
    full = records.batch(200)
    assert sum(map(full.count, (b",", b"[", b"{"))) / len(full) * admission.MAX_BODY < admission.MAX_PARTS
    taken = sum(size * full.count(sign) for sign, size in admission.TAKEN.items())
    assert taken / len(full) * admission.MAX_BODY < admission.MAX_TAKEN


@pytest.mark.parametrize(
    "text",
    ["banana", "", "2024-02-30", "2024-01-01T00:00:00+25:00", "0000-01-01", "0001-01-01T00:00:00Z",
     "9999-12-31T23:59:59Z", "２０２４-01-01", "²²²²", "24", "2024-13"],
)  # fmt: skip
def test_what_is_no_date_of_a_training_is_refused(text: str) -> None:
    """Pages sort and count by it: a day that is in no calendar, a year in which nothing was trained."""
    for name in ("started", "ended"):
        with pytest.raises(admission.RecordError, match=f"/{name} is "):
            admission.admitted({**records.record(), name: text})


@pytest.mark.parametrize(
    "text", [None, "2022", "2022-03", "2022-03-11", "2024-01-01T00:00:00+05:30", "2024-02-29T23:59:59.123Z"]
)
def test_dates_as_papers_and_tools_write_them_are_taken(text: str | None) -> None:
    """A year and a month are what a paper knows; a time may be of any zone."""
    assert admission.admitted({**records.record(), "started": text}).footprint.started == text


def test_page_of_large_records_ends_early_and_goes_on(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page holds some megabytes at most, and the cursor misses no record and gives none twice."""
    from sootprint.hub import reading

    monkeypatch.setattr(reading, "MAX_PAGE", 50_000)
    monkeypatch.setattr(reading, "HELD", 2)
    sent = [records.record(name=f"run {n}", tags={"k": "x" * 20_000}) for n in range(7)]
    assert client.post("/api/v1/footprints", json=sent).json()["accepted"] == 7
    found, cursor, pages = [], None, 0
    while True:
        asked = {"limit": 500, **({"cursor": cursor} if cursor else {})}
        page = client.get("/api/v1/footprints", params=asked).json()
        found += [one["id"] for one in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor is None:
            break
    assert sorted(found) == sorted(one["id"] for one in sent)
    assert pages == 4
    lines = client.get("/api/v1/footprints.jsonl").text.splitlines()
    assert len(lines) == 7


def test_no_field_of_a_page_drops_letters(client: TestClient) -> None:
    """A browser's field for numbers makes 485 of the 48,5 that people type; ours ask with what was typed."""
    for path in ("/submit?hardware=A100&hours=1&zone=FR", "/submit/full", "/upload", "/projects/view?name=x"):
        assert 'type="number"' not in client.get(path, headers={"accept": "text/html"}).text
    asked = {"hardware": "A100", "hours": "48,5", "zone": "FR"}
    page = client.get("/submit", params=asked, headers={"accept": "text/html"})
    assert page.status_code == 400
    assert "write a point for the comma, 48.5" in page.text
    assert 'value="48,5"' in page.text
    assert HOST in str(page.url)
