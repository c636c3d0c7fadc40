"""What a reading must keep to enter a sum: whatever a driver answers, no impossible number comes near a record."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

from sootprint.core.protocols import Reading
from sootprint.core.quantity import BASES

MOST_J, MOST_W = 1e15, 1e9  # a large power station for a week, and that station
SKEW_S = 0.001  # a clock that two threads read may differ by as much


def sound(
    readings: Iterable[Reading], *, start_s: float, now_s: float
) -> tuple[list[Reading], dict[str, str]]:
    """Readings that can be counted, and what is wrong with each other component.

    A busy share outside 0-1 is unknown; it costs no energy.

    Args:
        readings: What a meter answered.
        start_s: Start of the run on the monotonic clock [s].
        now_s: The monotonic clock after the look [s].
    """
    kept, faults = [], {}
    for reading in readings:
        if _is_usual(reading, start_s, now_s):
            kept.append(reading)
            continue
        fault = _fault(reading, start_s, now_s + SKEW_S)
        if fault is not None:
            faults[reading.component] = fault
        elif reading.utilisation is None or _lies(reading.utilisation, 0.0, 1.0):
            kept.append(reading)
        else:
            kept.append(reading._replace(utilisation=None))
    return kept, faults


def _is_usual(reading: Reading, start_s: float, now_s: float) -> bool:
    """Whether a reading is that of a counter, as nearly all are, and breaks no rule: `_fault` says what is wrong."""
    energy_j, at_s = reading.energy_j, reading.at_s
    return (
        type(energy_j) is float
        and 0.0 <= energy_j <= MOST_J
        and type(at_s) is float
        and start_s <= at_s <= now_s
        and reading.power_w is None
        and reading.utilisation is None
        and _broken(reading) is None
    )


def _fault(reading: Reading, start_s: float, until_s: float) -> str | None:
    energy_j, power_w = reading.energy_j, reading.power_w
    if energy_j is None and power_w is None:
        return "neither an energy nor a power was read"
    if energy_j is not None and not _lies(energy_j, 0.0, MOST_J):
        return f"counter reads {energy_j!r:.20} J, which is no energy"
    if power_w is not None and not _lies(power_w, 0.0, MOST_W):
        return f"power reads {power_w!r:.20} W, which is no power"
    if not _lies(reading.at_s, start_s, until_s):
        return "its clock is ahead of the machine's or behind the run's start"
    return _broken(reading)


def _broken(reading: Reading) -> str | None:
    try:
        return _wrong_constant(
            reading.basis, reading.low_ratio, reading.high_ratio, reading.wraps_at_j, reading.max_power_w
        )
    except TypeError:  # a list or the like, which cannot be kept
        return "what never changes about it is neither a number nor a text"


@functools.lru_cache(maxsize=64)
def _wrong_constant(basis: object, low: object, high: object, *limits: object) -> str | None:
    """Which of the attributes that never change breaks its rule."""
    if basis not in BASES:
        return f"its basis {basis!s:.20} is none"
    if not (_lies(low, 0.0, 1.0) and _lies(high, 1.0, MOST_W)):
        return f"its bounds {low!s:.20} to {high!s:.20} do not enclose 1"
    for limit in limits:
        if limit is not None and not _lies(limit, 0.0, math.inf):
            return f"its limit {limit!s:.20} is no number above 0"
    return None


def _lies(value: object, low: float, high: float) -> bool:
    """Whether a value is a number from `low` to `high`; NaN never is."""
    return isinstance(value, (int, float)) and low <= value <= high
