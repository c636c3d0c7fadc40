"""Many charts drawn at a time: a second process draws beside this one, for the renderer uses one core.

The second process is a help and no need: where it cannot start, or ends, this one draws all.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Any, Self

from sootprint.charts import render

Files = dict[str, bytes]  # of one chart, by the ends of their names
COMMAND = (sys.executable, "-P", "-c", "from sootprint.charts.studio import serve; serve()")
ENDS_S = 5.0  # a process that was told to end gets so long


class Studio:
    """Where charts are drawn as SVG, PNG and PDF; a context that holds a second process for it."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Mapping[str, Any], Future[Files]] | None] = SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if (os.cpu_count() or 1) > 1:
            self._process = _started()
        if self._process is not None:
            self._thread = threading.Thread(target=self._hand_over, args=(self._process,), daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None or self._thread is None:
            return
        if kind is not None:  # nobody waits for what is left
            self._process.kill()
            while self._take():
                pass
        self._waiting.put(None)
        self._thread.join()
        _ended(self._process)

    def draw(self, made: Mapping[str, Any]) -> Future[Files]:
        """Files to come of a specification."""
        found: Future[Files] = Future()
        self._waiting.put((made, found))
        return found

    def work(self) -> None:
        """Draw in this process until no specification waits; the second one may still draw its last."""
        while (job := self._take()) is not None:
            _done(*job)

    def _take(self) -> tuple[Mapping[str, Any], Future[Files]] | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def _hand_over(self, process: subprocess.Popen[bytes]) -> None:
        """Give the second process one specification after the other; draw what it fails to."""
        while (job := self._waiting.get()) is not None:
            made, found = job
            try:
                found.set_result(_asked(process, made))
            except (OSError, EOFError, pickle.UnpicklingError):
                _done(made, found)


def _done(made: Mapping[str, Any], found: Future[Files]) -> None:
    """Draw a specification here."""
    try:
        found.set_result(render.files(made))
    except ValueError as err:  # of the renderer, for the one who asked
        found.set_exception(err)
    finally:
        found.cancel()  # whatever else happened, nobody waits for ever


def _started() -> subprocess.Popen[bytes] | None:
    """The second process, or None where none can be started."""
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    except OSError:
        return None


def _asked(process: subprocess.Popen[bytes], made: Mapping[str, Any]) -> Files:
    """Files of a specification from the second process."""
    assert process.stdin is not None and process.stdout is not None
    _send(process.stdin, made)
    answer: Files = pickle.load(process.stdout)
    return answer


def _ended(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.close()
        process.wait(ENDS_S)
    except (OSError, subprocess.TimeoutExpired):
        process.kill()
        process.wait()
    finally:
        process.stdout.close()


def _send(pipe: IO[bytes], value: object) -> None:
    pickle.dump(value, pipe, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.flush()


def serve() -> None:
    """Draw what is asked for on standard input until it ends; the work of the second process."""
    while True:
        try:
            made = pickle.load(sys.stdin.buffer)
        except (EOFError, KeyboardInterrupt):
            return
        _send(sys.stdout.buffer, render.files(made))
