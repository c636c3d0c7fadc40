"""What is said on the node service's socket: one JSON object a line, and who says it, as the kernel tells."""

from __future__ import annotations

import json
import re
import socket
import struct
from typing import Any, NamedTuple

from sootprint.core.errors import SootprintError

MOST_REQUEST_BYTES = 16_384
MOST_ANSWER_BYTES = 8_000_000  # the record of a long job has a row for each minute and component
MOST_VISIBLE = 4_096  # characters of a list of accelerators
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:-]{0,99}")
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid of SO_PEERCRED, Linux unix(7) (2025)


class RefusedError(SootprintError):
    """A request that is not granted; the text goes to whoever asked."""


class Caller(NamedTuple):
    """Who opened a connection, as the kernel tells.

    Args:
        pid: Process, as this process numbers it; 0 where it cannot be seen from here.
        uid: User.
    """

    pid: int
    uid: int


def caller_of(connection: socket.socket) -> Caller:
    """Who opened a connection.

    Raises:
        OSError: The kernel does not tell.
    """
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Caller(pid, uid)


def encoded(message: dict[str, Any]) -> bytes:
    """Line of a message."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def parsed(line: bytes) -> dict[str, Any]:
    """Message of a line.

    Raises:
        RefusedError: It is no message.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise RefusedError("a request is one JSON object a line") from None
    if not isinstance(message, dict) or not isinstance(message.get("op"), str):
        raise RefusedError('a request is an object with "op"')
    return message


def name_in(message: dict[str, Any], key: str) -> str:
    """Name of a run or job in a message.

    Raises:
        RefusedError: There is none.
    """
    value = message.get(key)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise RefusedError(f'"{key}" must be a name of letters, digits and ._+:-, at most 100 characters')
    return value


def whole_in(message: dict[str, Any], key: str) -> int:
    """Whole number in a message.

    Raises:
        RefusedError: There is none.
    """
    value = message.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise RefusedError(f'"{key}" must be a whole number')
    return value


def visible_in(message: dict[str, Any]) -> dict[str, str]:
    """Variables in a message that say which accelerators may be used.

    Raises:
        RefusedError: They are none.
    """
    from sootprint.tracker.registration import VISIBLE

    given = message.get("visible", {})
    known = isinstance(given, dict) and set(given) <= set(VISIBLE)
    if not known or not all(isinstance(text, str) and len(text) <= MOST_VISIBLE for text in given.values()):
        raise RefusedError(f'"visible" must be texts of {", ".join(VISIBLE)}')
    return dict(given)
