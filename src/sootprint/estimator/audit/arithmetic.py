"""Rules of arithmetic: whether the numbers of a claim multiply to each other."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.core.units import G_PER_KG, W_PER_KW
from sootprint.estimator.audit import ratios
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.finding import Finding
from sootprint.estimator.audit.words import figure

LARGE = 0.25  # a difference from here on is an error; below it one factor may be rounded or of another year
UNITS = {"emissions_kg": "kg", "energy_kwh": "kWh", "device_hours": "device hours", "market_based_kg": "kg"}


def stated_twice(claim: Claim) -> Iterator[Finding]:
    """A number that stands a second time with another value."""
    for name in ("emissions_kg", "energy_kwh"):
        given = getattr(claim, name)
        others = [one for one in claim.other.get(name, ()) if one > 0.0]
        if given is None or given <= 0.0:
            continue
        for other in others:
            slip = ratios.slip_of_thousands(given / other, within=1.05)
            if slip is not None and _same_digits(given, other):
                yield Finding(
                    rule="unit-factor-1000",
                    severity="error",
                    field=name,
                    given=given,
                    implied=other,
                    message=f"{_name(name)} is {_amount(given, name)} in one place and "
                    f"{_amount(other, name)} in another "
                    f"({claim.given.get(name, '')}): the same digits with another unit",
                    cause="grams typed as kilograms or tonnes, or the other way round",
                )
                return


def _same_digits(one: float, other: float) -> bool:
    return f"{one:.3e}".partition("e")[0] == f"{other:.3e}".partition("e")[0]


def hours(claim: Claim) -> Iterator[Finding]:
    """Devices x wall hours against device hours."""
    if claim.device_hours is None or claim.wall_hours is None or claim.count is None:
        return
    implied = claim.count * claim.wall_hours
    rounding = 2.0 * claim.rounding("wall_hours", "device_hours")
    if abs(claim.device_hours / implied - 1.0) <= 0.1 + rounding:
        return  # idle devices, restarts and rounded days
    ratio = claim.device_hours / implied
    cause = ratios.cause_of(ratio, claim, of="hours", rounding=rounding)
    more = ratio > 1.0 and ratio < 5.0 and cause is None
    yield Finding(
        rule=cause.rule if cause else "hours-arithmetic",
        severity="error" if cause or ratio < 0.5 or ratio > 5.0 else "warning",
        field="device_hours",
        given=claim.device_hours,
        implied=implied,
        message=f"device hours are {figure(claim.device_hours, 6)}, and {claim.count:,.0f} devices for "
        f"{figure(claim.wall_hours, 6)} h "
        f"of wall time are {figure(implied, 6)}: {_times(ratio)}",
        cause=cause.words
        if cause
        else ("restarts or failed runs" if more else "one of the three is of another run"),
        confidence="high" if cause else "medium",
    )


def energy(claim: Claim) -> Iterator[Finding]:
    """Device hours x power (x PUE) against the energy."""
    hours = claim.hours_of_devices
    if claim.energy_kwh is None or claim.power_w is None or hours is None:
        return
    bare = hours * claim.power_w / W_PER_KW
    rounding = claim.rounding("energy_kwh", "device_hours", "wall_hours")
    if any(ratios.agree(claim.energy_kwh, one, rounding=rounding) for one in _with_and_without(claim, bare)):
        return
    implied = bare * (claim.pue or 1.0) if claim.energy_scope == "facility" else bare
    yield from _differs(
        claim, "energy_kwh", claim.energy_kwh, implied, "energy", rounding, "device hours x power x PUE"
    )


def _with_and_without(claim: Claim, bare: float) -> tuple[float, ...]:
    """Energy before and after PUE, where the scope does not tell which."""
    if claim.pue is None or claim.energy_scope == "accelerator":
        return (bare,)
    if claim.energy_scope == "facility":
        return (bare * claim.pue,)
    return bare, bare * claim.pue


def emissions(claim: Claim) -> Iterator[Finding]:
    """Energy x intensity (x PUE) against the emissions."""
    if not claim.emissions_kg or claim.emissions_kg < 0.0 or not claim.intensity_g_per_kwh:
        return
    energy_kwh, from_power = _energy(claim)
    if energy_kwh is None:
        return
    rounding = claim.rounding(
        "emissions_kg", "intensity_g_per_kwh", *(("device_hours",) if from_power else ("energy_kwh",))
    )
    products = [energy_kwh * claim.intensity_g_per_kwh / G_PER_KG * pue for pue in _pues(claim)]
    if any(ratios.agree(claim.emissions_kg, one, rounding=rounding) for one in products):
        return
    words = "device hours x power x intensity x PUE" if from_power else "energy x intensity x PUE"
    yield from _differs(claim, "emissions_kg", claim.emissions_kg, products[0], "mass", rounding, words)


def _energy(claim: Claim) -> tuple[float | None, bool]:
    """Energy as stated, else device hours x power; and which of the two."""
    if claim.energy_kwh is not None:
        return claim.energy_kwh, False
    hours = claim.hours_of_devices
    return (hours * claim.power_w / W_PER_KW if hours and claim.power_w else None), True


def _pues(claim: Claim) -> tuple[float, ...]:
    """PUE that may stand between the energy and the emissions, the likeliest first."""
    if claim.pue is None:
        return (1.0,)
    if claim.energy_kwh is None:
        return (claim.pue,)
    if claim.energy_scope == "facility":
        return (1.0,)
    if claim.energy_scope == "accelerator":
        return (claim.pue, 1.0) if "pue" in claim.disclosed else (claim.pue,)
    power = claim.hours_of_devices and claim.power_w
    if power and claim.energy_kwh:
        bare = (claim.hours_of_devices or 0.0) * (claim.power_w or 0.0) / W_PER_KW
        if ratios.agree(claim.energy_kwh, bare):
            return (claim.pue,)
        if ratios.agree(claim.energy_kwh, bare * claim.pue):
            return (1.0,)
    return claim.pue, 1.0


def _differs(
    claim: Claim, field: str, given: float, implied: float, of: str, rounding: float, words: str
) -> Iterator[Finding]:
    ratio = given / implied
    cause = ratios.cause_of(ratio, claim, of=of, rounding=rounding)
    rule = "energy-arithmetic" if field == "energy_kwh" else "emissions-arithmetic"
    large = abs(ratio - 1.0) > LARGE
    yield Finding(
        rule=cause.rule if cause else rule,
        severity="error" if large else "warning",
        field=field,
        given=given,
        implied=implied,
        message=f"{_name(field)} is {_amount(given, field)}, and {words} gives "
        f"{_amount(implied, field)}: {_times(ratio)}",
        cause=cause.words if cause else "one factor is not the one that was used",
        confidence="high" if cause or not large else "medium",
    )


def _times(ratio: float) -> str:
    """Ratio in words: a few per cent, or how many times.

    >>> _times(0.944), _times(1000.0), _times(0.001)
    ('5.6 % too low', '1,000 times too high', '1,000 times too low')
    """
    if 0.5 < ratio < 2.0:
        return f"{figure(abs(ratio - 1.0) * 100, 2)} % too {'high' if ratio > 1.0 else 'low'}"
    times = ratio if ratio > 1.0 else 1.0 / ratio
    return f"{figure(times)} times too {'high' if ratio > 1.0 else 'low'}"


def _name(field: str) -> str:
    return {"emissions_kg": "emissions", "energy_kwh": "energy", "market_based_kg": "market-based"}.get(
        field, field
    )


def _amount(value: float, field: str) -> str:
    """Number with its unit, in the unit that a person would choose."""
    if field == "emissions_kg" and abs(value) >= 1000.0:
        return f"{figure(value / 1000.0, 4)} t"
    if field == "emissions_kg" and 0.0 < abs(value) < 0.1:
        return f"{figure(value * G_PER_KG, 4)} g"
    if field == "energy_kwh" and abs(value) >= 10000.0:
        return f"{figure(value / 1000.0, 5)} MWh"
    return f"{figure(value, 5)} {UNITS[field]}"
