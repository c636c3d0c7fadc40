"""Projections made again from the records: rows, results, facets and sums of a hub that an earlier program filled.

The versions of the records are the truth; everything here follows from them and from the reviews. A small hub makes
them again as it starts. A large one serves meanwhile (`catch_up`): first rows and results, a few hundred at a time
between the writers, then counts and sums from one look at the database, corrected by what changed since that look.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.catalogue import tables
from sootprint.core.errors import SootprintError
from sootprint.core.records import Footprint
from sootprint.hub import columns, ingest, logs, truth, unshown
from sootprint.hub.database import writing
from sootprint.hub.insight import reviews, rollups
from sootprint.hub.insight.tables import Review, Rollup
from sootprint.hub.insight.tallied import Tallied
from sootprint.hub.tables import AuditEntry, FootprintRow, FootprintVersion, ResultRow, Tally, table_of

STATE = 5  # of the projections that this program makes; one more with each change of what they hold
# What a record's text holds where a state gave it other projections than the one before; every record's where not named
_WHEN = rb'"(started|published)":"(?!\d{4}(-\d\d){0,2}"|\d{4}(-\d\d){2}T(?!24)\d\d:\d\d:\d\d(\.\d+)?Z")'
CHANGED = {4: re.compile(b'"split":"'), 5: re.compile(_WHEN)}
MADE, PROGRESS = "made", "making"
CHUNK = 500
AT_START = 5_000  # records that are made again while all wait, in a few seconds
TOLD = 20_000  # records between two lines of the log
_rows, _versions, _results = table_of(FootprintRow), table_of(FootprintVersion), table_of(ResultRow)
_tally, _rollup, _reviews = table_of(Tally), table_of(Rollup), table_of(Review)
_entries = table_of(AuditEntry)


def ensure(engine: Engine) -> int:
    """Number of records whose projections were made again at once; 0 where none are to be, or too many."""
    if is_made(engine) or is_large(engine):
        return 0
    with writing(engine) as connection:
        if connection.scalar(_state()) == STATE:  # another worker was first
            return 0
        n = rebuild(connection)
        _mark(connection, MADE, STATE)
    return n


def is_made(engine: Engine) -> bool:
    """Whether the projections are those of this program."""
    with engine.connect() as connection:
        return bool(connection.scalar(_state()) == STATE)


def is_large(engine: Engine) -> bool:
    """Whether the hub holds more records than are made again while all wait."""
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0) > AT_START


def catch_up(engine: Engine) -> int:
    """Number of published records whose projections were made again while the hub is in use.

    It may be stopped at any point, and goes on behind the last chunk of rows. Until it ends, pages show what an
    earlier program counted.
    """
    if is_made(engine):
        return 0
    with engine.connect() as connection:
        last = int(connection.scalar(_state(PROGRESS)) or 0)
        was = int(connection.scalar(_state()) or 0)
        total = int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0)
    while (following := _renewed(engine, last, was)) is not None:
        if following // TOLD > last // TOLD:
            logs.event("projections are made again", done=following, of=total)
        last = following
    n = _counted_again(engine)
    logs.event("projections are made again", done=n, of=n)
    return n


def _renewed(engine: Engine, last: int, was: int = 0) -> int | None:
    """Number of the last record of the next chunk, whose row and results are new; None behind the last.

    Args:
        engine: Database.
        last: Number of the record behind which to begin.
        was: State of the projections that are there.
    """
    with engine.connect() as connection:
        looked = _after(connection, last)
    if not looked:
        return None
    texts = [zlib.decompress(row.pop("body")) for row in looked]
    touched = [(row, text) for row, text in zip(looked, texts, strict=True) if _is_touched(text, was)]
    parts, _ = _parts(touched)
    with writing(engine) as connection:
        if connection.scalar(_state()) == STATE:  # another worker was first
            return None
        stays = sa.select(_rows.c.seq, _rows.c.version).where(
            _rows.c.seq.in_([row["seq"] for row, _, _ in parts]), _rows.c.state == columns.PUBLISHED
        )
        now = {row.seq: row.version for row in connection.execute(stays)}
        # What changed since has a row of this program already
        fresh = [part for part in parts if now.get(part[0]["seq"]) == part[0]["version"]]
        if fresh:
            rows, results = projected(connection, fresh)
            connection.execute(sa.delete(_results).where(_results.c.seq.in_([row["seq"] for row in rows])))
            _replace(connection, rows, results)
        _mark(connection, PROGRESS, looked[-1]["seq"])
    return int(looked[-1]["seq"])


def _is_touched(text: bytes, was: int) -> bool:
    """Whether a record may have other projections than a state gave it."""
    states = range(was + 1, STATE + 1)
    return any(state not in CHANGED or CHANGED[state].search(text) for state in states)


def count_again(engine: Engine) -> int:
    """Number of published records, of which all counts and sums are made again."""
    with writing(engine) as connection:
        _mark(connection, MADE, 0)
    return _counted_again(engine)


def _counted_again(engine: Engine) -> int:
    """Number of published records, whose counts and sums are made again from their rows."""
    snapshot = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect() as plain, closing(Tallied()) as made:
        before = plain.execution_options(**snapshot)
        if not snapshot:
            before.exec_driver_sql("BEGIN")
        seen = (before.scalar(_last_entry), before.scalar(_last_review))
        n = 0
        for row, listed in published(before):
            made.add(row, listed)
            n += 1
        with writing(engine) as connection:
            if connection.scalar(_state()) == STATE:
                return 0
            changed = _changed_since(connection, *seen)
            for start in range(0, len(changed), CHUNK):
                some = _rows.c.id.in_(changed[start : start + CHUNK])
                for sign, found in ((-1, _heads(before, some)), (1, _heads(connection, some))):
                    for row, listed in found:
                        made.add(row, listed, sign)
            for table in (_tally, _rollup):
                connection.execute(sa.delete(table))
            made.write(connection)
            _mark(connection, MADE, STATE)
    return n


def published(connection: Connection) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """All published records with their results, in their order, a chunk read at a time."""
    last = 0
    while found := _heads(connection, _rows.c.seq > last):
        yield from found
        last = found[-1][0]["seq"]


def _heads(connection: Connection, chosen: Any) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Some published records with their results, in their order, at most a chunk."""
    query = (
        sa.select(_rows).where(chosen, _rows.c.state == columns.PUBLISHED).order_by(_rows.c.seq).limit(CHUNK)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    listed: dict[int, list[dict[str, Any]]] = {row["seq"]: [] for row in rows}
    for one in connection.execute(sa.select(_results).where(_results.c.seq.in_(list(listed)))).mappings():
        listed[one["seq"]].append(dict(one))
    return [(row, listed[row["seq"]]) for row in rows]


def _changed_since(connection: Connection, entry: int | None, review: int | None) -> list[str]:
    """Records with a version, a review or a decided claim behind those that a look at the database saw."""
    versions = sa.select(_versions.c.id).where(_versions.c.audit_seq > (entry or 0))
    reviewed = sa.select(_reviews.c.footprint).where(_reviews.c.seq > (review or 0))
    decided = sa.select(_entries.c.detail).where(_entries.c.seq > (entry or 0), _entries.c.action == "decide")
    claimed = (json.loads(detail)["id"] for detail in connection.scalars(decided))
    return sorted({*connection.scalars(versions), *connection.scalars(reviewed), *claimed})


_last_entry = sa.select(sa.func.max(_entries.c.seq))
_last_review = sa.select(sa.func.max(_reviews.c.seq))


_KEYS = {
    MADE: "projections",
    PROGRESS: f"to {STATE}",
}  # how far a program of another state was is nothing to this one


def _state(kind: str = MADE) -> sa.Select[Any]:
    return sa.select(_rollup.c.n).where(_rollup.c.kind == kind, _rollup.c.key == _KEYS[kind])


def _mark(connection: Connection, kind: str, n: int) -> None:
    """Keep how far this is, beside the sums."""
    kinds = (MADE, PROGRESS) if kind == MADE else (kind,)
    connection.execute(sa.delete(_rollup).where(_rollup.c.kind.in_(kinds)))
    nothing = dict.fromkeys(rollups.SUMS, 0)
    connection.execute(sa.insert(_rollup), {**nothing, "kind": kind, "key": _KEYS[kind], "n": n})


def rebuild(connection: Connection) -> int:
    """Number of published records, whose projections are made again; the caller holds the writer's lock."""
    for table in (_results, _tally, _rollup):
        connection.execute(sa.delete(table))
    last, n = 0, 0
    while found := _after(connection, last):
        _chunk(connection, found)
        last, n = found[-1]["seq"], n + len(found)
    return n


def _after(connection: Connection, last: int) -> list[dict[str, Any]]:
    """The next published records behind a number, each with the body of its version."""
    query = (
        sa.select(_rows, _versions.c.body)
        .join(_versions, sa.and_(_versions.c.id == _rows.c.id, _versions.c.version == _rows.c.version))
        .where(_rows.c.seq > last, _rows.c.state == columns.PUBLISHED)
        .order_by(_rows.c.seq)
        .limit(CHUNK)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _chunk(connection: Connection, found: list[dict[str, Any]]) -> None:
    parts, left = _parts([(row, zlib.decompress(row.pop("body"))) for row in found])
    rows, results = projected(connection, parts)
    sums, counts = rollups.Changes(), Counter[tuple[str, str]]()
    for row, listed in zip(rows, results, strict=True):
        sums.add(row)
        counts.update(columns.facets(row, listed))
    for row in left:
        sums.add(row)
        counts.update(columns.facets(row, []))
    if rows:
        _replace(connection, rows, results)
    ingest.count(connection, counts)
    sums.write(connection)


Part = tuple[dict[str, Any], Footprint, truth.Recomputed]


def _parts(found: list[tuple[dict[str, Any], bytes]]) -> tuple[list[Part], list[dict[str, Any]]]:
    """Rows of records with what is made of them now, and rows that stay, as their records break a rule since then."""
    parts: list[Part] = []
    left = []
    with tables.held():
        for row, text in found:
            try:
                parts.append((row, *_computed(text)))
            except unshown.UnshownError as err:
                logs.event("a record stays as it is listed", id=row["id"], error=str(err)[:200])
                left.append(row)
    return parts, left


def _computed(text: bytes) -> tuple[Footprint, truth.Recomputed]:
    footprint = unshown.footprint(text)
    try:
        return footprint, truth.recompute(footprint)
    except (SootprintError, ArithmeticError) as err:
        raise unshown.UnshownError(f"this record cannot be computed again: {err}") from None


def earlier(connection: Connection, row: dict[str, Any], version: Any, text: bytes) -> dict[str, Any]:
    """Row of a record as an earlier version has it, with the verdict that it got."""
    before = {**row, "version": version.version, "last_at": version.at}
    rows, _ = projected(connection, [(before, *_computed(text))])
    return rows[0]


def projected(
    connection: Connection, parts: list[Part]
) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """Rows of records as they are to be, and the results of each; the last verdict on each counts."""
    verdicts = _verdicts(connection, [row["id"] for row, _, _ in parts])
    rows, results = [], []
    for before, footprint, made in parts:
        row = {**before, **columns.row(footprint, made)}
        verdict = verdicts.get((row["id"], row["version"]))
        if verdict is not None:
            held = verdict in reviews.CHECKED_AS
            row |= {
                "marked": int(not held),
                "verification": reviews.CHECKED_AS.get(verdict, "schema-checked"),
            }
        rows.append(row)
        results.append(columns.results(footprint, row["marked"]))
    return rows, results


def _replace(connection: Connection, rows: list[dict[str, Any]], results: list[list[dict[str, Any]]]) -> None:
    values: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if name not in ("seq", "id")}
    changed = [{**row, "the_seq": row["seq"]} for row in rows]
    connection.execute(sa.update(_rows).where(_rows.c.seq == sa.bindparam("the_seq")).values(values), changed)
    listed = [{**one, "seq": row["seq"]} for row, some in zip(rows, results, strict=True) for one in some]
    ingest.insert(connection, _results, listed)


def _verdicts(connection: Connection, keys: list[str]) -> dict[tuple[str, int], str]:
    """Last verdict on each version of some records."""
    query = sa.select(_reviews).where(_reviews.c.footprint.in_(keys)).order_by(_reviews.c.seq)
    return {(row.footprint, row.version): row.verdict for row in connection.execute(query)}
