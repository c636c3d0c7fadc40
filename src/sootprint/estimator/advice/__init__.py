"""Advice: what would make a run or a plan emit less, ranked, with interval, time, evidence and boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sootprint import settings as configuration
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.estimator.advice import busy, machine, method, place, ranking, stopping
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import Combined, Measure

if TYPE_CHECKING:
    from sootprint.settings import Settings

__all__ = ["Advice", "Combined", "Measure", "advise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Measures for one run.

    Args:
        id: Identity of the run.
        emissions_kg: Operational emissions that the savings are shares of [kgCO2e].
        measures: What saves first, then what has no evidence, what is refused, and what does not apply here.
        combined: The chosen measures together, or None where none were chosen.
        warnings: What to know about all of them.
    """

    id: str
    emissions_kg: Quantity
    measures: tuple[Measure, ...]
    combined: Combined | None = None
    warnings: tuple[str, ...] = ()


def advise(
    footprint: Footprint,
    *,
    only_zones: Sequence[str] | None = None,
    chosen: Sequence[str] = (),
    settings: Settings | None = None,
    hours: bool = True,
) -> Advice:
    """Advice on a run, an estimate or a prediction: ranked measures for the next run of its kind.

    Args:
        footprint: Record with emissions.
        only_zones: Zones that the work may move to; all cloud regions where None.
        chosen: Names of measures that are taken together.
        settings: Settings that were read; read now where None.
        hours: Whether cleaner hours are among the measures; a year of a configured trace is tried for them.

    Raises:
        InputError: The record states no emissions above 0, or a chosen measure has no saving.
        CatalogueError: A zone is in no table, or methods of intensities differ.
    """
    known = settings or configuration.load()
    base = Baseline(footprint, known)
    moved = place.region(base, only_zones)
    ideas = [
        moved,
        machine.newer_hardware(base),
        machine.power_cap(base),
        machine.precision(base),
        busy.utilisation(base),
        busy.parallelism(base),
        *method.ideas(base),
        stopping.early_stopping(base),
        place.facility(base),
        *([place.time_shifting(base, known)] if hours else []),
        place.place_shifting(base, moved),
    ]
    return Advice(
        id=footprint.id,
        emissions_kg=base.emissions_kg,
        measures=ranking.ranked([ranking.weighed(base, idea) for idea in ideas]),
        combined=ranking.combined(base, ideas, chosen) if chosen else None,
        warnings=_warnings(base),
    )


def _warnings(base: Baseline) -> tuple[str, ...]:
    warnings = []
    if base.facts.zone is None and base.facts.method is not None:
        warnings.append(
            "the place of the run is not known: every saving that depends on it is that of the world's mean"
        )
    if not base.bounded:
        warnings.append("the emissions of the record have no interval: savings in kg have none either")
    warnings.append(
        "a run that got cheaper invites more of them: watch the sum of a month (`sootprint summary`), not a share"
    )
    return tuple(warnings)
