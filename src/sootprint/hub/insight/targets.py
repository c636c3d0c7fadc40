"""Energy to a target: what it took to come as far as a value, by the curve that was logged, or the whole of a run."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.charts.scale import ENERGY
from sootprint.core.results import is_higher_better
from sootprint.hub import columns, leaderboards, views
from sootprint.hub.insight.sheets import Grid, Link, Part, Sheet, counted, link
from sootprint.hub.leaderboards import Names
from sootprint.hub.tables import ResultRow, table_of
from sootprint.report import figures

MOST = 2_000  # results that are looked at
MOST_LOGGED = 500  # results whose curve is read
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the results of a board tell of a value.

    Args:
        reached: Records that reached it, the least energy first.
        others: Number of those that did not, as far as they were looked at.
        is_all: Whether there were no more than could be looked at.
    """

    reached: list[Reached]
    others: int
    is_all: bool


_NUMBERS = ("seq", "value", "energy_kwh", "evidence")


def reached(engine: Engine, names: Names, target: float, *, weak: bool = False) -> Looked:
    """Records that reached a value.

    Looked at are the results that took the least energy, as two indexes have them in that order: those with a logged
    curve, which is read, and all others, of which nothing else is.

    Args:
        engine: Database.
        names: Task, data set, metric and split.
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
        curves = [dict(row) for row in connection.execute(logged).mappings()]
        ends = [{**row, "curve": None} for row in connection.execute(whole).mappings()]
    known = {row["seq"] for row in curves}
    rows = [*curves, *(row for row in ends if row["seq"] not in known)]
    found = [one for row in rows if (one := _reached(row, target, higher=higher)) is not None]
    return Looked(
        reached=sorted(found, key=lambda one: one.energy_kwh),
        others=len(rows) - len(found),
        is_all=len(curves) < MOST_LOGGED and len(ends) < MOST,
    )


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


def sheet(engine: Engine, names: Names, target: float) -> Sheet:
    """The page."""
    looked = reached(engine, names, target)
    # As the leaderboard: all evidence where none is better
    if weak := not looked.reached and not looked.others:
        looked = reached(engine, names, target, weak=True)
    found = looked.reached
    of_board = link("The leaderboard", "/leaderboards/view", **names._asdict())
    told = {
        row["seq"]: row
        for row in leaderboards.tell(engine, [one.row for one in found[: views.SHOWN_ENTRIES]])
    }
    shown = [dataclasses.replace(one, row=told[one.row["seq"]]) for one in found if one.row["seq"] in told]
    says = [_words(looked, f"{names[2]} {target:g}", _energy(shown[0]) if shown else figures.NOT_KNOWN)]
    if found:
        says.append(_logged(sum(one.logged for one in found), len(found)))
    if weak:
        says.append(f"{leaderboards.NONE_SOUND}, so all evidence is shown.")
    if not looked.is_all:
        says.append(
            f"Looked at: the {MOST:,} footprints of the least energy, and the first {MOST_LOGGED} of those that "
            "logged the way there."
        )
    where = ", ".join(one for one in (names.task, names.dataset, names.split) if one)
    return Sheet(
        title=f"Energy to {names[2]} {target:g}",
        lead=f"{where}: IT energy from the start until the target was reached.",
        above=[Link("Leaderboards", "/leaderboards"), of_board],
        parts=[Part(says=says, grid=_grid(shown))],
    )


def _energy(one: Reached) -> str:
    """Energy until a target, or the most that it can have been."""
    if one.logged:
        return figures.amount(one.energy_kwh, ENERGY)
    return f"at most {views.listed(one.row)['energy']['value']}"


def _words(looked: Looked, target: str, least: str) -> str:
    """How many reached a target, and at what energy."""
    found, others = looked.reached, looked.others or "none"
    if not found:
        return f"No footprint reached {target} here; {others} ended short of it."
    return f"{counted(len(found), 'footprint')} reached {target}, {others} did not; the least energy was {least}."


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
        rows.append(
            (
                Link(shown["title"], f"/footprints/{one.row['id']}"),
                _energy(one),
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
