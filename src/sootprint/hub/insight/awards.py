"""The yearly award: the least carbon within a few per cent of the best, for each task; rules and ties are public."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core.results import is_higher_better
from sootprint.hub import columns, leaderboards, views
from sootprint.hub.insight.sheets import Grid, Link, Part, Sheet, link, options
from sootprint.hub.leaderboards import Board
from sootprint.hub.tables import FootprintRow, ResultRow, table_of
from sootprint.report import figures

if TYPE_CHECKING:
    from sootprint.hub.context import Hub

WITHIN = (1, 2, 5, 10)  # per cent of the best value that may be given up
FEWEST = 2  # entries without which there is nothing to win
MOST_BOARDS, MOST_ENTRIES, SHOWN_TIES = 60, 200, 8
USUAL = 2  # of `WITHIN`
SHOWN_REWARDS = 5  # of one record


class Cost(NamedTuple):
    """What an award counts: its column, the columns of its interval, and its words."""

    column: str
    low: str
    high: str
    least: str
    of: str


COSTS = {
    "carbon": Cost("emissions_kg", "emissions_low_kg", "emissions_high_kg", "Least carbon", "emissions"),
    "energy": Cost("energy_kwh", "energy_low_kwh", "energy_high_kwh", "Least energy", "energy"),
}
CARBON = COSTS["carbon"]
RULES = (
    "An entry is a published footprint with a quality result on the leaderboard, of the year of "
    "its training or publication.",
    "Its evidence is C or better (measured at least at the accelerators), its emissions (or its energy) are "
    "known, and it is not to be reviewed.",
    "The best value of the year sets the bar; entries within the chosen share of it are in.",
    "Of those, the one with the least location-based emissions wins; by energy, the one with the least energy, which "
    "no clean grid makes less. Offsets and market instruments count for nothing.",
    "Entries whose 90 % interval overlaps the winner's share the award: the difference cannot be told. Where one of "
    "the two has no interval, they share it only if its value alone tells that they overlap; how many others may "
    "share it is said.",
    "A leaderboard with fewer than two entries has no award.",
)
_rows, _results = table_of(FootprintRow), table_of(ResultRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """The award of one leaderboard.

    Args:
        board: The leaderboard.
        best: Best value of the year.
        bar: Value that had to be reached.
        entries: Entries of the year [1].
        within: Entries that reached the bar [1].
        winners: The winner, and those that share the award.
        untold: Others within the bar that may share it, which an interval that is not known leaves open [1].
    """

    board: Board
    best: float
    bar: float
    entries: int
    within: int
    winners: list[dict[str, Any]]
    untold: int


def years(engine: Engine) -> list[int]:
    """Years with records, the newest first."""
    from sootprint.hub import reading

    return sorted((int(value) for value, _ in reading.tallies(engine, "year", 100)), reverse=True)


def awards(engine: Engine, year: int, within: int, cost: Cost = CARBON) -> list[Award]:
    """Awards of a year, those with the most entries first."""
    with engine.connect() as connection:
        found = [
            _award(connection, board, year, within=within, cost=cost)
            for board in leaderboards.boards(engine, MOST_BOARDS)
        ]
    return sorted((one for one in found if one is not None), key=lambda one: -one.entries)


def _award(connection: Connection, board: Board, year: int, *, within: int, cost: Cost) -> Award | None:
    spent = _results.c[cost.column]
    entered = _entered(board, year, spent)
    higher = is_higher_better(board.metric)
    extreme = sa.func.max(_results.c.value) if higher else sa.func.min(_results.c.value)
    n, best = connection.execute(
        sa.select(sa.func.count(sa.distinct(_results.c.seq)), extreme).where(entered)
    ).one()
    if n < FEWEST:
        return None
    bar = best - abs(best) * within / 100.0 if higher else best + abs(best) * within / 100.0
    reached = _results.c.value >= bar if higher else _results.c.value <= bar
    shown = [_rows.c[name] for name in leaderboards.SHOWN]
    query = (
        sa.select(_results.c.value, *shown)
        .join(_rows, _rows.c.seq == _results.c.seq)
        .where(entered, reached)
        .order_by(spent, _results.c.seq)
        .limit(MOST_ENTRIES)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    listed = list({row["id"]: row for row in reversed(rows)}.values())[::-1]
    winners = _ties(listed, cost)
    return Award(
        board=board,
        best=best,
        bar=bar,
        entries=n,
        within=len(listed),
        winners=winners,
        untold=_untold(listed, winners, cost),
    )


def _entered(board: Board, year: int, spent: sa.ColumnElement[float | None]) -> sa.ColumnElement[bool]:
    """Condition of an entry: quality of that leaderboard and year, sound evidence without a mark, a known cost."""
    return sa.and_(
        _results.c.board == columns.board(board.task, board.dataset, board.metric, board.split),
        _results.c.year == year,
        _results.c.evidence <= leaderboards.SOUND,
        _results.c.marked == 0,
        _results.c.kind == "quality",
        spent > 0.0,
    )


def _ties(rows: list[dict[str, Any]], cost: Cost = CARBON) -> list[dict[str, Any]]:
    """The first, and the others of which it is certain that their interval begins before its own ends."""
    first = rows[0]
    end = _bound(first, cost.high, cost)
    return [row for row in rows if row is first or _bound(row, cost.low, cost) <= end]


def _untold(rows: list[dict[str, Any]], winners: list[dict[str, Any]], cost: Cost = CARBON) -> int:
    """Rows that do not certainly share the award, but would if a bound that is not known were far enough out."""
    if rows[0][cost.high] is None:
        return len(rows) - len(winners)
    return sum(row[cost.low] is None for row in rows if row not in winners)


def _bound(row: dict[str, Any], end: str, cost: Cost) -> float:
    """End of the interval of a row's cost; the value where none is known, which it holds for certain."""
    bound = row[end]
    return float(row[cost.column] if bound is None else bound)


class Reward(NamedTuple):
    """An award that a record won or shares.

    Args:
        least: What was counted, e.g. "Least carbon".
        board: Metric, data set and split of the leaderboard.
        year: Year of the award.
        shared: Records that share it, this one included [1].
        to: Address of the page of awards.
    """

    least: str
    board: str
    year: int
    shared: int
    to: str


def won(hub: Hub, row: dict[str, Any]) -> list[Reward]:
    """Awards of its year that a record won or shares, by carbon and by energy, within 2 % of the best.

    Args:
        hub: The hub, which keeps the awards of a year for a while.
        row: The record as it is listed.
    """
    year = row["year"]
    if (
        year is None
        or row["marked"]
        or row["state"] != columns.PUBLISHED
        or row["evidence"] > leaderboards.SOUND
    ):
        return []
    found = []
    for name, cost in COSTS.items():

        def make(cost: Cost = cost) -> list[Award]:
            return awards(hub.engine, year, USUAL, cost)

        for one in hub.kept.now(hub.engine, f"awards {year} {name}", make):
            if any(winner["id"] == row["id"] for winner in one.winners):
                to = link("", "/award", year=year, within=USUAL, by=name).to
                found.append(Reward(cost.least, one.board.called, year, len(one.winners), to))
    return found[:SHOWN_REWARDS]


def sheet(engine: Engine, year: int | None, within: int, by: str = "carbon") -> Sheet:
    """The page."""
    known, cost = years(engine), COSTS[by]
    chosen = year if year is not None else (known[0] if known else None)
    found = awards(engine, chosen, within, cost) if chosen is not None else []
    given = {"year": None if chosen is None else str(chosen), "within": str(within), "by": by}
    words = _said(found, chosen, cost)
    return Sheet(
        title=f"{cost.least} near the best{f', {chosen}' if chosen else ''}",
        lead="The yearly award of each leaderboard: who came within a few per cent of the best, with "
        f"the {cost.least.lower()}.",
        above=[Link("Leaderboards", "/leaderboards")],
        choices=[
            ("Year", options("/award", "year", [(str(one), str(one)) for one in known[:12]], given)),
            ("Within", options("/award", "within", [(str(one), f"{one} %") for one in WITHIN], given)),
            ("By", options("/award", "by", [(name, name) for name in COSTS], given)),
        ],
        parts=[
            Part(says=[words], grid=_grid(found, by)),
            Part(title="Rules", items=list(RULES)),
        ],
    )


def _said(found: list[Award], year: int | None, cost: Cost) -> str:
    if not found:
        return f"No leaderboard has two entries of evidence C or better{f' of {year}' if year else ''} yet."
    shared = sum(len(one.winners) > 1 for one in found)
    said = f"{len(found)} {'leaderboard has' if len(found) == 1 else 'leaderboards have'} an award of {year}"
    return f"{said}; {shared or 'none'} {'is' if shared < 2 else 'are'} shared, where {cost.of} cannot be told apart."


def _place(place: int, winners: int, untold: int) -> str:
    """What stands below the name of one who shares an award; the last that is shown tells how many more do.

    The first tells how many more may.
    """
    more = winners - SHOWN_TIES if place == SHOWN_TIES - 1 else 0
    if not place:
        return f"{untold} more may share it: an interval is not known" if untold else ""
    return f"shares the award, as {more} more do" if more > 0 else "shares the award"


def _grid(found: list[Award], by: str) -> Grid:
    return Grid(
        caption="Winners, the leaderboards with the most entries first",
        columns=(
            *("Model", "Leaderboard", "Energy (90 %)" if by == "energy" else "CO2e (90 %)"),
            *("Value", "Best, and least to enter", "Near the best"),
        ),
        numbers=(2, 3, 4, 5),
        rows=[
            _winner(one, place, row, by)
            for one in found
            for place, row in enumerate(one.winners[:SHOWN_TIES])
        ],
    )


def _winner(one: Award, place: int, row: dict[str, Any], by: str) -> tuple[str | Link, ...]:
    """Row of the table for one who won an award or shares it."""
    shown, board = views.listed(row), one.board
    of_board = link(
        board.called,
        "/leaderboards/view",
        small=board.task,
        task=board.task,
        dataset=board.dataset,
        metric=board.metric,
        split=board.split,
    )
    return (
        Link(shown["title"], f"/footprints/{row['id']}", _place(place, len(one.winners), one.untold)),
        of_board,
        views.with_spread(shown["energy" if by == "energy" else "emissions"]),
        figures.number(row["value"], 4),
        f"{figures.number(one.best, 4)}, {figures.number(one.bar, 4)}",
        f"{one.within} of {one.entries}",
    )
