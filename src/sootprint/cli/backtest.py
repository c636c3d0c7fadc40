"""`sootprint backtest`: what planning would have saved on a trace, with what was known at each hour."""

from __future__ import annotations

import csv
import io
import math
import os
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, lookup, options, output, shell
from sootprint.core.units import G_PER_KG

if TYPE_CHECKING:
    from sootprint.planner.backtest import Score
    from sootprint.planner.joblog import JobLog
    from sootprint.planner.trial import Trial

PERCENT = 100.0

Traces = Annotated[
    list[str] | None,
    typer.Option(
        "--trace",
        metavar="[ZONE=]FILE",
        help="CSV with timestamp_utc and ci_gco2e_kwh, plain or .gz; several may be given.",
    ),
]
Jobs = Annotated[
    str | None,
    typer.Option(
        "--jobs", metavar="FILE", help="Log of jobs: a CSV or what `sacct` prints; - reads it from a pipe."
    ),
]
Expect = Annotated[
    float | None,
    typer.Option(
        "--expect", metavar="TIME", parser=options.span_s, help="Time that each job runs; else 24h."
    ),
]
Slack = Annotated[
    float | None,
    typer.Option("--slack", metavar="TIME", parser=options.span_s, help="Time that it may wait; else 24h."),
]
Every = Annotated[
    float | None,
    typer.Option("--every", metavar="TIME", parser=options.span_s, help="Time between arrivals; else 23h."),
]
Forecaster = Annotated[
    str,
    typer.Option(
        "--forecaster", metavar="NAME", help="blend, ridge, hour-of-week, persistence or perfect; else blend."
    ),
]
Plans = Annotated[
    Path | None,
    typer.Option(
        "--plans",
        metavar="FILE",
        parser=options.new_file,
        help="Write every step that every job ran in, as CSV.",
    ),
]
Power = Annotated[
    float | None,
    typer.Option(
        "--power-w",
        metavar="W",
        parser=options.number,
        help="Mean power of jobs whose energy is not in the log.",
    ),
]


def backtest(
    trace: Traces = None,
    jobs: Jobs = None,
    expect: Expect = None,
    slack: Slack = None,
    every: Every = None,
    forecaster: Forecaster = "blend",
    power_w: Power = None,
    timezone: options.Timezone = None,
    plans: Plans = None,
    json: options.Json = False,
) -> None:
    r"""Try on past intensity what waiting would have saved.

    Each job is planned again every hour with what was known by then, and scored with what was true, against running
    it at once. Jobs arrive from day 60 of the trace on, for the forecast learns from the days before.

        sootprint backtest --trace DE=de-2025.csv --trace FR=fr-2025.csv
        sootprint backtest --trace DE=de-2025.csv --expect 6h --slack 3d \
            --plans plans.csv
        SLURM_TIME_FORMAT=%s sacct -a -P -X -S 2025-01-01 -E 2026-01-01 \
            -o JobID,Start,Elapsed,State,ConsumedEnergyRaw > jobs.txt
        sootprint backtest --trace DE=de-2025.csv --jobs jobs.txt --slack 12h
    """
    if not trace:
        shell.wrong("--trace is not given: add --trace FILE, a CSV with timestamp_utc and ci_gco2e_kwh")
    if jobs is not None and (expect is not None or every is not None):
        shell.wrong("--jobs states when jobs come and how long they run: leave --expect and --every out")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads would wait for each other
    day = timedelta(days=1)
    spans = (
        day if expect is None else timedelta(seconds=expect),
        day if slack is None else timedelta(seconds=slack),
        timedelta(hours=23) if every is None else timedelta(seconds=every),
    )
    log = None if jobs is None else _log(jobs, timezone)
    trials = _trials(trace, log, spans, power_w=power_w, forecaster=forecaster)
    if plans is not None:
        output.write_whole(plans, _plans(trials))
    if json:
        output.print_json(_result(trials, forecaster))
    else:
        _print(trials, forecaster)


def _trials(
    traces: list[str],
    log: JobLog | None,
    spans: tuple[timedelta, timedelta, timedelta],
    *,
    power_w: float | None,
    forecaster: str,
) -> list[Trial]:
    """Trial of each trace.

    Raises:
        InputError: A file cannot be used, or a job does not fit.
    """
    from sootprint.planner import trial
    from sootprint.planner.history import from_trace

    if power_w is not None and not 0.0 < power_w < math.inf:
        shell.wrong(f"--power-w {power_w:g} is no power of a job: give watts above 0")
    made = []
    for path, zone in map(named_file, traces):
        history = from_trace(path, zone=zone)
        if log is None:
            made.append(trial.try_evenly(history, *spans, forecaster=forecaster))
        else:
            made.append(trial.try_log(history, log, spans[1], power_w=power_w, forecaster=forecaster))
    return made


def _log(file: str, timezone: str | None) -> JobLog:
    """Log of jobs in a file, or on standard input for `-`; one line tells where its times have no zone.

    Raises:
        InputError: It cannot be used, or the time zone is not known.
    """
    from sootprint.core import utc
    from sootprint.planner import joblog

    clock = UTC if timezone is None else utc.zone(timezone)
    with lookup.opened(file) as lines:
        log = joblog.read(lines, name="standard input" if file == "-" else Path(file).name, clock=clock)
    if log.local and timezone is None:
        shell.say(f"{log.local} jobs {options.LOCAL_TIMES}")
    return log


def named_file(text: str) -> tuple[Path, str | None]:
    """File and zone of `ZONE=FILE`, or a file alone.

    Raises:
        InputError: There is no such file.
    """
    path, stated = options.zone_file(text)
    if not path.is_file():
        shell.wrong(
            f"--trace {path} is no file: give a CSV with timestamp_utc and ci_gco2e_kwh, plain or .gz"
        )
    return path, stated


def _result(trials: list[Trial], forecaster: str) -> dict[str, Any]:
    """Scores for other programs; those of the mean are means over the grids."""
    grids = [_grid(trial) for trial in trials]
    names = ("saving_vs_now", "share_of_oracle", "worse_than_now")
    mean: dict[str, dict[str, float | None]] = {}
    for policy in ("start", "pause"):
        columns = {name: [grid[policy][name] for grid in grids] for name in names}
        mean[policy] = {name: _mean(column) for name, column in columns.items()}
    return {"grids": grids, "mean": mean, "forecaster": forecaster}


def _grid(trial: Trial) -> dict[str, Any]:
    emitted = {name: trial.total(name) / G_PER_KG if trial.in_kw else None for name in _NAMES}
    now = trial.total("now")
    return {
        "zone": trial.history.zone,
        **{policy: _policy(found) for policy, found in trial.scores().items()},
        "random_start": {"saving_vs_now": _saving(now, trial.total("random"))},
        "oracle_start": {"saving_vs_now": _saving(now, trial.total("oracle_start"))},
        "oracle_pause": {"saving_vs_now": _saving(now, trial.total("oracle_pause"))},
        "emissions_kg": emitted,
        "jobs": trial.n_jobs,
        "left_out": trial.left_out,
        "method": trial.history.method,
        "source": trial.history.source,
    }


_NAMES = ("now", "start", "pause", "random", "oracle_start", "oracle_pause")


def _policy(found: Score) -> dict[str, Any]:
    from sootprint.planner.trial import LIKELY, measurable

    known = found.error == found.error
    return {
        "saving_vs_now": found.saving_vs_now,
        "share_of_oracle": found.share_of_oracle,
        "worse_than_now": found.worse_than_now,
        "saving_low": found.saving_vs_now - LIKELY * found.error if known else None,
        "saving_high": found.saving_vs_now + LIKELY * found.error if known else None,
        "measurable": measurable(found),
    }


def _saving(now: float, then: float) -> float:
    return (now - then) / now if now > 0.0 else 0.0


def _mean(column: list[float | None]) -> float | None:
    known = [value for value in column if value is not None]
    return sum(known) / len(known) if known else None


def _plans(trials: list[Trial]) -> str:
    """CSV of every step that every job ran in."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("zone", "policy", "arrival_utc", "step_utc"))
    for trial in trials:
        stamps = {}
        for policy, arrival, step in trial.steps():
            for at in (arrival, step):
                if at not in stamps:
                    stamps[at] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            writer.writerow((trial.history.zone, policy, stamps[arrival], stamps[step]))
    return text.getvalue()


def _print(trials: list[Trial], forecaster: str) -> None:
    console = output.console()
    columns = ("grid", "jobs", "how", "saved", "90 %", "of oracle", "worse")
    table = output.table(*columns, right=("jobs", *columns[3:]), wraps=("grid",))
    for trial in trials:
        scores = trial.scores()
        random = _percent(_saving(trial.total("now"), trial.total("random")))
        output.add_row(table, trial.history.zone, f"{trial.n_jobs:,}", "start", *_cells(scores["start"]))
        output.add_row(table, "", "", "pause", *_cells(scores["pause"]))
        output.add_row(table, "", "", "random start", random, "", "", "")
        table.add_section()
    if len(trials) > 1:
        for policy, mean in _result(trials, forecaster)["mean"].items():
            saved, share, worse = (
                mean[name] for name in ("saving_vs_now", "share_of_oracle", "worse_than_now")
            )
            cells = (_percent(saved), "", _percent(share, 0), _percent(worse, 0))
            output.add_row(table, "mean" if policy == "start" else "", "", policy, *cells, style="bold")
    console.print(table)
    console.print(output.marked(*_notes(trials, forecaster)))


def _cells(found: Score) -> tuple[str, ...]:
    from sootprint.planner.trial import LIKELY, measurable

    if not measurable(found):
        return "none", "not measurable", figures.DASH, _percent(found.worse_than_now, 0)
    low, high = (found.saving_vs_now + sign * LIKELY * found.error for sign in (-1.0, 1.0))
    interval = f"{PERCENT * low:.1f} to {PERCENT * high:.1f}"
    of_oracle, worse = _percent(found.share_of_oracle, 0), _percent(found.worse_than_now, 0)
    return _percent(found.saving_vs_now), interval, of_oracle, worse


def _percent(value: float | None, digits: int = 1) -> str:
    return figures.DASH if value is None else f"{PERCENT * value:.{digits}f} %"


def _notes(trials: list[Trial], forecaster: str) -> list[tuple[str, str]]:
    """What the figures mean, and what was left out."""
    methods = list(dict.fromkeys(trial.history.method for trial in trials))
    notes = [
        (
            "",
            "Saved against running at once, same place and energy, true intensity, free pauses; worse: share of jobs.",
        ),
        (
            "",
            f"Method: {'; '.join(methods)}. Forecast: {forecaster}, from earlier hours only, again each hour.",
        ),
    ]
    for trial in trials:
        zone = trial.history.zone
        if trial.in_kw:
            now, start, pause = (trial.total(name) / G_PER_KG for name in ("now", "start", "pause"))
            notes.append(
                (
                    "",
                    f"{zone}: {now:,.1f} kg run at once, {start:,.1f} kg by start, {pause:,.1f} kg by pause.",
                )
            )
        notes += [
            (output.WARNING, f"{zone}: {count:,} job{'' if count == 1 else 's'} left out: {reason}.")
            for reason, count in trial.left_out.items()
        ]
    return notes
