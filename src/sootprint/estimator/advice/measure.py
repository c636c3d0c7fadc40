"""A measure: what it saves of one run, what it costs in time, on which evidence, and where it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sootprint.core.quantity import Quantity

SAVES, NO_EVIDENCE, REFUSED, NOT_HERE = "saves", "no evidence", "refused", "not here"
TIERS = ("measured here", "catalogue", "measured elsewhere", "simulated", "claimed elsewhere", "none")
COMPARE = "no evidence: measure with `compare`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a measure does to one run's emissions, with its spread.

    Args:
        remaining: Emissions after over before [1].
        draws: Draws of the same, `(n,)`; all equal where it is exact.
        added_kg: Emissions that the measure itself causes, such as a share of a new card [kgCO2e].
        time_factor: Time until its end after over before [1]; None where it is not known.
        wait_h: How much later it is done at most, where it only waits and runs no longer [h].
    """

    remaining: float
    draws: tuple[float, ...]
    added_kg: Quantity | None = None
    time_factor: float | None = 1.0
    wait_h: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A measure for one run, before what it saves is computed.

    Args:
        name: Short name, e.g. "power_cap".
        action: What to do, in one line.
        factors: Factors of the footprint that it changes: power, hours, intensity, pue, work.
        effect: What it does, or None where nothing is known, or it does not apply here.
        status: no evidence, not here, or saves where `effect` is given.
        evidence: Source of the effect, or why there is none.
        tier: How strong that is, one of `TIERS`.
        boundary: When it applies to this run, and when it does not.
        options: Candidates that were compared, the best first.
    """

    name: str
    action: str
    factors: tuple[str, ...] = ()
    effect: Effect | None = None
    status: str = SAVES
    evidence: str = COMPARE
    tier: str = "none"
    boundary: str = ""
    options: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of an advice; see `Idea` for the fields that are not here.

    Args:
        saving_kg: Emissions saved, what the measure itself emits subtracted [kgCO2e]; None without evidence.
        saving_share: The same over the run's operational emissions [1].
        time_factor: Run time after over before; of one that waits, time until its end [1].
        wait_h: How much later it is done at most, where it only waits and runs no longer [h].
        embodied_kg: Embodied emissions that the measure adds, already subtracted from the saving [kgCO2e].
        kg_per_hour_of_delay: Saving over the hours that the run takes longer; None where it takes no longer.
    """

    name: str
    action: str
    status: str
    saving_kg: Quantity | None
    saving_share: Quantity | None
    time_factor: float | None
    evidence: str
    tier: str
    boundary: str
    factors: tuple[str, ...] = ()
    embodied_kg: Quantity | None = None
    kg_per_hour_of_delay: float | None = None
    wait_h: float | None = None
    options: tuple[dict[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """Several measures together: what remains of the emissions is multiplied, never the savings added.

    Args:
        names: Measures that were chosen.
        saving_kg: Emissions saved by all of them [kgCO2e].
        saving_share: The same over the run's operational emissions [1].
        time_factor: Run time after over before [1]; None where that of one is not known.
        wait_h: How much later all is done at most because one of them waits [h].
        sum_of_shares: What adding the savings would have claimed [1].
        notes: What to know about the combination.
    """

    names: tuple[str, ...]
    saving_kg: Quantity
    saving_share: Quantity
    time_factor: float | None
    sum_of_shares: float
    notes: tuple[str, ...] = ()
    wait_h: float | None = None
