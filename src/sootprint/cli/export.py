"""`sootprint export`: records to files and to the tools of a team, and what still waits for them."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from sootprint.cli import importing, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.runner.delivery import Sent
    from sootprint.settings import Settings

To = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="PLACE",
        help="NAME:FILE or NAME:ADDRESS, e.g. jsonl:footprints.jsonl; may be repeated. Else the setting `exporters`.",
    ),
]
NO_PLACE = (
    "no place is named: add --to, e.g. --to jsonl:footprints.jsonl, or set `exporters` in your sootprint.toml"
)


def export(
    run: options.Sent = None, to: To = None, dry_run: options.DryRun = False, json: options.Json = False
) -> None:
    """Send records to files and to tools that you have.

    Places are jsonl:FILE, csv:FILE, prometheus:FILE.prom, opentelemetry:ADDRESS, mlflow, mlflow:ADDRESS, wandb and
    wandb:PROJECT; hub:ADDRESS is as `sootprint hub push`. Packages of yours can add others. A record waits in the
    outbox until the place has it: what failed or was interrupted is sent by the next export, and no file has a record
    twice. Without a run it sends what waits, also of programs that used sootprint.track().

        sootprint export latest --to jsonl:footprints.jsonl
        sootprint export latest baseline --to csv:runs.csv --to mlflow
        sootprint export latest --to opentelemetry:http://127.0.0.1:4318 --dry-run
        sootprint export
    """
    from sootprint import settings
    from sootprint.exporters.hub import previewed

    known = settings.load(exporters=to or None)
    records = [one for ref in run or () for one in importing.records_of(ref)]
    if dry_run:
        output.print_text(previewed(records))
        return
    places = _places(known, waits=not (run or to))
    if records:
        _check(known, places)
    with contextlib.redirect_stdout(sys.stderr):  # packages of others print
        told = _sent(places, known, records)
    _tell(told, json=json)
    if not (json or any(one.delivered or one.refused or one.failed for one in told)):
        shell.say(
            "nothing waits: name a run and a place, e.g. `sootprint export latest --to jsonl:runs.jsonl`"
        )
    if any(one.is_stuck for one in told):
        _leave()
    raise typer.Exit(shell.FAILED if any(one.failed or one.refused for one in told) else 0)


def _places(known: Settings, *, waits: bool) -> list[str]:
    """Places of this export: those that were named, and all for which something waits where none was.

    Raises:
        InputError: A run is to go nowhere.
    """
    from sootprint.exporters.outbox import places

    if waits:
        return list(dict.fromkeys((*known.exporters, *places(known.home))))
    if not known.exporters:
        shell.wrong(NO_PLACE)
    return list(known.exporters)


def _check(known: Settings, places: list[str]) -> None:
    """Nothing where every place can be used, before anything is sent.

    Raises:
        SootprintError: One cannot.
    """
    from sootprint.runner.delivery import usable

    for place in places:
        usable(place, known)


def _sent(places: list[str], known: Settings, records: list[Footprint]) -> list[Sent]:
    """What became of records, and of what waited for the same places."""
    from sootprint.exporters.outbox import Outbox
    from sootprint.runner.delivery import promised, send

    for box in (Outbox(known.home, place) for place in places):
        for record in (*records, *promised(box, shell.say)):
            box.put(record)
            box.keep_promise(record.id)
    return send(places, known)


def _leave() -> NoReturn:
    """End at once: a package that has not come to an end may wait for its server for minutes, or for ever."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(shell.FAILED)


def _tell(told: list[Sent], *, json: bool) -> None:
    from sootprint.runner.delivery import lines

    plain = [one.as_json() for one in told]
    if json:
        output.print_json(plain)
        return
    for good, line in (line for one in plain for line in lines(one)):
        if good:
            print(shell.printable(line))
        else:
            shell.say(line)
