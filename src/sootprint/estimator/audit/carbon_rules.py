"""Rules on what turns energy into emissions: intensity, PUE, purchases and offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sootprint.core.units import G_PER_KG, W_PER_KW
from sootprint.estimator.audit import facts
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.finding import Finding
from sootprint.estimator.audit.words import figure

FACTOR = 2.0  # survey.md: an intensity off the zone and year by a factor of 2 is to be flagged
HIGH_PUE = 2.5
_OFFSET = r"offset|compensat|carbon[- ]neutral|climate[- ]neutral|net[- ]zero"
_NO_OFFSET = r"(?:not|no|never|without|(?<!\d)0 ?%?) (?:\w+ ){0,3}(?:offset|compensat)"


def intensity(claim: Claim) -> Iterator[Finding]:
    """Intensity as stated or implied against the place and year, else against all grids."""
    value, implied = _intensity(claim)
    if value is None:
        return
    grid = facts.grid_of(claim)
    stated = "implied by emissions over energy" if implied else "as claimed"
    if grid is None:
        yield from _any_grid(claim, value, stated)
        return
    if grid.low / FACTOR <= value <= grid.high * FACTOR:
        return
    thousand = any(
        grid.low / FACTOR <= value * scale <= grid.high * FACTOR for scale in (G_PER_KG, 1.0 / G_PER_KG)
    )
    net = claim.net and value < grid.low
    yield Finding(
        rule="unit-factor-1000" if thousand else "market-based" if net else "intensity-place",
        severity="error" if thousand else "info" if net else "warning",
        field="intensity_g_per_kwh",
        given=value,
        implied=grid.typical,
        message=f"intensity is {figure(value, 4)} g/kWh {stated}, and the grid of {grid.place}{_year(claim)} has "
        f"{_span(grid)} g/kWh",
        cause=_cause(value, grid, thousand=thousand),
        confidence="high" if thousand or value > 4.0 * grid.high or value < grid.low / 4.0 else "medium",
    )


def _cause(value: float, grid: facts.Grid, *, thousand: bool) -> str:
    if thousand:
        return "a unit is wrong by a factor of 1,000: grams typed as kilograms, or the other way round"
    if value < grid.low:
        return "market-based or marginal figure, another place or year, or PUE or host left out of the energy"
    return "another place or year, or an energy that does not hold the whole run"


def _intensity(claim: Claim) -> tuple[float | None, bool]:
    """Intensity as stated, else emissions over energy at the meter of the facility; and whether it is implied."""
    if claim.intensity_g_per_kwh:
        return claim.intensity_g_per_kwh, False
    if not claim.emissions_kg or claim.emissions_kg < 0.0 or claim.energy_kwh is None:
        return None, True
    before = claim.pue if claim.pue and claim.energy_scope != "facility" else 1.0
    return claim.emissions_kg * G_PER_KG / (claim.energy_kwh * before), True


def _any_grid(claim: Claim, value: float, stated: str) -> Iterator[Finding]:
    if facts.LEAST_INTENSITY <= value <= facts.MOST_INTENSITY:
        return
    low = value < facts.LEAST_INTENSITY
    scaled = value * (G_PER_KG if low else 1.0 / G_PER_KG)
    thousand = facts.LEAST_INTENSITY <= scaled <= facts.MOST_INTENSITY and (value < 1.5 or value > 10_000.0)
    yield Finding(
        rule="unit-factor-1000" if thousand else "intensity-implausible",
        severity="error" if thousand else "info" if claim.net and low else "warning",
        field="intensity_g_per_kwh",
        given=value,
        implied=scaled if thousand else None,
        message=f"intensity is {figure(value, 4)} g/kWh {stated}, and grids have {facts.LEAST_INTENSITY:,.0f} to "
        f"{facts.MOST_INTENSITY:,.0f} g/kWh",
        cause="a unit is wrong by a factor of 1,000: grams typed as kilograms or tonnes"
        if thousand
        else "a market-based figure, direct emissions of a hydro grid, or a wrong unit",
        confidence="medium",
    )


def pue(claim: Claim) -> Iterator[Finding]:
    """PUE that no facility has, and a facility that is left out."""
    if claim.pue is None:
        return
    if claim.pue < 1.0 or claim.pue > HIGH_PUE:
        yield _pue(
            claim,
            "pue-range",
            "error" if claim.pue < 1.0 else "warning",
            "facility energy over IT energy is at least 1",
            "IT energy over facility energy was given, or a percentage",
        )
    elif claim.pue <= 1.02:
        disclosed = "pue" in claim.disclosed
        yield _pue(
            claim,
            "pue-left-out",
            "info" if disclosed else "warning",
            "the best fleets publish 1.06 to 1.1",
            "the PUE is left out: cooling and power supply are not in the numbers",
        )


def _pue(claim: Claim, rule: str, severity: str, words: str, cause: str) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        field="pue",
        given=claim.pue,
        implied=1.1 if rule == "pue-left-out" else None,
        message=f"PUE is {claim.pue:g}, and {words}",
        cause=cause,
        confidence="high" if rule == "pue-range" else "medium",
    )


def zero_or_negative(claim: Claim) -> Iterator[Finding]:
    """Zero or negative emissions, or a zero intensity, of energy that was used."""
    for name, value in (
        ("emissions_kg", claim.emissions_kg),
        ("intensity_g_per_kwh", claim.intensity_g_per_kwh),
    ):
        if value is None or value > 0.0:
            continue
        implied = _location_based(claim) if name == "emissions_kg" else None
        grid = facts.grid_of(claim)
        yield Finding(
            rule="zero-emissions",
            severity="error" if value < 0.0 or not claim.net else "warning",
            field=name,
            given=value,
            implied=implied if name == "emissions_kg" else grid.typical if grid else None,
            message=f"{'emissions' if name == 'emissions_kg' else 'intensity'} of {value:g} for "
            f"energy that was used: no grid "
            "emits nothing" + (f"; the place gives about {figure(implied, 2)} kg" if implied else ""),
            cause="a market-based figure (certificates, PPA, offsets) stands as the "
            "location-based one, or hydro is "
            "counted as zero",
            confidence="high",
        )


def _location_based(claim: Claim) -> float | None:
    """Emissions that energy or hardware and the place give, roughly [kgCO2e]."""
    grid = facts.grid_of(claim)
    if grid is None:
        return None
    if claim.energy_kwh is not None:
        return claim.energy_kwh * grid.typical / G_PER_KG
    device, hours = facts.device_of(claim), claim.hours_of_devices
    if device is None or device.rated_w is None or hours is None:
        return None
    return hours * device.rated_w[1] * facts.TYPICAL_POWER / W_PER_KW * grid.typical / G_PER_KG


def market_based(claim: Claim) -> Iterator[Finding]:
    """Figures net of purchases, which stand where those of the place are asked for."""
    if claim.net and (claim.emissions_kg or 0.0) > 0.0:
        yield Finding(
            rule="market-based",
            severity="info",
            field="emissions_kg",
            given=claim.emissions_kg,
            message="emissions are net of purchases or market-based, as the claim says: not to be "
            "compared with "
            "location-based ones",
            cause="market-based accounting",
        )
    low, high = claim.market_based_kg, claim.emissions_kg
    if low == 0.0:
        yield Finding(
            rule="market-based",
            severity="info",
            field="market_based_kg",
            given=0.0,
            message="market-based emissions of 0 stand beside the location-based ones: a matter "
            "of purchases, not of "
            "the electricity that was used",
            cause="market-based accounting",
        )
    if low is not None and high is not None and low == high and low > 0.0:
        yield Finding(
            rule="market-based",
            severity="info",
            field="market_based_kg",
            given=low,
            message="market-based and location-based emissions are the same number",
            cause="one of the two was copied",
            confidence="low",
        )


def offsets(claim: Claim) -> Iterator[Finding]:
    """Offsets or neutrality beside emissions."""
    if not re.search(_OFFSET, claim.words) or re.search(_NO_OFFSET, claim.words):
        return
    yield Finding(
        rule="offsets",
        severity="info",
        field="emissions_kg",
        given=claim.emissions_kg,
        message="offsets or neutrality are claimed: they lower no emissions, and the total must "
        "stand without them",
        cause="offsets",
        confidence="low",
    )


def _span(grid: facts.Grid) -> str:
    return figure(grid.low) if grid.low == grid.high else f"{figure(grid.low)} to {figure(grid.high)}"


def _year(claim: Claim) -> str:
    return f" in {claim.year}" if claim.year else ""
