"""`sootprint delete`: take runs out of the ledger."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sootprint.cli import lookup, options, output, shell

Runs = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Runs: id, start or end of it, name, or `latest`.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def delete(runs: Runs, yes: Yes = False, json: options.Json = False) -> None:
    """Delete runs for good, with all versions of their records.

    A person is asked first; elsewhere --yes has to say so. What of them waits for a hub or another place is not sent;
    what is there already stays.

        sootprint delete baseline
        sootprint delete 9f3a1c07 latest --yes
    """
    from sootprint.exporters.outbox import forget

    with lookup.ledger() as ledger:
        wanted = list(dict.fromkeys(ledger.find(run) for run in runs))
        if not yes:
            names = {row.id: row.name for row in ledger.runs()}
            _ask([f"{names[run_id] or 'unnamed'} ({run_id})" for run_id in wanted])
        deleted = [ledger.delete(run_id) for run_id in wanted]
        for run_id in deleted:
            forget(ledger.home, run_id)
    if json:
        output.print_json(deleted)
        return
    for run_id in deleted:
        print(f"deleted {run_id}")


def _ask(described: list[str]) -> None:
    """Nothing where the person agrees.

    Raises:
        InputError: Nobody can be asked.
        typer.Abort: The answer is no.
    """
    if not sys.stdin.isatty():
        shell.wrong(f"deleting {len(described)} run(s) needs a yes, and nobody can be asked here: add --yes")
    for line in described:
        typer.echo(line, err=True)
    typer.confirm("Delete for good?", abort=True, err=True)
