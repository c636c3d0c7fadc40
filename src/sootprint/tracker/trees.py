"""CPU time of process trees, as the kernel's process table tells it.

Source:
    Linux kernel, proc_pid_stat(5) (2025): times in clock ticks; cutime and cstime are those of children that were
    waited for, and of theirs.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sootprint.meters import files

LOOKS_PER_RESCAN = 64  # looks in which each stranger is read once: its number may be a child's by then
STAT_BYTES = 1024
# fields of /proc/PID/stat counted from the one after the name, which may hold blanks and brackets
_PARENT, _UTIME, _STIME, _CUTIME, _CSTIME, _START = 1, 11, 12, 13, 14, 19


class Process(NamedTuple):
    """A line of the process table: parent, start, own CPU time and that of its dead children [clock ticks]."""

    parent: int
    start: int
    own: int
    reaped: int


_UNSEEN = Process(0, 0, 0, 0)
_Table = dict[int, Process]


class _Tree:
    """A tree as it was at the last look."""

    def __init__(self) -> None:
        self.processes: _Table = {}
        self.starts: dict[int, int | None] = {}  # of the roots, by number
        self.lent: set[int] = (
            set()
        )  # roots that were no part of it before, and leave when they are named no more
        self.owed: dict[int, int] = {}  # counted of children whose times their parents may get only now

    def grow(self, roots: Collection[int], table: _Table, children: Mapping[int, list[int]]) -> int:
        """Ticks that the tree used since the last look.

        A root that joins brings none of its past, and takes its processes along when it is named no more.
        """
        before = self.processes
        old = [pid for pid, was in before.items() if pid not in table or table[pid].start == was.start]
        tree = _walk(old, table, children, ())
        ticks = self._ticks(before, tree)
        left = self.lent.difference(roots)
        for pid in set(roots).difference(self.starts):
            self.starts[pid] = table[pid].start if pid in table else None
            self.lent |= {pid}.difference(tree)
        for pid in left:
            del self.starts[pid]
        self.lent -= left
        alive = [pid for pid, start in self.starts.items() if pid in table and table[pid].start == start]
        if left:
            gone = _walk(left, table, children, _walk(alive, table, children, ()))
            tree = {pid: process for pid, process in tree.items() if pid not in gone}
        self.processes = tree | _walk(alive, table, children, tree)
        return ticks

    def _ticks(self, before: _Table, now: _Table) -> int:
        """Ticks between two looks, each once.

        A child that died since is in its parent's times from its first tick on, so what was counted of it is taken
        off, at the next look where the parent was read before the child died. A parent that does not wait for its
        children gets none of their times, and gives none back.
        """
        dead: dict[int, int] = {}
        for pid in before.keys() - now.keys():
            heir = before[pid].parent
            while heir in before and heir not in now:
                heir = before[heir].parent
            dead[heir] = dead.get(heir, 0) + before[pid].own + before[pid].reaped
        owed, self.owed = self.owed, {}
        ticks = 0
        for pid, process in now.items():
            was = before.get(pid, _UNSEEN)
            ticks += max(0, process.own - was.own)
            gain, late = max(0, process.reaped - was.reaped), owed.get(pid, 0)
            ticks += max(0, gain - late - dead.get(pid, 0))
            unpaid = dead.get(pid, 0) - max(0, gain - late)
            if unpaid > 0:
                self.owed[pid] = unpaid
        return ticks


class TreeTimes:
    """CPU time of trees of processes from one look to the next.

    Only the processes of the trees and new ones are read; the others are known by number to be strangers. Who was
    in a tree stays in it as long as it lives, even where its parent died before it.

    Args:
        procfs: Root of the process tree.
    """

    def __init__(self, procfs: str = "/proc") -> None:
        self._procfs = procfs
        self._trees: dict[str, _Tree] = {}
        self._strangers: set[int] = set()
        self._looks = 0

    def look(self, roots: Mapping[str, Iterable[int]]) -> dict[str, float]:
        """CPU time that each tree used since the last look, 0 for one that is new, never negative [s].

        Args:
            roots: Processes that each tree begins with, by any name.
        """
        wanted = {name: frozenset(pids) for name, pids in roots.items()}
        self._trees = {name: self._trees.get(name) or _Tree() for name in wanted}
        listed = _listed(self._procfs)
        if listed is None:  # nothing can be opened now: what was used will be seen at the next look
            return dict.fromkeys(wanted, 0.0)
        self._looks += 1
        table = self._read(sorted(listed - self._still_strangers(wanted)))  # parents first, as a rule
        children: dict[int, list[int]] = {}
        for pid, process in table.items():
            children.setdefault(process.parent, []).append(pid)
        spent_s = {
            name: self._trees[name].grow(pids, table, children) * tick_s() for name, pids in wanted.items()
        }
        self._strangers = listed.difference(*(tree.processes for tree in self._trees.values()))
        return spent_s

    def _still_strangers(self, wanted: Mapping[str, frozenset[int]]) -> set[int]:
        """Numbers that need not be read: none where a tree is new, else all but the few whose turn it is."""
        if any(pids - self._trees[name].starts.keys() for name, pids in wanted.items()):
            return set()
        turn = self._looks % LOOKS_PER_RESCAN
        return {pid for pid in self._strangers if pid % LOOKS_PER_RESCAN != turn}

    def members(self, name: str) -> set[int]:
        """Processes of a tree at the last look."""
        return set(self._trees[name].processes) if name in self._trees else set()

    def _read(self, pids: Iterable[int]) -> _Table:
        """Lines of the table; a process that cannot be read for want of a file is as it was."""
        known: _Table = {}
        for tree in self._trees.values():
            known.update(tree.processes)
        table: _Table = {}
        for pid in pids:
            try:
                process = _parse(files.read(f"{self._procfs}/{pid}/stat", limit=STAT_BYTES))
            except (FileNotFoundError, ProcessLookupError):
                continue
            except OSError:
                process = known.get(pid)
            if process is not None:
                table[pid] = process
        return table


def ancestors(pid: int, procfs: str = "/proc") -> list[int]:
    """Parent, grandparent and so on of a process, up to 1; ends early where one cannot be seen."""
    found: list[int] = []
    process = _line(procfs, pid)
    while process is not None and process.parent > 0 and process.parent not in (pid, *found):
        found.append(process.parent)
        process = _line(procfs, process.parent)
    return found


@functools.cache
def tick_s() -> float:
    """Length of a clock tick in the kernel's tables [s]."""
    return 1.0 / os.sysconf("SC_CLK_TCK")


def _walk(
    roots: Iterable[int], table: _Table, children: Mapping[int, list[int]], known: Iterable[int]
) -> _Table:
    """Processes that descend from roots, the roots among them, but not those known already."""
    found: _Table = {}
    passed = set(known)
    waiting = [pid for pid in roots if pid not in passed]
    while waiting:
        pid = waiting.pop()
        if pid in passed:
            continue
        passed.add(pid)
        if pid in table:
            found[pid] = table[pid]
        waiting += children.get(pid, ())
    return found


def _listed(procfs: str) -> set[int] | None:
    """Numbers of all processes that can be seen, or None where they cannot be listed."""
    try:
        return {int(name) for name in os.listdir(procfs) if name.isdigit() and name.isascii()}  # noqa: PTH208
    except OSError:
        return None


def _line(procfs: str, pid: int) -> Process | None:
    text = files.text(f"{procfs}/{pid}/stat", limit=STAT_BYTES)
    return None if text is None else _parse(text)


def _parse(stat: str) -> Process | None:
    fields = stat.rpartition(")")[2].split()
    try:
        return Process(
            parent=int(fields[_PARENT]),
            start=int(fields[_START]),
            own=int(fields[_UTIME]) + int(fields[_STIME]),
            reaped=int(fields[_CUTIME]) + int(fields[_CSTIME]),
        )
    except (IndexError, ValueError):
        return None
