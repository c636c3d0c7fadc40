"""`sootprint report`: the document about one footprint."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sootprint.cli import lookup, options, output


class Format(StrEnum):
    """Forms of a report."""

    TEXT = "text"
    MD = "md"
    JSON = "json"
    HTML = "html"


_BY_SUFFIX = {
    ".txt": Format.TEXT,
    ".md": Format.MD,
    ".json": Format.JSON,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}
As = Annotated[
    Format | None,
    typer.Option(
        "--format", "-f", metavar="F", help="text, md, json or html; else by the file's name, else text."
    ),
]


def report(
    run: options.RunOrFile, form: As = None, out: options.Out = None, json: options.Json = False
) -> None:
    """Write the report of a run or file.

    The HTML page is one file with everything in it; it needs the extra `charts`.

        sootprint report latest
        sootprint report latest --out report.html
        sootprint report run.json --format md
    """
    from sootprint import report as reports

    record = lookup.record(run)
    text = reports.render(record, _form(form, out, json=json))
    if out is None:
        output.print_text(text)
        return
    output.write_whole(out, text if text.endswith("\n") else f"{text}\n")


def _form(form: Format | None, out: Path | None, *, json: bool) -> str:
    """Name of the form: as stated, else by the file's name, else text.

    Raises:
        InputError: `--json` and another form were stated.
    """
    if json and form not in (None, Format.JSON):
        from sootprint.cli.shell import wrong

        wrong(f"--json and --format {form} contradict each other: give one of the two")
    if json:
        return Format.JSON
    return form or _BY_SUFFIX.get(out.suffix.lower() if out else "", Format.TEXT)
