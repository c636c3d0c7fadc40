"""`sootprint summary`: sums over the runs of this machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.quantity import Quantity
    from sootprint.ledger import SummaryRow
    from sootprint.ledger.statements import StatementRow


Group = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="WHAT",
        help="project, user, node, month, year, tag, or tag:KEY for one tag's values; several with commas between.",
    ),
]
Statements = Annotated[
    bool,
    typer.Option("--statements", help="Sum the monthly statements of cloud providers in place of runs."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FILE", parser=options.new_file, help="Write the sums to a CSV file, too."
    ),
]
UNBOUNDED = "no interval where a run of the sum states none, as what other tools wrote"


def summary(
    by: Group = "project", statements: Statements = False, out: Out = None, json: options.Json = False
) -> None:
    """Sum energy and emissions by project, user, node, month, year, tag or the values of one tag.

    Runs of one machine and grid err together, so the bounds of a sum are the sums of the bounds. A run that is a part
    of another, merged or around it, counts as that one's. A run with several tags counts under each of them, and once
    with tag:KEY, where runs without that tag are a row of their own. A node is named by its pseudonym; one that was
    merged from several nodes has none. A user is one of an imported cluster's history, or of a tag user=NAME. Idle is
    the share of the energy that went into components less than 5 % busy, of the runs that tell it. What cloud
    providers state for a month holds the runs in their clouds: it is in no sum over runs, and has its own sums.

        sootprint summary
        sootprint summary --by month --json
        sootprint summary --by project,year --out footprint.csv
        sootprint summary --by tag:seed
        sootprint summary --statements --by month
    """
    if out is not None and out.suffix.lower() != ".csv":
        shell.wrong(f"--out {out} must end in .csv; --json prints the sums for other programs")
    if statements:
        _print_statements(by, out=out, json=json)
        return
    with lookup.ledger() as ledger:
        rows, statements_there = ledger.summary(by), ledger.statement_count()
    total = None if "tag" in _things(by) else _total(rows)
    if out is not None and rows:
        _write(out, by, [_flat(row) for row in rows])
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


def _things(by: str) -> list[str]:
    from sootprint.ledger import rows

    return rows.things(by)


def _write(out: Path, by: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write the sums as a CSV, a column for each thing that they are by, an empty cell for what is not known."""
    import csv
    import io

    from sootprint.core.cells import cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        keys = row.pop("keys")
        if text.tell() == 0:
            writer.writerow([cell(one) for one in (*_names(by), *row)])
        writer.writerow([cell(one) for one in (*keys, *row.values())])
    output.write_whole(out, text.getvalue())


def _flat(row: SummaryRow) -> dict[str, Any]:
    """A sum as the cells of a row, with units in the names."""
    return {
        "keys": row.keys,
        "runs": row.runs,
        "duration_s": row.duration_s,
        **_bounds("energy_kwh", row.energy_kwh),
        **_bounds("emissions_kg", row.emissions_kg),
        "idle_kwh": row.idle_kwh,
        "metered_kwh": row.metered_kwh,
        "without_energy": row.without_energy,
        "without_emissions": row.without_emissions,
        "methods": "; ".join(row.methods),
    }


def _bounds(name: str, sum_of: Quantity | None) -> dict[str, float | None]:
    values = (sum_of.value, sum_of.low, sum_of.high) if sum_of is not None else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


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

    names = _names(by)
    columns = (*names, "runs", "took", "energy", "90 % ", "idle", "CO2e", "90 %")
    table = output.table(*columns, right=("runs", "took", "energy", "idle", "CO2e"), wraps=names)
    for row in rows:
        output.add_row(table, *_keys(row.keys), *_cells(row))
    if total is not None and len(rows) > 1:
        table.add_section()
        output.add_row(table, *_keys(("total",), len(names)), *_cells(total), style="bold")
    console = output.console()
    console.print(output.narrowed(table, console, "idle", "90 % ", "took"))
    sums = [one for row in rows for one in (row.energy_kwh, row.emissions_kg) if one is not None]
    if any(one.low is None for one in sums):
        console.print(f"[dim]{UNBOUNDED}[/]")
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


def _names(by: str) -> list[str]:
    """Heads of the columns of what sums are by; a tag is called by its name where nothing else is."""
    things = _things(by)
    bare = [one.removeprefix("tag:") for one in things]
    return [shell.printable(one if name in things else name) for one, name in zip(things, bare, strict=True)]


def _keys(keys: Iterable[str | None], width: int = 1) -> list[str]:
    from sootprint.ledger import rows

    told = [rows.NOTHING if key is None else key or '""' for key in keys]
    return [*told, *("" for _ in range(width - len(told)))]


def _cells(row: SummaryRow) -> tuple[str, ...]:
    return (
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


def _print_statements(by: str, *, out: Path | None, json: bool) -> None:
    """Print sums over statements of cloud providers, each method in a column of its own."""
    from sootprint.ledger.statements import COLUMNS, total

    with lookup.ledger() as ledger:
        rows = ledger.statements(by)
    whole = None if "tag" in _things(by) else total(rows)
    if out is not None and rows:
        _write(out, by, [_flat_statement(row) for row in rows])
    if json:
        output.print_json({"by": by, "rows": rows, "total": whole})
        return
    if not rows:
        shell.say(
            "no statements yet: import a provider's export, e.g. `sootprint import aws-ccft carbon.csv`"
        )
        return
    names = _names(by)
    heads = ("statements", "location-based", "market-based", "scope 3", "as stated")
    table = output.table(*names, *heads, right=heads, wraps=names)
    for row in rows if whole is None or len(rows) == 1 else [*rows, whole]:
        if row is whole:
            table.add_section()
        keys = _keys(("total",), len(names)) if row is whole else _keys(row.keys)
        cells = (_mass(getattr(row, column)) for column in COLUMNS)
        output.add_row(table, *keys, str(row.statements), *cells, style="bold" if row is whole else None)
    console = output.console()
    console.print(table)
    console.print(
        "[dim]CO2e of scopes 1 and 2 by either method, and of scope 3: no two columns are added up[/]"
    )


def _flat_statement(row: StatementRow) -> dict[str, Any]:
    from sootprint.ledger.statements import COLUMNS

    cells = {name: getattr(row, name) for name in COLUMNS}
    return {"keys": row.keys, "statements": row.statements, **cells}


def _mass(emissions_kg: float | None) -> str:
    """Emissions in words, a dash where they are not known."""
    from sootprint.core.quantity import Quantity

    return figures.emissions(None if emissions_kg is None else Quantity(value=emissions_kg)).value
