"""Who is here: the runs that hold a connection, the jobs that a prolog began, and the pods of this node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sootprint.tracker.beside import members
from sootprint.tracker.books import Member
from sootprint.tracker.cgroups import Container, container_of
from sootprint.tracker.neighbours import Neighbour
from sootprint.tracker.service.jobs import Job
from sootprint.tracker.service.protocol import Caller, RefusedError, name_in, visible_in
from sootprint.tracker.trees import ancestors
from sootprint.tracker.usage import Tracked

MOST_RUNS = 256  # of one user
NO_SUCH_RUN = "no such run"


class Run(NamedTuple):
    """A run that holds a connection.

    Args:
        name: Its identity, as its user knows it.
        caller: Process and user.
        member: Whose processes it charges.
        group: Job that it is a rank of.
        writes: Whether it is charged; a rank that does not write belongs to the one of its job that does.
    """

    name: str
    caller: Caller
    member: Member
    group: str | None = None
    writes: bool = True


class Hall:
    """Everybody who is charged.

    Args:
        procfs: Root of the process tree.
        sysfs: Root of the device tree.
    """

    def __init__(self, procfs: str, sysfs: str) -> None:
        self._procfs, self._sysfs = procfs, sysfs
        self.runs: dict[str, Run] = {}
        self.jobs: dict[str, Job] = {}
        self.pods: dict[str, Container] = {}

    def join(self, caller: Caller, message: dict[str, Any]) -> str:
        """Key of a run that comes; one of the same user and name is taken over.

        Raises:
            RefusedError: It cannot be seen from here, or there are too many.
        """
        run = self.seen(caller, message)
        key = key_of(caller.uid, run.name)
        if key not in self.runs and len(self.of(caller.uid)) >= MOST_RUNS:
            raise RefusedError(f"one user may have {MOST_RUNS} runs at a time")
        self.runs[key] = run
        return key

    def seen(self, caller: Caller, message: dict[str, Any]) -> Run:
        """A run that would come.

        Raises:
            RefusedError: It cannot be seen from here.
        """
        name, environ = name_in(message, "run"), visible_in(message)
        if caller.pid <= 0:
            raise RefusedError(
                "your process cannot be seen from here: the service needs the host's processes"
            )
        key = key_of(caller.uid, name)
        container = container_of(caller.pid, self._procfs, self._sysfs)
        stated = message.get("parent")
        parent = self._parent_of(caller, container, stated if isinstance(stated, str) else None, key)
        tracked = Tracked(key, (caller.pid,), container, parent)
        member = Member(tracked, message.get("strict") is True, environ, payer=str(caller.uid))
        group = message.get("group")
        writes = message.get("writes") is not False
        return Run(name, caller, member, group if isinstance(group, str) else None, writes)

    def leave(self, key: str) -> None:
        """Let somebody go; what was a part of it is now a part of what it was a part of."""
        gone = self._parent(key)
        self.runs.pop(key, None)
        self.jobs.pop(key, None)
        self.pods.pop(key, None)
        for name, run in self.runs.items():
            if run.member.tracked.parent == key:
                self.runs[name] = _moved(run, gone)

    def settle(self) -> None:
        """Give runs without a parent the job or pod that they are in, where it came later than they."""
        for key, run in self.runs.items():
            if run.member.tracked.parent is None:
                parent = self._place_of(run.caller, run.member.tracked.container)
                if parent is not None:
                    self.runs[key] = _moved(run, parent)

    def of(self, uid: int) -> list[str]:
        """Keys of a user's runs."""
        return [key for key, run in self.runs.items() if run.caller.uid == uid]

    def parent_name(self, run: Run) -> str | None:
        """Identity of the record that a run is a part of, or None."""
        parent = run.member.tracked.parent
        if parent in self.runs:
            return self.runs[parent].name
        return self.jobs[parent].record if parent in self.jobs else None

    def members(self, beside: Sequence[Neighbour] = ()) -> dict[str, Member]:
        """Everybody, by key; the first run of a user is charged for those of his that are yet to come, too.

        Args:
            beside: Runs of all users that are here, whether they have come or not.
        """
        here = {key: Member(Tracked(key, (), group), is_run=False) for key, group in self.pods.items()}
        here |= {key: job.member for key, job in self.jobs.items()}
        ranks, late = self._ranks(), self._late(beside)
        return here | {
            key: _with(run, [*ranks.get((run.caller.uid, run.group), ()), *late.pop(run.caller.uid, ())])
            for key, run in self.runs.items()
            if run.writes
        }

    def _late(self, beside: Sequence[Neighbour]) -> dict[int, list[int]]:
        """Processes of runs that are here and have not come, by user."""
        come = {(run.caller.uid, run.caller.pid) for run in self.runs.values()} if beside else set()
        found: dict[int, list[int]] = {}
        for one in beside:
            if one.pid is not None and (one.uid, one.pid) not in come:
                found.setdefault(one.uid, []).append(one.pid)
        return found

    def waiting(self, beside: Sequence[Neighbour]) -> dict[str, Member]:
        """Runs of users of whom none has come yet, who charge themselves until then.

        Args:
            beside: Runs of all users that are here.
        """
        come = {run.caller.uid for run in self.runs.values()}
        found = [one for one in beside if one.pid is not None and one.uid not in come]
        made = members(found, self._procfs, self._sysfs)
        for one in found:
            tracked = made[one.name].tracked
            place = self._place_of(Caller(one.pid or 0, one.uid), tracked.container)
            placed = tracked._replace(parent=tracked.parent or place)
            made[one.name] = made[one.name]._replace(tracked=placed)
        return made

    def _ranks(self) -> dict[tuple[int, str | None], list[int]]:
        """Processes of the ranks that write no record, by user and job."""
        found: dict[tuple[int, str | None], list[int]] = {}
        for run in self.runs.values():
            if not run.writes and run.group is not None:
                found.setdefault((run.caller.uid, run.group), []).append(run.caller.pid)
        return found

    def _parent(self, key: str) -> str | None:
        return self.runs[key].member.tracked.parent if key in self.runs else None

    def _parent_of(
        self, caller: Caller, container: Container | None, stated: str | None, own: str
    ) -> str | None:
        """What a run is a part of: the run that it names, else the nearest above, of this user; else its job or pod."""
        named = key_of(caller.uid, stated) if stated is not None else None
        if named in self.runs and not self._is_below(named, own):
            return named
        known = {
            run.caller.pid: key
            for key, run in self.runs.items()
            if run.caller.uid == caller.uid and key != own and run.caller.pid != caller.pid
        }
        above = ancestors(caller.pid, self._procfs) if known else []
        return next((known[pid] for pid in above if pid in known), self._place_of(caller, container))

    def _is_below(self, key: str | None, above: str) -> bool:
        """Whether somebody is another or a part of it."""
        while key is not None and key != above:
            key = self._parent(key)
        return key == above

    def _place_of(self, caller: Caller, container: Container | None) -> str | None:
        """The user's job, or the pod, that a process is in."""
        by_pid = {job.order.pid: key for key, job in self.jobs.items() if job.order.pid is not None}
        above = [caller.pid, *ancestors(caller.pid, self._procfs)] if by_pid else []
        key = next((by_pid[pid] for pid in above if pid in by_pid), None)
        if key is None and container is not None:
            key = {"slurm": f"job:{container.id}", "kubernetes": f"pod:{container.id}"}.get(container.kind)
        if key in self.jobs:
            return key if self.jobs[key].order.uid == caller.uid else None
        return key if key in self.pods else None


def key_of(uid: int, name: str) -> str:
    """Identity of a run among everybody who is charged; no user can name another's."""
    return f"run:{uid}:{name}"


def _with(run: Run, more: Sequence[int]) -> Member:
    """A run with the processes of others."""
    if not more:
        return run.member
    tracked = run.member.tracked
    return run.member._replace(tracked=tracked._replace(pids=(*tracked.pids, *more)))


def _moved(run: Run, parent: str | None) -> Run:
    tracked = run.member.tracked._replace(parent=parent)
    return run._replace(member=run.member._replace(tracked=tracked))
