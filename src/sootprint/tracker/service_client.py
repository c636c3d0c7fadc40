"""The node service as its clients see it: a socket that never makes a training wait.

A tracker loads this module only where the service's socket exists.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time
import weakref
from collections.abc import Mapping
from typing import Any

from sootprint.core.errors import SootprintError
from sootprint.core.held import Held
from sootprint.tracker.entry import Entry
from sootprint.tracker.registration import Registration

MOST_BYTES = 8_000_000
CHUNK = 65_536
CONNECT_S = 0.5  # longest wait for the answer to the first request
SEND_S = 0.1
SILENT_PERIODS, LOST_PERIODS = 2.0, 5.0
MOST_ANSWERS = 64  # that are read at once, so that a service which never ends telling holds nobody up
MOST_TOLD = 8  # accounts that a client is told unasked until it says that it has read them
_lines: weakref.WeakSet[ServiceLine] = weakref.WeakSet()


class ServiceError(SootprintError):
    """The node service has gone, is silent, speaks nonsense or refuses."""


class RefusedError(ServiceError):
    """The node service refuses what was asked."""


class ServiceLine:
    """A connection to the service.

    Args:
        path: Its socket.

    Raises:
        ServiceError: Nobody answers there.
    """

    def __init__(self, path: str) -> None:
        self._socket: socket.socket | None = None
        self._in = bytearray()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_S)
            connection.connect(path)
            self._bell = [Held(number) for number in os.pipe()]
        except OSError as err:
            connection.close()
            raise ServiceError(f"the node service cannot be reached ({err.strerror or err})") from err
        self._socket, self._held = connection, Held(connection.fileno())
        os.set_blocking(self._bell[1].number, False)
        _lines.add(self)

    def wait(self, duration_s: float) -> bool:
        """Whether it could be waited until `duration_s` [s] have passed, the service has gone, or `ring` was called."""
        connection, bell = self._socket, self._bell
        if connection is None or not all(one.is_ours for one in (self._held, *bell)):
            return False
        poll = select.poll()
        poll.register(connection, 0)  # of what it tells it need not be told now
        poll.register(bell[0].number, select.POLLIN)
        if any(number == bell[0].number for number, _ in poll.poll(duration_s * 1000.0)):
            os.read(bell[0].number, CHUNK)
        return True

    def ring(self) -> None:
        """End the wait of another thread."""
        if self._bell[1].is_ours:
            with contextlib.suppress(OSError):  # it is full, so it rings
                os.write(self._bell[1].number, b"r")

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a request.

        Raises:
            ServiceError: It cannot be sent.
        """
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        connection = self._connection()
        try:
            connection.settimeout(SEND_S)
            connection.sendall(data)
        except OSError as err:
            raise ServiceError("the node service has gone") from err

    def receive(self, wait_s: float) -> dict[str, Any] | None:
        """The next answer, or None where there is none within `wait_s` [s].

        Raises:
            ServiceError: The service has gone, speaks nonsense, or refuses; the text is its own.
        """
        until_s = time.monotonic() + wait_s
        while b"\n" not in self._in:
            if not self._take(until_s - time.monotonic()):
                return None
        line, _, rest = bytes(self._in).partition(b"\n")
        self._in = bytearray(rest)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise ServiceError("the node service speaks nonsense") from None
        if not isinstance(answer, dict):
            raise ServiceError("the node service speaks nonsense")
        if answer.get("ok") is not True:
            raise RefusedError(f"the node service refuses: {str(answer.get('error', 'for no reason'))[:200]}")
        return answer

    def _take(self, wait_s: float) -> bool:
        """Whether bytes came in time."""
        connection = self._connection()
        connection.settimeout(max(0.0, wait_s))
        try:
            chunk = connection.recv(CHUNK)
        except (TimeoutError, BlockingIOError, InterruptedError):
            return False
        except OSError as err:
            raise ServiceError("the node service has gone") from err
        self._in += chunk
        if not chunk:
            raise ServiceError("the node service has gone")
        if len(self._in) > MOST_BYTES:
            raise ServiceError("the node service speaks nonsense")
        return True

    def _connection(self) -> socket.socket:
        if self._socket is None or not self._held.is_ours:  # the program may have the number
            raise ServiceError("the node service has gone")
        return self._socket

    def close(self) -> None:
        """Let the connection go."""
        if self._socket is not None:
            if self._held.is_ours:
                with contextlib.suppress(OSError):
                    self._socket.close()
            else:
                self._socket.detach()
            self._socket = None
            for end in self._bell:
                end.close()


class Served:
    """A run's account with the service.

    Args:
        path: The service's socket.
        own: The run.
        sysfs: Device tree that it would read itself.
        period_s: Time between two looks of the run [s].
        wait_s: Longest wait for its first answer [s].

    Raises:
        ServiceError: It cannot be had.
    """

    def __init__(
        self, path: str, own: Registration, *, sysfs: str, period_s: float, wait_s: float = CONNECT_S
    ) -> None:
        self._line = ServiceLine(path)
        self._about, self._period_s = _about(own) | {"sysfs": sysfs}, period_s
        self._joined = False
        try:
            self._line.send({"op": "greet"} | self._about)
            answer = self._line.receive(wait_s)
            if answer is None:
                raise ServiceError("the node service does not answer")
        except ServiceError:
            self._line.close()
            raise
        self.parent: str | None = _text(answer.get("parent"))
        self.facts: dict[str, dict[str, Any]] = _tables(answer.get("facts"))
        self.charges = answer.get("charges") is True  # whether it charged any run as this one came
        self._asked, self._heard_s = 0, time.monotonic()  # answers that are due, and when the last one came
        self._told = 0  # accounts that came unasked since the last request
        self.latest: list[Entry] = []  # that came before the service went

    def entries(self, wait_s: float) -> list[Entry] | None:
        """Latest account of the run, or None where the service did not answer within `wait_s` [s].

        It tells an account after each look, so that all runs know of the same one where it dies.

        Raises:
            ServiceError: The service has gone, is silent for long, or speaks nonsense; what came before is `latest`.
        """
        self.join()
        latest = self._answers(0.0)
        if latest is not None and self._told < MOST_TOLD:
            self._line.send({"op": "hear"})
        elif not self._asked:
            self._line.send({"op": "share", "run": self._about["run"]})
            self._asked += 1
        self._told = 0
        if self._asked:
            latest = self._answers(wait_s) or latest
        if latest is None and time.monotonic() - self._heard_s > LOST_PERIODS * self._period_s:
            raise ServiceError("the node service does not answer")
        return latest

    def join(self) -> None:
        """Be charged from now on.

        Raises:
            ServiceError: The service has gone, or refuses.
        """
        if self._joined:
            return
        self._line.send({"op": "join", "told": True} | self._about)
        answer = self._line.receive(CONNECT_S)
        if answer is None:
            raise ServiceError("the node service does not answer")
        self._joined = True
        self._heard_s = time.monotonic()

    def wait(self, duration_s: float) -> bool:
        """Whether it could be waited until `duration_s` [s] have passed, the service has gone, or `ring` was called."""
        return self._line.wait(duration_s)

    def ring(self) -> None:
        """End the wait of another thread."""
        self._line.ring()

    @property
    def has_gone(self) -> bool:
        """Whether the service has ended the connection."""
        try:
            self._line.receive(0.0)
        except ServiceError:
            return True
        return False

    @property
    def is_silent(self) -> bool:
        """Whether it has not answered for so long that a person should know."""
        return time.monotonic() - self._heard_s > SILENT_PERIODS * self._period_s

    def settled(self, wait_s: float) -> list[Entry] | None:
        """Last account of the run, which is over, or None where it does not come in time.

        Raises:
            ServiceError: The service has gone or speaks nonsense; what came before is `latest`.
        """
        latest = self._answers(0.0)
        self._line.send({"op": "leave"})
        self._asked += 1
        until_s = time.monotonic() + wait_s
        while self._asked and (left_s := until_s - time.monotonic()) > 0.0:
            latest = self._answers(left_s, most=1) or latest
        return latest

    def _answers(self, wait_s: float, *, most: int = MOST_ANSWERS) -> list[Entry] | None:
        """Newest account that comes in time: of all that came where `wait_s` is 0, else until what was asked for."""
        latest, until_s = None, time.monotonic() + wait_s
        while most and (self._asked or not wait_s):
            answer = self._line.receive(max(0.0, until_s - time.monotonic()))
            if answer is None:
                break
            latest = self.latest = _entries(answer.get("entries"))
            self._heard_s = time.monotonic()
            most -= 1
            if answer.get("told") is True:
                self._told += 1
            else:
                self._asked -= 1
        return latest

    def close(self) -> None:
        """Leave the service."""
        self._line.close()


def ask(path: str, request: Mapping[str, Any], *, wait_s: float) -> dict[str, Any]:
    """Answer to one request of a person.

    Raises:
        ServiceError: The service cannot be reached, does not answer in time, or refuses.
    """
    line = ServiceLine(path)
    try:
        line.send(request)
        answer = line.receive(wait_s)
    finally:
        line.close()
    if answer is None:
        raise ServiceError("the node service does not answer")
    return answer


def _about(own: Registration) -> dict[str, Any]:
    """What the service is told of a run; process and user are told by the kernel."""
    return {
        "run": own.id,
        "parent": own.parent,
        "strict": own.strict,
        "visible": dict(own.environ),
        "group": own.group,
        "writes": own.writes,
    }


def _entries(rows: Any) -> list[Entry]:
    """Entries of an answer.

    Raises:
        ServiceError: They are none.
    """
    try:
        found = [Entry(*row) for row in rows]
        for one in found:
            times = (one.since_s, one.at_s, one.energy_j, one.rest_j, one.variance_j2, one.without_j)
            if not all(isinstance(value, float | int) and value == value for value in times):
                raise ValueError(one.component)
            told = (one.held_s, one.held_j, one.counter_j, one.wraps_at_j, one.max_power_w, one.share)
            if not all(
                value is None or (isinstance(value, float | int) and value == value) for value in told
            ):
                raise ValueError(one.component)
            if not (isinstance(one.meter, str) and isinstance(one.component, str)):
                raise TypeError(one.component)
    except (TypeError, ValueError):
        raise ServiceError("the node service speaks nonsense") from None
    return found


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _tables(value: Any) -> dict[str, dict[str, Any]]:
    """Tables of a table; whatever else it holds is left out."""
    if not isinstance(value, dict):
        return {}
    return {str(key): table for key, table in value.items() if isinstance(table, dict)}


def _forget_in_child() -> None:
    """A forked child must not hold the connection that says its parent lives."""
    for line in list(_lines):
        line.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
