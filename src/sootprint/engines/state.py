"""What the book of a plan tells: the plan, each start of its job, what was carried between places, and its end."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sootprint.engines.processes import Process

PAUSED = 75  # exit code of a job that has saved and may be resumed (EX_TEMPFAIL of sysexits.h)
MARGIN = 0.3  # of the time that a job runs, kept free before its deadline: estimates are off by as much
MOST_CUTS = 5  # a job that is cut again and again, without a pause between, is given up
MOST_LOST = 50  # and one of which so many starts were cut before it began


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A job and until when it must be done.

    Args:
        id: Identity.
        command: Program and arguments.
        cwd: Working directory.
        arguments: Options of `sootprint run` for each segment.
        deadline_s: Wall clock by which it ends [s].
        expect_s: Time that it runs [s].
        zone: Zone whose intensity decides, or None.
        idle_w: Draw of what stays on for it while it does not run, or None where not stated [W].
        power_w: Mean power of its IT equipment, or None where not stated [W].
        trace: File of the intensity, or None for the configured sources.
        pausable: Whether it saves and ends with 75 when it gets SIGUSR1.
        resume_s: Running time that a resume costs: stated, or measured in earlier plans [s].
        resume_stated: Whether it was stated, so that what is measured does not replace it.
        made_s: Wall clock when it was made [s].
        targets: Settings of the places where it may run; none where it runs on this machine.
        carry: Files and folders that go with it, relative to the working directory.
        queue: Options and script of a job that waits in the queue of Slurm; none for others.
    """

    id: str
    command: tuple[str, ...]
    cwd: str
    arguments: tuple[str, ...]
    deadline_s: float
    expect_s: float
    zone: str | None = None
    idle_w: float | None = None
    power_w: float | None = None
    trace: str | None = None
    pausable: bool = False
    resume_s: float = 0.0
    resume_stated: bool = False
    made_s: float = 0.0
    targets: tuple[Mapping[str, Any], ...] = ()
    carry: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One start of the job.

    Args:
        number: Its number, from 1.
        resume: Whether it resumes what an earlier one saved.
        boot: Start of the machine in which it was begun.
        job: The command's process, once it was started.
        runner: The process that measures it and writes its end.
        asked: Whether it was asked to pause.
        asked_s: Wall clock at which it was [s].
        code: Exit code of the command, or None while it is not known.
        started_s: Wall clock at which the command began [s].
        ready_s: Time from there until it first asked whether to pause, its start and load done [s].
        ended_s: Wall clock at which the command ended [s].
        ran_s: Time that it ran [s].
        cut: Whether it ended without telling how.
        target: Place where it runs; "" on this machine.
        slurm: Number of its job in Slurm, or None.
        begin_s: Wall clock before which Slurm does not start it [s], or None.
        deaf: Whether its command did not listen when it was asked to pause the last time.
    """

    number: int
    resume: bool
    boot: str
    job: Process | None = None
    runner: Process | None = None
    asked: bool = False
    asked_s: float | None = None
    code: int | None = None
    started_s: float | None = None
    ready_s: float | None = None
    ended_s: float | None = None
    ran_s: float = 0.0
    cut: bool = False
    target: str = ""
    slurm: str | None = None
    begin_s: float | None = None
    deaf: bool = False

    @property
    def save_s(self) -> float | None:
        """Time from the question to its end, where it paused: a last step, the save and the exit [s]."""
        if self.code != PAUSED or self.asked_s is None or self.ended_s is None:
            return None
        return max(0.0, self.ended_s - self.asked_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What was carried from one place to another: its checkpoint, mostly.

    Args:
        source: Place that it was carried from; "" is this machine.
        target: Place that it was carried to.
        at_s: Wall clock when it had arrived [s].
        took_s: Time that it took [s].
        size_bytes: What was carried [byte].
        energy_kwh: Energy that it took, with its 5th and 95th percentile [kWh].
        emissions_kg: Emissions of that, or None where no intensity was known [kgCO2e].
        record: Id of the footprint that charges it, or None where none was kept.
    """

    source: str
    target: str
    at_s: float
    took_s: float
    size_bytes: int
    energy_kwh: tuple[float, float, float]
    emissions_kg: tuple[float, float, float] | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a book tells.

    Args:
        plan: The plan.
        segments: Starts of the job, the earliest first.
        result: Exit code of the whole, or None while it is open.
        carried: What was carried between places, in order.
    """

    plan: Plan
    segments: tuple[Segment, ...] = ()
    result: int | None = None
    carried: tuple[Carried, ...] = ()

    @property
    def open_segment(self) -> Segment | None:
        """Segment that was begun and whose end is not known."""
        last = self.segments[-1] if self.segments else None
        return last if last is not None and last.code is None and not last.cut else None

    @property
    def resume_s(self) -> float:
        """Running time that a resume costs: as stated, else as the pauses so far showed, else as earlier plans [s]."""
        shown_s = None if self.plan.resume_stated else measured_s(self.segments)
        return self.plan.resume_s if shown_s is None else shown_s

    @property
    def where(self) -> str:
        """Place where what the job needs lies; "" is this machine."""
        return self.carried[-1].target if self.carried else ""

    @property
    def ended_with(self) -> int | None:
        """Exit code of a job that is not to be started again; None where it is."""
        if not self.segments:
            return None
        last = self.segments[-1]
        if last.cut:
            return (
                1
                if self.cuts > MOST_CUTS or sum(one.job is None for one in self.segments) > MOST_LOST
                else None
            )
        paused = last.code == PAUSED and self.plan.pausable and last.asked
        return None if paused else last.code

    @property
    def cuts(self) -> int:
        """How often the job was cut off after it had begun, since it paused last."""
        count = 0
        for one in reversed(self.segments):
            if one.code == PAUSED:
                break
            count += one.cut and one.job is not None
        return count

    @property
    def left_s(self) -> float:
        """Time that the job still runs, of what was expected [s]; loading, saving and what was cut off are no work."""
        done_s = sum(
            max(0.0, one.ran_s - sum(self.overheads_s(one))) for one in self.segments if one.code == PAUSED
        )
        resumes_s = self.resume_s if self.segments else 0.0
        return max(0.05 * self.plan.expect_s, self.plan.expect_s - done_s) + resumes_s

    def overheads_s(self, segment: Segment) -> tuple[float, float]:
        """Times of a segment that are no work: loading and saving, as measured, else as stated [s].

        A first start loads nothing of what was saved: its start is part of the time that was expected.
        """
        load_s = self.resume_s if segment.ready_s is None else segment.ready_s
        return (load_s if segment.resume else 0.0), segment.save_s or 0.0

    @property
    def latest_s(self) -> float:
        """Wall clock at which the job starts at the latest, whatever any forecast says [s]."""
        return self.plan.deadline_s - self.left_s * (1.0 + MARGIN)


def measured_s(segments: Sequence[Segment]) -> float | None:
    """Time that a resume has cost so far: the median save, and the median start and load [s]; None before a pause.

    A first start loads nothing, and counts only while none has resumed.
    """
    saves = [one.save_s for one in segments if one.save_s is not None]
    loads = [one.ready_s for one in segments if one.ready_s is not None and one.resume]
    starts = loads or [one.ready_s for one in segments if one.ready_s is not None]
    return statistics.median(saves) + statistics.median(starts or [0.0]) if saves else None
