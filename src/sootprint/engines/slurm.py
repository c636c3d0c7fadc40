"""The engine of a Slurm cluster: each segment is a job of its own, and its node is free in a pause.

The batch script takes the place of its shell, so that SIGUSR1 reaches the runner, and it begins only once however often
it was submitted. The plan's folder must be on a disk that the nodes share, as home directories are.
"""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sootprint.engines import queue
from sootprint.engines.book import Book, Plan, Segment
from sootprint.engines.local import RESUME, SEGMENT, folder_of, runner_command, target_name
from sootprint.engines.streams import DESCRIPTORS, Streams, file_of, written

if TYPE_CHECKING:
    from sootprint.settings.targets import Target

SOONEST_S, LATEST_S, SHARE = 0.5, 15.0, 0.02


class SlurmHandle:
    """A segment that waits or runs in Slurm."""

    def __init__(self, engine: SlurmEngine, book: Book, number: int) -> None:
        self._engine, self._book, self._number = engine, book, number
        self._began_s = time.monotonic()
        self._looked_s: float | None = None
        self._running = True
        self._code: int | None = None
        self._streams = None if engine.apart else Streams(book.folder, number)

    def pause(self) -> str | None:
        """Why the job is not asked to pause; None where it was asked. Its runner knows whether it listens.

        Raises:
            UnreachableError: Slurm does not answer.
        """
        segment = self._segment()
        if segment.slurm is None or segment.job is None:
            return "it has not begun yet"
        self._book.write("asked", segment=self._number)
        queue.signalled(self._engine.target, segment.slurm, "USR1")
        return None

    def send(self, number: int) -> None:
        """Pass a signal on to the job; one that waits is cancelled by what would end it.

        Raises:
            UnreachableError: Slurm does not answer.
        """
        segment = self._segment()
        if segment.slurm is None:
            return
        if segment.job is not None:
            queue.signalled(
                self._engine.target, segment.slurm, signal.Signals(number).name.removeprefix("SIG")
            )
        elif number in (signal.SIGINT, signal.SIGTERM):
            queue.cancelled(self._engine.target, segment.slurm)

    def code(self) -> int | None:
        """Exit code that Slurm tells of a segment whose runner could not."""
        return self._code

    def is_running(self) -> bool:
        """Whether the segment waits or runs, looked at now and then; one that was never submitted is.

        Raises:
            UnreachableError: Slurm does not answer: it may run.
        """
        now_s = time.monotonic()
        wait_s = min(LATEST_S, max(SOONEST_S, SHARE * (now_s - self._began_s)))
        if not self._running or (self._looked_s is not None and now_s < self._looked_s + wait_s):
            return self._running
        self._looked_s = now_s
        segment = self._segment()
        if segment.slurm is None:
            self._engine.submit(self._book, segment)
            return True
        known = queue.job(self._engine.target, segment.slurm)
        ended = known is None or not known.is_open
        self._pass_on(ended=ended)
        if ended:
            self._code = queue.outcome(known, self._book, segment)
            self._running = False
        return self._running

    def _pass_on(self, *, ended: bool) -> None:
        """Pass on what the job has written."""
        if self._streams is None:
            return

        def look(seen: Mapping[str, int]) -> dict[str, bytes]:
            return written(self._book.folder, self._number, seen, whole=ended)

        told = look(self._streams.seen)
        if ended:
            self._streams.finish(told, look)
        else:
            self._streams.pass_on(told)

    def _segment(self) -> Segment:
        return next(one for one in self._book.state().segments if one.number == self._number)


class SlurmEngine:
    """Jobs of a Slurm cluster that this machine can submit to.

    Args:
        target: Settings of the place, or None for this machine's Slurm with its defaults.
        apart: Whether the job is apart from this process: its output stays in files beside its book.
    """

    name = "slurm"

    def __init__(self, target: Target | None = None, *, apart: bool = False) -> None:
        self.target, self.apart = target, apart

    def probe(self) -> None:
        """Nothing where Slurm answers.

        Raises:
            UnreachableError: It does not.
        """
        queue.require(self.target)

    def start(self, book: Book, *, resume: bool) -> SlurmHandle:
        """Submit the next segment of a plan.

        Raises:
            OSError: The book cannot be written, or Slurm does not take the job.
        """
        segment, lock = book.begin_segment(resume=resume, target=target_name(self.target))
        try:
            self.submit(book, segment)
        finally:
            os.close(lock)
        return SlurmHandle(self, book, segment.number)

    def found(self, book: Book, segment: Segment) -> SlurmHandle:
        """A segment that another process submitted, or was about to."""
        return SlurmHandle(self, book, segment.number)

    def submit(self, book: Book, segment: Segment) -> None:
        """Put a segment into the queue, unless it is there already, and note its number.

        Raises:
            OSError: The book cannot be written, or Slurm does not take the job.
        """
        plan, name = book.state().plan, f"sootprint-{book.folder.name}-{segment.number}"
        number = queue.named(self.target, name)
        if number is None:
            asked = shlex.split(self.target.options) if self.target is not None else []
            given = _options(plan, book, segment.number, name=name)
            options = [*asked, *given, f"--chdir={folder_of(plan, self.target)}"]
            script = _script(
                book, segment, self._command(plan), setup=None if self.target is None else self.target.setup
            )
            number = queue.submitted(self.target, options, script, begin_s=None)
        book.write("queued", segment=segment.number, slurm=number, begin_s=None)

    def _command(self, plan: Plan) -> list[str]:
        python = "python3" if self.target is None else self.target.python
        return runner_command(plan, self.target, python=python)


def _options(plan: Plan, book: Book, number: int, *, name: str) -> list[str]:
    """Options of `sbatch` that a segment needs; Slurm must not start it again by itself."""
    saving = ["--signal=B:USR1@300"] if plan.pausable else []
    files = (str(file_of(book.folder, number, stream)) for stream in DESCRIPTORS)
    out, err = (path.replace("%", "%%") for path in files)  # Slurm's own patterns begin with it
    if _redirects(book):
        out = err = "/dev/null"
    return [
        *(f"--job-name={name}", "--no-requeue", *saving, f"--output={out}", f"--error={err}"),
        *("--open-mode=append", f"--comment=sootprint:{book.folder.name}"),
    ]


def _redirects(book: Book) -> bool:
    """Whether the script itself opens the files of its output: Slurm takes every backslash out of their names."""
    return "\\" in str(book.folder)


def _script(book: Book, segment: Segment, command: list[str], *, setup: str | None) -> str:
    """Batch script of a segment: it begins once, and becomes the runner."""
    out, err = (shlex.quote(str(file_of(book.folder, segment.number, stream))) for stream in DESCRIPTORS)
    lines = [
        "#!/bin/sh",
        *queue.begin_once(book.folder, str(segment.number)),
        *([f"exec >> {out} 2>> {err}"] if _redirects(book) else []),
        f"export {SEGMENT}={shlex.quote(f'{segment.number}:{book.folder}')}",
        f"export {RESUME}=1" if segment.resume else f"unset {RESUME}",
        *([setup] if setup else []),
        f"exec {shlex.join(command)}",
    ]
    return "\n".join(lines) + "\n"
