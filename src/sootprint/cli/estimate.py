"""`sootprint estimate`: a footprint from hardware, hours and place."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sootprint.core.records import Footprint

IN_MEMORY = 1 << 24  # bytes of JSON before a table's records wait on the disk


class Work(StrEnum):
    """Kinds of work, each with its share of the rated power."""

    LLM_PRETRAIN = "llm-pretrain"
    FINETUNE = "finetune"
    VISION = "vision"
    INFERENCE = "inference"
    UNKNOWN = "unknown"


class Method(StrEnum):
    """Ways to multiply."""

    FULL = "full"
    SURVEY = "survey"


Hardware = Annotated[
    str | None,
    typer.Option(
        "--hardware", metavar="NAME", help="Device, as drivers, papers and people write it, e.g. A100."
    ),
]
Power = Annotated[
    float | None,
    typer.Option(
        "--power-w",
        metavar="W",
        parser=options.number,
        help="Mean power of one device at the boundary; nothing is added to it.",
    ),
]
Count = Annotated[
    int | None, typer.Option("--count", metavar="N", parser=options.whole, help="Number of devices; else 1.")
]
Hours = Annotated[
    float | None,
    typer.Option("--hours", metavar="H", parser=options.number, help="Wall hours of one device."),
]
Intensity = Annotated[
    float | None,
    typer.Option(
        "--intensity",
        metavar="G",
        parser=options.number,
        help="Carbon intensity in gCO2e/kWh, in place of a zone.",
    ),
]
Utilisation = Annotated[
    float | None,
    typer.Option(
        "--utilisation", metavar="U", parser=options.number, help="Mean power over rated power, 0 to 1."
    ),
]
WorkOption = Annotated[
    Work | None,
    typer.Option(
        "--work", metavar="KIND", help="llm-pretrain, finetune, vision, inference or unknown; else unknown."
    ),
]
MethodOption = Annotated[
    Method | None,
    typer.Option(
        "--method", metavar="M", help="full, or survey for rated power x hours x intensity; else full."
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show every factor, its source, and its part in the interval.")
]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="CSV with one job a row; options fill what it leaves empty."),
]


def estimate(
    hardware: Hardware = None,
    power_w: Power = None,
    count: Count = None,
    hours: Hours = None,
    zone: options.Zone = None,
    year: options.Year = None,
    intensity: Intensity = None,
    pue: options.Pue = None,
    utilisation: Utilisation = None,
    work: WorkOption = None,
    method: MethodOption = None,
    explain: Explain = False,
    table: From = None,
    json: options.Json = False,
) -> None:
    """Estimate the footprint of work that was not measured.

    Hours are wall hours of one device: 8 devices for 48 hours are 384 device hours.

        sootprint estimate --hardware A100 --count 8 --hours 48 --zone FR
        sootprint estimate --hardware "TPU v3" --hours 480 --zone US-GA --explain
        sootprint estimate --power-w 300 --hours 9 --intensity 500 --method survey
        sootprint estimate --from jobs.csv --zone DE --json
    """
    given: dict[str, Any] = {
        "hardware": hardware,
        "power_w": power_w,
        "count": count,
        "hours": hours,
        "zone": zone,
        "year": year,
        "intensity": intensity,
        "pue": pue,
        "utilisation": utilisation,
        "work": work and work.value,
        "method": method and method.value,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if table is None:
        _one(given, explain=explain, json=json)
    elif explain:
        shell.wrong("--explain is for one estimate: leave it out beside --from, or give one job by options")
    elif json:
        _print_json(_records(table, given))
    else:
        _print_table(_records(table, given))


def _one(given: dict[str, Any], *, explain: bool, json: bool) -> None:
    from sootprint.estimator import estimate as made_by

    if "hours" not in given:
        shell.wrong("hours is not given: add --hours, the wall hours of one device, or --from FILE.csv")
    footprint = made_by(**given)
    if json:
        output.print_text(footprint.to_json(indent=2))
        return
    from sootprint import report

    console = output.console()
    console.print(report.terminal(footprint))
    if explain:
        console.print(_factors(footprint))


def _factors(footprint: Footprint) -> RenderableType:
    """Table of the factors with their parts in the interval, and where each is from."""
    from rich.console import Group
    from rich.text import Text

    from sootprint.estimator.explain import shares
    from sootprint.report.figures import share as percent

    columns = ("factor", "of", "value", "90 %", "share", "from")
    table = output.table(*columns, right=("value", "share", "from"), wraps=("of",))
    sources: dict[str, int] = {}
    for factor, share in shares(footprint):
        source = ", ".join(filter(None, [factor.source, factor.period]))
        number = sources.setdefault(source, len(sources) + 1)
        known = None if factor.value is None else factor.quantity()
        unit = "" if factor.unit == "1" else factor.unit
        cells = (
            factor.kind.replace("_", " "),
            factor.key,
            *figures.in_unit(known, unit),
            percent(share),
            str(number),
        )
        output.add_row(table, *cells)
    title = Text.assemble(("\nFactors", "bold"), ", with their shares in the width of the interval")
    notes = [Text(f"{number}  {source}", style="dim") for source, number in sources.items()]
    return Group(
        title,
        table,
        *notes,
    )


def _records(path: Path, given: dict[str, Any]) -> Iterator[Footprint]:
    """Records of a table, one at a time.

    Raises:
        InputError: The file cannot be read, or a row breaks a rule.
    """
    from sootprint import settings
    from sootprint.estimator.table import estimates

    known = settings.load()
    try:
        with lookup.opened(str(path)) as lines:
            yield from estimates(lines, name=path.name, settings=known, defaults=given)
    except UnicodeDecodeError as err:
        shell.wrong(f"{path} is no text in UTF-8: save it as CSV in UTF-8", cause=err)


def _print_json(records: Iterator[Footprint]) -> None:
    """Print records as one JSON list, after all of them were found good."""
    import shutil
    import sys
    import tempfile

    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+", encoding="utf-8") as draft:
        before = "[\n"
        for footprint in records:
            draft.write(f"{before}{footprint.to_json()}")
            before = ",\n"
        draft.write("\n]\n")
        draft.seek(0)
        shutil.copyfileobj(draft, sys.stdout)


def _print_table(records: Iterator[Footprint]) -> None:
    """Print one line for each record and their sum, after all of them were found good."""
    from sootprint.estimator.totals import Totals

    columns = ("job", "device hours", "energy", "CO2e", "90 %", "zone")
    table = output.table(*columns, right=columns[1:4], wraps=("job",))
    totals = Totals()
    for footprint in records:
        totals.add(footprint)
        output.add_row(table, *_cells(footprint, totals.count))
    table.add_section()
    spent, emitted = figures.energy(totals.energy_kwh), figures.emissions(totals.emissions_kg)
    output.add_row(table, f"{totals.count} jobs", "", spent.value, *emitted, "", style="bold")
    output.console().print(table)


def _cells(footprint: Footprint, number: int) -> tuple[str, ...]:
    device = footprint.hardware[0].name if footprint.hardware else "given power"
    return (
        footprint.name or f"{number}: {device}",
        f"{footprint.device_hours.value:,.10g}" if footprint.device_hours else figures.DASH,
        figures.energy(footprint.energy_kwh).value,
        *figures.emissions(footprint.emissions_kg),
        footprint.place.zone or ("given" if "intensity" in footprint.given else "unknown"),
    )
