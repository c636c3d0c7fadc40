"""A plan of one job: run now, wait, pause, spread over workers, or go elsewhere, each with what it saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import CatalogueError, InputError
from sootprint.intensity.kinds import unlike
from sootprint.planner import facility
from sootprint.planner.facility import Facility
from sootprint.planner.job import Job, in_hours
from sootprint.planner.options import drafts
from sootprint.planner.outcomes import Option, Outcome, Site, outcome, pues_of
from sootprint.planner.prices import by_zone, unpriced
from sootprint.planner.ranking import Way, best
from sootprint.planner.views import YEAR, View, of_sources, of_trace

if TYPE_CHECKING:
    from sootprint.settings import Settings

MOST_WORKERS, LESS_EACH = 16, 0.05
MOST_STEPS = 3000  # of a window with pauses or workers: 125 days of hours


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
    price_files: Mapping[str, Path | str] | None = None,
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
        price_files: CSV of prices of each zone that has one; in another one no cost is known.
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
        price_files={zone: Path(path) for zone, path in (price_files or {}).items()},
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
    price_files: Mapping[str, Path] | None = None,
    currency: str | None = None,
) -> Plan:
    """Plan of a job in the zones where it may run; the first is where it would run now.

    Args:
        job: What is to run.
        zones: Zones in which its data may lie.
        at: Start of the plan, aware.
        settings: Where the configured sources are, for zones without a trace, and the PUE of this place.
        forecaster: Forecaster to use on the past of the traces, whatever they know of the window.
        price_files: CSV of prices of each zone that has one; in another one no cost is known.
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
    names, home = [view.zone for view in views], views[0]
    known = facility.facilities(names, job.pue, at=at, settings=settings)
    length = max(1, -(-job.expect // home.step))
    slack = home.expected.size - length
    if slack < 0:
        raise InputError(
            f"the deadline is in {in_hours(job.deadline)}, before {length} steps of {in_hours(home.step)} can end: "
            "give a later deadline"
        )
    _require_feasible(job, home)
    paid = by_zone(price_files or {}, currency, views)
    sites = [
        Site(view, pue.value, pues_of(name, pue), paid.get(view.zone))
        for view, (name, pue) in zip(views, facility.counted(known), strict=True)
    ]
    terms = job_terms(job, home)
    made = [outcome(draft, sites, job, length=length) for draft in drafts(views, length, slack, terms)]
    notes = (*_notes(job, views, known), *unpriced(price_files or {}, currency, names))
    return replace(_ranked(made, job, views, known), notes=notes, currency=currency)


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


def _ranked(made: Sequence[Outcome], job: Job, views: Sequence[View], known: tuple[Facility, ...]) -> Plan:
    """Plan of ways to run, the first of which is running at once."""
    number = best([Way(one.option.zone, one.option.emissions_kg.value, one.drawn) for one in made])
    return Plan(
        run_now=made[0].option,
        options=tuple(sorted((one.option for one in made[1:]), key=lambda option: option.emissions_kg.value)),
        chosen=made[number].option,
        measurable=number > 0,
        power_stated=job.power_w is not None,
        views=tuple(views),
        notes=(),
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
    longest = max(view.step for view in views)
    views = [view.in_steps_of(longest) for view in views]
    if any(
        (view.step, view.start, view.expected.size) != (views[0].step, views[0].start, views[0].expected.size)
        for view in views
    ):
        raise CatalogueError(
            "the zones' figures have steps of different length or start: give traces with equal steps"
        )
    return views


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
