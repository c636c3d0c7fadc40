"""`sootprint summary`: sums over the runs of this machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.ledger import SummaryRow


Group = Annotated[
    str,
    typer.Option(
        "--by", metavar="WHAT", help="project, user, node, month, tag, or tag:KEY for one tag's values."
    ),
]
Statements = Annotated[
    bool,
    typer.Option("--statements", help="Sum the monthly statements of cloud providers in place of runs."),
]


def summary(by: Group = "project", statements: Statements = False, json: options.Json = False) -> None:
    """Sum energy and emissions by project, user, node, month, tag or the values of one tag.

    Runs of one machine and grid err together, so the bounds of a sum are the sums of the bounds. A run that is a part
    of another, merged or around it, counts as that one's. A run with several tags counts under each of them, and once
    with tag:KEY, where runs without that tag are a row of their own. A node is named by its pseudonym; one that was
    merged from several nodes has none. A user is one of an imported cluster's history, or of a tag user=NAME. Idle is
    the share of the energy that went into components less than 5 % busy, of the runs that tell it. What cloud
    providers state for a month holds the runs in their clouds: it is in no sum over runs, and has its own sums.

        sootprint summary
        sootprint summary --by month --json
        sootprint summary --by tag:seed
        sootprint summary --statements --by month
    """
    if statements:
        _print_statements(by, json=json)
        return
    with lookup.ledger() as ledger:
        rows, statements_there = ledger.summary(by), ledger.statement_count()
    total = None if by == "tag" else _total(rows)
    if json:
        output.print_json({"by": by, "rows": rows, "total": total})
    elif rows:
        _print(by, rows, total)
    else:
        shell.say("no runs yet: measure one with `sootprint run -- COMMAND`")
    if statements_there and not json:
        shell.say(
            f"{statements_there} statements of cloud providers are in no sum over runs: see --statements"
        )


def _total(rows: list[SummaryRow]) -> SummaryRow:
    from sootprint.core import carbon, intervals
    from sootprint.ledger import SummaryRow

    methods = {one for row in rows for one in row.methods}
    energies = [row.energy_kwh for row in rows if row.energy_kwh is not None]
    emissions = [row.emissions_kg for row in rows if row.emissions_kg is not None]
    idle = [row.idle_kwh for row in rows if row.idle_kwh is not None]
    return SummaryRow(
        key="total",
        runs=sum(row.runs for row in rows),
        duration_s=math.fsum(row.duration_s for row in rows),
        energy_kwh=intervals.together(energies) if energies else None,
        emissions_kg=intervals.together(emissions) if emissions and not carbon.are_mixed(methods) else None,
        without_energy=sum(row.without_energy for row in rows),
        without_emissions=sum(row.without_emissions for row in rows),
        methods=tuple(sorted(methods)),
        idle_kwh=math.fsum(idle) if idle else None,
        metered_kwh=math.fsum(row.metered_kwh for row in rows),
    )


def _print(by: str, rows: list[SummaryRow], total: SummaryRow | None) -> None:
    from rich.markup import escape

    name = shell.printable(by.removeprefix("tag:"))
    columns = (name, "runs", "took", "energy", "90 % ", "idle", "CO2e", "90 %")
    table = output.table(*columns, right=("runs", "took", "energy", "idle", "CO2e"), wraps=(name,))
    for row in rows:
        output.add_row(table, *_cells(row))
    if total is not None and len(rows) > 1:
        table.add_section()
        output.add_row(table, *_cells(total), style="bold")
    console = output.console()
    console.print(table)
    mixed = [one for one in (*rows, *([total] if total else [])) if one.is_mixed]
    if mixed:
        told = shell.printable("; ".join(mixed[-1].methods))
        console.print(
            f"[yellow]emissions by intensities of different methods are never added ({escape(told)}): "
            "those sums are left out; `sootprint refresh` with one --source makes the methods one[/]"
        )
    left_out = sum(row.without_emissions for row in rows)
    if left_out and total is not None:
        console.print(f"[yellow]{left_out} run(s) without known emissions are not in the sums[/]")


def _cells(row: SummaryRow) -> tuple[str, ...]:
    return (
        "(none)" if row.key is None else row.key or '""',
        str(row.runs),
        figures.duration(row.duration_s),
        *figures.energy(row.energy_kwh),
        _idle(row),
        *figures.emissions(row.emissions_kg),
    )


def _idle(row: SummaryRow) -> str:
    """Share of the energy that was spent idle, of the runs that tell it."""
    if row.idle_kwh is None or row.metered_kwh <= 0.0:
        return figures.DASH
    return figures.percent(row.idle_kwh / row.metered_kwh)


def _print_statements(by: str, *, json: bool) -> None:
    """Print sums over statements of cloud providers, each method in a column of its own."""
    from sootprint.ledger.statements import COLUMNS, total

    with lookup.ledger() as ledger:
        rows = ledger.statements(by)
    whole = None if by == "tag" else total(rows)
    if json:
        output.print_json({"by": by, "rows": rows, "total": whole})
        return
    if not rows:
        shell.say(
            "no statements yet: import a provider's export, e.g. `sootprint import aws-ccft carbon.csv`"
        )
        return
    name = shell.printable(by.removeprefix("tag:"))
    heads = ("statements", "location-based", "market-based", "scope 3", "as stated")
    table = output.table(name, *heads, right=heads, wraps=(name,))
    for row in rows if whole is None or len(rows) == 1 else [*rows, whole]:
        if row is whole:
            table.add_section()
        key = "(none)" if row.key is None else row.key or '""'
        cells = (_mass(getattr(row, column)) for column in COLUMNS)
        output.add_row(table, key, str(row.statements), *cells, style="bold" if row is whole else None)
    console = output.console()
    console.print(table)
    console.print(
        "[dim]CO2e of scopes 1 and 2 by either method, and of scope 3: no two columns are added up[/]"
    )


def _mass(emissions_kg: float | None) -> str:
    """Emissions in words, a dash where they are not known."""
    from sootprint.core.quantity import Quantity

    return figures.emissions(None if emissions_kg is None else Quantity(value=emissions_kg)).value
