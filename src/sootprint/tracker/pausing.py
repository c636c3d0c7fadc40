"""A pause as the training sees it: SIGUSR1 asks it to save and to end with exit code 75.

`sootprint run --pausable` then starts the same command again at a better time, with SOOTPRINT_RESUME=1.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading

from sootprint.core.asleep import MONOTONIC_S

PAUSED = 75  # exit code of a training that has saved and wants to be resumed
RESUME = "SOOTPRINT_RESUME"
READY = "SOOTPRINT_PLAN_READY"  # file that tells the plan when the training was ready to go on

_asked, _listens, _ready = threading.Event(), threading.Event(), threading.Event()


def pause_requested() -> bool:
    """Whether the training is asked to save, and to end with exit code 75; ask it between two steps.

    The first call in the main thread listens for SIGUSR1, unless the program has a handler of its own for it. Until
    then the training is not paused, for the signal would end it. The first call also tells the plan that what was
    saved is loaded, so call it right before the first step: the time until then is a part of what a resume costs.
    """
    if not _listens.is_set():
        listen()
    if not _ready.is_set():
        _ready.set()
        _tell_ready()
    return _asked.is_set()


def listen() -> None:
    """Listen for SIGUSR1, in the main thread, where the program has no handler of its own for it."""
    if not _listens.is_set() and threading.current_thread() is threading.main_thread():
        _listens.set()
        if hasattr(signal, "SIGUSR1") and signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
            signal.signal(signal.SIGUSR1, lambda *_: _asked.set())


def is_resumed() -> bool:
    """Whether this process should go on from what an earlier one has saved."""
    return bool(os.environ.get(RESUME))


def is_planned() -> bool:
    """Whether a plan drives this process, so that nobody else answers its pauses."""
    return bool(os.environ.get(READY))


def _tell_ready() -> None:
    """Write the instant into the file that the plan looks for; of several ranks the first one counts."""
    path = os.environ.get(READY)
    if path:
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, repr(MONOTONIC_S()).encode())
            finally:
                os.close(descriptor)
