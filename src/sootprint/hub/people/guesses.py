"""Wrong passwords: after some of them each try for the same account waits longer, from one address and from all.

No wait lasts: it is a quarter of an hour at most from one address, and a minute from all others together. A browser in
which the account was logged in before tells so by a cookie of its own and waits for its own wrong passwords alone, so
that nobody who guesses can keep the owner out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). Names
that nobody has wait alike.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sootprint.core import utc
from sootprint.hub.accounts import named
from sootprint.hub.context import Hub
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import LoginFailure
from sootprint.hub.secrets import mac, same
from sootprint.hub.tables import table_of

COOKIE = "sootprint_known"  # of a browser in which an account was logged in
LIFE = timedelta(days=365)
FORGOTTEN = timedelta(days=1)  # after the last wrong password
_LONGEST = 200  # characters of the cookie
_MOST_DOUBLED = 20  # times that a wait is doubled
_failures = table_of(LoginFailure)


class Rule(NamedTuple):
    """How many wrong passwords cost nothing, and the longest wait after more of them [s]; each doubles the wait."""

    free: int
    most_s: float


OF_ONE = Rule(free=5, most_s=900.0)  # of one address, or of a known browser
OF_ALL = Rule(free=20, most_s=60.0)  # of all addresses together, but known browsers
_ALL = ""  # source that stands for all


class Try(NamedTuple):
    """One try to log in.

    Args:
        name: Name of the account, as it was typed.
        address: Where it comes from.
        cookie: What the browser says that it is known by; empty for one that says nothing.
    """

    name: str
    address: str
    cookie: str


def begin(hub: Hub, one: Try, at: str | None = None) -> float:
    """Seconds that a try has to wait; 0 where it may go on, and then it counts as a wrong one until it is forgiven.

    What has to wait counts for nothing. It is counted before the password is looked at, so that tries that come
    together are no way round.

    Args:
        hub: The hub.
        one: The try.
        at: When, ISO 8601 UTC; now where None.
    """
    at = at or now()
    with writing(hub.engine) as connection:
        stale = utc.text_of(_instant(at) - FORGOTTEN)
        connection.execute(sa.delete(_failures).where(_failures.c.at < stale))
        counted = _counted(hub, connection, one)
        wait_s = max(_wait_s(connection, key, rule, at) for key, rule in counted.items())
        if wait_s > 0.0:
            return wait_s
        for account, source in counted:
            here = sa.and_(_failures.c.account == account, _failures.c.source == source)
            change = sa.update(_failures).where(here).values(n=_failures.c.n + 1, at=at)
            if connection.execute(change).rowcount == 0:
                row = {"account": account, "source": source, "n": 1, "at": at}
                connection.execute(sa.insert(_failures), row)
    return 0.0


def forgive(hub: Hub, one: Try) -> None:
    """Take back what a try was counted as, for its password was right; from where it came nothing is held against it.

    Of the wrong ones of all addresses none is forgiven, as they are not the owner's.
    """
    with writing(hub.engine) as connection:
        for (account, source), rule in _counted(hub, connection, one).items():
            here = sa.and_(_failures.c.account == account, _failures.c.source == source)
            if rule is OF_ONE:
                connection.execute(sa.delete(_failures).where(here))
            else:
                connection.execute(sa.update(_failures).where(here).values(n=_failures.c.n - 1))


def known(hub: Hub, account_id: int, cookie: str) -> str:
    """Cookie of a browser that an account is logged in with: the one it has, where that is the account's."""
    if _is_of(hub, account_id, cookie):
        return cookie
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_seal(hub, account_id, nonce)}"


def _counted(hub: Hub, connection: Connection, one: Try) -> dict[tuple[str, str], Rule]:
    """What a try counts for: keyed hashes of the account's name and of where it comes from, with their rules."""
    account = mac(hub.key, "login", unicodedata.normalize("NFC", one.name))
    found = connection.execute(named(one.name)).first()
    if found is not None and _is_of(hub, found.id, one.cookie):
        return {(account, mac(hub.key, "browser", one.cookie)): OF_ONE}
    return {(account, mac(hub.key, "address", one.address)): OF_ONE, (account, _ALL): OF_ALL}


def _wait_s(connection: Connection, key: tuple[str, str], rule: Rule, at: str) -> float:
    account, source = key
    query = sa.select(_failures).where(_failures.c.account == account, _failures.c.source == source)
    row: Any = connection.execute(query).first()
    if row is None or row.n < rule.free:
        return 0.0
    whole_s = min(rule.most_s, 2.0 ** min(row.n - rule.free, _MOST_DOUBLED))
    passed_s = (_instant(at) - _instant(row.at)).total_seconds()
    return float(min(max(0.0, whole_s - passed_s), whole_s))  # a clock that was put back makes no wait longer


def _is_of(hub: Hub, account_id: int, cookie: str) -> bool:
    nonce, _, given = cookie[:_LONGEST].partition(".")
    return bool(given) and same(_seal(hub, account_id, nonce), given)


def _seal(hub: Hub, account_id: int, nonce: str) -> str:
    return mac(hub.key, "known browser", f"{account_id}\n{nonce}")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
