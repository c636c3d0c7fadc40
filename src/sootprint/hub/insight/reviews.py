"""Reviews: what a reviewer says of a record.

A verdict is kept for ever with its note, and enters the audit log. It is of one version: a new one is looked at anew.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core.errors import InputError
from sootprint.hub import chain, columns, ingest
from sootprint.hub.accounts import Actor
from sootprint.hub.corrections import NotYoursError, UnknownRecordError
from sootprint.hub.database import now, writing
from sootprint.hub.insight import rollups
from sootprint.hub.insight.tables import Review
from sootprint.hub.tables import FootprintRow, FootprintVersion, ResultRow, table_of

VERDICTS = {
    "confirmed": "The numbers hold: I looked at the evidence",
    "replicated": "The numbers hold: the run was repeated with a like result",
    "disputed": "The numbers do not hold, or cannot be told",
}
CHECKED_AS = {"confirmed": "reviewed", "replicated": "replicated"}
MAX_NOTE = 400
_rows, _results, _reviews = table_of(FootprintRow), table_of(ResultRow), table_of(Review)
_versions = table_of(FootprintVersion)


def review(engine: Engine, key: str, verdict: str, *, version: str, note: str, actor: Actor) -> None:
    """Keep a verdict on the newest version of a record, and let it count.

    Args:
        engine: Database.
        key: Identity of the record.
        verdict: confirmed, replicated or disputed.
        version: Number of the version that was looked at.
        note: What was looked at.
        actor: Who says so.

    Raises:
        InputError: There is no such verdict, no note, or a newer version.
        UnknownRecordError: There is no such published record.
        NotYoursError: It is the reviewer's own, or its newest version is.
    """
    note = _note(verdict, note)
    with writing(engine) as connection:
        found = connection.execute(sa.select(_rows).where(_rows.c.id == key)).mappings().first()
        if found is None or found["state"] != columns.PUBLISHED:
            raise UnknownRecordError(f"no footprint {key!r:.60} that could be reviewed")
        if actor.account_id in _senders(connection, found) and actor.account_id is not None:
            raise NotYoursError("what you sent yourself is reviewed by somebody else")
        if version != str(found["version"]):
            raise InputError(
                f"version is {version!r:.20}, the newest is {found['version']}: look at that one"
            )
        if _is_said(connection, key, found["version"], (actor.name, verdict, note)):
            return  # a double click
        row = {
            "footprint": key, "version": found["version"], "at": now(), "account_id": actor.account_id,
            "actor": actor.name, "verdict": verdict, "note": note,
        }  # fmt: skip
        connection.execute(sa.insert(_reviews), row)
        detail = {"id": key, "version": found["version"], "verdict": verdict}
        chain.append(connection, actor=actor.name, action="review", detail=detail)
        apply(connection, dict(found), verdict)


def _note(verdict: str, note: str) -> str:
    if verdict not in VERDICTS:
        raise InputError(f"verdict {verdict!r:.40} is not one of {', '.join(VERDICTS)}")
    note = columns.label(note.strip(), MAX_NOTE) or ""
    if not note:
        raise InputError("note is empty: say in a sentence what you looked at")
    return note


def _is_said(connection: Connection, key: str, version: int, said: tuple[str, str, str]) -> bool:
    """Whether the newest review of a version is by the same actor, with the same verdict and note."""
    here = sa.and_(_reviews.c.footprint == key, _reviews.c.version == version)
    query = sa.select(*_reviews.c["actor", "verdict", "note"]).where(here).order_by(_reviews.c.seq.desc())
    last = connection.execute(query.limit(1)).first()
    return last is not None and tuple(last) == said


def _senders(connection: Connection, row: Any) -> tuple[int | None, int | None]:
    """Account of a record, and of who sent its newest version, which a maintainer may have done for it."""
    here = sa.and_(_versions.c.id == row["id"], _versions.c.version == row["version"])
    return row["account_id"], connection.scalar(sa.select(_versions.c.account_id).where(here))


def apply(connection: Connection, row: dict[str, Any], verdict: str) -> None:
    """Let a verdict count for the row of a record, its results, and the sums; the caller holds the writer's lock."""
    held = verdict in CHECKED_AS
    after = {**row, "marked": int(not held), "verification": CHECKED_AS.get(verdict, "schema-checked")}
    listed = ingest.results_of(connection, row["seq"])
    changes: Counter[tuple[str, str]] = Counter(columns.facets(after, listed))
    changes.subtract(columns.facets(row, listed))
    ingest.count(connection, changes)
    sums = rollups.Changes()
    sums.add(row, -1)
    sums.add(after)
    sums.write(connection)
    told = {name: after[name] for name in ("marked", "verification")}
    connection.execute(sa.update(_rows).where(_rows.c.seq == row["seq"]).values(told))
    connection.execute(sa.update(_results).where(_results.c.seq == row["seq"]).values(marked=after["marked"]))


def of(engine: Engine, key: str) -> list[dict[str, Any]]:
    """Reviews of a record, the newest first."""
    query = sa.select(_reviews).where(_reviews.c.footprint == key).order_by(_reviews.c.seq.desc())
    with engine.connect() as connection:
        return [{**row, "says": VERDICTS[row["verdict"]]} for row in connection.execute(query).mappings()]
