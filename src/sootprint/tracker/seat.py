"""A run's seat at this machine's one reader: who reads, who else is here, and how to wake the one who reads.

In the run directory, in a folder for each device tree: `reader.lock` is held by the process that reads; `wake` is a
pipe on which it waits; `runs/ID.json` is held by each run that lives, so that a killed one is known at once.
"""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import stat
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sootprint.core.errors import MeterError

if sys.platform != "win32":
    import fcntl
    import select

SUFFIX = ".json"
MOST_BYTES = 100_000  # of a registration
VISIBLE = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
_seats: weakref.WeakSet[Seat] = weakref.WeakSet()


class Registration(NamedTuple):
    """A run that is here.

    Args:
        id: Its identity.
        pid: Process whose tree it charges.
        parent: Run that it is a part of.
        strict: Whether it pays for its own processes alone.
        environ: Variables that say which accelerators it may use.
        group: Job that it is a rank of.
        rank: Its rank among those of the job on this machine.
        writes: Whether it writes a record, which of a job's ranks only one does.
    """

    id: str
    pid: int
    parent: str | None = None
    strict: bool = False
    environ: Mapping[str, str] = {}
    group: str | None = None
    rank: int | None = None
    writes: bool = True


def visible(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that say which accelerators a run may use."""
    return {name: environ[name] for name in VISIBLE if name in environ}


class Seat:
    """Files of this machine's reader, as one run holds them.

    Args:
        runtime_dir: Directory of locks and sockets.
        sysfs: Root of the device tree that is read.

    Raises:
        MeterError: The directory cannot be used, or belongs to somebody else.
    """

    def __init__(self, runtime_dir: Path, sysfs: str) -> None:
        if sys.platform == "win32":
            raise MeterError("this system has no file locks: other runs on this machine are not seen")
        key = binascii.crc32(os.path.realpath(sysfs).encode(errors="replace"))
        self.folder = runtime_dir / f"reader-{key:08x}"
        try:
            _make_private(self.folder / "runs")
            self._lock: int | None = os.open(
                self.folder / "reader.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as err:
            raise MeterError(
                f"{runtime_dir} cannot be used ({err.strerror}): other runs on this machine are not seen"
            ) from err
        self.reads = False
        self._seen: dict[str, Registration] = {}
        self._pipe: int | None = None
        self._own: int | None = None
        self._group: int | None = None
        self._path: Path | None = None
        self.knocked = False  # whether someone asked for a tick
        _seats.add(self)

    def take(self) -> bool:
        """Whether this run now reads for all, as nobody else does."""
        if not self.reads and self._lock is not None and _locked(self._lock):
            self.reads = True
            with contextlib.suppress(OSError):  # without it a tick comes when it is due
                self._pipe = _pipe(self.folder / "wake")
        return self.reads

    def take_group(self, group: str) -> bool:
        """Whether this run is the one rank of a job on this machine that writes its record."""
        if self._group is None:
            folder = self.folder / "groups"
            folder.mkdir(exist_ok=True, mode=0o700)
            path = folder / f"{binascii.crc32(group.encode(errors='replace')):08x}.lock"
            self._group = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return _locked(self._group)

    def register(self, content: Registration) -> None:
        """Be seen by the others, as what was said last, until the end of this process or `leave`.

        Raises:
            OSError: The registration cannot be written.
        """
        path = self.folder / "runs" / f"{content.id}{SUFFIX}"
        draft = path.with_suffix(".new")
        before, self._own = self._own, os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _locked(self._own)
        os.write(self._own, json.dumps(content._asdict()).encode())
        draft.rename(path)  # it is seen only once it is held
        self._path = path
        if before is not None:
            os.close(before)

    def others(self) -> dict[str, Registration]:
        """Live registrations by identity, this run's own included; those of dead runs are cleared away."""
        try:
            paths = list((self.folder / "runs").iterdir())
        except OSError:  # the folder was removed under its runs: those that were here go on
            return self._seen
        known = {path: _read(path) for path in paths}
        self._seen = {one.id: one for path, one in known.items() if one is not None and path.stem == one.id}
        return self._seen

    def wake(self) -> None:
        """Ask whoever reads for a tick now."""
        try:
            pipe = os.open(self.folder / "wake", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # nobody reads
            return
        with contextlib.suppress(OSError):  # it is full, so the reader is awake
            os.write(pipe, b"w")
        os.close(pipe)

    def wait(self, duration_s: float) -> None:
        """Sleep until `duration_s` [s] have passed or someone wakes this reader."""
        poll = select.poll()
        poll.register(self._pipe or 0, select.POLLIN)
        if poll.poll(duration_s * 1000.0):
            self.knocked = bool(os.read(self._pipe or 0, 4096))

    @property
    def has_pipe(self) -> bool:
        """Whether this run can be woken by others."""
        return self._pipe is not None

    def hand_over(self) -> None:
        """Let another run read from now on, while this one has yet to write its record."""
        for descriptor in (self._pipe, self._lock):
            if descriptor is not None:
                os.close(descriptor)
        self._pipe = self._lock = None
        self.reads = False

    def leave(self) -> None:
        """No longer be seen; who reads charges this run until it notices, at the latest at the wake that follows."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._path = None

    def close(self) -> None:
        """Give up the lock and the registration."""
        for descriptor in (self._pipe, self._own, self._group, self._lock):
            if descriptor is not None:
                os.close(descriptor)
        self._pipe = self._own = self._group = self._lock = None
        self.reads = False


def _make_private(folder: Path) -> None:
    """Make a folder and the one above it that only this user can use.

    Raises:
        OSError: It cannot be made, or somebody else can write to it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in (folder, folder.parent):
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise PermissionError(1, "others may write to it")


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _pipe(path: Path) -> int:
    """The pipe that wakes the reader, open at both ends so that it never ends.

    Raises:
        OSError: It cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    if not stat.S_ISFIFO(path.lstat().st_mode):
        path.unlink()
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def _read(path: Path) -> Registration | None:
    """Registration whose process lives; a file that is none is left alone, that of a dead run removed."""
    if path.suffix != SUFFIX:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if _locked(descriptor):
            path.unlink(missing_ok=True)
            return None
        return _registration(json.loads(os.read(descriptor, MOST_BYTES)))
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def _registration(data: Any) -> Registration | None:
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("id"), str)
        or not isinstance(data.get("pid"), int)
    ):
        return None
    parent, environ = data.get("parent"), data.get("environ")
    return Registration(
        id=data["id"],
        pid=data["pid"],
        parent=parent if isinstance(parent, str) else None,
        strict=data.get("strict") is True,
        environ=environ if isinstance(environ, dict) else {},
        group=data.get("group") if isinstance(data.get("group"), str) else None,
        rank=data.get("rank") if isinstance(data.get("rank"), int) else None,
        writes=data.get("writes") is not False,
    )


def _forget_in_child() -> None:
    """A forked child must not hold the locks that say its parent lives."""
    for seat in list(_seats):
        seat.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
