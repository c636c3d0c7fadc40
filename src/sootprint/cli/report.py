"""`sootprint report`: the document about one footprint."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import lookup, options, output

if TYPE_CHECKING:
    from sootprint.core.records import Footprint


class Format(StrEnum):
    """Forms of a report."""

    TEXT = "text"
    MD = "md"
    JSON = "json"
    HTML = "html"
    LATEX = "latex"
    HF = "hf"


_BY_SUFFIX = {
    ".txt": Format.TEXT,
    ".md": Format.MD,
    ".json": Format.JSON,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".tex": Format.LATEX,
}
As = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        metavar="F",
        help="text, md, json, html, latex or hf; else by the file's name, else text.",
    ),
]

Check = Annotated[
    str | None,
    typer.Option("--check", metavar="VENUE", help="Say what a venue misses in it: a name or a TOML file."),
]


def report(
    run: options.RunOrFile,
    form: As = None,
    out: options.Out = None,
    check: Check = None,
    json: options.Json = False,
) -> None:
    """Write the report of a run or file, or say what a venue misses in it.

    The HTML page is one file with everything in it; it needs the extra `charts`. `latex` is a paragraph for a paper,
    `hf` the front matter of a model card. With --check the exit code is 1 where
    something is missing that the venue requires; `conference` and `journal` ship as examples.

        sootprint report latest
        sootprint report latest --out report.html
        sootprint report run.json --format latex
        sootprint report latest --check conference
    """
    from sootprint import report as reports

    record, kin = lookup.with_kin(run)
    if check is not None:
        raise typer.Exit(_checked(record, check, form, out, json=json))
    text = reports.render(record, _form(form, out, json=json), kin=kin)
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
    suffix = out.suffix.lower() if out else ""
    if form is None and suffix and suffix not in _BY_SUFFIX:
        from sootprint.cli.shell import wrong

        wrong(f"{out} tells no form by its ending: end it with {', '.join(_BY_SUFFIX)}, or add --format")
    return form or _BY_SUFFIX.get(suffix, Format.TEXT)


def _checked(record: Footprint, ref: str, form: Format | None, out: Path | None, *, json: bool) -> int:
    """Exit code of a check: 0 where nothing that the venue requires is missing."""
    from json import dumps

    from sootprint.cli import shell
    from sootprint.report import venues

    if form not in (None, Format.TEXT, Format.JSON):
        shell.wrong(f"--check is text or json, not {form}: leave out --format")
    venue = venues.load(ref)
    found = venues.check(record, venue)
    passes = all(one.met or one.level != "must" for one in found)
    if json or form == Format.JSON:
        plain = {"venue": venue.name, "passes": passes, "findings": found}
        if out is None:
            output.print_json(plain)
        else:
            output.write_whole(out, f"{dumps(output.plain(plain), indent=2, ensure_ascii=False)}\n")
    elif out is None:
        output.print_text(venues.in_words(venue, found))
    else:
        output.write_whole(out, f"{venues.in_words(venue, found)}\n")
    return 0 if passes else shell.FAILED
