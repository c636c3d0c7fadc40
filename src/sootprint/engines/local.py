"""The engine of this machine: each segment of a job is a measured `sootprint run` of its own.

A pause is asked for by SIGUSR1 and answered by exit code 75; the same command starts again with SOOTPRINT_RESUME=1.
SIGSTOP is never sent: a stopped job keeps its memory and its accelerator's idle power.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

from sootprint.engines.book import Book, Plan, Segment
from sootprint.engines.processes import Process

SEGMENT = "SOOTPRINT_PLAN_SEGMENT"  # folder of the plan and number of the segment, for the segment's runner
RESUME = "SOOTPRINT_RESUME"


class LocalHandle:
    """A segment that runs on this machine, started by this process or found running."""

    def __init__(self, book: Book, number: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self._book, self._number, self._child = book, number, child

    def pause(self) -> str | None:
        """Why the job is not asked to pause; None where it was asked."""
        segment = self._segment()
        if segment is None or segment.job is None or segment.runner is None:
            return "it has not begun yet"
        if not segment.job.catches(signal.SIGUSR1):
            return "it does not catch SIGUSR1, which would end it"
        self._book.write("asked", segment=segment.number)
        _send(segment.runner, signal.SIGUSR1)
        return None

    def send(self, number: int) -> None:
        """Pass a signal on to the job."""
        segment = self._segment()
        if segment is not None and segment.runner is not None:
            _send(segment.runner, number)

    def code(self) -> int | None:
        """Exit code of the segment's runner, where this process started it and it was not killed."""
        code = None if self._child is None else self._child.poll()
        return code if code is not None and code >= 0 else None

    def is_running(self) -> bool:
        """Whether the segment still runs."""
        if self._child is not None:
            self._child.poll()  # an ended child must not look alive
        segment = self._segment()
        return segment is not None and self._book.is_running(segment)

    def _segment(self) -> Segment | None:
        return next((one for one in self._book.state().segments if one.number == self._number), None)


class LocalEngine:
    """Jobs as processes of this machine."""

    name = "local"

    def start(self, book: Book, *, resume: bool) -> LocalHandle:
        """Begin the next segment of a plan.

        Raises:
            OSError: The book cannot be written, or no process can be started.
        """
        plan = book.state().plan
        segment, lock = book.begin_segment(resume=resume)
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "sootprint", "run", *plan.arguments, "--", *plan.command],
                cwd=plan.cwd,
                env=_environment(plan, book, segment),
                pass_fds=(lock,),
            )
        finally:
            os.close(lock)
        return LocalHandle(book, segment.number, child)

    def found(self, book: Book, segment: Segment) -> LocalHandle:
        """A segment that another process started."""
        return LocalHandle(book, segment.number)


def _environment(plan: Plan, book: Book, segment: Segment) -> dict[str, str]:
    """Environment of a segment's runner."""
    kept = {name: text for name, text in os.environ.items() if name != RESUME}
    kept[SEGMENT] = f"{segment.number}:{book.folder}"
    if segment.resume:
        kept[RESUME] = "1"
    return kept


def _send(to: Process, number: int) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.pidfd_open(to.pid)
        try:
            if to.is_alive:  # looked at while the descriptor holds its number
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)
