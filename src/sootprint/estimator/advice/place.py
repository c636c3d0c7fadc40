"""Measures of place and time: another grid, another facility, other hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sootprint.catalogue import regions, tables, zones
from sootprint.core import intervals
from sootprint.core.errors import CatalogueError
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.units import G_PER_KG
from sootprint.core.utc import written_year
from sootprint.estimator.advice import hours
from sootprint.estimator.advice.baseline import Baseline
from sootprint.estimator.advice.measure import NO_EVIDENCE, NOT_HERE, Effect, Idea

if TYPE_CHECKING:
    from sootprint.settings import Settings

SHOWN = 5  # places in a list of options
BETTER = 0.98  # of the run's own intensity x PUE: less than this is no move
GOOD_PUE = Quantity(value=1.11, low=1.08, high=1.2)
_AVERAGE = (
    "annual averages for accounting, not what the move changes on the grid; clean grids are finite, and moving data "
    "costs about 0.001 kWh/GB (Cloud Carbon Footprint)"
)
# Pausing a 24 h job within 48 h, each resume costing 15 minutes, with perfect foresight: share of the emissions of
# running now, mean over arrivals, hourly average intensity of 2022 (our simulation; docs/reference/advice.md).
PAUSING = {
    "CA-ON": 0.285,
    "DE": 0.122,
    "DK": 0.174,
    "ES": 0.126,
    "FR": 0.090,
    "GB": 0.132,
    "IE": 0.138,
    "IN": 0.005,
    "JP": 0.048,
    "NL": 0.111,
    "PL": 0.056,
    "SE": 0.076,
    "SG": 0.002,
    "US-CA": 0.173,
    "US-TX": 0.087,
}
KEPT = Quantity(
    value=0.75, low=0.50, high=1.0
)  # of that, with forecasts from past intensity alone, 119 regions
LONGEST_H = 36.0  # of a run that the simulated 24 hours speak for
SLACK_H = 24.0
PAUSES_H = 1.0  # a shorter run has no hour to pause in: it starts later
LEAST_KG = 1e-3  # less is not worth a wait: assumed
HOPPING = Quantity(value=0.08, low=0.014, high=0.16)


def region(base: Baseline, only_zones: Sequence[str] | None) -> Idea:
    """The same work on another grid, among places whose intensity is of the same method.

    Args:
        base: The run.
        only_zones: Zones that the data may go to; the provider's regions, else all cloud regions, where None.

    Raises:
        CatalogueError: A zone is in no table.
    """
    idea = Idea(
        name="region",
        action="run it on a cleaner grid",
        factors=("intensity", "pue"),
        boundary=_AVERAGE,
    )
    if base.intensity is None or base.facts.method is None:
        return replace(
            idea,
            status=NO_EVIDENCE,
            evidence="no evidence: the run's intensity is not of a method that the tables share "
            f"({_method_of(base.intensity)}), and methods are never mixed; state the zone of the run",
        )
    places = _candidates(base, only_zones)
    own = base.intensity.known
    ranked = sorted(places, key=lambda one: one[3])
    if not ranked or ranked[0][3] >= BETTER * own * _own_pue(base):
        among = f"the {len(places)} places compared" if places else "no place could be compared"
        return replace(idea, status=NOT_HERE, evidence=f"none of {among} is cleaner than {base.facts.zone}")
    name, intensity, pue, _ = ranked[0]
    return replace(
        idea,
        action=f"run it in {name} ({_grams(intensity)} instead of {_grams(base.intensity)})",
        effect=_moved(base, intensity, pue),
        evidence=f"{intensity.source}, {intensity.period}; {intensity.method}. Published: 3.7 times between 16 regions "
        "(Dodge et al., 2022), 5 to 10 times within one organisation (Patterson et al., 2021)",
        tier="catalogue",
        boundary=f"{_residency(only_zones, base)}; {_AVERAGE}",
        options=tuple(_option(one, own * _own_pue(base)) for one in ranked[:SHOWN]),
    )


def facility(base: Baseline) -> Idea:
    """The same work in a data centre with little overhead."""
    idea = Idea(name="data_centre", action="run it in an efficient data centre", factors=("pue",))
    if base.pue is None or not base.pue.value:
        return replace(
            idea,
            status=NO_EVIDENCE,
            evidence="no evidence: the PUE of the run is not known; state it with --pue",
        )
    if base.pue.value <= GOOD_PUE.value:
        return replace(
            idea, status=NOT_HERE, evidence=f"the PUE is {base.pue.value:.3g} already, as good ones are"
        )
    before, after = base.of_factor(base.pue), base.of("good pue", GOOD_PUE)
    draws = tuple(new / old for new, old in zip(after, before, strict=True))
    return replace(
        idea,
        action=f"run it at a PUE of {GOOD_PUE.value:g} instead of {base.pue.value:.3g}",
        effect=Effect(remaining=GOOD_PUE.value / base.pue.value, draws=draws),
        evidence="1.59 to 1.11 is 30 % less: Patterson et al. (2021), Table 1; large clouds state 1.08 to 1.2",
        tier="measured elsewhere",
        boundary="the PUE of such a place as it states it; it stands in `region` already where that names a cloud "
        "region with a PUE of its own",
    )


def time_shifting(base: Baseline, settings: Settings) -> Idea:
    """The same work in cleaner hours of its own grid: as its own trace says, else as simulated elsewhere.

    Args:
        base: The run.
        settings: Settings with the traces that are configured.
    """
    found = hours.tried(base, settings)
    idea = _elsewhere(base, found) if isinstance(found, str) else _own(base, found)
    if idea.effect is None:
        return idea
    saved_kg = (1.0 - idea.effect.remaining) * base.emissions_kg.value
    if saved_kg < LEAST_KG:
        told = f"waiting would save about {saved_kg * G_PER_KG:.1g} g of this run: less than a gram is not worth it"
        return replace(idea, status=NOT_HERE, effect=None, evidence=told)
    return idea


def _own(base: Baseline, found: hours.Tried) -> Idea:
    """Cleaner hours as the grid's own trace says."""
    slack_h = hours.in_hours(found.slack)
    idea = Idea(
        name="time_shifting",
        action=_action(base, slack_h),
        factors=("intensity",),
        boundary=f"mean over {found.jobs:,} starts of a run of its own length ({base.facts.hours:,.3g} h) with "
        f"{slack_h:g} h of slack; one run may save nothing: `sootprint plan` answers for its own hours. Only where "
        "a pause releases the node",
    )
    if found.share.value <= 0.0:
        return replace(
            idea, status=NOT_HERE, evidence=f"waiting saved nothing on the grid's own year ({found.source})"
        )
    drawn = base.of("own hours", found.share)
    own_h = base.facts.hours or 1.0
    return replace(
        idea,
        effect=Effect(
            remaining=1.0 - found.share.value,
            draws=tuple(1.0 - min(0.99, one) for one in drawn),
            time_factor=(own_h + slack_h) / own_h,
            wait_h=slack_h,
        ),
        evidence=f"`sootprint backtest` on {found.source}: planned again each hour from the past alone, each resume "
        "costing 15 minutes",
        tier="simulated",
    )


def _action(base: Baseline, slack_h: float) -> str:
    own_h = base.facts.hours
    pauses = own_h is None or own_h >= PAUSES_H
    return f"{'pause in dirty hours' if pauses else 'start it in a cleaner hour'}, done up to {slack_h:.3g} h later"


def _elsewhere(base: Baseline, why: str) -> Idea:
    """Cleaner hours by what was simulated on other grids and lengths."""
    idea = Idea(
        name="time_shifting",
        action=_action(base, SLACK_H),
        factors=("intensity",),
        boundary="mean over many starts of a 24 h job with 24 h slack; one run may save nothing: `sootprint plan` "
        "answers for its own hours. Only where a pause releases the node: held at 30 % power, half of it is lost",
    )
    own_h = base.facts.hours
    if own_h is not None and own_h > LONGEST_H:
        return replace(
            idea,
            status=NO_EVIDENCE,
            evidence=f"no evidence for a run of {own_h:,.0f} h with {SLACK_H:g} h of slack: the longer a run, the "
            f"less a day of slack moves, and {why}",
        )
    zone = _hourly(base)
    if zone is None:
        return replace(
            idea,
            status=NO_EVIDENCE,
            evidence=f"no evidence for {base.facts.zone or 'an unknown place'}: {why}",
        )
    best = PAUSING[zone]
    kept = base.of("forecast", KEPT)
    return replace(
        idea,
        effect=Effect(
            remaining=1.0 - best * KEPT.value,
            draws=tuple(1.0 - best * min(1.0, one) for one in kept),
            time_factor=None if not own_h else (own_h + SLACK_H) / own_h,
            wait_h=SLACK_H,
        ),
        evidence=f"results of 2022, not of this run: {100 * best:.3g} % for a 24 h job with perfect foresight on the "
        f"grid of {zone} (hourly, average), of which forecasts keep 75 % (50 to 100); {why}",
        tier="simulated",
    )


def place_shifting(base: Baseline, moved: Idea) -> Idea:
    """The best of several grids for each start, on top of a fixed move.

    Args:
        base: The run.
        moved: The measure `region`.
    """
    idea = Idea(
        name="place_shifting",
        action="choose among the clean regions anew at each start",
        factors=("intensity",),
        boundary="on top of `region`, with perfect foresight: one fixed clean place already has most of it; data and "
        "image must lie ready in each",
    )
    cleaner = [one for one in moved.options if one["saving_share"] > 0.0]
    if moved.effect is None or len(cleaner) < 2:
        return replace(idea, status=NOT_HERE, evidence="there are no two cleaner places to choose from")
    if (base.facts.hours or 0.0) > LONGEST_H:
        return replace(
            idea,
            status=NO_EVIDENCE,
            evidence=f"no evidence for a run of {base.facts.hours:,.0f} h: over days the grids' hours even out",
        )
    drawn = base.of("hopping", HOPPING)
    newest = _newest(base, cleaner)
    named = ", ".join(
        f"{one['zone']} {one['intensity_g_per_kwh']:,.0f} g/kWh ({one['period']})" for one in newest
    )
    return replace(
        idea,
        action=f"choose anew at each start among {', '.join(one['zone'] for one in newest)}",
        options=newest,
        effect=Effect(remaining=1.0 - HOPPING.value, draws=tuple(1.0 - min(0.9, one) for one in drawn)),
        evidence=f"the newest annual figures of the places: {named}. What their hours add is of 2022 and of other "
        "places: 24 h jobs on hourly averages, 16 % more than the one best place among 7 US grids, 1.4 % among EU "
        "clouds; `sootprint plan --zones` answers for yours",
        tier="simulated",
    )


Candidate = tuple[str, Factor, Factor | None, float]


def _candidates(base: Baseline, only_zones: Sequence[str] | None) -> list[Candidate]:
    """Places with their intensity, their PUE, and the product of both that ranks them."""
    year = _year(base)
    names = list(only_zones) if only_zones is not None else _cloud_regions(base)
    found: dict[str, Candidate] = {}
    for name in names:
        place = zones.locate(name).place
        try:
            intensity = zones.intensity(name, year, method=base.facts.method or "lifecycle").factor
        except CatalogueError:
            continue  # it has figures of the other method alone
        pue = regions.region(name, year).pue if "/" in name and base.pue is not None else None
        rank = intensity.known * (_own_pue(base) if pue is None else pue.known)
        key = intensity.key if only_zones is None and base.footprint.place.provider is None else name
        if key not in found or rank < found[key][3]:
            found[key] = (str(place.zone or name), intensity, pue, rank)
    zones.require_one_method([*(one[1] for one in found.values()), *filter(None, [base.intensity])])
    return list(found.values())


def _cloud_regions(base: Baseline) -> list[str]:
    provider = base.footprint.place.provider
    listed = [row["region"] for row in tables.all_rows("regions")]
    return [one for one in listed if provider is None or one.partition("/")[0] == provider]


def _own_pue(base: Baseline) -> float:
    return 1.0 if base.pue is None else base.pue.known


def _year(base: Baseline) -> int | None:
    period = base.intensity.period if base.intensity is not None else None
    return written_year(period)


def _moved(base: Baseline, intensity: Factor, pue: Factor | None) -> Effect:
    """Intensity of the new grid over that of the old one, PUE alike where both are known."""
    assert base.intensity is not None
    pairs = [(intensity, base.intensity)]
    if pue is not None and base.pue is not None:
        pairs.append((pue, base.pue))
    remaining, drawn = 1.0, [1.0] * intervals.DRAWS
    for new, old in pairs:
        remaining *= new.known / old.known
        ratios = zip(base.of_factor(new), base.of_factor(old), strict=True)
        drawn = [before * a / b for before, (a, b) in zip(drawn, ratios, strict=True)]
    return Effect(remaining=remaining, draws=tuple(drawn))


def _option(place: Candidate, own: float) -> dict[str, Any]:
    name, intensity, pue, rank = place
    return {
        "zone": name,
        "grid": intensity.key,
        "intensity_g_per_kwh": intensity.value,
        "period": intensity.period,
        "pue": None if pue is None else pue.value,
        "saving_share": 1.0 - rank / own,
    }


def _newest(base: Baseline, places: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Places by the newest annual figure of each, the cleanest first, each with its year."""
    found = []
    for one in places:
        figure = zones.intensity(one["grid"], method=base.facts.method or "lifecycle").factor
        found.append(
            {
                "zone": one["zone"],
                "grid": one["grid"],
                "intensity_g_per_kwh": figure.known,
                "period": figure.period,
            }
        )
    return tuple(sorted(found, key=lambda one: one["intensity_g_per_kwh"]))


def _hourly(base: Baseline) -> str | None:
    """Zone of the run for which hours were simulated."""
    place = base.footprint.place
    keys = (base.intensity.key if base.intensity is not None else None, place.subdivision, place.zone)
    return next((key for key in keys if key in PAUSING), None)


def _residency(only_zones: Sequence[str] | None, base: Baseline) -> str:
    if only_zones is not None:
        return f"among {', '.join(only_zones)} only, as stated"
    if base.footprint.place.provider:
        return f"among the regions of {base.footprint.place.provider}; name those the data may go to with --only-zones"
    return "among all cloud regions, if the data may leave; name those they may go to with --only-zones"


def _method_of(factor: Factor | None) -> str:
    return "none is stated" if factor is None else factor.method or "its method is not stated"


def _grams(factor: Factor) -> str:
    return f"{factor.value:,.0f} g/kWh"
