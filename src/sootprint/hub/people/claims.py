"""Claims: an author says that a third-party estimate is of his own work, and a maintainer decides.

A confirmed claim makes the record the author's own, so that he may send a better version. What was estimated before
stays readable, and the audit log has the decision.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core import instants
from sootprint.core.errors import RecordError
from sootprint.core.ids import is_uuid7
from sootprint.hub import chain, columns, ingest
from sootprint.hub.accounts import Actor
from sootprint.hub.corrections import UnknownRecordError
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import Claim
from sootprint.hub.tables import Account, FootprintRow, table_of

CLAIMED = "claimed"  # origin of an estimate of others whose claim was confirmed
METHODS = {
    "orcid": "ORCID that the publication names",
    "email": "Mail address that the publication names",
    "repository": "Repository that the publication names",
    "other": "Something else that can be checked",
}
PENDING, CONFIRMED, REFUSED = "pending", "confirmed", "refused"
MAX_PROOF = 400
_claims, _rows, _accounts = table_of(Claim), table_of(FootprintRow), table_of(Account)


def claim(engine: Engine, key: str, actor: Actor, *, method: str, proof: str, page: str = "") -> int:
    """Number of a new claim on a record; of a form that is sent again, as by a double click, that of its first.

    Args:
        engine: Database.
        key: Identity of the record.
        actor: Who claims it.
        method: How it can be checked.
        proof: What to look at.
        page: Identity of the page that the form stood on, a UUID of version 7; empty where there is none.

    Raises:
        UnknownRecordError: There is no such published record.
        RecordError: It is no third-party estimate, somebody has claimed it, or the proof is missing.
    """
    proof = (columns.label(proof, MAX_PROOF) or "").strip()
    if method not in METHODS or not proof:
        raise RecordError(f"say how it can be checked that the work is yours, in 1 to {MAX_PROOF} letters")
    with writing(engine) as connection:
        row = connection.execute(sa.select(_rows.c.state, _rows.c.origin).where(_rows.c.id == key)).first()
        if row is None or row.state != columns.PUBLISHED:
            raise UnknownRecordError(f"no footprint {key!r:.40}")
        if row.origin not in ("third-party", CLAIMED):
            raise RecordError("this record is no third-party estimate: it is its sender's already")
        mine = _claims.c.account_id.is_not_distinct_from(actor.account_id)
        standing = sa.or_(_claims.c.state == CONFIRMED, sa.and_(_claims.c.state == PENDING, mine))
        known = connection.execute(sa.select(_claims).where(_claims.c.footprint_id == key, standing)).first()
        if known is not None:
            said = (known.state, known.account_id, known.method, known.proof)
            if said == (PENDING, actor.account_id, method, proof) and _is_since(known.at, page):
                return int(known.id)
            raise RecordError(f"there is a claim on this record already, which is {known.state}")
        made = {
            "footprint_id": key, "account_id": actor.account_id, "method": method, "proof": proof,
            "at": now(), "state": PENDING,
        }  # fmt: skip
        number = connection.execute(sa.insert(_claims).returning(_claims.c.id), made).scalar_one()
        detail = {"id": key, "claim": number, "method": method}
        chain.append(connection, actor=actor.name, action="claim", detail=detail)
    return int(number)


def _is_since(at: str, page: str) -> bool:
    """Whether something was done after a page was made, whose identity begins with the milliseconds of that."""
    return is_uuid7(page) and at >= instants.stamp(int(page[:8] + page[9:13], 16) / 1000)


def decide(
    engine: Engine, number: int, actor: Actor, *, confirmed: bool, note: str = "", page: str = ""
) -> str:
    """Identity of the record whose claim was confirmed or refused.

    Raises:
        UnknownRecordError: There is no such claim.
        RecordError: It was decided before, or another claim on the record was confirmed.
    """
    with writing(engine) as connection:
        found = connection.execute(sa.select(_claims).where(_claims.c.id == number)).first()
        if found is None:
            raise UnknownRecordError(f"no claim {number}")
        state = CONFIRMED if confirmed else REFUSED
        if found.state != PENDING:
            if (found.state, found.decided_by) == (state, actor.name) and _is_since(found.decided_at, page):
                return str(found.footprint_id)  # the form was sent again
            raise RecordError(f"claim {number} is {found.state} already")
        if found.account_id is not None and found.account_id == actor.account_id:
            raise RecordError("nobody decides on a claim of his own: leave it to somebody else")
        values = {
            "state": state, "decided_by": actor.name, "decided_at": now(),
            "note": columns.label(note, MAX_PROOF) or None,
        }  # fmt: skip
        connection.execute(sa.update(_claims).where(_claims.c.id == number).values(values))
        if confirmed:
            _settle(connection, found, values)
        detail = {"id": found.footprint_id, "claim": number, "state": state}
        chain.append(connection, actor=actor.name, action="decide", detail=detail)
    return str(found.footprint_id)


def _settle(connection: sa.Connection, found: Any, values: dict[str, Any]) -> None:
    """Give the record to whoever claimed it, and refuse what others claim of it."""
    here = _rows.c.id == found.footprint_id
    before = connection.execute(sa.select(_rows.c.origin, _rows.c.state).where(here)).one()
    connection.execute(sa.update(_rows).where(here).values(account_id=found.account_id, origin=CLAIMED))
    if before.state == columns.PUBLISHED:
        ingest.count(connection, Counter({("origin", before.origin): -1, ("origin", CLAIMED): 1}))
    others = sa.and_(_claims.c.footprint_id == found.footprint_id, _claims.c.state == PENDING)
    refused = {**values, "state": REFUSED, "note": "another claim was confirmed"}
    connection.execute(sa.update(_claims).where(others).values(refused))


def listed(engine: Engine, *, state: str | None = PENDING, most: int = 200) -> list[dict[str, Any]]:
    """Claims with their records and claimants, the oldest first."""
    query = _listing().order_by(_claims.c.id).limit(most)
    return _read(engine, query if state is None else query.where(_claims.c.state == state))


def of_account(engine: Engine, account_id: int | None) -> list[dict[str, Any]]:
    """Claims of an account, the newest first."""
    mine = _claims.c.account_id.is_not_distinct_from(account_id)
    return _read(engine, _listing().where(mine).order_by(_claims.c.id.desc()).limit(50))


def of_record(engine: Engine, key: str) -> dict[str, Any] | None:
    """Confirmed claim on a record, else the newest that waits; None where there is none."""
    open_ones = sa.and_(_claims.c.footprint_id == key, _claims.c.state != REFUSED)
    found = _read(engine, _listing().where(open_ones).order_by(_claims.c.state, _claims.c.id.desc()).limit(1))
    return found[0] if found else None


def _listing() -> sa.Select[Any]:
    return (
        sa.select(
            _claims,
            _accounts.c.name.label("claimant"),
            _rows.c.model,
            _rows.c.name.label("record_name"),
            _rows.c.paper,
        )
        .join(_rows, _rows.c.id == _claims.c.footprint_id)
        .outerjoin(_accounts, _accounts.c.id == _claims.c.account_id)
    )


def _read(engine: Engine, query: sa.Select[Any]) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
