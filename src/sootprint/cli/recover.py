"""`sootprint recover`: records of runs that were cut off, from their journals."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import figures, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.errors import SootprintError

Skip = Annotated[
    bool,
    typer.Option(
        "--skip-unreadable", help="Go on after a journal line that cannot be read; the record says so."
    ),
]


def recover(skip_unreadable: Skip = False, json: options.Json = False) -> None:
    """Finish the records of runs that were cut off, and resume plans.

    Each is complete up to its last flush, one second before the end or less. A journal that cannot be read stays
    where it is. A plan of `run --deadline` whose driver has gone is driven on in the background, with this environment.
    Records that a plan's other places still hold are asked for again.

        sootprint recover
        sootprint recover --skip-unreadable
    """
    from sootprint import settings
    from sootprint.core.errors import RecordError
    from sootprint.runner import missing
    from sootprint.tracker.recover import recover as finish
    from sootprint.tracker.recover import unfinished

    records, codes = [], [0]
    known = settings.load()
    for path in unfinished(known.home):
        try:
            records.append(finish(path, skip_unreadable=skip_unreadable))
        except RecordError as err:
            _fail([err], codes)
    resumed = _resumed(known.home, codes)
    came = missing.asked(known, shell.say)
    records += came.fetched
    for text in came.missing:
        shell.say(text)
    _fail(came.failed, codes)
    if json:
        output.print_json([record.id for record in records])
    elif records:
        for record in records:
            took, spent = figures.duration(record.duration_s), figures.energy(record.energy_kwh)
            print(f"recovered {record.id}  {shell.printable(record.name or figures.DASH)}  {took}  {spent}")
    elif len(codes) == 1 and not resumed and not came.missing:
        shell.say("nothing to recover: every run has its record")
    raise typer.Exit(max(codes))


def _fail(errors: Iterable[SootprintError], codes: list[int]) -> None:
    """Say what failed, and add it to the exit codes."""
    for err in errors:
        shell.say(str(err))
        codes.append(shell.exit_code(err))


def _resumed(home: Path, codes: list[int]) -> int:
    """Number of plans that are driven on from now; what failed is said and added to the exit codes."""
    from sootprint.runner import resume

    found, failed = resume.left_alone(home)
    _fail(failed, codes)
    for book in found:
        try:
            path = resume.started(book)
            shell.say(f"plan {book.folder.name} is driven on; its output goes to {path}")
        except OSError as err:
            shell.say(f"plan {book.folder.name} cannot be driven on: {err.strerror or err}")
            codes.append(shell.FAILED)
    return len(found)
