"""A plan of one job: run now, wait, pause, spread over workers, or go elsewhere, each with what it saves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, W_PER_KW, hours
from sootprint.intensity.kinds import unlike
from sootprint.planner import facility
from sootprint.planner.exact import Floats
from sootprint.planner.facility import Facility
from sootprint.planner.job import Job, in_hours
from sootprint.planner.options import Draft, drafts
from sootprint.planner.prices import prices
from sootprint.planner.ranking import Way, best
from sootprint.planner.views import YEAR, View, of_sources, of_trace

if TYPE_CHECKING:
    from sootprint.settings import Settings

MOST_WORKERS, LESS_EACH = 16, 0.05
MOST_STEPS = 3000  # of a window with pauses or workers: 125 days of hours
BARE_POWER_W = W_PER_KW  # a job whose power nobody stated: its figures are those of each kilowatt


class _Site(NamedTuple):
    view: View
    pue: float


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
        facilities: PUE of each zone, in the order of the views; they count where all of them are known.
        currency: Currency of the costs, e.g. EUR; None without prices.
    """

    run_now: Option
    options: tuple[Option, ...]
    chosen: Option
    measurable: bool
    power_stated: bool
    views: tuple[View, ...]
    notes: tuple[str, ...]
    facilities: tuple[Facility, ...]
    currency: str | None = None


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
        settings: Where the configured sources are, for zones without a trace, and the PUE of this place.
        forecaster: Forecaster to use on the past of the traces, whatever they know of the window.
        price_file: CSV of prices.
        currency: Currency of the prices; without it no cost is told.

    Raises:
        InputError: The job cannot end by its deadline, or a file does not fit.
        IntensityError: No intensity is known for a zone.
        CatalogueError: The zones' figures are of different methods.
    """
    if settings is None:
        from sootprint import settings as stated

        settings = stated.load()
    views = _views(job, zones, at, settings=settings, forecaster=forecaster)
    home, known = (
        views[0],
        facility.facilities([view.zone for view in views], job.pue, at=at, settings=settings),
    )
    length = max(1, -(-job.expect // home.step))
    slack = home.expected.size - length
    if slack < 0:
        raise InputError(
            f"the deadline is in {in_hours(job.deadline)}, before {length} steps of {in_hours(home.step)} can end: "
            "give a later deadline"
        )
    _require_feasible(job, home)
    paid = _paid(price_file, currency, home)
    sites = [_Site(view, pue) for view, pue in zip(views, facility.counted(known), strict=True)]
    made = [
        _option(draft, sites, job, length=length, prices=paid)
        for draft in drafts(views, length, slack, job_terms(job, home))
    ]
    ranked = _ranked(made, job, views, known)
    if price_file is not None and currency is None:
        left_out = f"no cost is told, as nothing names the currency of {price_file.name}: state it, e.g. EUR"
        return replace(ranked, notes=(*ranked.notes, left_out))
    return replace(ranked, currency=currency)


def _require_feasible(job: Job, home: View) -> None:
    """Nothing where the steps of a window are few enough for an exact plan of pauses or workers.

    Raises:
        InputError: They are not: time and room grow with their square.
    """
    n_steps = home.expected.size
    if n_steps > MOST_STEPS and (job.pausable or len(job.scaling) > 1):
        raise InputError(
            f"the deadline is in {in_hours(job.deadline)}, {n_steps:,} steps of {in_hours(home.step)}: pauses and "
            f"workers are planned in up to {MOST_STEPS:,}; give an earlier deadline, or neither pauses nor workers"
        )


def _paid(price_file: Path | None, currency: str | None, home: View) -> Floats | None:
    """Price in each step, or None where the prices or their currency are not told."""
    if currency is None:
        return None
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InputError(f"currency {currency!r} is no code of three capital letters, e.g. EUR")
    if price_file is None:
        raise InputError(f"the currency {currency} is that of prices: give a file of them, too")
    return prices(price_file, home)


def _ranked(
    made: Sequence[tuple[Option, Floats | None]], job: Job, views: Sequence[View], known: tuple[Facility, ...]
) -> Plan:
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
        notes=tuple(_notes(job, views, known)),
        facilities=known,
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
    job: Job, zones: Sequence[str], at: datetime, *, settings: Settings, forecaster: str | None
) -> list[View]:
    if not zones:
        raise InputError("no zone is given: name the zones where the job may run")
    views = []
    for zone in dict.fromkeys(zones):
        path = job.traces.get(zone)
        if path is not None:
            views.append(of_trace(path, zone, at, job.deadline, forecaster=forecaster))
        else:
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
    draft: Draft, sites: Sequence[_Site], job: Job, *, length: int, prices: Floats | None
) -> tuple[Option, Floats | None]:
    """Option of a draft, with its equally likely emissions."""
    (view, pue), (home, pue_at_home) = sites[draft.zone], sites[0]
    run_h = hours(job.expect.total_seconds()) / length
    step_kg = (job.power_w or BARE_POWER_W) / W_PER_KW * run_h / G_PER_KG  # over g/kWh, of the IT equipment
    moved_kg = (
        _moved_g_per_kwh(sites[draft.zone], sites[0]) * job.transfer_kwh / G_PER_KG if draft.zone else 0.0
    )
    then, now = (
        pue * step_kg * draft.weights,
        pue_at_home * step_kg * (np.arange(home.expected.size) < length),
    )
    cost_kg, now_kg = float(view.expected @ then) + moved_kg, float(home.expected @ now)
    emissions = saving = None
    courses = _courses(view, home)
    if courses is not None:
        emissions, before = courses[0] @ then + moved_kg, courses[1] @ now
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
        cost=None if prices is None else float(prices @ then) * G_PER_KG,
    )
    return option, emissions


def _courses(view: View, home: View) -> tuple[Floats, Floats] | None:
    """Equally likely courses of two zones, the same earlier days in each; what is given has but one [gCO2e/kWh]."""
    drawn = [one.draws() for one in (view, home)]
    counts = [len(one) for one in drawn if one is not None]
    if not counts:
        return None
    there, here = (
        np.repeat(one.expected[None], min(counts), axis=0) if found is None else found[: min(counts)]
        for one, found in zip((view, home), drawn, strict=True)
    )
    return there, here


def _moved_g_per_kwh(there: _Site, home: _Site) -> float:
    """Intensity of a transfer at once: the mean of the two grids that carry it, each with its PUE [gCO2e/kWh]."""
    return 0.5 * float(there.pue * there.view.expected[0] + home.pue * home.view.expected[0])


def _quantity(value: float, draws: Floats | None) -> Quantity:
    """Quantity of a best estimate, with the 5th and 95th percentile of its draws where there are some."""
    if draws is None:
        return Quantity(value=value)
    low, high = (float(bound) for bound in np.quantile(draws, (0.05, 0.95)))
    return Quantity(value=value, low=min(low, value), high=max(high, value))


def _notes(job: Job, views: Sequence[View], known: Sequence[Facility]) -> list[str]:
    notes = list(dict.fromkeys(f"{view.zone}: {reason}" for view in views for reason in view.passed))
    if job.power_w is None:
        notes.append("no power is stated: emissions are those of each kilowatt of IT power")
    flat = [view.zone for view in views if view.kind == YEAR]
    if flat:
        notes.append(
            f"{', '.join(flat)}: only an annual mean is known, so that no hour is better than another; "
            "give --trace, or state [grid] sources in sootprint.toml"
        )
    unknown = facility.note(known)
    return [*notes, unknown] if unknown else notes
