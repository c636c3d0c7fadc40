"""What stands before every route: names it may be called by, origins, sizes, limits, headers, counts and the log."""

from __future__ import annotations

import json
import logging
import time
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sootprint.hub import logs
from sootprint.hub.accounts import VISITOR
from sootprint.hub.context import Hub
from sootprint.hub.patience import limit_of, patient, too_large
from sootprint.hub.problems import TITLES
from sootprint.hub.rendering import templates
from sootprint.hub.requests import caller

SAFE = ("GET", "HEAD", "OPTIONS")
PROXIED = (  # what proxies say of themselves
    b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"forwarded", b"via",
    b"cf-connecting-ip", b"true-client-ip",
)  # fmt: skip
OF_PROXIES = "1.0"  # HTTP in which nginx asks as it comes, and no browser or tool of today
FOR_OTHERS = "/badges/"  # what pages elsewhere may show
MISDIRECTED, TOO_MANY = 421, 429
DIGITS = 18  # of a Content-Length
# Probes, and what the page of a refusal loads
NOT_LIMITED = ("/healthz", "/readyz", "/metrics", "/static/hub.css", "/static/hub.svg")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class Guard:
    """Middleware around the whole application.

    Args:
        app: What it guards.
        hub: The hub.
    """

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app, self._hub = app, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status, is_head = time.monotonic(), [500], scope["method"] == "HEAD"

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in HEADERS if one[0] not in given)]
            await send({**message, "body": b""} if is_head and "body" in message else message)

        try:
            refusal = self._refusal(scope)
            if is_head:  # what GET would say, without its body (RFC 9110, section 9.3.2)
                scope["method"] = "GET"
            if refusal is None:
                await self._answer(scope, receive, answering)
            else:
                await self._refuse(scope, answering, *refusal)
        finally:
            self._told(scope, status[0], time.monotonic() - began_s)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer; a large body has room as long as that takes."""
        limit, who = limit_of(scope["path"]), caller(scope)
        size, taken = int(dict(scope["headers"]).get(b"content-length", limit)), [0]

        async def room() -> None:
            await self._hub.arriving.take(size, who)
            taken[0] = size

        try:
            await self._app(scope, patient(receive, limit, room), send)
        finally:
            self._hub.arriving.give(taken[0], who)

    def _refusal(self, scope: Scope) -> tuple[int, str, float] | None:
        """Status, reason and seconds to wait; None for a request that may go on."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if _name_of(host) not in self._hub.hosts:
            return 421, f"Host {host!r:.80} is none of this hub's: name it with --allow-host", 0.0
        if self._hub.single_user and _is_proxied(scope, headers):
            return 403, "this hub has one user and no tokens, so it is not served through a proxy", 0.0
        if not self._may_ask(scope, headers, host):
            return 403, "the request comes from another origin", 0.0
        if b"%00" in scope["query_string"]:  # PostgreSQL takes none
            return 400, "the address holds a NUL, which no name here has: leave %00 out", 0.0
        length = headers.get(b"content-length", b"0")
        limit = limit_of(scope["path"])
        if not length.isdigit() or len(length) > DIGITS or int(length) > limit:
            return 413, too_large(limit), 0.0
        if not self._hub.single_user and scope["path"] not in NOT_LIMITED:
            wait_s = self._hub.limits.take("visit", caller(scope))
            if wait_s > 0.0:
                return 429, "too many requests", wait_s
        return None

    def _may_ask(self, scope: Scope, headers: dict[bytes, bytes], host: str) -> bool:
        """Whether a request is one of ours; a page of another site may read what is public, and follow a link."""
        if _same_origin(headers, host):
            return True
        if scope["method"] not in SAFE:
            return False
        return not self._hub.single_user or _is_link(headers) or scope["path"].startswith(FOR_OTHERS)

    async def _refuse(self, scope: Scope, send: Send, status: int, why: str, wait_s: float) -> None:
        """Say why: a page for a browser, JSON for a program."""
        body, kind = json.dumps({"title": why, "status": status}).encode(), b"application/problem+json"
        of_page = not scope["path"].startswith("/api/") and status != MISDIRECTED
        if of_page and b"text/html" in dict(scope["headers"]).get(b"accept", b""):
            body, kind = _page(self._hub, status, why, int(wait_s) + 1), b"text/html; charset=utf-8"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        if wait_s > 0.0:
            headers.append((b"retry-after", str(int(wait_s) + 1).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _told(self, scope: Scope, status: int, duration_s: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in (*SAFE, "POST", "DELETE") else "other"
        self._hub.metrics.request(method, route, status=status, duration_s=duration_s)
        level = logging.ERROR if status >= 500 else logging.INFO
        facts = {"method": method, "route": route, "status": status, "ms": round(duration_s * 1000, 1)}
        logs.event("request", level, **facts)


def _name_of(host: str) -> str:
    """Name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_proxied(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether a request came through a proxy, as far as that can be told."""
    return scope["http_version"] == OF_PROXIES or any(name in headers for name in PROXIED)


def _is_link(headers: dict[bytes, bytes]) -> bool:
    """Whether a browser opens a whole page, as where a link is followed."""
    kind = headers.get(b"sec-fetch-mode"), headers.get(b"sec-fetch-dest")
    return kind == (b"navigate", b"document")


def _same_origin(headers: dict[bytes, bytes], host: str) -> bool:
    """Whether a request was not made by a page of somebody else's."""
    if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return False
    origin = headers.get(b"origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin.decode("latin-1"))
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc == host


def _page(hub: Hub, status: int, why: str, wait_s: int) -> bytes:
    """Page of a refusal."""
    wait = f": try again in {wait_s} s" if status == TOO_MANY else ""
    shown = {
        "hub": hub,
        "path": "",
        "viewer": VISITOR,
        "code": status,
        "why": f"{why}{wait}",
        "titles": TITLES,
    }
    return templates().get_template("problem.html").render(shown).encode()
