"""The ranks of one job on one machine: one of them writes the record, the others attach their marks to it."""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sootprint.core.held import Held
from sootprint.tracker.registration import Registration

SUFFIX = ".marks"
MOST_BYTES = 1_000_000  # read of one rank at a time
LARGE_BYTES = 4_000_000  # of a file, after which another one is begun: of most ranks nobody reads any


class Attached:
    """Marks of a rank that writes no record of its own, in a file that the one who writes reads.

    Args:
        folder: Folder of the registrations.
        run: Identity of this rank.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._path = folder / f"{run}{SUFFIX}"
        self._run = run

    def write(self, marks: deque[dict[str, Any]], start_s: float) -> None:
        """Write the marks that wait; their times count from `start_s` [s].

        Raises:
            OSError: They cannot be written, and wait.
        """
        if not marks:
            return
        count = len(marks)  # others may come meanwhile
        lines = [_absolute(marks[index], start_s, self._run) for index in range(count)]
        descriptor, before = self._opened()
        try:
            data = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
            if os.write(descriptor, data) != len(data):
                os.ftruncate(descriptor, before)
                raise OSError(28, os.strerror(28))
        finally:
            os.close(descriptor)
        for _ in range(count):
            marks.popleft()

    def _opened(self) -> tuple[int, int]:
        """The file, a new one where it has grown large, and its bytes so far."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        size = os.fstat(descriptor).st_size
        if size < LARGE_BYTES:
            return descriptor, size
        os.close(descriptor)
        self._path.unlink()
        return os.open(self._path, flags, 0o600), 0


def _absolute(mark: dict[str, Any], start_s: float, run: str) -> dict[str, Any]:
    moved = mark | {"s": mark["s"] + start_s} if "s" in mark else dict(mark)
    return moved | {"n": f"{run}:{mark['n']}"} if "n" in mark else moved


class Heard:
    """Marks of the attached ranks; those of the lowest rank count, as each rank would tell of the same epochs.

    Args:
        folder: Folder of the registrations.
        own: The rank that writes.
    """

    def __init__(self, folder: Path, own: Registration) -> None:
        self._folder = folder
        self._own = own
        self._first = own
        self._file: Held | None = None  # of the first rank
        self._read = 0  # bytes of it
        self._seen: set[str] = set()

    @property
    def counts_own(self) -> bool:
        """Whether the marks of the rank that writes are those that count."""
        return self._first is self._own

    def meet(self, here: Mapping[str, Registration]) -> None:
        """Note which ranks are here."""
        for one in here.values():
            if one.group != self._own.group or one.writes:
                continue
            self._seen.add(one.id)
            if one.rank is not None and self._first.rank is not None and one.rank < self._first.rank:
                self._first = one
                self._turn_to(None)

    def marks(self, start_s: float) -> Iterator[dict[str, Any]]:
        """New marks of the first rank, with times from `start_s` [s]; a line that is none is left out."""
        for line in () if self.counts_own else self._lines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                mark = json.loads(line)
                yield mark | {"s": round(mark["s"] - start_s, 5)} if "s" in mark else mark

    def _lines(self) -> list[bytes]:
        """New lines; where the rank has begun another file, the rest of the one before comes first."""
        path, lines = self._path(self._first.id), list[bytes]()
        is_same = self._file is not None and self._file.is_at(path)
        if not is_same:
            while rest := self._taken():
                lines += rest
        if self._file is None or not is_same or not self._file.is_ours:
            with contextlib.suppress(OSError):
                file = Held(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                self._turn_to(file, self._read if is_same else 0)
        return lines + self._taken()

    def _taken(self) -> list[bytes]:
        """Next whole lines of the file that is read."""
        if self._file is None or not self._file.is_ours:
            return []
        data = os.pread(self._file.number, MOST_BYTES, self._read)
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.splitlines()

    def _turn_to(self, file: Held | None, read: int = 0) -> None:
        before, self._file, self._read = self._file, file, read
        if before is not None:
            before.close()

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}{SUFFIX}"

    def close(self, here: Mapping[str, Registration]) -> None:
        """Remove the files of the ranks that have gone."""
        self._turn_to(None)
        for run in self._seen - here.keys():
            with contextlib.suppress(OSError):
                self._path(run).unlink()
