"""A project: what its runs spent by month, what was spent idle, and how far its budget goes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.charts.scale import ENERGY, MASS, Unit
from sootprint.core.errors import InputError
from sootprint.hub import admission, chain, columns, reading, views
from sootprint.hub.accounts import Actor
from sootprint.hub.database import now, writing
from sootprint.hub.insight import nested
from sootprint.hub.insight.sheets import Grid, Link, Part, Sheet, counted, link
from sootprint.hub.insight.tables import Budget
from sootprint.hub.problems import NotFoundError
from sootprint.hub.reading import Question
from sootprint.hub.tables import FootprintRow, table_of
from sootprint.report import figures

MOST_RUNS = 5_000  # the newest, which the sums are of
SHOWN = 25
SUMMED = ("energy_kwh", "emissions_kg", "idle_kwh", "device_hours")
LARGEST_KG = 1e12
_rows, _budgets = table_of(FootprintRow), table_of(Budget)


def months(engine: Engine, name: str) -> list[dict[str, Any]]:
    """Sums over the newest runs of a project by month of their start, the newest first.

    Of a run inside of another of them only what came after that one counts.
    """
    shares = nested.apart(engine, {"project": name}, MOST_RUNS)
    rows = _months(engine, name, _rows.c.id.not_in(shares) if shares else sa.true())
    late = [
        (row, share)
        for key, share in shares.items()
        if share > 0.0
        for row in _months(engine, name, _rows.c.id == key)
    ]
    return nested.added(rows, late)


def _months(engine: Engine, name: str, which: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    newest = (
        sa.select(*_rows.c["started", "first_at", "marked"], *map(_added, SUMMED))
        .where(_rows.c.project == name, _rows.c.state == columns.PUBLISHED, which)
        .order_by(_rows.c.seq.desc())
        .limit(MOST_RUNS)
        .subquery()
    )
    month = sa.func.substr(sa.func.coalesce(newest.c.started, newest.c.first_at), 1, 7).label("month")
    sums = [sa.func.sum(newest.c[one]).label(one) for one in SUMMED]
    known = sa.func.sum(sa.case((newest.c.idle_kwh.is_not(None), newest.c.energy_kwh), else_=0.0)).label(
        "metered_kwh"
    )
    marked = sa.func.sum(newest.c.marked).label("marked")
    n = sa.func.count()
    untold = [(n - sa.func.count(newest.c[one])).label(f"no_{one}") for one in ("energy_kwh", "emissions_kg")]
    query = (
        sa.select(month, n.label("n"), known, marked, *untold, *sums).group_by(month).order_by(month.desc())
    )
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def _added(name: str) -> sa.ColumnElement[float]:
    """Column of which a sum is made; a number from before the hub's rules that no sum can hold is as if not told."""
    return sa.case((_rows.c[name] <= admission.MOST, _rows.c[name])).label(name)


def budgets(engine: Engine, name: str) -> dict[int, float]:
    """Budgets of a project by year [kg]."""
    query = sa.select(_budgets.c.year, _budgets.c.emissions_kg).where(_budgets.c.project == name)
    with engine.connect() as connection:
        return {row.year: row.emissions_kg for row in connection.execute(query)}


def set_budget(engine: Engine, name: str, year: str, kg: str, *, actor: Actor) -> None:
    """Give a project a budget for a year.

    Raises:
        InputError: The year or the mass is none.
    """
    if not (year.isascii() and year.isdigit() and 2000 <= int(year) <= 2100):
        raise InputError(f"year is {year!r:.20}: it is one from 2000 to 2100")
    try:
        mass = float(kg)
    except ValueError:
        mass = -1.0
    if not 0.0 < mass <= LARGEST_KG:
        raise InputError(f"budget is {kg!r:.40}: it is a mass above 0 kg, e.g. 1200")
    row = {"project": name, "year": int(year), "emissions_kg": mass, "at": now(), "actor": actor.name}
    with writing(engine) as connection:
        here = sa.and_(_budgets.c.project == name, _budgets.c.year == int(year))
        if connection.scalar(sa.select(_budgets.c.emissions_kg).where(here)) == mass:
            return  # a double click
        connection.execute(sa.delete(_budgets).where(here))
        connection.execute(sa.insert(_budgets), row)
        detail = {"project": name, "year": int(year), "emissions_kg": mass}
        chain.append(connection, actor=actor.name, action="budget", detail=detail)


def address(name: str) -> str:
    """Address of a project's page."""
    return link("", "/projects/view", name=name).to


def sheet(engine: Engine, name: str) -> Sheet:
    """The page.

    Raises:
        NotFoundError: The hub has no run of it.
    """
    listed, _ = reading.page(engine, Question(limit=SHOWN, filters={"project": name}))
    if not listed:
        raise NotFoundError(f"there is no footprint of project {name!r:.80} here")
    rows, given = months(engine, name), budgets(engine, name)
    n = sum(row["n"] for row in rows)
    whole = {of: sum(row[of] or 0.0 for row in rows) for of in ("idle_kwh", "metered_kwh")}
    waste = whole["idle_kwh"] / whole["metered_kwh"] if whole["metered_kwh"] else None
    lead = f"A project of {counted(n, 'run')}" + (
        f"; sums are of the newest {MOST_RUNS:,}" if n >= MOST_RUNS else ""
    )
    return Sheet(
        title=name,
        lead=f"{lead}. Energy and emissions are as the records state them; a run inside of another counts once.",
        above=[Link("Explore", "/explore")],
        figures=[
            ("Emissions", *_sum(rows, "emissions_kg", MASS, " CO2e")),
            ("Energy", *_sum(rows, "energy_kwh", ENERGY)),
            (
                "Idle",
                figures.NOT_KNOWN if waste is None else figures.share(waste),
                "of the energy of runs that tell it" if waste is not None else "no run tells",
            ),
            ("Runs", f"{n:,}", ""),
        ],
        parts=[
            _budget(rows, given),
            Part(title="By month", says=[_waste(whole, waste)], grid=_grid(rows)),
            Part(
                title="Newest runs",
                records=[views.listed(row) for row in listed],
                caption="With 90 % intervals",
            ),
        ],
        actions=[link("All with filters", "/explore", project=name)],
    )


def _sum(rows: list[dict[str, Any]], of: str, units: tuple[Unit, ...], gas: str = "") -> tuple[str, str]:
    """The sum of what the runs tell, and how many tell nothing."""
    told = [row[of] for row in rows if row[of] is not None]
    n, untold = sum(row["n"] for row in rows), sum(row[f"no_{of}"] for row in rows)
    shown = f"{figures.amount(sum(told), units)}{gas}" if told else figures.NOT_KNOWN
    return shown, f"of {n - untold:,} of {n:,} runs; the others do not tell" if untold else ""


def _waste(whole: dict[str, float], waste: float | None) -> str:
    if waste is None:
        return (
            "No run of this project tells how much of its energy was spent idle; runs that are measured do."
        )
    idle = figures.amount(whole["idle_kwh"], ENERGY)
    share = figures.share(waste)
    return (
        f"{idle}, {share} of the energy of the runs that tell it, went into devices that had nothing to do."
    )


def _budget(rows: list[dict[str, Any]], given: dict[int, float]) -> Part:
    spent: dict[int, float] = {}
    untold: dict[int, int] = {}
    for row in rows:
        if row["month"][:4].isdigit():
            year = int(row["month"][:4])
            spent[year] = spent.get(year, 0.0) + (row["emissions_kg"] or 0.0)
            untold[year] = untold.get(year, 0) + row["no_emissions_kg"]
    if not given:
        return Part(title="Budget", says=["This project has no budget yet."])
    lines = []
    for year in sorted(given, reverse=True):
        used = spent.get(year, 0.0)
        left = given[year] - used
        shown = [figures.amount(one, MASS) for one in (given[year], used, abs(left))]
        lines.append(
            (
                str(year),
                shown[0],
                shown[1],
                figures.share(used / given[year]),
                f"{shown[2]}{'' if left >= 0.0 else ' over'}",
            )
        )
    year_text, budget, used_text, share, left_text = lines[0]
    rest = f"{left_text} the budget" if left_text.endswith("over") else f"{left_text} are left"
    words = f"{year_text}: {used_text} of {budget} are spent ({share}); {rest}."
    grid = Grid(
        caption="Budgets of emissions, location-based",
        columns=("Year", "Budget", "Spent", "Share", "Left"),
        numbers=(1, 2, 3, 4),
        rows=lines,
    )
    without = [
        f"{counted(untold[year], 'run')} of {year} {'tells' if untold[year] == 1 else 'tell'} no emissions, and"
        f" {'is' if untold[year] == 1 else 'are'} not in it."
        for year in sorted(given, reverse=True)
        if untold.get(year)
    ]
    return Part(title="Budget", says=[words, *without], grid=grid)


def _grid(rows: list[dict[str, Any]]) -> Grid:
    return Grid(
        caption="Month of the start, newest first",
        columns=("Month", "Runs", "Energy", "CO2e", "Idle energy", "To be reviewed"),
        numbers=(1, 2, 3, 4, 5),
        rows=[
            (
                row["month"],
                f"{row['n']:,}",
                figures.amount(row["energy_kwh"], ENERGY),
                figures.amount(row["emissions_kg"], MASS),
                figures.amount(row["idle_kwh"], ENERGY),
                f"{row['marked'] or 0:,}",
            )
            for row in rows[:60]
        ],
    )
