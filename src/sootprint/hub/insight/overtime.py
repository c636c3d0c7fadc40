"""The page of trends."""

from __future__ import annotations

from sqlalchemy.engine import Engine

from sootprint.charts.scale import ENERGY, MASS, fitting
from sootprint.hub.insight import maps, trends
from sootprint.hub.insight.sheets import Grid, Part, Sheet, link, options
from sootprint.report import figures, words

UNITS = {"emissions": MASS, "energy": ENERGY}
DIGITS = 2  # of all numbers: the trainings of a year differ by more than a third would tell
_EVIDENCE = (("E", "all"), ("D", "D or better"), ("C", "C or better, measured"))


_DRAWN = (
    "Dots are geometric means, bars hold 90 % of the trainings of a year (lognormal), and the dashed line is fitted "
    "to all of them. What a hub holds is what was sent to it, no sample of the field."
)


def sheet(engine: Engine, measure: str, *, stage: str | None, evidence: str) -> Sheet:
    """The page."""
    years, fit = trends.over_years(engine, measure, stage=stage, weakest=evidence)
    finding = trends.finding(years, fit, measure)
    drawing = maps.over_years(years, fit, measure, finding)
    given = {"measure": measure, "stage": stage, "evidence": evidence}
    stages: list[tuple[str | None, str]] = [(None, "all"), *words.STAGES.items()]
    return Sheet(
        title="Trends",
        lead="Emissions and energy of a training by its year. The numbers are the hub's own recomputations; "
        "footprints that are to be reviewed, and those without a year, are left out.",
        choices=[
            (
                "Measure",
                options("/trends", "measure", [("emissions", "emissions"), ("energy", "energy")], given),
            ),
            ("Stage", options("/trends", "stage", stages, given)),
            ("Evidence", options("/trends", "evidence", list(_EVIDENCE), given)),
        ],
        parts=[
            Part(
                says=[finding, *([_DRAWN] if drawing else [])],
                drawing=drawing,
                grid=_grid(years, measure),
            )
        ],
        actions=[
            link("The survey's analysis of these records", "/survey"),
            link("Download the data", "/downloads"),
        ],
    )


def _grid(years: list[trends.Year], measure: str) -> Grid:
    units = UNITS[measure]

    def shown(value: float | None) -> str:
        if value is None:
            return ""
        unit = fitting(units, value)
        return f"{figures.number(value / unit.size, DIGITS)} {unit.name}"

    return Grid(
        caption=f"{measure.capitalize()} by year, newest first",
        columns=("Year", "Footprints", "Mean (geometric)", "90 %", "Sum"),
        numbers=(1, 2, 3, 4),
        rows=[
            (
                link(str(one.year), "/explore", year=one.year),
                f"{one.n:,}",
                shown(one.mean),
                f"{shown(one.low)} to {shown(one.high)}" if one.low is not None else "too few",
                shown(one.total),
            )
            for one in reversed(years)
        ],
    )
