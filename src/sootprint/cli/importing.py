"""`sootprint import`: files of other tools and people as records of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import lookup, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.importers import LeftOut

Form = Annotated[
    str | None,
    typer.Argument(
        metavar="FORMAT", help="codecarbon, hf-card, template or sootprint; auto to tell it by the text."
    ),
]
Files = Annotated[list[str] | None, typer.Argument(metavar="[FILE...]", help="Files; - for stdin.")]
Template = Annotated[
    bool, typer.Option("--template", help="Print the empty table with an example row, and stop.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where anything was left out.")]


def import_(
    form: Form = None,
    files: Files = None,
    template: Template = False,
    strict: Strict = False,
    out: options.Out = None,
    json: options.Json = False,
) -> None:
    """Read files of other tools and people into the ledger.

    What a row states is kept as stated. Hours on a named device get an estimate of their energy, and energy at a place
    its emissions. A row that cannot be used is told with its line and the reason; the others are read. The same file
    read again changes nothing. With --out the records go to a file, one JSON object a line, and not to the ledger.

        sootprint import codecarbon emissions.csv
        sootprint import hf-card README.md --json
        sootprint import --template > runs.csv
        sootprint import template runs.csv --out runs.jsonl
    """
    if template:
        from sootprint.importers.template import empty

        print(empty(), end="")
        return
    if not files:
        shell.wrong("no file is named: give a format and files, e.g. `sootprint import auto emissions.csv`")
    records, left_out = imported(files, None if form == "auto" else form)
    if json:
        from sootprint.core.codec import to_dict

        output.print_json(
            {"records": [to_dict(one) for one in records], "left_out": [_plain(*one) for one in left_out]}
        )
    told(left_out)
    if out is not None:
        output.write_whole(out, "".join(f"{one.to_json()}\n" for one in records))
    elif not json:
        _keep(records)
    if not json:
        print(
            f"{len(records)} records {f'in {out}' if out else 'in the ledger'}, {len(left_out)} rows left out"
        )
    if strict and left_out:
        raise typer.Exit(shell.FAILED)


def imported(
    files: Sequence[str], form: str | None = None
) -> tuple[list[Footprint], list[tuple[str, LeftOut]]]:
    """Records of files, filled in where their inputs suffice, and what was left out with the file's name.

    Raises:
        InputError: A file cannot be read, or holds no record.
    """
    from sootprint import importers, settings
    from sootprint.estimator.filled import filled

    known = settings.load()
    records: list[Footprint] = []
    left_out: list[tuple[str, LeftOut]] = []
    for file in files:
        name = "standard input" if file == "-" else Path(file).name
        found = importers.read(lookup.text_of(file), name=name, form=form)
        records += (filled(one, known) for one in found.records)
        left_out += ((name, one) for one in found.left_out)
    return records, left_out


def told(left_out: Sequence[tuple[str, LeftOut]]) -> None:
    """Say on stderr what was left out."""
    for name, one in left_out:
        shell.say(f"{name}, {one.where}: {one.why}")


def _plain(name: str, one: LeftOut) -> dict[str, Any]:
    return {"file": name, "where": one.where, "why": one.why}


def _keep(records: Sequence[Footprint]) -> None:
    from sootprint import settings
    from sootprint.ledger import keep

    home = settings.load().home
    for one in records:
        keep(home, one, timeout_s=5.0)
