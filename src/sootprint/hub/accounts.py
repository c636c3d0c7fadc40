"""Accounts with one role each, and their tokens: a public prefix and a secret that is stored as a keyed hash alone."""

from __future__ import annotations

import base64
import json
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.hub import chain
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import LoginSession
from sootprint.hub.secrets import mac, same
from sootprint.hub.tables import Account, Token, table_of

ROLES = ("viewer", "contributor", "maintainer", "reviewer", "admin")
SCOPES = ("read", "submit", "correct", "review", "admin")
USUAL = ("read", "submit")  # of a token, unless others are asked for
MAY = {
    "viewer": frozenset({"read"}),
    "contributor": frozenset({"read", "submit"}),
    "maintainer": frozenset({"read", "submit", "correct"}),
    "reviewer": frozenset({"read", "submit", "correct", "review"}),
    "admin": frozenset(SCOPES),
}
MARK = "soot"  # every token begins with it, so that leaked ones can be searched for
LIFE = timedelta(days=365)
MOST_TOKENS = 100  # that are valid at once, of an account
AGAIN = timedelta(minutes=10)  # in which a form that is sent again, as by a double click, gets the same token
_NAME = re.compile(r"[\w.@ -]{1,80}")
# Small letters of other scripts that look like Latin ones (Unicode Technical Standard #39)
_ALIKE = str.maketrans("авекмнорстухіјѕԁһӏαβεικνορτυχω", "abekmhopctyxijsdhlabeiknoptyxw")
_CAMPAIGN = "campaign "  # in the audit log who answered one is named so
_TOKEN = re.compile(rf"({MARK}_[0-9a-f]{{8}})\.([0-9A-Za-z_-]{{43}})")
_accounts, _tokens, _sessions = table_of(Account), table_of(Token), table_of(LoginSession)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever makes a request.

    Args:
        name: Name for the audit log and the limits.
        account_id: Account, or None for the one user of a hub on loopback and for visitors.
        may: What is allowed: read, submit, correct, review, admin.
    """

    name: str
    account_id: int | None
    may: frozenset[str]


LOCAL = Actor(name="local", account_id=None, may=frozenset(SCOPES))
VISITOR = Actor(name="visitor", account_id=None, may=frozenset({"read"}))


def add_account(engine: Engine, name: str, role: str) -> int:
    """Number of a new account.

    Raises:
        InputError: The name is taken or no name, or there is no such role.
    """
    _check_role(role)
    name = unicodedata.normalize("NFC", name)
    _check_name(name)
    with writing(engine) as connection:
        for known in connection.scalars(sa.select(_accounts.c.name)):
            if _seen(known) == _seen(name):
                raise InputError(f"there is an account {known!r} already, which looks like {name!r}")
        row = {"name": name, "role": role, "created_at": now()}
        made = connection.execute(sa.insert(_accounts).returning(_accounts.c.id), row).scalar_one()
        chain.append(connection, actor="local", action="account", detail={"name": name, "role": role})
    return int(made)


def set_role(engine: Engine, name: str, role: str) -> None:
    """Give an account another role.

    Raises:
        InputError: There is no such account or role.
    """
    _check_role(role)
    with writing(engine) as connection:
        account_id = _account(connection, name).id
        connection.execute(sa.update(_accounts).where(_accounts.c.id == account_id).values(role=role))
        chain.append(connection, actor="local", action="role", detail={"name": name, "role": role})


def close_account(engine: Engine, name: str) -> None:
    """Close an account: its tokens work no more, what it submitted stays.

    Raises:
        InputError: There is no such account.
    """
    with writing(engine) as connection:
        account_id = _account(connection, name).id
        at = now()
        connection.execute(sa.update(_accounts).where(_accounts.c.id == account_id).values(closed_at=at))
        connection.execute(sa.delete(_sessions).where(_sessions.c.account_id == account_id))
        open_ones = sa.and_(_tokens.c.account_id == account_id, _tokens.c.revoked_at.is_(None))
        connection.execute(sa.update(_tokens).where(open_ones).values(revoked_at=at))
        chain.append(connection, actor="local", action="close", detail={"name": name})


def listed(engine: Engine) -> list[dict[str, Any]]:
    """Accounts by name."""
    shown = (_accounts.c[name] for name in ("name", "role", "created_at", "closed_at"))
    query = sa.select(*shown).order_by(_accounts.c.name)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def usual_scopes(engine: Engine, name: str) -> tuple[str, ...]:
    """Scopes of a token of an account where none are asked for: to read, and to submit where its role may.

    Raises:
        InputError: There is no such account.
    """
    with engine.connect() as connection:
        may = MAY[_account(connection, name).role]
    return tuple(scope for scope in USUAL if scope in may)


def make_token(
    engine: Engine,
    key: bytes,
    name: str,
    *,
    scopes: tuple[str, ...],
    life: timedelta | None = LIFE,
    actor: str = "local",
    page: str | None = None,
) -> str:
    """A new token of an account; it is shown this once.

    Args:
        engine: Database.
        key: The server's key.
        name: Name of the account.
        scopes: What the token may do, at most what its account may.
        life: How long it is valid; None for ever.
        actor: Who makes it, for the audit log.
        page: Identity of the page whose form asks for it; sent again it gets the same token. None for none.

    Raises:
        InputError: There is no such open account, it has as many valid tokens as it may, a scope is none or more than
            its role has, or the form was sent long before.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise InputError(f"scope {scope!r:.40} is not one of {', '.join(SCOPES)}")
    said = None if page is None else json.dumps([page, name, scopes, str(life)])
    prefix, secret = _new() if said is None else _following(key, said)
    expires = None if life is None else utc.text_of(datetime.now(UTC) + life)
    with writing(engine) as connection:
        account = _account(connection, name)
        beyond = sorted(set(scopes) - MAY[account.role])
        if account.closed_at is not None or beyond:
            why = "is closed" if account.closed_at else f"is a {account.role}, who may not {beyond[0]}"
            raise InputError(f"account {name!r} {why}: name another account or scope")
        hashed = mac(key, "token", f"{prefix}.{secret}")
        if said is not None and _is_made(connection, hashed):
            return f"{prefix}.{secret}"
        _check_room(connection, account)
        row = {
            "prefix": prefix,
            "mac": hashed,
            "account_id": account.id,
            "scopes": " ".join(scopes),
            "created_at": now(),
            "expires_at": expires,
        }
        connection.execute(sa.insert(_tokens), row)
        chain.append(connection, actor=actor, action="token", detail={"prefix": prefix, "name": name})
    return f"{prefix}.{secret}"


def _check_room(connection: Connection, account: Any) -> None:
    mine = sa.select(sa.func.count()).where(_tokens.c.account_id == account.id, _is_valid())
    if int(connection.scalar(mine) or 0) >= MOST_TOKENS:
        raise InputError(
            f"account {account.name!r} has {MOST_TOKENS} valid tokens, the most that it may: revoke an unused one"
        )


def _is_valid() -> sa.ColumnElement[bool]:
    """Condition that a token is neither revoked nor past its end."""
    lasts = sa.or_(_tokens.c.expires_at.is_(None), _tokens.c.expires_at > now())
    return sa.and_(_tokens.c.revoked_at.is_(None), lasts)


def _new() -> tuple[str, str]:
    return f"{MARK}_{secrets.token_hex(4)}", secrets.token_urlsafe(32)


def _following(key: bytes, said: str) -> tuple[str, str]:
    """Prefix and secret that follow from what a form said and from the server's key, which nobody else has."""
    secret = base64.urlsafe_b64encode(bytes.fromhex(mac(key, "secret of a token", said)))
    return f"{MARK}_{mac(key, 'prefix of a token', said)[:8]}", secret.decode().rstrip("=")


def _is_made(connection: Connection, hashed: str) -> bool:
    """Whether a form made its token just before.

    Raises:
        InputError: It did so long before, or the token was revoked.
    """
    known = connection.execute(sa.select(_tokens).where(_tokens.c.mac == hashed)).first()
    if known is not None and (known.revoked_at or known.created_at < utc.text_of(datetime.now(UTC) - AGAIN)):
        raise InputError("this form has made its token already: load the page again for another one")
    return known is not None


def revoke(engine: Engine, prefix: str, *, owner: int | None = None, actor: str = "local") -> None:
    """Make a token worthless from now on; its owner may say so twice, as by a double click.

    Args:
        engine: Database.
        prefix: Part of the token before the point.
        owner: Account whose token it has to be; None for any.
        actor: Who revokes it, for the audit log.

    Raises:
        InputError: There is no token with this prefix.
    """
    prefix = prefix.partition(".")[0]
    with writing(engine) as connection:
        found = sa.update(_tokens).where(_tokens.c.prefix == prefix, _tokens.c.revoked_at.is_(None))
        if owner is not None:
            found = found.where(_tokens.c.account_id == owner)
        if connection.execute(found.values(revoked_at=now())).rowcount == 0:
            mine = sa.select(_tokens.c.prefix).where(
                _tokens.c.prefix == prefix, _tokens.c.account_id == owner
            )
            if owner is not None and connection.scalar(mine):
                return  # it is what was asked for
            raise InputError(
                f"no valid token begins with {prefix!r:.40}: `sootprint hub token list` shows all"
            )
        chain.append(connection, actor=actor, action="revoke", detail={"prefix": prefix})


def tokens(
    engine: Engine, *, owner: int | None = None, valid: bool | None = None, most: int | None = None
) -> list[dict[str, Any]]:
    """Tokens of all accounts or of one, the newest first, without their secrets.

    Args:
        engine: Database.
        owner: Account whose tokens they are; None for all.
        valid: Whether they are valid or have ended; None for both.
        most: How many at most; None for all.
    """
    names = ("prefix", "scopes", "created_at", "expires_at", "revoked_at", "used_at")
    shown = (_tokens.c[name] for name in names)
    query = sa.select(_accounts.c.name, *shown).join(_accounts).order_by(_tokens.c.created_at.desc())
    if owner is not None:
        query = query.where(_tokens.c.account_id == owner)
    if valid is not None:
        query = query.where(_is_valid() if valid else sa.not_(_is_valid()))
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.limit(most)).mappings()]


def actor_of(engine: Engine, key: bytes, token: str) -> Actor | None:
    """Who holds a token; None where it is not valid, for whichever reason."""
    parts = _TOKEN.fullmatch(token)
    prefix = parts[1] if parts else ""
    query = (
        sa.select(_tokens, _accounts.c.name, _accounts.c.role, _accounts.c.closed_at)
        .join(_accounts)
        .where(_tokens.c.prefix == prefix)
    )
    with engine.connect() as connection:
        row = connection.execute(query).first()
    expected = row.mac if row else "0" * 64  # an unknown prefix costs as much as a known one
    fits = same(mac(key, "token", token), expected)
    if row is None or not fits or row.revoked_at or row.closed_at:
        return None
    if row.expires_at and row.expires_at <= now():
        return None
    return Actor(
        name=row.name,
        account_id=row.account_id,
        may=frozenset(row.scopes.split()) & MAY[row.role],
    )


def touch(engine: Engine, prefix: str) -> None:
    """Note that a token was used today."""
    today = now()[:10]
    with engine.connect() as connection:
        known = connection.scalar(sa.select(_tokens.c.used_at).where(_tokens.c.prefix == prefix))
    if known == today:
        return
    stale = sa.or_(_tokens.c.used_at.is_(None), _tokens.c.used_at < today)
    with writing(engine) as connection:
        change = sa.update(_tokens).where(_tokens.c.prefix == prefix, stale)
        connection.execute(change.values(used_at=today))


def named(name: str) -> sa.Select[Any]:
    """The account of a name, in whichever way Unicode spells it; as it was typed first."""
    spelled = {name, unicodedata.normalize("NFC", name)}
    return sa.select(_accounts).where(_accounts.c.name.in_(spelled)).order_by(_accounts.c.name != name)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None or " ".join(name.split()) != name:
        raise InputError(f"account name {name!r:.90} is not 1 to 80 letters, digits or . @ _ -")
    plain = unicodedata.normalize("NFKC", name)
    if plain != name:
        raise InputError(f"account name {name!r} has letters that look like others: write it {plain!r}")
    if _seen(name) in (LOCAL.name, VISITOR.name) or _seen(name).startswith(_CAMPAIGN):
        raise InputError(f"account name {name!r} has a meaning of its own: take another one")


def _seen(name: str) -> str:
    """Name as a reader sees it, who tells neither capitals from small letters nor one script from another."""
    return unicodedata.normalize("NFKC", name).casefold().translate(_ALIKE)


def _account(connection: Connection, name: str) -> Any:
    found = connection.execute(named(name)).first()
    if found is None:
        raise InputError(f"no account {name!r:.90}: `sootprint hub user list` shows all")
    return found


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise InputError(f"role {role!r:.40} is not one of {', '.join(ROLES)}")
