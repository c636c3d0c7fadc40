"""What two measured runs do not share where all their energy is modelled: each component has factors of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sootprint.core.protocols import family_of
from sootprint.core.records import Footprint
from sootprint.estimator.compare.sides import Side, shared_widths, width

ESTIMATED = "estimate"  # meter of a component that nothing was read of
_FACTOR = {
    "accelerator": "rated_power",
    "cpu": "rated_power",
    "dram": "memory_power",
    "storage": "storage_power",
    "network": "network_energy",
    "node": "base_power",
}  # what the model of a component is proportional to


def own_variance(first: Side, second: Side) -> float | None:
    """Variance of the logarithm of the ratio of two energies, without what cancels [1].

    A factor that both have errs alike in both: what is left of it is the difference of the component's shares. The rest
    of a component's width counts on each side.

    Returns:
        None where something was measured, nothing was read, the machines differ, or a component has no interval.
    """
    runs = [*first.runs, *second.runs]
    if len({run.node for run in runs}) > 1:
        return None  # another machine may draw another share of what a table says
    if not all(_is_modelled(run) for run in runs):
        return None
    shared = shared_widths(runs)
    own = 0.0
    for kind in {family_of(one.component) for run in runs for one in run.components}:
        found = [_width(run, kind) for run in runs]
        widths = [one for one in found if one is not None]
        if len(widths) < len(found):
            return None
        common = min(math.hypot(*shared.get(_FACTOR.get(kind, ""), ())), *widths)
        shares = [_share(side.runs, kind) for side in (first, second)]
        rest = max(widths) ** 2 - common**2
        own += ((shares[1] - shares[0]) * common) ** 2 + rest * math.fsum(one * one for one in shares)
    return own


def _is_modelled(run: Footprint) -> bool:
    """Whether a run was followed, with every component modelled."""
    return {one.energy_kwh.basis for one in run.components} == {"modelled"} and not is_estimated(run)


def is_estimated(run: Footprint) -> bool:
    """Whether nothing was read of any component."""
    return all(one.meter == ESTIMATED for one in run.components)


def _share(runs: Sequence[Footprint], kind: str) -> float:
    """Share of a kind of component in the energy, mean of the runs [1]."""
    shares = []
    for run in runs:
        energies = [(one.energy_kwh.value, family_of(one.component)) for one in run.components]
        total = math.fsum(value for value, _ in energies)
        shares.append(math.fsum(value for value, of in energies if of == kind) / total if total else 0.0)
    return math.fsum(shares) / len(shares)


def _width(run: Footprint, kind: str) -> float | None:
    """Standard deviation of the logarithm of a component's energy; 0 where it has none, None where it has no bound."""
    found = [one.energy_kwh for one in run.components if family_of(one.component) == kind]
    widths = [width(one) for one in found if one.value > 0.0]
    known = [one for one in widths if one is not None]
    return max(known, default=0.0) if len(known) == len(widths) else None
