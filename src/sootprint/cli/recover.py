"""`sootprint recover`: records of runs that were cut off, from their journals."""

from __future__ import annotations

from typing import Annotated

import typer

from sootprint.cli import figures, options, output, shell

Skip = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable", help="Go on after a journal line that cannot be read; the record says so."
    ),
]


def recover(skip_unreadable: Skip = False, json: options.Json = False) -> None:
    """Finish the records of runs that were cut off.

    Each is complete up to its last flush, one second before the end or less. A journal that cannot be read stays
    where it is.

        sootprint recover
        sootprint recover --skip-unreadable
    """
    from sootprint import settings
    from sootprint.core.errors import RecordError
    from sootprint.tracker.recover import recover as finish
    from sootprint.tracker.recover import unfinished

    records, codes = [], [0]
    for path in unfinished(settings.load().home):
        try:
            records.append(finish(path, skip_unreadable=skip_unreadable))
        except RecordError as err:
            shell.say(str(err))
            codes.append(shell.exit_code(err))
    if json:
        output.print_json([record.id for record in records])
    elif records:
        for record in records:
            took, spent = figures.duration(record.duration_s), figures.energy(record.energy_kwh)
            print(f"recovered {record.id}  {shell.printable(record.name or figures.DASH)}  {took}  {spent}")
    elif len(codes) == 1:
        shell.say("nothing to recover: every run has its record")
    raise typer.Exit(max(codes))
