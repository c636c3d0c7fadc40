"""The book of a plan: what is about to be done is written, and on the disk, before it is done.

A plan is a folder in `HOME/plans` with `book.jsonl` and locks. The driver decides when the job runs and holds
`driver.lock`; each segment (one start of the job) holds a lock that its processes inherit, so that a job whose driver
was killed is seen to be running. Lines are added by the driver and by the runner of a segment, one write each.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.engines.processes import Process, boot

FOLDER, FILE_NAME = "plans", "book.jsonl"
VERSION = 1
MOST_LEARNED = 500  # plans that are looked through for what a resume cost
PAUSED = 75  # exit code of a job that has saved and may be resumed (EX_TEMPFAIL of sysexits.h)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A job and until when it must be done.

    Args:
        id: Identity.
        command: Program and arguments.
        cwd: Working directory.
        arguments: Options of `sootprint run` for each segment.
        deadline_s: Wall clock by which it ends [s].
        expect_s: Time that it runs [s].
        zone: Zone whose intensity decides, or None.
        trace: File of the intensity, or None for the configured sources.
        pausable: Whether it saves and ends with 75 when it gets SIGUSR1.
        resume_s: Running time that a resume costs: stated, or measured in earlier plans [s].
        resume_stated: Whether it was stated, so that what is measured does not replace it.
        made_s: Wall clock when it was made [s].
    """

    id: str
    command: tuple[str, ...]
    cwd: str
    arguments: tuple[str, ...]
    deadline_s: float
    expect_s: float
    zone: str | None = None
    trace: str | None = None
    pausable: bool = False
    resume_s: float = 0.0
    resume_stated: bool = False
    made_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One start of the job.

    Args:
        number: Its number, from 1.
        resume: Whether it resumes what an earlier one saved.
        boot: Start of the machine in which it was begun.
        job: The command's process, once it was started.
        runner: The process that measures it and writes its end.
        asked: Whether it was asked to pause.
        asked_s: Wall clock at which it was [s].
        code: Exit code of the command, or None while it is not known.
        started_s: Wall clock at which the command began [s].
        ready_s: Time from there until it first asked whether to pause, its start and load done [s].
        ended_s: Wall clock at which the command ended [s].
        ran_s: Time that it ran [s].
        cut: Whether it ended without telling how.
    """

    number: int
    resume: bool
    boot: str
    job: Process | None = None
    runner: Process | None = None
    asked: bool = False
    asked_s: float | None = None
    code: int | None = None
    started_s: float | None = None
    ready_s: float | None = None
    ended_s: float | None = None
    ran_s: float = 0.0
    cut: bool = False

    @property
    def save_s(self) -> float | None:
        """Time from the question to its end, where it paused: a last step, the save and the exit [s]."""
        if self.code != PAUSED or self.asked_s is None or self.ended_s is None:
            return None
        return max(0.0, self.ended_s - self.asked_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a book tells.

    Args:
        plan: The plan.
        segments: Starts of the job, the earliest first.
        result: Exit code of the whole, or None while it is open.
    """

    plan: Plan
    segments: tuple[Segment, ...] = ()
    result: int | None = None

    @property
    def open_segment(self) -> Segment | None:
        """Segment that was begun and whose end is not known."""
        last = self.segments[-1] if self.segments else None
        return last if last is not None and last.code is None and not last.cut else None

    @property
    def resume_s(self) -> float:
        """Running time that a resume costs: as stated, else as the pauses so far showed, else as earlier plans [s]."""
        shown_s = None if self.plan.resume_stated else measured_s(self.segments)
        return self.plan.resume_s if shown_s is None else shown_s

    @property
    def left_s(self) -> float:
        """Time that the job still runs, of what was expected [s]; what a cut segment did counts as lost."""
        done_s = sum(one.ran_s for one in self.segments if one.code == PAUSED)
        resumes_s = self.resume_s if self.segments else 0.0
        return max(0.05 * self.plan.expect_s, self.plan.expect_s - done_s) + resumes_s


def measured_s(segments: Sequence[Segment]) -> float | None:
    """Time that a resume has cost so far: the median save, and the median start and load [s]; None before a pause.

    A first start loads nothing, and counts only while none has resumed.
    """
    saves = [one.save_s for one in segments if one.save_s is not None]
    loads = [one.ready_s for one in segments if one.ready_s is not None and one.resume]
    starts = loads or [one.ready_s for one in segments if one.ready_s is not None]
    return statistics.median(saves) + statistics.median(starts or [0.0]) if saves else None


class Book:
    """The book in a plan's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._driver: int | None = None

    @classmethod
    def begin(cls, home: Path, plan: Plan) -> Book:
        """Book of a new plan.

        Raises:
            RecordError: It cannot be written.
        """
        made = cls(home / FOLDER / plan.id)
        try:
            made.folder.mkdir(parents=True, mode=0o700)
            made.take()
            made.write(
                "plan", **{name: getattr(plan, name) for name in Plan.__dataclass_fields__}, version=VERSION
            )
        except OSError as err:
            raise RecordError(f"the plan cannot be kept in {made.folder}: {err.strerror}") from err
        return made

    def take(self) -> bool:
        """Whether this process is the plan's driver from now on; False while another one is."""
        descriptor = os.open(self.folder / "driver.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(descriptor):
            os.close(descriptor)
            return False
        self._driver = descriptor
        return True

    def adopt(self, descriptor: int) -> None:
        """Be the plan's driver in place of the process that has handed over its lock."""
        os.set_inheritable(descriptor, False)
        self._driver = descriptor

    @property
    def driver_lock(self) -> int | None:
        """Descriptor of the driver's lock, while this process holds it."""
        return self._driver

    def release(self) -> None:
        """Be no longer the plan's driver."""
        if self._driver is not None:
            os.close(self._driver)
            self._driver = None

    def write(self, kind: str, **content: Any) -> None:
        """Add a line, which is on the disk when this returns.

        Raises:
            OSError: It cannot be written.
        """
        path = self.folder / FILE_NAME
        line = json.dumps({"k": kind, "at_s": time.time(), **content}).encode() + b"\n"
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # the last line was cut by a power failure
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def state(self) -> State:
        """What the book tells.

        Raises:
            RecordError: It cannot be read, or begins with no plan of this version.
        """
        try:
            return folded(self.folder.joinpath(FILE_NAME).read_bytes().splitlines())
        except OSError as err:
            raise RecordError(f"the book of plan {self.folder.name} cannot be read: {err.strerror}") from err
        except (ValueError, TypeError, LookupError) as err:
            raise RecordError(
                f"the book of plan {self.folder.name} holds what no plan writes ({err})"
            ) from None

    def begin_segment(self, *, resume: bool) -> tuple[Segment, int]:
        """Segment that is about to be started, and the descriptor of the lock that its processes inherit.

        Raises:
            OSError: It cannot be written.
        """
        made = Segment(number=len(self.state().segments) + 1, resume=resume, boot=boot())
        descriptor = os.open(self._lock(made.number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, descriptor)
            if not _locked(descriptor):
                raise BlockingIOError(f"segment {made.number} is started already")
            self.write("starting", segment=made.number, resume=resume, boot=made.boot)
            undo.pop_all()
        return made, descriptor

    def is_running(self, segment: Segment) -> bool:
        """Whether a process of a segment still lives: its runner, its command, or one that is about to start it."""
        if segment.boot != boot():
            return False
        if segment.job is not None:
            return segment.job.is_alive or (segment.runner is not None and segment.runner.is_alive)
        with contextlib.suppress(OSError):
            descriptor = os.open(self._lock(segment.number), os.O_RDWR | os.O_CLOEXEC)
            try:
                return not _locked(descriptor)
            finally:
                os.close(descriptor)
        return False

    def ready_file(self, number: int) -> Path:
        """File in which the command of a segment tells when it was ready to go on."""
        return self.folder / f"ready.{number}"

    def ready_s(self, number: int, *, since_s: float) -> float | None:
        """Time from `since_s` on the monotonic clock until a segment was ready [s]; None where it did not tell."""
        try:
            return max(0.0, float(self.ready_file(number).read_bytes()) - since_s)
        except (OSError, ValueError):
            return None

    def _lock(self, number: int) -> Path:
        return self.folder / f"segment.{number}.lock"


def books(home: Path) -> list[Book]:
    """Books of a home's plans, the earliest first."""
    with contextlib.suppress(OSError):
        return [Book(path) for path in sorted((home / FOLDER).iterdir()) if (path / FILE_NAME).is_file()]
    return []


def learned_s(home: Path, command: Sequence[str], cwd: str) -> float | None:
    """Time that a resume cost when the same command last paused in the same folder [s]; None where it never did."""
    for book in list(reversed(books(home)))[:MOST_LEARNED]:
        with contextlib.suppress(RecordError):  # another version's
            state = book.state()
            if state.plan.command == tuple(command) and state.plan.cwd == cwd:
                found_s = measured_s(state.segments)
                if found_s is not None:
                    return found_s
    return None


def folded(lines: Sequence[bytes]) -> State:
    """State that lines tell; one that was cut in the middle of its write tells nothing."""
    told = []
    for line in lines:
        with contextlib.suppress(ValueError):
            told.append(json.loads(line))
    if not told or told[0]["k"] != "plan" or told[0]["version"] != VERSION:
        raise ValueError("no plan of this version")
    given = {name: told[0][name] for name in Plan.__dataclass_fields__ if name in told[0]}
    plan = Plan(**given | {name: tuple(given[name]) for name in ("command", "arguments")})
    segments: dict[int, dict[str, Any]] = {}
    result = None
    for one in told[1:]:
        if one["k"] == "done":
            result = int(one["code"])
        elif one["k"] == "starting":
            segments[one["segment"]] = {
                "number": one["segment"],
                "resume": one["resume"],
                "boot": one["boot"],
            }
        elif one["segment"] in segments:
            segments[one["segment"]] |= _told(one)
    return State(plan=plan, segments=tuple(Segment(**one) for one in segments.values()), result=result)


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """Fields of a segment that a line tells."""
    if line["k"] == "started":
        processes = {name: Process(*line[name]) for name in ("job", "runner")}
        return {**processes, "started_s": float(line["at_s"])}
    if line["k"] == "ended":
        told = {name: float(line[name]) for name in ("ran_s", "ready_s") if line.get(name) is not None}
        return {"code": int(line["code"]), "ended_s": float(line["at_s"]), **told}
    if line["k"] == "asked":
        return {"asked": True, "asked_s": float(line["at_s"])}
    return {"cut": True} if line["k"] == "cut" else {}


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
