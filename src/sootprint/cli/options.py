"""Options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from sootprint.core import utc
from sootprint.core.quantity import finite
from sootprint.core.typos import meant

CHARTS = (".svg", ".png", ".pdf")  # ends of the names of drawings
MOST_PORT = 65_535  # of TCP (RFC 9293)
LOCAL_TIMES = "have times without a zone, taken for UTC: state theirs, e.g. --timezone Europe/Berlin"


def number(text: str | float) -> float:
    """Number of an option's text.

    Raises:
        typer.BadParameter: The text is no number; the message has it.
    """
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r:.40} is not a number: {meant(str(text))}") from None


def whole(text: str | int) -> int:
    """Whole number of an option's text.

    Raises:
        typer.BadParameter: The text is no whole number; the message has it.
    """
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0 or finite(value) is None:
        raise typer.BadParameter(f"{text!r} is not a whole number of at least 0")
    return value


def port(text: str | int) -> int:
    """Port of an option's text.

    Raises:
        typer.BadParameter: The text is no port; the message has it.
    """
    value = whole(text)
    if value > MOST_PORT:
        raise typer.BadParameter(f"{text!r} is not a port: it is a whole number from 0 to {MOST_PORT}")
    return value


def span_s(text: str | float) -> float:
    """Seconds of an option's text such as 24h or 3d [s].

    Raises:
        typer.BadParameter: The text is no such time; the message has the rule.
    """
    from sootprint.settings import rules

    try:
        return rules.span(text)
    except ValueError as err:
        raise typer.BadParameter(f"{text!r} {err}") from None


def instant(text: str | datetime) -> datetime:
    """Instant of an option's text; one without a time zone is UTC.

    Raises:
        typer.BadParameter: The text is no time.
    """
    try:
        return utc.instant(str(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-11-22T10:00Z") from None


def zone_file(text: str) -> tuple[Path, str | None]:
    """File and zone of `ZONE=FILE`, or of a file alone whatever signs are in its name.

    >>> zone_file("DE=de-2025.csv")[1]
    'DE'
    """
    zone, equals, name = text.partition("=")
    return (Path(name), zone) if equals and not Path(text).is_file() else (Path(text), None)


def new_file(text: str | Path) -> Path:
    """Path of a file that can be written, looked at before any work is done for it.

    Raises:
        typer.BadParameter: It cannot; the message has the reason.
    """
    from sootprint.core import files

    return _checked(files.writable, text)


def new_folder(text: str | Path) -> Path:
    """Path of a folder that can be written, looked at before any work is done for it.

    Raises:
        typer.BadParameter: It cannot; the message has the reason.
    """
    from sootprint.core import files

    return _checked(files.writable_folder, text)


def new_chart(text: str | Path) -> Path:
    """Path of a drawing that can be written.

    Raises:
        typer.BadParameter: Its name ends in no format, or it cannot be written.
    """
    path = Path(text)
    if path.suffix not in CHARTS:
        raise typer.BadParameter(
            f"{path.name} ends in none of {', '.join(CHARTS)}: give it one of these endings"
        )
    return new_file(path)


def _checked(look: Callable[[Path], Path], text: str | Path) -> Path:
    from sootprint.core.errors import InputError

    try:
        return look(Path(text))
    except (InputError, ValueError) as err:  # the second: a name that no file can have
        raise typer.BadParameter(str(err)) from None


Json = Annotated[bool, typer.Option("--json", help="Print JSON for other programs instead of text.")]
Zone = Annotated[
    str | None,
    typer.Option(
        "--zone",
        metavar="ZONE",
        help="Grid zone or cloud region, e.g. FR, US-WA, aws/us-east-1 (see `sootprint catalogue zones`).",
    ),
]
Pue = Annotated[
    float | None,
    typer.Option("--pue", metavar="X", parser=number, help="Facility energy over IT energy, 1 to 10."),
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="Name of the model that is trained.")
]
Results = Annotated[
    list[str] | None,
    typer.Option(
        "--result",
        metavar="TASK/DATASET[:SPLIT]/METRIC=VALUE",
        help="What the model reaches, e.g. Speech/LibriSpeech:test/WER=2, for the hub's leaderboards; a data set that "
        "ends in a colon and a word itself gets one colon more, as glue:mnli:; may be repeated.",
    ),
]
RunOrFile = Annotated[
    str,
    typer.Argument(
        metavar="RUN|FILE",
        help="Run (id, start or end of it, name, or `latest`), JSON record, or - for standard input.",
    ),
]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Run: id, start or end of it, name, or `latest`.")]
Sent = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN|FILE...]",
        help="Runs, or files as `sootprint import` reads them; none sends what still waits.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would leave, and send nothing.")]
Year = Annotated[
    int | None,
    typer.Option(
        "--year",
        metavar="Y",
        parser=whole,
        help="Year of the grid's carbon intensity; else the latest known.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FILE", parser=new_file, help="Write to a file, whole or not at all."
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain", help="Show every factor, its source, its evidence and its part in the interval."
    ),
]
Chart = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        parser=new_chart,
        help="Draw what the interval is made of, as .svg, .png or .pdf (extra: charts).",
    ),
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="CSV with one job a row, or TOML, YAML or JSON with its arguments; options fill what it leaves empty.",
    ),
]
SkipWrongRows = Annotated[
    bool,
    typer.Option(
        "--skip-wrong-rows", help="Name and count rows that break a rule, instead of stopping there."
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Time zone of times that tell none, e.g. Europe/Berlin or UTC; without it they are taken for UTC.",
    ),
]
