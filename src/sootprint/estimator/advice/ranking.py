"""What measures save, in which order they stand, and what several of them save together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import NO_EVIDENCE, NOT_HERE, REFUSED, SAVES, Combined, Idea, Measure

_ORDER = (SAVES, NO_EVIDENCE, REFUSED, NOT_HERE)
_ADDED = "added"


def weighed(base: Baseline, idea: Idea) -> Measure:
    """Measure of an idea: what it saves of this run, refused where the interval of the saving straddles zero."""
    kg, share = (None, None) if idea.effect is None else saving(base, [idea])
    status, why = idea.status, idea.evidence
    if status == SAVES and share is not None:
        low, high = share.low, share.high
        if low is not None and high is not None and low <= 0.0:
            status, why = REFUSED, f"{_refusal(share)}. {idea.evidence}"
    factor = None if idea.effect is None else idea.effect.time_factor
    delay = delay_hours(base, factor)
    return Measure(
        name=idea.name,
        action=idea.action,
        status=status,
        saving_kg=kg if status == SAVES else None,
        saving_share=share if status == SAVES else None,
        time_factor=factor,
        evidence=why,
        tier=idea.tier,
        boundary=idea.boundary,
        factors=idea.factors,
        embodied_kg=None if idea.effect is None else idea.effect.added_kg,
        kg_per_hour_of_delay=kg.value / delay if kg is not None and status == SAVES and delay else None,
        wait_h=None if idea.effect is None else idea.effect.wait_h,
        options=idea.options,
    )


def _refusal(share: Quantity) -> str:
    low, high = 100 * (share.low or 0.0), 100 * (share.high or 0.0)
    if high <= 0.0:
        return f"costs more than it saves ({low:.0f} to {high:.0f} %)"
    return f"no measurable saving: the interval straddles zero ({low:.0f} to {high:.0f} %); measure with `compare`"


def delay_hours(base: Baseline, time_factor: float | None) -> float | None:
    """Hours that the run takes longer [h]; None where it takes no longer, or nothing is known."""
    if time_factor is None or base.facts.hours is None or time_factor <= 1.0:
        return None
    return (time_factor - 1.0) * base.facts.hours


def saving(base: Baseline, ideas: Sequence[Idea]) -> tuple[Quantity, Quantity]:
    """Emissions that some measures save together, and their share: what remains is multiplied.

    Args:
        base: The run.
        ideas: Measures with an effect; those that share a factor act on what the others left.
    """
    before = base.emissions()
    after, drawn = base.emissions_kg.value, list(before)
    for idea in ideas:
        assert idea.effect is not None
        after *= idea.effect.remaining
        drawn = [kg * left for kg, left in zip(drawn, idea.effect.draws, strict=True)]
    for idea in ideas:
        added = idea.effect.added_kg if idea.effect is not None else None
        if added is not None:
            after += added.value
            extra = base.of(f"{_ADDED}:{idea.name}", added)
            drawn = [kg + one for kg, one in zip(drawn, extra, strict=True)]
    saved = [a - b for a, b in zip(before, drawn, strict=True)]
    value = base.emissions_kg.value - after
    kg = intervals.from_draws(value, saved, basis="modelled")
    if not base.bounded:
        kg = Quantity(value=value, basis="modelled")
    shares = [one / whole for one, whole in zip(saved, before, strict=True)]
    return kg, intervals.from_draws(value / base.emissions_kg.value, shares, basis="modelled")


def ranked(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Measures in the order of the advice: what costs no time first, by its saving; then by kg per hour of delay."""

    def key(measure: Measure) -> tuple[float, ...]:
        group = float(_ORDER.index(measure.status))
        if measure.saving_kg is None:
            return group, 0.0, 0.0
        rate = measure.kg_per_hour_of_delay
        return (group, 0.0, -measure.saving_kg.value) if rate is None else (group, 1.0, -rate)

    return tuple(sorted(measures, key=key))


def combined(base: Baseline, ideas: Sequence[Idea], names: Sequence[str]) -> Combined:
    """Several measures together.

    Raises:
        InputError: A name is no measure, stands twice, or has no saving that could be multiplied.
    """
    known = {idea.name: idea for idea in ideas}
    chosen = []
    for name in names:
        if name not in known:
            raise InputError(f"measure {name!r} is not one of {', '.join(known)}")
        idea = known[name]
        measure = weighed(base, idea)
        if measure.status != SAVES:
            raise InputError(f"measure {name} has no saving to be multiplied: {measure.evidence}")
        chosen.append(idea)
    if len(set(names)) < len(names):
        raise InputError(f"measures {', '.join(names)}: each is named once")
    if {"utilisation", "parallelism"} <= set(names):
        raise InputError("what utilisation saves is a part of what parallelism saves: take one of the two")
    kg, share = saving(base, chosen)
    factors = [one.effect.time_factor for one in chosen if one.effect is not None]
    known_factors = [one for one in factors if one is not None]
    return Combined(
        names=tuple(names),
        saving_kg=kg,
        saving_share=share,
        time_factor=math.prod(known_factors) if len(known_factors) == len(factors) else None,
        sum_of_shares=math.fsum(saving(base, [one])[1].value for one in chosen),
        notes=tuple(_notes(chosen)),
        wait_h=max((one.effect.wait_h for one in chosen if one.effect and one.effect.wait_h), default=None),
    )


def _notes(chosen: Sequence[Idea]) -> list[str]:
    """What to know where measures share a factor: the second acts on what the first left, elsewhere."""
    names = [one.name for one in chosen]
    notes = []
    for number, first in enumerate(chosen):
        for second in chosen[number + 1 :]:
            shared = [one for one in first.factors if one in second.factors]
            if shared:
                notes.append(
                    f"{first.name} and {second.name} share {' and '.join(shared)}: multiplied, not added"
                )
    if "hardware" in names and "power_cap" in names:
        notes.append("the cap was found for the card of this run, not for the new one")
    if "region" in names and "time_shifting" in names:
        notes.append("the hours were those of this run's grid, not of the new one")
    return notes
