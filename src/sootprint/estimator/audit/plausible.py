"""Rules of plausibility: what the numbers imply for one device, against what such devices do."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sootprint.core.units import G_PER_KG, SECONDS_PER_HOUR, W_PER_KW
from sootprint.estimator.audit import facts, ratios
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.computation import TRAINING
from sootprint.estimator.audit.finding import Finding
from sootprint.estimator.audit.ratios import Cause
from sootprint.estimator.audit.words import figure

LONGEST_WALL_H = (
    8766.0  # one year; the longest published final runs took some months (BLOOM 118 days, Llama 3.1 54)
)
_TERA = 1e12


def watts_per_device(claim: Claim) -> Iterator[Finding]:
    """Mean power of one device that the energy implies."""
    hours, device = claim.hours_of_devices, facts.device_of(claim)
    rated = device.rated_w if device and device.rated_w else _claimed_rating(claim)
    if claim.energy_kwh is None or hours is None or rated is None:
        return
    at_device = claim.energy_kwh / (claim.pue if claim.pue and claim.energy_scope == "facility" else 1.0)
    implied = at_device * W_PER_KW / hours
    least, most = facts.LEAST_POWER * rated[0], _most_power(claim, rated[1])
    if least <= implied <= most:
        yield from _rated_as_mean(claim, implied, rated)
        return
    typical = rated[1] * facts.TYPICAL_POWER
    cause = _explained(implied / typical, claim, of="energy", low=least / typical, high=most / typical)
    far = implied > 2.0 * most or implied < 0.5 * least
    yield Finding(
        rule=cause.rule if cause else "watts-per-device",
        severity="error" if cause or far else "warning",
        field="energy_kwh",
        given=claim.energy_kwh,
        implied=hours * typical / W_PER_KW,
        message=f"energy implies {figure(implied)} W per device, and {_device(claim)} is rated "
        f"{_range(rated)} W "
        f"({least:,.0f} to {most:,.0f} W {_scope(claim)})",
        cause=cause.words if cause else _cause_of_power(implied, least),
        confidence="high" if far else "medium",
    )


def _claimed_rating(claim: Claim) -> tuple[float, float] | None:
    return (claim.rated_power_w, claim.rated_power_w) if claim.rated_power_w else None


def _most_power(claim: Claim, rated_w: float) -> float:
    if claim.energy_scope == "accelerator":
        return rated_w * 1.05
    if claim.energy_scope == "facility" and claim.pue is None:
        return rated_w * facts.MOST_NODE * facts.MOST_PUE
    if claim.energy_scope is None:
        return rated_w * facts.MOST_NODE * (claim.pue or facts.MOST_PUE)
    return rated_w * facts.MOST_NODE


def _cause_of_power(implied: float, least: float) -> str:
    if implied < least:
        return (
            "less than a device draws without work: hours of several attempts, or energy of a part of the run"
        )
    return "more than a node draws: another device, missing hours, or energy of a larger system"


def _rated_as_mean(claim: Claim, implied: float, rated: tuple[float, float]) -> Iterator[Finding]:
    is_rated = any(ratios.agree(implied, one) for one in rated)
    if is_rated and not claim.measured:
        yield Finding(
            rule="rated-power-as-mean",
            severity="info",
            field="energy_kwh",
            given=claim.energy_kwh,
            implied=None if claim.energy_kwh is None else claim.energy_kwh * 0.82,
            message=f"energy is rated power x device hours ({implied:,.0f} W per device): a "
            f"product, not a measurement; "
            "measured runs draw 0.70 to 0.92 of it on the device, and their hosts come on top",
            cause="rated power taken as the mean",
            confidence="medium",
        )


def _explained(ratio: float, claim: Claim, *, of: str, low: float, high: float) -> Cause | None:
    """Slip that brings a ratio of given to typical back between two bounds."""
    slips = [ratios.slip_of_thousands(ratio, within=3.0, of=of)]
    count = claim.count or 1.0
    if count > 1.0 and not claim.hours_agree:
        slips += [
            _near(
                ratio,
                Cause("wall-or-device-hours", count, "wall hours stand where device hours are meant"),
                2.0,
            ),
            _near(
                ratio,
                Cause(
                    "wall-or-device-hours", 1.0 / count, "device hours are multiplied by the devices again"
                ),
                2.0,
            ),
        ]
    if not claim.hours_agree:
        slips.append(_near(ratio, Cause("days-as-hours", 24.0, "days are given as hours"), 1.6))
    inside = [one for one in slips if one is not None and low <= ratio / one.ratio <= high]
    return min(inside, key=lambda one: abs(math.log(ratio / one.ratio)), default=None)


def _near(ratio: float, cause: Cause, within: float) -> Cause | None:
    """A slip where the ratio is its own within a factor."""
    return cause if abs(math.log(ratio / cause.ratio)) <= math.log(within) else None


def emissions_of_hardware(claim: Claim) -> Iterator[Finding]:
    """Emissions against those of such hardware for such hours on such a grid, where no energy is stated."""
    hours, device = claim.hours_of_devices, facts.device_of(claim)
    if not claim.emissions_kg or claim.emissions_kg < 0.0 or hours is None or claim.energy_kwh is not None:
        return
    rated = device.rated_w if device and device.rated_w else _claimed_rating(claim)
    if rated is None or (claim.power_w and claim.intensity_g_per_kwh):
        return
    low, typical, high, where = _intensities(claim)
    pue = claim.pue or facts.TYPICAL_PUE
    centre = hours * rated[1] * facts.TYPICAL_POWER * pue / W_PER_KW * typical / G_PER_KG
    least = centre * math.exp(
        -math.hypot(math.log(facts.TYPICAL_POWER / facts.LEAST_POWER), math.log(typical / low))
    )
    wide = facts.MOST_NODE / facts.TYPICAL_POWER * facts.MOST_PUE / facts.TYPICAL_PUE
    most = centre * math.exp(math.hypot(math.log(wide), math.log(high / typical)))
    if least <= claim.emissions_kg <= most:
        return
    ratio = claim.emissions_kg / centre
    cause = _explained(ratio, claim, of="mass", low=least / centre, high=most / centre)
    yield Finding(
        rule=cause.rule if cause else "emissions-of-hardware",
        severity="error" if cause or ratio > 30.0 or ratio < 1.0 / 30.0 else "warning",
        field="emissions_kg",
        given=claim.emissions_kg,
        implied=centre,
        message=f"emissions are {figure(claim.emissions_kg, 4)} kg, and {figure(hours, 6)} device hours on "
        f"{_device(claim)} {where} give "
        f"about {figure(centre, 2)} kg ({figure(least, 2)} to {figure(most, 2)})",
        cause=cause.words if cause else "another unit, other hours, or a market-based figure",
        confidence="high" if cause else "medium",
    )


def _intensities(claim: Claim) -> tuple[float, float, float, str]:
    """Least, typical and most carbon intensity that a claim may mean [gCO2e/kWh], and from where."""
    if claim.intensity_g_per_kwh:
        one = claim.intensity_g_per_kwh
        return one, one, one, f"at {figure(one, 4)} g/kWh"
    grid = facts.grid_of(claim)
    if grid is None:
        return facts.WORLD_LOW, facts.WORLD_TYPICAL, facts.WORLD_HIGH, "on any grid"
    return grid.low / 2.0, grid.typical, grid.high * 2.0, f"in {grid.place}"


def energy_of_flops(claim: Claim) -> Iterator[Finding]:
    """Energy against that of the computation, where no hours are stated."""
    device, flops = facts.device_of(claim), facts.flops_of(claim)
    if claim.energy_kwh is None or claim.hours_of_devices is not None or flops is None:
        return
    if device is None or device.rated_w is None or device.peak_tflops is None:
        return
    watts_per_flops = device.rated_w[1] / (device.peak_tflops * _TERA)
    kwh = flops * watts_per_flops / SECONDS_PER_HOUR / W_PER_KW
    least = kwh * facts.LEAST_POWER / facts.MOST_MFU
    most = kwh * facts.MOST_NODE * facts.MOST_PUE / facts.LEAST_MFU
    centre = kwh * facts.TYPICAL_POWER / facts.TYPICAL_MFU
    if least <= claim.energy_kwh <= most or claim.kind not in TRAINING:
        return
    cause = ratios.slip_of_thousands(claim.energy_kwh / centre, within=4.0, of="energy")
    yield Finding(
        rule=cause.rule if cause else "energy-of-flops",
        severity="error" if cause else "warning",
        field="energy_kwh",
        given=claim.energy_kwh,
        implied=centre,
        message=f"energy is {figure(claim.energy_kwh, 4)} kWh, and {figure(flops)} FLOPs on {device.name} "
        f"take about {figure(centre, 2)} kWh "
        f"({figure(least, 2)} to {figure(most, 2)})",
        cause=cause.words if cause else "another unit, other hardware, or runs that are left out",
        confidence="medium",
    )


def rated_power(claim: Claim) -> Iterator[Finding]:
    """Rated power as claimed against the maker's."""
    device = facts.device_of(claim)
    if device is None or device.rated_w is None or claim.rated_power_w is None:
        return
    low, high = device.rated_w
    if not 0.9 * low <= claim.rated_power_w <= 1.1 * high:
        cause = "another device or form, or a power cap below the rated power"
        yield _power(claim, "rated-power", ("rated_power_w", claim.rated_power_w), (low, high), cause)


def power_cap(claim: Claim) -> Iterator[Finding]:
    """Power limit, or a power said to be the rated one, against the maker's rated power."""
    device = facts.device_of(claim)
    if device is None or device.rated_w is None:
        return
    low, high = device.rated_w
    cap, power = claim.power_cap_w, claim.power_w
    mean = _mean_w(claim)
    over = [one for one in (low, high) if cap and mean and cap < 0.98 * one and abs(mean / one - 1.0) <= 0.02]
    if cap is not None and over:
        cause = "the energy counts the rated power although a cap was set"
        yield _power(claim, "power-cap", ("power_cap_w", cap), (low, high), cause)
        return
    if cap is not None:
        severity = "warning" if not 0.98 * low <= cap <= 1.02 * high else "info"
        yield _power(claim, "power-cap", ("power_cap_w", cap), (low, high), "a power limit was set", severity)
        return
    own = claim.rated_power_w or high
    if power is not None and "power is the rated power" in claim.words and abs(power / own - 1.0) > 0.02:
        below = "a power cap below the rated power, or a mix of devices"
        cause = below if power < own else "another device or form"
        yield _power(claim, "power-cap", ("power_w", power), (own, own), cause)
    elif power is not None and power > 1.05 * high and claim.energy_scope == "accelerator":
        yield _power(
            claim, "power-cap", ("power_w", power), (low, high), "power of a node given for a device"
        )


def _mean_w(claim: Claim) -> float | None:
    """Mean power of one device, as claimed or as the energy before PUE implies [W]."""
    hours = claim.hours_of_devices
    if claim.power_w is not None or claim.energy_kwh is None or hours is None:
        return claim.power_w
    return (
        claim.energy_kwh
        / (claim.pue if claim.pue and claim.energy_scope == "facility" else 1.0)
        * W_PER_KW
        / hours
    )


def _power(
    claim: Claim,
    rule: str,
    given: tuple[str, float],
    rated: tuple[float, float],
    cause: str,
    severity: str = "warning",
) -> Finding:
    field, value = given
    side = "below" if value < rated[0] else "above" if value > rated[1] else "within"
    name = field.removesuffix("_w").replace("_", " ")
    return Finding(
        rule=rule,
        severity=severity,
        field=field,
        given=value,
        implied=rated[1],
        message=f"{name} is {figure(value)} W, {side} the rated power of {_device(claim)}, {_range(rated)} W",
        cause=cause,
    )


def wall_time(claim: Claim) -> Iterator[Finding]:
    """Elapsed time that no training takes."""
    if claim.wall_hours is None or claim.wall_hours <= LONGEST_WALL_H:
        return
    many = (claim.count or 1.0) > 1.0
    yield Finding(
        rule="wall-or-device-hours" if many else "wall-time",
        severity="error" if many else "warning",
        field="wall_hours",
        given=claim.wall_hours,
        implied=claim.wall_hours / (claim.count or 1.0) if many else None,
        message=f"wall time is {figure(claim.wall_hours, 6)} h, {figure(claim.wall_hours / LONGEST_WALL_H, 2)} "
        f"years; published runs last "
        "days to months",
        cause="device hours given as wall hours, or a search whose cost is extrapolated from a proxy task",
        confidence="medium",
    )


def _device(claim: Claim) -> str:
    return claim.hardware or "the device"


def _range(rated: tuple[float, float]) -> str:
    return f"{rated[0]:,.0f}" if rated[0] == rated[1] else f"{rated[0]:,.0f} to {rated[1]:,.0f}"


def _scope(claim: Claim) -> str:
    return {
        "accelerator": "on the device alone",
        "node": "with its host",
        "facility": "with its host, PUE taken out",
        None: "with host and facility",
    }[claim.energy_scope]
