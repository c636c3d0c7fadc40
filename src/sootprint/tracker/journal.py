"""The journal: one append-only file a run, one write a line, so that kill -9 loses at most the last flush."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from sootprint.core.errors import RecordError
from sootprint.core.held import Held
from sootprint.core.lines import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from sootprint.core.named import NamedTuple

if sys.platform != "win32":
    import fcntl

SUFFIX = ".jsonl"
_encode = encoder(ensure_ascii=False)
MAX_PENDING_BYTES = 4_000_000
SYNC_TICKS = (
    60  # that a power cut may cost where the system keeps them for so long; a kill costs none of them
)
COMPACT_TICKS = 600
ROOM_BYTES = 65_536  # kept back for the lines of a run on a disk that fills: four minutes of them
_open_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


class Line(NamedTuple):
    """One line of a journal: its number, its content, or the reason why it cannot be read."""

    number: int
    content: dict[str, Any] | None
    reason: str | None
    torn: bool  # the last line, cut in the middle of its write


class Journal:
    """Journal that is open for writing and locked while its process lives.

    What the disk does not take is kept in memory and written with the next line. Some room on the disk is kept back
    from the start, and given to the journal once the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = _draft(path)
        self._file: Held | None = Held(_create(fresh))
        fresh.rename(path)  # it is seen only once it is locked
        self._has_room = _keep_room(_room(path))
        self._pending = bytearray()
        self._overflowed = False
        self._sync_at, self._replace_at = SYNC_TICKS, COMPACT_TICKS
        _open_journals.add(self)

    def append(self, content: Mapping[str, Any], text: str | None = None) -> bool:
        """Whether everything appended so far is in the file.

        Args:
            content: One line.
            text: The same as JSON with the end of its line, where it is known.
        """
        file = self._file
        if file is None or not file.is_ours:
            return False
        line = _encoded(content) if text is None else text.encode()
        if not self._pending:
            try:
                written = os.write(file.number, line)
            except OSError:
                written = 0
            if written == len(line):
                return True
            line = line[written:]
        elif len(self._pending) > MAX_PENDING_BYTES:
            self._pending = bytearray(b"\n")
            self._overflowed = True
        self._pending += line
        return self._flush() or (self._give_room() and self._flush())

    def _flush(self) -> bool:
        """Whether all that is pending went into the file."""
        assert self._file is not None
        try:
            while self._pending:
                written = os.write(self._file.number, self._pending)
                del self._pending[:written]
        except OSError:
            return False
        return True

    def _give_room(self) -> bool:
        """Whether there was room kept back, which is free now."""
        had, self._has_room = self._has_room, False
        if had:
            with contextlib.suppress(OSError):
                _room(self.path).unlink(missing_ok=True)
        return had

    def keep(self, ticks: int, dump: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        """Keep the file safe and short, from time to time.

        Args:
            ticks: Ticks that it holds so far; they may come by several.
            dump: Lines that stand for everything so far.
        """
        if ticks >= self._replace_at or self._overflowed:
            self._replace_at = ticks + COMPACT_TICKS
            with contextlib.suppress(OSError):  # the lines stay where they are
                self.replace(dump())
                self._sync_at = ticks + SYNC_TICKS
        if ticks >= self._sync_at:
            self._sync_at = ticks + SYNC_TICKS
            self.sync()

    def sync(self) -> None:
        """Ask the disk to keep what was written, against a loss of power."""
        if self._file is not None and self._file.is_ours:
            with contextlib.suppress(OSError):
                os.fsync(self._file.number)

    @property
    def complete(self) -> bool:
        """Whether no line was given up because the disk took nothing for long."""
        return not self._overflowed

    def replace(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Put a short equivalent of everything written so far in the place of the file, at once.

        Raises:
            OSError: The new file could not be written; the old one is as it was.
        """
        fresh = _draft(self.path)
        fresh.unlink(missing_ok=True)
        fd = _create(fresh)
        try:
            _write_all(fd, b"".join(_encoded(line) for line in lines))
            os.fsync(fd)  # else a power cut may leave an empty file in the place of all that was measured
            fresh.replace(self.path)
        except OSError:
            os.close(fd)
            fresh.unlink(missing_ok=True)
            raise
        old, self._file = self._file, Held(fd)
        self._pending, self._overflowed = bytearray(), False
        if old is not None:
            old.close()

    def close(self) -> None:
        """Close the file and give up its lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Delete the file, once its record is kept elsewhere."""
        self.close()
        if self._has_room:
            with contextlib.suppress(FileNotFoundError):
                _room(self.path).unlink()
        self.path.unlink(missing_ok=True)


def discard(path: Path) -> None:
    """Delete a journal and what a replacement that was cut off left beside it.

    Raises:
        OSError: It cannot be deleted.
    """
    _draft(path).unlink(missing_ok=True)
    _room(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def is_live(path: Path) -> bool:
    """Whether the process that writes a journal still lives."""
    if sys.platform == "win32":
        return False
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def read_lines(path: Path) -> Iterator[Line]:
    """Lines of a journal in order.

    Raises:
        RecordError: The file cannot be opened.
    """
    try:
        data = path.read_bytes()
    except OSError as err:
        raise RecordError(f"journal {path.name} cannot be read: {err.strerror}") from err
    rows = data.split(b"\n")
    for number, row in enumerate(rows, start=1):
        is_last = number == len(rows)
        if not row:
            continue
        try:
            content = json.loads(row)
            reason = None if isinstance(content, dict) else "not an object"
        except (ValueError, RecursionError) as err:
            content, reason = None, str(err)
        yield Line(number, content if reason is None else None, reason, is_last)


def _draft(path: Path) -> Path:
    return path.with_suffix(".new")


def _room(path: Path) -> Path:
    return path.with_suffix(".room")


def _keep_room(path: Path) -> bool:
    """Whether a file was made that holds room on the disk and nothing else."""
    if not hasattr(os, "posix_fallocate"):
        return False
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        os.posix_fallocate(fd, 0, ROOM_BYTES)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        return False
    finally:
        os.close(fd)
    return True


def _create(path: Path) -> int:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # a file system without locks: the run is measured all the same
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd


def _encoded(content: Mapping[str, Any]) -> bytes:
    return _encode(content).encode(errors="replace") + b"\n"


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _forget_in_child() -> None:
    """A forked child must not hold the lock that says its parent lives."""
    for journal in list(_open_journals):
        journal.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
