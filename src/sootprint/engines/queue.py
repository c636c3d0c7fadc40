"""Slurm's own commands: submit, ask, re-plan, signal, requeue, cancel. No database of Slurm is needed."""

from __future__ import annotations

import contextlib
import math
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sootprint.engines.shell import Answer, UnreachableError, answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sootprint.engines.book import Book, Segment
    from sootprint.settings.targets import Target

OPEN = {
    *("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING"),
    *("RESIZING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT", "STAGE_OUT"),
}
LOST = {"NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REVOKED"}
ENDED_BY = {"CANCELLED": 143, "TIMEOUT": 143, "DEADLINE": 143, "OUT_OF_MEMORY": 137}
UNKNOWN_JOB = "Invalid job id"
KILLED = 137
NO_ROOM, BEGUN = 121, 122  # exit codes of a batch script that does not become its runner


class Job(NamedTuple):
    """What Slurm knows of a job.

    Args:
        id: Its number.
        state: PENDING, RUNNING, COMPLETED, ...
        reason: Why it waits, e.g. BeginTime.
        code: Exit code, 128 and more where a signal ended it; None while it is open.
        restarts: How often it was requeued.
    """

    id: str
    state: str
    reason: str
    code: int | None
    restarts: int

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN

    @property
    def result(self) -> int | None:
        """Exit code of a job that is not to be started again; None where Slurm lost it, or it is open."""
        if self.is_open or self.state in LOST:
            return None
        return ENDED_BY.get(self.state, self.code)


def submitted(target: Target | None, options: Sequence[str], script: str, *, begin_s: float | None) -> str:
    """Number of a job that was put into the queue.

    Args:
        target: Settings of the cluster, or None for this machine's.
        options: Options of `sbatch`.
        script: The batch script.
        begin_s: Wall clock before which it does not start [s], or None.

    Raises:
        UnreachableError: Slurm does not answer, or refuses it.
    """
    words = [
        "sbatch",
        "--parsable",
        *options,
        *([] if begin_s is None else [f"--begin={_from_now(begin_s)}"]),
    ]
    done = answer(target, shlex.join(words), given=script)
    number = done.out.strip().splitlines()[-1].partition(";")[0] if done.out.strip() else ""
    if done.code or not number.isdigit():
        raise UnreachableError(f"sbatch does not take the job: {done.reason}")
    return number


def job(target: Target | None, number: str) -> Job | None:
    """What Slurm knows of a job, or None where it has forgotten it.

    Raises:
        UnreachableError: Slurm does not answer.
    """
    done = answer(target, f"scontrol show job -o {shlex.quote(number)}")
    if done.code and UNKNOWN_JOB in done.err + done.out:
        return None
    _require(done, "scontrol show job")
    return parsed(done.out)


def named(target: Target | None, name: str) -> str | None:
    """Number of the latest job with a name, finished ones that Slurm still knows included.

    Raises:
        UnreachableError: Slurm does not answer.
    """
    done = answer(target, f"squeue -h -t all -o %A --name {shlex.quote(name)}")
    _require(done, "squeue")
    numbers = [line.strip() for line in done.out.splitlines() if line.strip().isdigit()]
    return max(numbers, key=int) if numbers else None


def commented(target: Target | None, text: str) -> str | None:
    """Number of the latest job with a comment, finished ones that Slurm still knows included.

    Raises:
        UnreachableError: Slurm does not answer.
    """
    done = answer(target, "squeue -h -t all -o '%A %k'")
    _require(done, "squeue")
    pairs = [line.strip().partition(" ") for line in done.out.splitlines()]
    numbers = [number for number, _, comment in pairs if comment.strip() == text and number.isdigit()]
    return max(numbers, key=int) if numbers else None


def replanned(target: Target | None, number: str, begin_s: float) -> None:
    """Give a pending job another begin.

    Raises:
        UnreachableError: Slurm does not answer, or refuses it.
    """
    done = answer(target, f"scontrol update JobId={number} StartTime={_from_now(begin_s)}")
    _require(done, "scontrol update")


def requeued(target: Target | None, number: str) -> bool:
    """Whether a job that has ended waits again; Slurm forgets one some minutes after its end.

    Raises:
        UnreachableError: The machine cannot be reached.
    """
    return answer(target, f"scontrol requeue {number}").code == 0


def signalled(target: Target | None, number: str, name: str) -> None:
    """Send a signal to the batch script of a running job.

    Raises:
        UnreachableError: The machine cannot be reached.
    """
    answer(target, f"scancel --signal={name} --batch {number}")


def cancelled(target: Target | None, number: str) -> None:
    """Take a job out of the queue, or end it.

    Raises:
        UnreachableError: The machine cannot be reached.
    """
    answer(target, f"scancel {number}")


def parsed(line: str) -> Job:
    """Job of a line of `scontrol show job -o`.

    Raises:
        UnreachableError: It tells no job.

    >>> parsed("JobId=7 JobName=a b JobState=FAILED Reason=None Restarts=1 ExitCode=0:9").result
    137
    """
    told: dict[str, str] = {}
    for word in line.split():
        name, equals, value = word.partition("=")
        if equals:
            told.setdefault(name, value)  # the script's name and folder come later, and may hold anything
    if "JobId" not in told or "JobState" not in told:
        raise UnreachableError(f"scontrol answers what cannot be read: {line.strip()[:80]!r}")
    code, _, by_signal = told.get("ExitCode", "0:0").partition(":")
    ended = 128 + int(by_signal) if by_signal.isdigit() and int(by_signal) else int(code)
    state = told["JobState"].partition(",")[0]
    return Job(
        id=told["JobId"],
        state=state,
        reason=told.get("Reason", ""),
        code=None if state in OPEN else ended,
        restarts=int(told.get("Restarts", "0")),
    )


def begin_once(folder: Path, segment: str) -> list[str]:
    """Lines of a batch script that end it where its segment has begun already, however often it was submitted.

    Args:
        folder: Folder of the plan, on a disk that the nodes share.
        segment: Number of the segment, as the shell knows it.
    """
    begun = f"{shlex.quote(str(folder))}/segment.{segment}.begun"
    return [
        f"mkdir {begun} 2>/dev/null || {{ [ -d {begun} ] && exit {BEGUN}; exit {NO_ROOM}; }}",
        f'echo "$SLURM_JOB_ID" > {begun}/job',
    ]


def outcome(known: Job | None, book: Book, segment: Segment) -> int | None:
    """Exit code of a job that has ended and whose runner told none; None where it was lost, and is started again.

    Raises:
        UnreachableError: It was submitted twice, and another job has begun in its place: the book now names that one.
    """
    code = None if known is None else known.result
    if known is not None and known.state == "FAILED" and code == KILLED:
        return None  # its runner was killed before it could tell an end
    if known is None or segment.job is not None or code not in (NO_ROOM, BEGUN):
        return code
    if code == NO_ROOM:
        return None
    with contextlib.suppress(OSError):
        number = (book.folder / f"segment.{segment.number}.begun" / "job").read_text(encoding="ascii").strip()
        if number.isdigit() and number != known.id:
            book.write("queued", segment=segment.number, slurm=number, begin_s=None)
    raise UnreachableError(f"job {known.id} was submitted twice: the one that has begun is looked at")


def require(target: Target | None) -> None:
    """Nothing where Slurm answers.

    Raises:
        UnreachableError: It does not.
    """
    _require(answer(target, "sinfo -h -o %R"), "sinfo")


def _require(done: Answer, what: str) -> None:
    if done.code:
        raise UnreachableError(f"{what} fails: {done.reason}")


def _from_now(begin_s: float) -> str:
    """Begin as Slurm takes it whatever the controller's time zone is: seconds from now."""
    return f"now+{max(0, math.ceil(begin_s - time.time()))}"
