"""What is read of the hub: one record, its history, and lists page by page."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.hub import beginnings, columns, cursors, rare, unshown, ways, words
from sootprint.hub.insight import projections
from sootprint.hub.tables import Account, FootprintRow, FootprintVersion, Recomputation, Tally, table_of

MOST, USUAL = 500, 50  # records of a page of a list
MAX_WORDS = 8
MAX_PAGE = 16 << 20  # bytes of the records of a page, beyond its first
HELD = 25  # records whose contents are read at once
ORDERS = ("newest", "emissions", "energy")
FILTERS = (
    *columns.FACETS, "project", "scope", "boundary", "zone", "run_group", "model", "dataset", "paper", "architecture",
    "parent",
)  # fmt: skip
SHOWN = tuple(one.name for one in table_of(FootprintRow).columns if one.name not in ("words", "account_id"))
_rows, _versions = table_of(FootprintRow), table_of(FootprintVersion)
_recomputed, _tally = table_of(Recomputation), table_of(Tally)
_bare = {one.name: sa.column(one.name, one.type) for one in _rows.columns}  # for lists, whose FROM is a text
_ORDERED = {"emissions": _bare["emissions_kg"], "energy": _bare["energy_kwh"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a list is asked for.

    Args:
        limit: Records of a page, 1 to 500.
        cursor: Where the page begins, as the one before it told; None for the first.
        order: newest, emissions or energy, the largest first.
        filters: Values of columns by name, e.g. country FR.
        words: Words that a record must have.
    """

    limit: int = USUAL
    cursor: str | None = None
    order: str = "newest"
    filters: Mapping[str, str] | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One version of a record with all that the hub knows of it.

    Args:
        row: The record as it is listed, of its newest version.
        own: The same columns as this version has them.
        version: Number of this version.
        at: When it came.
        reason: Why it changed.
        sha256: Hash of its text.
        text: Its JSON; None for a retraction.
        recomputed: What the hub made of it.
        account: Who sent it.
    """

    row: dict[str, Any]
    own: dict[str, Any]
    version: int
    at: str
    reason: str | None
    sha256: str | None
    text: bytes | None
    recomputed: dict[str, Any] | None
    account: str | None

    @property
    def footprint(self) -> Footprint:
        """The record itself; only for a version that has one.

        Raises:
            UnshownError: It breaks a rule that came after it.
        """
        return unshown.footprint(self.text or b"")


def page(engine: Engine, question: Question) -> tuple[list[dict[str, Any]], str | None]:
    """Records of a page of a list, and the cursor of the next page, None after the last.

    Raises:
        InputError: A filter, the order, the limit or the cursor is none.
    """
    if not 1 <= question.limit <= MOST:
        raise InputError(f"limit is {question.limit}: it is between 1 and {MOST}")
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            found = _found_postgresql(connection, question)
        elif question.filters:
            connection.exec_driver_sql("BEGIN")  # what is found and what is read of it are of one instant
            chosen = ways.numbers(connection, _asked(connection, question))
            found = _listed(connection, question, _select().where(_bare["seq"].in_(chosen)))
        else:
            found = _listed(connection, question, _filtered(question, _words_sqlite(connection, question)))
    items = found[: question.limit]
    more = len(found) > question.limit
    return items, _cursor(question, items[-1]) if more else None


def pages(
    engine: Engine, question: Question, first: tuple[list[dict[str, Any]], str | None]
) -> Iterator[list[dict[str, Any]]]:
    """Pages of a list from the first, which was read already, to the last."""
    rows, cursor = first
    yield rows
    while cursor is not None:
        rows, cursor = page(engine, replace(question, cursor=cursor))
        yield rows


def texts(engine: Engine, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Ids and JSON of the newest versions of records, in the order of their ids; those that are gone are left out.

    A record may have megabytes, so that few are held at once.
    """
    for begin in range(0, len(keys), HELD):
        some = keys[begin : begin + HELD]
        query = (
            sa.select(_rows.c.id, _versions.c.body)
            .join(_versions, sa.and_(_versions.c.id == _rows.c.id, _versions.c.version == _rows.c.version))
            .where(_rows.c.id.in_(some))
        )
        with engine.connect() as connection:
            found = {row.id: row.body for row in connection.execute(query)}
        yield from ((key, zlib.decompress(found[key])) for key in some if found.get(key) is not None)


def whole(
    engine: Engine, question: Question, rows: Sequence[Mapping[str, Any]], following: str | None
) -> tuple[list[bytes], str | None]:
    """JSON of the records of a page, and the cursor of the next; a page of large records ends before its limit."""
    by_id, size = {row["id"]: row for row in rows}, 0
    found: list[bytes] = []
    last: Mapping[str, Any] = {}
    for key, text in texts(engine, list(by_id)):
        if found and size + len(text) > MAX_PAGE:
            return found, _cursor(question, last)
        found.append(text)
        size, last = size + len(text), by_id[key]
    return found, following


def _select() -> sa.Select[Any]:
    return sa.select(*(_bare[name] for name in SHOWN))


def _listed(
    connection: Connection,
    question: Question,
    query: sa.Select[Any],
    *,
    source: Any = None,
    sorts: bool = False,
) -> list[dict[str, Any]]:
    """Rows of a page and one more, in its order."""
    query = query.select_from(sa.text(_rows.name) if source is None else source)
    query = _ordered(question, query, sorts=sorts).limit(question.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def _ordered(question: Question, query: sa.Select[Any], *, sorts: bool) -> sa.Select[Any]:
    """Rows in the order of the list; `sorts` keeps PostgreSQL from an index that has this order."""
    by = _ORDERED.get(question.order)
    if by is not None:
        query = query.where(by.is_not(None)).order_by((by + 0.0 if sorts else by).desc())
    return query.order_by((_bare["seq"] + 0 if sorts else _bare["seq"]).desc())


def _found_postgresql(connection: Connection, question: Question) -> list[dict[str, Any]]:
    """Rows of a page and one more, by the index that gives them soonest."""
    wanted, is_newest = _words(question), question.order not in _ORDERED
    if not question.words:
        sorts = not is_newest and rare.is_rare(connection, _filters(question))
        return _listed(connection, question, _filtered(question), sorts=sorts)
    if not wanted:
        return []
    way = words.way(connection, wanted)
    if way.are_few:
        few = _filtered(question, way.indexed, indexed=False)
        return _sorted(connection, question, few, way.rest)
    each = words.read(wanted)
    if rare.is_rare(connection, _filters(question)):
        return _sorted(connection, question, _filtered(question), each)
    found = _walked(connection, question, each)
    if len(found) > question.limit:
        return found
    both = _filtered(question, words.has(wanted) if way.indexed is None else way.indexed)
    if not is_newest:
        if way.indexed is None:
            return _listed(connection, question, _filtered(question, each))
        return _sorted(connection, question, both, way.rest)
    most = words.FILTERED if question.filters and way.indexed is not None else words.WALK
    before = (_last(question) or [cursors.MOST])[-1]
    numbers, are_all = words.blocks(connection, wanted, before, most)
    found = _joined(connection, question, _filtered(question, each), words.within(numbers, before))
    if are_all or len(found) > question.limit:
        return found
    return _sorted(connection, question, both, way.rest if way.indexed is not None else sa.true())


def _walked(connection: Connection, question: Question, each: Any) -> list[dict[str, Any]]:
    """Rows of a page and one more among the first that pass the filters, looked at one by one; no more is read."""
    first = _ordered(question, _filtered(question).add_columns(_bare["words"]), sorts=False)
    source = first.select_from(sa.text(_rows.name)).limit(words.NEWEST).subquery(_rows.name)
    return _joined(connection, question, _select().where(each), source)


def _joined(
    connection: Connection, question: Question, query: sa.Select[Any], source: Any
) -> list[dict[str, Any]]:
    """Rows of a page and one more as a source gives them, the newest first; no more of it is read."""
    query = query.select_from(source).limit(question.limit + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def _sorted(
    connection: Connection, question: Question, few: sa.Select[Any], rest: Any
) -> list[dict[str, Any]]:
    """Rows of a page and one more among few: all are sorted, and the rest is looked at until the page is full."""
    looked: sa.Select[Any] = few.with_only_columns(_bare["seq"], _bare["words"])
    ordered = _ordered(question, looked.select_from(sa.text(_rows.name)), sorts=True)
    fenced = ordered.offset(0).subquery("few")  # an offset keeps the rest outside
    chosen: sa.Select[Any] = sa.select(sa.column("seq")).select_from(fenced)
    chosen = chosen.where(rest).limit(question.limit + 1)
    return _listed(connection, question, _select().where(_bare["seq"].in_(chosen)), sorts=True)


def _filtered(question: Question, has_words: Any = None, *, indexed: bool = True) -> sa.Select[Any]:
    """Rows that a question asks for; `indexed` lets the indexes of its filters be read."""
    query = _select().where(_bare["state"] == columns.PUBLISHED)
    for name, value in _filters(question).items():
        nothing = 0 if isinstance(value, int) else ""
        query = query.where((_bare[name] if indexed else _bare[name] + nothing) == value)
    if has_words is not None:
        query = query.where(has_words)
    values = _last(question)
    if not values:
        return query
    by = _ORDERED.get(question.order)
    if by is None:
        return query.where(_bare["seq"] < values[-1])
    return query.where(sa.tuple_(by, _bare["seq"]) < sa.tuple_(sa.literal(values[0]), sa.literal(values[-1])))


def _asked(connection: Connection, question: Question) -> ways.Asked:
    by = _ORDERED.get(question.order)
    return ways.Asked(
        limit=question.limit + 1,
        filters=_filters(question),
        order=question.order,
        cost=None if by is None else by.name,
        last=_last(question),
        match=beginnings.matching(connection, _words(question)) if question.words else None,
    )


def _filters(question: Question) -> dict[str, Any]:
    """Values of the filters as the columns have them; the order is looked at, too."""
    for name in question.filters or {}:
        if name not in FILTERS:
            raise InputError(f"filter {name!r:.40} is not one of {', '.join(FILTERS)}")
    if question.order not in ORDERS:
        raise InputError(f"order {question.order!r:.40} is not one of {', '.join(ORDERS)}")
    return {name: _typed(name, value) for name, value in (question.filters or {}).items()}


def _typed(name: str, value: str) -> Any:
    if name not in ("year", "marked"):
        return value.replace("\0", "")
    try:
        number = int(value)
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 31:
        raise InputError(f"{name} is {value!r:.40}: it is a whole number")
    return number


def _words(question: Question) -> list[str]:
    return re.findall(r"\w+", (question.words or "").replace("\0", ""))[:MAX_WORDS]


def _words_sqlite(connection: Connection, question: Question) -> Any:
    """Condition that a record has words that begin with each of the given ones; None where none are asked for."""
    if not question.words:
        return None
    match = beginnings.matching(connection, _words(question))
    return _bare["seq"].in_(_numbers(question, match)) if match else sa.false()


def _numbers(question: Question, match: str) -> Any:
    """Numbers of the records that SQLite's index of words finds: those of one page where nothing else is asked for.

    The index gives the newest first, so that a word of a million records costs no more than one of fifty. Retracted
    records have no words.
    """
    text = "SELECT rowid FROM footprint_words WHERE footprint_words MATCH :match"
    given: dict[str, Any] = {"match": match}
    if not question.filters and question.order == "newest":
        before = (_last(question) or [cursors.MOST])[-1]
        text += " AND rowid < :before ORDER BY rowid DESC LIMIT :most"
        given |= {"before": before, "most": question.limit + 1}
    return sa.text(text).bindparams(**given).columns(sa.column("rowid", sa.Integer))


def _cursor(question: Question, last: Mapping[str, Any]) -> str:
    by = _ORDERED.get(question.order)
    return cursors.written(question.order, [*([] if by is None else [last[by.name]]), last["seq"]])


def _last(question: Question) -> list[Any]:
    """What the page before ended with; empty for the first."""
    return [] if question.cursor is None else cursors.read(question.order, question.cursor)


def one(engine: Engine, key: str, version: int | None = None) -> Stored | None:
    """One version of a record, the newest unless a number is given; None where there is none."""
    with engine.connect() as connection:
        row = connection.execute(sa.select(_rows).where(_rows.c.id == key)).mappings().first()
        if row is None:
            return None
        number = row["version"] if version is None else version
        accounts = table_of(Account)
        query = (
            sa.select(_versions, accounts.c.name.label("account"))
            .outerjoin(accounts, accounts.c.id == _versions.c.account_id)
            .where(_versions.c.id == key, _versions.c.version == number)
        )
        found = connection.execute(query).first()
        made = _recomputation(connection, key, number)
        text = None if found is None or found.body is None else zlib.decompress(found.body)
        own = dict(row)
        if text is not None and number != row["version"]:
            own = projections.earlier(connection, own, found, text)
    if found is None:
        return None
    return Stored(
        row=dict(row),
        own=own,
        version=found.version,
        at=found.at,
        reason=found.reason,
        sha256=found.sha256,
        text=text,
        recomputed=made,
        account=found.account,
    )


def _recomputation(connection: Connection, key: str, version: int) -> dict[str, Any] | None:
    query = (
        sa.select(_recomputed)
        .where(_recomputed.c.id == key, _recomputed.c.version == version)
        .order_by(_recomputed.c.at.desc())
        .limit(1)
    )
    found = connection.execute(query).mappings().first()
    return None if found is None else {**found, "detail": json.loads(found["detail"])}


def history(engine: Engine, key: str) -> list[dict[str, Any]]:
    """Versions of a record, the oldest first, without their contents."""
    shown = _versions.c["version", "at", "reason", "sha256"]
    query = sa.select(*shown).where(_versions.c.id == key).order_by(_versions.c.version)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def tallies(engine: Engine, facet: str, most: int = 50) -> list[tuple[str, int]]:
    """Values of a facet with the number of published records that have each, the most frequent first."""
    query = (
        sa.select(_tally.c.value, _tally.c.n)
        .where(_tally.c.facet == facet, _tally.c.n > 0)
        .order_by(_tally.c.n.desc(), _tally.c.value)
        .limit(most)
    )
    with engine.connect() as connection:
        return [(row.value, int(row.n)) for row in connection.execute(query)]
