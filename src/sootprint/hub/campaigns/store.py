"""Campaigns in the database: the sample that was drawn, and what became of each question. It holds no addresses."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core.errors import InputError
from sootprint.hub import chain
from sootprint.hub.campaigns.sample import Paper
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import Campaign, Invitation
from sootprint.hub.secrets import mac, same
from sootprint.hub.tables import table_of

DRAWN, SENT, ANSWERED, DECLINED, UNREACHABLE = "drawn", "sent", "answered", "declined", "unreachable"
STATES = (DRAWN, SENT, ANSWERED, DECLINED, UNREACHABLE)
SEAL_LENGTH = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_campaigns, _invitations = table_of(Campaign), table_of(Invitation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a sample was drawn.

    Args:
        strata: Columns that make the strata.
        seed: Seed of the draw.
        allocation: proportional or equal.
        listed: Papers in the list, by stratum.
    """

    strata: tuple[str, ...]
    seed: int
    allocation: str
    listed: dict[str, int]


def plan_of(papers: Sequence[Paper], strata: Sequence[str], *, seed: int, allocation: str) -> Plan:
    """Plan of a draw from a list."""
    listed = dict(sorted(Counter(paper.stratum for paper in papers).items()))
    return Plan(strata=tuple(strata), seed=seed, allocation=allocation, listed=listed)


def add(engine: Engine, name: str, chosen: Sequence[Paper], plan: Plan) -> int:
    """Number of papers in the sample of a new campaign.

    Raises:
        InputError: The name is none or taken.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError(f"campaign name {name!r:.80} is not 1 to 60 small letters, digits or -")
    detail = {"strata": plan.strata, "allocation": plan.allocation, "listed": plan.listed}
    row = {
        "name": name, "at": now(), "seed": plan.seed, "listed": sum(plan.listed.values()),
        "detail": json.dumps(detail, ensure_ascii=False),
    }  # fmt: skip
    rows = [
        {
            "id": invitation_id(name, paper.key), "campaign": name, "stratum": paper.stratum,
            "paper": json.dumps(paper.told, ensure_ascii=False), "state": DRAWN, "reminders": 0,
        }
        for paper in chosen
    ]  # fmt: skip
    with writing(engine) as connection:
        if connection.execute(sa.select(_campaigns.c.name).where(_campaigns.c.name == name)).first():
            raise InputError(f"there is a campaign {name!r} already: its sample stays as it was drawn")
        connection.execute(sa.insert(_campaigns), row)
        connection.execute(sa.insert(_invitations), rows)
        drawn = {"name": name, "n": len(rows), "seed": plan.seed}
        chain.append(connection, actor="local", action="campaign", detail=drawn)
    return len(rows)


def invitation_id(campaign: str, key: str) -> str:
    """Identity of the question about a paper in a campaign."""
    return hashlib.sha256(f"{campaign}\n{key}".encode()).hexdigest()[:24]


def link(key: bytes, one: str, address: str) -> str:
    """Signed address of the form of an invitation."""
    return f"{address}/answer/{one}.{_seal(key, one)}"


def of_link(engine: Engine, key: bytes, token: str) -> dict[str, Any] | None:
    """Invitation of a signed link; None where it is not one of ours."""
    one, _, seal = token.partition(".")
    if not same(_seal(key, one), seal):
        return None
    query = sa.select(_invitations).where(_invitations.c.id == one)
    with engine.connect() as connection:
        found = connection.execute(query).mappings().first()
    return None if found is None else {**found, "paper": json.loads(found["paper"])}


def campaign(engine: Engine, name: str) -> dict[str, Any]:
    """A campaign with its plan.

    Raises:
        InputError: There is none of this name.
    """
    with engine.connect() as connection:
        found = connection.execute(sa.select(_campaigns).where(_campaigns.c.name == name)).mappings().first()
    if found is None:
        raise InputError(f"no campaign {name!r:.80}: `sootprint hub campaign list` shows all")
    return {**found, **json.loads(found["detail"])}


def names(engine: Engine) -> list[str]:
    """Names of the campaigns, the newest first."""
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(_campaigns.c.name).order_by(_campaigns.c.at.desc())))


def invitations(engine: Engine, name: str, states: Iterable[str] = STATES) -> list[dict[str, Any]]:
    """Invitations of a campaign in some states, by stratum."""
    query = (
        sa.select(_invitations)
        .where(_invitations.c.campaign == name, _invitations.c.state.in_(tuple(states)))
        .order_by(_invitations.c.stratum, _invitations.c.id)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).mappings().all()
    return [{**row, "paper": json.loads(row["paper"])} for row in rows]


def mailed(engine: Engine, ids: Sequence[str], *, reminder: bool) -> None:
    """Note that mails were written for some invitations."""
    at = now()
    values: dict[str, Any] = {"state": SENT, "sent_at": at}
    if reminder:
        values = {"reminders": _invitations.c.reminders + 1, "reminded_at": at}
    before = SENT if reminder else DRAWN
    with writing(engine) as connection:
        detail = {"invitations": sorted(ids), "reminder": reminder}
        chain.append(connection, actor="local", action="mail", detail=detail)
        for start in range(0, len(ids), 500):
            chosen = _invitations.c.id.in_(ids[start : start + 500])
            change = sa.update(_invitations).where(chosen, _invitations.c.state == before)
            connection.execute(change.values(values))


def answered(engine: Engine, one: str, footprint_id: str) -> None:
    """Note the first answer to an invitation; further ones add records of the same paper."""
    open_ones = sa.and_(_invitations.c.id == one, _invitations.c.state != ANSWERED)
    values = {"state": ANSWERED, "answered_at": now(), "footprint_id": footprint_id}
    with writing(engine) as connection:
        if connection.execute(sa.update(_invitations).where(open_ones).values(values)).rowcount:
            detail = {"invitation": one, "id": footprint_id}
            chain.append(connection, actor="local", action=ANSWERED, detail=detail)


def closed(engine: Engine, ids: Sequence[str], state: str) -> int:
    """Number of invitations without an answer that are declined or unreachable from now on."""
    fits = sa.and_(_invitations.c.id.in_(ids), _invitations.c.state.in_((DRAWN, SENT)))
    with writing(engine) as connection:
        n = connection.execute(sa.update(_invitations).where(fits).values(state=state)).rowcount
        if n:
            chain.append(connection, actor="local", action=state, detail={"invitations": sorted(ids)})
    return n


def _seal(key: bytes, one: str) -> str:
    return mac(key, "invitation", one)[:SEAL_LENGTH]
