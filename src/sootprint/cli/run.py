"""`sootprint run`: a command, measured from outside."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import options, output, shell, ways

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.engines.book import Book
    from sootprint.runner.exporting import Exporting
    from sootprint.settings import Settings

SEGMENT = "SOOTPRINT_PLAN_SEGMENT"
OF_PLAN = (
    "deadline",
    "expect",
    "pausable",
    "resume_cost",
    "idle_w",
    "power_w",
    "trace",
    "targets",
    "engine",
    "carry",
)


class EngineName(StrEnum):
    """How a planned command is started."""

    LOCAL = "local"
    SSH = "ssh"
    SLURM = "slurm"


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
    Path | None,
    typer.Option("--record", metavar="FILE", parser=options.new_file, help="Write the record as JSON, too."),
]
Store = Annotated[bool, typer.Option("--store-command", help="Keep the command line in the record.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print the record as JSON on stderr instead of the summary.")
]


Hub = Annotated[
    str | None,
    typer.Option(
        "--hub", metavar="URL", help="Show the run at this hub each minute, and send its record there."
    ),
]
Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export",
        metavar="PLACE",
        help="Where its record goes, e.g. jsonl:footprints.jsonl or mlflow; may be repeated. Else the setting.",
    ),
]
Deadline = Annotated[
    float | None,
    typer.Option(
        "--deadline",
        metavar="TIME",
        parser=options.span_s,
        help="Time from now by which it must end, e.g. 24h: it starts when the grid is cleanest. Needs --expect.",
    ),
]
Expect = Annotated[
    float | None,
    typer.Option("--expect", metavar="TIME", parser=options.span_s, help="Time that it runs, e.g. 6h."),
]
Pausable = Annotated[
    bool,
    typer.Option(
        "--pausable",
        help="It saves and ends with exit code 75 on SIGUSR1; then it may be paused and resumed.",
    ),
]
ResumeCost = Annotated[
    float | None,
    typer.Option(
        "--resume-cost",
        metavar="TIME",
        parser=options.span_s,
        help="Time that a resume costs, e.g. 5m; else as it was measured when this command paused before.",
    ),
]
IdleW = Annotated[
    float | None,
    typer.Option(
        "--idle-w",
        metavar="W",
        parser=options.number,
        help="Draw of what stays on for it while it does not run: what waiting saved is less by that.",
    ),
]
PowerW = Annotated[
    float | None,
    typer.Option(
        "--power-w",
        metavar="W",
        parser=options.number,
        help="Power of the job, against which moves and --idle-w are weighed; else as it drew before.",
    ),
]
Trace = Annotated[
    str | None,
    typer.Option(
        "--trace",
        metavar="[ZONE=]FILE",
        help="Intensity ahead, from a file in place of the sources of [grid].",
    ),
]
Targets = Annotated[
    str | None,
    typer.Option(
        "--targets",
        metavar="A,B",
        help="Places of the settings where it may run: it goes to the cleanest one.",
    ),
]
Engine = Annotated[
    EngineName | None,
    typer.Option(
        "--engine",
        metavar="E",
        help="Start it by local, ssh or slurm alone: of --targets those with it, else slurm is this machine's.",
    ),
]
Carry = Annotated[
    list[str] | None,
    typer.Option(
        "--carry",
        metavar="PATH",
        help="File or folder that goes with it to another place, such as its checkpoints; may be repeated.",
    ),
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
    model: options.Model = None,
    result: options.Results = None,
    run_group: Group = None,
    share: ShareOption = None,
    budget_kg: Budget = None,
    expect_total: Expected = None,
    quiet: Quiet = False,
    record: Record = None,
    store_command: Store = False,
    json: Json = False,
    hub: Hub = None,
    export: Export = None,
    deadline: Deadline = None,
    expect: Expect = None,
    pausable: Pausable = False,
    resume_cost: ResumeCost = None,
    idle_w: IdleW = None,
    power_w: PowerW = None,
    trace: Trace = None,
    targets: Targets = None,
    engine: Engine = None,
    carry: Carry = None,
) -> None:
    """Measure a command from its start to its end.

    Its input, output, signals and exit code are as they would be without. The summary goes to stderr, the record to
    the ledger. Options stand before the command: what stands after it, or after --, goes to it as it is.

        sootprint run -- python train.py
        sootprint run --zone FR --name base --tag seed=1 -- python train.py
        sootprint run --model big-2 --result "Translation/WMT/BLEU=27" -- ./train
        sootprint run --quiet --record footprint.json -- make train
        sootprint run --hub http://127.0.0.1:8765 -- python train.py
        sootprint run --export csv:runs.csv --export mlflow -- ./train
        sootprint run --deadline 24h --expect 6h -- python train.py
        sootprint run --deadline 3d --expect 24h --targets home,fr -- ./train
    """
    given = dict(locals())
    ours = [name for name in given if name != "command"]
    code = _code(given)
    if code == shell.WRONG_USE:
        shell.hint(command, ours)
    raise typer.Exit(code)


def _code(given: dict[str, Any]) -> int:
    """Exit code of the command, measured now or when its plan says."""
    from sootprint.cli.tag import pairs

    told = {name: given.pop(name) for name in ("command", "name", "tag", "model", "result", "record", "json")}
    plan = {name: given.pop(name) for name in OF_PLAN}
    given["exporters"] = given.pop("export") or None
    stated = {
        name: getattr(value, "value", value)
        for name, value in given.items()
        if value is not False and value is not None
    }
    known = _loaded(**stated)
    if "exporters" in stated:
        stated["exporters"] = known.exporters  # with absolute paths, for other processes
    tags, _ = pairs(told["tag"] or []), _results(told)
    _check(known)
    exporting = ways.exporting(known, say=_say, is_segment=SEGMENT in os.environ)
    if plan["deadline"] is None:
        unused = [name.replace("_", "-") for name, value in plan.items() if value]
        if unused:
            shell.wrong(f"--{unused[0]} needs a --deadline, the time from now by which the command must end")
        return _measured(known, told, tags, exporting)
    from sootprint.cli import delayed

    asked = delayed.Asked(**plan, **told, stated=stated)
    code = delayed.driven(known, asked, say=_say, on_finish=_finish(known, told))
    return _measured(known, told, tags, exporting) if code is None else code


def _measured(
    known: Settings, told: dict[str, Any], tags: dict[str, str], exporting: Exporting | None
) -> int:
    """Exit code of the command, measured now."""
    from sootprint.runner import RunOptions, run_command

    run_options = RunOptions(
        settings=known,
        name=told["name"],
        tags=tags,
        about={"model": told["model"], "results": _results(told)},
        record_file=told["record"],
        segment=_segment(),
        exporting=exporting,
        sharing=ways.sharing(known, say=_say),
        on_warning=_say,
    )
    return run_command(told["command"], replace(run_options, on_finish=_finish(known, told)))


def _finish(known: Settings, told: dict[str, Any]) -> Callable[[Footprint], object]:
    """What is done with the record at the end."""
    return _nothing if known.quiet and not told["json"] else _as_json if told["json"] else _summary


def _results(told: dict[str, Any]) -> dict[str, float]:
    """Values of the results that were stated, by their names.

    Raises:
        InputError: One has another form, or no number.
    """
    if not told["result"]:
        return {}
    from sootprint.core.results import parsed

    return {text.rpartition("=")[0]: parsed(text)["value"] for text in told["result"]}


def _segment() -> tuple[Book, int] | None:
    """Book and number of the plan's segment that this is, which the command itself is not told."""
    number, _, folder = os.environ.pop(SEGMENT, "").partition(":")
    if not folder:
        return None
    from sootprint.engines.book import Book

    return Book(Path(folder)), int(number)


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


def _check(known: Settings) -> None:
    """Nothing where the stated zone is known, before the command starts.

    Raises:
        CatalogueError: The zone is in no table.
    """
    for stated in known.stated_places()[:1]:
        from sootprint.catalogue import zones

        zones.locate(stated.zone)


def _nothing(_: object) -> None:
    """Print nothing."""


def _as_json(footprint: Footprint) -> None:
    typer.echo(footprint.to_json(indent=2), err=True)


def _summary(footprint: Footprint) -> None:
    from sootprint import report

    output.console(stderr=True).print(report.terminal(footprint, brief=True))


def _say(text: str) -> None:
    """Write a warning where stderr is still there; nothing may stop the command."""
    with contextlib.suppress(OSError, ValueError):
        shell.say(text)
