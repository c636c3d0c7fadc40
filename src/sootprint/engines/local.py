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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.engines.book import Book, Plan, Segment
from sootprint.engines.processes import Process
from sootprint.engines.shell import UnreachableError
from sootprint.engines.streams import DESCRIPTORS, file_of

if TYPE_CHECKING:
    from sootprint.settings.targets import Target

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
    """Jobs as processes of this machine.

    Args:
        target: Settings of the place, where the plan has several.
        apart: Whether the job is apart from this process: its output goes into files beside its book.
    """

    name = "local"

    def __init__(self, target: Target | None = None, *, apart: bool = False) -> None:
        self._target, self._apart = target, apart

    def probe(self) -> None:
        """Nothing where a job can be started.

        Raises:
            UnreachableError: The folder in which it would run is not there.
        """
        folder = self._target.workdir if self._target is not None else None
        if folder is not None and not Path(folder).is_dir():
            raise UnreachableError(f"target {target_name(self._target)} cannot be used: no folder {folder}")

    def start(self, book: Book, *, resume: bool) -> LocalHandle:
        """Begin the next segment of a plan.

        Raises:
            OSError: The book cannot be written, or no process can be started.
        """
        plan = book.state().plan
        with contextlib.ExitStack() as kept:
            segment, lock = book.begin_segment(resume=resume, target=target_name(self._target))
            kept.callback(os.close, lock)
            given: dict[str, Any] = {}
            if self._apart:
                paths = {f"std{name}": file_of(book.folder, segment.number, name) for name in DESCRIPTORS}
                files = {name: kept.enter_context(path.open("ab")) for name, path in paths.items()}
                given = {"stdin": subprocess.DEVNULL, **files}
            child = subprocess.Popen(
                runner_command(plan, self._target, python=sys.executable),
                cwd=folder_of(plan, self._target),
                env=_environment(book, segment),
                pass_fds=(lock,),
                start_new_session=self._apart,
                **given,
            )
        return LocalHandle(book, segment.number, child)

    def found(self, book: Book, segment: Segment) -> LocalHandle:
        """A segment that another process started."""
        return LocalHandle(book, segment.number)


def target_name(target: Target | None) -> str:
    """Name of a place; "" is this machine."""
    return "" if target is None else target.name


def folder_of(plan: Plan, target: Target | None) -> str:
    """Folder in which the command runs."""
    return plan.cwd if target is None or target.workdir is None else target.workdir


def runner_command(plan: Plan, target: Target | None, *, python: str) -> list[str]:
    """Command that measures a segment: what the place states wins over what was stated for the whole."""
    placed = []
    if target is not None:
        placed = ["--zone", target.zone, *(["--pue", str(target.pue)] if target.pue is not None else [])]
        placed += ["--tag", f"target={target.name}"]
    return [python, "-m", "sootprint", "run", *plan.arguments, *placed, "--", *plan.command]


def _environment(book: Book, segment: Segment) -> dict[str, str]:
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
