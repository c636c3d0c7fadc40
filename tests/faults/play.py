"""Faults, some at a time: they mostly wait, so that more of them than processors go side by side."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.faults.ground import ground
from tests.faults.stage import Fault, Outcome, play
from tests.faults.strikes import LIKE_A_USER, OWN_MOUNTS

SIDE_BY_SIDE = 6


def may_mount() -> bool:
    """Whether this process may mount a file system of its own and give up rights, which takes root."""
    if os.geteuid() != 0:
        return False
    return subprocess.run([*OWN_MOUNTS, *LIKE_A_USER, "true"], capture_output=True).returncode == 0


@contextlib.contextmanager
def playing(faults: Sequence[Fault], folder: Path) -> Iterator[dict[str, Future[Outcome]]]:
    """What each fault will have left, by its key."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with ground(folder) as shared, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        # the longest first, so that none is left alone at the end
        order = sorted(faults, key=lambda fault: -fault.steps)
        yield {fault.key: pool.submit(play, fault, shared) for fault in order}
        pool.shutdown(cancel_futures=True)
