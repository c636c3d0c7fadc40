"""The driver of a job that waits in Slurm's own queue: its begin is planned again each step, and a pause requeues it.

The queue keeps the job whatever dies here; each step is in the plan's book before it is done, and another driver goes
on from there. A job that Slurm has forgotten after it had saved is submitted again, and resumes.
"""

from __future__ import annotations

import math
import os
import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from sootprint.engines import queue
from sootprint.engines.book import Book, Plan, Segment, State
from sootprint.engines.local import RESUME, SEGMENT
from sootprint.engines.state import MARGIN
from sootprint.planner.replan import must_run
from sootprint.runner.choice import waits
from sootprint.runner.driver import AGAIN_S, GRACE_S, after_cut
from sootprint.runner.foreseen import keep

if TYPE_CHECKING:
    from sootprint.runner.outlook import Outlook

LOOK_LEAST_S, LOOK_MOST_S, LOOK_SHARE = 0.5, 30.0, 0.01
RETRY_S = 5.0
SAME_S = 1.0  # two begins as near as that are the same


class Queued:
    """What drives a job in the queue to its end.

    Args:
        book: Its book, of which this process is the driver.
        outlook: Forecast of the grid.
        say: Called with one line for a person.
    """

    def __init__(self, book: Book, outlook: Outlook, *, say: Callable[[str], object]) -> None:
        self._book, self._outlook, self._say = book, outlook, say
        self._complaint = ""
        self._deaf = False
        self._foreseen: int | None = None

    def drive(self) -> int:
        """Exit code of the job, once it has ended."""
        while True:
            state = self._book.state()
            if state.result is not None:
                self._book.release()
                return state.result
            try:
                self.step(state)
            except OSError as err:  # a full disk, or a controller that is restarted
                self._complain(f"plan {state.plan.id} cannot go on yet: {err.strerror or err}")
                time.sleep(RETRY_S)
            time.sleep(min(LOOK_MOST_S, max(LOOK_LEAST_S, LOOK_SHARE * state.plan.expect_s)))

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            self._say(text)

    def step(self, state: State) -> None:
        """Do the next thing, once it is in the book.

        Raises:
            OSError: The book cannot be written, or Slurm does not answer.
        """
        segment = state.open_segment
        if segment is None:
            code = state.ended_with
            if code is None:
                self._put(state)
            else:
                self._book.write("done", code=code)
        elif segment.slurm is None:
            self._submit(state, segment)
        else:
            self._watch(state, segment)

    def _put(self, state: State) -> None:
        """Begin the next segment: the same job waits again, or a new one is submitted."""
        earlier = state.segments[-1].slurm if state.segments else None
        if earlier is not None:
            known = queue.job(None, earlier)
            if known is not None and known.is_open:
                return  # its node is still being cleared
        _, lock = self._book.begin_segment(resume=bool(state.segments) and state.plan.pausable)
        os.close(lock)

    def _submit(self, state: State, segment: Segment) -> None:
        """Put a segment into the queue, unless it is there: the job of the one before again, or a new one."""
        plan, name = state.plan, comment(state.plan, segment.number)
        begin_s = self._begin_s(state)
        number = queue.commented(None, name) or self._again(state, begin_s)
        if number is None:
            script = batch_script(plan, self._book, segment.number)
            number = queue.submitted(None, [*plan.queue, f"--comment={name}"], script, begin_s=begin_s)
        self._book.write("queued", segment=segment.number, slurm=number, begin_s=begin_s)
        self._say(f"job {number} waits until {_clock(begin_s)}")

    def _again(self, state: State, begin_s: float) -> str | None:
        """Number of the job of an earlier segment that waits again, or None where Slurm has forgotten it."""
        number = next((one.slurm for one in reversed(state.segments[:-1]) if one.slurm), None)
        known = None if number is None else queue.job(None, number)
        if number is None or known is None:
            return None
        if not known.is_open and not queue.requeued(None, number):
            return None
        again = queue.job(None, number)
        if again is not None and again.state == "PENDING":
            queue.replanned(None, number, begin_s)
        return number

    def _watch(self, state: State, segment: Segment) -> None:
        """Look at a job that waits or runs: plan its begin again, ask for a pause, see its end."""
        number = segment.slurm or ""
        known = queue.job(None, number)
        segment = self._book.state().segments[-1]  # what its runner told meanwhile
        if segment.code is not None:
            return
        if known is None or not known.is_open:
            self._close(segment, queue.outcome(known, self._book, segment))
        elif known.state == "PENDING":
            self._replan(state, segment, number)
        elif segment.job is not None and state.plan.pausable and self._may_ask(segment):
            self._pause(state, segment, number)

    def _replan(self, state: State, segment: Segment, number: str) -> None:
        """Give a waiting job the begin that is best by what is known now."""
        begin_s = self._begin_s(state)
        told_s = segment.begin_s or 0.0
        if abs(begin_s - told_s) < SAME_S or max(begin_s, told_s) <= time.time():
            return
        queue.replanned(None, number, begin_s)
        self._book.write("queued", segment=segment.number, slurm=number, begin_s=begin_s)
        self._say(f"job {number} is planned again: it waits until {_clock(begin_s)}")

    def _may_ask(self, segment: Segment) -> bool:
        """Whether a job may be asked to pause; one that did not listen may still load, and is asked again."""
        if not segment.deaf:
            if segment.asked and time.time() > (segment.asked_s or 0.0) + GRACE_S:
                self._complain(
                    f"the job has not answered a pause in {GRACE_S:.0f} s: it is not asked again, and runs on"
                )
            return not segment.asked
        if not self._deaf:
            self._deaf = True
            self._say(
                "the job is not paused: it does not catch SIGUSR1, which would end it; "
                "let the script end in `exec python ...`, and call sootprint.pause_requested() between two steps"
            )
        now_s = time.time()
        still_loads = now_s <= (segment.started_s or 0.0) + GRACE_S
        return still_loads and now_s >= (segment.asked_s or 0.0) + AGAIN_S

    def _pause(self, state: State, segment: Segment, number: str) -> None:
        """Ask a running job to save where a dirtier time begins."""
        if self._wait_s(state, running=True) > 0.0:
            self._book.write("asked", segment=segment.number)
            queue.signalled(None, number, "USR1")
            self._say(f"a dirtier time begins: job {number} is asked to save and to pause")

    def _close(self, segment: Segment, code: int | None) -> None:
        """Write the end of a segment that its runner did not tell."""
        if code is None:
            self._book.write("cut", segment=segment.number)
            self._say(f"Slurm has lost job {segment.slurm}; {after_cut(self._book.state())}")
            return
        ran_s = 0.0 if segment.started_s is None else max(0.0, time.time() - segment.started_s)
        self._book.write("ended", segment=segment.number, code=code, ran_s=ran_s)

    def _begin_s(self, state: State) -> float:
        """Wall clock at which the job should begin [s]."""
        return time.time() + self._wait_s(state, running=None if len(state.segments) < 2 else False)

    def _wait_s(self, state: State, *, running: bool | None) -> float:
        """Time that the job should wait now, 0 where it should run [s]; the guard of its deadline asks nobody."""
        plan, now_s = replace(state.plan, resume_s=state.resume_s), time.time()
        left_s = state.left_s
        if running and state.segments[-1].started_s is not None:
            left_s = max(0.05 * plan.expect_s, left_s - (now_s - state.segments[-1].started_s))
        until_s = plan.deadline_s - now_s
        ahead = None if must_run(left_s, until_s, margin=MARGIN) else self._outlook.ahead(now_s)
        if ahead is None:
            return 0.0
        length = max(1, math.ceil(left_s / ahead.step_s))
        free_s = until_s - left_s * (1.0 + MARGIN)
        slack = min(math.floor(free_s / ahead.step_s), ahead.values.size - length)
        if slack < 1:
            return 0.0
        steps = waits(plan, ahead, left=length, slack=slack, running=running)
        if steps and not running and self._foreseen != ahead.index:
            self._foreseen = ahead.index
            keep(self._book, state, ahead)
        return min(free_s, max(0.0, (ahead.index + steps) * ahead.step_s - now_s)) if steps else 0.0


def comment(plan: Plan, number: int) -> str:
    """Comment by which a job that was submitted is found again."""
    return f"sootprint-{plan.id}-{number}"


def batch_script(plan: Plan, book: Book, first: int) -> str:
    """Batch script that becomes the runner; a job that Slurm has requeued resumes, as the next segment.

    Args:
        plan: The plan, whose command is the user's script with its arguments.
        book: The plan's book.
        first: Number of the segment that the job begins with.
    """
    folder = shlex.quote(str(book.folder))
    resume = [f"[ {first} -gt 1 ] || [ $again -gt 0 ] && export {RESUME}=1"] if plan.pausable else []
    lines = [
        "#!/bin/sh",
        "again=${SLURM_RESTART_COUNT:-0}",
        f"segment=$(({first} + again))",
        *queue.begin_once(book.folder, "$segment"),
        f"unset {RESUME}",
        *resume,
        f'export {SEGMENT}="$segment":{folder}',
        f"exec {shlex.join(plan.arguments)} -- {shlex.join(plan.command)}",
    ]
    return "\n".join(lines) + "\n"


def _clock(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_s))
