"""Why two numbers differ: the factor between them, and the slips that make just that factor."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from sootprint.estimator.audit.amounts import KG_PER_LB
from sootprint.estimator.audit.claim import Claim

TOLERANCE = 0.02  # of an arithmetic product, beside the rounding of what is printed
_UNIT_SLIP = 1000.0
_HOURS_PER_DAY, _MINUTES_PER_HOUR, _MJ_PER_KWH = 24.0, 60.0, 3.6
_CO2_PER_CARBON = 44.0 / 12.0


class Cause(NamedTuple):
    """A slip that makes a factor between two numbers.

    Args:
        rule: Rule that it belongs to.
        ratio: Given number over the right one that the slip makes [1].
        words: The slip in words.
    """

    rule: str
    ratio: float
    words: str


def agree(given: float, implied: float, *, rounding: float = 0.0) -> bool:
    """Whether two numbers are the same within the tolerance and their rounding."""
    return abs(given - implied) <= (TOLERANCE + rounding) * max(abs(implied), abs(given))


def cause_of(ratio: float, claim: Claim, *, of: str, rounding: float = 0.0) -> Cause | None:
    """The simplest slip that makes a ratio of given to implied, or None.

    Args:
        ratio: Given over implied, above 0 [1].
        claim: Claim, for its number of devices and its PUE.
        of: mass, energy or hours.
        rounding: Relative rounding of the numbers [1].
    """
    fitting = (one for one in _causes(claim, of) if agree(ratio, one.ratio, rounding=rounding))
    return next(fitting, None)


def slip_of_thousands(ratio: float, *, within: float, of: str = "mass") -> Cause | None:
    """A slip by 1,000 or 1,000,000 that a ratio is near to, or None.

    Args:
        ratio: Given over what is typical, above 0 [1].
        within: How far the rest may be from 1, as a factor [1].
        of: mass, energy or hours.
    """
    for one in _thousands(of):
        if math.exp(abs(math.log(ratio / one.ratio))) <= within:
            return one
    return None


def _causes(claim: Claim, of: str) -> Iterator[Cause]:
    yield from _thousands(of)
    if of != "hours" and claim.pue is not None and claim.pue > 1.0 + TOLERANCE:
        yield Cause("pue-in-or-out", claim.pue, "the PUE is counted twice")
        yield Cause("pue-in-or-out", 1.0 / claim.pue, "the PUE is stated but not multiplied in")
    count = claim.count or 1.0
    if count > 1.0:
        yield Cause(
            "wall-or-device-hours", count, "device hours are multiplied by the number of devices again"
        )
        yield Cause("wall-or-device-hours", 1.0 / count, "wall hours of one device stand for those of all")
    if of == "hours":
        yield Cause("days-as-hours", 1.0 / _HOURS_PER_DAY, "days are given as hours")
        yield Cause("days-as-hours", _HOURS_PER_DAY, "hours are multiplied by 24")
        yield Cause("days-as-hours", _MINUTES_PER_HOUR, "minutes are given as hours")
    if of == "mass":
        yield Cause("pounds-or-kilograms", 1.0 / KG_PER_LB, "pounds are given as kilograms")
        yield Cause("pounds-or-kilograms", KG_PER_LB, "kilograms are given as pounds")
        yield Cause("carbon-or-co2", 1.0 / _CO2_PER_CARBON, "carbon is given as CO2")
    if of in ("energy", "mass"):
        yield Cause("joules-or-kilowatt-hours", _MJ_PER_KWH, "megajoules are given as kilowatt-hours")
        yield Cause("joules-or-kilowatt-hours", 1.0 / _MJ_PER_KWH, "kilowatt-hours are divided by 3.6")


def _thousands(of: str) -> Iterator[Cause]:
    small, large = {"energy": ("Wh", "kWh or MWh"), "mass": ("grams", "kilograms or tonnes")}.get(
        of, ("", "")
    )
    for power in (1, 2):
        ratio = _UNIT_SLIP**power
        name = "a unit is wrong by a factor of " + ("1,000" if power == 1 else "1,000,000")
        yield Cause("unit-factor-1000", ratio, f"{name}: {small} typed as {large}" if small else name)
        yield Cause("unit-factor-1000", 1.0 / ratio, f"{name}: {large} typed as {small}" if small else name)
