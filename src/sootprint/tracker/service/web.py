"""A page over HTTP, and nothing else: the figures of the node service for whoever collects them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from sootprint.core.exposition import CONTENT_TYPE

MOST_BYTES = 8_192
MOST_S = 5.0  # for a request and its answer
_END = (b"\r\n\r\n", b"\n\n")


class Visit:
    """One request for the page.

    Args:
        connection: Its socket.
        page: Makes the page.
        now_s: Monotonic clock [s].
    """

    def __init__(self, connection: socket.socket, page: Callable[[], str], now_s: float) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._page, self._since_s = page, now_s
        self._in, self._out = bytearray(), bytearray()

    def receive(self) -> None:
        """Take what has come, and answer once it is a whole request.

        Raises:
            ConnectionError: The visitor has gone or has its answer, or sends too much.
        """
        try:
            chunk = self.connection.recv(MOST_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as err:
            raise ConnectionError("the visitor has gone") from err
        self._in += chunk
        if not chunk or len(self._in) > MOST_BYTES:
            raise ConnectionError("no request")
        if not self._out and any(end in self._in for end in _END):
            self._out += answer(bytes(self._in), self._page)
            self.flush()

    def flush(self) -> None:
        """Send what waits; a visit ends with its answer.

        Raises:
            ConnectionError: All is sent, or the visitor has gone.
        """
        try:
            while self._out:
                del self._out[: self.connection.send(self._out)]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as err:
            raise ConnectionError("the visitor has gone") from err
        raise ConnectionError("answered")

    @property
    def waits(self) -> bool:
        """Whether bytes wait to be sent."""
        return bool(self._out)

    def is_idle(self, now_s: float) -> bool:
        """Whether it takes too long."""
        return now_s - self._since_s > MOST_S

    def close(self) -> None:
        """Let the connection go."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            self.connection.close()


def answer(request: bytes, page: Callable[[], str]) -> bytes:
    """Answer to an HTTP request: the page at /metrics, its head alone where only that is asked for."""
    words = request.split(b"\n", 1)[0].split()
    method, path = (words[0], words[1].split(b"?")[0]) if len(words) == 3 else (b"", b"")
    if method not in (b"GET", b"HEAD"):
        return _reply("405 Method Not Allowed", "Allow: GET, HEAD\r\n", b"only GET\n")
    if path != b"/metrics":
        return _reply("404 Not Found", "", b"the figures are at /metrics\n")
    body = page().encode()
    whole = _reply("200 OK", "", body, kind=CONTENT_TYPE)
    return whole[: len(whole) - len(body)] if method == b"HEAD" else whole


def _reply(status: str, more: str, body: bytes, *, kind: str = "text/plain; charset=utf-8") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    )
    return f"{head}{more}\r\n".encode() + body
