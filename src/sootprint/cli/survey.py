"""`sootprint survey`: the survey *Counting Carbon*, repeated on any data."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import options, output, progress, shell

if TYPE_CHECKING:
    from sootprint.survey import Dataset


class Values(StrEnum):
    """Which energies and emissions are analysed."""

    GIVEN = "given"
    RECOMPUTED = "recomputed"


class Method(StrEnum):
    """Ways to an interval."""

    PERCENTILE = "percentile"
    BCA = "bca"


class Shipped(StrEnum):
    """Data sets that need no file."""

    PUBLISHED = "published"
    LEDGER = "ledger"


Data = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]", show_default=False, help="CSV table, JSON records, or a folder of records."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        parser=options.new_folder,
        help="Folder for tables, figures, summary and report.",
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="TOML file that says which column of DATA is which."),
]
Name = Annotated[
    Shipped | None,
    typer.Option(
        "--dataset", metavar="NAME", help="published (shipped with sootprint) or ledger, in place of DATA."
    ),
]
FromHub = Annotated[
    str | None,
    typer.Option("--from-hub", metavar="URL", help="Hub whose records are surveyed, in place of DATA."),
]
ValuesOption = Annotated[
    Values | None,
    typer.Option(
        "--values",
        metavar="KIND",
        help="given, or recomputed as rated power x hours x intensity; else what the data's mapping says.",
    ),
]
MethodOption = Annotated[
    Method, typer.Option("--interval", metavar="M", help="percentile, or bca for bias-corrected intervals.")
]
Resamples = Annotated[
    int,
    typer.Option(
        "--resamples", metavar="N", min=100, max=1_000_000, help="Bootstrap resamples of each mean."
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of the resamples.")]


def survey(
    data: Data = None,
    out: Out = None,
    mapping: Mapping = None,
    dataset: Name = None,
    from_hub: FromHub = None,
    values: ValuesOption = None,
    method: MethodOption = Method.PERCENTILE,
    resamples: Resamples = 10_000,
    seed: Seed = 2021,
    json: options.Json = False,
) -> None:
    """Survey the footprints of many models, as Counting Carbon did for 95.

    Answers four questions from any table: main energy sources, order of magnitude, evolution over time, and whether
    more energy and emissions bring better performance. Without --out the answers are printed and nothing is written.

        sootprint survey --dataset published --out survey
        sootprint survey co2ml95models.csv --out survey
        sootprint survey runs.csv --mapping runs.toml --out survey --json
        sootprint survey --from-hub https://hub.example.org
    """
    from sootprint import survey as package

    if sum(one is not None for one in (data, dataset, from_hub)) != 1:
        shell.wrong("name one of DATA, --dataset NAME or --from-hub URL")
    if mapping is not None and data is None:
        shell.wrong("--mapping is for a table: name it as DATA")
    with progress.shown("reading") as (say, step):
        if from_hub is not None:
            from sootprint.survey import hub

            loaded = hub.load(from_hub, values=(values or Values.GIVEN).value)
        else:
            loaded = package.load(
                dataset.value if dataset else data or "", mapping=mapping, values=values and values.value
            )
        how = package.Settings(method=method.value, resamples=resamples, seed=seed)
        say("resampling")
        analysis = package.analyse(loaded, how=how, progress=step)
        found = package.summary(analysis)
        written = package.write(analysis, found, out, say=say) if out is not None else []
    if json:
        output.print_json(found)
    else:
        _print(loaded, found)
        _say_written(out, written)


def _print(data: Dataset, found: dict[str, Any]) -> None:
    """Print the findings, what was left out, and the flags."""
    from rich.text import Text

    console = output.console()
    runs = "" if found["n_runs"] == found["n_models"] else f", {found['n_runs']} runs"
    console.print(Text.assemble((data.name, "bold"), f"  {found['n_models']} models{runs}"))
    for finding in found["findings"]:
        console.print(Text(f"\n{finding['question']}", style="bold"))
        console.print(Text(finding["answer"]))
        console.print(output.marked(*(("-", one) for one in finding["details"]), style="dim"))
    _print_left_out(found)
    for title, key in (("Reproduced", "reproduced"), ("Not reproduced", "not_reproduced")):
        if found[key]:
            _print_claims(title, found[key])


def _print_left_out(found: dict[str, Any]) -> None:
    console = output.console()
    lines = [(output.WARNING, f"{one['count']} {_left_out(one)}") for one in found["excluded"]]
    raised = [f"{name} {count}" for name, count in found["flags"].items() if count]
    if raised:
        lines.append((output.WARNING, f"flags, which repair and drop nothing: {', '.join(raised)}"))
    if lines:
        console.print("\n[bold]Left out and flagged[/]")
        console.print(output.marked(*lines))


def _left_out(one: dict[str, Any]) -> str:
    example = f", e.g. {one['example']!r}" if one["example"] else ""
    return f"left out of {one['what']}: {one['reason']}{example}"


def _print_claims(title: str, claims: list[dict[str, str]]) -> None:
    console = output.console()
    console.print(f"\n[bold]{title}[/] of what the survey printed: {len(claims)}")
    if title == "Reproduced":
        return
    table = output.table("claim", "printed", "ours", "why", wraps=("claim", "printed", "ours", "why"))
    for one in claims:
        output.add_row(table, one["claim"], one["paper"], one["ours"], one["why"])
    console.print(table)


def _say_written(out: Path | None, written: list[Path]) -> None:
    if out is None:
        shell.say("nothing was written: add --out DIR for tables, figures, summary and report")
    else:
        shell.say(f"{len(written)} files written to {out}")
