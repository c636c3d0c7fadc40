"""Differences between two sides, each with its interval; one that straddles zero is no measurable difference."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sootprint.catalogue import zones
from sootprint.core.currency import common_currency, currency_of
from sootprint.core.errors import CatalogueError
from sootprint.core.intervals import Z90
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint
from sootprint.estimator.compare.modelled import is_estimated, own_variance
from sootprint.estimator.compare.sides import Side, Spread, shared_factors, spread
from sootprint.estimator.compare.targets import Target, at_target

NONE, LESS, MORE, UNKNOWN, REFUSED = "no measurable difference", "less", "more", "not known", "refused"
_CARBON = ("intensity",)
_OF_CARBON = ("intensity", "pue")
_OF_POWER = ("rated_power", "power_fraction", "mean_power", "host_overhead")  # multiplied in estimates only


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One quantity on two sides.

    Args:
        of: energy_kwh, emissions_kg, duration_s or cost; with `_to_target` where it is that to a target.
        a: Mean of the first side.
        b: Mean of the second side.
        ratio: Second over first, with its 90 % interval where one is known [1].
        verdict: less, more, no measurable difference, not known, or refused.
        why: What makes a verdict of not known or refused, or what the interval leaves out.
    """

    of: str
    a: float | None
    b: float | None
    ratio: Quantity | None
    verdict: str
    why: str = ""


_QUANTITIES: dict[str, Callable[[Footprint], Quantity | float | None]] = {
    "energy_kwh": lambda run: run.energy_kwh,
    "emissions_kg": lambda run: run.emissions_kg,
    "duration_s": lambda run: run.duration_s,
    "cost": lambda run: run.cost,
}


def differences(first: Side, second: Side, *, target: Target | None = None) -> list[Difference]:
    """Differences of the second side to the first, in energy, emissions, time and cost.

    Args:
        first: What is compared with.
        second: What is compared.
        target: Value of a logged metric; the quantities up to it are compared, too.
    """
    found = []
    for name, take in _QUANTITIES.items():
        if name == "cost" and not any(run.cost for side in (first, second) for run in side.runs):
            continue
        found.append(_difference(first, second, name, take))
    if target is not None:
        for name in _QUANTITIES:
            if name == "cost" and not any(run.cost for side in (first, second) for run in side.runs):
                continue
            found.append(_difference(first, second, f"{name}_to_target", at_target(name, target)))
    return found


def _difference(
    first: Side, second: Side, name: str, take: Callable[[Footprint], Quantity | float | None]
) -> Difference:
    a, b = spread(first, take), spread(second, take)
    if a is None or b is None:
        lacking = [side.label for side, one in ((first, a), (second, b)) if one is None]
        why = "target not reached by" if name.endswith("_to_target") else "not known of"
        zero = [side.label for side in (first, second) if _is_zero(side, take)]
        unknown = [label for label in lacking if label not in zero]
        if not unknown:
            why = "there is no ratio with the 0 of"
        return Difference(
            of=name,
            a=a.value if a else 0.0 if _is_zero(first, take) else None,
            b=b.value if b else 0.0 if _is_zero(second, take) else None,
            ratio=None,
            verdict=UNKNOWN,
            why=f"{why} {' and '.join(unknown or lacking)}",
        )
    refused = _refused(first, second, name)
    if refused:
        return Difference(of=name, a=a.value, b=b.value, ratio=None, verdict=REFUSED, why=refused)
    return _judged(name, a, b, own=_own(first, second, name, a, b))


def _is_zero(side: Side, take: Callable[[Footprint], Quantity | float | None]) -> bool:
    """Whether a quantity is known to be 0 in all runs of a side, which is not unknown."""
    found = [take(run) for run in side.runs]
    return all((one.value if isinstance(one, Quantity) else one) == 0.0 for one in found)


def _own(first: Side, second: Side, name: str, a: Spread, b: Spread) -> float:
    """Variance of the logarithm of a ratio of what was measured, without the factors that both sides share [1]."""
    shared = _shared(first, second, name)
    own = math.fsum(max(0.0, (one.measured or 0.0) ** 2 - shared) for one in (a, b))
    modelled = None if name.startswith("duration_s") else own_variance(first, second)
    if modelled is None:
        return own
    energies = [spread(side, _QUANTITIES["energy_kwh"]) for side in (first, second)]
    rest = [
        max(0.0, (one.measured or 0.0) ** 2 - (energy.measured or 0.0) ** 2 - shared)
        for one, energy in zip((a, b), energies, strict=True)
        if energy is not None
    ]
    return modelled + math.fsum(rest)


def _judged(name: str, a: Spread, b: Spread, *, own: float) -> Difference:
    """Verdict on two means: the interval of their ratio."""
    value = b.value / a.value
    chances = [one.chance for one in (a, b) if one.chance is not None]
    single = (
        ""
        if len(chances) == 2
        else "one run on a side: how much runs differ by chance is not in the interval"
    )
    if a.measured is None or b.measured is None:
        why = "a side has no interval"
        return Difference(
            of=name, a=a.value, b=b.value, ratio=Quantity(value=value), verdict=UNKNOWN, why=why
        )
    sigma = math.sqrt(math.fsum([own, *(one * one for one in chances)]))
    reach = math.exp(Z90 * sigma)
    ratio = Quantity(value=value, low=value / reach, high=value * reach)
    verdict = NONE if value / reach <= 1.0 <= value * reach else LESS if value < 1.0 else MORE
    return Difference(of=name, a=a.value, b=b.value, ratio=ratio, verdict=verdict, why=single)


def _shared(first: Side, second: Side, name: str) -> float:
    """Variance of what cancels: factors of the power for energy, and those of grid and facility for emissions."""
    runs = [*first.runs, *second.runs]
    alike = len({tuple(device.name for device in run.hardware) for run in runs}) == 1
    # Runs that were measured differ in their power
    estimated = alike and all(run.grade == "D" and is_estimated(run) for run in runs)
    kinds = (*(_OF_POWER if estimated else ()), *(_OF_CARBON if name.startswith("emissions_kg") else ()))
    return 0.0 if name.startswith("duration_s") else shared_factors(first, second, kinds=kinds)


def _refused(first: Side, second: Side, name: str) -> str:
    """Why a quantity may not be compared; empty where it may."""
    if name.startswith("emissions_kg"):
        return _methods(first, second)
    return _currencies(first, second) if name.startswith("cost") else ""


def _currencies(first: Side, second: Side) -> str:
    """Why costs may not be compared: several currencies, or one that is not stated; empty where they may."""
    runs = [*first.runs, *second.runs]
    if common_currency(runs) is not None:
        return ""
    known = sorted({currency_of(run) or "a currency that is not stated" for run in runs})
    return f"in {' and '.join(known)}: compare energy"


def _methods(first: Side, second: Side) -> str:
    """Why emissions may not be ranked: carbon intensities of different method; empty where they may."""
    factors = [_intensity(run) for side in (first, second) for run in side.runs]
    try:
        zones.require_one_method([one for one in factors if one is not None])
    except CatalogueError as err:
        return str(err)
    missing = any(one is None for one in factors)
    if missing and any(one is not None for one in factors):
        return "the method of an intensity is not stated (average or marginal, life-cycle or direct): compare energy"
    return ""


def _intensity(run: Footprint) -> Factor | None:
    return next((one for one in run.factors if one.kind in _CARBON and one.method), None)
