"""A plan of one job: run now, wait, pause, spread over workers, or go elsewhere, each with what it saves."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, W_PER_KW, hours
from sootprint.intensity.kinds import unlike
from sootprint.planner.exact import Floats
from sootprint.planner.options import Draft, drafts
from sootprint.planner.prices import prices
from sootprint.planner.ranking import Way, best
from sootprint.planner.views import YEAR, View, of_sources, of_trace

if TYPE_CHECKING:
    from sootprint.settings import Settings

MOST_WORKERS, LESS_EACH = 16, 0.05
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ways to run a job by its deadline, and the chosen one.

    Args:
        run_now: Running at once in the first zone.
        options: Ways to run it, the least emissions first.
        chosen: The best option whose saving clears its error bar, else running at once; one in another zone where it
            is better than the best in the first one by 2 % and more than its error bar.
        measurable: Whether there is such an option.
        power_stated: Whether the power was stated; else the emissions are those of one kilowatt.
        views: Intensity of each zone that the plan is made on.
        notes: What to know about it.
        currency: Currency of the costs, e.g. EUR; None without prices.
    """

    run_now: Option
    options: tuple[Option, ...]
    chosen: Option
    measurable: bool
    power_stated: bool
    views: tuple[View, ...]
    notes: tuple[str, ...]
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job to plan.

    Args:
        expect: Time that it runs.
        deadline: Time from the start of the plan until it must have ended.
        power_w: Mean power of its IT equipment [W]; None where not known.
        pausable: Whether it saves its state and goes on later.
        resume_cost: Time of running that each resume costs.
        idle_w: Power of what stays on while it waits or pauses [W]; 0 where the node is released.
        scaling: Work that each worker adds, over that of the first [1].
        pue: Facility energy over IT energy, at least 1 [1].
        transfer_kwh: Energy of moving its data to another zone [kWh].
    """

    expect: timedelta
    deadline: timedelta
    power_w: float | None = None
    pausable: bool = False
    resume_cost: timedelta = timedelta(0)
    idle_w: float = 0.0
    scaling: tuple[float, ...] = (1.0,)
    pue: float = 1.0
    transfer_kwh: float = 0.0
    traces: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.deadline < self.expect:
            raise InputError(
                f"the deadline is in {_hours(self.deadline)}, before a job of {_hours(self.expect)} can end: "
                "give a later deadline, or a shorter expected time"
            )
        if self.expect <= timedelta(0):
            raise InputError(f"the job takes {_hours(self.expect)}: give a time above 0")
        if self.power_w is not None and not 0.0 < self.power_w < math.inf:
            raise InputError(f"power is {self.power_w} W: give a power above 0")
        if not 0.0 <= self.idle_w <= (self.power_w or math.inf):
            raise InputError(
                f"idle power is {self.idle_w} W: it is at least 0 and at most the power of the run"
            )
        if self.idle_w and self.power_w is None:
            raise InputError("idle power is stated without the power of the run: give both")
        if not 1.0 <= self.pue < math.inf:
            raise InputError(f"the PUE is {self.pue}: it is at least 1")
        if not 0.0 <= self.transfer_kwh < math.inf:
            raise InputError(f"the transfer takes {self.transfer_kwh} kWh: it is at least 0")


def plan(
    expect: str | timedelta,
    deadline: str | timedelta,
    zones: Sequence[str],
    *,
    at: datetime | None = None,
    traces: Mapping[str, Path | str] | None = None,
    forecaster: str | None = None,
    max_workers: int = 1,
    resume_cost: str | timedelta = timedelta(0),
    price_file: Path | str | None = None,
    currency: str | None = None,
    **job: Any,
) -> Plan:
    """Plan of when and where a job should run, as `sootprint plan` makes it; nothing is started.

    Args:
        expect: Time that the job runs, e.g. "24h".
        deadline: Time from `at` until it must have ended, e.g. "3d".
        zones: Zones where it may run; it would run in the first one now.
        at: Start of the plan, aware; now when None.
        traces: File of intensity of each zone that has one; the others are asked of the configured sources.
        forecaster: Forecaster to use on the past of the traces, whatever they know of the window.
        max_workers: Workers at most; each adds 5 % of the first one's work less than the one before.
        resume_cost: Time of running that each resume costs, e.g. "5m".
        price_file: CSV of prices.
        currency: Currency of the prices, e.g. "EUR"; without it no cost is told.
        job: power_w, pausable, idle_w, pue and transfer_kwh, as of `Job`.

    Raises:
        InputError: The job cannot end by its deadline, a time cannot be read, or a file does not fit.
        IntensityError: No intensity is known for a zone.
        CatalogueError: The zones' figures are of different methods.
    """
    if at is not None and at.tzinfo is None:
        raise InputError(
            f"at is {at.isoformat()}, without a time zone: give an aware instant, e.g. with tzinfo=UTC"
        )
    asked = Job(
        expect=_span("expect", expect),
        deadline=_span("deadline", deadline),
        resume_cost=_span("resume_cost", resume_cost),
        scaling=scaling(max_workers),
        traces={zone: Path(path) for zone, path in (traces or {}).items()},
        **job,
    )
    return propose(
        asked,
        zones,
        at=at or datetime.now(UTC),
        forecaster=forecaster,
        price_file=None if price_file is None else Path(price_file),
        currency=currency,
    )


def scaling(max_workers: int) -> tuple[float, ...]:
    """Work that each worker adds over that of the first: 1, 0.95, 0.90, ... as of jobs that scale well.

    Raises:
        InputError: The count is not from 1 to 16.
    """
    if not 1 <= max_workers <= MOST_WORKERS:
        raise InputError(f"max-workers {max_workers} is not from 1 to {MOST_WORKERS}")
    return tuple(1.0 - LESS_EACH * worker for worker in range(max_workers))


def _span(name: str, value: str | timedelta) -> timedelta:
    if isinstance(value, timedelta):
        return value
    from sootprint.settings.rules import span

    try:
        return timedelta(seconds=span(value))
    except ValueError as err:
        raise InputError(f"{name} is {value!r}: it {err}") from None


def propose(
    job: Job,
    zones: Sequence[str],
    *,
    at: datetime,
    settings: Settings | None = None,
    forecaster: str | None = None,
    price_file: Path | None = None,
    currency: str | None = None,
) -> Plan:
    """Plan of a job in the zones where it may run; the first is where it would run now.

    Args:
        job: What is to run.
        zones: Zones in which its data may lie.
        at: Start of the plan, aware.
        settings: Where the configured sources are, for zones without a trace.
        forecaster: Forecaster to use on the past of the traces, whatever they know of the window.
        price_file: CSV of prices.
        currency: Currency of the prices; without it no cost is told.

    Raises:
        InputError: The job cannot end by its deadline, or a file does not fit.
        IntensityError: No intensity is known for a zone.
        CatalogueError: The zones' figures are of different methods.
    """
    views = _views(job, zones, at, settings=settings, forecaster=forecaster)
    home = views[0]
    length = max(1, -(-job.expect // home.step))
    slack = home.expected.size - length
    if slack < 0:
        raise InputError(
            f"the deadline is in {_hours(job.deadline)}, before {length} steps of {_hours(home.step)} can end: "
            "give a later deadline"
        )
    paid = _paid(price_file, currency, home)
    made = [
        _option(draft, views, job, length=length, prices=paid)
        for draft in drafts(views, length, slack, job_terms(job, home))
    ]
    ranked = _ranked(made, job, views)
    if price_file is not None and currency is None:
        left_out = f"no cost is told, as nothing names the currency of {price_file.name}: state it, e.g. EUR"
        return replace(ranked, notes=(*ranked.notes, left_out))
    return replace(ranked, currency=currency)


def _paid(price_file: Path | None, currency: str | None, home: View) -> Floats | None:
    """Price in each step, or None where the prices or their currency are not told."""
    if currency is None:
        return None
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InputError(f"currency {currency!r} is no code of three capital letters, e.g. EUR")
    if price_file is None:
        raise InputError(f"the currency {currency} is that of prices: give a file of them, too")
    return prices(price_file, home)


def _ranked(made: Sequence[tuple[Option, Floats | None]], job: Job, views: Sequence[View]) -> Plan:
    """Plan of options, the first of which is running at once, each with its equally likely emissions [kgCO2e]."""
    number = best([Way(option.zone, option.emissions_kg.value, drawn) for option, drawn in made])
    return Plan(
        run_now=made[0][0],
        options=tuple(
            sorted((option for option, _ in made[1:]), key=lambda option: option.emissions_kg.value)
        ),
        chosen=made[number][0],
        measurable=number > 0,
        power_stated=job.power_w is not None,
        views=tuple(views),
        notes=tuple(_notes(job, views)),
    )


def job_terms(job: Job, view: View) -> dict[str, object]:
    """Terms of a job in steps, for the drafts."""
    return {
        "pausable": job.pausable,
        "resume_cost": job.resume_cost / view.step,
        "idle_share": 0.0 if job.power_w is None else job.idle_w / job.power_w,
        "scaling": job.scaling,
    }


def _views(
    job: Job, zones: Sequence[str], at: datetime, *, settings: Settings | None, forecaster: str | None
) -> list[View]:
    if not zones:
        raise InputError("no zone is given: name the zones where the job may run")
    if settings is None and any(zone not in job.traces for zone in zones):
        from sootprint import settings as stated

        settings = stated.load()
    views = []
    for zone in dict.fromkeys(zones):
        path = job.traces.get(zone)
        if path is not None:
            views.append(of_trace(path, zone, at, job.deadline, forecaster=forecaster))
        elif settings is not None:
            views.append(of_sources(zone, at, job.deadline, settings))
    for view in views[1:]:
        reason = unlike((views[0].method, views[0].source), (view.method, view.source))
        if reason and (YEAR not in (view.kind, views[0].kind) or view.method != views[0].method):
            raise CatalogueError(
                f"{views[0].zone} and {view.zone} cannot be ranked: {reason}; ask for one kind of figure in every zone"
            )
    if any(
        (view.step, view.start, view.expected.size) != (views[0].step, views[0].start, views[0].expected.size)
        for view in views
    ):
        raise CatalogueError(
            "the zones' figures have steps of different length or start: give traces with equal steps"
        )
    return views


def _option(
    draft: Draft, views: Sequence[View], job: Job, *, length: int, prices: Floats | None
) -> tuple[Option, Floats | None]:
    """Option of a draft, with its equally likely emissions."""
    view, home = views[draft.zone], views[0]
    run_h = hours(job.expect.total_seconds()) / length
    scale_kg = (
        (job.power_w or BARE_POWER_W) / W_PER_KW * run_h * job.pue / G_PER_KG
    )  # over g/kWh, a full step
    moved = job.transfer_kwh * job.pue / G_PER_KG if draft.zone else 0.0
    then = scale_kg * draft.weights, moved * _both(view, home)
    now = scale_kg * (np.arange(home.expected.size) < length)
    cost_kg = float(view.expected @ then[0] + then[1])
    now_kg = float(home.expected @ now)
    there, here = view.draws(), home.draws()
    emissions = saving = None
    if there is not None and here is not None:
        count = min(len(there), len(here))
        emissions = there[:count] @ then[0] + then[1]
        before = here[:count] @ now
        saving = (before - emissions) / np.where(before > 0.0, before, 1.0)
    steps = np.flatnonzero(draft.weights * draft.runs > 0.0)
    stamps = tuple((view.start + int(step) * view.step).astimezone(UTC) for step in steps)
    end = stamps[-1] + view.step
    option = Option(
        kind=draft.kind,
        zone=view.zone,
        hours=stamps,
        start=stamps[0],
        end=end,
        emissions_kg=_quantity(cost_kg, emissions),
        saving_share=_quantity((now_kg - cost_kg) / now_kg if now_kg > 0.0 else 0.0, saving),
        delay_s=(end - home.start.astimezone(UTC) - length * home.step).total_seconds(),
        workers=tuple(float(draft.runs[step]) for step in steps),
        cost=None if prices is None else float(prices @ then[0]) * G_PER_KG,
    )
    return option, emissions


def _both(view: View, home: View) -> float:
    """Intensity of a transfer at once: the mean of the two grids that carry it [gCO2e/kWh]."""
    return 0.5 * float(view.expected[0] + home.expected[0])


def _quantity(value: float, draws: Floats | None) -> Quantity:
    """Quantity of a best estimate, with the 5th and 95th percentile of its draws where there are some."""
    if draws is None:
        return Quantity(value=value)
    low, high = (float(bound) for bound in np.quantile(draws, (0.05, 0.95)))
    return Quantity(value=value, low=min(low, value), high=max(high, value))


def _hours(time: timedelta) -> str:
    return f"{hours(time.total_seconds()):g} h"


def _notes(job: Job, views: Sequence[View]) -> list[str]:
    notes = list(dict.fromkeys(f"{view.zone}: {reason}" for view in views for reason in view.passed))
    if job.power_w is None:
        notes.append("no power is stated: emissions are those of each kilowatt of IT power")
    flat = [view.zone for view in views if view.kind == YEAR]
    if flat:
        notes.append(
            f"{', '.join(flat)}: only an annual mean is known, so that no hour is better than another; "
            "give --trace, or state [grid] sources in sootprint.toml"
        )
    if job.pue == 1.0:
        notes.append("PUE is 1: the facility's overhead (a PUE is typically 1.1 to 1.6) is not in")
    return notes
