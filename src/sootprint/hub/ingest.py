"""Records into the database: each content once, each version for ever, all of a batch or nothing.

What is slow (checking, recomputing, packing) is done before the writer's lock is taken.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.catalogue import tables
from sootprint.core.errors import RecordError
from sootprint.hub import admission, chain, columns, keys, truth
from sootprint.hub.admission import Admitted, Refused
from sootprint.hub.database import now, writing
from sootprint.hub.insight import rollups
from sootprint.hub.people.tables import LiveRun
from sootprint.hub.tables import (
    FootprintRow,
    FootprintVersion,
    Recomputation,
    ResultRow,
    Tally,
    table_of,
)

PACKING = 1  # level of zlib: half the size for 0.03 ms
AT_ONCE = 500  # values of one query
ORIGINS = ("tool", "form", "third-party")
_written = json.JSONEncoder(ensure_ascii=False).encode  # made once, not for each record

_rows, _versions = table_of(FootprintRow), table_of(FootprintVersion)
_results, _recomputed = table_of(ResultRow), table_of(Recomputation)
_live = table_of(LiveRun)
_tally = table_of(Tally)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Who sends a batch, and how.

    Args:
        actor: Name for the audit log.
        account_id: Account that owns what is new; None for the one user of a hub on loopback.
        may_correct_all: Whether records of others may get a new version.
        origin: tool, form or third-party.
        reason: Why a known record changes.
        key: Idempotency-Key, or None.
    """

    actor: str
    account_id: int | None = None
    may_correct_all: bool = False
    origin: str = "tool"
    reason: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record ready to be stored, with its place in the batch."""

    index: int
    id: str
    sha256: str
    body: bytes
    row: dict[str, Any]
    results: list[dict[str, Any]]
    recomputed: dict[str, Any]


@dataclass(slots=True)
class Answer:
    """What became of a batch."""

    accepted: int = 0
    duplicate: int = 0
    rejected: list[Refused] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """The answer as the client gets it."""
        listed = sorted(self.rejected, key=lambda one: one.index)
        rejected = [{"index": one.index, "errors": [one.error]} for one in listed]
        return {"accepted": self.accepted, "duplicate": self.duplicate, "rejected": rejected}


def take_in(engine: Engine, text: bytes, submission: Submission) -> dict[str, Any]:
    """Answer to a batch of JSON, which is stored when this returns.

    Raises:
        RecordError: The text is no batch, or beyond the limits.
        keys.KeyReusedError: The key came with another text before.
    """
    sha256 = hashlib.sha256(text).hexdigest()
    if submission.key is not None:
        with engine.connect() as connection:
            known = keys.answer(connection, submission.actor, submission.key, sha256=sha256)
        if known is not None:
            return known
    ready, bad = _all_prepared(admission.read(text))
    del text  # of a large batch not needed beside what is written
    with writing(engine) as connection:
        if submission.key is not None:
            known = keys.answer(connection, submission.actor, submission.key, sha256=sha256)
            if known is not None:
                return known
        answer = store(connection, ready, submission)
        answer.rejected += bad
        if submission.key is not None:
            keys.remember(connection, submission.actor, submission.key, sha256=sha256, given=answer.plain())
    return answer.plain()


def _all_prepared(
    found: Iterable[tuple[int, Admitted] | Refused],
) -> tuple[list[Prepared], list[Refused]]:
    """Records ready to be stored, and the refused: a record without a finite product does not hold up the others."""
    ready: list[Prepared] = []
    bad: list[Refused] = []
    with tables.held():  # half of an audit's time is the search for newer tables
        for one in found:
            if isinstance(one, Refused):
                bad.append(one)
                continue
            try:
                ready.append(prepared(*one))
            except RecordError as err:
                bad.append(Refused(one[0], f"it cannot be computed again: {err!s:.300}"))
    return ready, bad


def prepared(index: int, one: Admitted) -> Prepared:
    """A record that keeps the rules, recomputed and packed."""
    made = truth.recompute(one.footprint)
    return Prepared(
        index=index,
        id=one.footprint.id,
        sha256=one.sha256,
        body=zlib.compress(one.text, PACKING),
        row=columns.row(one.footprint, made),
        results=columns.results(one.footprint, int(bool(made.marks))),
        recomputed=recomputed_row(made),
    )


def store(connection: Connection, ready: Sequence[Prepared], submission: Submission) -> Answer:
    """What became of prepared records; the caller holds the writer's lock."""
    batch = _Batch(connection, ready, submission)
    for one in ready:
        batch.place(one)
    batch.write()
    return batch.answer


class _Batch:
    """One batch within the lock: first every record finds its place, then all is written."""

    def __init__(self, connection: Connection, ready: Sequence[Prepared], submission: Submission) -> None:
        self.connection, self.submission = connection, submission
        self.answer = Answer()
        self._at = now()
        ids = list(dict.fromkeys(one.id for one in ready))
        self._heads = {row["id"]: row for row in _in_chunks(connection, _rows, _rows.c.id, ids)}
        unknown = [one for one in ids if one not in self._heads]
        self._live = {
            row["id"]: row["account_id"] for row in _in_chunks(connection, _live, _live.c.id, unknown)
        }
        self._contents = set(_contents(connection, [one for one in ids if one in self._heads]))
        self._next = int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0)
        self._new: dict[str, dict[str, Any]] = {}
        self._changed: dict[str, dict[str, Any]] = {}
        self._before: dict[str, dict[str, Any]] = {}  # heads of what changed, as they were
        self._versions: list[dict[str, Any]] = []
        self._listed: dict[str, list[dict[str, Any]]] = {}

    def place(self, one: Prepared) -> None:
        """Find out whether a record is new, a new version, known, or not the sender's."""
        if (one.id, one.sha256) in self._contents:
            self.answer.duplicate += 1
            return
        head = self._heads.get(one.id)
        refusal = self._refusal(one.id, head)
        if refusal:
            self.answer.rejected.append(Refused(one.index, refusal))
            return
        self._contents.add((one.id, one.sha256))
        self.answer.accepted += 1
        made = self._first(one) if head is None else self._later(one, head)
        self._heads[one.id] = made
        self._listed[one.id] = one.results
        self._versions.append(self._version(one, made["version"]))

    def _refusal(self, key: str, head: dict[str, Any] | None) -> str | None:
        """Why a record may not be stored; the id of a live run, which everybody reads, is its sender's already."""
        if head is not None and head["state"] == columns.RETRACTED:
            return f"/id {key} was retracted: send the record under a new id"
        mine = self.submission.account_id
        owner = self._live.get(key, mine) if head is None else head["account_id"]
        if owner != mine and not self.submission.may_correct_all:
            return f"/id {key} belongs to another account: send your record under an id of its own"
        return None

    def _first(self, one: Prepared) -> dict[str, Any]:
        self._next += 1
        made = {
            **one.row,
            "seq": self._next,
            "id": one.id,
            "version": 1,
            "state": columns.PUBLISHED,
            "account_id": self.submission.account_id,
            "origin": self.submission.origin,
            "first_at": self._at,
            "last_at": self._at,
        }
        self._new[one.id] = made
        return made

    def _later(self, one: Prepared, head: dict[str, Any]) -> dict[str, Any]:
        kept = {name: head[name] for name in ("seq", "id", "state", "account_id", "origin", "first_at")}
        made = {**one.row, **kept, "version": head["version"] + 1, "last_at": self._at}
        if one.id in self._new:
            self._new[one.id] = made
        else:
            self._before.setdefault(one.id, head)
            self._changed[one.id] = made
        return made

    def _version(self, one: Prepared, version: int) -> dict[str, Any]:
        return {
            "id": one.id,
            "version": version,
            "at": self._at,
            "account_id": self.submission.account_id,
            "reason": None if version == 1 else self.submission.reason or "sent again with changes",
            "sha256": one.sha256,
            "body": one.body,
            "recomputed": {**one.recomputed, "id": one.id, "version": version, "at": self._at},
        }

    def write(self) -> None:
        """Write what was accepted, with one entry in the audit log."""
        if not self._versions:
            return
        seq = chain.append(
            self.connection,
            actor=self.submission.actor,
            action="accept",
            detail={"n": len(self._versions), "origin": self.submission.origin},
            versions=self._versions,
        )
        recomputed = [one.pop("recomputed") for one in self._versions]
        insert(self.connection, _versions, [{**one, "audit_seq": seq} for one in self._versions])
        insert(self.connection, _recomputed, recomputed)
        counts = self._counts()  # before the results of changed records are replaced
        insert(self.connection, _rows, list(self._new.values()))
        if self._changed:
            self._replace()
        current = {**self._new, **self._changed}
        listed = [{**one, "seq": head["seq"]} for key, head in current.items() for one in self._listed[key]]
        insert(self.connection, _results, listed)
        count(self.connection, counts)
        self._sums().write(self.connection)

    def _replace(self) -> None:
        named: Any = sa.bindparam("the_seq")
        changed = [{**head, "the_seq": head["seq"]} for head in self._changed.values()]
        values: dict[str, Any] = {
            name: sa.bindparam(name) for name in changed[0] if name not in ("seq", "id", "the_seq")
        }
        self.connection.execute(sa.update(_rows).where(_rows.c.seq == named).values(values), changed)
        seqs = [{"the_seq": head["seq"]} for head in self._changed.values()]
        self.connection.execute(sa.delete(_results).where(_results.c.seq == named), seqs)

    def _sums(self) -> rollups.Changes:
        changes = rollups.Changes()
        for head in (*self._new.values(), *self._changed.values()):
            changes.add(head)
        for head in self._before.values():
            changes.add(head, -1)
        return changes

    def _counts(self) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for one, head in {**self._new, **self._changed}.items():
            found.update(columns.facets(head, self._listed[one]))
        for head in self._before.values():
            found.subtract(columns.facets(head, results_of(self.connection, head["seq"])))
        return found


def results_of(connection: Connection, seq: int) -> list[dict[str, Any]]:
    """Results of a current record."""
    query = sa.select(_results).where(_results.c.seq == seq)
    return [dict(row) for row in connection.execute(query).mappings()]


def insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows with the same columns, if there are any.

    The statement goes to the driver as it is: SQLAlchemy's care for the parameters of each row takes a third of the
    time, and no column of the hub needs it.
    """
    if not rows:
        return
    text, places = _inserting(table, connection.dialect, tuple(rows[0]))
    given: Any = rows
    if places is not None:  # a driver that takes parameters by their place
        take = itemgetter(*places)
        given = [take(row) for row in rows]
    connection.exec_driver_sql(text, given)


@lru_cache(maxsize=64)
def _inserting(table: Any, dialect: sa.Dialect, names: tuple[str, ...]) -> tuple[str, list[str] | None]:
    """Statement that inserts a row with some columns, and the order of its parameters where they have no names."""
    made = sa.insert(table).compile(dialect=dialect, column_keys=list(names))
    return str(made), list(made.positiontup or ()) if made.positional else None


def count(connection: Connection, changes: Counter[tuple[str, str]]) -> None:
    """Add changes to the counts of the facets."""
    rows = [{"facet": facet, "value": value, "n": n} for (facet, value), n in sorted(changes.items()) if n]
    if not rows:
        return
    from sqlalchemy.dialects import postgresql, sqlite

    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(_tally)
    together = _tally.c.n + made.excluded.n
    connection.execute(
        made.on_conflict_do_update(index_elements=["facet", "value"], set_={"n": together}), rows
    )


def recomputed_row(made: truth.Recomputed) -> dict[str, Any]:
    """What is kept of a recomputation, but of which version it is and when it was made."""
    return {
        "engine": made.engine,
        **columns.bounds("energy", "kwh", made.energy_kwh),
        **columns.bounds("emissions", "kg", made.emissions_kg),
        "energy_ratio": made.energy_ratio,
        "emissions_ratio": made.emissions_ratio,
        "detail": _written(truth.detail(made)).replace("\\u0000", ""),
    }


def _in_chunks(
    connection: Connection, table: Any, column: Any, ids: Sequence[str]
) -> Iterable[dict[str, Any]]:
    for start in range(0, len(ids), AT_ONCE):
        query = sa.select(table).where(column.in_(ids[start : start + AT_ONCE]))
        for row in connection.execute(query).mappings():
            yield dict(row)


def _contents(connection: Connection, ids: Sequence[str]) -> Iterable[tuple[str, str]]:
    for start in range(0, len(ids), AT_ONCE):
        chosen = _versions.c.id.in_(ids[start : start + AT_ONCE])
        for row in connection.execute(sa.select(_versions.c.id, _versions.c.sha256).where(chosen)):
            yield row.id, row.sha256
