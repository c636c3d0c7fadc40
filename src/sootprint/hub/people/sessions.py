"""Sessions: a random cookie for each browser, of which the hub keeps a keyed hash; and the links that begin one."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.hub.accounts import MAY, VISITOR, Actor, named
from sootprint.hub.context import Hub
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import LoginSession
from sootprint.hub.secrets import mac, same
from sootprint.hub.tables import Account, table_of

COOKIE = "sootprint_session"
LIFE = timedelta(days=14)
WELCOME = timedelta(days=7)  # how long a link for a new password is valid
_LENGTH = 43  # characters of a cookie
_accounts, _sessions = table_of(Account), table_of(LoginSession)


def start(hub: Hub, account_id: int) -> str:
    """Cookie of a new session."""
    cookie, at = secrets.token_urlsafe(32), now()
    row = {
        "mac": mac(hub.key, "session", cookie),
        "account_id": account_id,
        "created_at": at,
        "expires_at": _later(LIFE),
    }
    with writing(hub.engine) as connection:
        connection.execute(sa.delete(_sessions).where(_sessions.c.expires_at <= at))
        connection.execute(sa.insert(_sessions), row)
    return cookie


def end(hub: Hub, cookie: str) -> None:
    """End a session; an unknown one is no error."""
    with writing(hub.engine) as connection:
        gone = _sessions.c.mac == mac(hub.key, "session", cookie)
        connection.execute(sa.delete(_sessions).where(gone))


def actor_of(hub: Hub, cookie: str) -> Actor:
    """Who is logged in with a cookie; a visitor where nobody is."""
    if len(cookie) != _LENGTH:
        return VISITOR
    query = (
        sa.select(_sessions.c.expires_at, _accounts.c.id, _accounts.c.name, _accounts.c.role)
        .join(_accounts, _accounts.c.id == _sessions.c.account_id)
        .where(_sessions.c.mac == mac(hub.key, "session", cookie), _accounts.c.closed_at.is_(None))
    )
    with hub.engine.connect() as connection:
        found = connection.execute(query).first()
    if found is None or found.expires_at <= now():
        return VISITOR
    return Actor(name=found.name, account_id=found.id, may=MAY[found.role])


def welcome_link(engine: Engine, key: bytes, name: str, address: str) -> str:
    """Address at which the person of an account sets a password, once, within a week.

    Raises:
        InputError: There is no such open account.
    """
    until = _later(WELCOME)
    with engine.connect() as connection:
        account = connection.execute(_open(name)).first()
    if account is None:
        raise InputError(f"no open account {name!r:.90}: `sootprint hub user list` shows all")
    seal = _welcome_seal(key, account, name, until)
    return f"{address}/welcome?{urlencode({'name': name, 'until': until, 'seal': seal})}"


def is_welcome(hub: Hub, name: str, until: str, seal: str) -> bool:
    """Whether a link for a new password is ours, in time, and not used yet."""
    with hub.engine.connect() as connection:
        account = connection.execute(_open(name)).first()
    return account is not None and welcomes(hub.key, account, (name, until, seal))


def welcomes(key: bytes, account: Any, link: tuple[str, str, str]) -> bool:
    """Whether a link with name, end and seal is for an account as it is, and in time."""
    name, until, seal = link
    return same(_welcome_seal(key, account, name, until), seal) and until > now()


def _open(name: str) -> sa.Select[Any]:
    return named(name).where(_accounts.c.closed_at.is_(None))


def _welcome_seal(key: bytes, account: Any, name: str, until: str) -> str:
    """Seal of a link; it holds the password that is set now, so that it fits no more after the next."""
    return mac(key, "welcome", f"{name}\n{until}\n{account.password or ''}")


def _later(life: timedelta) -> str:
    return utc.text_of(datetime.now(UTC) + life)
