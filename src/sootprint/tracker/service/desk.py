"""What the node service does with a request, and at each look at the meters."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sootprint.core.errors import MeterError, RecordError
from sootprint.core.protocols import Machine
from sootprint.tracker.books import Books
from sootprint.tracker.journal import SUFFIX, discard
from sootprint.tracker.neighbours import BESIDE, Neighbour
from sootprint.tracker.service import jobs
from sootprint.tracker.service.groups import groups
from sootprint.tracker.service.hall import NO_SUCH_RUN, Hall, key_of
from sootprint.tracker.service.metrics import Counters, Owner
from sootprint.tracker.service.protocol import Caller, RefusedError, name_in, visible_in, whole_in
from sootprint.tracker.service.state import StateFolder

MOST_ENDING = 2_048  # runs that may ask for their last account
Answer = dict[str, Any]
Late = Callable[[], Answer | None]  # asked again after each look at the meters, until it answers


class Desk:
    """The service without its sockets.

    Args:
        machine: Where the meters look.
        books: Accounts of everybody.
        state: The service's folder.
        head: What the records of jobs state of the place.
        facts: Facts of the meters, by name.
        rulers: Users who may begin and end jobs.
    """

    def __init__(
        self,
        machine: Machine,
        books: Books,
        *,
        state: StateFolder,
        head: Mapping[str, Any],
        facts: Mapping[str, Any],
        rulers: frozenset[int],
    ) -> None:
        self._machine, self._books, self._state = machine, books, state
        self._head, self._facts, self._rulers = head, facts, rulers
        books.accounts.most_closed = MOST_ENDING
        self.hall = Hall(machine.procfs, machine.sysfs)
        self.counters = Counters()
        self.sees_pods = False
        self.beside: Callable[[], Sequence[Neighbour]] = (
            list  # runs of all users, of which some are yet to come
        )
        self._ended: dict[str, jobs.Job] = {}  # whose account is yet to be closed
        self.user_of: Callable[[int], str] = str

    def greet(self, caller: Caller, message: Answer) -> Answer:
        """What a run that will come wants to know before.

        Raises:
            RefusedError: It cannot be charged here.
        """
        self._check_machine(message)
        run = self.hall.seen(caller, message)
        charges = any(key in self.hall.runs or key.startswith(BESIDE) for key in self._books.accounts.runs)
        return {"ok": True, "parent": self.hall.parent_name(run), "facts": self._facts, "charges": charges}

    def join(self, caller: Caller, message: Answer) -> tuple[str, Answer]:
        """Key of a run that comes, and the answer to it.

        Raises:
            RefusedError: It cannot be charged here.
        """
        self._check_machine(message)
        return self.hall.join(caller, message), {"ok": True}

    def _check_machine(self, message: Answer) -> None:
        if message.get("sysfs") != self._machine.sysfs:
            raise RefusedError(f"this service reads {self._machine.sysfs}")

    def share(self, caller: Caller, message: Answer) -> Late:
        """Account of a run of the caller's own.

        Raises:
            RefusedError: The user has no such run.
        """
        key = key_of(caller.uid, name_in(message, "run"))
        if key not in self.hall.runs and self._books.accounts.closed(key) is None:
            raise RefusedError(NO_SUCH_RUN)
        return lambda: self._account(key, caller.uid)

    def _account(self, key: str, uid: int) -> Answer | None:
        """Account of a user's run once it is open, its last one once it is closed; without what he may not read."""
        accounts = self._books.accounts
        here = key in self.hall.runs and self.hall.runs[key].writes
        if here != (key in accounts.runs):  # it comes or goes, which the next look at the meters settles
            return None
        entries = accounts.entries(key) if here else accounts.closed(key) or []
        told = [one if self._books.may_read(one.meter, uid) else one.private() for one in entries]
        return {"ok": True, "entries": told}

    def told(self, caller: Caller, key: str) -> Answer | None:
        """Account of a user's run that he has not asked for, or None where it is not charged yet."""
        answer = self._account(key, caller.uid)
        return answer | {"told": True} if answer and answer["entries"] else None

    def leave(self, caller: Caller, key: str) -> Late:
        """Last account of a run that goes."""
        self.hall.leave(key)
        return lambda: self._account(key, caller.uid)

    def begin_job(self, caller: Caller, message: Answer) -> Answer:
        """Answer to a prolog; a job that goes on already is left as it is.

        Raises:
            RefusedError: The caller may not say so.
        """
        self._check_ruler(caller)
        name = name_in(message, "job")
        pid = whole_in(message, "pid") if message.get("pid") is not None else None
        group = message.get("cgroup")
        order = jobs.Order(
            name,
            whole_in(message, "uid"),
            pid,
            group if isinstance(group, str) else None,
            visible_in(message),
        )
        key = jobs.key_of(name)
        if key in self._ended:
            raise RefusedError("a job of this name is ending: ask again")
        if key not in self.hall.jobs:
            self.hall.jobs[key] = jobs.begun(
                order, self._head, self._facts, clock=self._machine.clock, folder=self._state.journals
            )
            self.scan()
        return {"ok": True, "record": self.hall.jobs[key].record}

    def end_job(self, caller: Caller, message: Answer) -> Late:
        """Answer to an epilog, once the job's record is kept.

        Raises:
            RefusedError: The caller may not say so, or there is no such job.
        """
        self._check_ruler(caller)
        key = jobs.key_of(name_in(message, "job"))
        if key not in self.hall.jobs:
            raise RefusedError("no such job")
        job = self._ended[key] = self.hall.jobs[key]
        self.hall.leave(key)
        return lambda: None if key in self._ended else {"ok": True, "record": job.record}

    def _check_ruler(self, caller: Caller) -> None:
        if caller.uid not in self._rulers:
            raise RefusedError("only root and the service's own user may begin and end jobs")

    def record(self, caller: Caller, message: Answer) -> Answer:
        """Record of a job of the caller's own; root may name another user.

        Raises:
            RefusedError: There is none.
        """
        uid = whole_in(message, "uid") if message.get("uid") is not None else caller.uid
        name = name_in(message, "job")
        try:
            if uid != caller.uid and caller.uid not in self._rulers:
                raise RecordError(f"there is no record of job {name}")
            return {"ok": True, "footprint": self._state.record(uid, name)}
        except RecordError as err:
            raise RefusedError(str(err)) from None

    def status(self, caller: Caller) -> Answer:
        """What goes on: the caller's own runs and jobs by name, the others' by number."""
        hall = self.hall
        mine = [hall.runs[key].name for key in hall.of(caller.uid)]
        my_jobs = [job.order.name for job in hall.jobs.values() if job.order.uid == caller.uid]
        counts = {"runs": len(hall.runs), "jobs": len(hall.jobs), "pods": len(hall.pods)}
        return {"ok": True, "runs": mine, "jobs": my_jobs, "counts": counts}

    def tick(self) -> None:
        """Look at the meters, charge everybody, and finish what has ended."""
        beside = self.beside()
        self._books.tick(self.hall.members(beside) | self.hall.waiting(beside))
        self._count()
        if self.hall.jobs or self._ended:
            self.save()  # before the journals, so that no journal is ahead of it
        self._serve_jobs()

    def _count(self) -> None:
        books = self._books
        owners = {key: self._owner_of(key) for key in books.tops}
        self.counters.count(books.spent_j, books.charged_j, owners=owners)

    def _serve_jobs(self) -> None:
        accounts = self._books.accounts
        for key, job in self.hall.jobs.items():
            job.take(accounts.entries(key))
        for key, job in list(self._ended.items()):
            job.take(accounts.closed(key) or [])
            self._finish(key, job)

    def _finish(self, key: str, job: jobs.Job) -> None:
        """Keep the record of a job; where the disk takes none its journal stays, and a later start keeps it."""
        del self._ended[key]
        try:
            self._state.keep(job.order.uid, job.order.name, job.record, job.end().to_json())
            job.discard()
        except (OSError, RecordError):
            self.counters.errors["state"] += 1

    def _owner_of(self, key: str) -> Owner:
        hall = self.hall
        if key in hall.pods or key.startswith("pod:"):
            return Owner(pod=key.partition(":")[2])
        job = hall.jobs.get(key) or self._ended.get(key)
        if job is not None:
            return Owner(user=self.user_of(job.order.uid), job=job.order.name)
        if key.startswith(BESIDE):
            return Owner(user=self.user_of(int(key.split("/")[1])))
        return Owner(user=self.user_of(int(key.split(":")[1])) if key.startswith("run:") else "")

    def scan(self) -> None:
        """Find the control groups of jobs and pods, and see which pods have come and gone."""
        if not self.hall.jobs and not self.sees_pods:
            return
        found = groups(self._machine.sysfs)
        for job in self.hall.jobs.values():
            job.container = found.get(("slurm", job.order.name), job.container)
        if self.sees_pods:
            pods = {f"pod:{one.id}": one for kind, one in _by_kind(found) if kind == "kubernetes"}
            for key in self.hall.pods.keys() - pods.keys():
                self.hall.leave(key)
            self.hall.pods = pods
        self.hall.settle()

    def save(self) -> None:
        """Keep on disk from where a restarted service goes on."""
        left = {
            "books": self._books.dump() | {"closed": {}},
            "jobs": [job.dump() for job in self.hall.jobs.values()],
        }
        try:
            self._state.save(left)
        except OSError:
            self.counters.errors["state"] += 1

    def resume(self) -> None:
        """Go on from where a service that has gone was, and keep the records of jobs that it could not finish."""
        left = self._state.load()
        for data in left.get("jobs", ()) if left else ():
            with contextlib.suppress(RecordError):
                job = jobs.resumed(data, clock=self._machine.clock, folder=self._state.journals)
                self.hall.jobs[jobs.key_of(job.order.name)] = job
        self._keep_cut_off()
        self.scan()
        if left is not None:
            with contextlib.suppress(RecordError, KeyError, MeterError):
                self._books.resume(left["books"], self.hall.members())
                self._go_on()
        self.counters.begin(self._books.charged_j)

    def _go_on(self) -> None:
        """Let the jobs' sums go on from their accounts."""
        for key, job in self.hall.jobs.items():
            job.resume(self._books.accounts.entries(key))

    def _keep_cut_off(self) -> None:
        live = {job.record for job in self.hall.jobs.values()}
        for path in sorted(self._state.journals.glob(f"*/*{SUFFIX}")):
            if path.stem in live:
                continue
            try:
                made, uid = jobs.cut_off(path), int(path.parent.name)
                self._state.keep(uid, made.tags["job"], path.stem, made.to_json())
                discard(path)
            except (OSError, RecordError, ValueError, KeyError):
                self.counters.errors["state"] += 1


def _by_kind(found: Mapping[tuple[str, str], Any]) -> list[tuple[str, Any]]:
    return [(kind, one) for (kind, _), one in found.items()]
