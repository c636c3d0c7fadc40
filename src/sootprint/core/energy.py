"""Energy between two readings: wrap, reset and gap are settled here, and nowhere else."""

from __future__ import annotations

import math

from sootprint.core.errors import InputError
from sootprint.core.protocols import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

COUNTER_STEP_S = (
    0.1  # counters move in steps: NVIDIA's every 20-100 ms (Yang et al., SC 2024), RAPL's every 1 ms
)


class Spend(NamedTuple):
    """Energy between two readings [J], or None and the reason why there is none."""

    energy_j: float | None
    reason: str | None = None


def counted(
    before_j: float,
    after_j: float,
    duration_s: float,
    *,
    wraps_at_j: float | None = None,
    max_power_w: float | None = None,
) -> Spend:
    """Energy between two values of a counter.

    A lower value counts as a wrap only if the power that the wrap implies is possible; otherwise the counter was
    reset, and what was spent is not known. A step that implies more than the highest possible power, or a time in
    which the counter could have wrapped more than once, is not a measurement either. A counter that moves in steps
    may hold back the energy of one step, `COUNTER_STEP_S` long, for the next look.

    Args:
        before_j: Earlier value [J].
        after_j: Later value [J].
        duration_s: Time between the two looks, above 0 [s].
        wraps_at_j: Energy at which the counter starts again from zero [J], if it does.
        max_power_w: Highest power that the device can draw [W], where known.

    >>> counted(990.0, 20.0, 1.0, wraps_at_j=1000.0, max_power_w=100.0).energy_j
    30.0
    """
    if not (0.0 <= before_j < math.inf and 0.0 <= after_j < math.inf):
        return Spend(None, "counter is not a finite number of at least 0")
    step_j = after_j - before_j
    limit_j = math.inf if max_power_w is None else max_power_w * (duration_s + COUNTER_STEP_S)
    if wraps_at_j is not None and limit_j != math.inf and limit_j >= wraps_at_j:
        return Spend(None, "counter may have wrapped more than once")
    if step_j >= 0.0:
        return Spend(step_j) if step_j <= limit_j else Spend(None, f"counter jumped by {step_j:.0f} J")
    if wraps_at_j is None:
        return Spend(None, "counter reset")
    wrapped_j = step_j + wraps_at_j
    if wrapped_j < 0.0 or wrapped_j > limit_j or limit_j == math.inf:
        return Spend(None, "counter reset")
    return Spend(wrapped_j)


def power_spend(before: Reading, after: Reading, *, max_gap_s: float) -> Spend:
    """Energy between two looks at a power, as `integrated` tells it.

    Args:
        before: Earlier reading with `power_w`.
        after: Later reading of the same component with `power_w`.
        max_gap_s: Longest time that two looks may stand for [s].

    Raises:
        InputError: A reading has no power, or time does not advance.
    """
    if before.power_w is None or after.power_w is None:
        raise InputError(f"{after.component}: a reading without power_w has no power")
    duration_s = after.at_s - before.at_s
    if not duration_s > 0.0:
        raise InputError(f"{after.component}: readings at {before.at_s} s and {after.at_s} s do not advance")
    return integrated(before.power_w, after.power_w, duration_s, max_gap_s=max_gap_s)


def integrated(before_w: float, after_w: float, duration_s: float, *, max_gap_s: float) -> Spend:
    """Energy between two powers, by the trapezoid of the two.

    Args:
        before_w: Earlier power [W].
        after_w: Later power [W].
        duration_s: Time between the two looks, above 0 [s].
        max_gap_s: Longest time that two looks may stand for [s].

    >>> integrated(100.0, 200.0, 2.0, max_gap_s=5.0).energy_j
    300.0
    """
    if not (0.0 <= before_w < math.inf and 0.0 <= after_w < math.inf):
        return Spend(None, "power is not a finite number of at least 0")
    if duration_s > max_gap_s:
        return Spend(None, f"no reading for {duration_s:.1f} s")
    return Spend(0.5 * (before_w + after_w) * duration_s)


def step_variance_j2(before_w: float, after_w: float, duration_s: float) -> float:
    """Variance of the trapezoid's error where the power jumped once at a random instant between two looks [J^2].

    The jump of size d at a uniformly random time misses between -d*T/2 and +d*T/2, hence (d*T)^2/12.
    """
    return ((after_w - before_w) * duration_s) ** 2 / 12.0
