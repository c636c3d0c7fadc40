"""What is read of the hub: one record, its history, and lists page by page."""

from __future__ import annotations

import base64
import binascii
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
from sootprint.hub import columns, rare
from sootprint.hub.tables import (
    WALKED,
    Account,
    FootprintRow,
    FootprintVersion,
    Recomputation,
    Tally,
    table_of,
)

MOST, USUAL = 500, 50  # records of a page of a list
MAX_WORDS = 8
MAX_PAGE = 16 << 20  # bytes of the records of a page, beyond its first
HELD = 25  # records whose contents are read at once
FEW = 4_000  # records that are sorted for a page; of a million, the others take a walk through 13,000 on average
ORDERS = ("newest", "emissions", "energy")
FILTERS = (
    *columns.FACETS,
    "project",
    "scope",
    "boundary",
    "zone",
    "run_group",
    "model",
    "dataset",
    "paper",
    "architecture",
)
SHOWN = tuple(one.name for one in table_of(FootprintRow).columns if one.name not in ("words", "account_id"))
_rows, _versions = table_of(FootprintRow), table_of(FootprintVersion)
_recomputed, _tally = table_of(Recomputation), table_of(Tally)
_INDEXES = {"run_group": "group"}  # names of indexes that are not those of their columns
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
    """One version of a record with all that the hub knows of it."""

    row: dict[str, Any]
    version: int
    at: str
    reason: str | None
    sha256: str | None
    text: bytes | None
    recomputed: dict[str, Any] | None
    account: str | None

    @property
    def footprint(self) -> Footprint:
        """The record itself; only for a version that has one."""
        return Footprint.from_json(self.text or b"")


def page(engine: Engine, question: Question) -> tuple[list[dict[str, Any]], str | None]:
    """Records of a page of a list, and the cursor of the next page, None after the last.

    Raises:
        InputError: A filter, the order, the limit or the cursor is none.
    """
    if not 1 <= question.limit <= MOST:
        raise InputError(f"limit is {question.limit}: it is between 1 and {MOST}")
    query = _filtered(engine, question)
    by = _ORDERED.get(question.order)
    with engine.connect() as connection:
        if by is not None:
            sorts = engine.dialect.name == "postgresql" and rare.is_rare(connection, _typed_filters(question))
            key = by + 0.0 if sorts else by  # no index has a sum, so the filter goes first
            query = query.where(by.is_not(None)).order_by(key.desc(), _bare["seq"].desc())
        else:
            query = query.order_by(_bare["seq"].desc())
        way = _way(connection, question) if engine.dialect.name == "sqlite" else ""
        query = query.select_from(sa.text(f"{_rows.name} {way}"))
        found = [dict(row) for row in connection.execute(query.limit(question.limit + 1)).mappings()]
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


def _filtered(engine: Engine, question: Question) -> sa.Select[Any]:
    query = sa.select(*(_bare[name] for name in SHOWN)).where(_bare["state"] == columns.PUBLISHED)
    for name, value in (question.filters or {}).items():
        if name not in FILTERS:
            raise InputError(f"filter {name!r:.40} is not one of {', '.join(FILTERS)}")
        query = query.where(_bare[name] == _typed(name, value))
    if question.words:
        query = query.where(_has_words(engine, question))
    if question.order not in ORDERS:
        raise InputError(f"order {question.order!r:.40} is not one of {', '.join(ORDERS)}")
    if question.cursor is None:
        return query
    values = _uncursor(question)
    by = _ORDERED.get(question.order)
    if by is None:
        return query.where(_bare["seq"] < values[-1])
    return query.where(sa.tuple_(by, _bare["seq"]) < sa.tuple_(sa.literal(values[0]), sa.literal(values[-1])))


def _way(connection: Connection, question: Question) -> str:
    """Index that SQLite is to go by, empty where it may choose.

    It knows how many rows a value has on average, not how many this one has: it would walk through a million records
    in the order of the list for a value that three of them have, or sort half a million for a page of fifty. So a
    filter that few records pass goes first; where all are frequent, the list is walked in its order, with the filters
    looked at in the index.
    """
    filters = question.filters or {}
    if not filters:
        return ""
    counts = [
        sa.select(sa.func.count())
        .select_from(
            sa.select(sa.literal(1)).where(_rows.c[name] == _typed(name, value)).limit(FEW).subquery()
        )
        .scalar_subquery()
        for name, value in filters.items()
    ]
    found = dict(zip(filters, connection.execute(sa.select(*counts)).one(), strict=True))
    rarest = min(found, key=lambda name: found[name])
    if found[rarest] < FEW:
        return f"INDEXED BY ix_footprint_{_INDEXES.get(rarest, rarest)}"
    if question.order != "newest":
        return "" if question.words else f"INDEXED BY ix_footprint_{question.order}"
    several = question.words or len(filters) > 1
    return "INDEXED BY ix_footprint_newest" if several and set(filters) <= set(WALKED) else ""


def _typed_filters(question: Question) -> dict[str, Any]:
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


def _has_words(engine: Engine, question: Question) -> Any:
    """Condition that a record has words that begin with each of the given ones."""
    found = re.findall(r"\w+", (question.words or "").replace("\0", ""))[:MAX_WORDS]
    if not found:
        return sa.false()
    if engine.dialect.name == "sqlite":
        return _bare["seq"].in_(_numbers(question, " ".join(f'"{word}"*' for word in found)))
    wanted = sa.func.to_tsquery(sa.text("'simple'"), " & ".join(f"{word}:*" for word in found))
    return sa.func.to_tsvector(sa.text("'simple'"), _bare["words"]).op("@@")(wanted)


def _numbers(question: Question, match: str) -> Any:
    """Numbers of the records that SQLite's index of words finds: those of one page where nothing else is asked for.

    The index gives the newest first, so that a word of a million records costs no more than one of fifty. Retracted
    records have no words.
    """
    text = "SELECT rowid FROM footprint_words WHERE footprint_words MATCH :match"
    given: dict[str, Any] = {"match": match}
    if not question.filters and question.order == "newest":
        before = (1 << 62) if question.cursor is None else _uncursor(question)[-1]
        text += " AND rowid < :before ORDER BY rowid DESC LIMIT :most"
        given |= {"before": before, "most": question.limit + 1}
    return sa.text(text).bindparams(**given).columns(sa.column("rowid", sa.Integer))


def _cursor(question: Question, last: Mapping[str, Any]) -> str:
    by = _ORDERED.get(question.order)
    values = [last["seq"]] if by is None else [last[by.name], last["seq"]]
    return base64.urlsafe_b64encode(json.dumps([question.order, *values]).encode()).decode().rstrip("=")


def _uncursor(question: Question) -> list[Any]:
    text = question.cursor or ""
    values: list[Any] = [-1]
    try:
        data = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        order, *values = data
        wanted = [int] if question.order == "newest" else [float, int]
        fits = order == question.order and [type(one) for one in values] == wanted
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fits = False
    if not fits or not 0 <= values[-1] < 1 << 62:
        raise InputError(f"cursor {text!r:.60} is none of this list: leave it out to begin at the start")
    return values


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
    if found is None:
        return None
    return Stored(
        row=dict(row),
        version=found.version,
        at=found.at,
        reason=found.reason,
        sha256=found.sha256,
        text=None if found.body is None else zlib.decompress(found.body),
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
