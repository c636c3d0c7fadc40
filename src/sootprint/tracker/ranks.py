"""The ranks of one job on one machine: one of them writes the record, the others attach their marks to it."""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sootprint.tracker.registration import Registration

SUFFIX = ".marks"
MOST_BYTES = 1_000_000  # read of one rank at a time


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
            OSError: They cannot be written.
        """
        if not marks:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:  # the marks are taken only now: where there is no file they wait
            lines = [_absolute(marks.popleft(), start_s, self._run) for _ in range(len(marks))]
            os.write(descriptor, "".join(f"{json.dumps(line)}\n" for line in lines).encode())
        finally:
            os.close(descriptor)


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
        self._read = 0  # bytes of the first rank's file
        self._inode = 0  # and which one that is: a cleaner may have removed the one before
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
                self._first, self._read = one, 0

    def marks(self, start_s: float) -> Iterator[dict[str, Any]]:
        """New marks of the first rank, with times from `start_s` [s]; a line that is none is left out."""
        if self.counts_own:
            return
        try:
            with self._path(self._first.id).open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode != self._inode:
                    self._inode, self._read = inode, 0
                file.seek(self._read)
                data = file.read(MOST_BYTES)
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                mark = json.loads(line)
                yield mark | {"s": round(mark["s"] - start_s, 5)} if "s" in mark else mark

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}{SUFFIX}"

    def close(self, here: Mapping[str, Registration]) -> None:
        """Remove the files of the ranks that have gone."""
        for run in self._seen - here.keys():
            with contextlib.suppress(OSError):
                self._path(run).unlink()
