"""Early stopping, played on the run's own curve: what a patience rule would have saved, and what it would have cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sootprint.core.records import CurvePoint
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import NO_EVIDENCE, NOT_HERE, REFUSED, Effect, Idea

LEAST_POINTS = 8
PATIENCES = (0.05, 0.10, 0.20)  # of the curve's points: hasty, usual, patient
LEAST_PATIENCE = 2  # points
LOSES = ("loss", "error", "perplexity", "ppl", "wer", "cer", "fid", "mae", "mse", "rmse", "bpb", "bpc")
NOT_QUALITY = ("lr", "learning_rate", "epoch", "step", "samples", "tokens", "time", "grad", "norm", "memory")


class Stop(NamedTuple):
    """Where a patience rule stops: share of the energy spent, best value by then, and whether it fired."""

    spent: float
    best: float
    fired: bool


def early_stopping(base: Baseline) -> Idea:
    """The same run, stopped when its metric no longer improves."""
    idea = Idea(
        name="early_stopping",
        action="stop when the metric no longer improves",
        factors=("work",),
        boundary="the next run of this kind; keep the best checkpoint. The best value is that of the logged metric, so "
        "log one on held-out data",
    )
    found = quality_of(base.footprint.curve)
    if found is None:
        return _no_curve(idea, base)
    return _played(base, idea, *found)


def _played(base: Baseline, idea: Idea, metric: str, points: Sequence[CurvePoint]) -> Idea:
    """The measure, with the rule played on the logged values of a metric."""
    sign = -1.0 if falls(metric) else 1.0
    values = [sign * point.value for point in points]
    energies = [point.energy_kwh for point in points]
    total = max(energies[-1], base.footprint.energy_kwh.value if base.footprint.energy_kwh else 0.0)
    stops = [
        stopped(energies, values, max(LEAST_PATIENCE, round(share * len(values)))) for share in PATIENCES
    ]
    hasty, usual, patient = stops
    if not usual.fired:
        return replace(
            idea,
            status=NOT_HERE,
            evidence=f"{metric} still improved within the last {100 * PATIENCES[1]:.0f} % of its {len(points)} points",
        )
    span = max(values) - values[0]
    lost = max(values) - usual.best
    if span > 0.0 and lost > 0.01 * span:
        return replace(
            idea,
            status=REFUSED,
            evidence=f"this run: stopping would have given up {100 * lost / span:.2g} % of the gain in {metric}",
        )
    saved = sorted(1.0 - stop.spent / total for stop in (patient, usual, hasty))
    return replace(
        idea,
        action=f"stop after {100 * PATIENCES[1]:.0f} % of the points without a better {metric}",
        effect=_effect(base, saved[0], 1.0 - usual.spent / total, saved[-1]),
        evidence=f"this run's own curve of {metric} ({len(points)} points), played again with a patience of 5, 10 and "
        f"20 %; best value then {sign * usual.best:.4g}, at the end {sign * max(values):.4g}",
        tier="measured here",
    )


def quality_of(curve: Sequence[CurvePoint]) -> tuple[str, list[CurvePoint]] | None:
    """Metric of quality with the most points, held-out ones before others; None without `LEAST_POINTS` of one."""
    listed: dict[str, list[CurvePoint]] = {}
    for point in curve:
        words = point.metric.lower().replace("/", "_").replace("-", "_").split("_")
        if not set(words) & set(NOT_QUALITY):
            listed.setdefault(point.metric, []).append(point)
    long_enough = {name: points for name, points in listed.items() if len(points) >= LEAST_POINTS}
    if not long_enough:
        return None
    held_out = ("val", "test", "eval", "dev")
    best = max(
        long_enough, key=lambda name: (any(word in name.lower() for word in held_out), len(long_enough[name]))
    )
    return best, sorted(long_enough[best], key=lambda point: point.energy_kwh)


def falls(metric: str) -> bool:
    """Whether less of a metric is better, by its name.

    >>> falls("val_loss"), falls("accuracy")
    (True, False)
    """
    words = metric.lower().replace("/", "_").replace("-", "_").split("_")
    return any(word in words for word in LOSES)


def stopped(energies_kwh: Sequence[float], values: Sequence[float], patience: int) -> Stop:
    """Where a rule stops that waits for `patience` points without a better value, more being better.

    >>> stopped([1, 2, 3, 4, 5], [0.1, 0.5, 0.5, 0.5, 0.6], patience=2)
    Stop(spent=4, best=0.5, fired=True)
    """
    best, since = values[0], 0
    for energy_kwh, value in zip(energies_kwh[1:], values[1:], strict=True):
        if value > best:
            best, since = value, 0
            continue
        since += 1
        if since >= patience:
            return Stop(energy_kwh, best, True)
    return Stop(energies_kwh[-1], best, False)


def _effect(base: Baseline, low: float, value: float, high: float) -> Effect:
    from sootprint.core.quantity import Quantity

    draws = tuple(1.0 - one for one in base.of("stopping", Quantity(value=value, low=low, high=high)))
    return Effect(remaining=1.0 - value, draws=draws, time_factor=1.0 - value)


def _no_curve(idea: Idea, base: Baseline) -> Idea:
    what = (
        "a plan has no curve yet"
        if base.facts.planned
        else f"fewer than {LEAST_POINTS} values of a metric are logged"
    )
    return replace(
        idea,
        status=NO_EVIDENCE,
        evidence=f"no evidence: {what}; log one with `run.log` and measure with `compare`. Published: up to 30 % "
        "faster searches, a vendor's claim",
    )
