"""Place: the zone and time of each job with the least cost, and one job that moves between zones."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats, Ints, series
from sootprint.planner.pauses import best_pauses
from sootprint.planner.starts import best_starts


class Places(NamedTuple):
    """Zone of each job, its first step (-1 where it may pause), and its cost, each `(n_jobs,)`."""

    zones: Ints
    starts: Ints
    costs: Floats


class Moves(NamedTuple):
    """Cost of a job that may move, and the steps and zones in which it runs, each `(length,)`."""

    cost: float
    steps: Ints
    zones: Ints


def best_places(
    intensities: npt.ArrayLike,
    arrivals: npt.ArrayLike,
    lengths: npt.ArrayLike,
    slacks: npt.ArrayLike,
    *,
    transfers: npt.ArrayLike = 0.0,
    allowed: npt.ArrayLike = True,
    pausable: bool = False,
) -> Places:
    """Zone and start (or, if it may pause, steps) with the least cost of each job; ties go to the first zone.

    Args:
        intensities: Intensity by zone and step of equal length, of one method, `(n_zones, n_steps)`.
        arrivals: First step in which each job may run, `(n_jobs,)` [step].
        lengths: Steps that it runs, `(n_jobs,)` [step].
        slacks: Steps that it may wait, `(n_jobs,)` [step].
        transfers: Emissions of moving a job's data to a zone, over its power: intensity times steps;
            `(n_zones,)` or `(n_jobs, n_zones)`.
        allowed: Whether a job's data may lie in a zone (residency); `(n_zones,)` or `(n_jobs, n_zones)`.
        pausable: Whether the jobs may pause at any step for free.

    Raises:
        InputError: A step has no figure, a job does not fit, or no zone is allowed to it.

    >>> found = best_places([[300.0, 100.0], [90.0, 200.0]], [0, 0], [1, 1], [1, 1], transfers=[[0, 0], [0, 20]])
    >>> found.zones.tolist(), found.starts.tolist(), found.costs.tolist()
    ([1, 0], [0, 1], [90.0, 100.0])
    """
    rows = _rows(intensities)
    n_jobs = int(np.broadcast_shapes(*(np.shape(np.atleast_1d(c)) for c in (arrivals, lengths, slacks)))[0])
    moved, may = (
        _by_job(name, given, n_jobs, len(rows))
        for name, given in (("transfers", transfers), ("allowed", allowed))
    )
    found = Places(np.full(n_jobs, -1), np.full(n_jobs, -1), np.full(n_jobs, math.inf))
    for zone, row in enumerate(rows):
        if pausable:
            starts, costs = np.full(n_jobs, -1), best_pauses(row, arrivals, lengths, slacks)[0]
        else:
            starts, costs = best_starts(row, arrivals, lengths, slacks)
        costs = costs + moved[:, zone]
        better = (costs < found.costs) & (may[:, zone] != 0.0)
        found.zones[better], found.starts[better], found.costs[better] = zone, starts[better], costs[better]
    nowhere = np.flatnonzero(found.zones < 0)
    if nowhere.size:
        raise InputError(f"job {nowhere[0]} is allowed in none of the {len(rows)} zones: allow it one")
    return found


def plan_moves(
    intensities: npt.ArrayLike,
    length: int,
    slack: int,
    *,
    moves: npt.ArrayLike,
    resume_cost: float = 0.0,
    home: int = 0,
) -> Moves:
    """Least cost of one job that may pause and move between zones, and where it runs when.

    A job that goes on in the zone and step after its last run pays nothing; a resume pays `resume_cost` steps of
    energy at the intensity resumed in, and a move pays that and `moves`. The node is released in a pause.

    Args:
        intensities: Intensity by zone and step, from the arrival on, of one method, `(n_zones, n_steps)`.
        length: Steps that the job runs [step].
        slack: Steps that it may wait in all [step].
        moves: Emissions of moving the data from a zone to a zone, over the job's power; `(n_zones, n_zones)`.
        resume_cost: Energy of one resume, in steps of running [step].
        home: Zone in which the data lie at first.

    Raises:
        InputError: A step has no figure, the job does not fit, or a cost is below 0.

    >>> plan = plan_moves([[100.0, 300.0, 300.0], [400.0, 50.0, 60.0]], 3, 0, moves=[[0, 9], [9, 0]])
    >>> plan.cost, plan.zones.tolist()
    (219.0, [0, 1, 1])
    """
    window = np.stack(_rows(intensities))[:, : length + slack]
    between = np.asarray(moves, dtype=np.float64)
    n_zones = window.shape[0]
    if length < 1 or slack < 0 or window.shape[1] < length + slack:
        raise InputError(
            f"a job of {length} steps with slack {slack} does not fit in {window.shape[1]} steps"
        )
    if between.shape != (n_zones, n_zones) or not bool((between >= 0.0).all()) or resume_cost < 0.0:
        raise InputError(
            f"moves must be {n_zones} x {n_zones} costs of at least 0, and resume_cost at least 0"
        )
    rests = _rests(window, length, between, resume_cost)
    return _path(window, rests, between, resume_cost=resume_cost, home=home)


def next_zone(
    intensities: npt.ArrayLike,
    left: int,
    slack: int,
    *,
    moves: npt.ArrayLike,
    resume_cost: float = 0.0,
    home: int = 0,
    running: bool | None = None,
    advantage: float = 0.0,
) -> int | None:
    """Zone in which a job that is planned again runs in the first step, or None where it waits.

    Args:
        intensities: Intensity by zone and step, from now on, of one method, `(n_zones, n_steps)`.
        left: Steps that the job still runs [step].
        slack: Steps that it may still wait [step].
        moves: Emissions of moving the data from a zone to a zone, over the job's power; `(n_zones, n_zones)`.
        resume_cost: Energy of one resume, in steps of running [step].
        home: Zone in which the data lie now.
        running: Whether it ran there in the last step; False in a pause, None before its first start.
        advantage: Share by which it must be better to leave a run, or to wait for the first start [1].

    >>> next_zone([[300.0, 300.0], [90.0, 90.0]], 1, 1, moves=[[0, 30], [30, 0]])
    1
    >>> next_zone([[300.0, 80.0], [90.0, 90.0]], 1, 1, moves=[[0, 30], [30, 0]]) is None
    True
    """
    window = np.stack(_rows(intensities))[:, : left + slack]
    between = np.asarray(moves, dtype=np.float64)
    after_run, after_wait = _rests(window, left, between, resume_cost)
    later = np.stack([after_run[step + 1][:, left - 1] for step in range(window.shape[1])], axis=1)
    first = between[home][:, None] + window + later  # as a first start, in each zone and step
    now, wait = first[:, 0].copy(), math.inf
    if running is None:
        wait = float(first[:, 1:].min(initial=math.inf))
    else:
        resumed = resume_cost * window[:, 0]
        resumed[home] *= 0.0 if running else 1.0
        now += resumed
        wait = float(after_wait[1][home, left])
    if running and now[home] * (1.0 - advantage) <= min(float(now.min()), wait):
        return home
    lead = advantage if running is None else 0.0
    return int(now.argmin()) if float(now.min()) * (1.0 - lead) <= wait else None


def next_start_zone(
    intensities: npt.ArrayLike,
    left: int,
    slack: int,
    *,
    moves: npt.ArrayLike,
    home: int = 0,
    advantage: float = 0.0,
) -> int | None:
    """Zone in which a job that cannot pause starts now, or None where it waits; arguments as of `next_zone`.

    >>> next_start_zone([[300.0, 80.0], [200.0, 200.0]], 1, 1, moves=[[0, 0], [0, 0]]) is None
    True
    """
    window = np.stack(_rows(intensities))[:, : left + slack]
    sums = np.concatenate((np.zeros((window.shape[0], 1)), np.cumsum(window, axis=1)), axis=1)
    costs = sums[:, left:] - sums[:, :-left] + np.asarray(moves, dtype=np.float64)[home][:, None]
    best = int(costs[:, 0].argmin())
    return best if float(costs[best, 0]) * (1.0 - advantage) <= float(costs.min()) else None


def _rests(
    window: Floats, length: int, between: Floats, resume_cost: float
) -> tuple[list[Floats], list[Floats]]:
    """Least costs of what is left from each step on, by zone and steps left, after a run and after a pause."""
    n_zones, n_steps = window.shape
    last = np.full((n_zones, length + 1), math.inf)
    last[:, 0] = 0.0
    after_run, after_wait = [last], [last]
    for step in range(n_steps - 1, -1, -1):
        run, waited = np.full((n_zones, length + 1), math.inf), after_wait[-1]
        run[:, 1:] = after_run[-1][:, :-1] + window[:, step, None]
        for ran, made in ((True, after_run), (False, after_wait)):
            entry = _entry(window[:, step], between, resume_cost=resume_cost, ran=ran)
            made.append(np.minimum((entry[:, :, None] + run[None, :, :]).min(axis=1), waited))
    return after_run[::-1], after_wait[::-1]


def _entry(cost: Floats, between: Floats, *, resume_cost: float, ran: bool) -> Floats:
    """Price of running in each zone (second) after having been in each zone (first), the run itself left out."""
    resumed = np.broadcast_to(resume_cost * cost, between.shape).copy()
    if ran:
        np.fill_diagonal(resumed, 0.0)
    return between + resumed


def _path(
    window: Floats,
    rests: tuple[list[Floats], list[Floats]],
    between: Floats,
    *,
    resume_cost: float,
    home: int,
) -> Moves:
    """Steps and zones of the least cost."""
    after_run, after_wait = rests
    n_zones, n_steps = window.shape
    left = after_run[0].shape[1] - 1
    later = np.stack([after_run[step + 1][:, left - 1] for step in range(n_steps)], axis=1)
    starts = between[home][:, None] + window + later
    at, zone = divmod(int(starts.T.argmin()), n_zones)
    total, steps, zones, ran = float(starts[zone, at]), [at], [zone], True
    for done in range(1, left):
        while True:
            at += 1
            entry = _entry(window[:, at], between, resume_cost=resume_cost, ran=ran)[zone]
            price = entry + window[:, at] + after_run[at + 1][:, left - done - 1]
            ran = bool(price.min() <= after_wait[at + 1][zone, left - done])
            if ran:
                break
        zone = int(price.argmin())
        steps.append(at)
        zones.append(zone)
    return Moves(total, np.array(steps, dtype=np.int64), np.array(zones, dtype=np.int64))


def _rows(intensities: npt.ArrayLike) -> list[Floats]:
    """Intensity of each zone."""
    given = np.asarray(intensities, dtype=np.float64)
    if given.ndim != 2 or given.size == 0:
        raise InputError(f"intensities have shape {given.shape}: give one row of steps for each zone")
    return [series(row) for row in given]


def _by_job(name: str, given: npt.ArrayLike, n_jobs: int, n_zones: int) -> Floats:
    """Figures of each job and zone, `(n_jobs, n_zones)`."""
    try:
        return np.broadcast_to(np.asarray(given, dtype=np.float64), (n_jobs, n_zones))
    except ValueError as err:
        raise InputError(
            f"{name} has shape {np.shape(given)}, not ({n_zones},) or ({n_jobs}, {n_zones})"
        ) from err
