"""Results of two sides: "equal quality" is never said when a robustness or fairness result fell or is not known."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sootprint.core.records import RESULT_KINDS, Result
from sootprint.estimator.advice.stopping import falls
from sootprint.estimator.compare.sides import CONFIDENCE, Side
from sootprint.estimator.tuning import student

_GAP = re.compile(r"gap|difference|disparity|bias|violation|odds|calibration")
EQUAL, FELL, BETTER, UNKNOWN = "equal", "fell", "better", "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPair:
    """One result on two sides.

    Args:
        name: Task, data set, split and metric in words.
        kind: quality, robustness or fairness.
        a: Mean of the first side, or None where it has none.
        b: Mean of the second side, or None where it has none.
        verdict: better, equal, fell or not known.
    """

    name: str
    kind: str
    a: float | None
    b: float | None
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What may be said of the quality of the second side.

    Args:
        verdict: One sentence.
        equal: Whether "equal quality" may be said.
        pairs: Results.
    """

    verdict: str
    equal: bool
    pairs: tuple[ResultPair, ...]


def quality(first: Side, second: Side) -> Quality:
    """Quality of the second side beside the first.

    Several runs of a side are compared with a 90 % interval by Welch's t; single ones as they are.
    """
    names = list(
        dict.fromkeys(_key(one) for side in (first, second) for run in side.runs for one in run.results)
    )
    pairs = tuple(_pair(key, first, second) for key in names)
    return _verdict(pairs)


def _verdict(pairs: tuple[ResultPair, ...]) -> Quality:
    def of(verdict: str) -> list[ResultPair]:
        return [one for one in pairs if one.verdict == verdict]

    if not any(one.kind == "quality" for one in pairs):
        return Quality(verdict="quality is not known: no result is recorded", equal=False, pairs=pairs)
    fell = sorted(of(FELL), key=lambda one: RESULT_KINDS.index(one.kind))
    if fell:
        words = "; ".join(f"{one.kind} fell: {one.name} from {one.a:g} to {one.b:g}" for one in fell)
        return Quality(verdict=f"quality is not equal: {words}", equal=False, pairs=pairs)
    if of(UNKNOWN):
        words = ", ".join(f"{one.kind} ({one.name})" for one in of(UNKNOWN))
        return Quality(
            verdict=f"equal quality cannot be said: measured on one side only: {words}",
            equal=False,
            pairs=pairs,
        )
    kinds = {one.kind for one in pairs}
    lacking = [kind for kind in RESULT_KINDS if kind not in kinds]
    beyond = f"; {' and '.join(lacking)} were not measured" if lacking else ""
    better = f", better in {', '.join(one.name for one in of(BETTER))}" if of(BETTER) else ""
    return Quality(verdict=f"equal quality in what was measured{better}{beyond}", equal=True, pairs=pairs)


def _pair(key: tuple[str, ...], first: Side, second: Side) -> ResultPair:
    a, b = _values(key, first), _values(key, second)
    name = " ".join(part for part in key[:4] if part)
    kind, metric = key[4], key[3]
    if len(a) < len(first.runs) or len(b) < len(second.runs) or not a or not b:
        return ResultPair(name=name, kind=kind, a=_mean(a), b=_mean(b), verdict=UNKNOWN)
    gain = _mean_of(b) - _mean_of(a)
    if lower_is_better(metric, kind):
        gain = -gain
    reach = _reach(a, b)
    verdict = EQUAL if abs(gain) <= reach else BETTER if gain > 0.0 else FELL
    return ResultPair(name=name, kind=kind, a=_mean(a), b=_mean(b), verdict=verdict)


def lower_is_better(metric: str, kind: str = "quality") -> bool:
    """Whether a lower value of a metric is the better one.

    >>> lower_is_better("accuracy"), lower_is_better("demographic_parity_difference", "fairness")
    (False, True)
    """
    return falls(metric) or (kind == "fairness" and bool(_GAP.search(metric.lower())))


def _reach(a: list[float], b: list[float]) -> float:
    """Half of the 90 % interval of a difference of means by Welch's t; 0 for single runs."""
    if len(a) < 2 or len(b) < 2:
        return 0.0
    parts = [
        math.fsum((one - _mean_of(side)) ** 2 for one in side) / (len(side) - 1) / len(side)
        for side in (a, b)
    ]
    total = math.fsum(parts)
    if total == 0.0:
        return 0.0
    freedom = total**2 / math.fsum(
        part**2 / (len(side) - 1) for part, side in zip(parts, (a, b), strict=True)
    )
    return student.quantile(CONFIDENCE, max(1, int(freedom))) * math.sqrt(total)


def _values(key: tuple[str, ...], side: Side) -> list[float]:
    """Last value of a result in each run of a side that has it."""
    found = [[one.value for one in run.results if _key(one) == key] for run in side.runs]
    return [values[-1] for values in found if values]


def _key(one: Result) -> tuple[str, ...]:
    return one.task or "", one.dataset or "", one.split or "", one.metric, one.kind


def _mean(values: list[float]) -> float | None:
    return _mean_of(values) if values else None


def _mean_of(values: list[float]) -> float:
    return math.fsum(values) / len(values)
