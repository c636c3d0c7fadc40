"""A run's seat at this machine's one reader: who reads, who else is here, and how to wake the one who reads.

In the run directory, in a folder for each device tree: `reader.lock` is held by the process that reads; `wake` is a
pipe on which it waits; in `runs` lie the registrations.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import weakref
from pathlib import Path

from sootprint.core.errors import MeterError
from sootprint.core.held import Held
from sootprint.tracker import bell
from sootprint.tracker.registration import (
    LEFT,
    MOST_BYTES,
    SUFFIX,
    Registration,
    is_gone,
    is_owed,
    locked,
    make_private,
    namespace,
    opened,
    read,
    taken_away,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

if sys.platform != "win32":
    import fcntl

LONGEST = 100  # characters of a name that stands for a path or a job
_seats: weakref.WeakSet[Seat] = weakref.WeakSet()


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
        self._lock_path, self._runs = self.folder / "reader.lock", self.folder / "runs"
        self._lock: Held | None = None
        self._pipe: Held | None = None
        self._heard: tuple[Held, Callable[[float], Sequence[object]]] | None = None
        self._own: Held | None = None
        self._group: Held | None = None
        self._group_path: Path | None = None
        self._writes_group = False
        self.heir_of: str | None = None  # the rank of this run's job that wrote its record before
        self._content: Registration | None = None  # as which this run is seen
        self._seen_at = ""  # and where
        self._left: Path | None = None  # what says that it has left and waits for its account
        self._seen: dict[str, Registration] = {}
        self._is_open = True
        self.reads = False
        self.before: dict[str, Any] | None = None  # note of the run that read before
        self._told: Mapping[str, Any] | None = None  # note of this one
        self._waits = self._waited = False  # whether this run, or any, was here while somebody held the lock
        self.knocked = False  # whether someone asked for a tick
        try:
            self._open_lock()
        except OSError as err:
            raise MeterError(
                f"{runtime_dir} cannot be used ({err.strerror}): other runs on this machine are not seen"
            ) from err
        _seats.add(self)

    def _open_lock(self) -> None:
        make_private(self._runs)
        self._lock = opened(self._lock_path)

    def take(self) -> bool:
        """Whether this run now reads for all, as nobody else does.

        Raises:
            OSError: Files cannot be locked here.
        """
        if self.reads or self._lock is None or not self._lock.is_at(self._lock_path):
            return self.reads
        self._waited = self._waits or self._has_waiting()
        self._waits = True
        if locked(self._lock):
            self.reads = self._lock.is_at(self._lock_path)  # it may have been replaced meanwhile
            with contextlib.suppress(OSError):  # without it a tick comes when it is due
                self._pipe = bell.hung(self.folder / "wake")
            self.before = self._noted() if self._waited else None
            self.note(self.before)  # until this run has looked, it is as it was
        return self.reads

    @contextlib.contextmanager
    def passage(self) -> Iterator[bool]:
        """Whether no other run of this user reads, nor begins to before the end of this; some may ask at a time."""
        file = None if self.reads or self._lock is None or not self._lock.is_ours else self._lock
        try:
            is_free = file is None or locked(file, shared=True)
        except OSError:  # files cannot be locked here, so that nobody reads for others
            file, is_free = None, True
        try:
            yield is_free
        finally:
            if file is not None and is_free:
                fcntl.flock(file.number, fcntl.LOCK_UN)

    def holder(self) -> Registration | None:
        """The run that reads for all, where it is known."""
        pid, known, *_ = self._written()
        near = [one for one in self.others().values() if known == namespace() and one.namespace is None]
        found = [one for one in near if one.pid == pid]
        return found[0] if found else None

    def _written(self) -> list[Any]:
        """What stands in the lock's file: its holder's process, the namespace of that, and a note if there is one."""
        try:
            content = json.loads(os.pread(self._lock.number, MOST_BYTES, 0)) if self._lock else None
        except (OSError, ValueError, RecursionError):
            content = None
        return content if isinstance(content, list) and len(content) >= 2 else [None, None]

    def _has_waiting(self) -> bool:
        """Whether another run was here while somebody held the lock: else its note may be of days ago."""
        own = None if self._content is None else self._content.id
        return any(one.writes and one.id != own for one in self.others().values())

    def sit(self, content: Registration) -> bool:
        """Whether this run reads for all, as nobody else does; it is seen by the others from now on.

        Raises:
            OSError: Files cannot be locked here, or the registration cannot be written.
        """
        if self.take() and not self._waited:  # whoever comes now was charged by nobody
            self.before = {}
            self.note({})
        self.register(content)
        return self.reads

    def note(self, charged: Mapping[str, Any] | None) -> None:
        """Tell who takes the seat next who was charged, where this run is killed; the lock's file is never cut.

        Args:
            charged: What `alone.note` tells; empty where nobody is charged yet, None where the board tells.
        """
        self._told, lock = charged, self._lock
        if not self.reads or lock is None or not lock.is_ours:
            return
        more = [] if charged is None else [charged]
        with contextlib.suppress(OSError):  # its first two are for `keep` of the others
            text = json.dumps([os.getpid(), namespace(), *more]).encode()
            os.pwrite(lock.number, text.ljust(os.fstat(lock.number).st_size), 0)

    def _noted(self) -> dict[str, Any] | None:
        """What the run that held the lock before has noted."""
        told = self._written()[2:]
        return told[0] if told and isinstance(told[0], dict) else None

    @property
    def is_in_place(self) -> bool:
        """Whether the lock was not deleted; `keep` looks whether it is where others look for it."""
        return not self._is_open or (self._lock is not None and self._lock.is_linked())

    @property
    def watch(self) -> tuple[Callable[[float], Sequence[object]], Callable[[], bool]] | None:
        """A wait of some milliseconds that a knock cuts off, and `is_in_place`, until any other method is called."""
        if self._pipe is None or self._lock is None or not self._is_open:
            return None
        return self._poll(self._pipe), self._lock.is_linked

    def keep(self, *, now: bool = True) -> bool:
        """Whether who reads is as it was; what was deleted under this run is made again.

        It is looked at now, or else only where the lock has been deleted.

        A cleaner of /tmp deletes files that are in use, by their age as a rule, so that they are made young here; and
        a child that was forked behind Python's back may hold the lock of a reader that is dead.
        """
        if not self._is_open or (self.is_in_place and not now):
            return True
        read = self.reads
        with contextlib.suppress(OSError):  # the folder cannot be made now: this run goes on as it is
            if self._lock is None or not self._lock.is_at(self._lock_path):
                before, told = (self._lock, self._pipe), self._told
                self._open_lock()
                self.reads, self._pipe = False, None
                for file in before:
                    if file is not None:
                        file.close()
                if read and self.take():
                    self.note(told)
            elif not read and self._holder_is_dead():
                self._lock_path.unlink()
                self._open_lock()
            self._keep_group()
            if self._content is not None and not os.path.exists(self._seen_at):  # noqa: PTH110
                self.register(self._content)
            for file in (self._lock, self._pipe, self._own, self._group):
                if file is not None and file.is_ours:
                    os.utime(file.number)
        return self.reads == read

    def _holder_is_dead(self) -> bool:
        """Whether the process that took the lock has gone, though a child of its holds it."""
        assert self._lock is not None
        pid, known, *_ = self._written()
        return known == namespace() and is_gone(pid) and not locked(self._lock)

    def take_group(self, group: str, run: str) -> bool:
        """Whether this run is the one rank of a job on this machine that writes its record.

        A file that was deleted is left for the one in its place only once nobody holds it: until then the rank that
        writes is about to make a new one.
        """
        if self._group_path is None:
            name = f"{group.encode(errors='replace').hex()[:LONGEST]}.lock"
            self._group_path = self.folder / "groups" / name
        if self._group is None:
            self._group = self._opened_group(self._group_path)
        self._writes_group = locked(self._group)
        if self._writes_group and not self._group.is_at(self._group_path):
            self._group.close()
            self._group = self._opened_group(self._group_path)
            self._writes_group = locked(self._group)
        if self._writes_group:
            with contextlib.suppress(OSError, ValueError):
                self.heir_of = os.pread(self._group.number, LONGEST, 0).decode("ascii").strip() or None
            with contextlib.suppress(OSError):
                os.pwrite(self._group.number, run.encode("ascii", "replace").ljust(LONGEST), 0)
        return self._writes_group

    @staticmethod
    def _opened_group(path: Path) -> Held:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        return opened(path)

    def _keep_group(self) -> None:
        """Hold the lock of the job where others look for it, as long as nobody else does."""
        path = self._group_path
        if self._group is None or path is None or not self._writes_group or self._group.is_at(path):
            return
        anew = self._opened_group(path)
        if locked(anew):
            os.pwrite(anew.number, os.pread(self._group.number, LONGEST, 0), 0)
            self._group, anew = anew, self._group
        anew.close()

    def register(self, content: Registration) -> None:
        """Be seen by the others, as what was said last, until the end of this process or `leave`.

        Raises:
            OSError: The registration cannot be written.
        """
        draft = self._path(content).with_suffix(".new")
        before, self._own = self._own, opened(draft)
        locked(self._own)
        os.write(self._own.number, json.dumps(content._asdict() | {"namespace": namespace()}).encode())
        draft.rename(self._path(content))  # it is seen only once it is held
        self._content, self._seen_at = content, os.fspath(self._path(content))
        if before is not None:
            before.close()

    def _path(self, content: Registration) -> Path:
        return self._runs / f"{content.id}{SUFFIX}"

    def is_shared(self) -> bool:
        """Whether anything lies beside this run's own registration; whether it lives is another question."""
        try:
            with os.scandir(self._runs) as found:
                return sum(1 for _ in found) > 1
        except OSError:
            return True

    def has_company(self) -> bool:
        """Whether another run is here."""
        return self.is_shared() and len(self.others()) > 1

    def others(self) -> dict[str, Registration]:
        """Live registrations by identity, this run's own included; those of dead runs are cleared away."""
        try:
            paths = list(self._runs.iterdir())
        except OSError:  # the folder was removed under its runs: those that were here go on
            return self._seen
        known = {path.name: read(path) for path in paths}
        self._seen = {
            one.id: one for name, one in known.items() if one is not None and name == f"{one.id}{SUFFIX}"
        }
        return self._seen

    def wake(self) -> None:
        """Ask whoever reads for a tick now."""
        own = self._pipe
        if own is not None and own.is_ours:
            with contextlib.suppress(OSError):
                os.write(own.number, b"w")
        else:
            bell.ring(self.folder / "wake")

    def wait(self, duration_s: float) -> None:
        """Sleep until `duration_s` [s] have passed or someone wakes this reader."""
        if self._pipe is None:
            return
        if not self._poll(self._pipe)(duration_s * 1000.0):
            return
        if self._pipe.is_ours:
            with contextlib.suppress(OSError):
                self.knocked = bool(os.read(self._pipe.number, 4096))
        else:
            self._pipe = None  # the program closed it

    def _poll(self, pipe: Held) -> Callable[[float], Sequence[object]]:
        if self._heard is None or self._heard[0] is not pipe:
            self._heard = pipe, bell.heard(pipe)
        return self._heard[1]

    @property
    def has_pipe(self) -> bool:
        """Whether this run can be woken by others."""
        return self._pipe is not None

    def rest(self) -> None:
        """Be seen by nobody and let another run read, while this one is charged elsewhere; `take` may come later."""
        self.leave()
        self.give_up()
        self.wake()
        self.note(None)
        if self._pipe is not None:
            self._pipe.close()
        if self._lock is not None:
            fcntl.flock(self._lock.number, fcntl.LOCK_UN)
        self._pipe, self.reads = None, False

    def hand_over(self) -> None:
        """Let another run read from now on, while this one has yet to write its record."""
        self.note(None)
        self._is_open = self.reads = False
        for file in (self._pipe, self._lock):
            if file is not None:
                file.close()
        self._pipe = self._lock = None

    def leave(self) -> None:
        """No longer be seen; who reads charges this run once more, unless it has not noticed before `give_up`."""
        self._waits = False
        if self._content is not None:
            path = self._path(self._content)
            self._left = None if self.reads else path.with_suffix(LEFT)
            with contextlib.suppress(OSError):
                path.rename(self._left) if self._left is not None else path.unlink()
            self._seen = {run: one for run, one in self._seen.items() if run != self._content.id}
            self._content = None

    def give_up(self) -> bool:
        """Whether this run, which has left, is charged no more; else whoever reads is about to tell what it is."""
        left, self._left = self._left, None
        return left is not None and taken_away(left)

    def is_owed(self, run: str) -> bool:
        """Whether a run is charged until now; asked once, by the one who then does it."""
        return is_owed(self._runs, run)

    def close(self) -> None:
        """Give up the lock and the registration."""
        self._is_open = self.reads = False
        for file in (self._pipe, self._own, self._group, self._lock):
            if file is not None:
                file.close()
        self._pipe = self._own = self._group = self._lock = None


def _forget_in_child() -> None:
    """A forked child must not hold the locks that say its parent lives."""
    for seat in list(_seats):
        seat.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
