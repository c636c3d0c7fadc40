"""Corrections: a retraction is one more version, without content; what was there before stays readable."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core.errors import RecordError
from sootprint.hub import chain, columns, ingest
from sootprint.hub.database import now, writing
from sootprint.hub.ingest import Submission
from sootprint.hub.insight import rollups
from sootprint.hub.tables import FootprintRow, FootprintVersion, ResultRow, table_of

MAX_REASON = 400
_rows, _versions, _results = table_of(FootprintRow), table_of(FootprintVersion), table_of(ResultRow)


class UnknownRecordError(RecordError):
    """There is no such record."""


class NotYoursError(RecordError):
    """The record belongs to another account."""


def retract(engine: Engine, one: str, submission: Submission) -> int:
    """Number of the version by which a record is retracted; a second retraction changes nothing.

    Raises:
        UnknownRecordError: There is no such record.
        NotYoursError: It belongs to another account.
        RecordError: No reason is given.
    """
    reason = (submission.reason or "").strip()
    if not reason or len(reason) > MAX_REASON:
        raise RecordError(f"reason has {len(reason)} letters: say in 1 to {MAX_REASON} why it is retracted")
    with writing(engine) as connection:
        found = connection.execute(sa.select(_rows).where(_rows.c.id == one)).mappings().first()
        if found is None:
            raise UnknownRecordError(f"no footprint {one!r:.40}")
        if found["account_id"] != submission.account_id and not submission.may_correct_all:
            raise NotYoursError(
                f"footprint {one} belongs to another account: who sent it retracts it, or a maintainer whose token "
                "has the scope correct"
            )
        if found["state"] == columns.RETRACTED:
            return int(found["version"])
        version, seq = found["version"] + 1, found["seq"]
        row = {
            "id": one, "version": version, "at": now(), "account_id": submission.account_id,
            "reason": reason, "sha256": None,
        }  # fmt: skip
        audit_seq = chain.append(
            connection, actor=submission.actor, action="retract", detail={"id": one}, versions=[row]
        )
        connection.execute(sa.insert(_versions), {**row, "audit_seq": audit_seq})
        left: Counter[tuple[str, str]] = Counter()
        left.subtract(columns.facets(dict(found), ingest.results_of(connection, seq)))
        ingest.count(connection, left)
        sums = rollups.Changes()
        sums.add(dict(found), -1)
        sums.write(connection)
        connection.execute(sa.delete(_results).where(_results.c.seq == seq))
        change = sa.update(_rows).where(_rows.c.seq == seq)
        connection.execute(
            change.values(state=columns.RETRACTED, version=version, last_at=row["at"], words="")
        )
    return int(version)
