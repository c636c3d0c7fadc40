"""Rules of the audit: each takes a claim and gives what its numbers imply; none repairs anything.

Every threshold is a published range, see `facts` and docs/reference/audit.md; none was chosen for a single case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sootprint.estimator.audit import arithmetic, carbon_rules, computation, plausible, wording
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.finding import Finding, order

Rule = Callable[[Claim], Iterator[Finding]]

CHECKS: tuple[Rule, ...] = (
    arithmetic.stated_twice,
    arithmetic.hours,
    arithmetic.energy,
    arithmetic.emissions,
    plausible.watts_per_device,
    plausible.emissions_of_hardware,
    plausible.energy_of_flops,
    computation.utilisation_of_peak,
    computation.claimed_utilisation,
    computation.peak_rate,
    computation.encoder_decoder,
    computation.experts,
    plausible.rated_power,
    plausible.power_cap,
    plausible.wall_time,
    carbon_rules.intensity,
    carbon_rules.pue,
    carbon_rules.zero_or_negative,
    carbon_rules.market_based,
    carbon_rules.offsets,
    wording.family,
    wording.search,
    wording.number_format,
    wording.teacher,
    wording.missing,
    wording.without_unit,
)

RULES = {
    "stated-twice": "one quantity is stated twice with different numbers",
    "hours-arithmetic": "devices x wall hours are not the device hours",
    "energy-arithmetic": "device hours x power x PUE is not the energy",
    "emissions-arithmetic": "energy x intensity x PUE is not the emissions",
    "unit-factor-1000": "a unit is wrong by 1,000 or 1,000,000",
    "pue-in-or-out": "the PUE is counted twice, or stated and not multiplied in",
    "wall-or-device-hours": "wall hours stand for device hours, or the other way round",
    "days-as-hours": "days or minutes stand as hours",
    "pounds-or-kilograms": "pounds stand as kilograms, or the other way round",
    "carbon-or-co2": "mass of carbon stands as mass of CO2",
    "joules-or-kilowatt-hours": "megajoules stand as kilowatt-hours, or the other way round",
    "watts-per-device": "the energy implies a power per device that it cannot draw",
    "rated-power-as-mean": "the energy is rated power x hours",
    "emissions-of-hardware": "the emissions are not what such hardware and hours give",
    "energy-of-flops": "the energy is not what such a computation takes",
    "utilisation-above-peak": "parameters, tokens and hours imply more than the peak rate",
    "utilisation-high": "they imply a share of peak above all published ones",
    "utilisation-low": "they imply a share of peak below all published ones",
    "utilisation-claimed": "the claimed utilisation is not what the numbers imply",
    "sparse-peak": "a peak rate with sparsity stands for the dense one",
    "peak-figure": "the peak rate is not the maker's",
    "encoder-decoder": "an encoder-decoder is counted as a dense decoder",
    "experts-as-dense": "all parameters of a mixture of experts are counted for each token",
    "rated-power": "the rated power is not the maker's",
    "power-cap": "the power is a cap below the rated power, or above it",
    "wall-time": "the elapsed time is longer than a training lasts",
    "intensity-place": "the intensity is not one of the place and year",
    "intensity-implausible": "the intensity is below or above all grids",
    "pue-left-out": "the PUE is 1: the facility is left out",
    "pue-range": "the PUE is outside what facilities reach",
    "zero-emissions": "zero or negative emissions of energy that was used",
    "market-based": "net or market-based figures stand as those of the place",
    "offsets": "offsets or neutrality are claimed beside the emissions",
    "family-total": "one figure stands for several models",
    "search-proxy": "the cost of a search depends on its proxy task",
    "number-format": "the number format changes the peak rate",
    "teacher-left-out": "a teacher or parent model is not in the numbers",
    "missing": "a fact that is needed to check the claim is not stated",
    "unit-missing": "a number is stated without its unit",
}


def audit(claim: Claim) -> tuple[Finding, ...]:
    """Findings on a claim, errors first; empty where nothing is to be said."""
    found = [finding for check in CHECKS for finding in check(claim)]
    unlike = {(one.rule, one.field, one.severity): one for one in reversed(found)}
    return tuple(sorted(unlike.values(), key=order))
