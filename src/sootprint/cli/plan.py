"""`sootprint plan`: when and where a job should run, and what that would save."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, options, output, zoned
from sootprint.core import utc

if TYPE_CHECKING:
    from rich.text import Text

    from sootprint.core.quantity import Quantity
    from sootprint.planner.facility import Facility
    from sootprint.planner.job import Job
    from sootprint.planner.outcomes import Option
    from sootprint.planner.proposal import Plan
    from sootprint.planner.views import View

PERCENT = 100.0
BARS = "▁▂▃▄▅▆▇█"
STRIP, MOST_STRIPS = 72, 5  # bars in one line of the picture, and lines
KINDS = {"start": "start", "pause": "pause", "elastic": "workers", "place": "place"}

Expect = Annotated[
    float,
    typer.Option("--expect", metavar="TIME", parser=options.span_s, help="Time that the job runs, e.g. 24h."),
]
Deadline = Annotated[
    float,
    typer.Option(
        "--deadline", metavar="TIME", parser=options.span_s, help="Time until it must have ended, e.g. 3d."
    ),
]
Zones = Annotated[
    str | None,
    typer.Option("--zones", metavar="A,B", help="Zones where it may run; it would run in the first one now."),
]
Pausable = Annotated[bool, typer.Option("--pausable", help="The job saves its state and goes on later.")]
Resume = Annotated[
    float | None,
    typer.Option(
        "--resume-cost",
        metavar="TIME",
        parser=options.span_s,
        help="Running that each resume costs, e.g. 5m.",
    ),
]
Idle = Annotated[
    float,
    typer.Option(
        "--idle-w",
        metavar="W",
        parser=options.number,
        help="Power of what stays on while it waits; else 0: it is released.",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--max-workers",
        metavar="N",
        parser=options.whole,
        help="Workers at most; each adds 5 % less than the last.",
    ),
]
Power = Annotated[
    float | None, typer.Option("--power-w", metavar="W", parser=options.number, help="Mean power of the job.")
]
Traces = Annotated[
    list[str] | None,
    typer.Option(
        "--trace",
        metavar="[ZONE=]FILE",
        help="CSV with timestamp_utc and ci_gco2e_kwh; several may be given.",
    ),
]
Pues = Annotated[
    list[str] | None,
    typer.Option(
        "--pue",
        metavar="[ZONE=]X",
        help="Facility energy over IT energy, in all zones or in one; may be repeated. Else as your settings or the "
        "cloud region tell.",
    ),
]
At = Annotated[
    datetime | None,
    typer.Option("--at", metavar="TIME", parser=options.instant, help="Start of the plan; else now."),
]
Forecaster = Annotated[
    str | None,
    typer.Option(
        "--forecaster", metavar="NAME", help="Forecast from the trace's past, whatever else it has."
    ),
]
Transfer = Annotated[
    float,
    typer.Option(
        "--transfer-kwh",
        metavar="E",
        parser=options.number,
        help="Energy of moving the data to another zone.",
    ),
]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="[ZONE=]FILE",
        help="CSV with timestamp_utc and price_per_kwh of a zone; may be repeated. Without it no cost is known there.",
    ),
]
Currency = Annotated[
    str | None,
    typer.Option(
        "--currency", metavar="C", help="Currency of the prices, e.g. EUR; without it no cost is told."
    ),
]
Chart = Annotated[
    Path | None,
    typer.Option(
        "--chart", metavar="FILE", parser=options.new_chart, help="Draw the plan as .svg, .png or .pdf."
    ),
]


def plan(
    expect: Expect,
    deadline: Deadline,
    zones: Zones = None,
    pausable: Pausable = False,
    resume_cost: Resume = None,
    idle_w: Idle = 0.0,
    max_workers: Workers = 1,
    power_w: Power = None,
    pue: Pues = None,
    trace: Traces = None,
    at: At = None,
    forecaster: Forecaster = None,
    transfer_kwh: Transfer = 0.0,
    price: Prices = None,
    currency: Currency = None,
    chart: Chart = None,
    json: options.Json = False,
) -> None:
    r"""Plan when and where a job should run.

    A trace that covers the time until the deadline is taken as it is; else the hours ahead are forecast from its past,
    or asked of the sources of [grid]. Nothing is started.

        sootprint plan --expect 24h --deadline 48h --zones DE,FR
        sootprint plan --expect 6h --deadline 2d --zones DE --trace de.csv \
            --pausable --resume-cost 5m --power-w 1800
        sootprint plan --expect 9h --deadline 1d --zones DE,FR \
            --pue DE=1.4 --pue FR=1.2
        sootprint plan --expect 6h --deadline 1d --trace DE=de.csv \
            --trace FR=fr.csv --at 2026-05-04T08:00Z --json
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads would wait for each other
    from sootprint.planner.job import Job
    from sootprint.planner.proposal import propose, scaling

    names, files = zoned.told(zones, trace or [])
    job = Job(
        expect=timedelta(seconds=expect),
        deadline=timedelta(seconds=deadline),
        power_w=power_w,
        pausable=pausable,
        resume_cost=timedelta(seconds=resume_cost or 0.0),
        idle_w=idle_w,
        scaling=scaling(max_workers),
        pue=zoned.pues(pue or [], names),
        transfer_kwh=transfer_kwh,
        traces=files,
    )
    start, paid = at or datetime.now(UTC), zoned.prices(price or [], names)
    made = propose(job, names, at=start, forecaster=forecaster, price_files=paid, currency=currency)
    _show(made, job, chart=chart, json=json)


def _show(made: Plan, job: Job, *, chart: Path | None, json: bool) -> None:
    if chart is not None:
        _draw(made, chart)
    if json:
        output.print_json(as_json(made))
    else:
        _print(made, job.expect, job.deadline)


def as_json(made: Plan) -> dict[str, Any]:
    """Plan for other programs."""
    return {
        "run_now_kg": made.run_now.emissions_kg.value,
        "options": [_option(option) for option in made.options],
        "chosen": _option(made.chosen),
        "measurable": made.measurable,
        "run_now": _option(made.run_now),
        "power_stated": made.power_stated,
        "pue": {one.zone: one.pue and one.pue.value for one in made.facilities},
        "pue_bounds": {one.zone: one.pue and [one.pue.low, one.pue.high] for one in made.facilities},
        "intensity": {view.zone: _view(view) for view in made.views},
        "currency": made.currency,
        "notes": made.notes,
    }


def _option(option: Option) -> dict[str, Any]:
    told = {
        name: getattr(option, name) for name in ("kind", "zone", "emissions_kg", "saving_share", "delay_s")
    }
    stamps = {name: utc.text_of(getattr(option, name), "seconds") for name in ("start", "end")}
    more = {"workers": option.workers, "cost": option.cost}
    return {**told, "hours": [utc.text_of(hour, "seconds") for hour in option.hours], **stamps, **more}


def _view(view: View) -> dict[str, Any]:
    low, high = bounds(view)
    return {
        "start": utc.text_of(view.start, "seconds"),
        "step_s": view.step.total_seconds(),
        "expected_g_per_kwh": view.expected.tolist(),
        "low_g_per_kwh": low,
        "high_g_per_kwh": high,
        "method": view.method,
        "source": view.source,
        "kind": view.kind,
    }


def bounds(view: View) -> tuple[list[float] | None, list[float] | None]:
    """5th and 95th percentile of the intensity in each step, or None where nobody says how sure it is."""
    import numpy as np

    drawn = view.draws()
    if drawn is None:
        return None, None
    low, high = np.quantile(drawn, (0.05, 0.95), axis=0)
    return low.tolist(), high.tolist()


def _draw(made: Plan, path: Path) -> None:
    from sootprint import charts

    charts.save(charts.planned(made), path, theme="web")


def _print(made: Plan, expect: timedelta, deadline: timedelta) -> None:
    from rich.text import Text

    console = output.console()
    begin = made.views[0].start.astimezone(UTC)
    took, left = (_time(time.total_seconds()) for time in (expect, deadline))
    console.print(
        Text.assemble(("Plan", "bold"), f" of {took}, to end within {left} from {begin:%a %d %b %H:%M} UTC\n")
    )
    console.print(output.narrowed(_table(made), console, "end (UTC)", "later"))
    console.print()
    for view in made.views:
        for line in picture(view, made.chosen, others=made.views):
            console.print(line)
    console.print()
    console.print(output.marked(*_words(made)))


def _table(made: Plan) -> Any:
    cost = () if made.currency is None else (made.currency,)
    columns = ("", "how", "where", "start (UTC)", "end (UTC)", "CO2e", "saved", "90 %", "later")
    table = output.table(*columns, *cost, right=("CO2e", "saved", "90 %", "later", *cost))
    day = _day(made)
    others = [one for one in made.options if one != made.run_now]  # the best start may be to run now
    for option in (made.run_now, *others):
        chosen = option == made.chosen
        name = "run now" if option is made.run_now else KINDS[option.kind]
        percent, interval = _saved(option.saving_share)
        later = "–" if not option.delay_s else _signed(option.delay_s)
        cells = (
            "→" if chosen else "",
            name,
            option.zone,
            f"{option.start:{day} %H:%M}",
            f"{option.end:{day} %H:%M}",
            figures.emissions(option.emissions_kg).value,
            "–" if option is made.run_now else percent,
            "" if option is made.run_now else interval,
            later,
            *(("–" if option.cost is None else f"{option.cost:.2f}",) if made.currency else ()),
        )
        output.add_row(table, *cells, style="bold green" if chosen else None)
    return table


def _day(made: Plan) -> str:
    """Format of a day: its weekday where that tells it from all others of the plan."""
    ends = [option.end for option in (made.run_now, *made.options)]
    return "%a" if max(ends) - made.views[0].start < timedelta(days=6) else "%d %b"


def _saved(saving: Quantity) -> tuple[str, str]:
    interval = ""
    if saving.low is not None and saving.high is not None:
        interval = f"{PERCENT * saving.low:.0f} to {PERCENT * saving.high:.0f} %"
    return f"{PERCENT * saving.value:.1f} %", interval


def _signed(delay_s: float) -> str:
    return _time(delay_s) if delay_s > 0.0 else f"-{_time(-delay_s)}"


def _time(duration_s: float) -> str:
    return figures.duration(duration_s)


def picture(view: View, chosen: Option, *, others: Sequence[View] = ()) -> Iterator[Text]:
    """Lines of a zone's intensity as bars below those of others, chosen hours in green and marked; of many, means."""
    from rich.text import Text

    each = -(-view.expected.size // (STRIP * MOST_STRIPS))
    starts = range(0, view.expected.size, each)
    values = _means(view, each)
    hours = set(chosen.hours) if chosen.zone == view.zone else set()
    ran = [
        any((view.start + step * view.step).astimezone(UTC) in hours for step in range(at, at + each))
        for at in starts
    ]
    least, most = min(values), max(values)
    scale = _scale(view, each)
    indent = max(30, *(len(_scale(one, each)) + 1 for one in (view, *others)))
    for low in range(0, len(values), STRIP):
        bars, marks = Text(f"{'' if low else scale:<{indent}}"), Text(" " * indent)
        for value, runs in zip(values[low : low + STRIP], ran[low : low + STRIP], strict=True):
            share = (value - least) / (most - least) if most > least else 0.0
            level = min(len(BARS) - 1, int(len(BARS) * share))
            bars.append(BARS[level], style="bold green" if runs else "dim")
            marks.append("▔" if runs else " ", style="green")
        yield bars
        if hours:
            yield marks
    if each > 1:
        yield Text(f"{'':{indent}}each bar is the mean of {each} steps", "dim")


def _means(view: View, each: int) -> list[float]:
    return [float(view.expected[at : at + each].mean()) for at in range(0, view.expected.size, each)]


def _scale(view: View, each: int) -> str:
    """Zone of some bars with the least and the most of them."""
    values = _means(view, each)
    low, high = f"{min(values):.0f}", f"{max(values):.0f}"
    return f"{view.zone:.14} {low if low == high else f'{low} to {high}'} g/kWh"


def _pue(site: Facility) -> str:
    """Words of a facility's PUE."""
    if site.pue is None:
        return ""
    low, high = site.pue.low, site.pue.high
    bounds = "" if low is None or high is None or low == high else f" ({low:.3g} to {high:.3g})"
    return f"; PUE {site.pue.value:g}{bounds}, {site.source}"


def _intervals(made: Plan) -> str:
    """Words of what the intervals are of."""
    is_forecast = any(view.misses is not None for view in made.views)
    known = [site.pue for site in made.facilities if site.pue is not None]
    has_bounds = len(known) == len(made.facilities) and any(one.low != one.high for one in known)
    missed = "from how earlier forecasts at this time of day missed"
    if is_forecast:
        return f"intervals are {missed}" + (
            " and, of emissions and between places, from the PUE" * has_bounds
        )
    if has_bounds:
        return "intervals are those of the PUE alone: the intensity is taken as given"
    return "intervals are not known: the figures do not say how sure they are"


def _words(made: Plan) -> list[tuple[str, str]]:
    """Notes below the table."""
    rows: list[tuple[str, str]] = []
    if not made.measurable:
        rows.append(
            (output.WARNING, "no measurable saving: no plan clears its error bar, so the job is to run now")
        )
    for view, site in zip(made.views, made.facilities, strict=True):
        rows.append(("", f"{view.zone}: {view.kind}; {view.method}; {view.source}{_pue(site)}"))
    rows.append(("", _intervals(made)))
    rows.append(
        (
            "",
            "saved: against running at once in the first zone; attributed by this method, not avoided on the grid",
        )
    )
    return rows + [(output.WARNING, note) for note in made.notes]
