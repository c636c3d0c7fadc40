"""Leaderboards: quality at carbon and at energy, for one task, data set and metric; never a single score alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import columns, reading
from sootprint.hub.directions import is_higher_better
from sootprint.hub.tables import FootprintRow, ResultRow, table_of

SOUND = "C"  # the weakest evidence that counts unless all is asked for
MOST_ENTRIES = 5_000
AT_ONCE = 500  # values of one query
_rows, _results = table_of(FootprintRow), table_of(ResultRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A leaderboard as it is listed."""

    task: str
    dataset: str
    metric: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A leaderboard with its entries.

    Args:
        entries: Records with their result; `front_carbon` and `front_energy` tell who no other beats in both.
        higher_is_better: Direction of the metric.
        left_out: Records without emissions, with weaker evidence, or marked for review [1].
        beyond: Records of a very large board that were not looked at, as they emitted more than those that were; a
            front may lack some of them [1].
    """

    entries: list[dict[str, Any]]
    higher_is_better: bool
    left_out: int
    beyond: int = 0


def boards(engine: Engine, most: int = 200) -> list[Board]:
    """Leaderboards, those with the most records first."""
    listed = reading.tallies(engine, columns.BOARD, most)
    found = [(*json.loads(value), n) for value, n in listed]
    return [Board(task=task, dataset=dataset, metric=metric, n=n) for task, dataset, metric, n in found]


def standing(
    engine: Engine, names: tuple[str, str, str], *, weak: bool = False, shown: int = MOST_ENTRIES
) -> Standing:
    """Entries of the leaderboard of a task, data set and metric, the best first.

    Args:
        engine: Database.
        names: Task, data set and metric.
        weak: Whether weaker evidence than C and records marked for review are in.
        shown: Entries that are told in full; the others have their numbers alone.
    """
    of_board = sa.and_(_results.c.board == columns.board(*names), _results.c.kind == "quality")
    query = (
        sa.select(*(_results.c[name] for name in _NUMBERS))
        .where(of_board)
        .order_by(_results.c.emissions_kg, _results.c.seq)
        .limit(MOST_ENTRIES)
    )
    with engine.connect() as connection:
        rows = [dict(zip(_NUMBERS, row, strict=True)) for row in connection.execute(query)]
        counted = sa.select(sa.func.count()).select_from(_results).where(of_board)
        whole = len(rows) if len(rows) < MOST_ENTRIES else connection.execute(counted).scalar_one()
    kept = [row for row in rows if row["emissions_kg"] is not None and (weak or _is_sound(row))]
    higher = is_higher_better(names[2])
    for cost, name in (("emissions_kg", "front_carbon"), ("energy_kwh", "front_energy")):
        members = front([(row[cost], row["value"]) for row in kept], higher_is_better=higher)
        for row, member in zip(kept, members, strict=True):
            row[name] = member
    kept.sort(key=lambda row: (-row["value"] if higher else row["value"], row["emissions_kg"]))
    kept[:shown] = tell(engine, kept[:shown])
    left_out, beyond = len(rows) - len(kept), whole - len(rows)
    return Standing(entries=kept, higher_is_better=higher, left_out=left_out, beyond=beyond)


_NUMBERS = ("seq", "value", "emissions_kg", "energy_kwh", "evidence", "marked")


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
        sa.select(_results)
        .where(_results.c.seq.in_(seqs), _results.c.kind != "quality")
        .order_by(_results.c.seq, _results.c.position)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query).mappings():
            found.setdefault(row["seq"], []).append(dict(row))
    return found


def _is_sound(row: dict[str, Any]) -> bool:
    return row["evidence"] <= SOUND and not row["marked"]


def front(points: Sequence[tuple[float | None, float]], *, higher_is_better: bool) -> list[bool]:
    """Whether each of some points (cost, value) is beaten by no other: no worse in both, better in one.

    Equal points are all members; a point without a cost is none.

    >>> front([(1.0, 5.0), (2.0, 5.0), (3.0, 9.0), (1.0, 5.0)], higher_is_better=True)
    [True, False, True, True]
    """
    sign = -1.0 if higher_is_better else 1.0
    known = sorted(
        (cost, sign * value, index) for index, (cost, value) in enumerate(points) if cost is not None
    )
    member = [False] * len(points)
    best, best_cost = float("inf"), 0.0
    for cost, value, index in known:
        if value < best or (value == best and cost == best_cost):
            best, best_cost = value, cost
            member[index] = True
    return member
