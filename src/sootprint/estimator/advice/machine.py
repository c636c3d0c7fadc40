"""Measures on the machine: newer devices, a power cap, number formats."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

from sootprint.catalogue import hardware, tables
from sootprint.core import intervals
from sootprint.core.quantity import Quantity
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import COMPARE, NO_EVIDENCE, NOT_HERE, Effect, Idea
from sootprint.estimator.lifecycle import embodied

SHOWN = 3
_RATES = "peak 16-bit rate per rated watt of the data sheets"
# Measured energy per useful FLOP fell by 27 % from A100 to H100 (1.02 to 0.74 kWh per 1e18, medians of published
# runs), the data sheets' by 45 %; whole-run utilisation of 30 published runs has a GSD of 1.36.
LAG = Quantity(value=1.31, low=1.31 / 1.36**intervals.Z90, high=1.31 * 1.36**intervals.Z90)
ADVISED = ("NVIDIA H100 SXM5 80GB", "NVIDIA H200 SXM 141GB", "NVIDIA B200 SXM 180GB", "NVIDIA A100 SXM4 80GB")


class Cap(NamedTuple):
    """A cap as a share of the rated power, with the energy saved and the time lost at it, medians over jobs."""

    at: float
    saved: float
    slower: float


# You et al. (Zeus, NSDI 2023), traces of 45 to 68 job configurations a card, computed anew from them.
CAPS = {
    "V100": Cap(0.70, 0.155, 0.063),
    "A40": Cap(0.67, 0.134, 0.046),
    "RTX 6000": Cap(0.67, 0.177, 0.051),
    "P100": Cap(0.70, 0.05, 0.017),
}
OTHER_CAP = Cap(0.70, 0.144, 0.049)  # median of the four
CAP_SAVED = (0.05, 0.21)  # least of the cards, most of the jobs: BERT on A40 20.6 %


def newer_hardware(base: Baseline) -> Idea:
    """The same work on a device that does more for a watt, its making counted."""
    idea = Idea(name="hardware", action="run it on newer devices", factors=("power", "hours"))
    device, hours = base.facts.device, base.facts.device_hours
    if not isinstance(device, hardware.Accelerator) or hours is None:
        why = "no evidence: the run names no accelerator" if device is None else COMPARE
        return dataclasses.replace(idea, status=NO_EVIDENCE, evidence=why)
    if not device.matmul16_dense_tflops or not device.rated_power_w:
        return dataclasses.replace(
            idea,
            status=NO_EVIDENCE,
            evidence=f"no evidence: no 16-bit matrix rate per watt is published for {device.name}; {COMPARE[13:]}",
        )
    better = [one for one in _devices(base) if _rate(one) > _rate(device)]
    if not better:
        return dataclasses.replace(
            idea, status=NOT_HERE, evidence=f"no device of the list does more for a watt than {device.name}"
        )
    ranked = sorted(better, key=_rate, reverse=True)
    best = next((one for one in ranked if _remaining(device, one) < 1.0), ranked[0])
    return dataclasses.replace(idea, **_replaced(base, device, best, ranked))


def _devices(base: Baseline) -> list[hardware.Accelerator]:
    listed = [row["name"] for row in tables.all_rows("accelerators") if row["name"] in ADVISED]
    own = [hardware.find_accelerator(name, user=base.settings.hardware) for name in listed]
    return [one for one in own if one is not None and one.matmul16_dense_tflops and one.rated_power_w]


def _rate(device: hardware.Accelerator) -> float:
    return (device.matmul16_dense_tflops or 0.0) / (device.rated_power_w or math.inf)


def _remaining(old: hardware.Accelerator, new: hardware.Accelerator) -> float:
    return LAG.value * _rate(old) / _rate(new)


def _replaced(
    base: Baseline,
    old: hardware.Accelerator,
    new: hardware.Accelerator,
    ranked: list[hardware.Accelerator],
) -> dict[str, Any]:
    remaining = _remaining(old, new)
    draws = tuple(remaining / LAG.value * one for one in base.of("lag", LAG))
    faster = LAG.value * (old.matmul16_dense_tflops or 0.0) / (new.matmul16_dense_tflops or 1.0)
    made = embodied.of_device(new)
    added = embodied.share_kg(made, (base.facts.device_hours or 0.0) * faster, embodied.life())
    return {
        "action": f"run it on {new.name} instead of {old.name}",
        "effect": Effect(remaining=remaining, draws=draws, added_kg=added, time_factor=faster),
        "evidence": f"{_RATES}: {_rate(old):.2f} to {_rate(new):.2f} TFLOP/s; less 31 %, as from A100 to H100 in "
        "published runs (1.02 to 0.74 kWh per 1e18 FLOP); the spread is that of the utilisation of 30 runs",
        "tier": "measured elsewhere",
        "boundary": f"16-bit matrix work, rented or there already: the share of a card in its {made.value:.0f} kg is "
        f"subtracted. {_payback(base, remaining, made.known)} The old card's making is spent either way",
        "options": tuple(_option(old, one) for one in ranked[:SHOWN]),
    }


def _payback(base: Baseline, remaining: float, made_kg: float) -> str:
    """Hours after which a card that is bought for such work has saved what its making emitted."""
    saved_kg = base.emissions_kg.value * (1.0 - remaining)
    hours = base.facts.device_hours
    if saved_kg <= 0.0 or not hours:
        return "A card bought for it is never paid back."
    needed = float(f"{made_kg * hours / saved_kg:.2g}")
    return f"A card bought for it is paid back after {needed:,.0f} of the old device hours (this run: {hours:,.4g})."


def _option(old: hardware.Accelerator, new: hardware.Accelerator) -> dict[str, Any]:
    return {"hardware": new.name, "tflops_per_w": _rate(new), "saving_share": 1.0 - _remaining(old, new)}


def power_cap(base: Baseline) -> Idea:
    """The same devices with a lower power limit: energy of the whole node, which then runs longer."""
    idea = Idea(name="power_cap", action="cap the power of the devices", factors=("power", "hours"))
    facts = base.facts
    if not facts.accelerated or facts.device_name is None:
        return dataclasses.replace(
            idea, status=NOT_HERE, evidence="the run names no accelerator whose power could be capped"
        )
    family, cap = next(
        ((name, one) for name, one in CAPS.items() if name in facts.device_name), ("", OTHER_CAP)
    )
    if facts.power_share is not None and facts.power_share < cap.at and not facts.planned:
        return dataclasses.replace(
            idea,
            status=NOT_HERE,
            evidence=f"the devices drew {100 * facts.power_share:.0f} % of their rated power on the mean: a cap at "
            f"{100 * cap.at:.0f} % would hardly bind",
        )
    known = f"{family}, " if family else "V100, A40, RTX 6000 and P100, not on this card; "
    return dataclasses.replace(
        idea,
        action=f"cap each device at {_cap_words(base, cap)}",
        effect=_capped(base, cap),
        evidence=f"{100 * cap.saved:.3g} % less device energy for {100 * cap.slower:.2g} % more time on {known}"
        "medians of 45 to 68 jobs in the traces of You et al. (Zeus, NSDI 2023); published beside: 15 % with marginal "
        "slowdown (McDonald et al., 2022)",
        tier="measured elsewhere",
        boundary=f"of the node's energy {100 * facts.device_share:.0f} % is in the devices, and the rest runs longer: "
        "both are in. Jobs that wait for data gain nothing; caps below 45 % cost energy (A40). Setting a limit needs "
        "the administrator",
    )


def _cap_words(base: Baseline, cap: Cap) -> str:
    device = base.facts.device
    share = f"{100 * cap.at:.0f} % of its rated power"
    return (
        share
        if device is None or not device.rated_power_w
        else f"{cap.at * device.rated_power_w:.0f} W ({share})"
    )


def _capped(base: Baseline, cap: Cap) -> Effect:
    low, high = CAP_SAVED
    saved = base.of("cap", Quantity(value=cap.saved, low=min(low, cap.saved), high=max(high, cap.saved)))
    own = base.facts.device_share
    slower = cap.slower / cap.saved

    def node(share: float) -> float:
        return own * (1.0 - share) + (1.0 - own) * (1.0 + min(cap.slower, share * slower))

    return Effect(
        remaining=node(cap.saved),
        draws=tuple(node(one) for one in saved),
        time_factor=1.0 + cap.slower,
    )


def precision(base: Baseline) -> Idea:
    """The same work in a narrower number format."""
    idea = Idea(name="precision", action="train in a narrower number format", factors=("power", "hours"))
    if base.facts.precision in ("fp8", "int8", "fp4"):
        return dataclasses.replace(
            idea, status=NOT_HERE, evidence=f"the run computes in {base.facts.precision} already"
        )
    at = base.facts.precision or "its format is not stated"
    return dataclasses.replace(
        idea,
        status=NO_EVIDENCE,
        evidence=f"{COMPARE}, or `sootprint tune --precisions`",
        boundary=f"now: {at}. Data sheets promise 2 to 8 times the rate of FP32, but no strong measurement of training "
        "energy was found; quality must be compared too. Quantised weights save in service, not in training",
    )
