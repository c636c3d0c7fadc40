"""Measures on how well the devices are used: the time in which they wait, and the rate that they reach."""

from __future__ import annotations

import dataclasses
from typing import Any

from sootprint.catalogue.hardware import Accelerator
from sootprint.core import units
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Factor, Quantity
from sootprint.estimator import utilisation as rates
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import NO_EVIDENCE, NOT_HERE, Effect, Idea
from sootprint.estimator.flops import TRAINING

IDLE_WORTH = 0.02  # of the energy: less idling is not worth advice
IDLE = 0.05  # busy share of a look below which a device idles, as the tracker judges it
WAITS = 0.75  # busy share of the time below which waiting is worth advice
BUSY = Quantity(value=0.90, low=0.80, high=1.0)  # of runs that do not wait; assumed
# Of the rated power with a context open and no work: H100 17 %, A100 20 %, L40S 29 % (arXiv 2605.23918, as cited in
# sgl-project/sglang issue 27567); H100 at checkpoints 15 % (Morrison et al., 2025); the bounds are assumed around them.
WAITING_POWER = Quantity(value=0.20, low=0.14, high=0.35)
# Of the rest of a node: what lasts as long as the run; assumed
LASTING = Quantity(value=0.80, low=0.60, high=1.0)
USUAL_DRAW = 0.6  # of the rated power where the run does not tell: traces of You et al., medians 0.48 to 0.74
_WAITING = (
    "A device that waits draws 20 % (14 to 35) of its rated power (arXiv 2605.23918; Morrison et al., 2025, arXiv "
    "2503.05804), the rest of the node 80 % (60 to 100, assumed) of its mean"
)


def utilisation(base: Baseline) -> Idea:
    """The same work without the time in which the devices wait."""
    idea = Idea(
        name="utilisation",
        action="keep the devices busy: data loading, checkpoints and evaluation beside the training",
        factors=("hours",),
    )
    facts = base.facts
    if facts.planned or (facts.idle_share is None and facts.utilisation is None):
        return dataclasses.replace(
            idea,
            status=NO_EVIDENCE,
            evidence="no evidence: how much the devices idle was not measured; measure it with `sootprint run`",
        )
    if facts.accelerated and facts.utilisation is not None and IDLE <= facts.utilisation < WAITS:
        return dataclasses.replace(idea, **_waiting(base, facts.utilisation))
    if (idle := _idle_share(base)) >= IDLE_WORTH:
        return dataclasses.replace(idea, **_idling(base, idle))
    busy = (
        ""
        if facts.utilisation is None
        else f"the devices were busy {100 * facts.utilisation:.0f} % of the time"
    )
    drew = (
        ""
        if facts.idle_share is None
        else f"they drew {100 * facts.idle_share:.1f} % of the energy while idle"
    )
    return dataclasses.replace(
        idea,
        status=NOT_HERE,
        evidence=f"{' and '.join(filter(None, [busy, drew]))}: little to win. Busy is not fast: the share of the peak "
        "rate is another question (`sootprint audit`, `sootprint tune`)",
    )


def _idle_share(base: Baseline) -> float:
    """Energy drawn by devices without work over that of the node; all of theirs where they were never busy [1]."""
    facts = base.facts
    if facts.idle_share is not None:
        return facts.idle_share
    return facts.device_share if facts.utilisation is not None and facts.utilisation < IDLE else 0.0


def _idling(base: Baseline, idle_share: float) -> dict[str, Any]:
    """What the energy is worth that was drawn in whole looks without work."""
    saved = base.of("idle", Quantity(value=0.75 * idle_share, low=0.5 * idle_share, high=idle_share))
    return {
        "effect": Effect(
            remaining=1.0 - 0.75 * idle_share,
            draws=tuple(1.0 - min(one, idle_share) for one in saved),
            time_factor=None,
        ),
        "evidence": f"this run: {100 * idle_share:.0f} % of its energy was drawn by devices less than 5 % busy; "
        "half to all of it can be won (assumed)",
        "tier": "measured here",
        "boundary": "only where the idle time is the run's own doing, not that of a machine it shares",
    }


def _waiting(base: Baseline, busy: float) -> dict[str, Any]:
    """What is drawn while the devices wait, often for less than a look: the same work in less time."""
    idle = base.facts.idle_share
    looks = (
        "" if idle is None else f", and {100 * idle:.0f} % of the energy was drawn in looks without any work"
    )
    return {
        "effect": _sooner(base, busy, BUSY.value, base.of("busy", BUSY)),
        "evidence": f"this run: its devices were busy {100 * busy:.0f} % of the time{looks}; busy runs have 90 % (80 "
        f"to 100, assumed). {_WAITING}",
        "tier": "measured elsewhere",
        "boundary": "only where the waiting is the run's own doing: data loading, small batches, copies, evaluation; "
        "not that of a machine it shares. `sootprint tune --workers` and `--batch-sizes` find what helps. The energy "
        "of the work itself is not saved",
    }


def _sooner(base: Baseline, reached: float, goal: float, goals: list[float]) -> Effect:
    """Effect of the same work in `reached / goal` of its time.

    Saved is what does not depend on the work and is drawn for a shorter time: the power of a waiting device, and that
    of the rest of its node.
    """
    facts = base.facts
    draw = facts.power_share or USUAL_DRAW
    rest = 1.0 - facts.device_share

    def left(after: float, waits_at: float, lasts: float) -> float:
        shorter = max(0.0, 1.0 - reached / min(1.0, after))
        return 1.0 - shorter * (facts.device_share * min(1.0, waits_at / draw) + rest * min(1.0, lasts))

    drawn = zip(goals, base.of("waiting power", WAITING_POWER), base.of("rest", LASTING), strict=True)
    return Effect(
        remaining=left(goal, WAITING_POWER.value, LASTING.value),
        draws=tuple(left(*one) for one in drawn),
        time_factor=reached / goal,
    )


def parallelism(base: Baseline) -> Idea:
    """The same work at the rate that published runs of its size reach on such devices."""
    idea = Idea(
        name="parallelism",
        action="reach the rate of other runs: another split over the devices, larger batches, fused kernels, or fewer "
        "devices",
        factors=("hours",),
        boundary="what `utilisation` wins is a part of it. Which of them helps is to be measured: `sootprint tune`, or "
        "`compare` of two runs",
    )
    device, hours, flops = base.facts.device, base.facts.device_hours, _operations(base)
    if not isinstance(device, Accelerator) or not hours:
        return dataclasses.replace(
            idea, status=NO_EVIDENCE, evidence="no evidence: the run names no accelerator, or no hours"
        )
    if flops is None:
        return dataclasses.replace(
            idea,
            status=NO_EVIDENCE,
            evidence="no evidence: the work is not stated, so the share of the peak rate is not known; `sootprint tag "
            "RUN --params N --tokens N`, or `--flops N`, states it",
        )
    found = _rates(base, device)
    if isinstance(found, str):
        return dataclasses.replace(idea, status=NO_EVIDENCE, evidence=f"no evidence: {found}")
    peak, usual = found
    return dataclasses.replace(
        idea, **_judged(base, flops / (units.seconds(hours) * peak.known), peak=peak, usual=usual)
    )


def _judged(base: Baseline, reached: float, *, peak: Factor, usual: Factor) -> dict[str, Any]:
    """A share of the peak rate beside what runs of the size reach."""
    told = f"{100 * reached:.2g} % of the peak rate ({peak.known / 1e12:,.4g} TFLOP/s, {peak.method})"
    others = f"{100 * usual.known:.2g} % ({100 * (usual.low or 0.0):.2g} to {100 * (usual.high or 1.0):.2g})"
    if reached > 1.0:
        return {
            "status": NO_EVIDENCE,
            "evidence": f"no evidence: the stated work and hours imply {told}, which cannot be: see `sootprint audit`",
        }
    if reached >= (usual.low or 0.0):
        return {
            "status": NOT_HERE,
            "evidence": f"the run reached {told}; published runs of its size on such devices reach {others}",
        }
    goals = base.of("usual rate", usual.quantity())
    return {
        "effect": _sooner(base, reached, usual.known, goals),
        "evidence": f"this run reached {told}; published runs of its size on such devices reach {others}: "
        f"{(usual.source or '').partition(' (')[0]}. {_WAITING}",
        "tier": "measured elsewhere",
    }


def _rates(base: Baseline, device: Accelerator) -> tuple[Factor, Factor] | str:
    """Peak rate of a device and the share of it that whole runs reach, or why one is not known."""
    stated = base.facts.precision
    setting = rates.Setting(
        precision=stated if stated in rates.PRECISIONS else None,
        count=base.facts.count,
        params=base.facts.params,
    )
    try:
        return rates.peak(device, setting.precision), rates.whole_run(device, setting)
    except (CatalogueError, InputError) as err:
        return str(err)


def _operations(base: Baseline) -> float | None:
    """Useful operations of a training: as stated, else six for each parameter that a token passes [1]."""
    work, facts, model = base.footprint.work, base.facts, base.footprint.model
    if work is None or work.flops:
        return None if work is None else work.flops
    params = facts.active_params or facts.params
    whole = facts.stage in ("pretrain", "finetune") and (model is None or model.technique in (None, "full"))
    return TRAINING * params * work.tokens if whole and params and work.tokens else None
