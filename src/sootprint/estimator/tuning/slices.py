"""What one slice tells: joules per sample and per unit of quality, from its record and what it logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sootprint.core.errors import InputError
from sootprint.core.records import CurvePoint, Footprint
from sootprint.core.units import energy_j
from sootprint.estimator.advice.stopping import NOT_QUALITY, falls
from sootprint.estimator.tuning.plan import Probe, Setting

SAMPLES = "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A measured slice of a training.

    Args:
        setting: Its setting.
        round: Number of the round.
        run: Identity of its run; None where it failed.
        energy_kwh: Energy of the whole slice [kWh].
        low_ratio: Low bound of the energy over its value [1]; None is unknown.
        high_ratio: High bound of the same [1].
        joules_per_sample: Energy of a sample, without the start-up before the first that was logged [J].
        joules_per_quality: Energy of a unit of quality gained [J]; None without gain.
        joules_to_target: Energy until the target was reached [J]; None where it was not.
        samples_per_s: Samples over the time of the slice, start-up included [1/s].
        metric: Metric of quality.
        failed: Why there are no numbers.
    """

    setting: Setting
    round: int
    run: str | None = None
    energy_kwh: float = 0.0
    low_ratio: float | None = None
    high_ratio: float | None = None
    joules_per_sample: float | None = None
    joules_per_quality: float | None = None
    joules_to_target: float | None = None
    samples_per_s: float | None = None
    metric: str | None = None
    failed: str | None = None


def read(probe: Probe, setting: Setting, number: int, whole: Footprint, inside: Sequence[Footprint]) -> Slice:
    """Slice of a record and of the runs that the command tracked itself.

    Args:
        probe: What was asked.
        setting: Setting of the slice.
        number: Number of its round.
        whole: Record of the whole command.
        inside: Records of the runs inside of it.

    Raises:
        InputError: The command logged no samples, and none are stated.
    """
    logged = max((*inside, whole), key=lambda one: _points(one.curve, SAMPLES)[1])
    energy = whole.energy_kwh
    if energy is None or energy.value <= 0.0:
        raise InputError("a slice has no energy: see `sootprint doctor` for what can be read here")
    per_sample, samples = _per_sample(probe, whole, logged)
    metric = probe.quality or (probe.target[0] if probe.target else None) or _metric(logged.curve)
    duration_s = logged.duration_s or whole.duration_s
    return Slice(
        setting=dict(setting),
        round=number,
        run=whole.id,
        energy_kwh=energy.value,
        low_ratio=None if energy.low is None else energy.low / energy.value,
        high_ratio=None if energy.high is None else energy.high / energy.value,
        joules_per_sample=per_sample,
        joules_per_quality=None if metric is None else _per_quality(logged.curve, metric),
        joules_to_target=None if probe.target is None else _to_target(logged.curve, *probe.target),
        samples_per_s=None if not duration_s else samples / duration_s,
        metric=metric,
    )


def _per_sample(probe: Probe, whole: Footprint, logged: Footprint) -> tuple[float, float]:
    """Energy of a sample [J], and the number of samples."""
    points, count = _points(logged.curve, SAMPLES)
    if count >= 2 and points[-1].value > points[0].value:
        first, last = points[0], points[-1]
        return energy_j(last.energy_kwh - first.energy_kwh) / (last.value - first.value), last.value
    if count and points[-1].value > 0.0:
        return energy_j(points[-1].energy_kwh) / points[-1].value, points[-1].value
    if probe.samples is not None and whole.energy_kwh is not None:
        return energy_j(whole.energy_kwh.value) / probe.samples, probe.samples
    raise InputError(
        f'the command told no samples within {probe.slice_s:g} s: call run.log("samples", n) in it with the number '
        "seen so far, give it a longer --slice, or state those of one slice with --samples"
    )


def _points(curve: Sequence[CurvePoint], metric: str) -> tuple[list[CurvePoint], int]:
    listed = [point for point in curve if point.metric == metric]
    return listed, len(listed)


def _metric(curve: Sequence[CurvePoint]) -> str | None:
    """Metric of quality with the most points, held-out ones first; None where none is logged twice."""
    counts: dict[str, int] = {}
    for point in curve:
        words = set(point.metric.lower().replace("/", "_").replace("-", "_").split("_"))
        if not words & set(NOT_QUALITY):
            counts[point.metric] = counts.get(point.metric, 0) + 1
    held_out = ("val", "test", "eval", "dev")
    listed = [name for name, count in counts.items() if count >= 2]
    return max(
        listed, key=lambda name: (any(one in name.lower() for one in held_out), counts[name]), default=None
    )


def _per_quality(curve: Sequence[CurvePoint], metric: str) -> float | None:
    """Energy from the first to the last logged value over the gain between them [J]; None without gain."""
    points, count = _points(curve, metric)
    if count < 2:
        return None
    gain = points[-1].value - points[0].value
    gain = -gain if falls(metric) else gain
    spent_j = energy_j(points[-1].energy_kwh - points[0].energy_kwh)
    return spent_j / gain if gain > 0.0 and spent_j > 0.0 else None


def _to_target(curve: Sequence[CurvePoint], metric: str, value: float) -> float | None:
    """Energy until a metric first was as good as the target [J]."""
    for point in _points(curve, metric)[0]:
        if point.value <= value if falls(metric) else point.value >= value:
            return energy_j(point.energy_kwh)
    return None
