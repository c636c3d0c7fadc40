"""Processes by number and time of birth, so that a number that was used again is another process (Linux)."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import NamedTuple

from sootprint.core.asleep import ahead_s


class Process(NamedTuple):
    """A process: its number, and its start in ticks since the machine's."""

    pid: int
    born: int

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; one that has ended and was not waited for does not."""
        found = _fields(self.pid)
        return found is not None and found[1] == self.born and found[0] not in ("Z", "X")

    def catches(self, number: int) -> bool:
        """Whether it has a handler of its own for a signal; one without would be ended by it."""
        try:
            text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        mask = next((line.split()[1] for line in text.splitlines() if line.startswith("SigCgt:")), "0")
        return self.is_alive and bool(int(mask, 16) >> (number - 1) & 1)


def process(pid: int) -> Process:
    """The process that has a number now."""
    found = _fields(pid)
    return Process(pid, found[1] if found else 0)


def boot() -> str:
    """Identity of the machine's start, or "" where the system tells none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _fields(pid: int) -> tuple[str, int] | None:
    """State and start of a process; its name may hold blanks and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        after = text[text.rindex(")") + 2 :].split()
        return after[0], int(after[19]) - _shift_ticks()
    except (OSError, ValueError, IndexError):
        return None


@functools.cache
def _shift_ticks() -> int:
    """What the kernel adds to each start for this process, as it is in a time namespace of its own."""
    return round(ahead_s("boottime") * os.sysconf("SC_CLK_TCK"))


def own() -> Process:
    """This process."""
    return process(os.getpid())
