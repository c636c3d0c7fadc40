"""Drafts of a plan: for each lever and zone, the energy that each step takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sootprint.planner.elastic import plan_elastic
from sootprint.planner.exact import Floats
from sootprint.planner.moves import Moves, plan_moves, plan_start
from sootprint.planner.views import View


class Draft(NamedTuple):
    """One way to run.

    Args:
        kind: now, start, pause, elastic or place.
        zone: Number of its zone.
        runs: Workers in each step, `(n_steps,)`.
        weights: Energy of each step over that of one worker's step, overheads in it, `(n_steps,)`.
    """

    kind: str
    zone: int
    runs: Floats
    weights: Floats


def drafts(views: Sequence[View], length: int, slack: int, terms: Mapping[str, Any]) -> Iterator[Draft]:
    """Running at once in the first zone, and then every lever in every zone.

    Args:
        views: Intensity of the zones over the window.
        length: Steps that the job runs.
        slack: Steps that it may wait in all.
        terms: pausable, resume_cost [step], idle_share [0-1] and scaling, as of a job.
    """
    n_steps = length + slack
    at_once = (np.arange(n_steps) < length).astype(np.float64)
    yield Draft("start", 0, at_once, at_once)
    for zone, view in enumerate(views):
        expected = view.expected[:n_steps]
        if zone:
            yield Draft("place", zone, at_once, at_once)
        kept = {"moves": np.zeros((1, 1)), "idle_share": terms["idle_share"]}
        started = plan_start(expected[None, :], length, slack, **kept)
        if not zone or started.steps[0]:
            yield _drawn("start", zone, started)
        if terms["pausable"]:
            resume = terms["resume_cost"]
            yield _drawn(
                "pause", zone, plan_moves(expected[None, :], length, slack, **kept, resume_cost=resume)
            )
        if len(terms["scaling"]) > 1:
            yield _elastic(zone, expected, length, terms)


def _elastic(zone: int, expected: Floats, length: int, terms: Mapping[str, Any]) -> Draft:
    """Draft with several workers; where idle draw counts, the end with the least of it is looked for."""
    idle, found = terms["idle_share"], []
    least = math.ceil(length / sum(terms["scaling"]) - 1e-9)
    for end in range(least, expected.size + 1) if idle else (expected.size,):
        workers = np.zeros(expected.size)
        workers[:end] = plan_elastic(expected[:end], float(length), terms["scaling"]).workers
        waits = (workers == 0.0) & (np.arange(expected.size) < np.flatnonzero(workers)[-1])
        found.append(Draft("elastic", zone, workers, workers + idle * waits))
    return min(found, key=lambda one: float(one.weights @ expected))


def _drawn(kind: str, zone: int, found: Moves) -> Draft:
    """Draft of a plan in one zone: resumes and idle draw are in its energy."""
    runs = np.zeros(found.weights.shape[1])
    runs[found.steps] = 1.0
    return Draft(kind, zone, runs, found.weights[0])
