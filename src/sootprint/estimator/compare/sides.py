"""Sides of a comparison: one or several runs that are the same but for chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sootprint.core.errors import InputError
from sootprint.core.intervals import Z90
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint
from sootprint.estimator.tuning import student

CONFIDENCE = 0.9
GROUPINGS = "name, or tag:KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Runs of one kind.

    Args:
        label: Name, tag or the reference that a person wrote.
        runs: Records; several are repetitions, e.g. with other seeds.
    """

    label: str
    runs: tuple[Footprint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A mean over the runs of a side, with what makes it uncertain, as standard deviations of the logarithm.

    Args:
        value: Mean of the runs.
        measured: Of the measurement, which all runs of the side share; None where no bound is known [1].
        chance: Of the mean between runs; None for one run [1].
        runs: Number of runs with a value.
    """

    value: float
    measured: float | None
    chance: float | None
    runs: int


def grouped(named: Sequence[tuple[str, Footprint]], *, by: str | None = None) -> list[Side]:
    """Sides of records in their order, the first one being what others are compared with.

    Args:
        named: Records, each with what a person wrote for it.
        by: "name" or "tag:KEY"; where None, records of one name are one side, and each other record its own.

    Raises:
        InputError: There are fewer than two sides, a record lacks the tag, or a record is given twice.
    """
    seen: set[str] = set()
    groups: dict[str, list[Footprint]] = {}
    for ref, record in named:
        if record.id in seen:
            raise InputError(f"{ref} is given twice: compare a run with another one")
        seen.add(record.id)
        groups.setdefault(_label(ref, record, by), []).append(record)
    if len(groups) < 2:
        raise InputError(
            f"there is one side only, {next(iter(groups), 'none')!r}: give runs of another name, or group them with "
            f"--by {GROUPINGS}"
        )
    return [Side(label=label, runs=tuple(runs)) for label, runs in groups.items()]


def _label(ref: str, record: Footprint, by: str | None) -> str:
    if by is None:
        return record.name or ref
    if by == "name":
        if record.name is None:
            raise InputError(f"{ref} has no name: group by tag:KEY, or leave --by out")
        return record.name
    kind, _, key = by.partition(":")
    if kind != "tag" or not key:
        raise InputError(f"by is {by!r}: it is {GROUPINGS}")
    if key not in record.tags:
        raise InputError(f"{ref} has no tag {key!r}: add it with `sootprint tag`, or group by name")
    return record.tags[key]


def spread(side: Side, quantity: Callable[[Footprint], Quantity | float | None]) -> Spread | None:
    """Mean of a quantity over the runs of a side; None where a run has none or it is 0.

    The mean is the geometric one, as the intervals are lognormal.
    """
    found = [quantity(run) for run in side.runs]
    values = [one.value if isinstance(one, Quantity) else one for one in found]
    if any(value is None or value <= 0.0 for value in values):
        return None
    logs = [math.log(value) for value in values if value is not None]
    mean = math.fsum(logs) / len(logs)
    widths = [width(one) if isinstance(one, Quantity) else 0.0 for one in found]
    known = [width for width in widths if width is not None]
    measured = max(known) if len(known) == len(widths) else None
    return Spread(value=math.exp(mean), measured=measured, chance=_chance(logs, mean), runs=len(logs))


def width(quantity: Quantity) -> float | None:
    """Standard deviation of the logarithm, the wider side of the interval [1]."""
    if quantity.low is None or quantity.high is None or quantity.low <= 0.0 or quantity.value <= 0.0:
        return None
    return max(math.log(quantity.high / quantity.value), math.log(quantity.value / quantity.low)) / Z90


def _chance(logs: Sequence[float], mean: float) -> float | None:
    """Standard deviation of a mean whose 90 % interval by the normal is that by Student's t."""
    if len(logs) < 2:
        return None
    variance = math.fsum((one - mean) ** 2 for one in logs) / (len(logs) - 1)
    return math.sqrt(variance / len(logs)) * student.quantile(CONFIDENCE, len(logs) - 1) / Z90


def shared_factors(one: Side, other: Side, *, kinds: tuple[str, ...]) -> float:
    """Variance of the logarithm of the factors that all runs have, which cancel in a ratio [1].

    Args:
        one: A side.
        other: The other side.
        kinds: Kinds of factors that the quantity is a product of.
    """
    found = shared_widths([*one.runs, *other.runs])
    return math.fsum(width * width for kind in kinds for width in found.get(kind, ()))


def shared_widths(runs: Sequence[Footprint]) -> dict[str, list[float]]:
    """Standard deviations of the logarithm of the factors that all runs have, by kind [1]."""
    listed = [{_same(factor): _factor_width(factor) for factor in run.factors} for run in runs]
    widths: dict[str, list[float]] = {}
    for name in set.intersection(*map(set, listed)):
        widths.setdefault(name[0], []).append(min(found[name] for found in listed))
    return widths


def _same(factor: Factor) -> tuple[str, str, str | None, str | None]:
    """What errs alike: one prior may have another value for jobs of another size."""
    return factor.kind, factor.key, factor.period, factor.source


def _factor_width(factor: Factor) -> float:
    if factor.value is None or factor.low is None or factor.high is None or factor.low <= 0.0:
        return 0.0
    return max(math.log(factor.high / factor.value), math.log(factor.value / factor.low)) / Z90
