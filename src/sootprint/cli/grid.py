"""`sootprint grid`: carbon intensity of a zone at a time, by the source that counts here or a stated one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import options, output, shell
from sootprint.core import utc

if TYPE_CHECKING:
    from sootprint.core.protocols import Intensity, MarginalIntensity
    from sootprint.settings import Settings

HOUR = timedelta(hours=1)
PAST = timedelta(hours=24)
ANNUAL, TRACE = "annual", "trace"
BAR = 32  # columns of the longest bar
MOST_ROWS = 72

At = Annotated[
    datetime | None,
    typer.Option(
        "--at", metavar="TIME", parser=options.instant, help="The hour of this instant; UTC if not stated."
    ),
]
Ahead = Annotated[
    float | None,
    typer.Option(
        "--forecast", metavar="TIME", parser=options.span_s, help="From now on for so long, e.g. 48h."
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="S", help="Source to ask, e.g. energy_charts or annual; else those of [grid]."
    ),
]
Trace = Annotated[
    Path | None, typer.Option("--trace", metavar="FILE", help="CSV file with timestamp_utc and ci_gco2e_kwh.")
]
ZoneName = Annotated[
    str, typer.Argument(metavar="ZONE", help="Grid zone or cloud region, e.g. FR or aws/us-east-1.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a source told of a zone and time, and why the sources before it did not count."""

    source: str
    steps: Sequence[Intensity | MarginalIntensity]
    passed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def grid(
    zone: ZoneName,
    year: options.Year = None,
    at: At = None,
    forecast: Ahead = None,
    source: Source = None,
    trace: Trace = None,
    json: options.Json = False,
) -> None:
    """Show the carbon intensity of a zone: now, at a time, ahead, or of a year.

    The sources of [grid] in your own sootprint.toml are asked; without any, the annual tables answer and no network is
    used. A marginal source is asked by its name alone, and its figures are not those of a footprint.

        sootprint grid FR --year 2024
        sootprint grid DE --forecast 48h --source energy_charts
        sootprint grid DE --at 2026-11-22T10:00Z --json
    """
    from sootprint import settings

    known = settings.load()
    if sum(one is not None for one in (year, at, forecast)) > 1:
        shell.wrong("--year, --at and --forecast ask for three times: give one of them")
    start, end = _time(year, at, forecast)
    told = _told(known, zone, (start, end), source=ANNUAL if year else source, trace=trace)
    if forecast is not None and told.source == ANNUAL:
        shell.wrong(
            "the annual tables have no forecast: give --source or --trace, or state [grid] sources in sootprint.toml"
            + "".join(f"; {text}" for text in told.passed)
        )
    for text in (*told.passed, *told.notes):
        shell.say(text)
    summary = _summary(zone, told)
    output.print_json(summary) if json else _print(summary, told)


def _time(year: int | None, at: datetime | None, ahead_s: float | None) -> tuple[datetime, datetime]:
    """Start and end that are asked for: the last 24 hours where nothing is stated."""
    now = datetime.now(UTC).replace(microsecond=0)
    if year is not None:
        if not 1990 <= year <= 2100:
            shell.wrong(f"--year {year} is not from 1990 to 2100")
        return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    if at is not None:
        hour = at.replace(minute=0, second=0, microsecond=0)
        return hour, hour + HOUR
    if ahead_s is not None:
        return now, now + timedelta(seconds=ahead_s)
    return now - PAST, now


def _told(
    known: Settings,
    zone: str,
    span: tuple[datetime, datetime],
    *,
    source: str | None,
    trace: Path | None,
) -> Told:
    """What the stated source, or the first of the settings that knows, says of a time.

    Raises:
        IntensityError: None knows.
    """
    from sootprint.intensity import chain
    from sootprint.intensity.trace import TraceSource
    from sootprint.settings.grid import MARGINAL

    if trace is not None:
        if not trace.is_file():
            shell.wrong(f"--trace {trace} is no file: give a CSV file with timestamp_utc and ci_gco2e_kwh")
        return Told(source=TRACE, steps=TraceSource(trace, zone=zone).between(zone, *span))
    if source in MARGINAL:
        marginal = chain.marginal(source, known)
        steps = marginal.marginal_between(zone, *span)
        return Told(source=source, steps=steps, notes=chain.notes(marginal))
    configured = chain.chain(known)
    if source is None and configured is not None:
        answer = configured.ask(zone, *span)
        return Told(source=answer.source, steps=answer.intensities, passed=answer.passed)
    one = chain.source(source or ANNUAL, known)
    return Told(source=one.name, steps=one.between(zone, *span), notes=chain.notes(one))


def _summary(zone: str, told: Told) -> dict[str, Any]:
    """Answer for other programs: the mean and every step, with method, source and licence."""
    steps, factor = told.steps, told.steps[0].factor
    return {
        "zone": zone,
        "source": told.source,
        "provider": factor.source,
        "method": factor.method,
        "licence": factor.licence,
        "start": utc.text_of(steps[0].start, "seconds"),
        "end": utc.text_of(steps[-1].end, "seconds"),
        "step_s": steps[0].step_s,
        "mean_g_per_kwh": _mean(steps),
        "steps": [
            {
                "start": utc.text_of(one.start, "seconds"),
                "end": utc.text_of(one.end, "seconds"),
                "intensity_g_per_kwh": one.factor.quantity(),
                "forecast": one.forecast,
            }
            for one in steps
        ],
        "warnings": list(dict.fromkeys(text for one in steps for text in one.warnings)),
        "passed": list(told.passed),
    }


def _mean(steps: Sequence[Intensity | MarginalIntensity]) -> float:
    """Mean over the time that is known [gCO2e/kWh]."""
    lengths_s = [(one.end - one.start).total_seconds() for one in steps]
    sums = (length_s * (one.factor.value or 0.0) for length_s, one in zip(lengths_s, steps, strict=True))
    return math.fsum(sums) / math.fsum(lengths_s)


def _print(summary: dict[str, Any], told: Told) -> None:
    from rich.text import Text

    console = output.console()
    span = f"{told.steps[0].start:%Y-%m-%d %H:%M} to {told.steps[-1].end:%Y-%m-%d %H:%M} UTC"
    licence = summary["licence"] or "no licence stated"
    console.print(f"[bold]{summary['zone']}[/]  {summary['mean_g_per_kwh']:.0f} gCO2e/kWh  {span}")
    console.print(Text(f"{summary['method']}; {summary['provider']}; {licence}", "dim"))
    rows = hours(told.steps)
    if len(rows) > 1:
        console.print()
        console.print(_table(rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        console.print(Text(f"{len(rows) - MOST_ROWS} more hours are in --json", "dim"))
    for text in summary["warnings"]:
        console.print(output.marked((output.WARNING, text)))


def hours(
    steps: Sequence[Intensity | MarginalIntensity],
) -> list[tuple[datetime, float | None, bool]]:
    """Start, mean and whether a part is a forecast, of each hour; an hour without a figure is a gap."""
    found: dict[datetime, list[Intensity | MarginalIntensity]] = {}
    if any(one.end - one.start > HOUR for one in steps):
        return [(one.start, one.factor.value, one.forecast) for one in steps]
    for one in steps:
        found.setdefault(one.start.replace(minute=0, second=0, microsecond=0), []).append(one)
    rows: list[tuple[datetime, float | None, bool]] = []
    at = min(found)
    while at <= max(found):
        parts = found.get(at, [])
        rows.append((at, _mean(parts) if parts else None, any(one.forecast for one in parts)))
        at += HOUR
    return rows


def _table(rows: Sequence[tuple[datetime, float | None, bool]]) -> Any:
    """Hours with their bars; the least is green, a forecast is marked."""
    from rich.text import Text

    values = [value for _, value, _ in rows if value is not None]
    most, least = max(values), min(values)
    table = output.table("hour (UTC)", "g/kWh", " ", "  ", right=("g/kWh",))
    for at, value, forecast in rows:
        if value is None:
            table.add_row(f"{at:%a %d %b %H:%M}", "–", Text("no figure", "dim"))
            continue
        length = round(BAR * value / most) if most > 0.0 else 0
        style = "green" if value == least else "dim" if forecast else ""
        bar = Text("▒" * length if forecast else "█" * length, style)
        told = Text("forecast" if forecast else "", "dim")
        table.add_row(f"{at:%a %d %b %H:%M}", f"{value:.0f}", bar, told)
    return table
