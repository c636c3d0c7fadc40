"""`sootprint import`: files of other tools and people as records of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import lookup, options, output, shell
from sootprint.cli.reading import Reading, told

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.estimator.filled import Beside
    from sootprint.importers import LeftOut
    from sootprint.settings import Settings

MOST_CPUS = 10_000  # of Slurm in one processor
# Endings of files, not of runs
IMPORTED = (".csv", ".json", ".jsonl", ".md", ".yaml", ".yml", ".log", ".txt")
Form = Annotated[
    str | None,
    typer.Argument(
        metavar="[FORMAT]",
        help="One of those above; auto, or nothing, to tell it by the text.",
        show_default=False,
    ),
]
Files = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE...]", help="Files and folders; - for stdin.")
]
Template = Annotated[
    bool, typer.Option("--template", help="Print the empty table with an example row, and stop.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where anything was left out.")]
Pue = Annotated[
    float | None,
    typer.Option(
        "--pue", metavar="X", parser=options.number, help="PUE of records that state none, 1 to 10."
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--zone", metavar="ZONE", help="Place of records that state none, e.g. DE or aws/us-east-1."
    ),
]
Devices = Annotated[
    list[str] | None,
    typer.Option(
        "--hardware",
        metavar="[NAME=]DEVICE",
        help="Accelerator that the file calls NAME, e.g. a100=A100-SXM4-80GB; without NAME, of those that it does "
        "not name.",
    ),
]
Processor = Annotated[
    str | None,
    typer.Option(
        "--cpu",
        metavar="DEVICE[=N]",
        help="Processor of jobs that were given cores alone; N of Slurm's CPUs are one, else as many as it has cores.",
    ),
]
Plugin = Annotated[
    str | None,
    typer.Option(
        "--energy-plugin",
        metavar="NAME",
        help="What measured the energies of Slurm: its AcctGatherEnergyType, e.g. ipmi or rapl.",
    ),
]
StoreUsers = Annotated[
    bool,
    typer.Option("--store-users", help="Keep names of users and accounts as they are, not as pseudonyms."),
]


def import_(
    form: Form = None,
    files: Files = None,
    zone: Zone = None,
    pue: Pue = None,
    hardware: Devices = None,
    cpu: Processor = None,
    energy_plugin: Plugin = None,
    timezone: options.Timezone = None,
    store_users: StoreUsers = False,
    template: Template = False,
    strict: Strict = False,
    out: options.Out = None,
    json: options.Json = False,
) -> None:
    """Read files of other tools and people into the ledger.

    What a row states is kept as stated. Hours on a named device get an estimate of their energy, and energy gets the
    emissions of its place, or else of the world's average grid, which is said. A row that cannot be used is told with
    its line and the reason; the others are read. The same file read again changes nothing. Users, accounts and nodes
    are pseudonyms. With --out the records go to a file, one JSON object a line, and not to the ledger. A folder is
    looked through for runs of MLflow, logs of Carbontracker, impacttracker/data.json and emissions.csv.

    Formats: codecarbon, carbontracker, eco2ai, zeus, experiment-impact-tracker, mlco2, green-algorithms, mlflow, wandb,
    hf-card, boamps, slurm-sacct, aws-ccft, gcp-carbon, azure-carbon, mlperf-power, template, sootprint.

        sootprint import emissions.csv
        sootprint import carbontracker logs/
        sootprint import mlflow mlruns/0 --zone FR
        sootprint import slurm-sacct jobs.txt --zone DE --cpu "EPYC 7763=128"
        sootprint import hf-card README.md --json
        sootprint import --template > runs.csv
        sootprint import template runs.csv --out runs.jsonl
    """
    if template:
        from sootprint.importers.template import empty

        print(empty(), end="")
        return
    form, files = _named(form, files or [])
    if not files:
        shell.wrong("no file is named: give a format and files, e.g. `sootprint import auto emissions.csv`")
    reading = Reading(
        _beside(zone, pue, hardware or [], cpu, plugin=energy_plugin, timezone=timezone),
        store_users=store_users,
    )
    records = reading.each(files, form)
    if json:
        _print(records, reading, out)
    elif out is not None:
        output.write_lines(out, (one.to_json() for one in records))
    else:
        _keep(records, reading.settings)
    reading.told()
    if not json:
        _sum_up(reading, out)
    if strict and reading.left_out:
        raise typer.Exit(shell.FAILED)


def _sum_up(reading: Reading, out: Path | None) -> None:
    """Print how many records there are and where, and say what was assumed of them."""
    where = f"in {out}" if out else "in the ledger"
    print(f"{_some(reading.records, 'record')} {where}, {_some(len(reading.left_out), 'row')} left out")
    reading.advise()


def _some(number: int, what: str) -> str:
    """Number of things.

    >>> _some(1, "record"), _some(0, "row")
    ('1 record', '0 rows')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"


def _named(form: str | None, files: Sequence[str]) -> tuple[str | None, list[str]]:
    """Format and files; the first argument is a file or folder where it is no format and there is one so named."""
    from sootprint.importers import FORMATS

    if form is None or form == "auto":
        return None, list(files)
    if form not in FORMATS and (form == "-" or Path(form).exists()):
        return None, [form, *files]
    return form, list(files)


def _beside(
    zone: str | None,
    pue: float | None,
    hardware: Sequence[str],
    cpu: str | None,
    *,
    plugin: str | None,
    timezone: str | None,
) -> Beside:
    """What is stated beside the files.

    Raises:
        CatalogueError: The zone is in no table.
        InputError: The PUE is none, or the plug-in or the time zone is none that is known.
    """
    import dataclasses

    from sootprint.catalogue import zones
    from sootprint.core import pue as rule
    from sootprint.core import utc
    from sootprint.estimator.filled import Beside
    from sootprint.importers.slurm_sacct.plugins import checked

    place = None if zone is None else dataclasses.replace(zones.locate(zone).place, source="argument")
    if pue is not None and not rule.LEAST <= pue <= rule.MOST:
        shell.wrong(f"--pue is {pue:g}: it is {rule.RULE}")
    devices = {}
    for one in hardware:
        name, sign, device = one.rpartition("=")
        if (sign and not name.strip()) or not device.strip():
            shell.wrong(f"--hardware {one!r:.60} is not DEVICE or NAME=DEVICE, e.g. a100=A100-SXM4-80GB")
        devices[name.strip().lower()] = device.strip()
    processor, sign, told = (cpu or "").rpartition("=") if "=" in (cpu or "") else (cpu or "", "", "")
    if sign and not (told.isascii() and told.isdigit() and 0 < int(told) <= MOST_CPUS):
        shell.wrong(f"--cpu {cpu!r:.60} is not DEVICE or DEVICE=N, with N of Slurm's CPUs in one processor")
    return Beside(
        place=place,
        pue=pue,
        devices=devices,
        processor=processor.strip() or None,
        cpus=int(told) if sign else None,
        plugin=None if plugin is None else checked(plugin),
        clock=None if timezone is None else (timezone.strip(), utc.zone(timezone)),
    )


def imported(files: Sequence[str]) -> tuple[list[Footprint], list[tuple[str, LeftOut]]]:
    """Records of files, filled in where their inputs suffice, and what was left out with the file's name.

    Raises:
        InputError: A file cannot be read, or holds no record.
    """
    from sootprint.estimator.filled import NOTHING

    reading = Reading(NOTHING)
    return list(reading.each(files, None)), reading.left_out


def records_of(ref: str) -> list[Footprint]:
    """Records of a run of the ledger, or of a file of ours or of another tool.

    Raises:
        SootprintError: There is no such run, or the file holds no record.
    """
    if not lookup.is_file(ref):
        if Path(ref).suffix.lower() in IMPORTED:
            shell.wrong(f"there is no file {ref}: name a run or a file that is there, e.g. `latest`")
        return [lookup.record(ref)]
    records, left_out = imported([ref])
    told(left_out)
    return records


def _print(records: Iterable[Footprint], reading: Reading, out: Path | None) -> None:
    """Print records and what was left out as JSON; with a file the records go there, too."""
    from sootprint.core.codec import to_dict

    listed = list(records)
    if out is not None:
        output.write_lines(out, (one.to_json() for one in listed))
    left_out = [{"file": name, "where": one.where, "why": one.why} for name, one in reading.left_out]
    output.print_json({"records": [to_dict(one) for one in listed], "left_out": left_out})


def _keep(records: Iterable[Footprint], settings: Settings) -> None:
    from sootprint.ledger import Ledger

    with Ledger(settings.home) as ledger:
        ledger.take(records)
