"""Software Carbon Intensity of a record: SCI = ((E x I) + M) per R, with its boundary and method.

Source:
    ISO/IEC 21031:2024 (Green Software Foundation, SCI specification 1.1): E with the facility's overhead,
    location-based I, no offsets and no market instruments, M = TE x (TiR / EL) x (RR / ToR). SCI for AI (Green
    Software Foundation): a provider's R is the training token, the floating-point operation or the parameter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from sootprint.charts.scale import MASS
from sootprint.core import intervals
from sootprint.core.errors import InputError, RecordError
from sootprint.core.letters import clean
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Model, Work
from sootprint.core.units import G_PER_KG
from sootprint.report import figures
from sootprint.report.statements import facts

STANDARD = "ISO/IEC 21031:2024 (Software Carbon Intensity)"
NO_M = (
    "M is unknown, which is not 0: the score is not known either. What is given is the operational part (E x I) per R, "
    "and the score is at least that."
)
NO_O = (
    "The emissions of the electricity are not known, so there is no score: it needs E and a location-based I."
)
EFFECTIVE = "effective: emissions and R are of this one run; preliminary and failed runs of the project are in neither"
GROSS = "gross: emissions and R are of the whole project, preliminary and failed runs included"
_MARKET = re.compile(r"market[- ]based|offset|certificate", re.IGNORECASE)
_NOT_MARKET = re.compile(r"location[- ]based", re.IGNORECASE)


class Unit(NamedTuple):
    """A functional unit R: its name, how many of them a readable score is for, and how that is said."""

    name: str
    per: float
    said: str


UNITS = {
    "token": Unit("training token", 1e6, "million training tokens"),
    "flop": Unit("floating-point operation", 1e18, "10^18 FLOP"),
    "parameter": Unit("parameter", 1e9, "billion parameters"),
    "sample": Unit("sample", 1e6, "million samples"),
    "step": Unit("optimiser step", 1e3, "thousand steps"),
    "run": Unit("training run", 1.0, "training run"),
}


class Score(NamedTuple):
    """Score for one functional unit.

    Args:
        unit: Key of `UNITS`.
        amount: R, in units.
        operational_g: E x I per unit, or None where it is not known [gCO2e].
        score_g: (E x I + M) per unit, or None where a part is not known [gCO2e].
        trains: Whether what is counted is that of a training.
    """

    unit: str
    amount: float
    operational_g: Quantity | None
    score_g: Quantity | None
    trains: bool = True


class Sci(NamedTuple):
    """Terms of the scores of a record.

    Args:
        e_kwh: Energy with the facility's overhead as far as it is known [kWh].
        i_g_per_kwh: Location-based intensity of the electricity [gCO2e/kWh].
        o_g: Operational emissions E x I, summed interval by interval [gCO2e].
        m_g: Embodied emissions, None where they are not known [gCO2e].
        scores: A score for each functional unit that the record knows.
    """

    e_kwh: Quantity | None
    i_g_per_kwh: Quantity | None
    o_g: Quantity | None
    m_g: Quantity | None
    scores: tuple[Score, ...]


def sci(footprint: Footprint) -> Sci:
    """Terms and scores of a record.

    Raises:
        InputError: The record's intensity is market-based or holds offsets, which the standard refuses.
    """
    _refuse_market(footprint)
    energy = facts.facility_kwh(footprint, footprint.energy_kwh)
    operational = _operational_g(footprint, energy)
    making = footprint.embodied_kg if facts.is_known(footprint, "embodied_kg") else None
    m_g = None if making is None else facts.by(making, G_PER_KG)
    both = None if operational is None or m_g is None else _sum(operational, m_g)
    trains = facts.is_training(footprint)
    scores = tuple(
        Score(unit, amount, _per(operational, amount), _per(both, amount), trains)
        for unit, amount in _amounts(footprint)
    )
    return Sci(energy, footprint.intensity_g_per_kwh, operational, m_g, scores)


def unit_of(score: Score) -> Unit:
    """Functional unit of a score, which is not called one of a training where nothing is trained."""
    unit = UNITS[score.unit]
    if score.trains:
        return unit
    return Unit(unit.name.replace("training ", ""), unit.per, unit.said.replace("training ", ""))


def readable(score: Score, quantity: Quantity | None) -> tuple[str, str]:
    """A score and its interval in units that a person reads, e.g. 130 g per million training tokens."""
    unit = unit_of(score)
    scaled = None if quantity is None else facts.by(quantity, unit.per / G_PER_KG)
    if scaled is None:
        return figures.NOT_KNOWN, ""
    spread = figures.spread(scaled, MASS).strip()
    return f"{figures.amount(scaled, MASS).strip()} CO2e per {unit.said}", spread


def in_words(score: Score) -> str:
    """A score in one line; where only its operational part is known, that it is at least so much."""
    if score.score_g is not None:
        return readable(score, score.score_g)[0]
    least = readable(score, score.operational_g)[0]
    return least if score.operational_g is None else f"at least {least}"


def _refuse_market(footprint: Footprint) -> None:
    for factor in intensities(footprint):
        told = f"{factor.method or ''} {factor.source or ''}"
        if _MARKET.search(told) and not _NOT_MARKET.search(told):
            raise InputError(
                f"the intensity of {clean(factor.key)!r:.60} is {clean(factor.method or factor.source or '')!r:.80}: "
                "an SCI score takes location-based intensity only, without certificates and offsets: "
                "estimate with --zone"
            )


def _operational_g(footprint: Footprint, energy: Quantity | None) -> Quantity | None:
    """E x I: the record's own sum over its intervals, else the product of the two."""
    if footprint.emissions_kg is not None:
        return facts.by(footprint.emissions_kg, G_PER_KG)
    grid = footprint.intensity_g_per_kwh
    return None if energy is None or grid is None else facts.times(energy, grid)


def _sum(operational: Quantity, making: Quantity) -> Quantity | None:
    try:
        return intervals.total([("operational", operational), ("embodied", making)])
    except (RecordError, OverflowError, ValueError):
        return None


def _per(grams: Quantity | None, amount: float) -> Quantity | None:
    return None if grams is None else facts.by(grams, 1.0 / amount)


def _amounts(footprint: Footprint) -> Iterator[tuple[str, float]]:
    """Functional units that the record knows, with how many of each; one run there is always."""
    work, model = footprint.work or Work(), footprint.model or Model()
    known = {
        "token": work.tokens, "flop": work.flops, "parameter": model.params, "sample": work.samples,
        "step": work.steps,
    }  # fmt: skip
    for unit, amount in known.items():
        if amount and math.isfinite(1.0 / amount):
            yield unit, amount
    yield "run", 1.0


def intensities(footprint: Footprint) -> list[Factor]:
    """Carbon intensities among the factors of a record."""
    return [factor for factor in footprint.factors if factor.kind == "intensity"]


def gross_or_effective(footprint: Footprint) -> str:
    """Whether the score is of the whole project or of the run that is reported, in words."""
    return GROSS if footprint.scope == "project_total" else EFFECTIVE
