"""Energy of components as quantities: the meter's own bounds, what sampling missed, and what gaps hide."""

from __future__ import annotations

import math

from sootprint.core.intervals import Z90
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.units import energy_kwh
from sootprint.tracker.components import ComponentState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

BRIDGED_SHARE = 0.2  # of the energy that a counter shows across a gap: a reset may hide in it
FILL_LOW, FILL_HIGH = 0.5, 1.5  # least spread of a gap that is filled at the run's mean power


class Losses(NamedTuple):
    """Share of the other components' energy that board and supply lose, with its bounds [1]."""

    value: float
    low: float
    high: float


NO_LOSSES = Losses(0.0, 0.0, 0.0)


def fill_j(state: ComponentState) -> float:
    """Energy of the gaps at the component's mean power over the time that was measured, or as filled already [J]."""
    if state.covered_s <= 0.0:
        return state.filled_j
    return state.filled_j + (state.lost_s - state.filled_s) * state.energy_j / state.covered_s


class Fill(NamedTuple):
    """What is filled in for a component's gaps, and the least and the most that it may have been [J]."""

    value_j: float
    least_j: float
    most_j: float


def energy_quantity(state: ComponentState, *, fill: Fill | None = None) -> Quantity | None:
    """Energy of a component with its interval [kWh]; None where no two readings of it exist.

    The meter's bounds and the sampling error add in quadrature. A gap that the counter bridged widens the interval
    by a fifth of its energy. A gap without a counter is filled at the run's mean power, the time before
    the first reading at that of the first looks; the bounds are the least and the greatest power seen, at least half
    and one and a half times the mean.

    Args:
        state: Sums of the component.
        fill: What to fill in for gaps where more is known than its mean power.
    """
    if state.covered_s <= 0.0:
        return None
    filled_j, least_j, most_j = fill or _mean_fill(state)
    sampling_j = Z90 * math.sqrt(state.variance_j2)
    bridged_j = BRIDGED_SHARE * state.bridged_j
    down_j = math.hypot(state.energy_j * (1.0 - state.low_ratio), sampling_j) + bridged_j + filled_j - least_j
    up_j = math.hypot(state.energy_j * (state.high_ratio - 1.0), sampling_j) + bridged_j + most_j - filled_j
    value_j = state.energy_j + filled_j
    return Quantity(
        value=energy_kwh(value_j),
        low=energy_kwh(max(0.0, value_j - down_j)),
        high=energy_kwh(value_j + up_j),
        basis=state.basis,
    )


def _mean_fill(state: ComponentState) -> Fill:
    mean_w, filled_j = state.energy_j / state.covered_s, fill_j(state)
    least_j = state.lost_s * min(state.min_w or 0.0, FILL_LOW * mean_w)
    most_j = state.lost_s * max(state.max_w or 0.0, FILL_HIGH * mean_w)
    return Fill(filled_j, min(least_j, FILL_LOW * filled_j), max(most_j, FILL_HIGH * filled_j))


def rest_quantity(state: ComponentState) -> Quantity:
    """Energy of a component that nobody is charged with [kWh]."""
    return Quantity(
        value=energy_kwh(state.rest_j),
        low=energy_kwh(state.rest_j * state.low_ratio),
        high=energy_kwh(state.rest_j * state.high_ratio),
        basis=state.basis,
    )


def node_quantity(base: Quantity, others_kwh: float, losses: Losses) -> Quantity:
    """Energy of board, fans and supply: the constant part, and the losses on what the others drew [kWh]."""
    value = base.value + losses.value * others_kwh
    down = math.hypot(base.value - (base.low or 0.0), (losses.value - losses.low) * others_kwh)
    up = math.hypot((base.high or base.value) - base.value, (losses.high - losses.value) * others_kwh)
    return Quantity(value=value, low=max(0.0, value - down), high=value + up, basis="modelled")


def losses_of(factors: list[Factor]) -> Losses:
    """Loss share among a run's factors; none where no meter stated one."""
    for factor in factors:
        if factor.kind == "loss_share" and factor.value is not None:
            low = factor.value if factor.low is None else factor.low
            high = factor.value if factor.high is None else factor.high
            return Losses(factor.value, low, high)
    return NO_LOSSES
