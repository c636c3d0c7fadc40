"""The pipe that wakes the run which reads for all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys

from sootprint.core.held import Held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

if sys.platform != "win32":
    import select


def hung(path: Path) -> Held:
    """The pipe, open at both ends so that it never ends; OSError where it cannot be made."""
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    if not stat.S_ISFIFO(path.lstat().st_mode):
        path.unlink()
        os.mkfifo(path, 0o600)
    return Held(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))


def heard(pipe: Held) -> Callable[[float], Sequence[object]]:
    """A wait of at most some milliseconds, which answers something where someone rang."""
    polled = select.poll()
    polled.register(pipe.number, select.POLLIN)
    return polled.poll


def ring(path: Path) -> None:
    """Ask whoever reads for a tick now; nothing where nobody does."""
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with contextlib.suppress(OSError):  # it is full, so the reader is awake
        os.write(pipe, b"w")
    os.close(pipe)
