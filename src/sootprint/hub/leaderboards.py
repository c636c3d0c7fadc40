"""Leaderboards: quality at carbon and at energy, for one task, data set, split and metric; never a single score alone.

Results of different splits of a data set, such as test and validation, are never in one rank; those that do not tell
their split have a leaderboard of their own.

Ranks, counts and fronts are those of all entries at any size: each is read off an index in its order, and the counts
are kept with each batch.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core.errors import InputError
from sootprint.core.results import is_higher_better
from sootprint.hub import columns, reading
from sootprint.hub.tables import BESIDE, SOUND_RESULTS, FootprintRow, ResultRow, Tally, table_of

SOUND = columns.SOUND  # the weakest evidence that counts unless all is asked for
NONE_SOUND = "No footprint here has evidence of A to C without a mark yet"  # and then all evidence is shown
MOST_ENTRIES = 5_000  # that are told of one board
LOOKED = (
    256  # entries of a board that are first looked at from either end; then four times as many, and so on
)
AT_ONCE = 500  # values of one query
_rows, _results, _tally = table_of(FootprintRow), table_of(ResultRow), table_of(Tally)
_bare = {one.name: sa.column(one.name, one.type) for one in _results.columns}  # of a FROM that is a text


class Last(NamedTuple):
    """The entry that a page of a leaderboard ends with, and how many there are up to it."""

    value: float
    emissions_kg: float
    seq: int
    n: int

    @property
    def cursor(self) -> str:
        """The same in an address."""
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, cursor: str) -> Last:
        """What a cursor says.

        Raises:
            InputError: It is none of a leaderboard.
        """
        try:
            value, emissions_kg, *whole = json.loads(
                base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            )
            made = cls(value, emissions_kg, *whole)
            fits = [type(one) for one in made] == [float, float, int, int] and math.isfinite(value)
            fits = fits and math.isfinite(emissions_kg) and all(0 <= one < 1 << 62 for one in whole)
        except (ValueError, TypeError, binascii.Error, RecursionError):
            fits = False
        if not fits:
            raise InputError(
                f"cursor {cursor!r:.60} is none of a leaderboard: leave it out to begin with the best"
            )
        return made


class Names(NamedTuple):
    """What a leaderboard is of; an empty split is that of results that do not tell theirs."""

    task: str
    dataset: str
    metric: str
    split: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A leaderboard as it is listed."""

    task: str
    dataset: str
    metric: str
    split: str
    n: int

    @property
    def called(self) -> str:
        """Metric, data set and split in words."""
        of_split = f" ({self.split})" if self.split else ""
        return f"{self.metric}{f' on {self.dataset}' if self.dataset else ''}{of_split}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A leaderboard with its entries.

    Args:
        entries: The best records with their result; `front_carbon` and `front_energy` tell whom no other of all
            entries beats in both.
        fronts: Points of the fronts by the name of their cost, the least cost first: the cost, and the value.
        n: Entries in all [1].
        higher_is_better: Direction of the metric.
        left_out: Records without emissions, with weaker evidence, or marked for review [1].
        next_cursor: Where the entries after these begin; None where there are none.
    """

    entries: list[dict[str, Any]]
    fronts: dict[str, list[tuple[float, float]]]
    n: int
    higher_is_better: bool
    left_out: int
    next_cursor: str | None = None


def boards(engine: Engine, most: int = 200) -> list[Board]:
    """Leaderboards, those with the most records first."""
    listed = reading.tallies(engine, columns.BOARD, most)
    return [Board(**Names(*json.loads(value))._asdict(), n=n) for value, n in listed]


def chosen(engine: Engine, names: Names, split: str | None) -> tuple[Names, list[tuple[str, int]]]:
    """The leaderboard that is meant, and the splits there are with their results, the most first.

    Args:
        engine: Database.
        names: Task, data set and metric.
        split: Its split; where None, results that do not tell theirs, else the split with the most.
    """
    beginning = columns.board_name(*names[:3])[:-1]
    query = (
        sa.select(_tally.c.value, _tally.c.n)
        .where(_tally.c.facet == columns.BOARD, _tally.c.n > 0)
        .where(_tally.c.value.startswith(beginning, autoescape=True))
        .order_by(_tally.c.n.desc(), _tally.c.value)
    )
    with engine.connect() as connection:
        listed = [(Names(*json.loads(row.value)), int(row.n)) for row in connection.execute(query)]
    splits = [(one.split, n) for one, n in listed if one[:3] == names[:3]]
    if split is None:
        split = "" if not splits or "" in dict(splits) else splits[0][0]
    return names._replace(split=columns.split(split)), splits


def standing(
    engine: Engine, names: Names, *, weak: bool = False, shown: int | None = None, after: Last | None = None
) -> Standing:
    """Entries of a leaderboard, the best first.

    Args:
        engine: Database.
        names: Task, data set, metric and split.
        weak: Whether weaker evidence than C and records marked for review are in.
        shown: Entries that are told; 5,000 where None.
        after: The entry that they come after; None to begin with the best.
    """
    board, higher, most = columns.board(*names), is_higher_better(names[2]), shown or MOST_ENTRIES
    entered = _entered(board, weak=weak)
    query = (
        sa.select(*(_bare[name] for name in _NUMBERS))
        .select_from(_along(engine, "rank", weak=weak))
        .where(entered, *(() if after is None else _after(after, higher=higher)))
        .order_by(_bare["value"].desc() if higher else _bare["value"], _bare["emissions_kg"], _bare["seq"])
        .limit(most + 1)
    )
    with engine.connect() as connection:
        counted = _counted(connection, board)
        fronts = {name: _front(connection, entered, name, higher=higher, weak=weak) for name in COSTS}
        rows = [dict(zip(_NUMBERS, row, strict=True)) for row in connection.execute(query)]
    is_more, rows = len(rows) > most, rows[:most]
    for cost, name in COSTS.items():
        members = set(fronts[cost])
        for row in rows:
            row[name] = (row[cost], row["value"]) in members
    n = counted[columns.COSTED if weak else columns.SOUND_ENTRIES]
    return Standing(
        entries=tell(engine, rows),
        fronts=fronts,
        n=n,
        higher_is_better=higher,
        left_out=counted[columns.ENTRIES] - n,
        next_cursor=_last(rows, after).cursor if is_more else None,
    )


def _after(last: Last, *, higher: bool) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions of the entries after one: where in the index to begin, and which of those as good come later."""
    value, emissions, seq = (_bare[name] for name in ("value", "emissions_kg", "seq"))
    yield value <= last.value if higher else value >= last.value
    later = sa.or_(emissions > last.emissions_kg, sa.and_(emissions == last.emissions_kg, seq > last.seq))
    yield sa.or_(value != last.value, later)


def _last(rows: Sequence[dict[str, Any]], after: Last | None) -> Last:
    end = rows[-1]
    return Last(end["value"], end["emissions_kg"], end["seq"], len(rows) + (0 if after is None else after.n))


def best_known(
    engine: Engine,
    names: Names,
    *,
    weak: bool | None,
    shown: int | None = None,
    after: Last | None = None,
) -> tuple[Standing, bool]:
    """Entries of a leaderboard, and whether weaker evidence is in.

    Args:
        engine: Database.
        names: Task, data set, metric and split.
        weak: As in `standing`; None for sound evidence alone, or all of it where there is no sound entry.
        shown: As in `standing`.
        after: As in `standing`.
    """
    found = standing(engine, names, weak=bool(weak), shown=shown, after=after)
    if weak is None and not found.n and found.left_out:
        return standing(engine, names, weak=True, shown=shown, after=after), True
    return found, bool(weak)


INDEXES = {"emissions_kg": "carbon", "energy_kwh": "energy"}
COSTS = {"emissions_kg": "front_carbon", "energy_kwh": "front_energy"}


def _along(engine: Engine | Connection, order: str, *, weak: bool) -> sa.TextClause:
    """The results in an order, of all of them or of the sound ones alone."""
    return _by(engine, f"ix_result_{'' if weak else 'sound_'}{order}")


def _by(engine: Engine | Connection, index: str) -> sa.TextClause:
    """The results, for SQLite with the index to go by.

    Left alone it takes an index of all results for a small one of some, since that fixes a column more, and reads all
    of a board whose entries are weak.
    """
    return sa.text(_results.name + (f" INDEXED BY {index}" if engine.dialect.name == "sqlite" else ""))


def _entered(board: str, *, weak: bool) -> sa.ColumnElement[bool]:
    """Condition of the entries of a board."""
    of_board = _bare["board"] == board
    if weak:
        return sa.and_(of_board, _bare["kind"] == "quality", _bare["emissions_kg"].is_not(None))
    return sa.and_(of_board, sa.text(SOUND_RESULTS))


def _counted(connection: Connection, board: str) -> dict[str, int]:
    """Quality results of a board, those with emissions, and those of these that are sound."""
    names = (columns.ENTRIES, columns.COSTED, columns.SOUND_ENTRIES)
    query = sa.select(_tally.c.facet, _tally.c.n).where(_tally.c.facet.in_(names), _tally.c.value == board)
    return dict.fromkeys(names, 0) | {row.facet: int(row.n) for row in connection.execute(query)}


def _front(
    connection: Connection, entered: sa.ColumnElement[bool], cost: str, *, higher: bool, weak: bool
) -> list[tuple[float, float]]:
    """Points that no other entry beats, among as many of the cheapest and of the best as tell it of all.

    What is neither among the cheapest nor among the best is beaten where one of the cheapest is as good as the last of
    the best (the threshold algorithm of Fagin, Lotem and Naor 2003). Of 28,000 entries some hundred are read; of
    thousands that cost the same, the best alone.
    """
    of, value = _bare[cost], _bare["value"]
    best_first = value.desc() if higher else value
    query = sa.select(of, value).where(entered, of.is_not(None))
    by_cost = query.select_from(_along(connection, INDEXES[cost], weak=weak))
    best = query.select_from(_along(connection, "rank", weak=weak)).order_by(best_first)
    looked = LOOKED
    while True:
        cheap = _points(connection, by_cost.order_by(of).limit(looked))
        good: list[tuple[float, float]] = []
        if is_cut := len(cheap) == looked:
            same = by_cost.where(of == cheap[-1][0])
            cheap += _points(connection, same.order_by(best_first).limit(1))
            good = _points(connection, best.limit(looked))
        values = [point[1] for point in cheap]
        if not is_cut or (max(values) >= good[-1][1] if higher else min(values) <= good[-1][1]):
            points = sorted({*cheap, *good}, key=lambda point: (point[0], -point[1] if higher else point[1]))
            return list(_read_through(points, higher))
        looked *= 4


def _points(connection: Connection, query: sa.Select[Any]) -> list[tuple[float, float]]:
    return [(row[0], row[1]) for row in connection.execute(query)]


def _read_through(points: Iterable[tuple[float, float]], higher: bool) -> Iterator[tuple[float, float]]:
    """Members of a front among points by their cost, the best of each cost first."""
    best: float | None = None
    for cost, value in points:
        if best is None or (value > best if higher else value < best):
            best = value
            yield cost, value


_NUMBERS = ("seq", "value", "emissions_kg", "energy_kwh")


def tell(engine: Engine, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with all that is shown of their records, by their number `seq`; those gone by now are left out."""
    query = sa.select(*(_rows.c[name] for name in SHOWN))
    found = []
    with engine.connect() as connection:
        for start in range(0, len(entries), AT_ONCE):
            some = entries[start : start + AT_ONCE]
            chosen = query.where(_rows.c.seq.in_([one["seq"] for one in some]))
            told = {row["seq"]: dict(row) for row in connection.execute(chosen).mappings()}
            found += [one | told[one["seq"]] for one in some if one["seq"] in told]
    return found


SHOWN = (
    "seq", "id", "name", "model", "paper", "year", "country", "hardware", "devices", "origin", "evidence",
    "verification", "marked", "energy_kwh", "energy_low_kwh", "energy_high_kwh", "emissions_kg",
    "emissions_low_kg", "emissions_high_kg",
)  # fmt: skip


def beside(engine: Engine, seqs: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Robustness and fairness results of some records, by the number of the record."""
    query = (
        sa.select(*_bare.values())
        .select_from(_by(engine, "ix_result_beside"))
        .where(_bare["seq"].in_(seqs), sa.text(BESIDE))
        .order_by(_bare["seq"], _bare["position"])
    )
    found: dict[int, list[dict[str, Any]]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query).mappings():
            found.setdefault(row["seq"], []).append(dict(row))
    return found
