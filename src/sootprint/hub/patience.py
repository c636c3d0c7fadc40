"""How long the hub waits for a client, and how much it takes: the head of a request, and its body.

A server that waits for ever is full when enough clients say nothing. A head has 20 s; a body as long as something
comes every 20 s, ten minutes in all. What is beyond the limit of its address is not kept, whatever the head said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.types import Message, Receive
from uvicorn.protocols.http.h11_impl import H11Protocol

from sootprint.core.errors import SootprintError
from sootprint.hub.admission import MAX_PACKED, TooLargeError
from sootprint.hub.room import SMALL

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

HEAD_S = 20.0  # for the head of a request, from the connection or the answer before it
PART_S = 20.0  # from one part of a body to the next
BODY_S = 600.0  # for a whole body
LARGE_S = 180.0  # for what follows the first mebibyte of a body, which holds room that others wait for
MAX_FORM = 1 << 20  # bytes of a body at an address that takes no records
LARGE = ("/api/v1/footprints", "/api/v1/validate", "/upload")


class TooSlowError(SootprintError):
    """The body did not come in time: send it again."""


class Patient(H11Protocol):
    """HTTP/1.1 of a server that closes a connection on which no request comes in time."""

    head_s = HEAD_S
    _awaited: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Take what came; the time of a head does not begin anew with each of its bytes."""
        super().data_received(data)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        super().connection_lost(exc)
        if self._awaited is not None:
            self._awaited.cancel()

    def _await_head(self) -> None:
        waits = self._waits()
        if waits and self._awaited is None:
            self._awaited = self.loop.call_later(self.head_s, self._late)
        elif not waits and self._awaited is not None:
            self._awaited.cancel()
            self._awaited = None

    def _waits(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _late(self) -> None:
        self._awaited = None
        if self._waits():
            self.transport.close()


def limit_of(path: str) -> int:
    """Most bytes of the body of a request to an address."""
    return MAX_PACKED if path in LARGE else MAX_FORM


def patient(receive: Receive, limit: int, room: Callable[[], Awaitable[None]]) -> Receive:
    """Messages of a request, as long as they come in time and hold no more than a limit.

    Args:
        receive: Gives the messages.
        limit: Most bytes of the body.
        room: Waits for room for a large body; called once its first mebibyte is there.

    Raises:
        TooLargeError: The body is larger, whatever its Content-Length says; on reading it.
        TooSlowError: It does not come in time; on reading it.
    """
    left, whole, has_room = limit, False, False
    until_s = asyncio.get_running_loop().time() + BODY_S

    async def given() -> Message:
        nonlocal left, whole, has_room, until_s
        if whole:  # what is waited for now is the end of the connection, which may take long
            return await receive()
        wait_s = min(PART_S, until_s - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(wait_s):
                message = await receive()
        except TimeoutError:
            raise TooSlowError("the body did not come in time: send it again") from None
        left -= len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if left < 0:
            raise TooLargeError(too_large(limit))
        if limit - left > SMALL and not has_room:
            await room()
            has_room, until_s = True, asyncio.get_running_loop().time() + LARGE_S
        return message

    return given


def too_large(limit: int) -> str:
    """What is said of a body beyond the limit."""
    if limit == MAX_PACKED:
        return f"a request holds at most {limit >> 20} MiB: send the records in several"
    return f"a request to this address holds at most {limit >> 20} MiB"
