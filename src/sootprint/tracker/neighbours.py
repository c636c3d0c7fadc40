"""Runs of other users on one node, as everybody may see them while the node service is away.

Beside the service's socket lies a file that everybody may read and only the service may write. Each run holds a lock on
one byte of it, whose place tells its user and its process, and the kernel gives it up when the process ends. In it
stands of which namespace the numbers of processes are: a run of another one, as in a container, tells none.
So whoever reads for the runs of one user knows which processes of the others are charged for elsewhere, and nothing
else of them.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import sys
import weakref

from sootprint.core.held import Held
from sootprint.tracker.registration import HERE, namespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

if sys.platform != "win32":
    import fcntl

BESIDE = "/"  # before the names of neighbours, which the name of a run's file never has
MOST = 1_024  # runs of others that are asked for
MOST_FILES = 4  # that one run holds a lock of, where a service has begun anew in another folder
DIGITS = 20  # of the number of a namespace
_PIDS = 1 << 22  # more than the highest number of a process: PID_MAX_LIMIT of Linux, proc(5) (2025)
_END = 1 << 62
_LOCK = "hhqqi0q"  # struct flock of Linux, fcntl(2) (2025)
_all: weakref.WeakSet[Neighbours] = weakref.WeakSet()


class Neighbour(NamedTuple):
    """A run of another user.

    Args:
        uid: Its user.
        pid: Its process, or None where that cannot be seen from here.
        name: Identity among those who are charged, which no run can have.
    """

    uid: int
    pid: int | None
    name: str


def path_of(socket: str) -> str:
    """File on which runs say that they are here."""
    return f"{socket}{HERE}"


def furnish(socket: str) -> None:
    """Make the file, as the service does; what goes wrong leaves each user to himself as soon as the service dies."""
    with contextlib.suppress(OSError):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        number = os.open(path_of(socket), flags, 0o644)
        try:
            os.fchmod(number, 0o644)
            os.pwrite(number, b"%*d\n" % (DIGITS, namespace()), 0)
        finally:
            os.close(number)


class Neighbours:
    """What one process tells of itself there, and what it sees of others.

    Args:
        socket: Path of the node service's socket.
        procfs: Root of the process tree.
        uid: Its user, whose other runs are no neighbours; -1 for a process that is no run.
        pid: Its process.
    """

    def __init__(self, socket: str, procfs: str, *, uid: int = -1, pid: int = 0) -> None:
        self._path, self._procfs, self._uid, self._pid = path_of(socket), procfs, uid, pid
        self._files: list[Held] = []
        self._is_near = True  # whether the numbers of processes are those of this one's namespace
        _all.add(self)

    def look(self) -> None:
        """See others from now on, where the file is there."""
        if self._files and self._files[-1].is_at(self._path):  # type: ignore[arg-type]
            return
        with contextlib.suppress(OSError):
            number = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            file = Held(number)
            if not stat.S_ISREG(os.fstat(number).st_mode):
                file.close()
                return
            told = os.pread(number, DIGITS, 0).strip()  # nothing, where a file was made by hand
            self._is_near = not told or told == b"%d" % namespace()
            self._files.append(file)
            for old in self._files[:-MOST_FILES]:
                old.close()
            del self._files[:-MOST_FILES]

    def enter(self) -> None:
        """Be seen by others too, until `close`; those who came before see it on the file that they know."""
        before = self._files[-1:]
        self.look()
        if self._files[-1:] != before and hasattr(fcntl, "F_OFD_SETLK"):
            place = self._uid * _PIDS + (self._pid if self._is_near else 0)
            own = struct.pack(_LOCK, fcntl.F_RDLCK, os.SEEK_SET, place, 1, 0)
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._files[-1].number, fcntl.F_OFD_SETLK, own)

    @property
    def any(self) -> bool:
        """Whether a run of another user is here."""
        return next(self._places(self._of_others), None) is not None

    def others(self) -> list[Neighbour]:
        """Runs of other users that are here."""
        return self._found(self._of_others)

    def kin(self) -> list[Neighbour]:
        """Other runs of this user that are here, wherever their runtime directory is."""
        own = self._uid * _PIDS
        return self._found([(own, own + _PIDS)])

    @property
    def _of_others(self) -> list[tuple[int, int]]:
        own = self._uid * _PIDS
        return [(0, own), (own + _PIDS, _END)]

    def _found(self, ranges: Sequence[tuple[int, int]]) -> list[Neighbour]:
        return [self._neighbour(*divmod(place, _PIDS)) for place in sorted(set(self._places(ranges)))]

    def _neighbour(self, uid: int, pid: int) -> Neighbour:
        try:
            owner = os.stat(f"{self._procfs}/{pid}").st_uid  # noqa: PTH116 - a text suffices
            is_its_own = self._is_near and pid > 0 and owner == uid
        except OSError:
            is_its_own = False
        return Neighbour(uid, pid if is_its_own else None, f"{BESIDE}{uid}/{pid}")

    def _places(self, ranges: Sequence[tuple[int, int]]) -> Iterator[int]:
        """Bytes that others have locked; the kernel tells one at a time, of any place in what is asked."""
        left = MOST
        for file in self._files if hasattr(fcntl, "F_OFD_GETLK") else ():
            waiting = list(ranges)
            while waiting and left and file.is_ours:
                start, end = waiting.pop()
                place = _locked_in(file.number, start, end)
                if place is not None:
                    left -= 1
                    waiting += [(start, place), (place + 1, end)]
                    yield place

    def close(self) -> None:
        """Be seen no longer."""
        for file in self._files:
            file.close()
        self._files = []


def _locked_in(number: int, start: int, end: int) -> int | None:
    """A byte from `start` until before `end` that somebody has locked, or None where there is none."""
    if start >= end:
        return None
    asked = struct.pack(_LOCK, fcntl.F_WRLCK, os.SEEK_SET, start, end - start, 0)
    try:
        kind, _, place, *_ = struct.unpack(_LOCK, fcntl.fcntl(number, fcntl.F_OFD_GETLK, asked))
    except OSError:
        return None
    return None if kind == fcntl.F_UNLCK else max(start, place)


def _forget_in_child() -> None:
    """A forked child must not hold the lock that says its parent lives."""
    for one in list(_all):
        one.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
