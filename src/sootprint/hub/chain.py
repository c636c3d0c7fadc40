"""The audit log: each entry holds the hash of the one before it, and a digest of the versions that it brought."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.hub.database import now
from sootprint.hub.tables import AuditEntry, FootprintRow, FootprintVersion, table_of

START = "0" * 64
MOST_SHOWN = 20  # problems that are told one by one
_entries = table_of(AuditEntry)
_versions = table_of(FootprintVersion)
Version = tuple[str, int, str | None]  # id, version, sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of the whole log found.

    Args:
        entries: Links of the chain [1].
        versions: Versions of records whose contents were hashed again [1].
        head: Hash of the last link; kept elsewhere, it also tells whether the end was cut off.
        problems: What does not fit, at most the first twenty.
        count: Number of all that does not fit [1].
    """

    entries: int
    versions: int
    head: str
    problems: tuple[str, ...]
    count: int


def append(
    connection: Connection,
    *,
    actor: str,
    action: str,
    detail: dict[str, Any],
    versions: Iterable[Version] = (),
) -> int:
    """Number of a new entry; the caller holds the writer's lock.

    Args:
        connection: Connection within a write.
        actor: Who did it.
        action: What was done, e.g. accept.
        detail: What else there is to know, without secrets.
        versions: Versions that came with it.
    """
    newest = sa.select(_entries.c.seq, _entries.c.chain).order_by(_entries.c.seq.desc()).limit(1)
    last = connection.execute(newest).first()
    link: dict[str, Any] = {
        "seq": (last.seq if last else 0) + 1,
        "at": now(),
        "actor": actor,
        "action": action,
        "detail": json.dumps(detail, sort_keys=True, ensure_ascii=False),
        "digest": digest(versions),
    }
    link["chain"] = chained(last.chain if last else START, link)
    connection.execute(sa.insert(_entries), link)
    return int(link["seq"])


def digest(versions: Iterable[Version]) -> str:
    """Hash over versions, whatever their order."""
    lines = sorted(f"{one} {version} {sha256 or 'retracted'}\n" for one, version, sha256 in versions)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def chained(before: str, link: dict[str, Any]) -> str:
    """Hash of an entry and of the one before it."""
    said = [before, *(str(link[name]) for name in ("seq", "at", "actor", "action", "detail", "digest"))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def head(engine: Engine) -> str:
    """Hash of the newest entry."""
    newest = sa.select(_entries.c.chain).order_by(_entries.c.seq.desc()).limit(1)
    with engine.connect() as connection:
        return str(connection.scalar(newest) or START)


def verify(engine: Engine) -> Verified:
    """Check of every link, of every version's content, and that each record shows its newest version."""
    with engine.connect() as connection:
        problems = list(_versions_without_entry(connection))
        digests: dict[int, str] = {}
        count = 0
        for seq, rows in groupby(_in_order(connection), key=lambda row: row.audit_seq):
            listed = []
            for row in rows:
                count += 1
                problems += _content(row)
                listed.append((row.id, row.version, row.sha256))
            digests[seq] = digest(listed)
        entries, head, wrong = _links(connection, digests)
        problems += wrong
        problems += _heads(connection)
    return Verified(
        entries=entries,
        versions=count,
        head=head,
        problems=tuple(problems[:MOST_SHOWN]),
        count=len(problems),
    )


def _in_order(connection: Connection) -> Iterator[Any]:
    query = sa.select(_versions).order_by(_versions.c.audit_seq)
    yield from connection.execution_options(yield_per=500).execute(query)


def _content(row: Any) -> Iterator[str]:
    if (row.body is None) != (row.sha256 is None):
        yield f"version {row.version} of {row.id} has lost its content"
    elif row.body is not None and _sha256(row.body) != row.sha256:
        yield f"the content of version {row.version} of {row.id} was changed"


def _sha256(body: bytes) -> str | None:
    try:
        return hashlib.sha256(zlib.decompress(body)).hexdigest()
    except zlib.error:
        return None


def _links(connection: Connection, digests: dict[int, str]) -> tuple[int, str, list[str]]:
    """Number of entries, hash of the last, and what does not fit."""
    before, entries, wrong, empty = START, 0, [], digest(())
    for row in connection.execute(sa.select(_entries).order_by(_entries.c.seq)):
        entries += 1
        if row.seq != entries:
            wrong.append(f"entry {entries} of the log is missing")
            entries = row.seq
        if row.chain != chained(before, dict(row._mapping)):
            wrong.append(f"entry {row.seq} of the log does not fit the one before it")
        if row.digest != digests.get(row.seq, empty):
            wrong.append(f"the versions that entry {row.seq} brought are not the same any more")
        before = row.chain
    return entries, before, wrong


def _versions_without_entry(connection: Connection) -> Iterator[str]:
    known = sa.select(_entries.c.seq)
    query = sa.select(_versions.c.id, _versions.c.version).where(_versions.c.audit_seq.not_in(known))
    for row in connection.execute(query.limit(MOST_SHOWN)):
        yield f"version {row.version} of {row.id} is in no entry of the log"


def _heads(connection: Connection) -> Iterator[str]:
    """Records that do not show their newest version, and versions of no record."""
    shown = table_of(FootprintRow)
    newest = (
        sa.select(_versions.c.id, sa.func.max(_versions.c.version).label("version"))
        .group_by(_versions.c.id)
        .subquery()
    )
    query = (
        sa.select(newest.c.id)
        .outerjoin(shown, shown.c.id == newest.c.id)
        .where(sa.or_(shown.c.version.is_(None), shown.c.version != newest.c.version))
    )
    for (one,) in connection.execute(query.limit(MOST_SHOWN)):
        yield f"{one} does not show its newest version"
