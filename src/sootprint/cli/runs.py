"""`sootprint runs`: what was measured on this machine, and what is being measured now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, lookup, options, output, shell, waits

if TYPE_CHECKING:
    from rich.text import Text


LISTED = ("id", "name", "state", "started", "duration_s", "energy_kwh", "emissions_kg", "part_of", "waits")

SHOWN = 20
NARROW = 100  # columns below which the energy and the time of day are left to `show`
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        "-n",
        metavar="N",
        parser=options.whole,
        help=f"Show at most N runs; else {SHOWN}, and with --json all.",
    ),
]
_STYLES = {"live": "green", "recovered": "yellow", "part": "dim"}


def runs(limit: Limit = None, json: options.Json = False) -> None:
    """List runs, the newest first.

    A run is live while it is measured, recovered where it was cut off and finished from its journal, and a part where
    another run of the list includes its energy. Jobs that wait for a cleaner time follow, with when they start and
    what that is expected to save; with --json their state is waiting, and `waits` has the rest.

        sootprint runs
        sootprint runs --json --limit 1
    """
    from sootprint import settings
    from sootprint.runner.waits import waiting
    from sootprint.tracker.live import live_runs

    home = settings.load().home
    with lookup.ledger() as ledger:
        stored = ledger.runs()
    live = [output.fields(run) | {"state": "live", "part_of": None} for run in live_runs(home)]
    known = {row["id"] for row in live}
    rows = [*live, *(output.fields(row) for row in stored if row.id not in known)]
    rows.sort(key=lambda row: row["started"] or "", reverse=True)
    _hint(home)
    if json:
        listed = [*rows, *(waits.row(one, LISTED) for one in waiting(home))]
        output.print_json([{name: row.get(name) for name in LISTED} for row in listed[:limit]])
        return
    planned = waiting(home)
    if rows:
        _print(rows, SHOWN if limit is None else limit)
    for one in planned:
        output.console().print(waits.line(one))
    if not rows and not planned:
        shell.say("no runs yet: measure one with `sootprint run -- COMMAND`")


def _hint(home: Path) -> None:
    """Say on stderr which runs were cut off and can be recovered."""
    from sootprint.tracker.recover import unfinished

    count = len(unfinished(home))
    if count:
        what = "1 run was" if count == 1 else f"{count} runs were"
        shell.say(f"{what} cut off before the end: `sootprint recover` finishes the record")


def _print(rows: list[dict[str, Any]], limit: int) -> None:
    console = output.console()
    narrow = console.width < NARROW
    started = "started" if narrow else "started (UTC)"
    columns = ("run", "name", started, "took", "energy", "CO2e", "90 %", "zone")
    shown = tuple(name for name in columns if not (narrow and name == "energy"))
    table = output.table(*shown, right=("took", "energy", "CO2e"), wraps=("name", "zone"))
    for row in rows[:limit]:
        cells = dict(zip(columns, _cells(row, is_narrow=narrow), strict=True))
        output.add_row(table, *(cells[name] for name in shown))
    console.print(table)
    if len(rows) > limit:
        console.print(f"[dim]{limit} of {len(rows)} runs; --limit {len(rows)} shows all[/]")


def _cells(row: dict[str, Any], *, is_narrow: bool) -> tuple[str | Text, ...]:
    from rich.text import Text

    started = figures.instant(row["started"])
    name = Text(shell.printable(row["name"] or figures.DASH))
    marks = [row["state"]] if row["state"] != "finished" else []
    marks += [f"part of {row['part_of'][-8:]}"] if row["part_of"] else []
    for mark in marks:
        name.append(" ").append(mark, _STYLES[mark.partition(" ")[0]])
    return (
        row["id"][-8:],
        name,
        started.partition(" ")[0] if is_narrow else started,
        figures.duration(row["duration_s"]),
        figures.energy(row["energy_kwh"]).value,
        *figures.emissions(row["emissions_kg"]),
        row["zone"] or Text("unknown", style="yellow"),
    )
