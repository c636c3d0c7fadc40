"""Ways through its indexes that SQLite is told to take to a page of a list, so that only the page's rows are read.

SQLite knows how many rows a value has on average, not how many this one has. Left alone it would walk through a million
records in the order of the list for a value that three of them have, or read half a million rows to sort them for a
page of fifty. A row of the table costs a page of the file; an entry of a narrow index, a two-hundredth of one. So:

- Where few records pass one of the filters, its index is read; the other filters are looked up by number in theirs,
  and the cost that the list is ordered by in one that holds nothing else.
- Where all filters are frequent, the list is walked in its order, which soon finds a page: at most `WALK` entries of
  it, for filters may exclude each other or fit only the smallest. Then the first way is taken after all.
- Where few records have the words, these are looked up by number; where few pass a filter, each of these is looked up
  in the index of words, which else puts all records with the words together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sootprint.hub import columns
from sootprint.hub.tables import WALKED, FootprintRow, Tally, table_of

FEW = 20_000  # records whose costs are looked up for a page at once, in some 20 ms
MANY = 150_000  # records that are looked up at most; of a million, a walk through all is no dearer
MATCHES = 5_000  # records with some words that are looked up, in some 10 ms
SINGLE = 1_000  # records that are looked up one by one in the index of words, in some 20 ms
WALK = 60_000  # entries of an order that are walked first, in some 15 ms
_rows, _tally = table_of(FootprintRow), table_of(Tally)
_INDEXES = {"run_group": "group"}  # names of indexes that are not those of their columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a page is asked for.

    Args:
        limit: Records at most.
        filters: Values of columns by name, at least one.
        order: newest, emissions or energy.
        cost: Column of the order, None for the newest.
        last: What the page before ended with: the cost, where the order has one, and the number; empty for the first.
        match: Words as FTS5 reads them; None where any will do, empty where none does.
    """

    limit: int
    filters: Mapping[str, Any]
    order: str
    cost: str | None
    last: Sequence[Any] = ()
    match: str | None = None


@dataclass(slots=True)
class _Way:
    """Parts of a statement that gives the numbers of records."""

    tables: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)

    def look_up(self, name: str, value: Any) -> None:
        """Let a filter be looked up in its index by the number of the record."""
        other = f"by_{name}"
        self.tables.append(f"footprint {other} INDEXED BY {_index(name)}")
        self.where += [f"{other}.{name} = :{name}", f"{other}.seq = a.seq"]
        self.given[name] = value

    def match(self, words: str | None, *, singly: bool = False) -> None:
        """Let only records with some words pass; `singly` looks each one up, and puts no others together."""
        if words is not None:
            which = "EXISTS (SELECT 1" if singly else "a.seq IN (SELECT rowid"
            one = " AND rowid = a.seq" if singly else ""
            self.where.append(f"{which} FROM footprint_words WHERE footprint_words MATCH :words{one})")
            self.given["words"] = words

    def cost(self, asked: Asked) -> None:
        """Let only published records pass, with the cost that the list is ordered by, behind the page before."""
        self.tables.append("footprint c INDEXED BY ix_footprint_costs")
        self.where += ["c.seq = a.seq", f"c.state = '{columns.PUBLISHED}'"]
        if asked.cost is not None:
            self.where.append(f"c.{asked.cost} IS NOT NULL")
        _behind(self, asked, "a" if asked.cost is None else "c")

    def run(self, connection: Connection, asked: Asked, order: str = "") -> list[int]:
        """Numbers of records, the first ones in an order, or as the first table gives them."""
        text = (
            f"SELECT a.seq FROM {' CROSS JOIN '.join(self.tables)} WHERE {' AND '.join(self.where)}"
            f"{order and f' ORDER BY {order}'} LIMIT :most"
        )
        given = {**self.given, "most": asked.limit}
        return [int(row[0]) for row in connection.execute(sa.text(text), given)]


def numbers(connection: Connection, asked: Asked) -> list[int]:
    """Numbers `seq` of the published records of a page, in its order; SQLite alone."""
    if asked.match == "":
        return []
    if asked.match is not None:
        known = _with_words(connection, asked.match)
        if len(known) <= MATCHES:
            return _by_words(connection, asked, known)
    counts = _counts(connection, asked.filters)
    names = sorted(asked.filters, key=lambda name: counts[name])
    rarest = counts[names[0]]
    one_by_one = asked.cost is None and len(names) == 1  # its index has the order of the list
    if one_by_one or rarest <= (MANY if asked.cost is None else FEW):
        return _by_filters(connection, asked, names, rarest)
    found = _by_order(connection, asked, names, most=WALK)
    if len(found) >= asked.limit:
        return found
    return (
        _by_filters(connection, asked, names, rarest)
        if rarest <= MANY
        else _by_order(connection, asked, names)
    )


def _index(name: str) -> str:
    return f"ix_footprint_{_INDEXES.get(name, name)}"


def _counts(connection: Connection, filters: Mapping[str, Any]) -> dict[str, int]:
    """Number of records that have each value: as kept for a facet, else counted as far as it matters."""
    found = {}
    for name, value in filters.items():
        if name in columns.FACETS:
            kept = sa.select(_tally.c.n).where(_tally.c.facet == name, _tally.c.value == str(value))
            found[name] = int(connection.scalar(kept) or 0)
        else:
            some = sa.select(sa.literal(1)).where(_rows.c[name] == value).limit(MANY + 1).subquery()
            found[name] = int(connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0)
    return found


def _by_filters(connection: Connection, asked: Asked, names: Sequence[str], rarest: int) -> list[int]:
    """Through the records of the first filter, which looks up the others and then the costs."""
    first, *others = names
    way = _Way(
        [f"footprint a INDEXED BY {_index(first)}"], [f"a.{first} = :{first}"], {first: asked.filters[first]}
    )
    way.match(asked.match, singly=rarest <= SINGLE and "*" not in (asked.match or ""))
    for name in others:
        way.look_up(name, asked.filters[name])
    way.cost(asked)
    return way.run(connection, asked, _order(asked, "c"))


def _with_words(connection: Connection, match: str) -> list[int]:
    """Numbers of the newest records with some words, at most one more than are looked up."""
    text = (
        "SELECT rowid FROM footprint_words WHERE footprint_words MATCH :words ORDER BY rowid DESC LIMIT :most"
    )
    return list(connection.scalars(sa.text(text), {"words": match, "most": MATCHES + 1}))


def _by_words(connection: Connection, asked: Asked, known: Sequence[int]) -> list[int]:
    """Through records with the words, each of which is looked up in the indexes of the filters and of the costs."""
    listed = ", ".join(str(int(number)) for number in known) or "NULL"
    way = _Way(["footprint a INDEXED BY ix_footprint_newest"], [f"a.seq IN ({listed})"])
    for name, value in asked.filters.items():
        way.look_up(name, value)
    way.cost(asked)
    return way.run(connection, asked, _order(asked, "c"))


def _by_order(
    connection: Connection, asked: Asked, names: Sequence[str], *, most: int | None = None
) -> list[int]:
    """Along the order of the list, of which some entries are looked at or all."""
    held = [name for name in names if name in WALKED]
    walk = _Way([f"footprint a INDEXED BY ix_footprint_{asked.order}"])
    if asked.cost is not None:
        walk.where.append(f"a.{asked.cost} IS NOT NULL")
    _behind(walk, asked, "a")
    told = ", ".join(f"a.{name}" for name in ("seq", *([asked.cost] if asked.cost else []), "state", *held))
    where = f" WHERE {' AND '.join(walk.where)}" if walk.where else ""
    end = f"ORDER BY {_order(asked, 'a')} LIMIT {-1 if most is None else most}"
    text = f"(SELECT {told} FROM {walk.tables[0]}{where} {end}) a"
    way = _Way([text], [f"a.state = '{columns.PUBLISHED}'"], dict(walk.given))
    for name in held:
        way.where.append(f"a.{name} = :{name}")
        way.given[name] = asked.filters[name]
    way.match(asked.match)
    for name in names:
        if name not in held:
            way.look_up(name, asked.filters[name])
    return way.run(connection, asked)  # an order said again would sort all entries before the first is told


def _order(asked: Asked, costs: str) -> str:
    return "a.seq DESC" if asked.cost is None else f"{costs}.{asked.cost} DESC, a.seq DESC"


def _behind(way: _Way, asked: Asked, table: str) -> None:
    """Let only what comes behind the page before pass."""
    if not asked.last:
        return
    way.given["last"] = asked.last[-1]
    if asked.cost is None:
        way.where.append(f"{table}.seq < :last")
    else:
        way.where.append(f"({table}.{asked.cost}, {table}.seq) < (:cost, :last)")
        way.given["cost"] = asked.last[0]
