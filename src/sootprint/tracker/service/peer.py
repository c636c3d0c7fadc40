"""One connection to the node service: bytes in, lines out, and limits that no client can pass."""

from __future__ import annotations

import contextlib
import socket

from sootprint.tracker.service.protocol import MOST_ANSWER_BYTES, MOST_REQUEST_BYTES, Caller
from sootprint.tracker.service.rates import Bucket

CHUNK = 65_536
MOST_REQUESTS, REQUESTS_PER_S = 50, 20.0
IDLE_S = 10.0  # longest silence of a connection that has joined with no run


class Peer:
    """A client.

    Args:
        connection: Its socket, which does not block.
        caller: Who it is.
        now_s: Monotonic clock [s].
    """

    def __init__(self, connection: socket.socket, caller: Caller, now_s: float) -> None:
        connection.setblocking(False)
        self.connection, self.caller = connection, caller
        self.run: str | None = None  # that it joined with
        self.is_told = False  # whether it wants its account after each look
        self.untold = 0  # how many of them it may be sent until it says that it has read them
        self.ends = False  # once what waits is sent
        self._heard_s = now_s
        self._requests = Bucket(most=MOST_REQUESTS, per_s=REQUESTS_PER_S, now_s=now_s)
        self._in = bytearray()
        self._out = bytearray()

    def receive(self, now_s: float) -> list[bytes]:
        """Whole lines that have come.

        Raises:
            ConnectionError: The client has gone, or sends too much.
        """
        try:
            chunk = self.connection.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as err:
            raise ConnectionError("the connection broke") from err
        if not chunk:
            raise ConnectionError("the client has gone")
        self._heard_s = now_s
        self._in += chunk
        *lines, rest = bytes(self._in).split(b"\n")
        if len(rest) > MOST_REQUEST_BYTES or any(len(line) > MOST_REQUEST_BYTES for line in lines):
            raise ConnectionError("a line is too long")
        self._in = bytearray(rest)
        if not all(self._requests.take(now_s) for _ in lines):
            raise ConnectionError("requests come too fast")
        return lines

    def send(self, data: bytes) -> None:
        """Send bytes as far as the client takes them; the rest waits.

        Raises:
            ConnectionError: The client has gone, or takes nothing.
        """
        if len(self._out) + len(data) > MOST_ANSWER_BYTES:
            raise ConnectionError("the client reads too slowly")
        self._out += data
        self.flush()

    def flush(self) -> None:
        """Send what waits.

        Raises:
            ConnectionError: The client has gone.
        """
        try:
            while self._out:
                sent = self.connection.send(self._out)
                del self._out[:sent]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as err:
            raise ConnectionError("the client has gone") from err

    @property
    def waits(self) -> bool:
        """Whether bytes wait to be sent."""
        return bool(self._out)

    def is_idle(self, now_s: float) -> bool:
        """Whether it takes a place for nothing."""
        return self.run is None and now_s - self._heard_s > IDLE_S

    def close(self) -> None:
        """Let the connection go."""
        with contextlib.suppress(OSError):
            self.connection.close()
