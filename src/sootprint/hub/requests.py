"""What a request brings: who makes it, and its body within the limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from sootprint.core.errors import SootprintError
from sootprint.hub import accounts
from sootprint.hub.accounts import LOCAL, VISITOR, Actor
from sootprint.hub.context import Hub
from sootprint.hub.people import sessions

MAX_FIELDS = 200  # of a form
OF_ONE = 64  # bits that the IPv6 addresses of one caller share (RFC 6177)


class NotAllowedError(SootprintError):
    """The request needs a valid token (401), or one that may do more (403)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class TooManyError(SootprintError):
    """The caller made too many requests, and may come again after `wait_s` [s]."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many requests of this kind: come again later")
        self.wait_s = wait_s


def hub_of(request: Request) -> Hub:
    """The hub that answers."""
    hub: Hub = request.app.state.hub
    return hub


async def actor_of(request: Request) -> Actor:
    """Who makes a request: the one user, the holder of a token, or a visitor.

    Raises:
        NotAllowedError: The token is not valid.
        TooManyError: Too many tokens that are not valid came from this address.
    """
    hub = hub_of(request)
    if hub.single_user:
        return LOCAL
    given = request.headers.get("authorization")
    if given is None:
        return VISITOR
    scheme, _, token = given.partition(" ")
    return await run_in_threadpool(holder_of, request, token.strip() if scheme.lower() == "bearer" else "")


def holder_of(request: Request, token: str) -> Actor:
    """Whoever holds a token, which is noted as used.

    Raises:
        NotAllowedError: The token is not valid.
        TooManyError: Too many tokens that are not valid came from this address.
    """
    hub = hub_of(request)
    found = accounts.actor_of(hub.engine, hub.key, token)
    if found is None:
        slow_down(request, "failure")
        raise NotAllowedError("the token is not valid: it is wrong, expired or revoked", 401)
    accounts.touch(hub.engine, token.partition(".")[0])
    return found


def viewer_of(request: Request) -> Actor:
    """Who looks at a page: the one user, whoever is logged in with this browser, or a visitor."""
    hub = hub_of(request)
    if hub.single_user:
        return LOCAL
    cookie = request.cookies.get(sessions.COOKIE)
    return sessions.actor_of(hub, cookie) if cookie else VISITOR


def needing(*scopes: str) -> Callable[[Request], object]:
    """Dependency that gives the actor of a request if it may do one of some things."""

    async def allowed(request: Request) -> Actor:
        actor = await actor_of(request)
        if actor.may.isdisjoint(scopes):
            status = 401 if actor is VISITOR else 403
            raise NotAllowedError(
                f"this needs a token that may {' or '.join(scopes)}: your page /account makes one, or who runs this "
                "hub with `sootprint hub token create`",
                status,
            )
        if "read" not in scopes:
            pace(request, actor)
        return actor

    return allowed


def pace(request: Request, actor: Actor, kind: str = "submit") -> None:
    """Count what an account submits, or asks for, and refuse it where it is too much at once.

    Raises:
        TooManyError: It is.
    """
    hub = hub_of(request)
    wait_s = 0.0 if hub.single_user else hub.limits.take(kind, actor.name)
    if wait_s > 0.0:
        raise TooManyError(wait_s)


def is_secure(request: Request) -> bool:
    """Whether a browser reaches the hub by https: by its public address, or as a proxy says."""
    return hub_of(request).address.startswith("https:") or request.url.scheme == "https"


def caller(scope: Scope) -> str:
    """Address that a request comes from; of IPv6 its network, all of which one caller has."""
    client = scope.get("client")
    return _network(client[0]) if client else "unknown"


@lru_cache(maxsize=4096)
def _network(name: str) -> str:
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name
    if isinstance(found, ipaddress.IPv4Address):
        return name
    plain = found.ipv4_mapped
    return str(plain or ipaddress.ip_network((found, OF_ONE), strict=False))


def slow_down(request: Request, kind: str) -> None:
    """Count an attempt of a visitor, and refuse it where there were too many.

    Raises:
        TooManyError: There were.
    """
    wait_s = hub_of(request).limits.take(kind, caller(request.scope))
    if wait_s > 0.0:
        raise TooManyError(wait_s)


async def fields_of(request: Request) -> dict[str, str]:
    """Fields of a form that was sent, the first of each name."""
    text = (await body_of(request)).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        pairs = []
    return {name: value.replace("\0", "") for name, value in reversed(pairs)}


async def body_of(request: Request) -> bytes:
    """Body of a request as it came; the guard has an eye on its size and its time."""
    return b"".join([part async for part in request.stream()])
