"""Records to a real tracking server of MLflow that is killed and comes back: none is lost, and none is there twice."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "mlflow", reason="MLflow is not installed: `make test-frameworks` has an environment of its own"
)

import mlflow

from sootprint import settings
from sootprint.core.errors import ExportError
from sootprint.exporters import opened
from sootprint.exporters.outbox import Outbox
from sootprint.ledger import Ledger
from tests.fixtures.exporting import footprint
from tests.fixtures.lossy import Lossy

LONG_S = 120.0


class Server:
    """A tracking server with its artifacts, which can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", self._port]
        command += ["--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db", "--workers", 1]
        command += ["--artifacts-destination", self._folder / "artifacts"]
        with (self._folder / "server.log").open("ab") as log:
            self._running = subprocess.Popen(
                [str(one) for one in command],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )
        until_s = time.monotonic() + LONG_S
        while time.monotonic() < until_s:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/health", timeout=5).close()
                return
            time.sleep(0.1)
        raise AssertionError((self._folder / "server.log").read_text())

    def kill(self) -> None:
        """Kill it and all of its workers."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
            self._running = None

    def runs(self) -> list[Any]:
        """All runs that it has."""
        client = mlflow.MlflowClient(self.address)
        return list(client.search_runs([one.experiment_id for one in client.search_experiments()]))

    def has_once(self, run: Any, key: str) -> bool:
        """Whether a run has one value of each metric, and one artifact, the record."""
        client = mlflow.MlflowClient(self.address)
        folder = client.list_artifacts(run.info.run_id, "sootprint")
        values = [len(client.get_metric_history(run.info.run_id, name)) for name in run.data.metrics]
        named = [one.path for one in folder] == [f"sootprint/footprint-{key}.json"]
        return named and bool(values) and set(values) == {1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the server."""
    return tmp_path_factory.mktemp("mlflow-server")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """A server that runs."""
    made = Server(folder)
    made.start()
    yield made
    made.kill()


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables of MLflow."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The finished command line."""
    command = [sys.executable, "-m", "sootprint", *(str(one) for one in arguments)]
    env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONG_S)


def waiting(place: str) -> int:
    """Records that wait for a place, once whatever sends in the background has ended."""
    box = Outbox(settings.load().home, place)
    until_s = time.monotonic() + LONG_S
    while time.monotonic() < until_s:
        with contextlib.suppress(ExportError), box.sending(LONG_S):
            return len(box.waiting())
    raise AssertionError("another process sends on")


def test_server_that_is_killed_between_runs_gets_each_record_once(server: Server, tmp_path: Path) -> None:
    """A run while it is there, two while it is away, whose commands begin and end as ever; then it comes back."""
    place = f"mlflow:{server.address}"
    for name in ("there", "away 1", "away 2"):
        if name == "away 1":
            server.kill()
        mark = tmp_path / name
        code = f"import time; open({str(mark)!r}, 'w').write(str(time.monotonic())); raise SystemExit(3)"
        began_s = time.monotonic()
        done = program(
            "run", "--name", name, "--zone", "FR", "--export", place, "--", sys.executable, "-c", code
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert float(mark.read_text()) - began_s < 60.0  # no server is waited for before the command
        assert name == "there" or "wait" in done.stderr or "in the background" in done.stderr
    assert waiting(place) == 2
    server.start()
    sent = program("export")
    assert (sent.returncode, sent.stdout) == (0, f"2 records in {place}\n"), sent.stderr
    assert "nothing waits" in program("export").stderr
    with Ledger(settings.load().home) as ledger:
        kept = {row.name: row.id for row in ledger.runs()}
    found = {run.info.run_name: run for run in server.runs() if run.info.run_name in kept}
    assert found.keys() == kept.keys()
    assert all(server.has_once(run, kept[name]) for name, run in found.items())


def test_answer_that_is_lost_at_any_step_makes_nothing_twice(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has done each step in turn and nobody heard of it: one line, and the next export completes."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7")
    with Lossy(server.address) as way:
        opened(f"mlflow:{way.address}", settings.load()).write(footprint(1.0, project="counted"))
        steps = list(way.asked)
        assert len(steps) > 4
        records = []
        for number in range(len(steps)):
            record = footprint(10.0 + number, project=f"lost {number}")
            records.append(record)
            way.lose = len(way.asked) + number
            with contextlib.suppress(ExportError):  # of artifacts MLflow may ask once more by itself
                opened(f"mlflow:{way.address}", settings.load()).write(record)
            assert len(way.asked) > way.lose
            way.lose = None
            for _ in range(2):
                opened(f"mlflow:{way.address}", settings.load()).write(record)
    by_id: dict[str, list[Any]] = {}
    for run in server.runs():
        by_id.setdefault(run.data.tags.get("sootprint.id", ""), []).append(run)
    for record in records:
        (run,) = by_id[record.id]
        assert (run.info.status, run.data.metrics["energy_kwh"]) == ("FINISHED", record.energy_kwh.value)
        assert server.has_once(run, record.id)


def test_record_without_gaps_is_taken(server: Server) -> None:
    """A tag whose text is empty is one that the server's interface may refuse."""
    record = footprint(3.0, unknown=(), project="whole")
    opened(f"mlflow:{server.address}", settings.load()).write(record)
    (run,) = [one for one in server.runs() if one.data.tags.get("sootprint.id") == record.id]
    assert server.has_once(run, record.id)


def test_experiment_that_was_deleted_is_one_line(server: Server) -> None:
    """Its name is taken, and no run can be made in it: the record waits until somebody decides."""
    client = mlflow.MlflowClient(server.address)
    client.delete_experiment(client.create_experiment("deleted"))
    with pytest.raises(ExportError, match="deleted"):
        opened(f"mlflow:{server.address}", settings.load()).write(footprint(4.0, project="deleted"))
