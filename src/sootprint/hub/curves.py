"""Curves of training as the leaderboards keep them: the best value so far over the energy until then."""

from __future__ import annotations

import json

from sootprint.core.records import Footprint, Result
from sootprint.core.results import is_higher_better

KEPT = 60  # points of a curve; the record keeps all


def of(footprint: Footprint, one: Result) -> str | None:
    """Best value so far of a result's metric over energy, as JSON of pairs; None where nothing was logged."""
    name, higher = one.metric.casefold(), is_higher_better(one.metric)
    best: list[tuple[float, float]] = []
    for point in sorted(footprint.curve, key=lambda point: point.energy_kwh):
        if point.metric.casefold() != name:
            continue
        if not best or (point.value > best[-1][1] if higher else point.value < best[-1][1]):
            best.append((point.energy_kwh, point.value))
    if not best:
        return None
    step = -(-len(best) // KEPT)
    return json.dumps(
        [*best[:-1:step], best[-1]]
    )  # between two kept points a target counts as reached at the later
