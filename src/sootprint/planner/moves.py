"""One job that may pause, wait and move between zones: when it runs where, by an exact dynamic programme."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError
from sootprint.planner.exact import ROUNDING, Floats, Ints
from sootprint.planner.places import rows_of


class Moves(NamedTuple):
    """When and where one job runs.

    Args:
        cost: Sum of intensities at unit power, with resumes, idle draw and moves.
        steps: Steps in which it runs, `(length,)`.
        zones: Zone of each of them, `(length,)`.
        weights: Energy by zone and step over that of a step of running, resumes and idle draw in it.
        carried: Part of the cost that is of moving the data.
    """

    cost: float
    steps: Ints
    zones: Ints
    weights: Floats
    carried: float


class Held(NamedTuple):
    """Where a job is when it is planned, and what its pauses and moves cost.

    Args:
        moves: Emissions of moving the data from a zone to a zone, over the job's power; `(n_zones, n_zones)`.
        resume_cost: Energy of one resume, in steps of running [step].
        idle_share: Power of what stays on while it does not run, over that of the run, by zone or for all [1].
        home: Zone in which the data lie now.
        running: Whether it ran there in the last step; False in a pause, None before its first start.
    """

    moves: Floats
    resume_cost: float
    idle_share: Floats
    home: int
    running: bool | None


def plan_moves(
    intensities: npt.ArrayLike,
    length: int,
    slack: int,
    *,
    moves: npt.ArrayLike,
    resume_cost: float = 0.0,
    idle_share: npt.ArrayLike = 0.0,
    home: int = 0,
    running: bool | None = None,
) -> Moves:
    """Least cost of one job that may pause and move between zones, and where it runs when.

    A job that goes on in the zone and step after its last run pays nothing. A resume pays `resume_cost` steps of
    energy at the intensity resumed in, and a move pays that and `moves`; the first start pays no resume. What stays
    on while it waits or pauses draws `idle_share` in the zone where it last ran, or where its data lie.

    Args:
        intensities: Intensity by zone and step, from now on, of one method, `(n_zones, n_steps)`.
        length: Steps that the job still runs [step].
        slack: Steps that it may still wait in all [step].
        moves: As of `Held`, like the arguments below.
        resume_cost: In steps of running [step].
        idle_share: 0 where the node is released [1].
        home: Zone in which the data lie now.
        running: Whether it ran there in the last step; False in a pause, None before its first start.

    Raises:
        InputError: A step has no figure, the job does not fit, or a cost is below 0.

    >>> plan = plan_moves([[100.0, 300.0, 300.0], [400.0, 50.0, 60.0]], 3, 0, moves=[[0, 9], [9, 0]])
    >>> plan.cost, plan.zones.tolist()
    (219.0, [0, 1, 1])
    >>> plan_moves([[120.0, 100.0]], 1, 1, moves=[[0]], resume_cost=0.5, running=True).steps.tolist()
    [0]
    """
    window, held = _checked(
        intensities,
        length,
        slack,
        Held(np.asarray(moves), resume_cost, np.asarray(idle_share), home, running),
    )
    rests = _rests(window, length, held)
    steps, zones = _path(window, rests, held)
    return counted(steps, zones, window, held)


def plan_start(
    intensities: npt.ArrayLike,
    length: int,
    slack: int,
    *,
    moves: npt.ArrayLike,
    idle_share: npt.ArrayLike = 0.0,
    home: int = 0,
) -> Moves:
    """The same for a job that has not begun and cannot pause: its zone and start; arguments as of `plan_moves`.

    >>> plan_start([[300.0, 80.0], [200.0, 200.0]], 1, 1, moves=[[0, 0], [0, 0]]).steps.tolist()
    [1]
    """
    window, held = _checked(
        intensities, length, slack, Held(np.asarray(moves), 0.0, np.asarray(idle_share), home, None)
    )
    sums = np.concatenate((np.zeros((window.shape[0], 1)), np.cumsum(window, axis=1)), axis=1)
    costs = sums[:, length:] - sums[:, :-length] + held.moves[home][:, None]
    costs += (held.idle_share[home] * sums[home])[None, : costs.shape[1]]
    start, zone = _earliest(costs)
    return counted(start + np.arange(length), np.full(length, zone), window, held)


def counted(steps: Ints, zones: Ints, window: Floats, held: Held) -> Moves:
    """Plan of given steps and zones, with what it costs.

    Args:
        steps: Steps in which the job runs, `(length,)`.
        zones: Zone of each of them, `(length,)`.
        window: Intensity by zone and step, `(n_zones, n_steps)`.
        held: Where the job is, and what pauses and moves cost.
    """
    weights, carried = np.zeros_like(window), 0.0
    at, last, ran = held.home, -1, held.running
    for step, zone in zip(steps.tolist(), zones.tolist(), strict=True):
        weights[at, last + 1 : step] += held.idle_share[at]
        carried += float(held.moves[at, zone])
        gone_on = ran and step == last + 1 and zone == at
        weights[zone, step] += 1.0 if gone_on or ran is None else 1.0 + held.resume_cost
        at, last, ran = zone, step, True
    return Moves(float((weights * window).sum()) + carried, steps, zones, weights, carried)


def _checked(intensities: npt.ArrayLike, length: int, slack: int, held: Held) -> tuple[Floats, Held]:
    window = np.stack(rows_of(intensities))[:, : length + slack]
    n_zones = window.shape[0]
    between = np.asarray(held.moves, dtype=np.float64)
    if length < 1 or slack < 0 or window.shape[1] < length + slack:
        raise InputError(
            f"a job of {length} steps with slack {slack} does not fit in {window.shape[1]} steps"
        )
    if between.shape != (n_zones, n_zones) or not bool((between >= 0.0).all()) or held.resume_cost < 0.0:
        raise InputError(
            f"moves must be {n_zones} x {n_zones} costs of at least 0, and resume_cost at least 0"
        )
    idle = np.broadcast_to(np.asarray(held.idle_share, dtype=np.float64), (n_zones,))
    if not bool((idle >= 0.0).all()):
        raise InputError(f"idle_share is {held.idle_share}: it is at least 0")
    return window, held._replace(moves=between, idle_share=idle)


def _rests(window: Floats, length: int, held: Held) -> tuple[list[Floats], list[Floats]]:
    """Least costs of what is left from each step on, by zone and steps left, after a run and after a pause."""
    n_zones, n_steps = window.shape
    last = np.full((n_zones, length + 1), math.inf)
    last[:, 0] = 0.0
    after_run, after_wait = [last], [last]
    for step in range(n_steps - 1, -1, -1):
        run, waited = np.full((n_zones, length + 1), math.inf), after_wait[-1].copy()
        run[:, 1:] = after_run[-1][:, :-1] + window[:, step, None]
        waited[:, 1:] += (held.idle_share * window[:, step])[:, None]
        for ran, made in ((True, after_run), (False, after_wait)):
            entry = _entry(window[:, step], held, ran=ran)
            made.append(np.minimum((entry[:, :, None] + run[None, :, :]).min(axis=1), waited))
    return after_run[::-1], after_wait[::-1]


def _entry(cost: Floats, held: Held, *, ran: bool) -> Floats:
    """Price of running in each zone (second) after having been in each zone (first), the run itself left out."""
    resumed = np.broadcast_to(held.resume_cost * cost, held.moves.shape).copy()
    if ran:
        np.fill_diagonal(resumed, 0.0)
    return held.moves + resumed


def _path(window: Floats, rests: tuple[list[Floats], list[Floats]], held: Held) -> tuple[Ints, Ints]:
    """Steps and zones of the least cost, the earliest where costs are equal: no job waits for a rounding."""
    after_run, after_wait = rests
    n_steps, left = window.shape[1], after_run[0].shape[1] - 1
    at, zone, ran = -1, held.home, bool(held.running)
    tolerance = ROUNDING * float((after_run if ran else after_wait)[0][zone, left])
    steps: list[int] = []
    zones: list[int] = []
    if held.running is None:
        later = np.stack([after_run[step + 1][:, left - 1] for step in range(n_steps)], axis=1)
        waited = np.concatenate(([0.0], np.cumsum(held.idle_share[zone] * window[zone])[:-1]))
        starts = held.moves[zone][:, None] + window + later + waited[None, :]
        at, zone = _earliest(starts)
        steps, zones, ran, left = [at], [zone], True, left - 1
    while left:
        at += 1
        price = _entry(window[:, at], held, ran=ran)[zone] + window[:, at] + after_run[at + 1][:, left - 1]
        waits = after_wait[at + 1][zone, left] + held.idle_share[zone] * window[zone, at]
        ran = bool(price.min() <= waits + tolerance)
        if ran:
            zone, left = int(price.argmin()), left - 1
            steps.append(at)
            zones.append(zone)
    return np.array(steps, dtype=np.int64), np.array(zones, dtype=np.int64)


def _earliest(costs: Floats) -> tuple[int, int]:
    """Step and zone of the least of costs by zone and step, the earliest of equal ones."""
    least = costs.min()
    step, zone = divmod(int((costs.T - least <= ROUNDING * abs(least)).argmax()), int(costs.shape[0]))
    return step, zone
