"""Small files of the kernel: whatever they hold, the answer is a text, a number or None."""

from __future__ import annotations

import os

from sootprint.core.held import Held

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe must not block
_DIGITS = 20  # of the largest 64-bit counter


def read(path: str, *, limit: int = 4096) -> str:
    """First `limit` bytes of a file; bytes that are no text are replaced.

    The file is opened each time, so that one which vanished, returned or was replaced is read as it is now.

    Raises:
        OSError: There is no such file, or it may not be read.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        return os.read(descriptor, limit).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


class KeptOpen:
    """A file of the kernel, kept open, so that a look costs half as much as one that opens it."""

    _file: Held | None = None

    def __init__(self, path: str) -> None:
        self._file = Held(os.open(path, _FLAGS))
        self.number = self._file.number

    def raw(self, *, limit: int) -> bytes:
        """First `limit` bytes as they are now; none where they cannot be read."""
        try:
            return os.pread(self.number, limit, 0)
        except OSError:
            return b""

    def text(self, *, limit: int) -> str | None:
        """The same as a text; None where they cannot be read."""
        return self.raw(limit=limit).decode("ascii", "replace") or None

    @property
    def is_replaced(self) -> bool:
        """Whether no path leads to the file any more."""
        assert self._file is not None
        try:
            return not os.fstat(self._file.number).st_nlink
        except OSError:
            return True

    def __del__(self) -> None:
        if self._file is not None:  # it could be opened
            self._file.close()


class KeptNumber:
    """Whole number in a file of the kernel, which is kept open from its first look until it is replaced or gone.

    The kernel replaces none; a file that somebody does replace is opened at each look from then on. One that was
    replaced stands still, so that only a number that did not change is looked at twice.

    Args:
        path: The file.
    """

    __slots__ = ("_is_kept", "_path", "before", "kept")

    def __init__(self, path: str) -> None:
        self._path = path
        self.kept: KeptOpen | None = (
            None  # the file, and what it held at the last look: for whoever reads it himself
        )
        self._is_kept = True  # as long as nobody replaced it
        self.before = b""

    def now(self) -> int | None:
        """The number as it is now, or None."""
        kept = self.kept
        if kept is None:
            return self._opened() if self._is_kept else number(self._path)
        try:
            held = os.pread(kept.number, 64, 0)
        except OSError:
            held = b""
        digits = held.strip()
        if digits.isdigit() and len(digits) <= _DIGITS and (held != self.before or not kept.is_replaced):
            self.before = held
            return int(digits)
        self.kept, self._is_kept = None, False
        return number(self._path)

    def _opened(self) -> int | None:
        try:
            self.kept = KeptOpen(self._path)
        except OSError:
            return None
        self.before = self.kept.raw(limit=64)
        found = whole(self.before.decode("ascii", "replace"))
        if found is None:
            self.kept = None
        return found


def text(path: str, *, limit: int = 4096) -> str | None:
    """Stripped text of a file, or None where it cannot be read or holds nothing."""
    try:
        return read(path, limit=limit).strip() or None
    except OSError:
        return None


def whole(words: str) -> int | None:
    """Whole number of at most 64 bits that a text spells, or None.

    >>> whole(" 42 "), whole("-1"), whole("4_2")
    (42, None, None)
    """
    words = words.strip()
    if words.isascii() and words.isdigit() and len(words) <= _DIGITS:
        return int(words)
    return None


def number(path: str) -> int | None:
    """Whole number that a file holds, or None."""
    try:
        return whole(read(path, limit=64))
    except OSError:
        return None


def entries(path: str) -> list[str]:
    """Sorted names in a folder; empty where there is none."""
    try:
        with os.scandir(path) as found:
            return sorted(entry.name for entry in found)
    except OSError:
        return []
