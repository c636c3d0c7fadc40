"""A command, measured from outside: its streams, its signals and its exit code are as they would be without us."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sootprint.core import files
from sootprint.core.asleep import MONOTONIC_S
from sootprint.core.errors import IntensityError, RecordError, SootprintError
from sootprint.ledger import Ledger
from sootprint.tracker.sampler import guarded
from sootprint.tracker.worker import Worker

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.engines.book import Book
    from sootprint.runner.exporting import Exporting
    from sootprint.runner.sharing import Sharing
    from sootprint.settings import Settings

NOT_FOUND, NOT_EXECUTABLE = 127, 126  # as a shell answers
READY_S = 5.0  # the command starts after the first reading, unless a device hangs
STOP_WAIT_S = 15.0
HOURS_WAIT_S = 10.0  # for the sources of the grid's intensity, after the command has ended
LOOK_S = 0.05
ROOM_WAIT_S = 60.0  # for a full disk to take the end of a planned job
INTERRUPTS = {signal.SIGINT, signal.SIGTERM}
LOCK_S = 0.2  # wait for a ledger that another program holds; the record is in the spool and waits, too
SI_KERNEL = 0x80  # of Linux's asm-generic/siginfo.h: sent by the kernel, as for Ctrl-C, not by a process
FORWARDED = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT")


def _ignore(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a command is measured.

    Args:
        settings: Settings that were read.
        name: Name of the run.
        tags: Tags of the run.
        about: Name of its `model`, and its `results` by TASK/DATASET[:SPLIT]/METRIC.
        record_file: File that gets the record as JSON.
        segment: Book of the plan whose segment this is, and its number.
        sharing: The way of the run to a hub.
        exporting: The way of its record to the places of the settings.
        on_finish: Called with the footprint after the command's end.
        on_warning: Called with one line for a person.
    """

    settings: Settings
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)
    record_file: Path | None = None
    segment: tuple[Book, int] | None = None
    sharing: Sharing | None = None
    exporting: Exporting | None = None
    on_finish: Callable[[Footprint], object] = _ignore
    on_warning: Callable[[str], object] = _ignore


def run_command(command: Sequence[str], options: RunOptions) -> int:
    """Exit code of a command that was measured; a command that died of a signal ends this process alike.

    Args:
        command: Program and arguments.
        options: How it is measured.
    """
    given = {"command": list(command)} if options.settings.store_command else {}
    worker = Worker(
        settings=options.settings,
        name=options.name,
        tags=options.tags,
        about=options.about,
        given=given,
        begins_when_ready=True,
        on_warning=options.on_warning,
    )
    os.environ.update(options.settings.for_runs_inside() | _told_of_plan(options))
    with _signals_held() as held:
        worker.start(wait_s=READY_S)
        try:
            child = held.spawn(_launched(command) if options.segment else command)
        except (OSError, ValueError) as err:
            return _not_started(worker, command[0], err, options)
        tell = _started(child, options)
        sharing = options.sharing
        if sharing is not None:
            guarded(lambda: sharing.begin(worker.id), options.on_warning)
        code = held.forward_until_exit(child, _wanted(child, options))
        tell(code)
        worker.stop(wait_s=STOP_WAIT_S, why="finished" if code == 0 else f"exit code {code}")
        _report(worker, options)
    return _as_without_us(code)


def _told_of_plan(options: RunOptions) -> dict[str, str]:
    """Variables of a command that is a segment of a plan: the file in which it tells when it was ready to go on."""
    if options.segment is None:
        return {}
    from sootprint.tracker.pausing import READY

    book, number = options.segment
    return {READY: str(book.ready_file(number).resolve())}


def _launched(command: Sequence[str]) -> list[str]:
    """Command that ends with this process, so that the book of its plan always knows how it ended."""
    from sootprint.engines import launch

    return [sys.executable, "-I", "-S", str(launch.__file__), str(os.getpid()), *command]


def _started(child: int, options: RunOptions) -> Callable[[int], object]:
    """Function that writes a command's end into the book of its plan, where it has one; its begin is written now."""
    if options.segment is None:
        return _ignore
    from sootprint.engines.processes import own, process

    book, number = options.segment
    began_s = MONOTONIC_S()  # by which the command tells when it was ready

    def written(kind: str, **content: object) -> None:
        guarded(lambda: book.write(kind, segment=number, **content), options.on_warning)

    def ended(code: int) -> None:
        told: dict[str, float | None] = {
            "code": code if code >= 0 else 128 - code,
            "ran_s": MONOTONIC_S() - began_s,
        }
        told["ready_s"] = book.ready_s(number, since_s=began_s)
        until_s = time.monotonic() + ROOM_WAIT_S
        while time.monotonic() < until_s:  # what has ended unseen would be started again
            with contextlib.suppress(OSError):
                book.write("ended", segment=number, **told)
                return
            time.sleep(LOOK_S)
        written("ended", **told)

    written("started", job=process(child), runner=own())
    return ended


def _wanted(child: int, options: RunOptions) -> Callable[[int], bool]:
    """Function that tells whether a signal is passed on: a job of a plan is not ended by one that asks it to save."""
    if options.segment is None:
        return lambda _: True
    from sootprint.engines.processes import process

    book, number = options.segment

    def wanted(signal_number: int) -> bool:
        if signal_number != signal.SIGUSR1:
            return True
        listens = process(child).catches(signal_number)
        guarded(lambda: book.write("asked" if listens else "deaf", segment=number), options.on_warning)
        return listens

    return wanted


def _not_started(worker: Worker, program: str, err: OSError | ValueError, options: RunOptions) -> int:
    worker.discard(wait_s=STOP_WAIT_S)
    reason = err.strerror if isinstance(err, OSError) else "no program has such a name"
    options.on_warning(f"{program or repr(program)}: {reason}")
    return NOT_FOUND if isinstance(err, (FileNotFoundError, ValueError)) else NOT_EXECUTABLE


def _report(worker: Worker, options: RunOptions) -> None:
    footprint = worker.footprint
    if worker.attached:
        options.on_warning("another rank of this job writes the record of this machine")
        return
    if footprint is None:
        options.on_warning("no footprint was made; `sootprint recover` finishes it from the journal")
        return
    guarded(lambda: _absorb(options.settings.home), options.on_warning)
    guarded(functools.partial(_tell_unheard, footprint, options), options.on_warning)
    if options.segment is not None or (options.settings.grid is not None and options.settings.grid.sources):
        footprint = _with_hours(footprint, options)
    if options.record_file is not None:
        target = options.record_file
        guarded(lambda: write_record(target, footprint), options.on_warning)
    guarded(lambda: options.on_finish(footprint), options.on_warning)
    for way in (options.exporting, options.sharing):
        if way is not None:
            guarded(functools.partial(way.finish, footprint), options.on_warning)


def _with_hours(footprint: Footprint, options: RunOptions) -> Footprint:
    """Footprint with its own hours, and what waiting saved, where the sources tell them within `HOURS_WAIT_S`.

    The command has ended and its record is kept; an interrupt or a slow provider leaves the record as it is.
    """
    found: list[Footprint] = []
    asking = threading.Thread(
        target=guarded,
        args=(lambda: found.append(_read_hours(footprint, options)), options.on_warning),
        daemon=True,
    )
    asking.start()
    until_s = time.monotonic() + HOURS_WAIT_S
    while asking.is_alive() and time.monotonic() < until_s and not signal.sigpending() & INTERRUPTS:
        asking.join(LOOK_S)
    if asking.is_alive():
        options.on_warning(
            "the grid's sources have not answered yet: the annual figure counts until `sootprint refresh`"
        )
    return found[0] if found else footprint


def _read_hours(footprint: Footprint, options: RunOptions) -> Footprint:
    """Footprint with its hours and its plan, which is kept as a new version of its record.

    Raises:
        SootprintError: No source can be asked for it.
    """
    from sootprint.tracker.refresh import refreshed

    if options.settings.grid is not None and options.settings.grid.sources:
        try:
            made = refreshed(footprint, options.settings)
        except (IntensityError, RecordError):
            made = None  # the place is unknown, which the record says already, or nothing was measured
        for text in made.passed if made else ():
            options.on_warning(text)
        if made is not None and made.record != footprint:
            with Ledger(options.settings.home, lock_s=LOCK_S) as ledger:
                ledger.amend(made.record, since=footprint)
            footprint = made.record
    if options.segment is None:
        return footprint
    from sootprint.runner.saved import completed

    return completed(footprint, *options.segment, options.settings)


def _absorb(home: Path) -> None:
    """Take the record from the spool into the ledger, now that the command has ended."""
    with Ledger(home, lock_s=LOCK_S):
        pass


def _tell_unheard(footprint: Footprint, options: RunOptions) -> None:
    """Say that the command told nothing of the units that were expected; a run inside of it says so itself."""
    from sootprint.core.expectation import parsed
    from sootprint.tracker.live import has_inside

    expected = None if options.settings.expect_total is None else parsed(options.settings.expect_total)
    if expected is None or expected.by_time:
        return
    if not has_inside(options.settings.home, footprint.id):
        options.on_warning(expected.unheard)


def write_record(path: Path, footprint: Footprint) -> None:
    """Write a record as JSON, whole or not at all.

    Raises:
        SootprintError: The file cannot be written.
    """
    files.write(path, (footprint.to_json(indent=2) + "\n").encode("utf-8", "replace"))


def _as_without_us(code: int) -> int:
    """The command's exit code; where a signal ended it, the same signal ends this process."""
    if code >= 0:
        return code
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command's core is enough
    with contextlib.suppress(OSError, ValueError):
        signal.signal(-code, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
    os.kill(os.getpid(), -code)
    return 128 - code


class _Held:
    """Signals that wait for us to pass them on to the command."""

    def __init__(self, numbers: set[int], before: set[int]) -> None:
        self._numbers = numbers
        self._before = before

    def spawn(self, command: Sequence[str]) -> int:
        """Process id of the started command, with the signal mask that we were started with.

        Raises:
            OSError: The program is not there or cannot be executed.
            ValueError: No program can have such a name.
        """
        try:
            return self._spawn(command)
        except OSError as err:
            path = shutil.which(command[0])
            if err.errno != errno.ENOEXEC or path is None:
                raise
            return self._spawn(["/bin/sh", path, *command[1:]])  # a script without #!, as execvp(3) does

    def _spawn(self, command: Sequence[str]) -> int:
        defaults = {getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)}
        return os.posix_spawnp(
            command[0], list(command), os.environ, setsigmask=self._before, setsigdef=defaults
        )

    def forward_until_exit(self, child: int, wanted: Callable[[int], bool]) -> int:
        """Exit code of the command; what is sent to us alone goes to it, what the terminal sends to all does not."""
        while True:
            info = signal.sigtimedwait(self._numbers | {signal.SIGCHLD}, 1.0)
            if info is not None and self._is_for_us(info) and wanted(info.si_signo):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, info.si_signo)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended == child:
                return os.waitstatus_to_exitcode(status)

    def _is_for_us(self, info: signal.struct_siginfo) -> bool:
        """Whether a program sent this signal, as its code says; the terminal's comes from the kernel.

        A wait that was stopped until after its end answers whatever lies in memory (Python 3.11): seen were signals of
        no such number, and an interrupt that nobody had sent.
        """
        return info.si_signo in self._numbers and -SI_KERNEL < info.si_code <= 0


@contextlib.contextmanager
def _signals_held() -> Iterator[_Held]:
    if not hasattr(signal, "sigtimedwait"):
        raise SootprintError(
            "`sootprint run` needs Linux; elsewhere use `with sootprint.track():` in the program"
        )
    numbers = {int(getattr(signal, name)) for name in FORWARDED}
    if signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN:  # inherited; the kernel would drop the exit code
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers | {signal.SIGCHLD})
    try:
        yield _Held(numbers, {int(number) for number in before})
    finally:
        for number in numbers:  # what came after the command's end was meant for it
            while signal.sigtimedwait({number}, 0) is not None:
                pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
