"""The audit log: each entry holds the hash of the one before it, and a digest of the versions that it brought."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.hub.database import now
from sootprint.hub.tables import AuditEntry, FootprintRow, FootprintVersion, table_of

START = "0" * 64
MOST_SHOWN = 20  # problems that are told one by one
CHECKERS = 2  # threads that unpack and hash contents
AT_ONCE = 100  # versions that are read at once, each of which may have megabytes
LINKS = 1_000  # entries of the log that are read at once
_entries = table_of(AuditEntry)
_versions = table_of(FootprintVersion)
Version = Mapping[str, Any]  # with id, version, sha256, at, account_id and reason
Step = Callable[[int, int], None]  # called with how much of what there is was looked at
SAID = ("at", "account_id", "reason")  # of a version beside its content
_DIGESTED = ("id", "version", "sha256", *SAID)


@dataclass(slots=True)
class _Found:
    """What does not fit, as far as it is shown, and how much that is."""

    problems: list[str] = field(default_factory=list)
    count: int = 0

    def tell(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self.count += 1
            if len(self.problems) < MOST_SHOWN:
                self.problems.append(problem)


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
    """Hash over versions, whatever their order: their contents, and who sent them when and why."""
    lines = sorted(f"{_line(one)} {json.dumps([one[name] for name in SAID])}\n" for one in versions)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def digest_of_contents(versions: Iterable[Version]) -> str:
    """Hash over the contents of versions alone, as entries of the first releases have it."""
    return hashlib.sha256("".join(sorted(f"{_line(one)}\n" for one in versions)).encode()).hexdigest()


def _line(one: Version) -> str:
    return f"{one['id']} {one['version']} {one['sha256'] or 'retracted'}"


def chained(before: str, link: dict[str, Any]) -> str:
    """Hash of an entry and of the one before it."""
    said = [before, *(str(link[name]) for name in ("seq", "at", "actor", "action", "detail", "digest"))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def head(engine: Engine) -> str:
    """Hash of the newest entry."""
    newest = sa.select(_entries.c.chain).order_by(_entries.c.seq.desc()).limit(1)
    with engine.connect() as connection:
        return str(connection.scalar(newest) or START)


def unseen(done: int, total: int) -> None:
    """Nobody is told how far it is."""


def verify(engine: Engine, *, shown: bool = True, step: Step = unseen) -> Verified:
    """Check of every link, of every version's content, and that each record shows its newest version.

    All is looked at as it was at one moment, for more may come in meanwhile.

    Args:
        engine: Database.
        shown: Whether it is looked at which version each record shows; `insight.agreement` looks at all of its row.
        step: Called with how many entries were looked at, of how many.
    """
    found = _Found()
    with at_one_moment(engine) as connection, ThreadPoolExecutor(CHECKERS) as checkers:
        versions = _Versions(_checked(connection, checkers, found))
        entries, head = _links(connection, versions, found, step)
        found.tell(_heads(connection) if shown else ())
    return Verified(
        entries=entries,
        versions=versions.count,
        head=head,
        problems=tuple(found.problems),
        count=found.count,
    )


class _Versions:
    """Versions in the order of their entries, of which those of one entry are in memory at a time."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._groups = groupby(rows, key=lambda row: row.audit_seq)
        self._next = next(self._groups, None)
        self.count = 0

    def before(self, seq: float) -> Iterator[int]:
        """Entries below a number that brought versions, which are passed by."""
        while self._next is not None and self._next[0] < seq:
            yield self._next[0]
            self._taken()

    def of(self, seq: int) -> list[dict[str, Any]]:
        """Versions of an entry, which are taken."""
        return self._taken() if self._next is not None and self._next[0] == seq else []

    def _taken(self) -> list[dict[str, Any]]:
        assert self._next is not None
        listed = [{name: getattr(row, name) for name in _DIGESTED} for row in self._next[1]]
        self.count += len(listed)
        self._next = next(self._groups, None)
        return listed


@contextlib.contextmanager
def at_one_moment(engine: Engine) -> Iterator[Connection]:
    """Connection that sees the database as it is now, whatever is written meanwhile."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _checked(connection: Connection, checkers: Executor, found: _Found) -> Iterator[Any]:
    """Versions in the order of their entries; what is wrong with their contents is added to the problems.

    Some threads unpack and hash, for which Python lets them run beside each other, while the next are read.
    """
    query = sa.select(*_versions.c[*_DIGESTED, "body", "audit_seq"]).order_by(_versions.c.audit_seq)
    parts = connection.execute(query, execution_options={"yield_per": AT_ONCE}).partitions()
    waiting: deque[tuple[Sequence[Any], Future[list[str]]]] = deque()
    for rows in parts:
        waiting.append((rows, checkers.submit(_contents, rows)))
        if len(waiting) > CHECKERS:
            yield from _done(*waiting.popleft(), found)
    for rows, checked in waiting:
        yield from _done(rows, checked, found)


def _done(rows: Sequence[Any], checked: Future[list[str]], found: _Found) -> Sequence[Any]:
    found.tell(checked.result())
    return rows


def _contents(rows: Sequence[Any]) -> list[str]:
    return [problem for row in rows for problem in _content(row)]


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


def _links(connection: Connection, versions: _Versions, found: _Found, step: Step) -> tuple[int, str]:
    """Number of entries, and hash of the last; what does not fit is added to what was found."""
    total = int(connection.scalar(sa.select(sa.func.max(_entries.c.seq))) or 0)
    before, entries = START, 0
    unknown: list[int] = []
    query = sa.select(_entries).order_by(_entries.c.seq)
    for row in connection.execute(query, execution_options={"yield_per": LINKS}):
        entries += 1
        if row.seq != entries:
            found.tell([f"entry {entries} of the log is missing"])
            entries = row.seq
        if row.chain != chained(before, dict(row._mapping)):
            found.tell([f"entry {row.seq} of the log does not fit the one before it"])
        unknown += versions.before(row.seq)
        listed = versions.of(row.seq)
        if row.digest not in (digest(listed), digest_of_contents(listed)):
            found.tell([f"the versions that entry {row.seq} brought are not the same any more"])
        before = row.chain
        step(entries, total)
    unknown += versions.before(math.inf)
    found.tell(_versions_without_entry(connection, unknown) if unknown else ())
    return entries, before


def _versions_without_entry(connection: Connection, seqs: Sequence[int]) -> Iterator[str]:
    """Versions of entries that are not in the log."""
    query = sa.select(_versions.c.id, _versions.c.version).where(_versions.c.audit_seq.in_(seqs[:MOST_SHOWN]))
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
