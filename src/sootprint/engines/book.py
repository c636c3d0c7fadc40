"""The book of a plan: what is about to be done is written, and on the disk, before it is done.

A plan is a folder in `HOME/plans` with `book.jsonl` and locks. The driver decides when the job runs and holds
`driver.lock`; each segment (one start of the job) holds a lock that its processes inherit, so that a job whose driver
was killed is seen to be running. Lines are added by the driver and by the runner of a segment, one write each.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.engines.processes import Process, boot
from sootprint.engines.state import PAUSED, Carried, Plan, Segment, State, measured_s
from sootprint.settings.folders import make_home

__all__ = ["PAUSED", "Book", "Carried", "Plan", "Segment", "State", "books", "folded", "measured_s"]

FOLDER, FILE_NAME = "plans", "book.jsonl"
VERSION = 1
LAST_LINE = 4096  # bytes that hold a last line which tells the end
MOST_LEARNED = 500  # plans that are looked through for what a resume cost


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
            make_home(home)
            made.folder.mkdir(parents=True, mode=0o700)
            made.take()
            made.write_plan(plan)
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

    def is_driven(self) -> bool:
        """Whether a process is the plan's driver."""
        with contextlib.suppress(OSError):
            descriptor = os.open(self.folder / "driver.lock", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return not _locked(descriptor, fcntl.LOCK_SH)
            finally:
                os.close(descriptor)
        return False

    def is_closed(self) -> bool:
        """Whether its last line tells the plan's end, which is all that is read."""
        with contextlib.suppress(OSError), (self.folder / FILE_NAME).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LAST_LINE))
            return any(told.get("k") == "done" for told in _read(file.read().splitlines()[-1:]))
        return False

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

    def write_plan(self, plan: Plan) -> None:
        """Write the first line.

        Raises:
            OSError: It cannot be written.
        """
        self.write("plan", **{one.name: getattr(plan, one.name) for one in fields(Plan)}, version=VERSION)

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
            if os.write(descriptor, line) < len(line):  # the disk took a part of it, which tells nothing
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
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

    def lines(self) -> list[dict[str, Any]]:
        """Its lines as they were written, less those that were cut in the middle of a write.

        Raises:
            OSError: It cannot be read.
        """
        return _read(self.folder.joinpath(FILE_NAME).read_bytes().splitlines())

    def begin_segment(self, *, resume: bool, target: str = "") -> tuple[Segment, int]:
        """Segment that is about to be started, and the descriptor of the lock that its processes inherit.

        Raises:
            OSError: It cannot be written.
        """
        made = Segment(number=len(self.state().segments) + 1, resume=resume, boot=boot(), target=target)
        descriptor = os.open(self._lock(made.number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, descriptor)
            if not _locked(descriptor):
                raise BlockingIOError(f"segment {made.number} is started already")
            self.write("starting", segment=made.number, resume=resume, boot=made.boot, target=target)
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


def open_books(home: Path) -> list[Book]:
    """Books of a home's plans that have not ended, the earliest first."""
    return [book for book in books(home) if not book.is_closed()]


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
    told = _read(lines)
    if not told or told[0]["k"] != "plan" or told[0]["version"] != VERSION:
        raise ValueError("no plan of this version")
    segments: dict[int, dict[str, Any]] = {}
    result: int | None = None
    carried: list[Carried] = []
    for one in told[1:]:
        if one["k"] == "done":
            result = int(one["code"])
        elif one["k"] == "carried":
            carried.append(_carried(one))
        elif one["k"] in ("starting", "started") and one["segment"] not in segments:
            segments[one["segment"]] = _begun(one, segments)
        if one.get("segment") in segments:
            segments[one["segment"]] |= _told(one)
    return State(
        plan=_plan(told[0]),
        segments=tuple(Segment(**one) for one in segments.values()),
        result=result,
        carried=tuple(carried),
    )


def _read(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    told = []
    for line in lines:
        with contextlib.suppress(ValueError):
            told.append(json.loads(line))
    return told


def _plan(line: dict[str, Any]) -> Plan:
    """Plan of a book's first line, which an earlier version wrote without what it did not know."""
    given = {one.name: line[one.name] for one in fields(Plan) if one.name in line or one.default is MISSING}
    lists = ("command", "arguments", "targets", "carry", "queue")
    return Plan(**given | {name: tuple(given[name]) for name in lists if name in given})


def _carried(line: dict[str, Any]) -> Carried:
    given = {one.name: line[one.name] for one in fields(Carried)}
    lists = ("energy_kwh", "emissions_kg")
    return Carried(**given | {name: tuple(given[name]) for name in lists if given[name] is not None})


def _begun(line: dict[str, Any], segments: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Segment that a line begins; one that Slurm has begun by itself goes on with the job of the one before."""
    if line["k"] == "started" and segments:
        before = list(segments.values())[-1]
        before["cut"] = "code" not in before
        same: dict[str, Any] = {name: before[name] for name in ("target", "slurm") if name in before}
        return {"number": line["segment"], "resume": True, "boot": "", **same}
    made = {name: line.get(name, "") for name in ("boot", "target")}
    return {"number": line["segment"], "resume": bool(line.get("resume")), **made}


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """Fields of a segment that a line tells."""
    if line["k"] == "started":
        processes = {name: Process(*line[name]) for name in ("job", "runner")}
        return {**processes, "started_s": float(line["at_s"])}
    if line["k"] == "ended":
        told = {name: float(line[name]) for name in ("ran_s", "ready_s") if line.get(name) is not None}
        return {"code": int(line["code"]), "ended_s": float(line["at_s"]), **told}
    if line["k"] == "asked":
        return {"asked": True, "asked_s": float(line["at_s"]), "deaf": False}
    if line["k"] == "queued":
        return {"slurm": str(line["slurm"]), "begin_s": line["begin_s"]}
    return {one: {one: True} for one in ("cut", "deaf")}.get(line["k"], {})


def _locked(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
