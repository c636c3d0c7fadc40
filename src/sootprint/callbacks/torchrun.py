"""`python -m sootprint.callbacks.torchrun ARGUMENTS`: torchrun that passes a pause on to its ranks, and ends with 75.

By itself torchrun dies of SIGUSR1, and ends with 1 whatever its ranks end with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

import psutil

from sootprint.callbacks.framework import needed
from sootprint.engines.processes import process
from sootprint.tracker.pausing import PAUSED

AGAIN_S = 1.0  # a rank that still loads does not listen yet


def main(arguments: Sequence[str]) -> int:
    """Exit code of the ranks: 75 where one of them has paused.

    Args:
        arguments: Those of torchrun.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    launcher = needed("torch.distributed.run", package="torch")
    errors = needed("torch.distributed.elastic.multiprocessing.errors", package="torch")
    asked = threading.Event()
    threading.Thread(target=_passed_on, args=(asked,), daemon=True).start()
    signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    try:
        launcher.main(list(arguments))
    except errors.ChildFailedError as err:
        codes = [failure.exitcode for failure in err.failures.values()]
        if asked.is_set() and PAUSED in codes:
            return PAUSED
        raise
    return 0


def _passed_on(asked: threading.Event) -> None:
    """Ask each process below that listens, again and again until they have ended."""
    asked.wait()
    while True:
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(os.getpid()).children(recursive=True):
                if process(child.pid).catches(signal.SIGUSR1):
                    with contextlib.suppress(psutil.Error):
                        child.send_signal(signal.SIGUSR1)
        time.sleep(AGAIN_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
