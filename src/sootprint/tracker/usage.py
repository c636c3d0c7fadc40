"""What each run's processes used since the last look: CPU time of process trees and groups, and accelerators."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sootprint.core.errors import MeterError
from sootprint.core.protocols import ProcessUse
from sootprint.meters import files
from sootprint.tracker.attribution import Use
from sootprint.tracker.cgroups import Container, container_of, cpu_seconds
from sootprint.tracker.trees import TreeTimes, tick_s

FIRST_LINE = 512  # bytes of /proc/stat that hold it
BUSY = (1, 2, 3, 6, 7)  # user, nice, system, irq, softirq; guests are inside user, stolen time is not ours

Processes = Callable[[], Mapping[str, Sequence[ProcessUse]]]


class Tracked(NamedTuple):
    """A run whose use is looked at.

    Args:
        id: Identity of the run.
        pids: Processes that began it; what they start belongs to them.
        container: Container of its processes, as `container_of` tells.
        parent: Identity of the run that it is a part of.
    """

    id: str
    pids: Collection[int]
    container: Container | None = None
    parent: str | None = None


class Usage:
    """Use of a machine by its runs, from one look to the next; not to be used by two threads at once.

    Args:
        procfs: Root of the process tree.
        sysfs: Root of the device tree.
        accelerators: `processes` of each meter that has it.
    """

    def __init__(
        self, procfs: str = "/proc", sysfs: str = "/sys", *, accelerators: Iterable[Processes] = ()
    ) -> None:
        self._procfs, self._sysfs = procfs, sysfs
        self._accelerators = tuple(accelerators)
        self._trees = TreeTimes(procfs)
        self._group_s: dict[str, float] = {}  # CPU time of each run's own container at the last look [s]
        self._machine_s = _busy_s(procfs)

    def look(self, tracked: Sequence[Tracked]) -> tuple[dict[str, Use], Use]:
        """Use of each run, and of all processes of the machine, since the last look.

        A run that was not tracked at the last look has used nothing yet. The use of a run holds that of its parts.

        Args:
            tracked: Runs that are alive.
        """
        runs = {one.id: one for one in tracked}
        owners = _owners(runs)
        cpu_s = self._trees.look(_roots(runs)) | self._by_group(runs, owners)
        seen = self._on_accelerators()
        uses = {
            one: Use(cpu_s[one], *_sums(seen, pids))
            for one, pids in self._holders_of(seen, runs, owners).items()
        }
        everyone = {process.pid for processes in seen.values() for process in processes}
        tops_s = sum(use.cpu_s for one, use in uses.items() if runs[one].parent not in runs)
        return uses, Use(self._whole_s(tops_s), *_sums(seen, everyone))

    def _by_group(
        self, runs: Mapping[str, Tracked], owners: Mapping[tuple[str, str], str]
    ) -> dict[str, float]:
        """CPU time of the runs that have a container of their own, where the kernel tells it [s]."""
        last_s, self._group_s = self._group_s, {}
        for one in owners.values():
            container = runs[one].container
            now_s = cpu_seconds(container) if container else None
            if now_s is not None:
                self._group_s[one] = now_s
        return {
            one: now_s - last_s[one]
            for one, now_s in self._group_s.items()
            if now_s >= last_s.get(one, now_s + 1.0)
        }

    def _holders_of(
        self,
        seen: Mapping[str, Sequence[ProcessUse]],
        runs: Mapping[str, Tracked],
        owners: Mapping[tuple[str, str], str],
    ) -> dict[str, set[int]]:
        """Processes on accelerators that belong to each run: of its tree, or of its own container."""
        pids = {process.pid for processes in seen.values() for process in processes}
        found = {one: pids & self._trees.members(one) for one in runs}
        for pid in pids.difference(*found.values()) if owners else ():
            container = container_of(pid, self._procfs, self._sysfs)
            owner = owners.get(container.whole) if container else None
            if owner is not None:
                found[owner].add(pid)
        return found

    def _on_accelerators(self) -> dict[str, Sequence[ProcessUse]]:
        seen: dict[str, Sequence[ProcessUse]] = {}
        for processes in self._accelerators:
            try:
                seen.update(processes())
            except MeterError:
                continue  # the meter's own readings say what is wrong with it
        return seen

    def _whole_s(self, tracked_s: float) -> float:
        """CPU time of the machine since the last look; that of the runs where the kernel does not tell [s]."""
        last_s, self._machine_s = self._machine_s, _busy_s(self._procfs)
        if last_s is None or self._machine_s is None or self._machine_s < last_s:
            return tracked_s
        return self._machine_s - last_s


def _roots(runs: Mapping[str, Tracked]) -> dict[str, set[int]]:
    """Processes that began each run or one of its parts."""
    roots = {one: set(run.pids) for one, run in runs.items()}
    for run in runs.values():
        above, passed = run.parent, {run.id}
        while above is not None and above in runs and above not in passed:
            roots[above].update(run.pids)
            passed.add(above)
            above = runs[above].parent
    return roots


def _owners(runs: Mapping[str, Tracked]) -> dict[tuple[str, str], str]:
    """The only run in each job, pod or container; its own parts in there are no others."""
    holders: dict[tuple[str, str], list[str]] = {}
    outside = set()
    for run in runs.values():
        parent = runs.get(run.parent) if run.parent is not None else None
        whole = _whole(run)
        if parent is not None and _whole(parent) != whole:
            outside.add(parent.id)
        elif parent is not None:
            continue
        if whole is not None:
            holders.setdefault(whole, []).append(run.id)
    return {whole: ids[0] for whole, ids in holders.items() if len(ids) == 1 and ids[0] not in outside}


def _whole(run: Tracked) -> tuple[str, str] | None:
    return run.container.whole if run.container and run.container.holds_one_task else None


def _sums(
    seen: Mapping[str, Sequence[ProcessUse]], pids: Collection[int]
) -> tuple[dict[str, float], dict[str, int]]:
    """Busy share and memory of some processes on each accelerator where they are."""
    busy: dict[str, float] = {}
    memory: dict[str, int] = {}
    for name, processes in seen.items():
        for process in processes:
            if process.pid in pids:
                memory[name] = memory.get(name, 0) + (process.memory_bytes or 0)
                if process.busy is not None:
                    busy[name] = busy.get(name, 0.0) + process.busy
    return busy, memory


def _busy_s(procfs: str) -> float | None:
    """CPU time that the machine spent since boot, or None where the kernel does not tell [s]."""
    words = (files.text(f"{procfs}/stat", limit=FIRST_LINE) or "").partition("\n")[0].split()
    if len(words) < 8 or words[0] != "cpu":
        return None
    ticks = [files.whole(words[field]) for field in BUSY]
    known = [tick for tick in ticks if tick is not None]
    return sum(known) * tick_s() if len(known) == len(BUSY) else None
