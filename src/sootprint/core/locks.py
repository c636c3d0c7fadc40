"""Locks between processes, on a file or folder that is open."""

from __future__ import annotations

import contextlib
import time

LOOK_S = 0.02


def taken(descriptor: int, limit_s: float = 0.0) -> bool:
    """Whether this process has the lock of an open file or folder, waited for at most `limit_s` [s].

    It is given back when the descriptor is closed. Where the system has no such lock, nobody has it.
    """
    try:
        import fcntl
    except ImportError:
        return True
    until_s = time.monotonic() + limit_s
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= until_s:
            return False
        time.sleep(LOOK_S)
