"""A pause as the training sees it: SIGUSR1 asks it to save and to end with exit code 75.

`sootprint run --pausable` then starts the same command again at a better time, with SOOTPRINT_RESUME=1.
"""

from __future__ import annotations

import signal
import threading

PAUSED = 75  # exit code of a training that has saved and wants to be resumed

_asked, _listens = threading.Event(), threading.Event()


def pause_requested() -> bool:
    """Whether the training is asked to save, and to end with exit code 75; ask it between two steps.

    The first call in the main thread listens for SIGUSR1, unless the program has a handler of its own for it. Until
    then the training is not paused, for the signal would end it.
    """
    if not _listens.is_set() and threading.current_thread() is threading.main_thread():
        _listens.set()
        if hasattr(signal, "SIGUSR1") and signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
            signal.signal(signal.SIGUSR1, lambda *_: _asked.set())
    return _asked.is_set()
