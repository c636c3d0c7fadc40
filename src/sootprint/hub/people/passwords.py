"""Passwords of people: argon2id, a few at a time so that many logins do not fill the memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Engine

from sootprint.core.errors import InputError
from sootprint.hub import accounts, chain
from sootprint.hub.database import writing
from sootprint.hub.people.tables import LoginSession
from sootprint.hub.tables import Account, table_of

SHORTEST, LONGEST = 10, 200  # letters of a password
MEMORY_KIB, PASSES = 19_456, 2  # of one hash (OWASP Password Storage Cheat Sheet, argon2id)
AT_ONCE = threading.Semaphore(4)  # hashes that are made at the same time
_accounts, _sessions = table_of(Account), table_of(LoginSession)


def set_password(
    engine: Engine,
    name: str,
    password: str,
    *,
    actor: str = "local",
    still: Callable[[Any], bool] = lambda _: True,
) -> bool:
    """Give an account a password; browsers in which it was logged in are logged out.

    Args:
        engine: Database.
        name: Name of the account.
        password: The new one.
        actor: Who sets it, for the audit log.
        still: Whether the account is as it was when this was asked for; nobody changes it between this and the change.

    Returns:
        Whether it was set.

    Raises:
        InputError: There is no such open account, or the password is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"the password has {len(password)} letters: take {SHORTEST} to {LONGEST}")
    hashed = _hashed(password)
    with writing(engine) as connection:
        found = connection.execute(accounts.named(name).where(_accounts.c.closed_at.is_(None))).first()
        if found is None:
            raise InputError(f"no open account {name!r:.90}: `sootprint hub user list` shows all")
        if not still(found):
            return False
        change = sa.update(_accounts).where(_accounts.c.id == found.id)
        connection.execute(change.values(password=hashed))
        connection.execute(sa.delete(_sessions).where(_sessions.c.account_id == found.id))
        chain.append(connection, actor=actor, action="password", detail={"name": name})
    return True


def account_of(engine: Engine, name: str, password: str) -> int | None:
    """Number of the open account whose password this is; None for whichever reason, after the same time."""
    query = accounts.named(name).where(_accounts.c.closed_at.is_(None))
    with engine.connect() as connection:
        found = connection.execute(query).first()
    known = found.password if found is not None else None
    fits = _fits(known or _nobodys(), password[:LONGEST])
    return int(found.id) if found is not None and known and fits else None


def _hashed(password: str) -> str:
    with AT_ONCE:
        return _hasher().hash(password)


def _fits(hashed: str, password: str) -> bool:
    try:
        with AT_ONCE:
            return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)


@cache
def _nobodys() -> str:
    """Hash that is checked for an account that is not there, so that its absence takes as long."""
    return _hashed("the password of nobody")
