"""A file that is held open while a program may close or reuse its number, as one does that becomes a daemon."""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class Held:
    """An open file of ours.

    Args:
        number: Its descriptor.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._file = _file(os.fstat(number))
        self._device, self._inode = self._file

    @property
    def is_ours(self) -> bool:
        """Whether the number still stands for the file that was opened."""
        try:
            facts = os.fstat(self.number)
        except OSError:
            return False
        return facts.st_ino == self._inode and facts.st_dev == self._device

    def is_linked(self) -> bool:
        """Whether the number still stands for the file, and the file has a name yet."""
        try:
            facts = os.fstat(self.number)
        except OSError:
            return False
        return facts.st_ino == self._inode and facts.st_dev == self._device and facts.st_nlink > 0

    def is_at(self, path: Path) -> bool:
        """Whether the file is the one that a path names."""
        try:
            return _file(os.stat(path)) == self._file  # noqa: PTH116 - a quarter of the cost, at every look
        except OSError:
            return False

    def close(self) -> None:
        """Close the file, unless the program did and has another one under its number."""
        if self.is_ours:
            with contextlib.suppress(OSError):
                os.close(self.number)


def _file(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino
