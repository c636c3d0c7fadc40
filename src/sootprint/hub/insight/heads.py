"""Heads: the row, the results and the recomputation of records as they are, beside what their versions make of them."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sootprint.core.errors import SootprintError
from sootprint.core.records import Footprint
from sootprint.hub import admission, columns, ingest, truth
from sootprint.hub.insight import projections
from sootprint.hub.people.claims import CLAIMED, CONFIRMED
from sootprint.hub.people.tables import Claim
from sootprint.hub.tables import (
    AuditEntry,
    FootprintRow,
    FootprintVersion,
    Recomputation,
    ResultRow,
    table_of,
)
from sootprint.hub.truth import Recomputed

NO_VERSION = "is listed, and there is no version of it"
GONE = ("version", "state", "account_id", "origin", "first_at", "last_at", "words")  # of a retracted record
CLOSE = 1e-9  # of a number: another machine may round a logarithm otherwise
_rows, _results, _versions = table_of(FootprintRow), table_of(ResultRow), table_of(FootprintVersion)
_recomputed, _entries, _claims = table_of(Recomputation), table_of(AuditEntry), table_of(Claim)
Row = dict[str, Any]
Listed = tuple[Row, list[Row]]  # a row and its results


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A record as it is listed, and as it is to be.

    Args:
        id: Identity of the record.
        row: Its row; None where no list has it.
        results: Its results.
        kept: What the hub made of its newest version, by engine.
        right: Its row and results as they are to be; None where it has no version, or one that cannot be read.
        made: What the present engine makes of its newest version; None where it cannot, or a version has no content.
        why: Why there is nothing to compare it with; None where there is.
    """

    id: str
    row: Row | None
    results: list[Row]
    kept: Mapping[str, Row]
    right: Listed | None = None
    made: Row | None = None
    why: str | None = None

    def problems(self) -> Iterator[str]:
        """What is not as it is to be."""
        if self.why is not None:
            yield f"{self.id} {self.why}"
        elif self.right is not None and self.row is not None:
            yield from self._differences(self.row, *self.right)
        if self.made is not None and not self.is_kept:
            yield f"what the hub keeps of its recomputation of {self.id} is not what it computes"

    def _differences(self, row: Row, right: Row, results: list[Row]) -> Iterator[str]:
        off = _off(row, right)
        if off:
            name, more = off[0], f", and {len(off) - 1} more" if off[1:] else ""
            has, gives = (f"{one[name]!r:.60}" for one in (row, right))
            yield f"{self.id} is listed with {name} {has}, its versions give {gives}{more}"
        if not _are_alike(self.results, results):
            yield f"the results of {self.id} on leaderboards are not those of its newest version"

    @property
    def is_kept(self) -> bool:
        """Whether what is kept of its recomputation is right, as far as the present engine made it."""
        own = self.kept.get(truth.engine())
        if own is None or self.made is None:
            return bool(self.kept)
        return not _off(_told(own), _told(self.made))


def _off(has: Row, right: Row) -> list[str]:
    """Names of what is not as it is to be; most columns of a retracted record, which is in no list, do not count."""
    looked = GONE if right.get("state") == columns.RETRACTED else right
    return [name for name in looked if not _is_alike(has[name], right[name])]


def _are_alike(listed: list[Row], right: list[Row]) -> bool:
    by_place = sorted(listed, key=lambda one: int(one["position"]))
    return len(by_place) == len(right) and not any(map(_off, by_place, right))


def _is_alike(has: Any, right: Any) -> bool:
    """Whether two values are the same, but for the last digits of a number; also within lists and mappings."""
    if has == right:
        return True
    if isinstance(has, float) and isinstance(right, int | float):
        return math.isclose(has, right, rel_tol=CLOSE)
    if isinstance(has, dict) and isinstance(right, dict):
        return has.keys() == right.keys() and not _off(has, right)
    if isinstance(has, list) and isinstance(right, list):
        return len(has) == len(right) and all(map(_is_alike, has, right))
    return False


def _told(kept: Row) -> Row:
    """What the hub made of a version, to be compared: its detail as data."""
    try:
        return {**kept, "detail": json.loads(kept["detail"])}
    except ValueError:
        return {**kept, "detail": None}


def lost(connection: Connection, most: int) -> list[str]:
    """Records of which there are versions and no row, the oldest first."""
    unknown = ~sa.exists().where(_rows.c.id == _versions.c.id)
    query = sa.select(_versions.c.id).where(_versions.c.version == 1, unknown)
    return list(connection.scalars(query.order_by(_versions.c.audit_seq, _versions.c.id).limit(most)))


def of(connection: Connection, keys: Sequence[str]) -> list[Head]:
    """Heads of records, in their order."""
    rows = {row["id"]: row for row in _read(connection, _rows, _rows.c.id, keys)}
    listed: dict[int, list[Row]] = {row["seq"]: [] for row in rows.values()}
    for one in _read(connection, _results, _results.c.seq, list(listed)):
        listed[one["seq"]].append(one)
    said = _said(connection, keys)
    kept: dict[str, dict[str, Row]] = {key: {} for key in keys}
    for one in _read(connection, _recomputed, _recomputed.c.id, keys):
        if one["version"] == said.get(one["id"], {}).get("version"):
            kept[one["id"]][one["engine"]] = one
    read, whys = _computed(connection, said)
    right = _right(connection, {key: (said[key], *read[key]) for key in read}, rows, kept)
    return [
        Head(
            id=key,
            row=rows.get(key),
            results=listed[rows[key]["seq"]] if key in rows else [],
            kept=kept[key],
            right=right.get(key),
            made=_made(said[key], read[key][1]) if key in read else None,
            why=whys.get(key, None if key in said else NO_VERSION),
        )
        for key in keys
    ]


def _read(connection: Connection, table: sa.Table, column: Any, keys: Sequence[Any]) -> list[Row]:
    query = sa.select(table).where(column.in_(keys))
    return [dict(row) for row in connection.execute(query).mappings()]


def _said(connection: Connection, keys: Sequence[str]) -> dict[str, Row]:
    """Columns of rows that follow from all versions of a record, from who sent them, and from claims on it."""
    shown = _versions.c["id", "version", "at", "account_id", "sha256", "audit_seq"]
    query = sa.select(*shown).where(_versions.c.id.in_(keys)).order_by(_versions.c.version)
    versions: dict[str, list[Any]] = {}
    for one in connection.execute(query):
        versions.setdefault(one.id, []).append(one)
    begun = {found[0].audit_seq for found in versions.values()}
    entries = _read(connection, _entries, _entries.c.seq, list(begun))
    origins = {row["seq"]: json.loads(row["detail"]).get("origin") for row in entries}
    claims = _read(connection, _claims, _claims.c.footprint_id, keys)
    claimed = {row["footprint_id"]: row["account_id"] for row in claims if row["state"] == CONFIRMED}
    return {
        key: {
            "id": key,
            "version": found[-1].version,
            "state": columns.PUBLISHED if found[-1].sha256 else columns.RETRACTED,
            "account_id": claimed.get(key, found[0].account_id),
            "origin": CLAIMED if key in claimed else origins.get(found[0].audit_seq),
            "first_at": found[0].at,
            "last_at": found[-1].at,
        }
        for key, found in versions.items()
    }


Computed = tuple[Footprint, Recomputed]


def _computed(connection: Connection, said: Mapping[str, Row]) -> tuple[dict[str, Computed], dict[str, str]]:
    """Last contents of records with what the present engine makes of them, and why it makes nothing of others."""
    filled = _versions.c.body.is_not(None)
    newest = (
        sa.select(_versions.c.id, sa.func.max(_versions.c.version).label("version"))
        .where(_versions.c.id.in_(list(said)), filled)
        .group_by(_versions.c.id)
        .subquery()
    )
    here = sa.and_(_versions.c.id == newest.c.id, _versions.c.version == newest.c.version)
    read: dict[str, Computed] = {}
    whys = dict.fromkeys(said, "has no version with content")
    for row in connection.execute(sa.select(_versions.c.id, _versions.c.body).join(newest, here)):
        try:
            footprint = admission.stored(zlib.decompress(row.body))
            read[row.id] = (footprint, truth.recompute(footprint))
            del whys[row.id]
        except (SootprintError, ArithmeticError, ValueError, zlib.error) as err:
            whys[row.id] = f"cannot be computed again: {' '.join(str(err).split())[:120]}"
    return read, whys


def _right(
    connection: Connection,
    read: Mapping[str, tuple[Row, Footprint, Recomputed]],
    rows: Mapping[str, Row],
    kept: Mapping[str, Mapping[str, Row]],
) -> dict[str, Listed]:
    """Rows and results as they are to be: by the present engine, or by an earlier one where a row is of that."""
    for key, (said, _, _) in read.items():
        if said["origin"] is None:  # an entry of the log that does not tell it
            said["origin"] = rows[key]["origin"] if key in rows else ingest.ORIGINS[0]
    found = _listed(connection, list(read.values()))
    earlier = [
        (said, footprint, truth.kept(one))
        for key, (said, footprint, _) in read.items()
        if key in rows and _off(rows[key], found[key][0])
        for engine, one in kept[key].items()
        if engine != truth.engine()
    ]
    for part in earlier:
        ((key, listed),) = _listed(connection, [part]).items()
        if not _off(rows[key], listed[0]):
            found[key] = listed
    return found


def _listed(connection: Connection, parts: Sequence[tuple[Row, Footprint, Recomputed]]) -> dict[str, Listed]:
    rows, results = projections.projected(connection, list(parts))
    return {
        row["id"]: (row | {"words": ""}, []) if row["state"] == columns.RETRACTED else (row, listed)
        for row, listed in zip(rows, results, strict=True)
    }


def _made(said: Row, recomputed: Recomputed) -> Row | None:
    """What is kept of a recomputation; None of one of a record that was retracted."""
    if said["state"] == columns.RETRACTED:
        return None
    named = {"id": said["id"], "version": said["version"]}
    return {**ingest.recomputed_row(recomputed), **named}


def write(connection: Connection, head: Head) -> None:
    """Write a head as it is to be, and take a row of no version out; the caller holds the writer's lock."""
    if head.right is None:
        if head.why == NO_VERSION and head.row is not None:
            connection.execute(sa.delete(_results).where(_results.c.seq == head.row["seq"]))
            connection.execute(sa.delete(_rows).where(_rows.c.seq == head.row["seq"]))
        return
    row, results = head.right
    if head.row is None:
        seq = 1 + int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0)
        ingest.insert(connection, _rows, [{**row, "seq": seq}])
    else:
        seq = head.row["seq"]
        connection.execute(sa.update(_rows).where(_rows.c.seq == seq).values(row))
    connection.execute(sa.delete(_results).where(_results.c.seq == seq))
    ingest.insert(connection, _results, [{**one, "seq": seq} for one in results])
    if head.made is not None and not head.is_kept:
        mine = (_recomputed.c[name] == head.made[name] for name in ("id", "version", "engine"))
        connection.execute(sa.delete(_recomputed).where(*mine))
        ingest.insert(connection, _recomputed, [{**head.made, "at": row["last_at"]}])
