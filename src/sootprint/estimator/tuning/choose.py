"""Which setting is better than the present one, beyond the error of its repeats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sootprint.core.quantity import Quantity
from sootprint.estimator.tuning import student
from sootprint.estimator.tuning.slices import Slice

CONFIDENCE = 0.90
_FIELDS = {"sample": "joules_per_sample", "quality": "joules_per_quality", "target": "joules_to_target"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A setting with its numbers over all rounds.

    Args:
        setting: The setting.
        joules_per_sample: Energy of a sample, with the error of repeats and meters [J].
        joules_per_quality: Energy of a unit of quality gained [J].
        joules_to_target: Energy until the target [J].
        samples_per_s: Samples over time [1/s].
        change: Its energy over that of the present setting, less 1, with the error of the repeats [1].
        better: Whether the whole interval of the change is below 0.
        failed: Why it has no numbers.
    """

    setting: Mapping[str, str]
    joules_per_sample: Quantity | None = None
    joules_per_quality: Quantity | None = None
    joules_to_target: Quantity | None = None
    samples_per_s: float | None = None
    change: Quantity | None = None
    better: bool = False
    failed: str | None = None


def way(slices: Sequence[Slice], asked: str | None) -> str:
    """What settings are compared by: as asked, else the target where every slice reached it, else the sample."""
    sound = [one for one in slices if one.failed is None]
    if asked is not None:
        return asked
    return "target" if sound and all(one.joules_to_target is not None for one in sound) else "sample"


def outcomes(slices: Sequence[Slice], by: str) -> list[Outcome]:
    """Outcome of each setting in their order, the present one first; a change is that to the present one.

    Energies are compared as logarithms in a design of randomised blocks: a round is a block, so that what drifts from
    round to round is in no difference. The error is that of what is left, with as many comparisons as settings
    (Bonferroni), so that one of twenty alike does not win by chance.

    Source:
        Montgomery, Design and Analysis of Experiments, 8th ed. (2013), chapter 4.
    """
    grouped: dict[tuple[tuple[str, str], ...], list[Slice]] = {}
    for one in slices:
        grouped.setdefault(tuple(one.setting.items()), []).append(one)
    values = {key: _values(group, by) for key, group in grouped.items()}
    sound = {key: found for key, found in values.items() if found is not None}
    changes = _changes(sound, next(iter(grouped))) if grouped else {}
    return [
        _outcome(group, changes.get(key), reason=_reason(group, by) if values[key] is None else None)
        for key, group in grouped.items()
    ]


def best(listed: Sequence[Outcome]) -> Outcome | None:
    """Setting with the largest sure improvement, or None where the present one stays."""
    sure = [one for one in listed if one.better and one.change is not None]
    return min(sure, key=lambda one: one.change.value if one.change else 0.0, default=None)


Key = tuple[tuple[str, str], ...]


def _values(group: Sequence[Slice], by: str) -> dict[int, float] | None:
    """Energy of each round [J]; None where a round has none."""
    found = {one.round: getattr(one, _FIELDS[by]) for one in group if one.failed is None}
    if len(found) < len(group) or any(value is None or value <= 0.0 for value in found.values()):
        return None
    return found


def _reason(group: Sequence[Slice], by: str) -> str:
    failed = next((one.failed for one in group if one.failed), None)
    if failed:
        return failed
    told = {"quality": "no gain in quality in a slice", "target": "the target was not reached in a slice"}
    return told.get(by, "no samples in a slice")


def _changes(values: Mapping[Key, Mapping[int, float]], now: Key) -> dict[Key, Quantity]:
    """Change of each setting against the present one, with its interval."""
    if now not in values or len(values) < 2:
        return {}
    rounds = sorted(set.intersection(*(set(found) for found in values.values())))
    logs = {key: [math.log(found[one]) for one in rounds] for key, found in values.items()}
    if len(rounds) < 2:
        return {}
    df = (len(logs) - 1) * (len(rounds) - 1)
    spread = math.sqrt(_left_over(list(logs.values())) / df * 2.0 / len(rounds))
    confidence = 1.0 - (1.0 - CONFIDENCE) / (len(logs) - 1)
    reach = student.quantile(confidence, df) * spread
    base = _mean(logs[now])
    return {key: _ratio(_mean(found) - base, reach) for key, found in logs.items() if key != now}


def _left_over(rows: Sequence[Sequence[float]]) -> float:
    """Sum of squares that neither settings nor rounds explain."""
    means = [_mean(row) for row in rows]
    columns = [_mean(column) for column in zip(*rows, strict=True)]
    grand = _mean(means)
    return math.fsum(
        (value - mean - column + grand) ** 2
        for row, mean in zip(rows, means, strict=True)
        for value, column in zip(row, columns, strict=True)
    )


def _ratio(log: float, reach: float) -> Quantity:
    value, low, high = (math.expm1(one) for one in (log, log - reach, log + reach))
    return Quantity(value=value, low=low, high=high)


def _outcome(group: Sequence[Slice], change: Quantity | None, *, reason: str | None) -> Outcome:
    sound = [one for one in group if one.failed is None]
    rates = [one.samples_per_s for one in sound if one.samples_per_s is not None]
    return Outcome(
        setting=dict(group[0].setting),
        joules_per_sample=_over_rounds(sound, "joules_per_sample"),
        joules_per_quality=_over_rounds(sound, "joules_per_quality"),
        joules_to_target=_over_rounds(sound, "joules_to_target"),
        samples_per_s=_mean(rates) if rates else None,
        change=change,
        better=change is not None and change.high is not None and change.high < 0.0,
        failed=reason,
    )


def _over_rounds(slices: Sequence[Slice], name: str) -> Quantity | None:
    """Geometric mean over the rounds; its interval is that of the repeats and of the meters in quadrature."""
    found = [getattr(one, name) for one in slices]
    if not found or any(value is None or value <= 0.0 for value in found):
        return None
    logs = [math.log(value) for value in found]
    value = math.exp(_mean(logs))
    if len(logs) < 2:
        return Quantity(value=value)
    variance = math.fsum((one - _mean(logs)) ** 2 for one in logs) / (len(logs) - 1)
    reach = student.quantile(CONFIDENCE, len(logs) - 1) * math.sqrt(variance / len(logs))
    lows = [one.low_ratio for one in slices if one.low_ratio]
    highs = [one.high_ratio for one in slices if one.high_ratio]
    if len(lows) < len(slices) or len(highs) < len(slices):
        return Quantity(value=value)
    low = math.exp(-math.hypot(reach, math.log(_mean(lows))))
    high = math.exp(math.hypot(reach, math.log(_mean(highs))))
    return Quantity(value=value, low=value * min(1.0, low), high=value * max(1.0, high))


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
