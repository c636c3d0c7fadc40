"""A run's connection to the node service, with a service that does as a test wants."""

from __future__ import annotations

import json
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sootprint.tracker.registration import Registration
from sootprint.tracker.service_client import Served, ServiceError, ServiceLine

OWN = Registration("a", 1, None, False, {})


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that somebody may connect to."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(str(tmp_path / "node.sock"))
        made.listen()
        made.settimeout(10.0)
        yield made


def told(**more: object) -> bytes:
    """One answer."""
    return json.dumps({"ok": True, "entries": [], **more}).encode() + b"\n"


def flooded(listening: socket.socket) -> None:
    """A service that greets, lets join, and then tells accounts until nobody is there."""
    connection, _ = listening.accept()
    with connection, connection.makefile("rb") as requests:
        for line in requests:
            if json.loads(line)["op"] in ("share", "leave"):
                break
            connection.sendall(told())
        try:
            while True:
                connection.sendall(told(told=True))
        except OSError:
            return


@pytest.mark.parametrize("asked", ["entries", "settled"])
def test_service_that_never_ends_telling_holds_nobody_up(asked: str, listening: socket.socket):
    """Of a flood of accounts a bounded number is read, at a look as at the end of a run."""
    flood = threading.Thread(target=flooded, args=(listening,), daemon=True)
    flood.start()
    served = Served(listening.getsockname(), OWN, sysfs="/sys", period_s=1.0)
    served.join()
    asking = threading.Thread(target=getattr(served, asked), args=(0.1,), daemon=True)
    asking.start()
    asking.join(120.0)
    assert not asking.is_alive()
    served.close()
    flood.join(120.0)
    assert not flood.is_alive()


def test_connection_that_the_program_took_is_left_alone(listening: socket.socket):
    """It closed all, and the numbers now stand for its own: nothing is sent there, nor read, nor closed."""
    line = ServiceLine(listening.getsockname())
    assert line._socket is not None
    numbers = [line._socket.fileno(), *(one.number for one in line._bell)]
    pairs = [socket.socketpair() for _ in numbers]
    for number, (mine, theirs) in zip(numbers, pairs, strict=True):
        os.dup2(mine.fileno(), number)
        theirs.sendall(told())
    for attempt in _attempts(line):
        with pytest.raises(ServiceError):
            attempt()
    assert not line.wait(0.0)
    line.ring()
    line.close()
    for number, (mine, theirs) in zip(numbers, pairs, strict=True):
        assert os.read(number, 1000) == told()
        mine.close()
        os.write(number, b"its own")
        assert theirs.recv(1000) == b"its own"
        os.close(number)
        theirs.close()


def _attempts(line: ServiceLine) -> list[Callable[[], object]]:
    return [lambda: line.send({"op": "hear"}), lambda: line.receive(0.0)]


def test_connection_without_a_free_descriptor_is_none(listening: socket.socket):
    """The last number is that of the connection, which is let go: the run reads for itself, as where nobody answers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(listening.fileno())
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
    try:
        with pytest.raises(ServiceError, match="Too many open files"):
            ServiceLine(listening.getsockname())
        after = os.dup(listening.fileno())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    os.close(after)
    assert after == lowest
