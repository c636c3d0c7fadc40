"""Energy to a target: what it took to come as far as a value, by the curve that was logged, or the whole of a run."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.charts.scale import ENERGY
from sootprint.core.quantity import Quantity
from sootprint.hub import columns, leaderboards, views
from sootprint.hub.directions import is_higher_better
from sootprint.hub.insight.sheets import Grid, Link, Part, Sheet, counted, link
from sootprint.hub.tables import ResultRow, table_of
from sootprint.report import figures

MOST, MOST_LOGGED = 2_000, 500  # results that are looked at, and those of them whose curve is read
_results = table_of(ResultRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A record that came as far as a target.

    Args:
        row: The record.
        energy_kwh: IT energy until then [kWh].
        logged: Whether a curve tells when; else it is the whole run, an upper bound.
    """

    row: dict[str, Any]
    energy_kwh: float
    logged: bool


_NUMBERS = ("seq", "value", "energy_kwh", "evidence")


def reached(
    engine: Engine, names: tuple[str, str, str], target: float, *, weak: bool = False
) -> tuple[list[Reached], int]:
    """Records that reached a value, the least energy first, and the number of those that did not.

    Looked at are the results that took the least energy, as two indexes have them in that order: those with a logged
    curve, which is read, and all others, of which nothing else is.

    Args:
        engine: Database.
        names: Task, data set and metric.
        target: Value to be reached, in the unit of the metric.
        weak: Whether weaker evidence than C and records marked for review are in.
    """
    higher = is_higher_better(names[2])
    entered = sa.and_(_results.c.board == columns.board(*names), _results.c.kind == "quality")
    if not weak:
        entered = sa.and_(entered, _results.c.evidence <= leaderboards.SOUND, _results.c.marked == 0)
    logged = _query(entered, _results.c.curve).where(_results.c.curve.is_not(None)).limit(MOST_LOGGED)
    whole = _query(entered).where(_results.c.energy_kwh.is_not(None)).limit(MOST)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(logged).mappings()]
        known = {row["seq"] for row in rows}
        rows += [
            {**row, "curve": None} for row in connection.execute(whole).mappings() if row["seq"] not in known
        ]
    found = [one for row in rows if (one := _reached(row, target, higher=higher)) is not None]
    return sorted(found, key=lambda one: one.energy_kwh), len(rows) - len(found)


def _query(entered: sa.ColumnElement[bool], *more: Any) -> sa.Select[Any]:
    shown = (_results.c[name] for name in _NUMBERS)
    return sa.select(*shown, *more).where(entered).order_by(_results.c.energy_kwh)


def _reached(row: dict[str, Any], target: float, *, higher: bool) -> Reached | None:
    for energy, value in json.loads(row["curve"] or "[]"):
        if value >= target if higher else value <= target:
            return Reached(row=row, energy_kwh=energy, logged=True)
    there = row["value"] >= target if higher else row["value"] <= target
    if not there or row["energy_kwh"] is None:
        return None
    return Reached(row=row, energy_kwh=row["energy_kwh"], logged=False)


def sheet(engine: Engine, names: tuple[str, str, str], target: float) -> Sheet:
    """The page."""
    found, others = reached(engine, names, target)
    if weak := not found and not others:  # as the leaderboard does: all evidence where there is no better
        found, others = reached(engine, names, target, weak=True)
    of_board = link("The leaderboard", "/leaderboards/view", task=names[0], dataset=names[1], metric=names[2])
    if found:
        least, logged = found[0], sum(one.logged for one in found)
        words = (
            f"{counted(len(found), 'footprint')} reached {names[2]} {target:g}, {others or 'none'} did not; "
            f"the least energy was {figures.amount(Quantity(value=least.energy_kwh), ENERGY)}. "
            f"{_logged(logged, len(found))}"
        )
    else:
        words = f"No footprint reached {names[2]} {target:g} here; {others or 'none'} ended short of it."
    says = [words]
    if weak:
        says.append(f"{leaderboards.NONE_SOUND}, so all evidence is shown.")
    if len(found) + others >= MOST_LOGGED:
        says.append(
            f"Looked at: the {MOST:,} footprints of the least energy, and the first {MOST_LOGGED} of those that "
            "logged the way there."
        )
    told = {
        row["seq"]: row
        for row in leaderboards.tell(engine, [one.row for one in found[: views.SHOWN_ENTRIES]])
    }
    shown = [dataclasses.replace(one, row=told[one.row["seq"]]) for one in found if one.row["seq"] in told]
    return Sheet(
        title=f"Energy to {names[2]} {target:g}",
        lead=f"{names[0]}{f', {names[1]}' if names[1] else ''}: IT energy from the start until the "
        "target was reached.",
        above=[Link("Leaderboards", "/leaderboards"), of_board],
        parts=[Part(says=says, grid=_grid(shown))],
    )


def _logged(logged: int, found: int) -> str:
    """How many of those that reached a target tell when."""
    bound = "the energy of the whole run, an upper bound"
    if logged == found:
        return "The curve of each tells when." if found > 1 else "Its curve tells when."
    if logged == 0:
        return f"No curve tells when, so it is {bound}."
    return f"The curve of {logged} tells when; of the others it is {bound}."


def _grid(found: list[Reached]) -> Grid:
    rows = []
    for one in found:
        shown = views.listed(one.row)
        said = figures.amount(Quantity(value=one.energy_kwh), ENERGY)
        rows.append(
            (
                Link(shown["title"], f"/footprints/{one.row['id']}"),
                said if one.logged else f"at most {shown['energy']['value']}",
                shown["energy"]["value"],
                figures.number(one.row["value"], 4),
                one.row["evidence"],
            )
        )
    return Grid(
        caption="The least energy first",
        columns=("Model", "Energy to target", "Whole run", "Final value", "Evidence"),
        numbers=(1, 2, 3),
        rows=rows,
    )
