"""A run's seat at this machine's one reader: who reads, who else is here, and how to wake the one who reads.

In the run directory, in a folder for each device tree: `reader.lock` is held by the process that reads; `wake` is a
pipe on which it waits; `runs/ID.json` is held by each run that lives, so that a killed one is known at once.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import stat
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sootprint.core.errors import MeterError
from sootprint.core.held import Held

if sys.platform != "win32":
    import fcntl
    import select

SUFFIX = ".json"
LONGEST = 100  # characters of a name that stands for a path or a job
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
        self.folder = runtime_dir / f"reader{os.path.realpath(sysfs).replace(os.sep, '-')[-LONGEST:]}"
        self._lock: Held | None = None
        self._pipe: Held | None = None
        self._own: Held | None = None
        self._group: Held | None = None
        self._content: Registration | None = None  # as which this run is seen
        self._seen: dict[str, Registration] = {}
        self._is_open = True
        self.reads = False
        self.knocked = False  # whether someone asked for a tick
        try:
            self._open_lock()
        except OSError as err:
            raise MeterError(
                f"{runtime_dir} cannot be used ({err.strerror}): other runs on this machine are not seen"
            ) from err
        _seats.add(self)

    @property
    def _lock_path(self) -> Path:
        return self.folder / "reader.lock"

    def _open_lock(self) -> None:
        _make_private(self.folder / "runs")
        self._lock = _opened(self._lock_path)

    def take(self) -> bool:
        """Whether this run now reads for all, as nobody else does.

        Raises:
            OSError: Files cannot be locked here.
        """
        if (
            not self.reads
            and self._lock is not None
            and self._lock.is_at(self._lock_path)
            and _locked(self._lock)
        ):
            self.reads = self._lock.is_at(self._lock_path)  # it may have been replaced meanwhile
            with contextlib.suppress(OSError):  # without it a tick comes when it is due
                self._pipe = _pipe(self.folder / "wake")
            with contextlib.suppress(OSError):  # for `keep` of the others
                os.pwrite(self._lock.number, json.dumps([os.getpid(), _namespace()]).encode().ljust(64), 0)
        return self.reads

    @property
    def is_in_place(self) -> bool:
        """Whether the lock is where others look for it."""
        return not self._is_open or (self._lock is not None and self._lock.is_at(self._lock_path))

    def keep(self) -> bool:
        """Whether who reads is as it was; what was deleted under this run is made again.

        A cleaner of /tmp deletes files that are in use, and a child that was forked behind Python's back may hold
        the lock of a reader that is dead.
        """
        if not self._is_open:
            return True
        read = self.reads
        with contextlib.suppress(OSError):  # the folder cannot be made now: this run goes on as it is
            if self._lock is None or not self._lock.is_at(self._lock_path):
                before = (self._lock, self._pipe)
                self._open_lock()
                self.reads, self._pipe = False, None
                for file in before:
                    if file is not None:
                        file.close()
                if read:
                    self.take()
            elif not read and self._holder_is_dead():
                self._lock_path.unlink()
                self._open_lock()
            if self._content is not None and not self._path(self._content).exists():
                self.register(self._content)
        return self.reads == read

    def _holder_is_dead(self) -> bool:
        """Whether the process that took the lock has gone, though a child of its holds it."""
        assert self._lock is not None
        try:
            pid, namespace = json.loads(os.pread(self._lock.number, 64, 0))
        except (OSError, ValueError, TypeError):
            return False
        return namespace == _namespace() and _is_gone(pid) and not _locked(self._lock)

    def take_group(self, group: str) -> bool:
        """Whether this run is the one rank of a job on this machine that writes its record."""
        if self._group is None:
            folder = self.folder / "groups"
            folder.mkdir(exist_ok=True, mode=0o700)
            path = folder / f"{group.encode(errors='replace').hex()[:LONGEST]}.lock"
            self._group = _opened(path)
        return _locked(self._group)

    def register(self, content: Registration) -> None:
        """Be seen by the others, as what was said last, until the end of this process or `leave`.

        Raises:
            OSError: The registration cannot be written.
        """
        draft = self._path(content).with_suffix(".new")
        before, self._own = self._own, _opened(draft)
        _locked(self._own)
        os.write(self._own.number, json.dumps(content._asdict() | {"namespace": _namespace()}).encode())
        draft.rename(self._path(content))  # it is seen only once it is held
        self._content = content
        if before is not None:
            before.close()

    def _path(self, content: Registration) -> Path:
        return self.folder / "runs" / f"{content.id}{SUFFIX}"

    def is_shared(self) -> bool:
        """Whether anything lies beside this run's own registration; whether it lives is another question."""
        try:
            with os.scandir(self.folder / "runs") as found:
                return sum(1 for _ in found) > 1
        except OSError:
            return True

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
        own = self._pipe
        if own is not None and own.is_ours:
            with contextlib.suppress(OSError):
                os.write(own.number, b"w")
            return
        try:
            pipe = os.open(self.folder / "wake", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # nobody reads
            return
        with contextlib.suppress(OSError):  # it is full, so the reader is awake
            os.write(pipe, b"w")
        os.close(pipe)

    def wait(self, duration_s: float) -> None:
        """Sleep until `duration_s` [s] have passed or someone wakes this reader."""
        if self._pipe is None:
            return
        poll = select.poll()
        poll.register(self._pipe.number, select.POLLIN)
        if not poll.poll(duration_s * 1000.0):
            return
        if self._pipe.is_ours:
            with contextlib.suppress(OSError):
                self.knocked = bool(os.read(self._pipe.number, 4096))
        else:
            self._pipe = None  # the program closed it

    @property
    def has_pipe(self) -> bool:
        """Whether this run can be woken by others."""
        return self._pipe is not None

    def rest(self) -> None:
        """Be seen by nobody and let another run read, while this one is charged elsewhere; `take` may come later."""
        self.leave()
        self.wake()
        if self._pipe is not None:
            self._pipe.close()
        if self._lock is not None:
            fcntl.flock(self._lock.number, fcntl.LOCK_UN)
        self._pipe, self.reads = None, False

    def hand_over(self) -> None:
        """Let another run read from now on, while this one has yet to write its record."""
        self._is_open = self.reads = False
        for file in (self._pipe, self._lock):
            if file is not None:
                file.close()
        self._pipe = self._lock = None

    def leave(self) -> None:
        """No longer be seen; who reads charges this run until it notices, at the latest at the wake that follows."""
        if self._content is not None:
            with contextlib.suppress(OSError):
                self._path(self._content).unlink()
            self._seen = {run: one for run, one in self._seen.items() if run != self._content.id}
            self._content = None

    def close(self) -> None:
        """Give up the lock and the registration."""
        self._is_open = self.reads = False
        for file in (self._pipe, self._own, self._group, self._lock):
            if file is not None:
                file.close()
        self._pipe = self._own = self._group = self._lock = None


def _make_private(folder: Path) -> None:
    """Make a folder and those above it that only this user can use, whatever the umask.

    Raises:
        OSError: It cannot be made, or somebody else can write to it.
    """
    for path in (folder.parent.parent, folder.parent, folder):
        path.mkdir(parents=path == folder.parent.parent, exist_ok=True, mode=0o700)
    top = folder.parent.parent.stat()
    if top.st_uid not in (0, os.geteuid()) or (top.st_mode & 0o002 and not top.st_mode & stat.S_ISVTX):
        raise PermissionError(1, "others may replace what is in it")
    for path in (folder, folder.parent):
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise PermissionError(1, "others may write to it")


def _opened(path: Path) -> Held:
    return Held(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _locked(file: Held) -> bool:
    """Whether this process holds the lock of a file now.

    Raises:
        OSError: Files cannot be locked here.
    """
    try:
        fcntl.flock(file.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@functools.cache
def _namespace() -> int:
    """Number of this process's namespace of process numbers; 0 where there is none."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, TypeError):
        return False
    return False


def _pipe(path: Path) -> Held:
    """The pipe that wakes the reader, open at both ends so that it never ends.

    Raises:
        OSError: It cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    if not stat.S_ISFIFO(path.lstat().st_mode):
        path.unlink()
        os.mkfifo(path, 0o600)
    return Held(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))


def _read(path: Path) -> Registration | None:
    """Registration whose process lives; a file that is none is left alone, that of a dead run removed."""
    if path.suffix != SUFFIX:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        content = None if _locked(Held(descriptor)) else json.loads(os.read(descriptor, MOST_BYTES))
        if content is None or _left_by(content):
            path.unlink(missing_ok=True)
            return None
        return _registration(content)
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def _left_by(content: Any) -> bool:
    """Whether the process of a registration has gone, though a child that was forked by a library holds it."""
    if not isinstance(content, dict) or not isinstance(content.get("pid"), int):
        return False
    return content.get("namespace") == _namespace() and _is_gone(content["pid"])


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
