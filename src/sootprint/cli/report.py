"""`sootprint report`: the document about one footprint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
    BOAMPS = "boamps"
    SCI = "sci"
    FORM = "form"
    CHECKLIST = "checklist"


_BY_SUFFIX = {
    ".txt": Format.TEXT,
    ".md": Format.MD,
    ".json": Format.JSON,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".tex": Format.LATEX,
}
_STATEMENTS = (Format.BOAMPS, Format.SCI, Format.FORM, Format.CHECKLIST)
_SHAPES = {".txt": "text", ".md": "md", ".json": "json", ".tex": "tex"}  # of a statement, by the file's name
_ENDINGS = {Format.BOAMPS: (".json",), Format.CHECKLIST: tuple(_SHAPES)}  # the others: all but LaTeX
As = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        metavar="F",
        help="text, md, json, html, latex, hf, boamps, sci, form or checklist; else by the file's name, else text.",
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
    `hf` the front matter of a model card. `boamps` is a BoAmps report, `sci` the Software Carbon Intensity, `form` the
    training part of the EU's Model Documentation Form, `checklist` answers for NeurIPS, ARR, ITU-T L.1801 and SCI; the
    last three are text, Markdown or JSON by the file's name, a checklist also LaTeX, and JSON with --json. With
    --check the exit code is 1 where something is missing that the venue requires; `conference` and `journal` ship as
    examples.

        sootprint report latest
        sootprint report latest --out report.html
        sootprint report run.json --format latex
        sootprint report latest --format checklist --out checklist.tex
        sootprint report latest --format boamps --out boamps.json
        sootprint report latest --check conference
    """
    from sootprint import report as reports

    record, kin = lookup.with_kin(run)
    if check is not None:
        raise typer.Exit(_checked(record, check, form, out, json=json))
    chosen = _form(form, out, json=json)
    shape = _shape(chosen, out, json=json)
    with _imported_first(run, chosen):
        text = reports.render(record, chosen, kin=kin, shape=shape, width=None if out else output.columns())
    if out is None:
        output.print_text(text)
        return
    output.write_whole(out, text if text.endswith("\n") else f"{text}\n")


def _form(form: Format | None, out: Path | None, *, json: bool) -> str:
    """Name of the form: as stated, else by the file's name, else text.

    Raises:
        InputError: `--json` and another form were stated.
    """
    if json and form not in (None, Format.JSON, *_STATEMENTS):
        from sootprint.cli.shell import wrong

        wrong(f"--json and --format {form} contradict each other: give one of the two")
    if json and form is None:
        return Format.JSON
    suffix = out.suffix.lower() if out else ""
    if form is None and suffix and suffix not in _BY_SUFFIX:
        from sootprint.cli.shell import wrong

        wrong(f"{out} tells no form by its ending: end it with {', '.join(_BY_SUFFIX)}, or add --format")
    return form or _BY_SUFFIX.get(suffix, Format.TEXT)


@contextlib.contextmanager
def _imported_first(run: str, form: str) -> Iterator[None]:
    """What BoAmps misses in a file is said with the way to tag it: a file has to be a run of the ledger first.

    Raises:
        InputError: The record lacks something that the format requires.
    """
    from sootprint.core.errors import InputError

    try:
        yield
    except InputError as err:
        if form != Format.BOAMPS or not lookup.is_file(run) or "sootprint tag" not in str(err):
            raise
        name = "FILE" if run == "-" else run
        raise InputError(f"{err}; a file is imported before: `sootprint import sootprint {name}`") from None


def _shape(form: str, out: Path | None, *, json: bool) -> str | None:
    """Shape of a statement: JSON where that was asked for, else by the file's name; None for its usual one.

    Raises:
        InputError: The file's name says a form that no statement has.
    """
    if form not in _STATEMENTS or json:
        return "json" if json else None
    suffix = out.suffix.lower() if out else ""
    endings = _ENDINGS.get(Format(form), tuple(_SHAPES)[:3])
    if suffix in _BY_SUFFIX and suffix not in endings:
        from sootprint.cli.shell import wrong

        wrong(f"{form} is not written to {out}: end it with {', '.join(endings)}")
    return _SHAPES.get(suffix)


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
