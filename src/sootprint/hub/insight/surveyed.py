"""The survey's analysis of the hub's own records: the same findings, figures and tables, as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.core.errors import MissingExtraError, RecordError
from sootprint.core.records import Footprint
from sootprint.hub import reading, unshown
from sootprint.hub.drawings import Drawing
from sootprint.hub.insight.sheets import Grid, Part, Sheet, link
from sootprint.hub.reading import Question
from sootprint.report import figures

MOST_RECORDS = 2_000  # the newest, which the page is of; a dump and `sootprint survey` take all


def waiting() -> Sheet:
    """The page while the first analysis is being made."""
    return Sheet(
        title="Survey",
        lead="The analysis is being made from the records of this hub; it takes half a minute. This "
        "page loads itself again.",
    )


def empty() -> Sheet:
    """The page of a hub without records."""
    return Sheet(
        title="Survey",
        lead="The analysis of Luccioni and Hernandez-Garcia (2023), run on the footprints of this hub. There is none "
        "yet; `sootprint hub seed` brings published runs.",
        actions=[link("Submit a training", "/submit"), link("Upload a file", "/upload")],
    )


def sheet(engine: Engine) -> Sheet:
    """The page; it takes seconds to make.

    Raises:
        MissingExtraError: The survey's packages are not installed.
        InputError: There are no records.
    """
    try:
        from sootprint.survey import analysis, dataset
        from sootprint.survey.figures import gallery
        from sootprint.survey.report import grid as shown
        from sootprint.survey.tables import table1, table2, table3
    except ModuleNotFoundError as err:
        raise MissingExtraError(f"the survey needs {err.name}: pip install 'sootprint[survey]'") from err
    data = dataset.from_footprints(_records(engine), name="this hub", values="recomputed")
    made = analysis.analyse(data)
    found = analysis.summary(made)
    drawn = {"figure3": made.emissions, "figure4": made.fronts, "figure6a": made.intensity}
    drawings = [_figure(one) for one in gallery.figures(data, how=made.how, drawn=drawn)]
    tables = [
        Part(grid=_grid(shown(frame, title)), folded=True)
        for title, frame in (
            ("Models by task and data set", table1(data)),
            ("Models and mean carbon intensity by main energy source", table2(data)),
            ("Hardware by family", table3(data, top=20)),
        )
    ]
    return Sheet(
        title="Survey",
        lead=_lead(found, sum(n for _, n in reading.tallies(engine, "evidence"))),
        above=[link("Trends", "/trends"), link("Map", "/map")],
        parts=[
            *(
                Part(title=one["question"], says=[one["answer"]], items=one["details"])
                for one in found["findings"]
            ),
            *drawings,
            *([Part(title="Tables"), *tables]),
            _excluded(found),
        ],
        actions=[link("Download the data", "/downloads"), link("How it is computed", "/methodology")],
    )


def _lead(found: dict[str, Any], total: int) -> str:
    newest = f"the newest {MOST_RECORDS:,} of " if total > MOST_RECORDS else ""
    return (
        f"The analysis of Luccioni and Hernandez-Garcia (2023), run on {newest}the {total:,} "
        "footprints of this hub: "
        f"{found['n_models']:,} models, {found['n_runs']:,} trainings. Energy and emissions are "
        "recomputed as rated power × "
        "device hours × carbon intensity, so that all rows are of one method."
    )


def _records(engine: Engine) -> Iterator[Footprint | str]:
    question, left = Question(limit=reading.MOST, filters={"marked": "0"}), MOST_RECORDS
    for rows in reading.pages(engine, question, reading.page(engine, question)):
        for _, text in reading.texts(engine, [row["id"] for row in rows[:left]]):
            try:
                yield unshown.footprint(text)
            except RecordError as err:
                yield str(err)
        left -= len(rows)
        if left <= 0:
            return


def _figure(figure: Any) -> Part:
    from sootprint import charts
    from sootprint.charts import narrow, render

    drawing = None
    if figure.chart is not None:
        made = charts.both_grounds(charts.spec(figure.chart, "web"))
        drawing = Drawing(charts.inline(render.svg(made)), charts.inline(narrow.svg(made)), figure.caption)
    from sootprint.survey.report import grid

    return Part(
        title=figure.title,
        says=[] if drawing else [figure.caption],
        drawing=drawing,
        grid=_grid(grid(figure.drawn.points, "Points of the figure", most=40)),
        folded=True,
    )


def _grid(table: Any) -> Grid:
    digits = "0123456789-"
    numbers = [
        index
        for index in range(1, len(table.columns))
        if table.rows and all(not row[index] or row[index][0] in digits for row in table.rows)
    ]
    rows = [
        (row[0] or figures.NOT_KNOWN, *(figures.NOT_KNOWN if one == "?" else one for one in row[1:]))
        for row in table.rows
    ]
    columns = [column[:1].upper() + column[1:] for column in table.columns]
    return Grid(caption=table.caption, columns=columns, rows=rows, numbers=numbers)


def _excluded(found: dict[str, Any]) -> Part:
    from sootprint.survey.words import plainly

    rows = [
        (plainly(str(one["what"])), plainly(str(one["reason"])), f"{one['count']:,}")
        for one in found["excluded"]
    ]
    grid = Grid(caption="Left out, and why", columns=("What", "Reason", "Rows"), numbers=(2,), rows=rows)
    says = ["Footprints that are to be reviewed are not in this analysis."]
    return Part(title="What is not in it", says=says, grid=grid if rows else None)
