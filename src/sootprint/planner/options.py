"""Drafts of a plan: for each lever and zone, the energy that each step takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sootprint.planner.elastic import plan_elastic
from sootprint.planner.exact import Floats, Ints
from sootprint.planner.overheads import plan_with_overheads
from sootprint.planner.starts import best_starts
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
        starts, _ = best_starts(expected, 0, length, slack)
        if not zone or starts[0]:
            started = np.roll(at_once, int(starts[0]))
            yield Draft("start", zone, started, started)
        if terms["pausable"]:
            _, steps = plan_with_overheads(expected, length, slack, terms["resume_cost"], terms["idle_share"])
            yield _paused(zone, steps, n_steps, terms)
        if len(terms["scaling"]) > 1:
            workers = plan_elastic(expected, float(length), terms["scaling"]).workers
            yield Draft("elastic", zone, workers, workers)


def _paused(zone: int, steps: Ints, n_steps: int, terms: Mapping[str, Any]) -> Draft:
    """Draft with pauses: resumes and idle draw are in its energy."""
    runs, weights = np.zeros(n_steps), np.zeros(n_steps)
    runs[steps] = 1.0
    weights[steps[0] : steps[-1] + 1] = terms["idle_share"]
    weights[steps] = 1.0
    resumed = steps[1:][np.diff(steps) > 1]
    weights[resumed] += terms["resume_cost"]
    return Draft("pause", zone, runs, weights)
