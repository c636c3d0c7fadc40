"""What a job writes in another place: two files there, passed on to the streams of this process while it runs.

How far they were passed on is noted afterwards: a driver that is killed may have some lines written twice, and loses
none. A stream that nobody reads is not waited for; what it does not take comes with the next look.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import time
from collections.abc import Callable, Mapping
from pathlib import Path

DESCRIPTORS = {"out": 1, "err": 2}
MOST = 1 << 20  # bytes of each stream that go with one look
AT_ONCE = select.PIPE_BUF  # a pipe that is ready takes as many without waiting
FINISH_S = 10.0  # for a stream that takes nothing, after the end of the job
PAUSE_S = 0.05


def file_of(folder: Path, number: int, name: str) -> Path:
    """File that gets a stream of a segment.

    Args:
        folder: Folder of its book.
        number: Its number.
        name: out or err.
    """
    return folder / f"segment.{number}.{name}"


def written(folder: Path, number: int, seen: Mapping[str, int], *, whole: bool) -> dict[str, bytes]:
    """What a segment has written since it was looked at last, by stream.

    Args:
        folder: Folder of its book.
        number: Its number.
        seen: Bytes of each stream that are known [byte].
        whole: Whether it has ended; else a line that is not complete is left for the next look.
    """
    return {name: _new(file_of(folder, number, name), seen.get(name, 0), whole) for name in DESCRIPTORS}


def _new(path: Path, seen: int, whole: bool) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(seen)
            text = file.read(MOST)
    except OSError:  # nothing was written yet
        return b""
    if whole or len(text) == MOST:
        return text
    return text[: max(text.rfind(b"\n"), text.rfind(b"\r")) + 1]  # a bar of progress ends with the second


def packed(told: Mapping[str, bytes]) -> dict[str, str]:
    """What was written, as JSON can carry it."""
    return {name: base64.b64encode(text).decode("ascii") for name, text in told.items()}


def unpacked(told: Mapping[str, str]) -> dict[str, bytes]:
    """The same as it was.

    >>> unpacked(packed({"out": b"loss 0.5"}))
    {'out': b'loss 0.5'}
    """
    return {name: base64.b64decode(text) for name, text in told.items() if name in DESCRIPTORS}


class Streams:
    """The way of a segment's output to the streams of this process.

    Args:
        folder: Folder of the plan.
        number: Number of the segment.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._note = folder / f"segment.{number}.seen"
        self.seen = dict.fromkeys(DESCRIPTORS, 0)
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(self._note.read_text(encoding="ascii"))
            self.seen |= {name: int(told[name]) for name in DESCRIPTORS if name in told}

    def pass_on(self, told: Mapping[str, bytes]) -> bool:
        """Whether there is nothing more for now; as much as the streams take is passed on."""
        taken = {name: _passed(DESCRIPTORS[name], text) for name, text in told.items()}
        if any(taken.values()):
            self.seen = self.seen | {name: self.seen[name] + count for name, count in taken.items()}
            with contextlib.suppress(OSError):  # a full disk: some lines may come twice
                self._note.write_text(json.dumps(self.seen), encoding="ascii")
        return all(taken[name] == len(text) < MOST for name, text in told.items())

    def finish(
        self, told: Mapping[str, bytes], look: Callable[[Mapping[str, int]], Mapping[str, bytes]]
    ) -> None:
        """Pass on all that is left of a segment that has ended.

        Args:
            told: What it wrote after `seen`.
            look: What it wrote after so many bytes of each stream.
        """
        until_s = time.monotonic() + FINISH_S
        before = self.seen
        while not self.pass_on(told) and time.monotonic() < until_s:
            if self.seen is before:
                time.sleep(PAUSE_S)
            else:
                before, until_s = self.seen, time.monotonic() + FINISH_S
            told = look(self.seen)


def _passed(descriptor: int, text: bytes) -> int:
    """Bytes that a stream took without a wait; one that was closed takes all, for nobody reads it any more."""
    left = memoryview(text)
    try:
        while left and select.select([], [descriptor], [], 0.0)[1]:
            left = left[os.write(descriptor, left[:AT_ONCE]) :]
    except (OSError, ValueError):
        return len(text)
    return len(text) - len(left)
