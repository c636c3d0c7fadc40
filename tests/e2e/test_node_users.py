"""Trackers and the node service: users share a node by its one reader, and no fault of the service costs a training."""

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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cards import CARD_W, card_j, union_s
from tests.e2e.harness import TAKES_S, at_once, seconds
from tests.e2e.node import ALICE, BOB, Node, made, on_a_node
from tests.e2e.users import need_users
from tests.faults.ground import crowd

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

PERIOD_S = 1.0


@pytest.fixture
def node(nvml: Path) -> Iterator[Node]:
    """A node with a fake card of 250 W."""
    with made(nvml) as node:
        yield node


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[int]:
    """Exit codes of processes that have ended."""
    return [process.wait(TAKES_S) for process in processes]


def notes(record: dict[str, Any]) -> str:
    """Warnings of a record as one text."""
    return "\n".join(record["warnings"])


def test_two_users_are_charged_the_node_once(node: Node) -> None:
    """Runs of two users add up to what the node drew, within 0.5 %; each has his own record alone."""
    need_users()
    node.serve()
    trainings = [node.train("busy", 9.0, uid=ALICE)]
    time.sleep(2.0)
    trainings.append(node.train("idle", 5.0, uid=BOB))
    trainings.append(node.train("busy too", 4.0, uid=BOB))
    assert ended(trainings) == [0, 0, 0]
    of_alice, of_bob = node.records(ALICE), node.records(BOB)
    assert (len(of_alice), len(of_bob)) == (1, 2)
    made_all = of_alice + of_bob
    assert sum(map(card_j, made_all)) == pytest.approx(CARD_W * union_s(made_all), rel=0.005)
    assert card_j(of_alice[0]) < 0.8 * CARD_W * union_s(of_alice)
    assert all(one["parent"] is None for one in made_all)
    peeking = node.start(
        ["cat", str(node.home(ALICE) / "spool"), str(node.home(ALICE) / "sootprint.db")], uid=BOB
    )
    assert peeking.wait(TAKES_S) != 0
    listed = json.loads(node.call("runs", "--json", uid=BOB).stdout)
    assert {row["name"] for row in listed} == {"idle", "busy too"}


def test_run_that_is_alone_is_charged_all(node: Node) -> None:
    """Alone on its node a run is charged all that was drawn, with the facts that the service knows."""
    node.serve()
    assert ended([node.train("idle", 3.0)]) == [0]
    (record,) = node.records()
    assert card_j(record) == pytest.approx(CARD_W * union_s([record]), rel=0.01)
    assert any(one["kind"] == "accelerator" for one in record["hardware"])
    assert "node service" not in notes(record)


def test_run_inside_a_run_is_a_part_of_it(node: Node) -> None:
    """A training under `sootprint run` is a part of that run, which the service sees by its processes."""
    node.serve()
    inner = "import time, sootprint\nwith sootprint.track('inner'): time.sleep(3)"
    done = node.call("run", "--quiet", "--name", "outer", "--", sys.executable, "-c", inner)
    assert done.returncode == 0, done.stderr
    outer, part = node.records()
    assert (outer["name"], part["name"], part["parent"]) == ("outer", "inner", outer["id"])
    assert card_j(outer) == pytest.approx(CARD_W * union_s([outer]), rel=0.01)
    assert 0.7 * CARD_W * union_s([part]) < card_j(part) < card_j(outer)


def test_run_inside_a_job_is_a_part_of_its_record(node: Node) -> None:
    """The job is charged the whole, and the run in it names the job's record as its parent."""
    node.serve()
    command = [sys.executable, "-c", "import time, sootprint\nwith sootprint.track('inner'): time.sleep(3)"]
    me = str(os.getpid())
    assert node.call("node", "jobs", "start", "78", "--user", str(os.getuid()), "--pid", me).returncode == 0
    assert ended([node.start(command)]) == [0]
    job = json.loads(node.call("node", "jobs", "end", "78", "--json").stdout)["record"]
    (record,) = node.records()
    assert record["parent"] == job


def test_service_that_dies_costs_no_training(nvml: Path) -> None:
    """The run reads on its own from the next tick, goes back when the service is back, and says both."""
    at_once(on_a_node(nvml, _dies), [signal.SIGKILL, signal.SIGTERM])


def _dies(node: Node, number: int) -> None:
    service = node.serve()
    training = node.train("busy", 17.0)
    time.sleep(3.0)
    service.send_signal(number)
    service.communicate(timeout=TAKES_S)
    time.sleep(3.0)
    node.serve()
    until_s = time.monotonic() + 12.0
    while '"runs":[]' in str(node.call("node", "status", "--json").stdout).replace(" ", "").replace("\n", ""):
        assert time.monotonic() < until_s, "the run did not come back"
        time.sleep(0.5)
    time.sleep(2.0)
    node.home(os.getuid()).joinpath("enough").touch()
    assert ended([training]) == [0]
    (record,) = node.records()
    assert "the node service has gone: this run reads the meters itself" in notes(record)
    assert card_j(record) == pytest.approx(CARD_W * union_s([record]), rel=0.02)
    lengths_s = [
        seconds(gap["end"]) - seconds(gap["start"])
        for gap in record["gaps"]
        if "accelerator" in gap["component"]
    ]
    assert sum(lengths_s) < 5 * PERIOD_S


def test_two_runs_share_on_when_the_service_dies(node: Node) -> None:
    """Two runs of one user still add up to the node when the service is killed between."""
    service = node.serve()
    trainings = [node.train("busy", 9.0), node.train("idle", 7.0)]
    time.sleep(2.5)
    service.kill()
    service.communicate(timeout=TAKES_S)
    assert ended(trainings) == [0, 0]
    records = node.records()
    error_j = sum(map(card_j, records)) - CARD_W * union_s(records)
    assert abs(error_j) <= 2 * CARD_W * PERIOD_S


def test_service_that_hangs_costs_no_training(nvml: Path) -> None:
    """It is bridged, left, or not waited for, each in a scene of its own."""
    at_once(on_a_node(nvml, lambda node, scene: scene(node)), [_bridged, _left, _not_waited_for])


def _bridged(node: Node) -> None:
    """A service that hangs for three periods costs nothing: its counters go on, and the record says so."""
    service = node.serve()
    training = node.train("busy", 9.0)
    time.sleep(2.5)
    service.send_signal(signal.SIGSTOP)
    time.sleep(3.6)
    service.send_signal(signal.SIGCONT)
    assert ended([training]) == [0]
    (record,) = node.records()
    assert "did not answer for a while" in notes(record)
    assert "reads the meters itself" not in notes(record)
    assert card_j(record) == pytest.approx(CARD_W * union_s([record]), rel=0.01)


def _left(node: Node) -> None:
    """After five periods without an answer the run reads on its own; the training ends in its own time."""
    service = node.serve()
    begun_s = time.monotonic()
    training = node.train("busy", 12.0)
    time.sleep(2.5)
    service.send_signal(signal.SIGSTOP)
    assert ended([training]) == [0]
    assert time.monotonic() - begun_s < 12.0 + 4.0 * crowd()
    (record,) = node.records()
    assert "the node service does not answer: this run reads the meters itself" in notes(record)
    assert card_j(record) == pytest.approx(CARD_W * union_s([record]), rel=0.02)


def _not_waited_for(node: Node) -> None:
    """A run that finds a hanging service reads on its own at once."""
    service = node.serve()
    service.send_signal(signal.SIGSTOP)
    begun_s = time.monotonic()
    assert ended([node.train("idle", 2.0)]) == [0]
    assert time.monotonic() - begun_s < 2.0 + 3.0 * crowd()
    (record,) = node.records()
    assert card_j(record) == pytest.approx(CARD_W * union_s([record]), rel=0.02)


SAYS = {
    "nothing": lambda asked: b"",
    "garbage": lambda asked: b"\x00\xff" * 5_000 + b"\n",
    "no account": lambda asked: b'{"ok":true,"entries":[[1,2,3]]}\n',
    "numbers that are none": lambda asked: b'{"ok":true,"entries":' + b"[" * 5_000 + b"\n",
    "half of the truth": lambda asked: (
        b'{"ok":true}\n' if b'"sysfs"' in asked else b'{"ok":true,"entries":[["a"'
    ),
    "joins and lies": lambda asked: b'{"ok":true,"facts":{"x":5}}\n' if b'"sysfs"' in asked else b"[]\n",
}


@contextlib.contextmanager
def saying(node: Node, what: str) -> Iterator[None]:
    """A server that is none."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(node.socket))
    node.socket.chmod(0o666)
    listener.listen(50)

    def talk(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while asked := connection.recv(65_536):
                connection.sendall(SAYS[what](asked))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.close()
        node.socket.unlink()


def test_server_that_speaks_nonsense_harms_no_training(nvml: Path) -> None:
    """Whatever a server says, the run is measured by its own reader, and its record says why."""
    at_once(on_a_node(nvml, _harmless), SAYS)


def _harmless(node: Node, what: str) -> None:
    with saying(node, what):
        begun_s = time.monotonic()
        assert ended([node.train("idle", 3.0)]) == [0]
        assert time.monotonic() - begun_s < 3.0 + 4.0 * crowd()
    (record,) = node.records()
    if what == "half of the truth":  # for five periods it might yet come
        assert record["duration_s"] > 2.9
        return
    assert "this run reads the meters itself" in notes(record), what
    assert card_j(record) == pytest.approx(CARD_W * union_s([record]), rel=0.03), what
