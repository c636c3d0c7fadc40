"""Place: the zone and time of each job with the least cost."""

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
    rows = rows_of(intensities)
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


def rows_of(intensities: npt.ArrayLike) -> list[Floats]:
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
