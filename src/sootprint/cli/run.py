"""`sootprint run`: a command, measured from outside."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings


class Share(StrEnum):
    """What a run is charged with."""

    NODE = "node"
    PROCESS = "process"


Command = Annotated[
    list[str],
    typer.Argument(metavar="-- COMMAND...", help="Program and its arguments, passed on as they are."),
]
Name = Annotated[str | None, typer.Option("--name", metavar="N", help="Name of the run.")]
Project = Annotated[
    str | None, typer.Option("--project", metavar="P", help="Name under which runs are summed.")
]
Site = Annotated[
    str | None, typer.Option("--site", metavar="S", help="Site of the settings, with its own zone and PUE.")
]
Period = Annotated[
    str | None,
    typer.Option("--period", metavar="TIME", help="Time between two looks, e.g. 1s or 500ms; else 1s."),
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Tag of the run; may be repeated.")
]
Group = Annotated[
    str | None,
    typer.Option(
        "--run-group", metavar="ID", help="Job on several nodes that this is of; else as its launcher tells."
    ),
]
ShareOption = Annotated[
    Share | None,
    typer.Option(
        "--share", metavar="S", help="node charges for the whole node, process for its own use; else node."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget-kg",
        metavar="KG",
        parser=options.number,
        help="Warn once above these emissions; the command is never stopped.",
    ),
]
Expected = Annotated[
    str | None,
    typer.Option(
        "--expect-total",
        metavar="UNIT=N",
        help="What the whole run does, e.g. epochs=90, steps=100000 or hours=6: it is then forecast.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary at the end.")]
Record = Annotated[
    Path | None, typer.Option("--record", metavar="FILE", help="Write the record as JSON, too.")
]
Store = Annotated[bool, typer.Option("--store-command", help="Keep the command line in the record.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print the record as JSON on stderr instead of the summary.")
]


def run(
    command: Command,
    name: Name = None,
    project: Project = None,
    zone: options.Zone = None,
    site: Site = None,
    pue: options.Pue = None,
    period: Period = None,
    tag: Tags = None,
    run_group: Group = None,
    share: ShareOption = None,
    budget_kg: Budget = None,
    expect_total: Expected = None,
    quiet: Quiet = False,
    record: Record = None,
    store_command: Store = False,
    json: Json = False,
) -> None:
    """Measure a command from its start to its end.

    Its input, output, signals and exit code are as they would be without. The summary goes to stderr, the record to
    the ledger. What stands after -- is not looked at.

        sootprint run -- python train.py
        sootprint run --zone FR --name base --tag seed=1 -- python train.py
        sootprint run --quiet --record footprint.json -- make train
    """
    from sootprint.cli.tag import pairs
    from sootprint.runner import RunOptions, run_command

    known = _loaded(
        project=project,
        zone=zone,
        site=site,
        pue=pue,
        period=period,
        run_group=run_group,
        share=share and share.value,
        budget_kg=budget_kg,
        expect_total=expect_total,
        quiet=quiet or None,
        store_command=store_command or None,
    )
    _check(known, record)
    told = RunOptions(settings=known, name=name, tags=pairs(tag or []), record_file=record, on_warning=_say)
    finish = _nothing if known.quiet and not json else _as_json if json else _summary
    raise typer.Exit(run_command(command, replace(told, on_finish=finish)))


def _loaded(**given: Any) -> Settings:
    """Settings with what was given; a damaged file must not keep a training from starting.

    Raises:
        SettingsError: A value cannot be used.
    """
    from sootprint import settings

    unreadable: list[str] = []
    known = settings.load(unreadable=unreadable, **given)
    for line in unreadable:
        _say(f"{line}; measuring without it")
    return known


def _check(known: Settings, record: Path | None) -> None:
    """Nothing where the stated zone is known and the record's folder is there, before the command starts.

    Raises:
        CatalogueError: The zone is in no table.
        InputError: The record cannot be written there.
    """
    for stated in known.stated_places()[:1]:
        from sootprint.catalogue import zones

        zones.locate(stated.zone)
    if record is not None and (record.is_dir() or not record.parent.is_dir()):
        shell.wrong(f"--record {record} cannot be written: name a file in a folder that is there")


def _nothing(footprint: Footprint) -> None:
    """Print no summary."""


def _as_json(footprint: Footprint) -> None:
    typer.echo(footprint.to_json(indent=2), err=True)


def _summary(footprint: Footprint) -> None:
    from sootprint import report

    output.console(stderr=True).print(report.terminal(footprint, brief=True))


def _say(text: str) -> None:
    """Write a warning where stderr is still there; nothing may stop the command."""
    with contextlib.suppress(OSError, ValueError):
        shell.say(text)
