"""`sootprint recover`: records of runs that were cut off, from their journals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import figures, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

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
    from sootprint.tracker.recover import recover as finish
    from sootprint.tracker.recover import unfinished

    records, codes = [], [0]
    known = settings.load()
    for path in unfinished(known.home):
        try:
            records.append(finish(path, skip_unreadable=skip_unreadable))
        except RecordError as err:
            shell.say(str(err))
            codes.append(shell.exit_code(err))
    resumed = _resumed(known.home, codes)
    came, lines = _asked(known, codes)
    records += came
    for text in lines:
        shell.say(text)
    if json:
        output.print_json([record.id for record in records])
    elif records:
        for record in records:
            took, spent = figures.duration(record.duration_s), figures.energy(record.energy_kwh)
            print(f"recovered {record.id}  {shell.printable(record.name or figures.DASH)}  {took}  {spent}")
    elif len(codes) == 1 and not resumed and not lines:
        shell.say("nothing to recover: every run has its record")
    raise typer.Exit(max(codes))


def _asked(known: Settings, codes: list[int]) -> tuple[list[Footprint], list[str]]:
    """Records that other places still held, and a line for each that did not come; what failed is said."""
    from sootprint.core.errors import RecordError
    from sootprint.runner import missing

    try:
        return missing.asked(known, shell.say)
    except RecordError as err:
        shell.say(str(err))
        codes.append(shell.exit_code(err))
    return [], []


def _resumed(home: Path, codes: list[int]) -> int:
    """Number of plans that are driven on from now; what failed is said and added to the exit codes."""
    from sootprint.core.errors import SootprintError
    from sootprint.runner import resume

    found = 0
    try:
        for book in resume.left_alone(home):
            path = resume.started(book)
            shell.say(f"plan {book.folder.name} is driven on; its output goes to {path}")
            found += 1
    except SootprintError as err:
        shell.say(str(err))
        codes.append(shell.exit_code(err))
    except OSError as err:
        shell.say(f"a plan cannot be driven on: {err.strerror or err}")
        codes.append(shell.FAILED)
    return found
