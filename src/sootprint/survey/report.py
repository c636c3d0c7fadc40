"""The report of a survey: one HTML page that needs nothing else, and its twin in Markdown.

The page is whole without a script. Where scripts run, the charts answer to the pointer; the drawing library stands in
the page itself, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint import __version__, charts
from sootprint.charts.letters import formula
from sootprint.core.letters import clean
from sootprint.survey.figures import files
from sootprint.survey.words import digits, plainly

if TYPE_CHECKING:
    import polars as pl
    from jinja2 import Environment

    from sootprint.survey.figures.files import Drawing
    from sootprint.survey.figures.gallery import Figure

UNITS = {  # by the end of a column's name
    "_g_per_kwh": "g/kWh",
    "_kwh": "kWh",
    "_kg": "kgCO₂e",
    "_w": "W",
}
MOST_ROWS = 60  # of the table behind a chart in the page; all are in the figure's CSV
BASES = {
    "given": "as given by the source of the data",
    "recomputed": "recomputed as rated power × device hours × carbon intensity (PUE 1.0)",
}


class Grid(NamedTuple):
    """A table of texts."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Shown(NamedTuple):
    """A figure as the page has it."""

    key: str
    title: str
    caption: str
    drawing: str  # SVG in the colours of the page, or nothing
    narrow: str  # the same for a phone
    spec: str  # JSON of its specification
    table: Grid


def page(
    found: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    figures: Sequence[Drawing],
) -> str:
    """Report as an HTML page.

    Args:
        found: Summary of the survey.
        tables: Tables to show, by their titles.
        figures: Figures with their drawings, in their order.
    """
    return (
        _environment()
        .get_template("survey.html")
        .render(
            **_content(found, tables),
            figures=[_shown(one) for one in figures],
            style=_read("survey.css"),
            script=charts.bundle(),
            dark=_script(charts.THEMES["dark"].config()),
        )
    )


def markdown(found: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], figures: Sequence[Figure]) -> str:
    """Report as Markdown, which shows the figures' files in the folder `figures`."""
    text: str = _environment().get_template("survey.md").render(**_content(found, tables), figures=figures)
    return text


def _content(found: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    return {
        "found": found,
        "basis": BASES[found["values"]],
        "tables": [grid(frame, title) for title, frame in tables.items()],
        "version": __version__,
        "claims": {
            "Reproduced": _rows(found["reproduced"], "claim", "paper", "ours"),
            "Not reproduced": _rows(found["not_reproduced"], "claim", "paper", "ours", "why"),
            "Cannot be tested with this table": _rows(found["not_testable"], "claim", "paper", "why"),
        },
        "excluded": _excluded(found["excluded"]),
        "flags": [(name.replace("-", " "), f"{count:,}") for name, count in found["flags"].items() if count],
    }


def _excluded(rows: Sequence[Mapping[str, Any]]) -> Grid | None:
    """Table of what is not in the report, or None where everything is."""
    if not rows:
        return None
    said = [[clean(plainly(str(row[name]))) for name in ("what", "reason")] for row in rows]
    counts = [f"{row['count']:,}" for row in rows]
    return Grid("", ("What", "Reason", "Rows"), [[*one, n] for one, n in zip(said, counts, strict=True)])


def _rows(rows: Sequence[Mapping[str, Any]], *columns: str) -> Grid | None:
    """Table of some rows, or None where there are none."""
    if not rows:
        return None
    return Grid("", columns, [[clean(str(row[name])) for name in columns] for row in rows])


def grid(frame: pl.DataFrame, caption: str, *, most: int = MOST_ROWS) -> Grid:
    """First rows of a frame as texts, numbers to three digits, columns without a value left out."""
    shown = frame.select(column.name for column in frame if column.null_count() < max(1, frame.height))
    rows = [[_cell(value, name) for name, value in row.items()] for row in shown.head(most).to_dicts()]
    rest = f"; the first {most} of {frame.height:,} rows" if frame.height > most else ""
    return Grid(f"{caption}{rest}", [_heading(name) for name in shown.columns], rows)


def _heading(name: str) -> str:
    """Name of a column in words, with its unit in brackets."""
    for end, unit in UNITS.items():
        if name.endswith(end):
            return f"{name.removesuffix(end).replace('_', ' ')} [{unit}]"
    return name.replace("_", " ")


def _cell(value: Any, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return digits(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if name == "row" or name.endswith("year") else f"{value:,}"
    return clean(str(value))


def _shown(drawing: Drawing) -> Shown:
    figure, drawn, narrow = drawing.figure, files.svg(drawing), files.narrow(drawing)
    return Shown(
        key=figure.key,
        title=figure.title,
        caption=figure.caption,
        drawing="" if drawn is None else charts.inline(drawn),
        narrow="" if narrow is None else charts.inline(narrow),
        spec="" if drawing.spec is None else _script(drawing.spec),
        table=grid(figure.drawn.points, "Points of the figure"),
    )


def _script(value: Any) -> str:
    """JSON that can stand in a script of a page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _environment() -> Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_read),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["formula"] = formula
    return made


def _read(name: str) -> str:
    return (resources.files("sootprint.survey") / "templates" / name).read_text(encoding="utf-8")
