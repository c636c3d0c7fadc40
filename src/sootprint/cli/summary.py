"""`sootprint summary`: sums over the runs of this machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.quantity import Quantity
    from sootprint.ledger import SummaryRow


Group = Annotated[
    str,
    typer.Option("--by", metavar="WHAT", help="project, node, month, tag, or tag:KEY for one tag's values."),
]


def summary(by: Group = "project", json: options.Json = False) -> None:
    """Sum energy and emissions by project, node, month, tag or the values of one tag.

    Runs of one machine and grid err together, so the bounds of a sum are the sums of the bounds. A run that is a part
    of another, merged or around it, counts as that one's. A run with several tags counts under each of them, and once
    with tag:KEY, where runs without that tag are a row of their own. A node is named by its pseudonym; one that was
    merged from several nodes has none. No record holds a user.

        sootprint summary
        sootprint summary --by month --json
        sootprint summary --by tag:seed
    """
    with lookup.ledger() as ledger:
        rows = ledger.summary(by)
    total = None if by == "tag" else _total(rows)
    if json:
        output.print_json({"by": by, "rows": rows, "total": total})
    elif rows:
        _print(by, rows, total)
    else:
        shell.say("no runs yet: measure one with `sootprint run -- COMMAND`")


def _total(rows: list[SummaryRow]) -> SummaryRow:
    from sootprint.ledger import SummaryRow

    return SummaryRow(
        key="total",
        runs=sum(row.runs for row in rows),
        duration_s=math.fsum(row.duration_s for row in rows),
        energy_kwh=_sum([row.energy_kwh for row in rows if row.energy_kwh is not None]),
        emissions_kg=_sum([row.emissions_kg for row in rows if row.emissions_kg is not None]),
        without_energy=sum(row.without_energy for row in rows),
        without_emissions=sum(row.without_emissions for row in rows),
    )


def _sum(quantities: list[Quantity]) -> Quantity | None:
    from sootprint.core.quantity import Quantity

    if not quantities:
        return None
    lows, highs = [one.low for one in quantities], [one.high for one in quantities]
    return Quantity(
        value=math.fsum(one.value for one in quantities),
        low=None if None in lows else math.fsum(low or 0.0 for low in lows),
        high=None if None in highs else math.fsum(high or 0.0 for high in highs),
    )


def _print(by: str, rows: list[SummaryRow], total: SummaryRow | None) -> None:
    name = shell.printable(by.removeprefix("tag:"))
    columns = (name, "runs", "took", "energy", "90 % ", "CO2e", "90 %")
    table = output.table(*columns, right=("runs", "took", "energy", "CO2e"), wraps=(name,))
    for row in rows:
        output.add_row(table, *_cells(row))
    if total is not None and len(rows) > 1:
        table.add_section()
        output.add_row(table, *_cells(total), style="bold")
    console = output.console()
    console.print(table)
    left_out = sum(row.without_emissions for row in rows)
    if left_out and total is not None:
        console.print(f"[yellow]{left_out} run(s) without known emissions are not in the sums[/]")


def _cells(row: SummaryRow) -> tuple[str, ...]:
    return (
        "(none)" if row.key is None else row.key or '""',
        str(row.runs),
        figures.duration(row.duration_s),
        *figures.energy(row.energy_kwh),
        *figures.emissions(row.emissions_kg),
    )
