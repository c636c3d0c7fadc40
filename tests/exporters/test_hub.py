"""The way to a hub: nothing that waits is lost, and nothing is there twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("fastapi")

from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner

from sootprint.cli import app
from sootprint.core.errors import HubError, InputError, SettingsError
from sootprint.exporters.address import token_of
from sootprint.exporters.hub import HubExporter
from sootprint.exporters.outbox import Outbox
from sootprint.hub import chain, database, opening
from sootprint.hub.app import application
from sootprint.ledger import keep
from tests.fixtures.collector import Collector
from tests.hub import records
from tests.hub.conftest import HOST, hub
from tests.hub.serving import served


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A hub's database."""
    made = database.connect(database.url_of(None, tmp_path / "hub"))
    opening.bring_up(made)
    yield made
    made.dispose()


@pytest.fixture
def to_hub(engine: Engine, tmp_path: Path) -> Callable[..., HubExporter]:
    """Function that gives a way to the hub, which may fail on the way."""

    def made(failing: Callable[[httpx.Request], None] | None = None) -> HubExporter:
        client = TestClient(application(hub(engine)), base_url=HOST, raise_server_exceptions=False)
        if failing is not None:
            inner = client._transport
            client._transport = httpx.MockTransport(lambda request: _failing(inner, request, failing))
        return HubExporter(tmp_path, HOST, client=client)

    return made


def _failing(inner: Any, request: httpx.Request, failing: Callable[[httpx.Request], None]) -> httpx.Response:
    answer: httpx.Response = inner.handle_request(request)
    failing(request)
    return answer


def _lost(request: httpx.Request) -> None:
    raise httpx.ReadError("the connection was lost", request=request)


def test_what_waits_is_sent_and_forgotten(to_hub: Callable[..., HubExporter], engine: Engine) -> None:
    """Three records are at the hub, and the outbox is empty."""
    with to_hub() as exporter:
        for _ in range(3):
            exporter.outbox.put(records.footprint())
        assert exporter.send().accepted == 3
        assert exporter.outbox.waiting() == []
        again = records.footprint()
        for known in (0, 1):  # what the second answer says is what is true then
            exporter.outbox.put(again)
            assert exporter.send().duplicate == known
    assert chain.verify(engine).versions == 4


def test_lost_answer_leaves_each_record_there_once(
    to_hub: Callable[..., HubExporter], engine: Engine
) -> None:
    """The hub stored the batch, its answer was lost, and so it is sent again."""
    with to_hub(_lost) as exporter:
        exporter.outbox.put(records.footprint())
        with pytest.raises(HubError, match="does not answer"):
            exporter.send()
        assert len(exporter.outbox.waiting()) == 1
    assert chain.verify(engine).versions == 1
    with to_hub() as exporter:
        exporter.send()
        assert exporter.outbox.waiting() == []
    assert chain.verify(engine).versions == 1


def test_hub_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """Offline the record waits, for whichever program comes next."""
    away = HubExporter(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(HubError, match=r"127\.0\.0\.1:9 does not answer"):
        away.write(records.footprint())
    away.close()
    assert len(Outbox(tmp_path, "http://127.0.0.1:9").waiting()) == 1


def test_refused_record_is_put_aside_with_its_reason(to_hub: Callable[..., HubExporter]) -> None:
    """It does not hold back the others, nor come again."""
    with to_hub() as exporter:
        path = exporter.outbox.put(records.footprint())
        path.write_text(json.dumps({"id": "x"}))
        exporter.outbox.put(records.footprint())
        sent = exporter.send()
        assert (sent.accepted, len(sent.refused)) == (1, 1)
        aside, why = sent.refused[0]
        assert aside.exists()
        assert aside.with_suffix(".txt").read_text().strip() == why
        assert exporter.outbox.waiting() == []


def test_batches_are_sent_in_parts(to_hub: Callable[..., HubExporter], engine: Engine) -> None:
    """More than one batch's worth arrives whole."""
    with to_hub() as exporter:
        for _ in range(205):
            exporter.outbox.put(records.footprint())
        assert exporter.send().accepted == 205
    assert chain.verify(engine).entries == 2


def test_same_content_waits_once_and_a_half_written_file_not_at_all(tmp_path: Path) -> None:
    """A file that a kill cut off is no record that waits."""
    outbox = Outbox(tmp_path, HOST)
    one = records.footprint()
    path = outbox.put(one)
    assert outbox.put(one) == path
    path.with_name(f".{path.name}.1").write_text('{"id": "cut')
    assert outbox.waiting() == [path]


@pytest.mark.parametrize(
    ("address", "words"),
    [("ftp://x", "no address"), ("hub", "no address"), ("http://hub.example.org", "not encrypted")],
)
def test_token_goes_to_no_address_that_is_open(tmp_path: Path, address: str, words: str) -> None:
    """A token is not sent in the clear."""
    with pytest.raises(InputError, match=words):
        HubExporter(tmp_path, address, token="soot_1.2")


def test_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """As an SSH key would be."""
    path = tmp_path / "token"
    path.write_text("soot_1.2\n")
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        token_of(path)
    path.chmod(0o600)
    assert token_of(path) == "soot_1.2"


def test_answer_of_something_else_is_said(tmp_path: Path) -> None:
    """A web server that is no hub gets one line."""
    client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="<html>")))
    with HubExporter(tmp_path, HOST, client=client) as exporter:
        exporter.outbox.put(records.footprint())
        with pytest.raises(HubError, match="without JSON: is it a hub"):
            exporter.send()


def test_dry_run_prints_what_would_leave_and_sends_nothing(own_home: Path) -> None:
    """The JSON is that of the records; no hub is needed."""
    one = records.footprint(name="mine")
    keep(own_home, one)
    done = CliRunner().invoke(app, ["hub", "push", "mine", "--dry-run"])
    assert done.exit_code == 0
    assert json.loads(done.stdout) == [records.plain(one)]
    assert not (own_home / "outbox").exists()


def test_push_without_a_hub_says_how_to_name_one(own_home: Path) -> None:
    """Exit code 2 and the three ways."""
    done = CliRunner().invoke(app, ["hub", "push"])
    assert done.exit_code == 2
    assert "--hub URL" in done.stderr


def test_projects_file_does_not_get_the_users_token(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloned project that names a hub of its own would get the token of whoever pushes from it."""
    token = tmp_path / "token"
    token.write_text("soot_1.2")
    token.chmod(0o600)
    (tmp_path / "sootprint.toml").write_text('hub = "https://evil.example"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOOTPRINT_HUB_TOKEN_FILE", str(token))
    done = CliRunner().invoke(app, ["hub", "push"])
    assert done.exit_code == 2
    assert "add --hub https://evil.example" in done.stderr


def test_push_and_pull_against_a_hub_that_is_away_fail_with_code_1(own_home: Path) -> None:
    """The line names the address; the record waits."""
    keep(own_home, records.footprint(name="mine"))
    done = CliRunner().invoke(app, ["hub", "push", "mine", "--hub", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert "http://127.0.0.1:9 does not answer" in done.stderr
    assert len(list((own_home / "outbox").glob("*/*.json"))) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b'{"accepted": "many", "duplicate": 0, "rejected": []}',
        b'{"accepted": 1}',
        b'{"accepted": 1, "duplicate": 0, "rejected": [1]}',
        b'{"accepted": 0, "duplicate": 0, "rejected": [{"index": 0}]}',
        b'{"accepted": 0, "duplicate": 0, "rejected": []}',
        b'{"accepted": 2, "duplicate": 0, "rejected": []}',
        b"[" * 20_000,
    ],
)
def test_answer_that_is_no_count_leaves_all_waiting(tmp_path: Path, answer: bytes) -> None:
    """One line, and nothing is taken for acknowledged."""
    with Collector() as server:
        server.answer = answer
        with HubExporter(tmp_path, server.address) as exporter:
            exporter.outbox.put(records.footprint())
            with pytest.raises(HubError) as caught:
                exporter.send()
            assert "\n" not in str(caught.value)
            assert len(exporter.outbox.waiting()) == 1


def test_hub_on_this_machine_is_asked_without_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that a cluster states for the world outside knows no hub on the loopback address."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Collector() as server:
        server.answer = b'{"accepted": 1, "duplicate": 0, "rejected": []}'
        with HubExporter(tmp_path, server.address) as exporter:
            exporter.outbox.put(records.footprint())
            assert exporter.send().accepted == 1


def test_record_is_taken_back_by_its_run_or_its_id(own_home: Path, engine: Engine) -> None:
    """Both ways end with the reason at the record's address; the run stays in the ledger."""
    first, second = records.footprint(name="mine"), records.footprint(name="other")
    keep(own_home, first)
    with served(application(hub(engine))) as address, HubExporter(own_home, address) as exporter:
        for one in (first, second):
            exporter.outbox.put(one)
        assert exporter.send().accepted == 2
        for ref, key in (("mine", first.id), (second.id, second.id)):
            words = ["hub", "retract", ref, "--reason", "a wrong node", "--hub", address]
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, done.stderr
            assert done.stdout == f"retracted {address}/footprints/{key}\n"
            with pytest.raises(HubError, match="was retracted: a wrong node"):
                exporter.fetch(key)
    assert CliRunner().invoke(app, ["show", "mine"]).exit_code == 0


def test_retraction_needs_a_reason_and_a_record_of_that_hub(own_home: Path, engine: Engine) -> None:
    """Exit code 2 without --reason, or for a run that is not in the ledger; 1 for what the hub has not."""
    keep(own_home, records.footprint(name="never pushed"))
    with served(application(hub(engine))) as address:
        for words, code, said in (
            (("never pushed",), 2, "--reason"),
            (("no such run", "--reason", "r"), 2, "no such run"),
            (("never pushed", "--reason", " "), 1, "reason"),
            (("never pushed", "--reason", "r"), 1, "no footprint"),
        ):
            done = CliRunner().invoke(app, ["hub", "retract", *words, "--hub", address])
            assert (done.exit_code, said in done.stderr) == (code, True), done.stderr
