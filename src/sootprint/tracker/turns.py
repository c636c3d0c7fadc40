"""Turns at the interpreter, which are shorter while a run begins or ends.

A thread that computes in pure Python gives the interpreter away every 5 ms. One that loads modules asks for it anew
after each look at a file, some hundred times, and would have them after seconds where several threads compute.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading

SHORT_S = 0.0005  # longest time that another thread computes on while a run begins or ends [s]
MOST_S = 2.0  # for which they are short at a time: what begins or ends may hang in a call to a device [s]


class Turns:
    """Short turns for as long as anybody wants them; what the program itself has set meanwhile is left."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._lock, self._wanted = threading.RLock(), 0  # a signal's handler may end a run that is beginning
        self._before_s: float | None = None  # what was set before they were short [s]
        self._set_s = 0.0
        self._watch: threading.Timer | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._wanted += 1
            before_s = sys.getswitchinterval()
            if self._before_s is None and before_s > SHORT_S:
                self._before_s = before_s
                sys.setswitchinterval(SHORT_S)
                self._set_s = sys.getswitchinterval()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._wanted = max(0, self._wanted - 1)
            if not self._wanted:
                self._give_back()

    def watch(self) -> None:
        """Leave them to the program after some time, where whoever wants them short has not gone by then."""
        with self._lock:
            if self._before_s is None or self._watch is not None:
                return
            self._watch = threading.Timer(MOST_S, self._lapse)
            self._watch.daemon = True
            with contextlib.suppress(RuntimeError):  # the system has no thread left
                self._watch.start()

    def _lapse(self) -> None:
        with self._lock:
            self._give_back()

    def _give_back(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        before_s, self._before_s = self._before_s, None
        if before_s is not None and sys.getswitchinterval() == self._set_s:
            sys.setswitchinterval(before_s)

    def forked(self) -> None:
        """In a forked child nobody who wanted them is left."""
        self._watch = None  # its thread is none of the child's
        self._give_back()
        self._forget()


class Usual:
    """The program's own turns within short ones: for as long as a driver takes to begin, which may hang."""

    def __enter__(self) -> None:
        short.__exit__()

    def __exit__(self, *_: object) -> None:
        short.__enter__()
        short.watch()


short, usual = Turns(), Usual()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=short.forked)
