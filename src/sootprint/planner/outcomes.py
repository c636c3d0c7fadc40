"""What each way to run a job emits and costs, with the intervals of the intensity ahead and of each facility's PUE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sootprint.core import intervals
from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, W_PER_KW, hours
from sootprint.planner.exact import Floats
from sootprint.planner.options import Draft
from sootprint.planner.views import View

if TYPE_CHECKING:
    from sootprint.planner.job import Job

BARE_POWER_W = W_PER_KW  # a job whose power nobody stated: its figures are those of each kilowatt


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to run the job.

    Args:
        kind: start, pause, elastic or place.
        zone: Where it runs.
        hours: Starts of the steps in which it runs, UTC.
        start: Start of the first of them.
        end: End of the last of them.
        emissions_kg: Expected emissions, overheads and transfer in them [kgCO2e].
        saving_share: Share saved against running at once in the first zone [1].
        delay_s: End of the job less its end if run at once [s].
        workers: Workers in each of the steps.
        cost: Cost of the electricity in the currency of the plan, or None without prices.
    """

    kind: str
    zone: str
    hours: tuple[datetime, ...]
    start: datetime
    end: datetime
    emissions_kg: Quantity
    saving_share: Quantity
    delay_s: float
    workers: tuple[float, ...]
    cost: float | None = None


class Site(NamedTuple):
    """A zone of a plan with its facility.

    Args:
        view: Intensity ahead.
        pue: Facility energy over IT energy [1].
        pues: Equally likely ones, `(n_pues, 1)`, a single one where it is certain [1].
        prices: Price in each step, `(n_steps,)` [currency/kWh]; None where it is not known.
    """

    view: View
    pue: float
    pues: Floats
    prices: Floats | None = None


class Outcome(NamedTuple):
    """A way to run with its equally likely emissions, `(n_pues, n_days)` [kgCO2e]; None where it has but one."""

    option: Option
    drawn: Floats | None


def pues_of(name: str, pue: Quantity) -> Floats:
    """Equally likely PUEs of a facility, `(n_pues, 1)`: the same ones for all who ask with its name [1]."""
    found = None if pue.low == pue.high else intervals.Draws().of(name, pue)
    return np.reshape(np.array([pue.value] if found is None else found), (-1, 1))


def outcome(draft: Draft, sites: Sequence[Site], job: Job, *, length: int) -> Outcome:
    """What a draft emits and costs.

    One PUE holds for all that runs in a facility: it is in each emission, and cancels in a saving within one place.

    Args:
        draft: The draft.
        sites: Zones of the plan, the first one where the job would run now.
        job: The job.
        length: Steps that it runs.
    """
    there, home = sites[draft.zone], sites[0]
    step_kwh = (job.power_w or BARE_POWER_W) / W_PER_KW * hours(job.expect.total_seconds()) / length
    then: Floats = step_kwh * draft.weights
    now: Floats = step_kwh * (np.arange(home.view.expected.size) < length).astype(np.float64)
    moved_kwh = job.transfer_kwh if draft.zone else 0.0
    kg = _kg(there, home, (there.view.expected, home.view.expected), (then, moved_kwh))
    now_kg = home.pue * float(home.view.expected @ now) / G_PER_KG
    drawn, saved = _drawn(there, home, (then, moved_kwh), now)
    steps = np.flatnonzero(draft.weights * draft.runs > 0.0)
    stamps = tuple((there.view.start + int(step) * there.view.step).astimezone(UTC) for step in steps)
    end = stamps[-1] + there.view.step
    option = Option(
        kind=draft.kind,
        zone=there.view.zone,
        hours=stamps,
        start=stamps[0],
        end=end,
        emissions_kg=_quantity(kg, drawn),
        saving_share=_quantity((now_kg - kg) / now_kg if now_kg > 0.0 else 0.0, saved),
        delay_s=(end - home.view.start.astimezone(UTC) - length * home.view.step).total_seconds(),
        workers=tuple(float(draft.runs[step]) for step in steps),
        cost=_cost(there, home, then, moved_kwh),
    )
    return Outcome(option, drawn)


def _kg(there: Site, home: Site, courses: tuple[Floats, Floats], used: tuple[Floats, float]) -> float:
    """Best estimate of the emissions; a transfer, made at once, counts half in each grid, each with its PUE."""
    then, moved_kwh = used
    moved_g_per_kwh = 0.5 * (there.pue * courses[0][0] + home.pue * courses[1][0])
    return float(there.pue * (courses[0] @ then) + moved_g_per_kwh * moved_kwh) / G_PER_KG


def _drawn(
    there: Site, home: Site, used: tuple[Floats, float], now: Floats
) -> tuple[Floats | None, Floats | None]:
    """Equally likely emissions of a way [kgCO2e], and shares that it saves against running at once [1]."""
    then, moved_kwh = used
    courses = _courses(there.view, home.view)
    runs, at_once = courses[0] @ then, courses[1] @ now
    if there is home:
        kept = 1.0 - runs / np.where(at_once > 0.0, at_once, 1.0)
        return _several(home.pues * runs / G_PER_KG), _several(kept[None])
    ends = there.pues * courses[0][:, 0] + home.pues * courses[1][:, 0]
    emitted = there.pues * runs + 0.5 * moved_kwh * ends
    before = home.pues * at_once
    return _several(emitted / G_PER_KG), _several((before - emitted) / np.where(before > 0.0, before, 1.0))


def _several(drawn: Floats) -> Floats | None:
    return drawn if drawn.size > 1 else None


def _courses(view: View, home: View) -> tuple[Floats, Floats]:
    """Equally likely courses of two zones, the same earlier days in each; what is given has but one [gCO2e/kWh]."""
    drawn = [one.draws() for one in (view, home)]
    count = min((len(one) for one in drawn if one is not None), default=1)
    there, here = (
        np.repeat(one.expected[None], count, axis=0) if found is None else found[:count]
        for one, found in zip((view, home), drawn, strict=True)
    )
    return there, here


def _cost(there: Site, home: Site, then: Floats, moved_kwh: float) -> float | None:
    """Cost of the electricity, with half of a transfer's in each zone; None where one of the prices is not known."""
    if there.prices is None or (moved_kwh and home.prices is None):
        return None
    here = there.prices if home.prices is None else home.prices
    moved = 0.5 * moved_kwh * (there.pue * there.prices[0] + home.pue * here[0])
    return float(there.pue * (there.prices @ then) + moved)


def _quantity(value: float, drawn: Floats | None) -> Quantity:
    """Quantity of a best estimate, with the 5th and 95th percentile of its draws where there are several."""
    if drawn is None:
        return Quantity(value=value)
    low, high = (float(bound) for bound in np.quantile(drawn, (0.05, 0.95)))
    return Quantity(value=value, low=min(low, value), high=max(high, value))
