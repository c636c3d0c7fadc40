"""Jobs simulated through a year: run times that were misjudged, forecasts that fail, orders that come twice.

The scheduler sees what a real one would: the forecast made at the hour (or, in an outage, the last one), the time
that a job was expected to take, and how long it has run. It learns a job's true length when the job ends.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats, Ints
from sootprint.planner.replan import Flags

_NEVER = -1


class Work(NamedTuple):
    """Jobs to simulate, each column `(n_jobs,)`.

    Args:
        arrivals: Step in which each arrives.
        expected: Time that it is expected to run [step].
        actual: Time that it really runs, without resumes [step].
        slacks: Time that its deadline lies after its arrival and expected time [step].
        pausable: Whether it saves its state and goes on later.
    """

    arrivals: Ints
    expected: Floats
    actual: Floats
    slacks: Floats
    pausable: Flags

    @property
    def deadlines(self) -> Floats:
        """Time by which each should have ended [step]."""
        made: Floats = self.arrivals + self.expected + self.slacks
        return made


class Outcome(NamedTuple):
    """What became of the jobs.

    Args:
        ends: Time at which each ended [step].
        starts: How often each was started for the first time, 1 for each, `(n_jobs,)`.
        resumes: How often each went on after a pause, `(n_jobs,)`.
        missed: Jobs that ended late although run-now would have met the deadline.
        ran: Job, step and share of the step of all that ran, in order of time.
    """

    ends: Floats
    starts: Ints
    resumes: Ints
    missed: Ints
    ran: tuple[Ints, Ints, Floats]


def simulate(
    forecasts: Floats,
    work: Work,
    *,
    outages: Flags,
    error: float = 0.3,
    resume_cost: float = 0.1,
    twice: Flags | None = None,
) -> Outcome:
    """Course of jobs that are planned again each step, with a guard that needs no forecast.

    Args:
        forecasts: Forecast made at each step, `(n_steps, horizon)`.
        work: Jobs to simulate.
        outages: Steps in which no new forecast can be had, `(n_steps,)`.
        error: Share by which a job may outlast what is expected: the guard keeps that time free.
        resume_cost: Time of running that a resume takes [step].
        twice: Steps in which every order is given a second time, as after a restart, `(n_steps,)`.

    Raises:
        InputError: A job outlasts what the guard allows for, or the forecasts end before the last deadline.
    """
    n_steps = forecasts.shape[0]
    if bool((work.actual > work.expected * (1.0 + error) + 1e-9).any()):
        raise InputError(f"a job outlasts its expected time by more than {error:.0%}: allow for more")
    if math.ceil(float((work.deadlines + work.expected * (1.0 + error)).max())) + 2 > n_steps:
        raise InputError(
            "the forecasts end before the last job can: give later ones, or let jobs arrive earlier"
        )
    state = _State(work, error, resume_cost)
    order = np.argsort(work.arrivals, kind="stable")
    edges = np.searchsorted(work.arrivals[order], np.arange(n_steps + 1))
    open_jobs, row = order[:0], forecasts[0]
    for step in range(n_steps):
        open_jobs = np.concatenate((open_jobs, order[edges[step] : edges[step + 1]]))
        row = row[1:] if outages[step] and row.size > 1 else forecasts[step]
        if open_jobs.size == 0:
            continue
        runs = state.wanted(step, open_jobs, row)
        state.run(step, open_jobs[runs])
        if twice is not None and twice[step]:
            state.run(step, open_jobs[runs])
        open_jobs = open_jobs[np.isnan(state.ends[open_jobs])]
    in_time = work.arrivals + work.actual <= work.deadlines + 1e-9
    late = state.ends > work.deadlines + 1e-9
    ran = tuple(np.concatenate(column) for column in zip(*state.ran, strict=True))
    return Outcome(
        state.ends, state.starts, state.resumes, np.flatnonzero(in_time & late), (ran[0], ran[1], ran[2])
    )


class _State:
    """State of every job: time run, resumes, and the last step in which it ran."""

    def __init__(self, work: Work, error: float, resume_cost: float) -> None:
        n_jobs = work.arrivals.size
        self._work, self._error, self._resume_cost = work, error, resume_cost
        self._done, self._last = np.zeros(n_jobs), np.full(n_jobs, _NEVER)
        self.ends = np.full(n_jobs, math.nan)
        self.starts, self.resumes = np.zeros(n_jobs, dtype=np.int64), np.zeros(n_jobs, dtype=np.int64)
        self.ran: list[tuple[Ints, Ints, Floats]] = []

    def wanted(self, step: int, jobs: Ints, row: Floats) -> Flags:
        """Which of the open jobs run in a step: those that must, and those for which it is among the best."""
        work = self._work
        begun, running = self._last[jobs] != _NEVER, self._last[jobs] == step - 1
        spent = self.resumes[jobs] * self._resume_cost
        left = np.maximum(work.expected[jobs] + spent - self._done[jobs], 0.1 * work.expected[jobs])
        worst = work.expected[jobs] * (1.0 + self._error) + spent - self._done[jobs]
        resume = np.where(begun, self._resume_cost, 0.0)
        until = work.deadlines[jobs] - step
        must = until - 1.0 < worst + resume
        must |= begun & running & ~work.pausable[jobs]  # what cannot pause goes on
        must |= begun & running & (worst <= 1.0)  # no pause in the last step
        usable = np.clip(np.floor(until - (worst - left)), 1, row.size).astype(np.int64)
        steps = np.minimum(np.ceil(left), usable).astype(np.int64)
        eager = np.where(running, self._resume_cost * float(row.mean()), 0.0)
        made: Flags = must | np.where(
            work.pausable[jobs], _among_best(row, steps, usable, eager), _best_start(row, steps, usable)
        )
        return made

    def run(self, step: int, jobs: Ints) -> None:
        """Run jobs in a step; a job that already runs in it, or has ended, ignores the order."""
        jobs = jobs[(self._last[jobs] != step) & np.isnan(self.ends[jobs])]
        first = self._last[jobs] == _NEVER
        resumed = ~first & (self._last[jobs] < step - 1)
        self.starts[jobs[first]] += 1
        self.resumes[jobs[resumed]] += 1
        total = self._work.actual[jobs] + self.resumes[jobs] * self._resume_cost
        share = np.minimum(1.0, total - self._done[jobs])
        self._done[jobs] += share
        self._last[jobs] = step
        ended = self._done[jobs] >= total - 1e-9
        self.ends[jobs[ended]] = step + share[ended]
        self.ran.append((jobs, np.full(jobs.size, step), share))


def _among_best(row: Floats, steps: Ints, usable: Ints, eager: Floats) -> Flags:
    """Whether the step at hand is among the cleanest that each job needs, with an advantage for those that run."""
    later = (np.arange(row.size)[None, :] < usable[:, None]) & (row[None, :] < (row[0] - eager)[:, None])
    made: Flags = later.sum(axis=1) < steps
    return made


def _best_start(row: Floats, steps: Ints, usable: Ints) -> Flags:
    """Whether starting at hand is the best start of each job."""
    sums = np.concatenate(([0.0], np.cumsum(row)))
    starts = np.arange(row.size)[None, :]
    ends = np.minimum(starts + steps[:, None], row.size)
    windows = np.where(starts + steps[:, None] <= usable[:, None], sums[ends] - sums[starts], math.inf)
    made: Flags = windows.argmin(axis=1) == 0
    return made


def reported(values: Floats, work: Work, outcome: Outcome, powers: Floats) -> tuple[Floats, Floats]:
    """Emissions of each job as its record would tell, and those of run-now with the same energy, at unit power.

    Energy is that of the meter in each step. Run-now has the energy without the resumes, at its mean power, over
    the job's own time from its arrival on.

    Args:
        values: True intensity of each step, `(n_steps,)`.
        work: The jobs.
        outcome: What became of them.
        powers: Power that the meter gave in each step that ran, over the true one, as long as `outcome.ran`.
    """
    jobs, steps, shares = outcome.ran
    n_jobs = work.arrivals.size
    then: Floats = np.bincount(jobs, powers * shares * values[steps], n_jobs).astype(np.float64)
    mean = np.bincount(jobs, powers * shares, n_jobs) / np.bincount(jobs, shares, n_jobs)
    sums = np.concatenate(([0.0], np.cumsum(values)))
    end = work.arrivals + work.actual
    whole = np.floor(end).astype(np.int64)
    now = sums[whole] + (end - whole) * values[whole] - sums[work.arrivals]
    return then, mean * now
